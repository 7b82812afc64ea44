"""Messages that say what TLS they need, in a laboratory (RFC 8689)."""
import itertools
import subprocess

import pytest

from support.daemon import binary, environment
from support.lab_fixtures import SCENARIOS, Run, ending, group, open_lab
from support.talk import Talk, message
from support.wait import wait_until

from lab.check import PATIENCE  # noqa: E402

pytestmark = pytest.mark.limit(180)
NUMBERS = itertools.count(1)
WAIVER = "TLS-Required: No\r\n"


@pytest.fixture(scope="module")
def run(request):
    with open_lab(request, "lab-requiretls", group("requiretls")) as lab:
        aliases = lab.folder / "aliases"
        aliases.write_text("both: user@rtls-missing.test, user@rtls-clear.test\n")
        with ending(Run(lab, lab.folder / "danelaw", "requiretls", {
                "domain alias.example": {"deliver": "discard",
                                         "recipients": f"file:{aliases}"}})) as made:
            made.daemon.start()
            yield made


class Post:
    """One message to a domain of the laboratory, and what became of it."""

    def __init__(self, run, name, params=" REQUIRETLS", header="",
                 sender="a@rtls-home.test"):
        self.run = run
        self.rcpt = name if "@" in name else \
            f"user{next(NUMBERS)}@{SCENARIOS[name].domain}"
        self.name = name
        with Talk(run.daemon.port) as talk:
            talk.hello()
            talk.starttls()
            talk.expect(250, f"MAIL FROM:<{sender}>{params}")
            talk.expect(250, f"RCPT TO:<{self.rcpt}>")
            code, lines = talk.data(header + message())
            assert code == 250, lines
            self.ident = lines[-1].split()[-1]

    def line(self, **wanted):
        return self.run.daemon.wait_event(
            "delivery", PATIENCE, id=self.ident, to=self.rcpt, **wanted)

    def received(self, host="mx"):
        """The message as the host got it."""
        server = self.run.lab.server(self.name, host)
        return wait_until(
            lambda: [m for m in server.messages if self.rcpt in m.rcpts],
            f"the message at {host}")[0]

    def nobody_saw_it(self):
        assert self.run.lab.arrivals.of(self.rcpt) == []


def bounce_at(run, name, post):
    """The bounce of a message, at the host of its sender's domain."""
    server = run.lab.server(name, "mx")
    return wait_until(lambda: [m for m in server.messages
                               if post.rcpt.encode() in m.body], "a bounce")[0]


# --- as ./dev lab lists them; first, while no host has seen other mail ---

@pytest.mark.parametrize("name", [s.name for s in group("requiretls")])
def test_scenario(run, name):
    s = SCENARIOS[name]
    run.send([run.lab.recipient(s)])
    run.check(s)


# --- with TLS required ---

@pytest.mark.parametrize("name, tls", [
    ("rtls-dane", "dane/verified/dane/dane"),
    ("rtls-pkix", "pkix/verified/sender/requiretls")])
def test_passed_on_to_a_host_that_proves_itself(run, name, tls):
    """RFC 8689 2, 4.2.1: and MAIL says it there, too."""
    post = Post(run, name)
    assert post.line()["outcome"] == "delivered"
    assert post.line()["tls"] == tls
    got = post.received()
    assert got.tls and "REQUIRETLS" in got.mail_params


def test_ordinary_mail_does_not_ask_for_it(run):
    got = Post(run, "rtls-dane", "").received()
    assert "REQUIRETLS" not in got.mail_params


