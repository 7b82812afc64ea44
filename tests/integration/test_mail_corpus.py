"""Real and odd messages through two daemons, encrypted: all of it, or a 5xx."""
import re
from dataclasses import dataclass

import pytest

from support.maildir import Maildir, field
from support.talk import Talk

DOMAIN = "test.example"
TRACE = re.compile(rb"(Return-Path|Delivered-To|Received):", re.I)


@dataclass
class Sent:
    name: str
    body: bytes   # as it went over the wire, dots not doubled
    reply: str


def on_the_wire(text):
    """A file as a client sends it: LF files get CRLF, others stay."""
    if b"\r" not in text:
        text = text.replace(b"\n", b"\r\n")
    return text if text.endswith(b"\r\n") else text + b"\r\n"


def corpus(corpora):
    for path in sorted((corpora / "mail").rglob("*")):
        if path.is_file() and path.name != "SOURCE":
            yield str(path.relative_to(corpora / "mail")), path.read_bytes()


def stuffed(body):
    """RFC 5321 4.5.2"""
    return re.sub(rb"(?:^|(?<=\r\n))\.", b"..", body)


def post(port, number, body):
    """One message on one encrypted connection; the first refusal or the 250."""
    with Talk(port) as talk:
        talk.hello()
        talk.starttls("relay.test.example")
        body_is_8bit = any(byte > 127 for byte in body)
        for line in (f"MAIL FROM:<sender{number}@client.example>"
                     + (" BODY=8BITMIME" if body_is_8bit else ""),
                     f"RCPT TO:<m{number}@{DOMAIN}>", "DATA"):
            code, lines = talk.command(line)
            if code >= 400:
                return f"{code} {lines[-1]}"
        talk.send(stuffed(body) + b".\r\n")
        code, lines = talk.reply()
        return f"{code} {lines[-1]}"


@pytest.fixture
def chain(danelaw, certificate, mail):
    """A relay and, behind it, a last hop with a Maildir a recipient."""
    cert = certificate("relay.test.example", "final.test.example")
    tls = {"certificate both": {"chain": cert.chain, "key": cert.key}}
    final = danelaw({**tls, "hostname": "final.test.example", f"domain {DOMAIN}": {
        "deliver": f"maildir:{mail}/%u"}})
    return danelaw({**tls, "hostname": "relay.test.example",
                    "relay": {"from": ["127.0.0.0/8"]},
                    "route *": {"via": f"smtp:127.0.0.1:{final.port}"}})


def check_arrived(sent, got):
    """Only trace fields were put in front; the rest is what was sent."""
    wanted = sent.body.replace(b"\r\n", b"\n")
    assert got.endswith(wanted), f"{sent.name}: changed on its way"
    added = got[:len(got) - len(wanted)]
    fields = [line for line in added.split(b"\n") if line[:1] not in b" \t"]
    assert all(TRACE.match(f) for f in fields if f), f"{sent.name}: {added!r}"
    hops = [t for t in field(added + b"\n", "Received")]
    assert len(hops) == 2 and all("ESMTPS" in h for h in hops), f"{sent.name}: {hops}"


@pytest.mark.limit(600)
def test_each_message_arrives_whole_or_is_refused(corpora, chain, mail, capsys):
    sent = {}
    for number, (name, text) in enumerate(corpus(corpora)):
        body = on_the_wire(text)
        sent[number] = Sent(name, body, post(chain.port, number, body))
    assert len(sent) > 200
    accepted = {n: s for n, s in sent.items() if s.reply.startswith("250")}
    refused = [s for s in sent.values() if not s.reply.startswith("250")]
    for each in refused:
        assert re.match(r"5\d\d 5\.\d\.\d+ \w+", each.reply), (each.name, each.reply)
    for number, each in accepted.items():
        (got,) = Maildir(mail / f"m{number}").wait(1, 60)
        check_arrived(each, got)
    for number in set(sent) - set(accepted):
        assert not (mail / f"m{number}").exists()
    with capsys.disabled():
        print(f"\n      mail corpus: {len(accepted)} arrived byte for byte, "
              f"{len(refused)} refused whole", flush=True)


def test_stuffing_is_ours_to_trust():
    assert stuffed(b".a\r\nb.\r\n..\r\n") == b"..a\r\nb.\r\n...\r\n"
    assert on_the_wire(b"a\nb") == b"a\r\nb\r\n"
    assert on_the_wire(b"a\r\nb\n") == b"a\r\nb\n\r\n"
