"""Mail out: to next hops that behave, and to those that do not."""
import pytest

from support.daemon import open_way
from support.maildir import Maildir, field
from support.talk import Talk, message
from support.wait import wait_until

FROM = "sender@home.example"
QUICK = {"retry": {"first": "1s", "longest": "2s"},
         "timeouts": {"idle": "200ms", **{n: "1s" for n in (
             "greeting", "hello", "starttls", "mail", "rcpt", "data", "block", "end",
             "tls")}}}


@pytest.fixture
def relay(danelaw, tmp_path):
    """Relays all to one next hop; bounces to home.example land in a Maildir."""
    def make(next_hop, more=None):
        via = next_hop if isinstance(next_hop, str) \
            else f"smtp:127.0.0.1:{next_hop.port}"
        return danelaw({
            "relay": {"from": ["127.0.0.0/8"]},
            "route *": {"via": via},
            "domain home.example": {"deliver": f"maildir:{tmp_path}/home"},
            **QUICK, **(more or {})})
    return make


@pytest.fixture
def bounces(tmp_path):
    return Maildir(tmp_path / "home")


def send(server, *rcpts, body=None, sender=FROM, params=""):
    with Talk(server.port) as talk:
        talk.hello()
        talk.expect(250, f"MAIL FROM:<{sender}>{params}")
        for rcpt in rcpts:
            talk.expect(250, f"RCPT TO:<{rcpt}>")
        code, lines = talk.data(body or message())
        assert code == 250, lines


def test_relays_as_it_came(relay, sink):
    hop = sink()
    send(relay(hop), "a@far.example", "b@far.example")
    got = hop.wait(2 if len(hop.messages) > 1 else 1)[0]
    assert got.sender == FROM
    assert {r for m in hop.messages for r in m.rcpts} == {"a@far.example",
                                                          "b@far.example"}
    assert got.body.endswith(message().encode())
    assert got.body.startswith(b"Received: from ")
    assert got.helo == "mx.test.example"


def test_a_relay_adds_one_field_and_nothing_else(relay, sink):
    """RFC 5321 3.6.3, 6.4, 4.4: nothing is put right, nothing is looked for; 7.2:
    nobody is named to others; 4.5.4.1: one copy for all; RFC 1870 5: SIZE is all of it."""
    body = ("Return-Path: <old@far.example>\r\nReceived: 2\r\nX: Y\r\nReceived: 1\r\n"
            "To: bob\r\nfrom: me@here (no domain)\r\nBcc: secret@far.example\r\n\r\n"
            "..two\r\n \r\nlast\r\n")
    hop = sink()
    send(relay(hop), "Joe.X@Far.Example", '"joe"@far.example', '"j oe"@far.example',
         "@a.example,@b.example:last@far.example", body=body)
    (got,) = hop.wait(1)
    added = got.body[:-len(body)]
    assert got.body == added + body.encode()
    lines = added.decode().split("\r\n")
    assert [line[:9] for line in lines if line[:1] not in ("", "\t", " ")] == ["Received:"]
    assert "far.example" not in added.decode()
    assert got.rcpts == ["Joe.X@far.example", "joe@far.example", '"j oe"@far.example',
                         "last@far.example"]
    assert got.mail_params == [f"SIZE={len(got.body)}"]
    assert hop.connections == 1 and len(hop.messages) == 1


def test_8_bits_nobody_declared_are_not_called_mime(relay, sink):
    """RFC 5321 2.4: a relay takes a message for what it was said to be."""
    hop = sink()
    send(relay(hop), "a@far.example", body="Subject: x\r\n\r\nGrüße\r\n")
    (got,) = hop.wait(1)
    assert not any("BODY" in word for word in got.mail_params)
    assert "Grüße".encode() in got.body


