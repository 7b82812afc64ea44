"""The keys that sign reports: their files, who gets them, what is published of them."""
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
import time

import pytest
from cryptography.hazmat.primitives import serialization

from support import daemon
from support.wait import wait_until

TOOL = daemon.ROOT / "build/tests/unit/dkim_tool"
MESSAGE = ("From: tls@ours.example\r\nTLS-Report-Domain: a.example\r\n"
           "TLS-Report-Submitter: ours.example\r\n\r\nA report.\r\n")
KINDS = {
    "rsa": ["genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"],
    "long": ["genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:4096"],
    "ed25519": ["genpkey", "-algorithm", "ED25519"],
    "short": ["genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:1024"],
    "curve": ["genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"],
    "locked": ["genpkey", "-algorithm", "ED25519", "-aes-128-cbc", "-pass", "pass:x"],
}


@pytest.fixture(scope="module")
def keys(run_folder):
    """{kind: file}, as who runs the daemon has them."""
    folder = run_folder / "tls"
    folder.mkdir(exist_ok=True)
    made = {}
    for kind, words in KINDS.items():
        made[kind] = folder / f"dkim-{kind}.pem"
        subprocess.run(["openssl", *words, "-out", made[kind]], check=True,
                       capture_output=True)
        made[kind].chmod(0o600)
    return made


def reporting(**selectors):
    return {"reporting": {
        "collect": True, "send": True, "contact": "tls@ours.example",
        **{f"dkim {name}": {"key": str(path)} for name, path in selectors.items()}}}


@pytest.mark.parametrize(("kind", "told"), [
    ("short", "an RSA key of 1024 bits is too short"),
    ("curve", "the key is neither RSA nor Ed25519"),
    ("locked", "the key has a password"),
    ("text", "there is no private key in PEM form"),
    ("missing", "No such file or directory")],
    ids=["short", "curve", "locked", "text", "missing"])
def test_a_key_that_will_not_do(danelaw, keys, tmp_path, kind, told):
    """It is told by check-config, at start and at reload; the old one goes on."""
    path = keys.get(kind, tmp_path / "key.pem")
    if kind == "text":
        path.write_text("no key\n")
    words = f'dkim "bad": {path}: {told}'
    server = danelaw(reporting(good=keys["rsa"], bad=path), start=False)
    done = server.ctl("check-config", check=False)
    assert (done.returncode, done.stderr.strip()[:len(words)]) == (1, words), done
    assert 'dkim "good"' not in done.stderr
    server.start(wait=False)
    assert server.process.wait(20) == 1
    assert words in server.log_text()
    server.write_config(reporting(good=keys["rsa"]))
    server.start()
    old = server.pids()
    server.write_config(reporting(good=keys["rsa"], bad=path))
    server.process.send_signal(signal.SIGHUP)
    server.wait_event("reload-refused")
    assert (server.pids(), server.log_text().count(f"{path}: {told}")) == (old, 2)


def test_all_bad_keys_are_told_at_once(danelaw, keys):
    server = danelaw(reporting(a=keys["short"], b=keys["curve"]), start=False)
    done = server.ctl("check-config", check=False)
    assert (done.returncode, len(re.findall('^dkim "[ab]": ', done.stderr, re.M))) == (1, 2)


def test_check_config_takes_good_ones(danelaw, keys):
    server = danelaw(reporting(a=keys["rsa"], b=keys["ed25519"], c=keys["long"]), start=False)
    assert server.ctl("check-config").stdout.endswith(": fine\n")
    server.write_config({"reporting": {"send": True}})
    done = server.ctl("check-config", check=False)
    assert done.returncode == 1
    assert "reporting: send: expected collect = yes beside it\n" in done.stderr
    assert "reporting: send: expected dkim" in done.stderr


# --- who has them ---