@pytest.mark.parametrize("name, dsn", [
    ("rtls-missing", "5.7.30"),      # RFC 8689 2: not offered
    ("rtls-early", "5.7.30"),        # not behind TLS
    ("rtls-helo", "5.7.30"),         # no EHLO at all
    ("rtls-clear", "5.7.10"),        # no TLS to be had
    ("rtls-insecure", "5.7.10"),     # nobody vouches for the MX host's name
])
def test_refused_where_it_cannot_be_kept(run, name, dsn):
    """RFC 8689 4.2.1: not sent, and the sender is told, without the body."""
    post = Post(run, name, " RET=FULL REQUIRETLS")
    line = post.line()
    assert (line["outcome"], line["dsn"]) == ("failed", dsn), line
    post.nobody_saw_it()
    bounce = bounce_at(run, "rtls-home", post)
    assert f"Status: {dsn}".encode() in bounce.body
    # RFC 8689 5: RET=FULL is disregarded
    assert b"text/rfc822-headers" in bounce.body
    assert b"hello\r\n" not in bounce.body
    # RFC 8689 5: protected as the message was
    assert bounce.sender == "" and "REQUIRETLS" in bounce.mail_params


@pytest.mark.parametrize("name", ["rtls-foreign", "rtls-unusable",
                                  "rtls-pkix-name"])
def test_certificate_that_proves_nothing_is_waited_for(run, name):
    """RFC 8689 2: its owner may put it right."""
    post = Post(run, name)
    line = post.line()
    assert (line["outcome"], line["dsn"]) == ("deferred", "4.7.5"), line
    post.nobody_saw_it()


def test_a_wish_says_nothing_of_its_destination(danelaw, sink, certificate):
    """RFC 8689 4.2.1: who asks for less is not held up by who asked for more."""
    ours, theirs = certificate("mx.test.example"), certificate("sink.test.example")
    hop = sink(certificate=theirs)  # nobody vouches for it
    server = danelaw({
        "certificate mx": {"chain": ours.chain, "key": ours.key},
        "relay": {"from": ["127.0.0.0/8"]}, "retry": {"first": "1h"},
        "route *": {"via": f"smtp:127.0.0.1:{hop.port}"}})
    for params, outcome in ((" REQUIRETLS", "deferred"), ("", "delivered")):
        with Talk(server.port) as talk:
            talk.hello()
            talk.starttls()
            talk.expect(250, f"MAIL FROM:<a@home.example>{params}")
            talk.expect(250, f"RCPT TO:<{outcome}@far.example>")
            assert talk.data(message())[0] == 250
        server.wait_event("delivery", to=f"{outcome}@far.example", outcome=outcome)


def test_next_host_is_tried_and_the_first_left_with_quit(run):
    """RFC 8689 4.2.1"""
    post = Post(run, "rtls-second")
    assert post.line()["outcome"] == "delivered"
    assert "REQUIRETLS" in post.received("mx2").mail_params
    first = run.lab.server("rtls-second", "mx1")
    wait_until(lambda: "QUIT" in first.lines, "QUIT")
    assert not [x for x in first.lines if x.startswith("MAIL")]


def test_bounce_goes_out_even_where_it_cannot_be_kept(run):
    """RFC 8689 5: it SHOULD NOT be discarded."""
    post = Post(run, "rtls-missing", sender="a@rtls-away.test")
    bounce = bounce_at(run, "rtls-away", post)
    assert "REQUIRETLS" not in bounce.mail_params
    assert b"hello\r\n" not in bounce.body


def test_kept_through_a_restart(run):
    """RFC 8689 4.1: a tag of the message, not of the session."""
    server = run.lab.server("rtls-dane", "mx")
    server.change("requiretls_but_not_now")
    run.daemon.stop()  # nothing may rest that was good before
    run.daemon.start()
    post = Post(run, "rtls-dane")
    assert post.line()["outcome"] == "deferred"
    run.daemon.stop()
    server.change("requiretls")
    run.daemon.start()
    run.daemon.ctl("queue", "flush")
    got = post.received()
    assert got.tls and "REQUIRETLS" in got.mail_params


def test_connection_that_rests_does_not_promise_it(run):
    """RFC 8689 4.2.1: what was opened for other mail is not asked again."""
    assert Post(run, "rtls-missing", "").line()["outcome"] == "delivered"
    post = Post(run, "rtls-missing")
    assert post.line()["dsn"] == "5.7.30"
    post.nobody_saw_it()