def test_a_null_sender_stays_null(relay, sink, tmp_path):
    """RFC 5321 4.5.5, 3.9.1: an alias changes whom it is for, not whom it is from."""
    (tmp_path / "aliases").write_text("all: a@far.example, b@far.example\n")
    hop = sink()
    send(relay(hop, {"domain alias.example": {
        "deliver": "discard", "recipients": f"file:{tmp_path}/aliases"}}),
         "all@alias.example", sender="")
    got = hop.wait(1)
    assert {m.sender for m in got} == {""}
    assert got[0].rcpts == ["a@far.example", "b@far.example"]


def test_source_routes_are_no_way_back(relay, sink, bounces):
    """RFC 5321 6.1, C: the report goes to the mailbox at the end of the route."""
    send(relay(sink("rcpt_550")), "a@far.example",
         sender="@x.example,@y.example:sender@home.example")
    (bounce,) = bounces.wait(1)
    assert field(bounce, "To") == ["sender@home.example"] or \
        field(bounce, "To") == ["<sender@home.example>"]


def test_encrypts_when_offered(relay, sink, certificate):
    """RFC 3207, opportunistic: encrypted, not authenticated."""
    hop = sink(certificate=certificate("sink.test.example"))
    server = relay(hop)
    send(server, "a@far.example")
    assert hop.wait(1)[0].tls
    line = server.wait_event("delivery", outcome="delivered")
    assert line["tls"] == "may/encrypted/none/default"
    assert line["protocol"] == "TLSv1.3"
    assert hop.names == [None]  # RFC 6066 3: an address is no name


@pytest.mark.parametrize("sin", ["starttls_refused", "starttls_garbage",
                                 "starttls_hangs"])
def test_opportunistic_tls_never_loses_mail(relay, sink, certificate, sin):
    hop = sink(sin, certificate=certificate("sink.test.example"))
    send(relay(hop), "a@far.example")
    assert len(hop.wait(1)) == 1


@pytest.mark.parametrize("sin", ["starttls_garbage", "starttls_closes"])
def test_a_handshake_that_cannot_be_ends_its_connection(relay, sink, certificate, sin):
    """RFC 3207 4: behind 220 nothing goes on in the clear over that connection."""
    hop = sink(sin, certificate=certificate("sink.test.example"))
    send(relay(hop), "a@far.example")
    (got,) = hop.wait(1)
    assert not got.tls
    verbs = [line.split()[0] for line in hop.lines]
    first = verbs[:verbs.index("STARTTLS") + 1]
    assert first == ["EHLO", "STARTTLS"] and hop.connections >= 2
    assert verbs[verbs.index("MAIL") - 1] == "EHLO"


def test_tls_can_be_asked_for_of_a_host(danelaw, nsd, sink, certificate, tmp_path):
    """RFC 3207 6: by its name, and by whom it is vouched for; RFC 3207 4.1: what falls
    short is left with QUIT as soon as it is known.  RFC 9325 3.2, RFC 9525 6.6: with
    STARTTLS alone, and no certificate is taken for another's."""
    good, bad = certificate("mx.good.example"), certificate("mx.other.example")
    hops = {"good": sink(certificate=good), "bad": sink(certificate=bad), "none": sink()}
    names = nsd({f"{name}.example": "mx A 127.0.0.1" for name in hops})
    authorities = tmp_path / "authorities.pem"
    authorities.write_text(f"{open(good.chain).read()}{open(bad.chain).read()}")
    server = danelaw({
        **names.resolver(), "relay": {"from": ["127.0.0.0/8"]}, "ca_file": str(authorities),
        "tls *": {"level": "verify"}, **QUICK, "retry": {"first": "1h"},
        **{f"route {name}.example": {"via": f"smtp:mx.{name}.example:{hop.port}"}
           for name, hop in hops.items()}})
    send(server, *[f"a@{name}.example" for name in hops])
    hops["good"].wait(1)
    for name, reason in (("bad", "certificate-host-mismatch"), ("none", "STARTTLS")):
        told = server.wait_event("delivery", to=f"a@{name}.example")
        assert told["outcome"] == "deferred" and told["dsn"] == "4.7.5", told
        wait_until(lambda name=name: "QUIT" in hops[name].lines, "QUIT")
        verbs = [line.split()[0] for line in hops[name].lines]
        assert verbs == (["EHLO", "STARTTLS", "EHLO", "QUIT"] if name == "bad"
                         else ["EHLO", "QUIT"]), verbs
        assert hops[name].messages == []


