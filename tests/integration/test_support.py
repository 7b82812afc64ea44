"""The helpers themselves, without a danelawd: a test is only as good as they are."""
import smtplib
import ssl

import pytest

from support import daemon, logfmt
from support.maildir import Maildir, field, split
from support.sins import Sins
from support.talk import Talk, message


def test_sink_keeps_what_it_gets(sink, certificate):
    server = sink(certificate=certificate("sink.test.example"))
    context = ssl._create_unverified_context()
    with smtplib.SMTP("127.0.0.1", server.port) as client:
        client.starttls(context=context)
        client.sendmail("a@b.example", ["c@d.example"], "Subject: x\r\n\r\n.dot\r\n")
    (got,) = server.messages
    assert got.tls and got.body == b"Subject: x\r\n\r\n.dot\r\n"
    assert (got.sender, got.rcpts) == ("a@b.example", ["c@d.example"])


def test_sink_lmtp_answers_each_recipient(sink):
    server = sink("lmtp_every_other", lmtp=True)
    with Talk(server.port) as talk:
        talk.expect(250, "LHLO x")
        talk.envelope("a@b.example", "c@d.example", "e@d.example")
        first, second = talk.data("x\r\n"), talk.reply()
    assert (first[0], second[0]) == (250, 550)


@pytest.mark.parametrize("sin, code", [
    ("greeting_521", 521), ("mail_451", 451), ("rcpt_550", 550), ("data_451", 451),
    ("end_554", 554)])
def test_sink_sins(sink, sin, code):
    server = sink(sin)
    with Talk(server.port) as talk:
        replies = [talk.greeting]
        if replies[0][0] == 220:
            for line in ("EHLO x", "MAIL FROM:<a@b>", "RCPT TO:<c@d>", "DATA"):
                replies.append(talk.command(line))
                if replies[-1][0] >= 400:
                    break
            else:
                talk.send("x\r\n.\r\n")
                replies.append(talk.reply())
    assert replies[-1][0] == code


def test_every_sin_can_be_named(sink):
    names = [n for n in dir(Sins) if not n.startswith("_")]
    assert len(names) > 40
    server = sink()
    for name in names:
        server.change(name)


def test_nsd_answers(nsd):
    server = nsd({"test.example": "@ MX 10 mx\nmx A 127.0.0.1"})
    assert server.resolver()["resolver"]["stub test.example"]["server"] == [
        server.server]


def test_dovecot_delivers(dovecot):
    server = dovecot()
    with smtplib.LMTP("127.0.0.1", server.port) as client:
        client.sendmail("a@b.example", ["user@d.example"], message())
    (got,) = server.maildir("user").wait(1)
    assert field(got, "Subject") == ["test"]


def test_logfmt_is_read_back():
    line = r'time=1 event=delivery to="a \"b\"" text="x\u000ay\u0001\u00e4" empty="" n=3'
    assert logfmt.parse(line + "\nnoise\n") == [{
        "time": "1", "event": "delivery", "to": 'a "b"', "text": "x\ny\x01\u00e4",
        "empty": "", "n": "3"}]


def test_json_is_read_back():
    line = '{"time":"1","level":"info","event":"delivery","to":"a"}'
    assert logfmt.parse(line + "\n{\n") == [
        {"time": "1", "level": "info", "event": "delivery", "to": "a"}]


def test_config_is_rendered():
    text = daemon.render({"hostname": 'a"b', "n": 3, "yes": True, "none": None,
                          "listen mx": {"address": ["1", "2"]}})
    assert text == ('hostname = "a\\"b"\nn = 3\nyes = yes\n'
                    'listen "mx" {\n    address = {"1", "2"}\n}\n')
    merged = daemon.merge({"a": {"b": 1, "c": 2}}, {"a": {"c": 3}})
    assert merged == {"a": {"b": 1, "c": 3}}


def test_maildir_is_read(tmp_path):
    for part in ("new", "cur", "tmp"):
        (tmp_path / part).mkdir()
    (tmp_path / "new/1").write_bytes(b"A: 1\nB: x\n y\nA: 2\n\nbody\n")
    (tmp_path / "tmp/2").write_bytes(b"")
    box = Maildir(tmp_path)
    (got,) = box.wait(1)
    assert field(got, "a") == ["1", "2"] and field(got, "b") == ["x y"]
    assert split(got)[1] == b"body\n"
    assert len(box.leftovers()) == 1
