"""Debian's Exim as a peer: it sends to us, and we to it.  See support/exim.py."""
import hashlib
import sys

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from support import exim as exim_server
from support.certs import self_signed
from support.daemon import ROOT, give
from support.maildir import Maildir, field
from support.talk import Talk, message
from support.wait import wait_until

sys.path.insert(0, str(ROOT / "tests/support"))

from signed_tree import SignedTree, missing_tools  # noqa: E402

OURS, THEIRS = "ours.test", "theirs.test"
ROOM = "x" * 70 + "\r\n"


def digest(chain):
    """The data of a TLSA record 3 1 1."""
    cert = x509.load_pem_x509_certificate(open(chain, "rb").read())
    key = cert.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return "3 1 1 " + hashlib.sha256(key).hexdigest()


class Pair:
    """Both, and a signed tree that both look names up in."""

    def __init__(self, tmp_path, danelaw, mail, started):
        self.tmp_path, self.danelaw, self.mail, self.started = tmp_path, danelaw, mail, started
        self.certs = {name: self_signed(tmp_path / "tls" / name, f"mx.{name}")
                      for name in (OURS, THEIRS)}
        give(self.certs[OURS].key)
        self.tree = SignedTree(tmp_path / "dns", one_key=True)
        self.tree.zone(".")
        self.tree.zone("test.", "ns.dns-lab A 127.0.0.1\n")
        for name in (OURS, THEIRS):
            self.tree.zone(f"{name}.", "@ MX 10 mx\nmx A 127.0.0.1\n")
        self.names = self.tree.server()
        self.names.start()
        self.server = f"127.0.0.1:{self.names.port}"

    def ours(self, config=None, peer=None):
        """A Danelaw for ours.test, that may relay to the peer."""
        cert = self.certs[OURS]
        resolver = {"trust_anchor": str(self.tree.anchor), "forward .": None, "self_test": "",
                    **{f"stub {zone.rstrip('.') or '.'}": {"server": [self.server]}
                       for zone in self.tree.zones}}
        made = self.danelaw({
            "hostname": f"mx.{OURS}", "resolver": resolver,
            "certificate mx": {"chain": cert.chain, "key": cert.key},
            "domain " + OURS: {"deliver": f"maildir:{self.mail}/%u"},
            "relay": {"from": ["127.0.0.1"]}, "mx_port": peer.port if peer else 9,
            "retry": {"first": "1s", "longest": "1s"}, **(config or {})}, start=False)
        made.box = Maildir(self.mail / "user")
        return made

    def theirs(self, peer=None, outside=()):
        """An Exim for theirs.test."""
        made = exim_server.Exim(
            self.tmp_path / "exim", THEIRS, self.certs[THEIRS], dns=self.names.port,
            peer=peer.port if peer else 9, outside=outside)
        self.started.append(made)
        return made

    def publish(self, name, port, data):
        """A TLSA record for this host's port; nothing: none."""
        zone = self.tree.zones[f"{name}."]
        zone.records = "@ MX 10 mx\nmx A 127.0.0.1\n" + (
            f"_{port}._tcp.mx TLSA {data}\n" if data else "")
        self.names.publish()


@pytest.fixture
def pair(tmp_path, danelaw, mail, started):
    if exim_server.program() is None:
        pytest.skip("Exim is not here: ./dev test takes it out of its package")
    if missing_tools():
        pytest.skip(f"{missing_tools()} is not installed")
    tmp_path.chmod(0o755)
    made = Pair(tmp_path, danelaw, mail, started)
    started.insert(0, made.names)
    return made


# --- Exim to us -------------------------------------------------------------------

def test_it_comes_over_tls(pair):
    """RFC 3207: STARTTLS, the certificate verified, a message with everything in it."""
    ours = pair.ours().start()
    theirs = pair.theirs(ours, (
        "hosts_require_tls = *", "tls_verify_hosts = *",
        f"tls_verify_certificates = {pair.certs[OURS].chain}"))
    body = ".\n..\n.dots\n" + "æøå\n" + ROOM.replace("\r", "") * 15000
    theirs.send(f"From: a@{THEIRS}\nTo: user@{OURS}\nSubject: all of it\n"
                f"Content-Transfer-Encoding: 8bit\n\n{body}", f"a@{THEIRS}", f"user@{OURS}")
    got, = ours.box.wait()
    assert got.replace(b"\r\n", b"\n").endswith(b"\n\n" + body.encode())
    assert " with ESMTPS" in field(got, "Received")[0]
    assert theirs.queued() == 0, theirs.log()
    line = theirs.line("=>", f"user@{OURS}")
    assert "CV=yes" in line and "X=TLS1.3" in line and "queued as" in line
    if "CHUNKING" in "".join(Talk(ours.port).hello()):
        assert " K" in line, "Exim has not sent it in chunks"


def test_many_recipients_and_one_nobody(pair, tmp_path):
    """Some are refused, the rest is delivered, and Exim bounces what was refused."""
    (tmp_path / "who").write_text("user\nother\n")
    ours = pair.ours({"domain " + OURS: {"deliver": f"maildir:{pair.mail}/%u",
                                         "recipients": f"file:{tmp_path}/who"}}).start()
    theirs = pair.theirs(ours, ("hosts_require_tls = *",)).start()
    theirs.send("Subject: three\n\nhello\n", f"a@{THEIRS}",
                *(f"{name}@{OURS}" for name in ("user", "nobody", "other")))
    ours.box.wait()
    Maildir(pair.mail / "other").wait()
    bounce, = theirs.box.wait()
    assert b"5.1.1" in bounce and f"nobody@{OURS}".encode() in bounce
    wait_until(lambda: theirs.queued() == 0, "an empty queue of Exim's")