def test_injected_reply_behind_starttls_is_no_reply(relay, sink, certificate):
    """RFC 3207 4.2, 6: plain text behind the 220 ends that connection."""
    hop = sink("starttls_injects", certificate=certificate("sink.test.example"))
    send(relay(hop), "a@far.example")
    hop.wait_connections(2)
    assert not any(m.tls for m in hop.messages)


@pytest.mark.parametrize("sin", [
    "greeting_521", "greeting_554_close", "mail_550", "mail_550_close", "rcpt_550",
    "rcpt_554_close", "data_550", "bdat_550", "end_554", "end_without_enhanced_code",
    "end_with_strange_text", "end_without_text"])
def test_permanent_failures_bounce(relay, sink, bounces, sin):
    """RFC 5321 4.2.1: 5yz ends it; RFC 3464: the sender hears of it."""
    hop = sink(sin)
    send(relay(hop), "a@far.example")
    (bounce,) = bounces.wait(1)
    assert field(bounce, "Return-Path") == ["<>"]
    assert "multipart/report" in field(bounce, "Content-Type")[0]
    assert b"Final-Recipient: rfc822; a@far.example" in bounce \
        or b"Final-Recipient: rfc822;a@far.example" in bounce
    assert b"Action: failed" in bounce and b"\nStatus: 5." in bounce


@pytest.mark.parametrize("sin", [
    "close_before_greeting", "greeting_bogus", "greeting_four_digits", "greeting_421",
    "greeting_never", "greeting_endless_line", "greeting_endless_lines",
    "greeting_bare_lf", "ehlo_mixed_codes", "ehlo_closes", "mail_451", "rcpt_451",
    "data_451", "data_closes", "bdat_451", "bdat_closes", "end_451", "end_closes", "end_never"])
def test_temporary_failures_are_tried_again(relay, sink, bounces, sin):
    hop = sink(sin)
    server = relay(hop)
    send(server, "a@far.example")
    hop.wait_connections(2)
    hop.change(None)
    (got,) = hop.wait(1)
    assert got.rcpts == ["a@far.example"]
    assert bounces.messages() == []


@pytest.mark.parametrize("sin", [
    "ehlo_refused", "ehlo_without_anything", "ehlo_odd_keywords", "no_pipelining",
    "no_chunking",
    "greeting_byte_by_byte", "rcpt_reply_in_pieces"])
def test_odd_servers_still_get_their_mail(relay, sink, sin):
    hop = sink(sin)
    send(relay(hop), "a@far.example")
    assert hop.wait(1)[0].body.endswith(message().encode())


def test_chunks_where_they_are_offered(relay, sink):
    """RFC 3030 2: BDAT, pipelined behind the envelope; the bytes are the same."""
    hop = sink()
    send(relay(hop), "a@far.example")
    assert hop.wait(1)[0].body.endswith(message().encode())
    verbs = [line.partition(" ")[0] for line in hop.lines]
    assert "BDAT" in verbs and "DATA" not in verbs, hop.lines


def test_rcptmax_is_obeyed_in_one_session(relay, sink):
    """RFC 9422 4.2: RCPTMAX counts RCPT commands in a transaction."""
    hop = sink("limits_two_rcpts")
    send(relay(hop), *[f"r{i}@far.example" for i in range(5)])
    got = hop.wait(3)
    assert [len(m.rcpts) for m in got] == [2, 2, 1]
    assert hop.connections == 1


def test_mailmax_begins_a_new_session(relay, sink):
    """RFC 9422 4.1: MAILMAX counts all MAIL commands in a session."""
    hop = sink("limits_two_rcpts")
    send(relay(hop), *[f"r{i}@far.example" for i in range(8)])
    assert sorted(r for m in hop.wait(4) for r in m.rcpts) == \
        [f"r{i}@far.example" for i in range(8)]
    assert hop.connections == 2


