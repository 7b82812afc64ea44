"""What the processes of a running daemon are confined by."""
import array
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess

import pytest
from cryptography.hazmat.primitives import serialization

from support import certs
from support.daemon import ROOT
from support.talk import Talk
from support.wait import free_port, wait_until


def status_of(pid, key):
    text = pathlib.Path(f"/proc/{pid}/status").read_text()
    return re.search(rf"(?m)^{key}:\s*(\S+)", text)[1]


def core_limit(pid):
    """Soft and hard."""
    text = pathlib.Path(f"/proc/{pid}/limits").read_text()
    return re.search(r"(?m)^Max core file size\s+(\S+)\s+(\S+)", text).groups()


ROLES = {"receive", "queue", "deliver", "report", "web"}


def everything(danelaw, mail, sandbox=None, **more):
    """A daemon with a process of each role."""
    return danelaw({**({"sandbox": sandbox} if sandbox else {}),
                    "reporting": {"collect": True, "contact": "tls@ours.example"},
                    "web": {"admin": [f"127.0.0.1:{free_port()}"]},
                    "domain test.example": {"deliver": f"maildir:{mail}/%u"}, **more})


def told(server):
    """The processes, and the supervisor's line, as `danelaw status` has them."""
    lines = [json.loads(line) for line in
             server.ctl("--json", "status", check=False).stdout.splitlines()]
    return [line for line in lines if "role" in line], \
        next(line for line in lines if "role" not in line)


def send(server, to):
    with Talk(server.port) as talk:
        talk.hello()
        talk.expect(250, "MAIL FROM:<a@client.example>")
        talk.expect(250, f"RCPT TO:<{to}>")
        talk.expect(354, "DATA")
        talk.expect(250, "Subject: x\r\n\r\nx\r\n.")


def test_every_process_is_confined(danelaw, mail):
    server = everything(danelaw, mail)
    pids = server.pids()
    assert set(pids) == ROLES
    for pid in [server.process.pid, *server.role_pids()]:
        assert status_of(pid, "NoNewPrivs") == "1"
        assert status_of(pid, "Seccomp") == "2"  # a filter
        assert core_limit(pid) == ("0", "0")
    # Its own on top of the supervisor's.
    above = int(status_of(server.process.pid, "Seccomp_filters"))
    for pid in server.role_pids():
        assert int(status_of(pid, "Seccomp_filters")) == above + 1


def test_status_says_what_is_in_force(danelaw, mail):
    server = everything(danelaw, mail)
    roles, all_of_it = told(server)
    assert {line["role"] for line in roles} == ROLES
    landlock = {line["landlock"] for line in roles}
    assert len(landlock) == 1
    for line in [*roles, all_of_it]:
        assert line["no_new_privs"] is True
        assert line["dumpable"] is False
        assert line["seccomp"] == "enforces"
    assert server.events("sandbox-incomplete") == [] or landlock == {0}
    assert "enforces" in server.ctl("status").stdout


def test_others_take_another_value_at_a_reload(danelaw, mail):
    server = everything(danelaw, mail)
    text = server.config_file.read_text()
    for value, seccomp in (("log", "logs"), ("off", "none"), ("on", "enforces")):
        server.write_config(text=f"sandbox = {value}\n{text}")
        before = len(server.events("reloaded"))
        server.process.send_signal(1)
        wait_until(lambda n=before: len(server.events("reloaded")) > n, "a reload")
        wait_until(lambda s=seccomp: {line["seccomp"] for line in told(server)[0]
                                      if line["state"] == "running"} == {s},
                   f"roles whose filter {seccomp}")
        roles, all_of_it = told(server)
        assert all_of_it["seccomp"] == "enforces"
        assert all(line["no_new_privs"] for line in roles if line["state"] == "running")
        if value != "on":
            assert {line["landlock"] for line in roles if line["state"] == "running"} \
                == {0}


def test_it_is_on_unless_told_otherwise(danelaw, mail):
    server = everything(danelaw, mail, sandbox=None)
    assert "sandbox =" not in server.config_file.read_text()
    for pid in [server.process.pid, *server.role_pids()]:
        assert status_of(pid, "Seccomp") == "2"


def test_it_can_be_turned_off(danelaw, mail):
    """Nothing is confined, told or logged; the hardening holds all the same."""
    server = everything(danelaw, mail, sandbox="off")
    for pid in [server.process.pid, *server.role_pids()]:
        assert status_of(pid, "Seccomp") == "0"
        assert status_of(pid, "NoNewPrivs") == "1"
        assert core_limit(pid) == ("0", "0")
    roles, all_of_it = told(server)
    assert {line["seccomp"] for line in [*roles, all_of_it]} == {"none"}
    assert {line["landlock"] for line in roles} == {0}
    assert server.events("sandbox-incomplete") == []


def test_a_wrong_word_is_told(danelaw):
    server = danelaw({"sandbox": "maybe"}, start=False)
    done = server.ctl("check-config", check=False)
    assert done.returncode != 0
    assert '"maybe": expected on, required, log or off' in done.stdout + done.stderr


