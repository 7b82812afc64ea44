"""DKIM against other programs: what we sign they verify, and the other way round."""
import base64
import os
import pathlib
import re
import shutil
import subprocess
import time

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
DOMAIN = "example.org"
SEED = base64.b64decode("nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A=")  # RFC 8463 A.1
HEADER = ("From: TLS reports <tlsrpt@example.org>\r\nTo: you@example.com\r\n"
          "Subject: Report Domain: example.com\r\n Submitter:\t example.org\r\n"
          "Date: Sun, 29 Nov 2026 12:00:00 +0000\r\nMessage-ID: <1@example.org>\r\n"
          "TLS-Report-Domain: example.com\r\nTLS-Report-Submitter: example.org\r\n"
          "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
          "X-Twice: one\r\nX-Twice:  two \r\n")
PLAIN = HEADER.replace(":  ", ": ")
BODIES = {
    "plain": "Hello,\r\nworld.\r\n",
    "empty": "",
    "blank-lines": "\r\n\r\na\r\n\r\nb\r\n\r\n\r\n",
    "blanks": " a \t b \r\n\t\r\n c\t\r\n   \r\n",
    "dots": ".\r\n..\r\n.a\r\n",
    "long": "".join(f"{'x' * 900} {n}\r\n" for n in range(200)),
    "octets": "\u00e4\u20ac\r\n",
}
CANONS = [f"{a}/{b}" for a in ("relaxed", "simple") for b in ("relaxed", "simple")]
ALGORITHMS = ["rsa-sha256", "ed25519-sha256"]


def message(body, header=HEADER):
    return (header + "\r\n" + BODIES[body]).encode()


@pytest.fixture(scope="module")
def tool():
    path = os.environ.get("DKIM_TOOL") or str(ROOT / "build/tests/unit/dkim_tool")
    if not pathlib.Path(path).exists():
        pytest.skip("dkim_tool is not built")
    return path


@pytest.fixture(scope="module")
def dkim():
    return pytest.importorskip("dkim")


class Keys:
    """A pair of each type: files, and what their records say."""

    def __init__(self, folder):
        self.rsa, self.ed25519 = folder / "rsa.pem", folder / "ed25519.pem"
        openssl = shutil.which("openssl")
        subprocess.run([openssl, "genrsa", "-out", self.rsa, "2048"], check=True,
                       stderr=subprocess.DEVNULL)
        der = bytes.fromhex("302e020100300506032b657004220420") + SEED
        subprocess.run([openssl, "pkey", "-inform", "DER", "-out", self.ed25519],
                       input=der, check=True)
        self.public = {}
        for name, path in (("rsa", self.rsa), ("ed25519", self.ed25519)):
            spki = subprocess.run([openssl, "pkey", "-in", path, "-pubout", "-outform", "DER"],
                                  check=True, stdout=subprocess.PIPE).stdout
            self.public[name] = base64.b64encode(spki[-32:] if name == "ed25519" else spki)

    def file(self, name):
        return self.rsa if name == "rsa" else self.ed25519

    def record(self, name, tags=""):
        return f"v=DKIM1; k={name}; {tags}p={self.public[name].decode()}"


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    return Keys(tmp_path_factory.mktemp("keys"))


def run(command, text):
    done = subprocess.run(command, input=text, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, check=False, timeout=60)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


def sign(tool, keys, text, *options, names=("rsa", "ed25519")):
    """The message with a signature of ours for each key; selectors are types."""
    return run([tool, "sign", "-d", DOMAIN, *options,
                *(f"{name}={keys.file(name)}" for name in names)], text)


def verify(tool, keys, text, tags="", *options):
    """The lines of our verifier: (verdict, the rest) for each signature."""
    lines = run([tool, "verify", *options,
                 *(f"{name}._domainkey.{DOMAIN}={keys.record(name, tags)}"
                   for name in ("rsa", "ed25519"))], text).decode().splitlines()
    return [tuple(line.split(" ", 1)) for line in lines]


def verdicts(lines):
    return [verdict for verdict, _ in lines]


def answer(keys, tags=""):
    """What dkimpy asks instead of a name server."""
    def find(name, timeout=5):
        kind = name.decode().split(".")[0]
        return keys.record(kind, tags).encode()
    return find


def broken(text):
    """One octet of a field that is signed is another."""
    return text.replace(b"you@example.com", b"yov@example.com")


class OpenDkim:
    """The filter in its test mode, which prints what it would have done.

    Like a milter it gets fields without the blanks behind their colons, and puts
    one back; so messages for it have one there, or "simple" could not be.
    """

    def __init__(self, folder, keys):
        self.folder, self.keys = folder, keys
        self.zone = folder / "zone"
        self.zone.write_text("".join(f"{n}._domainkey.{DOMAIN} {keys.record(n)}\n"
                                     for n in ("rsa", "ed25519")))

    def run(self, settings, text):
        conf, file = self.folder / "conf", self.folder / "message"
        conf.write_text("".join(f"{k} {v}\n" for k, v in {
            "Syslog": "no", "RequireSafeKeys": "no", "TestDNSData": self.zone,
            "InternalHosts": "0.0.0.0/0", **settings}.items()))
        file.write_bytes(text)
        done = subprocess.run([shutil.which("opendkim", path="/usr/sbin:/usr/bin"), "-x", conf, "-t", file],
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              text=True, errors="replace", check=False, timeout=60)
        return done.stdout

    def verifies(self, text):
        """For each signature it looked at: has it passed?"""
        said = self.run({"Mode": "v"}, text)
        return [word == "succeeded" for word in
                re.findall(r"verification \(.*?\) (succeeded|failed)", said)], said

    def sign(self, text, kind, canon):
        said = self.run({"Mode": "s", "Domain": DOMAIN, "Selector": kind,
                         "KeyFile": self.keys.file(kind), "Canonicalization": canon,
                         "SignatureAlgorithm": f"{kind}-sha256",
                         "OversignHeaders": "From,Cc"}, text)
        field = re.search(r"(?ms)^DKIM-Signature: .*?(?=^\S|\Z)", said)
        assert field, said
        lines = field.group(0).rstrip("\n").split("\n")
        return "\r\n".join(lines).encode() + b"\r\n" + text