def test_rcptdomainmax_is_one_domain_a_session(relay, sink):
    """RFC 9422 4.3: RCPTDOMAINMAX counts distinct domains in a session."""
    hop = sink("limits_one_domain")
    send(relay(hop), "a@one.example", "b@two.example", "c@one.example")
    got = hop.wait(3)
    assert sorted(r for m in got for r in m.rcpts) == \
        ["a@one.example", "b@two.example", "c@one.example"]
    assert hop.connections == 3


def test_limits_that_are_none_are_passed_over(relay, sink):
    """RFC 9422 3.7: a malformed limit counts as absent."""
    hop = sink("limits_nonsense")
    send(relay(hop), *[f"r{i}@far.example" for i in range(5)])
    assert len(hop.wait(1)[0].rcpts) == 5


def test_each_recipient_has_its_own_fate(relay, sink, bounces):
    hop = sink("rcpt_550_unless_good")
    send(relay(hop), "good1@far.example", "bad@far.example", "good2@far.example")
    (bounce,) = bounces.wait(1)
    assert b"bad@far.example" in bounce and b"rfc822;good1" not in bounce
    taken = {r for m in hop.wait(1) for r in m.rcpts}
    assert taken == {"good1@far.example", "good2@far.example"}


def test_who_is_refused_for_now_is_not_asked_again_at_once(relay, sink):
    """RFC 5321 4.2.1: 4yz is for later; only 452 asks for another transaction."""
    hop = sink("rcpt_451_unless_good")
    server = relay(hop, {"retry": {"first": "1h"}})
    send(server, "good@far.example", "later@far.example")
    server.wait_event("delivery", to="later@far.example", outcome="deferred")
    server.wait_event("delivery", to="good@far.example", outcome="delivered")
    assert sum("later@" in line for line in hop.lines) == 1, hop.lines


def test_too_many_recipients_go_in_parts(relay, sink, bounces):
    """RFC 5321 4.5.3.1.10: 452 to a recipient is no failure."""
    hop = sink("rcpt_452_after_one")
    server = relay(hop)
    send(server, "a@far.example", "b@far.example", "c@far.example")
    got = hop.wait(3)
    assert sorted(r for m in got for r in m.rcpts) == [
        "a@far.example", "b@far.example", "c@far.example"]
    assert bounces.messages() == []
    # At once, and not when they are tried again.
    for rcpt in "abc":
        told = server.wait_event("delivery", to=f"{rcpt}@far.example")
        assert (told["outcome"], told["attempt"]) == ("delivered", "1"), told


def test_bounce_of_a_bounce_is_dropped(relay, sink, bounces):
    """RFC 5321 6.1: never a notification about a null reverse-path."""
    hop = sink("rcpt_550")
    server = relay(hop)
    send(server, "a@far.example", sender="")
    server.wait_event("delivery", outcome="failed")
    send(server, "b@far.example")
    assert len(bounces.wait(1)) == 1
    assert b"a@far.example" not in bounces.messages()[0]


def test_8bit_is_not_converted(relay, sink, bounces):
    """RFC 6152 3: what cannot be passed on is returned, 5.6.3."""
    hop = sink("no_8bitmime")
    send(relay(hop), "a@far.example", body=message(body="Größe\r\n"),
         params=" BODY=8BITMIME")
    (bounce,) = bounces.wait(1)
    assert b"\nStatus: 5.6.3" in bounce


def test_utf8_address_needs_smtputf8(relay, sink, bounces):
    """RFC 6531 3.2: no way to a server without SMTPUTF8, 5.6.7."""
    hop = sink("no_smtputf8")
    send(relay(hop), "grüße@far.example", params=" SMTPUTF8")
    (bounce,) = bounces.wait(1)
    assert b"\nStatus: 5.6.7" in bounce