def test_a_maildir_folder_that_comes_later(danelaw, mail):
    """Its parent is there when the roles start; then it is made, and mail arrives."""
    (mail / "there").mkdir()
    server = everything(danelaw, mail, **{
        "domain test.example": {"deliver": f"maildir:{mail}/there/%u"},
        "domain late.example": {"deliver": f"maildir:{mail}/late/%u"},
        "retry": {"first": "1s"}})
    (mail / "late").mkdir()
    (mail / "late").chmod(0o777)
    send(server, "user@late.example")
    wait_until(lambda: list(mail.glob("late/user/new/*")), "mail in the new folder")


# --- private keys ----------------------------------------------------------------


PAGE = 4096


def pages_there(pagemap, start, end):
    """(start, end) of what has memory behind it: most of a sanitizer's has not."""
    pagemap.seek(start // PAGE * 8)
    entries = array.array("Q", pagemap.read((end - start) // PAGE * 8))
    first = None
    for i, entry in enumerate(entries):
        if entry >> 62 and first is None:
            first = i
        if first is not None and not entry >> 62:
            yield start + first * PAGE, start + i * PAGE
            first = None
    if first is not None:
        yield start + first * PAGE, start + len(entries) * PAGE


def memory_of(pid):
    """The writable memory of a process, in pieces; skips where it may not be read."""
    try:
        maps = pathlib.Path(f"/proc/{pid}/maps").read_text().splitlines()
        with open(f"/proc/{pid}/mem", "rb", buffering=0) as mem, \
                open(f"/proc/{pid}/pagemap", "rb") as pagemap:
            for line in maps:
                span, rights = line.split()[:2]
                start, end = (int(word, 16) for word in span.split("-"))
                if not rights.startswith("rw") or end - start > 1 << 36:
                    continue  # shadow memory of AddressSanitizer
                for one, other in pages_there(pagemap, start, end):
                    mem.seek(one)
                    try:
                        yield mem.read(other - one)
                    except OSError:
                        continue
    except (FileNotFoundError, ProcessLookupError):
        return  # it has ended meanwhile, and keeps nothing
    except PermissionError:
        pytest.skip("the memory of others may not be read here")


def marks_of(path):
    """What tells a private key in memory: {"text": its PEM, "number": the secret}."""
    text = pathlib.Path(path).read_bytes()
    key = serialization.load_pem_private_key(text, None)
    numbers = key.private_numbers()
    secret = getattr(numbers, "private_value", None) or numbers.p
    size = (secret.bit_length() + 7) // 8
    lines = [line for line in text.split(b"\n") if line and b"-----" not in line]
    der = key.private_bytes(serialization.Encoding.DER,
                            serialization.PrivateFormat.PKCS8,
                            serialization.NoEncryption())
    assert secret.to_bytes(size, "big") in der
    return {"text": lines[1][:40], "octets": secret.to_bytes(size, "big"),
            "number": secret.to_bytes(size, "little")}


def holds(pid, *all_marks):
    """Of each of these: which marks are in the memory of the process."""
    found = [set() for _ in all_marks]
    for piece in memory_of(pid):
        for marks, names in zip(all_marks, found):
            names |= {name for name, mark in marks.items() if mark in piece}
    return found


def nobody_holds(server, *all_marks):
    """Neither the supervisor, once it has read them, nor a role without a use for them."""
    nothing = [set()] * len(all_marks)
    wait_until(lambda: holds(server.process.pid, *all_marks) == nothing,
               "the supervisor to forget")
    pids = server.pids()
    for pid in [pid for role in ("queue", "deliver", "web") for pid in pids.get(role, [])]:
        assert holds(pid, *all_marks) == nothing, pid
    return pids


def make_key(path):
    subprocess.run(["openssl", "genpkey", "-algorithm", "RSA", "-pkeyopt",
                    "rsa_keygen_bits:2048", "-out", path], check=True,
                   capture_output=True)
    return path


@pytest.fixture
def keyed(danelaw, mail, tmp_path):
    """A daemon with a certificate and a key for reports; and their marks."""
    cert = certs.self_signed(tmp_path / "tls", "mx.test.example")
    dkim = make_key(tmp_path / "dkim.pem")
    server = everything(danelaw, mail, **{
        "certificate mx": {"chain": cert.chain, "key": cert.key},
        "renewal": {"tlsa": False, "mta_sts": False, "settle": "1s"},
        "reporting": {"collect": True, "send": True, "contact": "tls@ours.example",
                      "dkim sel": {"key": str(dkim)}}})
    server.cert = cert
    return server, marks_of(cert.key), marks_of(dkim)


def test_keys_are_where_they_are_used(keyed):
    """As numbers, where OpenSSL works with them; as text, or octets, nowhere."""
    server, tls, dkim = keyed
    pids = nobody_holds(server, tls, dkim)
    assert len(pids["receive"]) == 2 and len(pids["report"]) == 1
    for pid in pids["receive"]:
        assert holds(pid, tls, dkim) == [{"number"}, set()]
    for pid in pids["report"]:
        assert holds(pid, tls, dkim) == [set(), {"number"}]


def test_the_supervisor_hands_keys_on_and_has_none(keyed, tmp_path):
    """Not after a reload, not after a renewal; a role that crashed gets them again."""
    server, tls, dkim = keyed
    server.process.send_signal(signal.SIGHUP)
    server.wait_event("reloaded")
    nobody_holds(server, tls, dkim)
    fresh = certs.self_signed(tmp_path / "fresh", "mx.test.example")
    for old, new in ((server.cert.chain, fresh.chain), (server.cert.key, fresh.key)):
        pathlib.Path(old).write_bytes(pathlib.Path(new).read_bytes())
    server.wait_event("certificate-renewed")
    renewed = marks_of(server.cert.key)
    assert renewed != tls
    wait_until(lambda: [len(server.pids()[role]) for role in ("receive", "report")] == [2, 1],
               "the old to end")
    pids = nobody_holds(server, tls, dkim, renewed)
    assert holds(pids["report"][0], tls, dkim, renewed) == [set(), {"number"}, set()]
    for role in ("receive", "report"):
        for pid in pids[role]:
            os.kill(pid, signal.SIGKILL)

    def others():
        now = server.pids()
        return now if all(len(now.get(role, [])) == len(pids[role]) and
                          not set(now[role]) & set(pids[role])
                          for role in ("receive", "report")) else None

    pids = wait_until(others, "others in their place")
    wait_until(lambda: all(line["state"] == "running" for line in told(server)[0]),
               "them to be ready")
    assert "number" in holds(pids["receive"][0], renewed)[0]
    assert "number" in holds(pids["report"][0], dkim)[0]
    nobody_holds(server, tls, dkim, renewed)


# --- the unit of systemd -----------------------------------------------------------

UNIT = pathlib.Path(os.environ.get("DANELAW_UNIT", ROOT / "docs/examples/danelaw.service"))


def systemd(*arguments):
    program = shutil.which("systemd-analyze")
    if program is None:
        pytest.skip("no systemd-analyze here")
    return subprocess.run([program, *arguments], capture_output=True, text=True,
                          check=False, timeout=60).stdout


def calls_of(*names):
    """These calls, groups opened."""
    calls, names = set(), list(names)
    while names:
        name = names.pop()
        if name.startswith("@"):
            names += [line.strip() for line in systemd("syscall-filter", name).splitlines()
                      if line.startswith("    ") and not line.strip().startswith("#")]
        else:
            calls.add(name)
    return calls


def unit_calls():
    """What SystemCallFilter= lets through: each line adds, or with ~ takes away."""
    calls = set()
    for line in re.findall(r"(?m)^SystemCallFilter=(.*)$", UNIT.read_text()):
        more = calls_of(*line.lstrip("~").split())
        calls = calls - more if line.startswith("~") else calls | more
    return calls


def test_the_unit_lets_through_what_roles_call():
    """A call that the unit refuses is missing in a role, and nothing tells."""
    text = (ROOT / "mta/sandbox/filter_calls.c").read_text()
    wanted = text[:text.index("static const int never[]")]
    wanted = set(re.findall(r"SCMP_SYS\((\w+)\)", wanted))
    wanted |= {"clone", "mmap", "mprotect", "prctl", "socket"}  # with conditions
    allowed = unit_calls()
    assert len(allowed) > 200
    assert wanted - allowed == set()
    never = re.findall(r"SCMP_SYS\((\w+)\)", text[text.index("static const int never[]"):
                                                 text.index("static const int never_a_roles")])
    assert len(never) > 30 and set(never) & allowed <= {
        "execveat", "setns", "unshare"}  # systemd starts us by it; RestrictNamespaces=


def test_the_unit_asks_for_what_the_daemon_does_itself():
    """Both say the same of privileges, core files, memory and kinds of sockets."""
    settings = dict(re.findall(r"(?m)^(\w+)=(.*)$", UNIT.read_text()))
    assert settings["NoNewPrivileges"] == settings["MemoryDenyWriteExecute"] == "yes"
    assert settings["LimitCORE"] == "0" and settings["ProtectSystem"] == "strict"
    kinds = set(re.findall(r"SCMP_SYS\(socket\), 0, UINT32_MAX, (\w+)\)",
                           (ROOT / "mta/sandbox/filter.c").read_text()))
    assert set(settings["RestrictAddressFamilies"].split()) == kinds


def test_the_unit_is_understood():
    """No setting of it is one that systemd does not know."""
    said = subprocess.run([shutil.which("systemd-analyze") or "true", "verify", UNIT],
                          capture_output=True, text=True, check=False, timeout=60).stderr
    assert "Unknown" not in said and "Failed to parse" not in said
    exposure = re.search(r"exposure level for danelaw.service: ([0-9.]+)",
                         systemd("security", "--offline=yes", str(UNIT)))
    assert exposure and float(exposure[1]) < 3