@pytest.fixture
def opendkim(tmp_path, keys):
    if not shutil.which("opendkim", path="/usr/sbin:/usr/bin"):
        pytest.skip("opendkim is not installed")
    return OpenDkim(tmp_path, keys)


# --- what we sign ---

@pytest.mark.parametrize("canon", CANONS)
def test_dkimpy_verifies_ours(tool, keys, dkim, canon):
    for body in BODIES:
        text = sign(tool, keys, message(body), "-c", canon, "-x", "3600", "-f", "X-Twice")
        for bad in (False, True):
            checked = dkim.DKIM(broken(text) if bad else text)
            for i in range(2):
                good = False
                try:
                    good = checked.verify(idx=i, dnsfunc=answer(keys))
                except dkim.DKIMException:
                    pass
                assert good is not bad, (body, canon, i)


@pytest.mark.parametrize("canon", CANONS)
def test_opendkim_verifies_ours(tool, keys, opendkim, canon):
    for body in BODIES:
        for kind in ("rsa", "ed25519"):
            text = sign(tool, keys, message(body, PLAIN), "-c", canon, "-x", "3600",
                        "-f", "X-Twice", names=[kind])
            for bad in (False, True):
                passed, said = opendkim.verifies(broken(text) if bad else text)
                assert passed == [not bad], (body, canon, kind, said)


def test_dkimpy_takes_our_report_for_one(tool, keys, dkim):
    text = sign(tool, keys, message("plain"), names=["rsa"])
    for tags, mode, good in (("s=tlsrpt; ", "strict", True), ("", "strict", False),
                             ("s=tlsrpt; ", True, True), ("", True, True)):
        found = dkim.verify(text, dnsfunc=answer(keys, tags), tlsrpt=mode)
        assert found is good, (tags, mode)


# --- what others sign ---

def by_dkimpy(dkim, keys, text, algorithm, canon, **more):
    kind = algorithm.split("-")[0]
    key = keys.rsa.read_bytes() if kind == "rsa" else base64.b64encode(SEED)
    return dkim.sign(text, kind.encode(), DOMAIN.encode(), key,
                     canonicalize=tuple(w.encode() for w in canon.split("/")),
                     signature_algorithm=algorithm.encode(), **more) + text


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("canon", CANONS)
def test_we_verify_dkimpy(tool, keys, dkim, canon, algorithm):
    for body in BODIES:
        text = by_dkimpy(dkim, keys, message(body), algorithm, canon)
        assert verdicts(verify(tool, keys, text)) == ["pass"], (body, text)
        assert verdicts(verify(tool, keys, broken(text))) == ["fail"], body


@pytest.mark.parametrize("kind", ["rsa", "ed25519"])
@pytest.mark.parametrize("canon", CANONS)
def test_we_verify_opendkim(tool, keys, opendkim, canon, kind):
    if kind == "ed25519" and canon.startswith("simple"):
        # 2.11 beta 2 does not verify these itself, nor does dkimpy: then nobody may.
        text = opendkim.sign(message("plain", PLAIN), kind, canon)
        assert opendkim.verifies(text)[0] == [False]
        assert verdicts(verify(tool, keys, text)) == ["fail"]
        return
    for body in BODIES:
        text = opendkim.sign(message(body, PLAIN), kind, canon)
        assert verdicts(verify(tool, keys, text)) == ["pass"], (body, text)
        assert verdicts(verify(tool, keys, broken(text))) == ["fail"], body
        assert verdicts(verify(tool, keys, b"Cc: x@example.net\r\n" + text)) == ["fail"], body


def test_what_dkimpy_can_do_and_a_report_may_not(tool, keys, dkim):
    """RFC 8460 3: l= and a service type that is another's."""
    def report(tags="", **more):
        text = by_dkimpy(dkim, keys, message("plain"), "rsa-sha256", "relaxed/relaxed", **more)
        return verify(tool, keys, text, tags, "-s", "tlsrpt", "-r", DOMAIN)[-1]
    assert report() == ("report", "vouched ")
    assert report("s=tlsrpt; ") == ("report", "vouched ")
    assert report(length=True)[1].startswith("ignored l=")
    assert report("s=email; ")[1].startswith("ignored the key is not for this service")
    assert report("t=y; ")[1].startswith("ignored the key is being tested")


# --- between the two ---

def test_each_signature_has_its_verdict(tool, keys):
    text = sign(tool, keys, message("plain"), "-t", str(int(time.time())))
    lines = verify(tool, keys, text)
    assert verdicts(lines) == ["pass", "pass"]
    assert lines[0][1].startswith("d=example.org s=rsa a=rsa-sha256 bits=2048 l=no names=1")
    assert lines[1][1].startswith("d=example.org s=ed25519 a=ed25519-sha256 bits=256 l=no names=1")
    asked = [tool, "verify", f"rsa._domainkey.{DOMAIN}"]
    lines = run(asked, text).decode().splitlines()
    assert [line.split()[0] for line in lines] == ["temperror", "permerror"]