@pytest.mark.parametrize("subject", ["hello", "Grüße"])
def test_smtputf8_is_asked_for_where_it_is_needed(relay, sink, bounces, subject):
    """RFC 6531 3.4: a message that is ASCII all through goes without, whatever
    the parameters were that it came with."""
    hop = sink("no_smtputf8")
    send(relay(hop), "a@far.example", body=message(subject=subject),
         params=" SMTPUTF8 BODY=8BITMIME")
    if subject.isascii():
        (got,) = hop.wait(1)
        assert "SMTPUTF8" not in " ".join(got.mail_params)
    else:
        (bounce,) = bounces.wait(1)
        assert b"\nStatus: 5.6.7" in bounce and hop.messages == []


def test_too_large_for_the_next_hop(relay, sink, bounces):
    """RFC 1870 6.1"""
    hop = sink("size_small")
    send(relay(hop), "a@far.example", body=message(body="x" * 70 + "\r\n") * 30)
    (bounce,) = bounces.wait(1)
    assert b"\nStatus: 5.3.4" in bounce


def test_lifetime_ends(relay, sink, bounces):
    hop = sink("rcpt_451")
    send(relay(hop, {"retry": {"first": "1s", "longest": "1s", "lifetime": "3s"}}),
         "a@far.example")
    (bounce,) = bounces.wait(1, 30)
    assert b"\nStatus: 4.4.7" in bounce, "RFC 3463 X.4.7"


def test_dsn_parameters_are_kept(relay, sink):
    """RFC 3461 5.2.1"""
    hop = sink()
    server = relay(hop)
    with Talk(server.port) as talk:
        talk.hello()
        talk.expect(250, f"MAIL FROM:<{FROM}> RET=HDRS ENVID=abc+2B1")
        talk.expect(250, "RCPT TO:<a@far.example> NOTIFY=SUCCESS,FAILURE "
                         "ORCPT=rfc822;orig@far.example")
        assert talk.data(message())[0] == 250
    (got,) = hop.wait(1)
    assert "RET=HDRS" in got.mail_params and "ENVID=abc+2B1" in got.mail_params
    params = got.rcpt_params[0]
    assert "ORCPT=rfc822;orig@far.example" in params
    assert "NOTIFY=SUCCESS,FAILURE" in params


def test_notify_never_is_silent(relay, sink, bounces):
    hop = sink("rcpt_550")
    server = relay(hop)
    with Talk(server.port) as talk:
        talk.hello()
        talk.expect(250, f"MAIL FROM:<{FROM}>")
        talk.expect(250, "RCPT TO:<a@far.example> NOTIFY=NEVER")
        talk.data(message())
    server.wait_event("delivery", outcome="failed")
    send(server, "b@far.example")
    (bounce,) = bounces.wait(1)
    assert b"b@far.example" in bounce


def test_connection_is_used_again(relay, sink):
    hop = sink()
    server = relay(hop, {"deliver_processes": 1, "timeouts": {}})
    for n in range(5):
        send(server, "a@far.example")
        hop.wait(n + 1)
    assert hop.connections < 5


def test_connection_that_died_at_rest_costs_no_attempt(relay, sink):
    """RFC 5321 4.1.1.10: a server may close; nobody has heard of that message yet."""
    hop = sink("second_mail_closes")
    server = relay(hop, {"deliver_processes": 1, "timeouts": {}, "retry": {"first": "1h"}})
    send(server, "a@far.example")
    server.wait_event("delivery", to="a@far.example", outcome="delivered")
    send(server, "b@far.example")
    told = server.wait_event("delivery", to="b@far.example")
    assert (told["outcome"], told["attempt"]) == ("delivered", "1"), told
    assert hop.connections == 2


