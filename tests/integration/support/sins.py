"""What servers do wrong, one method each; see sink.py."""
import time

from .sink import Hangup, sleep_forever


def reply(session, *lines, close=False):
    """A handler that always says this."""
    def handler(_):
        session.say(*lines)
        if close:
            raise Hangup
    return handler


def _only_good(session, refusal):
    good = session.script["RCPT"]

    def choose(rest):
        if "good" in rest:
            good(rest)
        else:
            session.say(refusal)
    session.script["RCPT"] = choose


class Sins:
    # --- greeting ---

    def close_before_greeting(self, session):
        raise Hangup

    def greeting_bogus(self, session):
        session.banner = "bogus"

    def greeting_four_digits(self, session):
        session.banner = "2200 sink.test.example"

    def greeting_421(self, session):
        session.banner = "421 4.3.2 come back later"

    def greeting_521(self, session):
        session.banner = "521 5.3.2 no mail here"

    def greeting_554_close(self, session):
        session.say("554 5.7.1 go away")
        raise Hangup

    def greeting_never(self, session):
        sleep_forever()

    def greeting_endless_line(self, session):
        while True:
            session.send(b"220 " + b"x" * 65536)

    def greeting_endless_lines(self, session):
        while True:
            session.send(b"220-and more\r\n" * 1000)

    def greeting_with_nul(self, session):
        session.banner = "220 sink\0.test.example"

    def greeting_bare_lf(self, session):
        session.send("220 sink.test.example\n")

    def greeting_byte_by_byte(self, session):
        for byte in session.banner.encode():
            session.send(bytes([byte]))
            time.sleep(0.005)
        session.banner = ""

    # --- EHLO and STARTTLS ---

    def ehlo_refused(self, session):
        session.script["EHLO"] = reply(session, "502 5.5.1 what?")

    def ehlo_mixed_codes(self, session):
        session.script["EHLO"] = reply(session, "250-sink", "500 different code")

    def ehlo_closes(self, session):
        def hang_up(_):
            raise Hangup
        session.script["EHLO"] = session.script["HELO"] = hang_up

    def ehlo_without_anything(self, session):
        session.keywords = []

    @staticmethod
    def _offer(session, keyword, when):
        """A keyword that EHLO lists only when this is true of the session."""
        hello = session.script["EHLO"]

        def say(name):
            session.keywords = [k for k in session.keywords if k != keyword]
            session.keywords += [keyword] if when() else []
            hello(name)
        session.script["EHLO"] = say

    def requiretls(self, session):
        """RFC 8689 2: offered once TLS is up; no sin."""
        self._offer(session, "REQUIRETLS", lambda: session.tls)

    def requiretls_before_tls(self, session):
        self._offer(session, "REQUIRETLS", lambda: not session.tls)

    def requiretls_but_not_now(self, session):
        self.requiretls(session)
        self.rcpt_451(session)

    def ehlo_refused_behind_tls(self, session):
        hello = session.script["EHLO"]

        def say(name):
            if session.tls:
                session.say("502 5.5.1 what?")
            else:
                hello(name)
        session.script["EHLO"] = say

    def starttls_needed_and_broken(self, session):
        self.starttls_garbage(session)
        session.script["MAIL"] = reply(session, "530 5.7.0 STARTTLS first")

    def ehlo_odd_keywords(self, session):
        session.keywords += ["", " ", "=", "SIZE=99999999999999999999", "8BITMIME x y"]

    def no_pipelining(self, session):
        session.keywords.remove("PIPELINING")

    def no_8bitmime(self, session):
        session.keywords.remove("8BITMIME")

    def no_smtputf8(self, session):
        session.keywords.remove("SMTPUTF8")

    def limits_two_rcpts(self, session):
        """RFC 9422: two recipients a transaction, three messages a session."""
        session.keywords += ["LIMITS RCPTMAX=2 MAILMAX=3 OTHER=x RCPTMAX="]

    def limits_one_domain(self, session):
        session.keywords += ["LIMITS RCPTDOMAINMAX=1"]

    def limits_nonsense(self, session):
        session.keywords += ["LIMITS ;;; RCPTMAX=0 MAILMAX=99999999999 RCPTMAX"]

    def size_small(self, session):
        session.keywords[session.keywords.index("SIZE 0")] = "SIZE 1000"

    def starttls_refused(self, session):
        session.script["STARTTLS"] = reply(session, "454 4.7.0 not now")

    def starttls_554(self, session):
        session.script["STARTTLS"] = reply(session, "554 5.7.0 never")

    def starttls_closes(self, session):
        def hang_up(_):
            raise Hangup
        session.script["STARTTLS"] = hang_up

    def starttls_injects(self, session):
        """Plain text behind the 220: it must never count as encrypted."""
        def inject(_):
            session.send("220 2.0.0 go\r\n250 injected\r\n")
            session.handshake()
        session.script["STARTTLS"] = inject

    def starttls_garbage(self, session):
        def garbage(_):
            session.say("220 2.0.0 go")
            session.send(b"\x00" * 100)
            raise Hangup
        session.script["STARTTLS"] = garbage

    def handshake_garbage(self, session):
        """What comes back to the ClientHello is no TLS."""
        def garbage(_):
            session.say("220 2.0.0 go")
            session.more()
            session.send(b"\x00" * 100)
            raise Hangup
        session.script["STARTTLS"] = garbage

    def starttls_hangs(self, session):
        def hang(_):
            session.say("220 2.0.0 go")
            sleep_forever()
        session.script["STARTTLS"] = hang

    # --- transaction ---

    def mail_451(self, session):
        session.script["MAIL"] = reply(session, "451 4.3.0 try again")

    def mail_550(self, session):
        session.script["MAIL"] = reply(session, "550 5.7.1 not from you")

    def second_mail_closes(self, session):
        good, seen = session.script["MAIL"], []

        def once(rest):
            if seen:
                raise Hangup
            seen.append(rest)
            good(rest)
        session.script["MAIL"] = once

    def mail_550_close(self, session):
        session.script["MAIL"] = reply(session, "550 5.7.1 listed", close=True)

    def rcpt_451(self, session):
        session.script["RCPT"] = reply(session, "451 4.7.1 greylisted")

    def rcpt_550(self, session):
        session.script["RCPT"] = reply(session, "550 5.1.1 nobody of this name")

    def rcpt_554_close(self, session):
        session.script["RCPT"] = reply(session, "554 5.7.1 listed", close=True)

    def rcpt_452_after_one(self, session):
        good = session.script["RCPT"]

        def one_only(rest):
            if session.current.rcpts:
                session.say("452 4.5.3 too many recipients")
            else:
                good(rest)
        session.script["RCPT"] = one_only

    def rcpt_550_unless_good(self, session):
        _only_good(session, "550 5.1.1 nobody of this name")

    def rcpt_451_unless_good(self, session):
        _only_good(session, "451 4.7.1 greylisted")

    def rcpt_reply_in_pieces(self, session):
        good = session.script["RCPT"]

        def slowly(rest):
            session.send("250-2.1.")
            time.sleep(0.1)
            session.send("5 first\r\n")
            time.sleep(0.1)
            good(rest)
        session.script["RCPT"] = slowly

    def no_chunking(self, session):
        session.keywords.remove("CHUNKING")

    def data_451(self, session):
        self.no_chunking(session)
        session.script["DATA"] = reply(session, "451 4.3.0 no room")

    def data_550(self, session):
        self.no_chunking(session)
        session.script["DATA"] = reply(session, "550 5.7.1 no")

    def data_closes(self, session):
        def hang_up(_):
            raise Hangup
        self.no_chunking(session)
        session.script["DATA"] = hang_up

    def bdat_451(self, session):
        session.script["BDAT"] = self.refuse_chunk(session, "451 4.3.0 no room")

    def bdat_550(self, session):
        session.script["BDAT"] = self.refuse_chunk(session, "550 5.7.1 no")

    def bdat_closes(self, session):
        def hang_up(_):
            raise Hangup
        session.script["BDAT"] = hang_up

    @staticmethod
    def refuse_chunk(session, words):
        """RFC 3030 2: the octets come whatever is said to them."""
        def refuse(rest):
            session.read_exactly(int(rest.partition(" ")[0]))
            session.say(words)
        return refuse

    # --- the end of the message ---

    def end_451(self, session):
        session.script["END"] = reply(session, "451 4.3.0 try again")

    def end_554(self, session):
        session.script["END"] = reply(session, "554 5.6.0 we do not like it")

    def end_closes(self, session):
        def hang_up(_):
            raise Hangup
        session.script["END"] = hang_up

    def end_never(self, session):
        session.script["END"] = lambda _: sleep_forever()

    def end_without_enhanced_code(self, session):
        session.script["END"] = reply(session, "554 no")

    def end_with_strange_text(self, session):
        session.script["END"] = reply(
            session, "554-5.6.0 caf\u00e9 \x1b[31m\x01", "554 5.6.0 \t=\"quoted\"")

    def end_without_text(self, session):
        session.script["END"] = reply(session, "550")

    def lmtp_every_other(self, session):
        """LMTP: the first recipient is served, the second is not, ..."""
        def alternate(_):
            done, session.current = session.current, None
            session.server.messages.append(done)
            for n in range(len(done.rcpts)):
                session.say("250 2.0.0 kept" if n % 2 == 0
                            else "550 5.2.2 mailbox full")
        session.script["END"] = alternate

    def lmtp_too_few_replies(self, session):
        def one_only(_):
            session.server.messages.append(session.current)
            session.say("250 2.0.0 kept")
            raise Hangup
        session.script["END"] = one_only