def memory_has(pid, needles):
    """Which of these stand in what the process can write to."""
    found = set()
    process = pathlib.Path("/proc", str(pid))
    with open(process / "mem", "rb", 0) as memory:
        for line in (process / "maps").read_text().splitlines():
            begin, end = (int(n, 16) for n in line.split()[0].split("-"))
            # The shadow of a sanitizer is terabytes of nothing.
            if " rw" not in line or end - begin > 1 << 28:
                continue
            try:
                memory.seek(begin)
                octets = memory.read(end - begin)
            except (OSError, ValueError, OverflowError):
                continue
            found |= {name for name, forms in needles.items()
                      if any(form in octets for form in forms)}
    return found


def forms(path):
    """Of a private key: a line of its text, and its number as OpenSSL keeps it."""
    text = pathlib.Path(path).read_bytes()
    lines = text.splitlines()
    numbers = serialization.load_pem_private_key(text, None).private_numbers()
    secret = numbers.p if hasattr(numbers, "p") else numbers.private_value
    return [lines[len(lines) // 2], secret.to_bytes(512, sys.byteorder).strip(b"\0")[4:28]]


def test_a_role_has_the_keys_it_uses_and_no_others(danelaw, keys, certificate):
    pair = certificate("mx.test.example")
    server = danelaw({**reporting(a=keys["rsa"]),
                      "certificate mx": {"chain": pair.chain, "key": pair.key}})
    needles = {"certificate": forms(pair.key), "dkim": forms(keys["rsa"])}

    def has():
        try:
            return {role: set().union(*(memory_has(pid, needles) for pid in pids))
                    for role, pids in server.pids().items()}
        except (FileNotFoundError, ProcessLookupError):
            return None  # one has gone since
    wait_until(lambda: set(server.pids()) == {"receive", "queue", "deliver", "report"},
               "all roles")
    try:
        memory_has(server.process.pid, {})
    except PermissionError:
        pytest.skip("nobody may look at the memory of others here")
    expected = {"receive": {"certificate"}, "queue": set(), "deliver": set(),
                "report": {"dkim"}}
    wait_until(lambda: has() == expected, "each has its keys")
    server.process.send_signal(signal.SIGHUP)
    server.wait_event("reloaded")
    wait_until(lambda: has() == expected, "and with a new generation")


# --- what is published ---

def strings(line):
    """(name, the strings joined) of a line for a zone."""
    name, kind, rest = line.split(" ", 2)
    parts = re.findall(r'"([^"]*)"', rest)
    assert kind == "TXT" and " ".join(f'"{part}"' for part in parts) == rest
    assert all(0 < len(part) <= 255 for part in parts)
    return name, "".join(parts)


def test_what_is_published_verifies(danelaw, keys):
    """For verifiers of reports, and for those who only know mail."""
    if not TOOL.exists():
        pytest.skip("dkim_tool is not built")
    kinds = {"s1": "rsa", "s2": "ed25519", "s3.sub": "long"}
    server = danelaw(reporting(**{s: keys[k] for s, k in kinds.items()}), start=False)
    records = dict(map(strings, server.ctl("report", "dkim-record").stdout.splitlines()))
    assert list(records) == [f"{s}._domainkey.ours.example." for s in kinds]
    assert all(re.match(r"v=DKIM1; k=(rsa|ed25519); p=[\w+/]+=*$", text)
               for text in records.values())
    signed = subprocess.run(
        [TOOL, "sign", "-d", "ours.example", *(f"{s}={keys[k]}" for s, k in kinds.items())],
        input=MESSAGE.encode(), check=True, capture_output=True).stdout
    for service in ("tlsrpt", "email"):
        out = subprocess.run(
            [TOOL, "verify", "-s", service, "-r", "ours.example",
             *(f"{name[:-1]}={text}" for name, text in records.items())],
            input=signed, check=True, capture_output=True).stdout.decode().splitlines()
        assert [line.split()[0] for line in out] == ["pass"] * 3 + ["report"], out
        assert out[-1] == "report vouched "


def test_what_is_published_as_json(danelaw, keys):
    server = danelaw(reporting(a=keys["rsa"], b=keys["ed25519"]), start=False)
    lines = server.ctl("report", "dkim-record").stdout.splitlines()
    said = map(json.loads, server.ctl("--json", "report", "dkim-record").stdout.splitlines())
    for line, one in zip(lines, said, strict=True):
        name, text = strings(line)
        assert one == {"selector": name[0], "domain": "ours.example", "name": name[:-1],
                       "record": text}


def test_nothing_to_publish(danelaw, keys, tmp_path):
    server = danelaw(start=False)
    done = server.ctl("report", "dkim-record", check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert "no dkim block" in done.stderr
    server.write_config(reporting(a=tmp_path / "none", b=keys["ed25519"]))
    done = server.ctl("report", "dkim-record", check=False)
    assert (done.returncode, done.stdout.count("\n")) == (1, 1)
    assert f"danelaw: a: {tmp_path}/none: No such file or directory\n" == done.stderr
    done = server.ctl("report", "dkim-record", "a", check=False)
    assert done.returncode == 2 and "takes no arguments" in done.stderr


@pytest.fixture
def published(danelaw, nsd, keys):
    """make(records, **selectors): a server, and a zone with these TXT records."""
    def make(records, **selectors):
        zone = "\n".join(f"{name}._domainkey TXT {text}" for name, text in records.items())
        names = nsd({"ours.example": zone})
        return danelaw({**reporting(**selectors), **names.resolver()}, start=False)
    return make


def record_of(danelaw, selector, path):
    """What dkim-record has of a key, as a zone has it."""
    line = danelaw(reporting(**{selector: path}), start=False).ctl(
        "report", "dkim-record").stdout
    return line.partition(" TXT ")[2].strip()


def test_what_is_published_is_checked(danelaw, published, keys):
    """RFC 6376 3.6.1, 6.1.2: as a verifier reads it."""
    rsa, other = (record_of(danelaw, "a", keys[kind]) for kind in ("rsa", "long"))
    ed25519 = record_of(danelaw, "b", keys["ed25519"])
    server = published({"a": rsa, "b": ed25519, "e": rsa.replace("v=DKIM1; k=rsa;", "s=tlsrpt;")},
                       a=keys["rsa"], b=keys["ed25519"], e=keys["rsa"])
    done = server.ctl("report", "dkim-check", check=False)
    assert (done.returncode, done.stdout, done.stderr) == (
        0, "a._domainkey.ours.example: in-order; without DNSSEC\n"
        "b._domainkey.ours.example: in-order; without DNSSEC\n"
        "e._domainkey.ours.example: in-order; s= is for reports alone, and verifiers who know"
        " mail alone may refuse it; without DNSSEC\n", "")
    server = published(
        {"a": other, "b": '"v=DKIM1; k=ed25519; p="', "d": rsa.replace("v=DKIM1;", "t=y;")},
        a=keys["rsa"], b=keys["ed25519"], c=keys["rsa"], d=keys["rsa"])
    done = server.ctl("report", "dkim-check", check=False)
    said = dict(line.split("._domainkey.ours.example: ") for line in done.stdout.splitlines())
    assert (done.returncode, done.stderr) == (1, "")
    assert said == {
        "a": "other-key: it is another key than ours; without DNSSEC",
        "b": "unusable: the key is revoked (RFC 6376 6.1.2); without DNSSEC",
        "c": "missing: there is no such name",
        "d": "testing: t=y: verifiers take our reports for unsigned (RFC 6376 3.6.1);"
             " without DNSSEC"}
    lines = server.ctl("--json", "report", "dkim-check", check=False).stdout.splitlines()
    one = json.loads(lines[1])
    assert one == {
        "selector": "b", "domain": "ours.example", "name": "b._domainkey.ours.example",
        "published": "unusable", "ok": False, "why": "the key is revoked (RFC 6376 6.1.2)",
        "dnssec": False, "tlsrpt_only": False, "records": 1,
        "text": "v=DKIM1; k=ed25519; p="}
    server = published({"a": rsa}, a=keys["rsa"], b=server.spool / "none")
    done = server.ctl("report", "dkim-check", check=False)
    assert (done.returncode, done.stdout) == (
        1, "a._domainkey.ours.example: in-order; without DNSSEC\n")
    page = (daemon.ROOT / "docs/TLS-RPT.md").read_text()
    table = page.split("### report dkim-check\n")[1].split("\n## ")[0].split("\n### ")[0]
    assert set(re.findall(r"(?m)^\| `(\w+)` \|", table)) == set(one)


def test_a_check_that_gets_no_answer(danelaw, nsd, keys, tmp_path):
    names = nsd({"other.example": ""})
    resolver = names.resolver()
    resolver["resolver"]["stub ours.example"] = {
        "server": [names.server], "insecure": True}
    server = danelaw({**reporting(a=keys["rsa"], b=tmp_path / "none"), **resolver},
                     start=False)
    done = server.ctl("report", "dkim-check", check=False)
    assert (done.returncode, done.stdout.splitlines()[0].split(";")[0].startswith(
        "a._domainkey.ours.example: unreached: the lookup failed")) == (1, True), done
    assert done.stderr == f"danelaw: b: {tmp_path}/none: No such file or directory\n"
    done = server.ctl("report", "dkim-check", "a", check=False)
    assert done.returncode == 2 and "takes no arguments" in done.stderr
    done = danelaw(start=False).ctl("report", "dkim-check", check=False)
    assert (done.returncode, done.stdout) == (1, "") and "no dkim block" in done.stderr


def test_a_check_says_what_it_waits_for(danelaw, keys):
    """Once, on a terminal and elsewhere; all keys wait at once, and as long as was asked for."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        server = danelaw({**reporting(a=keys["rsa"], b=keys["ed25519"]), "resolver": {
            "self_test": "", "timeout": "3s", "stub ours.example": {
                "server": [f"127.0.0.1:{silent.getsockname()[1]}"], "insecure": True}}},
            start=False)
        begun = time.monotonic()
        quick = server.ctl("report", "dkim-check", "--wait", "2s", check=False)
        middle = time.monotonic()
        done = server.ctl("report", "dkim-check", "--wait", "5s", check=False)
        end = time.monotonic()
        odd = server.ctl("report", "dkim-check", "--wait", "2h", check=False)
        foreign = server.ctl("report", "list", "--wait", "2s", check=False)
    assert 2 <= middle - begun < 4.5 and 5 <= end - middle < 7.5
    for one, ms in (quick, 2000), (done, 5000):
        assert one.returncode == 1
        assert one.stdout == "".join(
            f"{name}._domainkey.ours.example: unreached: the lookup failed: "
            f"no answer within {ms} ms\n" for name in "ab")
    assert quick.stderr == ""
    assert done.stderr == ("danelaw: waiting for what DNS says of a._domainkey.ours.example "
                           "and 1 more, at most 5 s\n")
    assert odd.returncode == 2 and "--wait wants a time" in odd.stderr
    assert foreign.returncode == 2 and "--wait is for report dkim-check" in foreign.stderr


def test_the_check_is_named_where_keys_are(danelaw, keys):
    words = 'note: reporting: "danelaw report dkim-check" tells'
    server = danelaw(reporting(a=keys["rsa"]), start=False)
    assert server.ctl("check-config").stdout.count(words) == 1
    assert words not in danelaw(start=False).ctl("check-config").stdout


@pytest.mark.skipif(os.getuid() != 0, reason="root alone becomes another")
def test_keys_are_for_who_may_read_them(danelaw, keys):
    server = danelaw(reporting(a=keys["ed25519"]), start=False)
    server.config_file.chmod(0o644)
    done = subprocess.run(
        ["setpriv", "--reuid", "nobody", "--clear-groups", daemon.binary("danelaw"), "-c",
         str(server.config_file), "report", "dkim-record"],
        capture_output=True, text=True, check=False, env=daemon.environment())
    assert (done.returncode, done.stdout) == (1, "")
    assert "Permission denied" in done.stderr
