"""The scanners that operators run against mail hosts find nothing to complain about."""
import json
import pathlib
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ElementTree

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parents[1]))
from lab.pki import Chain, Pki, pem  # noqa: E402

NAMES = ("mx.test.example", "mx.other.example", "mail.third.example")


def needs(program):
    if shutil.which(program) is None:
        pytest.skip(f"{program} is not installed")


@pytest.fixture
def server(danelaw, tmp_path):
    """Three names on one address, each with a chain of its own; as it is by default."""
    tmp_path.chmod(0o755)
    pki = Pki(tmp_path / "tls")
    (pki.folder / "root.pem").write_bytes(pem(pki.certificate("root")))
    blocks = {}
    for name, key in zip(NAMES, ("ec", "rsa", "ec")):
        made = pki.chain(Chain(names=(name,), cn=name, key=key), host=name, domain="test")
        blocks[f"certificate {name}"] = {"chain": str(made.file), "key": str(made.file),
                                         "root": str(pki.folder / "root.pem")}
    return danelaw({**blocks, "limits": {"sessions_client": 1000}})


def test_sslscan_has_nothing_to_say(server):
    """RFC 9325 3.1.1, 3.5, 4.2; each name has its certificate (RFC 7672 8.1)."""
    needs("sslscan")
    for name in NAMES:
        done = subprocess.run(
            ["sslscan", "--starttls-smtp", f"--sni-name={name}", "--xml=-",
             f"127.0.0.1:{server.port}"],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, check=True, timeout=300)
        scan = ElementTree.fromstring(done.stdout).find("ssltest")
        spoken = {p.get("type") + p.get("version") for p in scan.findall("protocol")
                  if p.get("enabled") == "1"}
        assert spoken == {"tls1.2", "tls1.3"}
        assert scan.find("renegotiation").get("supported") == "0"
        assert all(h.get("vulnerable") == "0" for h in scan.findall("heartbleed"))
        ciphers = [c.get("cipher") for c in scan.findall("cipher")]
        assert len(ciphers) >= 5
        for cipher in ciphers:
            assert "GCM" in cipher or "POLY1305" in cipher, cipher
            assert cipher.startswith(("TLS_", "ECDHE-")), cipher
        groups = {g.get("name") for g in scan.findall("group")}
        assert groups and not any("ffdhe" in g.lower() for g in groups), groups
        names = {c.findtext("subject") for c in scan.iter("certificate")}
        assert names == {name}


# What testssl.sh has to say of any certificate that no public authority made,
# and of the openssl(1) that it runs itself.
NOT_OF_US = {"cert_revocation", "engine_problem"}
# Its openssl s_client may be gone before the ticket has come, against any server of
# TLS 1.3; the empty file is then no session to come back with, and so "no connection".
# That sessions resume is for test_tls.py to see.
TOO_SOON = ("sessionresumption_ticket", "WARN", "check failed because of connect problem")
FINE = {"OK", "INFO"}


def scan_with_testssl(server, name, folder):
    """[(id, severity, words)] of what it finds."""
    needs("testssl")
    found = folder / f"{name}.json"
    done = subprocess.run(
        ["testssl", "--quiet", "--color", "0", "--warnings", "off", "--nodns", "none",
         "--connect-timeout", "20", "--openssl-timeout", "20", "--starttls", "smtp",
         "--ip", "127.0.0.1", "--add-ca", str(folder / "tls/root.pem"),
         "--jsonfile", str(found), "-p", "-s", "-f", "-S", "-U", f"{name}:{server.port}"],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=500)
    assert found.exists(), done.stdout + done.stderr
    return [(one["id"], one["severity"], one["finding"])
            for one in json.loads(found.read_text())]


@pytest.mark.limit(600)
def test_testssl_has_nothing_to_say(server, tmp_path):
    """RFC 9325: protocols, suites, forward secrecy, the chain, and all it knows to attack."""
    found = scan_with_testssl(server, NAMES[0], tmp_path)
    print(json.dumps(found, indent=1))
    assert [one for one in found
            if one[1] not in FINE and one[0] not in NOT_OF_US and one != TOO_SOON] == []
    said = {what: words for what, _severity, words in found}
    assert len(said) > 40, said   # it has looked
    assert (said["TLS1"], said["TLS1_1"]) == ("not offered", "not offered")
    assert said["cert_chain_of_trust"].startswith("passed"), said
