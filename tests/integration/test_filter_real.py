"""Filters of Debian: opendkim signs and verifies, rspamd refuses and marks."""
import base64
import shutil
import smtplib
import subprocess

import pytest

from support import filters
from support.maildir import Maildir, field, split
from support.talk import Talk, message

DOMAIN = "test.example"
USER = f"user@{DOMAIN}"
GTUBE = "XJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X\r\n"
BODIES = ["hello\r\n", "", "\r\n\r\n", ".\r\n..\r\n", "a \t b\r\n\r\n\r\n",
          "".join(f"{'x' * 900} {n}\r\n" for n in range(400))]


@pytest.fixture
def mx(danelaw, mail):
    def make(*addresses, **more):
        sections = {f"milter f{i}": {"address": a} for i, a in enumerate(addresses)}
        return danelaw({f"domain {DOMAIN}": {"deliver": f"maildir:{mail}/%u"},
                        **sections, **more})
    return make


@pytest.fixture
def box(mail):
    return Maildir(mail / "user")


@pytest.fixture
def key(tmp_path):
    """A file with a key, and the record that publishes it."""
    path = tmp_path / "key.pem"
    openssl = shutil.which("openssl")
    subprocess.run([openssl, "genrsa", "-out", path, "2048"], check=True,
                   stderr=subprocess.DEVNULL)
    path.chmod(0o644)
    spki = subprocess.run([openssl, "pkey", "-in", path, "-pubout", "-outform", "DER"],
                          check=True, stdout=subprocess.PIPE).stdout
    return path, f"v=DKIM1; k=rsa; p={base64.b64encode(spki).decode()}"


@pytest.fixture
def opendkim(tmp_path, started, key):
    if not filters.find("opendkim"):
        pytest.skip("opendkim is not installed")

    def make(folder=None, **options):
        folder = folder or tmp_path / f"opendkim{len(started)}"
        made = filters.OpenDkim(folder, *key, DOMAIN, **options)
        started.append(made)
        return made
    return make


@pytest.fixture
def rspamd(tmp_path, started):
    if not filters.find("rspamd"):
        pytest.skip("rspamd is not installed")
    made = filters.Rspamd(tmp_path / "rspamd")
    started.append(made)
    return made


def signed(text, key, dkim):
    return dkim.sign(text, b"s1", DOMAIN.encode(), key[0].read_bytes(),
                     canonicalize=(b"simple", b"simple")) + text


def verifies(got, key, dkim):
    """By dkimpy, of the message as it stands in the Maildir."""
    return dkim.verify(got.replace(b"\n", b"\r\n"), dnsfunc=lambda *_a, **_k: key[1].encode())


@pytest.mark.parametrize("tls", [False, True])
def test_opendkim_signs(mx, box, opendkim, key, certificate, tls):
    dkim = pytest.importorskip("dkim")
    cert = certificate("mx.test.example")
    server = mx(opendkim(mode="s").address,
                **{"certificate mx": {"chain": cert.chain, "key": cert.key}})
    with Talk(server.port) as talk:
        talk.hello()
        if tls:
            talk.starttls()
        for body in BODIES:
            talk.envelope(USER, USER)
            text = message(subject="folded\r\n\tand  spaced", body=body, sender=USER)
            assert talk.data(text)[0] == 250
    for got in box.wait(len(BODIES)):
        assert len(field(got, "DKIM-Signature")) == 1, got
        assert verifies(got, key, dkim), got
        names = [f.split(b":")[0] for f in split(got)[0]]
        # It inserts at 0: above ours.
        assert names.index(b"DKIM-Signature") < names.index(b"Received") < names.index(b"From")


@pytest.mark.parametrize("broken", [False, True])
def test_opendkim_verifies(mx, box, opendkim, key, broken):
    dkim = pytest.importorskip("dkim")
    server = mx(opendkim(mode="v").address)
    with Talk(server.port) as talk:
        talk.hello()
        for body in BODIES:
            text = signed(message(subject="folded\r\n\tand  spaced", body=body,
                                  sender=USER).encode(), key, dkim)
            if broken:
                text = text.replace(b"and  spaced", b"and  spiced")
            talk.envelope(USER, USER)
            assert talk.data(text)[0] == 250
    for got in box.wait(len(BODIES)):
        names = [f.split(b":")[0] for f in split(got)[0]]
        (result,) = field(got, "Authentication-Results")
        assert names.index(b"Authentication-Results") < names.index(b"Received")
        assert result.startswith("mx.test.example;")
        assert ("dkim=pass" in result) is not broken, got


@pytest.mark.limit(240)
def test_rspamd(mx, box, rspamd):
    server = mx(rspamd.address)
    with Talk(server.port) as talk:
        talk.hello()
        talk.envelope("a@client.example", USER)
        code, lines = talk.data(message(body=GTUBE))
        assert code == 554 and lines[-1].startswith("5.7.1 "), lines
        talk.envelope("a@client.example", USER)
        assert talk.data(message("plain"))[0] == 250
        talk.envelope("a@client.example", USER)
        marked = GTUBE.replace("XJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X",
                               "YJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X")
        assert talk.data(message("marked", body=marked))[0] == 250
    (line,) = server.events("filtered")
    assert line["filter"] == "f0" and line["dsn"] == "5.7.1"
    got = {field(g, "Subject")[0]: g for g in box.wait(2)}
    assert field(got["marked"], "X-Spam") == ["Yes"] and field(got["plain"], "X-Spam") == []
    log = rspamd.log.read_text(errors="replace")
    accepted = server.events("accepted")
    assert all(a["id"] in log for a in accepted), "it knows our queue ids"


@pytest.mark.limit(240)
def test_both_in_a_row(mx, box, rspamd, opendkim, key):
    dkim = pytest.importorskip("dkim")
    server = mx(rspamd.address, opendkim(mode="s").address)
    with smtplib.SMTP("127.0.0.1", server.port, local_hostname="c.example") as client:
        client.sendmail(USER, [USER], message("both", sender=USER))
    (got,) = box.wait(1)
    assert verifies(got, key, dkim)


def test_a_filter_that_is_killed_and_comes_back(mx, box, opendkim):
    filt = opendkim(mode="v")
    server = mx(filt.address)
    with Talk(server.port) as talk:
        talk.hello()
        talk.envelope(USER, USER)
        filt.stop()
        code, _ = talk.command("DATA")
        if code == 354:
            talk.send(message() + ".\r\n")
            code, _ = talk.reply()
        assert code == 451
    assert server.events("filter-failed") and box.messages() == []
    filt = opendkim(mode="v", folder=filt.folder)
    with Talk(server.port) as talk:
        talk.hello()
        talk.envelope(USER, USER)
        assert talk.data(message())[0] == 250
    box.wait(1)