def test_it_verifies_us_by_dane(pair):
    """RFC 7672: Exim's own DANE finds our records, and nothing else will do for it."""
    ours = pair.ours().start()
    theirs = pair.theirs(ours, ("hosts_require_dane = *", "hosts_require_tls = *"))
    pair.publish(OURS, ours.port, digest(pair.certs[THEIRS].chain))   # of another key
    theirs.send("Subject: by dane\n\nhello\n", f"a@{THEIRS}", f"user@{OURS}")
    assert theirs.queued() == 1 and not ours.box.files(), theirs.log()
    assert "DANE attempt failed" in theirs.log() and "Verification failed" in theirs.log()
    pair.publish(OURS, ours.port, digest(pair.certs[OURS].chain))

    def sent():
        theirs.run_queue()
        return theirs.queued() == 0
    wait_until(sent, "Exim has its records", 20, 0.5)
    assert field(ours.box.wait()[0], "Subject") == ["by dane"]
    assert "CV=dane" in theirs.line("=>", f"user@{OURS}"), theirs.log()


def test_it_comes_again_after_a_4xx(pair):
    """Greylisted at first: Exim's queue does the rest."""
    ours = pair.ours({"relay": None, "defence": {
        "greeting_delay": "0s", "greylist": {"enabled": True, "delay": "2s"}}}).start()
    theirs = pair.theirs(ours)
    theirs.send("Subject: later\n\nhello\n", f"a@{THEIRS}", f"user@{OURS}")
    assert theirs.queued() == 1
    assert "450" in theirs.line("==", f"user@{OURS}") and "greylisted" in theirs.log()

    def sent():
        theirs.run_queue()
        return theirs.queued() == 0
    wait_until(sent, "it has come again", 30, 0.5)
    assert len(ours.box.wait()) == 1


def test_it_has_to_speak_tls(pair):
    """RFC 3207 4: with TLS required of it, a plain Exim is refused and a usual one is not."""
    ours = pair.ours({"tls_server": {"require": ["127.0.0.1"]}}).start()
    theirs = pair.theirs(ours, ("hosts_avoid_tls = *",)).start()
    theirs.send("Subject: clear\n\nhello\n", f"a@{THEIRS}", f"user@{OURS}")
    bounce, = theirs.box.wait()
    assert b"5.7.0 Must issue a STARTTLS command first" in bounce
    assert not ours.box.files()
    theirs.config.write_text(theirs.config.read_text().replace("hosts_avoid_tls = *", ""))
    theirs.send("Subject: secret\n\nhello\n", f"a@{THEIRS}", f"user@{OURS}")
    assert field(ours.box.wait()[0], "Subject") == ["secret"]


# --- we to Exim -------------------------------------------------------------------

def post(ours, rcpt=f"user@{THEIRS}", text=None):
    with Talk(ours.port) as talk:
        talk.hello()
        talk.envelope(f"user@{OURS}", rcpt)
        assert talk.data(text or message(to=rcpt))[0] == 250
        talk.command("QUIT")


def test_it_takes_ours_over_tls(pair):
    """Opportunistic: no TLSA, no policy, and TLS all the same; in chunks, with dots."""
    theirs = pair.theirs().start()
    ours = pair.ours(peer=theirs).start()
    body = ".\r\n..\r\n" + ROOM * 15000
    post(ours, text=message(body=body))
    got, = theirs.box.wait()
    assert got.endswith(b"\n\n" + body.replace("\r", "").encode())
    line = theirs.wait_line("<=", f"user@{OURS}", "P=esmtps")
    assert "X=TLS1.3" in line and f"SNI=mx.{THEIRS}" in line
    done = ours.wait_event("delivery", to=f"user@{THEIRS}", outcome="delivered")
    assert "encrypt" in done["tls"], done


def test_we_verify_it_by_dane(pair):
    """RFC 7672 2.2: another key's record is no delivery; with the right one it goes."""
    theirs = pair.theirs().start()
    pair.publish(THEIRS, theirs.port, digest(pair.certs[OURS].chain))
    ours = pair.ours(peer=theirs).start()
    post(ours)
    waits = ours.wait_event("delivery", outcome="deferred")
    assert waits["dsn"].startswith("4.7"), waits
    assert not theirs.box.files() and theirs.line("<=") is None
    pair.publish(THEIRS, theirs.port, digest(pair.certs[THEIRS].chain))
    # The record is kept for its TTL, of one minute.
    ours.stop()
    ours.start()
    assert len(theirs.box.wait(1, 30)) == 1
    done = ours.wait_event("delivery", outcome="delivered")
    assert "dane" in done["tls"], done


def test_we_come_again_after_its_4xx(pair):
    theirs = pair.theirs().start()
    theirs.defer(True)
    ours = pair.ours(peer=theirs).start()
    post(ours)
    waits = ours.wait_event("delivery", outcome="deferred")
    assert "not just now" in waits["reason"], waits
    theirs.defer(False)
    assert len(theirs.box.wait(1, 30)) == 1
    wait_until(lambda: ours.ctl("queue", "list").stdout == "", "an empty queue of ours")


def test_we_bounce_what_it_refuses(pair):
    theirs = pair.theirs().start()
    ours = pair.ours(peer=theirs).start()
    post(ours, f"nobody@{THEIRS}")
    bounce, = ours.box.wait()
    assert b"no such person here" in bounce and b"Action: failed" in bounce