def test_connection_that_rests_serves_when_it_does(run):
    """Two messages over one connection, and both say it."""
    before = run.lab.server("rtls-pkix", "mx").connections
    for _ in range(2):
        post = Post(run, "rtls-pkix")
        assert "REQUIRETLS" in post.received().mail_params
        post.line()   # until then the connection is in use
    assert run.lab.server("rtls-pkix", "mx").connections <= before + 1


def test_aliases_carry_the_same_wish(run):
    """RFC 8689 4.1: each copy is tagged."""
    post = Post(run, "both@alias.example")
    codes = {line["to"]: line["dsn"] for line in (
        run.daemon.wait_event("delivery", PATIENCE, id=post.ident, to=rcpt)
        for rcpt in ("user@rtls-missing.test", "user@rtls-clear.test"))}
    assert codes == {"user@rtls-missing.test": "5.7.30",
                     "user@rtls-clear.test": "5.7.10"}


# --- as far as the operator lets it count ---

@pytest.mark.parametrize("name, outcome, tls", [
    ("rtls-encrypt", "delivered", "encrypt/encrypted/sender/requiretls-encrypt"),
    ("rtls-encrypt-clear", "deferred", "encrypt/no-offer/sender/requiretls-encrypt"),
    ("rtls-prefer", "delivered", "may/no-offer/none/default"),
    ("rtls-off", "delivered", "dane/verified/dane/dane")])
def test_operator_grades(run, name, outcome, tls):
    post = Post(run, name)
    line = post.line()
    assert (line["outcome"], line["tls"]) == (outcome, tls), line
    if outcome == "delivered":
        assert "REQUIRETLS" not in post.received().mail_params


# --- with TLS waived ---

def test_waived_goes_before_records_that_do_not_match(run):
    """RFC 8689 3: delivered, and over TLS all the same."""
    post = Post(run, "rtls-waived", "", WAIVER)
    assert post.line()["tls"] == "may/encrypted/sender/tls-required-no"
    got = post.received()
    assert got.tls and WAIVER.encode() in got.body


def test_sendmail_waives_by_the_header(run):
    """RFC 8689 4.3: mail that is handed in here is read like all other."""
    rcpt = f"user{next(NUMBERS)}@rtls-waived.test"
    subprocess.run([binary("danelaw"), "-c", str(run.daemon.config_file),
                    "sendmail", "-f", "a@rtls-home.test", rcpt],
                   input=b"TLS-Required: No\nSubject: x\n\nbody\n", timeout=60,
                   check=True, env=environment())
    line = run.daemon.wait_event("delivery", PATIENCE, to=rcpt)
    assert line["tls"] == "may/encrypted/sender/tls-required-no", line


def test_what_one_waived_does_not_serve_the_next(run):
    """The connection rests, unverified; other mail must not go over it."""
    assert Post(run, "rtls-waived", "", WAIVER).line()["outcome"] == "delivered"
    post = Post(run, "rtls-waived", "")
    assert post.line()["tls"] == "dane/encrypted/dane/dane"
    post.nobody_saw_it()


def test_requiretls_goes_before_the_header(run):
    """RFC 8689 4.1: the header is ignored, and stays."""
    assert Post(run, "rtls-foreign", header=WAIVER).line()["outcome"] == "deferred"
    post = Post(run, "rtls-dane", header=WAIVER)
    got = post.received()
    assert "REQUIRETLS" in got.mail_params and WAIVER.encode() in got.body


def test_host_that_insists_on_a_tls_it_breaks(run):
    """RFC 8689 4.2.2: the sender is told."""
    post = Post(run, "rtls-waived-insists", "", WAIVER)
    line = post.line()
    assert (line["outcome"], line["dsn"]) == ("failed", "5.7.0"), line
    assert b"Status: 5.7.0" in bounce_at(run, "rtls-home", post).body