def test_mail_waits_while_the_next_hop_is_down(relay, sink):
    hop = sink()
    hop.stop()
    server = relay(hop)
    send(server, "a@far.example")
    server.wait_event("delivery", outcome="deferred")
    server.stop()
    again = sink()
    server.write_config({"relay": {"from": ["127.0.0.0/8"]}, **QUICK,
                         "route *": {"via": f"smtp:127.0.0.1:{again.port}"}})
    server.start()
    assert again.wait(1, 30)[0].rcpts == ["a@far.example"]


def test_lmtp_over_unix_socket_and_tcp(danelaw, sink, tmp_path):
    one = sink(lmtp=True, unix=tmp_path / "lmtp")
    other = sink(lmtp=True)
    server = danelaw({
        "domain one.example": {"deliver": f"lmtp:unix:{tmp_path}/lmtp"},
        "domain two.example": {"deliver": f"lmtp:127.0.0.1:{other.port}"}})
    send(server, "a@one.example", "b@two.example")
    assert one.wait(1)[0].rcpts == ["a@one.example"]
    assert other.wait(1)[0].rcpts == ["b@two.example"]
    assert any(line.startswith("LHLO") for line in one.lines)


def test_lmtp_results_are_for_each_recipient(relay, sink, bounces):
    """RFC 2033 4.2"""
    hop = sink("lmtp_every_other", lmtp=True)
    send(relay(f"lmtp:127.0.0.1:{hop.port}"), "a@far.example", "b@far.example")
    (bounce,) = bounces.wait(1)
    assert b"\nStatus: 5.2.2" in bounce
    assert b"rfc822;b@far" in bounce.replace(b"; ", b";")
    assert b"rfc822;a@far" not in bounce.replace(b"; ", b";")


def test_lmtp_replies_that_never_come_are_tried_again(relay, sink, bounces):
    hop = sink("lmtp_too_few_replies", lmtp=True)
    send(relay(f"lmtp:127.0.0.1:{hop.port}"), "a@far.example", "b@far.example")
    hop.wait_connections(2)
    hop.change(None)
    got = hop.wait(2)
    assert got[-1].rcpts == ["b@far.example"]
    assert bounces.messages() == []


def test_dovecot_takes_it(danelaw, dovecot):
    real = dovecot()
    server = danelaw({"domain test.example": {"deliver": f"lmtp:unix:{real.socket}"}})
    send(server, "user@test.example", body=message(body=".dot\r\nGrüße\r\n"),
         params=" BODY=8BITMIME")
    (got,) = real.maildir("user").wait(1)
    assert got.replace(b"\r\n", b"\n").endswith(
        message(body=".dot\r\nGrüße\r\n").encode().replace(b"\r\n", b"\n"))


def test_maildir_is_made_and_left_tidy(danelaw, mail):
    open_way(mail / "test.example")
    server = danelaw({"domain test.example": {"deliver": f"maildir:{mail}/%d/%u"}})
    send(server, "user@test.example", "other@test.example")
    for user in ("user", "other"):
        box = Maildir(mail / "test.example" / user)
        assert len(box.wait(1)) == 1 and box.leftovers() == []
        assert (box.path / "cur").is_dir()


@pytest.mark.parametrize("user", ["../../escape", "..", "a/b", ".hidden"])
def test_maildir_path_cannot_be_chosen_by_a_sender(danelaw, mail, tmp_path, user):
    server = danelaw({"domain test.example": {"deliver": f"maildir:{mail}/%u"}})
    before = sorted(tmp_path.iterdir())
    with Talk(server.port) as talk:
        talk.hello()
        talk.expect(250, "MAIL FROM:<>")
        code, _ = talk.command(f'RCPT TO:<"{user}"@test.example>')
        if code == 250:
            talk.data(message())
            server.wait_event("delivery")
    outside = [p for p in tmp_path.rglob("*") if "escape" in p.name]
    assert outside == [] and not (tmp_path / "new").exists()
    assert list(mail.rglob("new")) == []
    assert sorted(tmp_path.iterdir()) == before


def test_discard(danelaw):
    server = danelaw({"domain test.example": {"deliver": "discard"}})
    send(server, "user@test.example")
    server.wait_event("delivery", outcome="delivered")
