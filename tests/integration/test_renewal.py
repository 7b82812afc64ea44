"""Renewed certificates: into use by themselves, unless they break a promise.

RFC 7671 8: what is presented is to match what is published.
"""
import hashlib
import json
import re
import os
import pathlib
import signal
import socket
import sys
import time
from types import SimpleNamespace

import pytest
from cryptography.hazmat.primitives import serialization

from support.talk import Talk
from support.wait import wait_until

ROOT = pathlib.Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))
sys.path.insert(0, str(ROOT / "support"))
import signed_tree  # noqa: E402
from lab import pki as lab_pki  # noqa: E402
from lab.pki import Chain, Pki, pem  # noqa: E402
from lab.policy_host import PolicyHost, answer  # noqa: E402

HOST = "mx.good.test"
OWNER = f"_25._tcp.{HOST}."


def spki(public):
    return public.public_bytes(serialization.Encoding.DER,
                               serialization.PublicFormat.SubjectPublicKeyInfo)


def key_record(made, usage=3, selector=1, digest="sha256"):
    """What a zone has for this chain: "3 1 1 ..." """
    data = spki(made.leaf.public_key()) if selector else made.leaf.public_bytes(
        serialization.Encoding.DER)
    matching = {"sha256": 1, "sha512": 2}[digest]
    return f"{usage} {selector} {matching} {hashlib.new(digest, data).hexdigest()}"


class Place:
    """A signed zone good.test, a daemon's two files, and chains to put there."""

    def __init__(self, folder):
        self.pki = Pki(folder / "tls")
        self.root = self.pki.folder / "root.pem"
        self.root.write_bytes(pem(self.pki.certificate("root")))
        self.live = folder / "live"
        self.live.mkdir()
        self.tree = signed_tree.SignedTree(folder / "tree", one_key=True)
        self.tree.zone(".")
        self.tree.zone("test.", "dns-lab A 127.0.0.1\nns.dns-lab A 127.0.0.1\n")
        self.tree.zone("good.test.", ttl=1)
        self.server = None
        self.more = []
        self.keys = {}

    def records(self, *tlsa):
        """What good.test says from now on."""
        lines = ["@ MX 10 mx", "mx A 127.0.0.1", *self.more]
        lines += [f"_25._tcp.mx TLSA {data}" for data in tlsa]
        self.tree.zones["good.test."].records = "\n".join(lines) + "\n"
        if self.server is not None:
            self.server.publish()

    def serve(self):
        self.server = self.tree.server()
        self.server.start()

    def stop(self):
        if self.server is not None:
            self.server.stop()

    def chain(self, cn, key=None, **how):
        """A chain for the host; `key`: of the same key as that one."""
        before = lab_pki.new_key
        if key is not None:
            lab_pki.new_key = lambda _kind: self.keys[key.leaf]
        try:
            made = self.pki.chain(Chain(cn=cn, **how), HOST, "good.test")
        finally:
            lab_pki.new_key = before
        self.keys[made.leaf] = serialization.load_pem_private_key(
            made.file.read_bytes(), None)
        return made

    def put(self, made):
        """Into place as certbot does it, the key last."""
        for name in ("chain.pem", "key.pem"):
            new = self.live / f"{name}.new"
            new.write_bytes(made.file.read_bytes())
            new.chmod(0o600)  # who asks DNS is somebody else, and needs no key
            new.rename(self.live / name)

    def config(self, **renewal):
        return {
            "hostname": HOST, "ca_file": str(self.root),
            "certificate mx": {"chain": str(self.live / "chain.pem"),
                               "key": str(self.live / "key.pem"),
                               "root": str(self.root)},
            "domain good.test": {"deliver": "discard"},
            "resolver": {"forward .": {"server": [f"127.0.0.1:{self.server.port}"]},
                         "trust_anchor": str(self.tree.anchor), "timeout": "5s"},
            "renewal": {"tlsa": True, "mta_sts": False, "settle": "200ms",
                        "retry": "300ms", "timeout": "10s", **renewal}}


@pytest.fixture
def place(tmp_path, started):
    if signed_tree.missing_tools():
        pytest.skip(f"{signed_tree.missing_tools()} is not installed")
    tmp_path.chmod(0o755)
    made = Place(tmp_path)
    started.append(made)
    return made


def shown(server, talk=None):
    """The common name of the certificate that is presented."""
    talk = talk or Talk(server.port)
    talk.hello()
    talk.starttls(HOST)
    names = lab_pki.x509.load_der_x509_certificate(
        talk.sock.getpeercert(binary_form=True)).subject
    talk.expect(221, "QUIT")
    return names.rfc4514_string().removeprefix("CN=")


def wait_shown(server, name):
    """Those that end take connections for a moment."""
    wait_until(lambda: shown(server) == name, f"{name} is presented")


def status(server):
    return json.loads(server.ctl("--json", "status", check=False).stdout.splitlines()[-1])


def only_case(server):
    one, = status(server).get("renewals", [None])
    return one


def begin(danelaw, place, old, *tlsa, **renewal):
    """A daemon with this chain in use, and these records."""
    place.records(*tlsa)
    place.put(old)
    place.serve()
    server = danelaw(place.config(**renewal))
    assert shown(server) == old.leaf.subject.rfc4514_string()[3:]
    return server


def test_the_same_key_comes_into_use_by_itself(danelaw, place):
    """And what talks to us meanwhile goes on."""
    old = place.chain("old")
    server = begin(danelaw, place, old, key_record(old))
    with Talk(server.port) as talk:
        talk.hello()
        talk.starttls(HOST)
        place.put(place.chain("new", key=old))
        server.wait_event("certificate-renewed", certificate="mx")
        wait_shown(server, "new")
        talk.expect(250, "MAIL FROM:<a@client.example>")
        talk.expect(250, "RCPT TO:<b@good.test>")
        talk.expect(354, "DATA")
        talk.expect(250, "Subject: x\r\n\r\nx\r\n.")
        talk.expect(221, "QUIT")
    assert "renewals" not in status(server)
    assert server.ctl("status").returncode == 0


def test_a_key_swap_is_refused_and_the_old_one_answers(danelaw, place):
    """RFC 7671 8.1: the record first, then two TTLs, then the key."""
    old, new = place.chain("old"), place.chain("new")
    server = begin(danelaw, place, old, key_record(old))
    place.put(new)
    line = server.wait_event("certificate-refused", certificate="mx", rule="tlsa")
    assert f"no TLSA record of {HOST} matches the new chain" in line["reason"]
    assert shown(server) == "old"
    done = server.ctl("status", check=False)
    assert done.returncode == 1 and "state: degraded" in done.stdout
    assert re.search(r"since (now|\d+ seconds? ago)$", done.stdout, re.M), done.stdout
    case = only_case(server)
    assert (case["certificate"], case["state"], case["rule"]) == ("mx", "refused", "tlsa")
    wanted = f"publish first, beside the records there: {OWNER} 1 IN TLSA {key_record(new)}"
    assert case["remedy"].startswith(wanted)
    assert "two TTLs (2 s) after that is seen, not before " in case["remedy"]
    assert wanted in done.stdout
    place.records(key_record(old), key_record(new))
    server.wait_event("certificate-waits", certificate="mx", rule="caches")
    assert 'danelaw_renewals_total{result="waited"} 1' in server.ctl("metrics").stdout
    server.wait_event("certificate-renewed")
    wait_shown(server, "new")
    assert "renewals" not in status(server)
    wait_until(lambda: status(server)["state"] == "running", "all is well")


def test_a_ttl_of_a_week_is_a_week(danelaw, place):
    """Whatever a resolver of ours would keep it for."""
    old, new = place.chain("old"), place.chain("new")
    place.tree.zones["good.test."].ttl = 604800
    server = begin(danelaw, place, old, key_record(old))
    place.put(new)
    server.wait_event("certificate-refused", certificate="mx", rule="tlsa")
    assert "two TTLs (1209600 s) after that is seen" in only_case(server)["remedy"]


def test_a_reload_is_held_to_it_too(danelaw, place):
    """The rest of the configuration comes into force, with the old chain."""
    old, new = place.chain("old"), place.chain("new")
    server = begin(danelaw, place, old, key_record(old), watch=False, retry="1h")
    place.put(new)
    server.write_config({**place.config(watch=False, retry="1h"),
                         "domain other.test": {"deliver": "discard"}})
    server.process.send_signal(signal.SIGHUP)
    server.wait_event("reloaded")
    assert only_case(server)["rule"] == "tlsa"
    assert shown(server) == "old"
    with Talk(server.port) as talk:
        talk.hello()
        talk.expect(250, "MAIL FROM:<a@client.example>")
        talk.expect(250, "RCPT TO:<b@other.test>")
    # the old one has no say any more: nobody has to wait for caches
    place.records(key_record(new))
    server.process.send_signal(signal.SIGHUP)
    wait_shown(server, "new")
    assert "renewals" not in status(server)


def test_what_cannot_be_looked_up_is_no_permission(danelaw, place):
    """RFC 7672 2.1.1: bogus, or no answer."""
    old, new = place.chain("old"), place.chain("new")
    server = begin(danelaw, place, old, key_record(old))
    zone = place.tree.zones["good.test."]
    zone.strip = "RRSIG"
    place.records(key_record(old), key_record(new))
    place.put(new)
    line = server.wait_event("certificate-refused", rule="tlsa-unknown")
    assert HOST in line["reason"]
    assert shown(server) == "old"
    zone.strip = ""
    place.records(key_record(old), key_record(new))
    server.wait_event("certificate-renewed")
    wait_shown(server, "new")


@pytest.mark.parametrize("kind", ["signed", "unsigned", "policy"])
def test_the_resolver_is_down(danelaw, place, kind):
    """RFC 7672 2.1.1: until it answers again nobody knows what is promised; the old
    chain answers, and nobody has to lend a hand."""
    place.tree.zones["good.test."].signed = kind == "signed"
    old = place.chain("old")
    new = place.chain("new", issuer="self") if kind == "policy" else place.chain("new", key=old)
    server = begin(danelaw, place, old, *[key_record(old)] * (kind != "policy"),
                   tlsa=kind != "policy", mta_sts=kind == "policy", timeout="2s")
    place.stop()
    place.put(new)
    rule, whose = ("mta-sts-unknown", "good.test has") if kind == "policy" \
        else ("tlsa-unknown", HOST)
    line = server.wait_event("certificate-refused", certificate="mx", rule=rule)
    assert whose in line["reason"] and "again by" in line["remedy"], line
    assert shown(server) == "old"
    case = only_case(server)
    assert (case["state"], case["rule"]) == ("refused", rule)
    for told in (server.ctl("status", check=False), server.ctl("certs", check=False),
                 server.ctl("reload", check=False)):
        assert told.returncode == 1
        assert case["reason"] in told.stdout and case["remedy"] in told.stdout, told.stdout
    assert "state: degraded" in server.ctl("status", check=False).stdout
    assert shown(server) == "old"
    time.sleep(1)   # what was loaded anew looks at the files once more
    wait_until(lambda: not gates(server), "nobody asks")
    place.server.start()
    server.wait_event("certificate-renewed", 60)
    wait_shown(server, "new")
    assert "renewals" not in status(server)
    assert server.ctl("certs", check=False).stdout.count("refused") == 0
    wait_until(lambda: status(server)["state"] == "running", "all is well")


def test_the_resolver_is_down_at_the_start(danelaw, place):
    """What is in use anyway is no alarm, and what is true of it is learnt in time."""
    old = place.chain("old")
    place.records(key_record(place.chain("other")))
    place.put(old)
    place.serve()
    place.stop()
    server = danelaw(place.config(timeout="2s"))
    line = server.wait_event("certificate-unknown", certificate="mx", rule="tlsa-unknown")
    assert line["level"] == "warn" and HOST in line["reason"], line
    assert status(server)["state"] == "running" and shown(server) == "old"
    assert not server.events("certificate-contradicts")
    place.server.start()
    line = server.wait_event("certificate-contradicts", 60, rule="tlsa")
    assert line["level"] == "error" and key_record(old) in line["remedy"]
    assert status(server)["state"] == "degraded" and only_case(server)["state"] == "in use"


def test_an_unsigned_zone_promises_nothing(danelaw, place):
    """RFC 7672 2.2.2"""
    place.tree.zones["good.test."].signed = False
    old = place.chain("old")
    server = begin(danelaw, place, old, key_record(old))
    place.put(place.chain("new"))
    server.wait_event("certificate-renewed")
    wait_shown(server, "new")


def test_half_a_renewal_is_not_loaded(danelaw, place):
    old = place.chain("old")
    new = place.chain("new", key=old)
    server = begin(danelaw, place, old, key_record(old))
    text = new.file.read_bytes()
    chain = place.live / "chain.pem"
    chain.write_bytes(text[:len(text) - 100])
    server.wait_event("certificate-refused", rule="files")
    assert shown(server) == "old"
    assert status(server)["state"] == "degraded"
    chain.write_bytes(text)
    server.wait_event("certificate-renewed")
    wait_shown(server, "new")
    # of another key, whose own file is late
    other = place.chain("other")
    place.records(key_record(old), key_record(other))
    before = len(server.events("certificate-refused"))
    chain.write_bytes(other.file.read_bytes())
    wait_until(lambda: len(server.events("certificate-refused")) > before, "it does not fit")
    assert "the key does not belong" in server.events("certificate-refused")[-1]["reason"]
    assert shown(server) == "new"
    place.put(other)
    wait_shown(server, "other")


def test_half_a_renewal_is_told_before_any_lookup_ends(danelaw, place):
    """Right after a start the certificate in use is looked at, and DNS may be silent."""
    old, new = place.chain("old"), place.chain("new")
    place.put(old)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        place.server = SimpleNamespace(port=silent.getsockname()[1], stop=lambda: None)
        config = place.config(timeout="25s")
        config["resolver"].update(timeout="25s", trust_anchor="")
        server = danelaw(config)
        begun = time.monotonic()
        (place.live / "chain.pem").write_bytes(new.file.read_bytes()[:-100])
        server.wait_event("certificate-refused", rule="files")
        assert time.monotonic() - begun < 10
        assert not server.events("certificate-contradicts")
        # What is in use is looked at all the same, and what is there after it.
        place.put(old)
        wait_until(lambda: status(server)["state"] == "running", "all is well")
        assert not server.events(level="error", role="gate-0")
    assert shown(server) == "old"


def test_links_are_followed(danelaw, place):
    """As certbot has it: live/ is links into archive/."""
    old = place.chain("old")
    new = place.chain("new", key=old)
    archive = place.live.parent / "archive"
    archive.mkdir()
    for n, made in enumerate((old, new), 1):
        for name in ("chain", "key"):
            (archive / f"{name}{n}.pem").write_bytes(made.file.read_bytes())

    def link(n):
        for name in ("chain", "key"):
            path = place.live / f"{name}.pem"
            path.unlink(missing_ok=True)
            path.symlink_to(f"../archive/{name}{n}.pem")
    place.records(key_record(old))
    link(1)
    place.serve()
    server = danelaw(place.config())
    assert shown(server) == "old"
    link(2)
    server.wait_event("certificate-renewed")
    wait_shown(server, "new")


def test_at_the_start_it_is_said_and_used(danelaw, place):
    """There is nothing else to present."""
    old, wanted = place.chain("old"), place.chain("wanted")
    server = begin(danelaw, place, old, key_record(wanted))
    line = server.wait_event("certificate-contradicts", certificate="mx", rule="tlsa")
    assert line["remedy"] == f"publish: {OWNER} 1 IN TLSA {key_record(old)}"
    case = only_case(server)
    assert (case["state"], case["rule"]) == ("in use", "tlsa")
    assert status(server)["state"] == "degraded"
    place.put(wanted)
    server.wait_event("certificate-renewed")
    wait_shown(server, "wanted")
    wait_until(lambda: status(server)["state"] == "running", "all is well")


def test_a_new_certificate_that_contradicts_is_no_configuration(danelaw, place):
    """There is no older one to take its place."""
    old, new = place.chain("old"), place.chain("new")
    server = begin(danelaw, place, old, key_record(old))
    config = place.config()
    config["certificate second"] = {**config["certificate mx"], "chain": str(new.file),
                                    "key": str(new.file)}
    server.write_config(config)
    server.process.send_signal(signal.SIGHUP)
    line = server.wait_event("reload-refused")
    assert 'certificate "second": no TLSA record' in line["reason"]
    assert "publish" in status(server)["reload_problem"]


def test_two_kinds_of_records(danelaw, place):
    """RFC 7671 8: each has to match by itself; what does not is said."""
    old, new = place.chain("old"), place.chain("new")
    server = begin(danelaw, place, old, key_record(old), key_record(old, 3, 0, "sha512"))
    place.put(new)
    server.wait_event("certificate-refused", rule="tlsa")
    remedy = only_case(server)["remedy"]
    assert key_record(new) in remedy and key_record(new, 3, 0, "sha512") in remedy
    place.records(key_record(old), key_record(new), key_record(old, 3, 0, "sha512"))
    line = server.wait_event("certificate-warning", certificate="mx")
    assert line["reason"].endswith("with the parameters 3 0 2 matches")
    wait_shown(server, "new")


@pytest.mark.parametrize("mode", ["enforce", "testing", "none"])
def test_a_policy_of_ours_is_held_to(danelaw, place, started, mode):
    """RFC 8461 4.2: self-signed is not what a policy promises; in mode none it does."""
    host = PolicyHost(place.pki)
    started.append(host)
    host.behaviours = {"good": (answer(
        f"version: STSv1\r\nmode: {mode}\r\nmx: {HOST}\r\nmax_age: 86400\r\n".encode()),)}
    place.more = ["mta-sts A 127.0.0.1", '_mta-sts TXT "v=STSv1; id=1;"']
    old = place.chain("old")
    place.records()
    place.put(old)
    place.serve()
    server = danelaw({**place.config(mta_sts=True), "mta_sts": {"port": host.port}})
    assert shown(server) == "old"
    place.put(place.chain("new", issuer="self"))
    if mode == "none":
        server.wait_event("certificate-renewed")
        wait_shown(server, "new")
        return
    line = server.wait_event("certificate-refused")
    assert line["rule"] == {"enforce": "mta-sts", "testing": "mta-sts-testing"}[mode]
    assert f"in mode {mode}, and the new chain is not valid for {HOST}" in line["reason"]
    assert shown(server) == "old"
    place.put(place.chain("third"))
    server.wait_event("certificate-renewed")
    wait_shown(server, "third")


@pytest.mark.parametrize("after", ["none", "no record"])
def test_a_policy_of_before_is_waited_for(danelaw, place, started, after):
    """RFC 8461 8.3: mode none frees nobody who has one in mode enforce yet."""
    host = PolicyHost(place.pki)
    started.append(host)

    def say(*lines):
        text = "".join(f"{line}\r\n" for line in ("version: STSv1", "max_age: 4", *lines))
        host.behaviours = {"good": (answer(text.encode()),)}
    say("mode: enforce", f"mx: {HOST}")
    record = '_mta-sts TXT "v=STSv1; id=1;"'
    place.more = ["mta-sts A 127.0.0.1", record]
    old = place.chain("old")
    place.records()
    place.put(old)
    place.serve()
    server = danelaw({**place.config(mta_sts=True), "mta_sts": {"port": host.port}})
    place.put(place.chain("new", issuer="self"))
    server.wait_event("certificate-refused", rule="mta-sts")
    assert "for the max_age of the old one (4 s), not before " in only_case(server)["remedy"]
    if after == "none":
        say("mode: none")
    else:
        place.more.remove(record)
        place.records()
    line = server.wait_event("certificate-waits", certificate="mx", rule="caches")
    assert "but one of before does" in line["reason"]
    assert shown(server) == "old"
    server.wait_event("certificate-renewed")
    wait_shown(server, "new")


def test_the_policy_cannot_be_had(danelaw, place):
    """Of a record and no policy host nobody knows what is promised."""
    place.more = ["mta-sts A 127.0.0.1", '_mta-sts TXT "v=STSv1; id=1;"']
    old = place.chain("old")
    place.records()
    place.put(old)
    place.serve()
    server = danelaw({**place.config(mta_sts=True), "mta_sts": {"port": 9}})
    place.put(place.chain("new", issuer="self"))
    server.wait_event("certificate-refused", rule="mta-sts-unknown")
    assert shown(server) == "old"
    place.put(place.chain("third"))  # whoever asks for what is fine with it
    server.wait_event("certificate-renewed")
    wait_shown(server, "third")


def test_the_gate_can_be_turned_off(danelaw, place):
    old = place.chain("old")
    server = begin(danelaw, place, old, key_record(old), tlsa=False)
    place.put(place.chain("new"))
    server.wait_event("certificate-renewed")
    wait_shown(server, "new")


def test_reload_as_a_command(danelaw, place):
    """It says what did not come along; --force brings it along."""
    old, new = place.chain("old"), place.chain("new")
    server = begin(danelaw, place, old, key_record(old), watch=False, retry="1h")
    assert server.ctl("reload").returncode == 0
    place.put(new)
    done = server.ctl("reload", check=False)
    assert done.returncode == 1
    assert "state: degraded" in done.stdout and key_record(new) in done.stdout
    assert shown(server) == "old"
    listed = json.loads(server.ctl("certs", "--json", check=False).stdout)
    assert (listed["name"], listed["renewal"]["state"]) == ("mx", "refused")
    done = server.ctl("certs", check=False)
    assert done.returncode == 1 and "refused: no TLSA record of" in done.stdout
    done = server.ctl("--json", "reload", "--force", check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    wait_shown(server, "new")
    server.wait_event("certificate-contradicts", certificate="mx")
    assert only_case(server)["state"] == "in use"
    # a pair that is none is no matter of force
    (place.live / "key.pem").write_bytes(old.file.read_bytes())
    done = server.ctl("reload", "--force", check=False)
    assert done.returncode == 1 and "does not belong to the certificate" in done.stderr
    assert shown(server) == "new"


def test_two_who_ask_for_a_reload_are_both_answered(danelaw, place):
    """The second hears of a reload that has begun after it asked."""
    old = place.chain("old")
    server = begin(danelaw, place, old, key_record(old), watch=False)
    place.put(place.chain("new", key=old))
    asked = [server.ctl_popen("reload", "--json") for _ in range(3)]
    for one in asked:
        said, _ = one.communicate(timeout=60)
        assert one.returncode == 0 and json.loads(said)["generation"] >= 2
    wait_shown(server, "new")


def gates(server):
    """The processes that look up what is published."""
    task = pathlib.Path(f"/proc/{server.process.pid}/task/{server.process.pid}")
    found = []
    for pid in (task / "children").read_text().split():
        try:
            words = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        except (FileNotFoundError, ProcessLookupError):
            continue
        if b"gate" in words:
            found.append(int(pid))
    return found


def test_a_gate_that_is_cancelled_is_no_alarm(danelaw, place):
    """A reload does not wait for what is asked of the chain in use."""
    old = place.chain("old")
    place.records(key_record(old))
    place.put(old)
    place.serve()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        config = place.config(timeout="60s", retry="1h")
        config["resolver"]["forward ."]["server"] = [f"127.0.0.1:{silent.getsockname()[1]}"]
        config["resolver"]["timeout"] = "50s"
        config["renewal"]["watch"] = False
        config["log_level"] = "debug"
        server = danelaw(config)
        wait_until(lambda: gates(server), "it asks")
        server.process.send_signal(signal.SIGHUP)
        server.wait_event("gate-cancelled")
    assert server.events("supervisor-gone") == []


@pytest.mark.parametrize("dies", [True, False])
def test_nobody_answers(danelaw, place, dies):
    """RFC 7672 2.1.1: neither DNS, nor the process that asks it."""
    old = place.chain("old")
    place.records(key_record(old))
    place.put(old)
    place.serve()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        config = place.config(timeout="60s" if dies else "1s", retry="1h")
        config["resolver"]["forward ."]["server"] = [f"127.0.0.1:{silent.getsockname()[1]}"]
        config["resolver"]["timeout"] = "50s"
        config["renewal"]["watch"] = False
        config["renewal"]["tlsa"] = False  # nothing is looked up at the start
        server = danelaw(config)
        config["renewal"]["tlsa"] = True
        server.write_config(config)
        place.put(place.chain("new", key=old))
        server.process.send_signal(signal.SIGHUP)
        if dies:
            os.kill(wait_until(lambda: gates(server), "it asks")[0], signal.SIGKILL)
        line = server.wait_event("certificate-refused", rule="tlsa-unknown")
        assert ("has ended" if dies else "no answer in time") in line["reason"]
        assert shown(server) == "old"
        server.wait_event("reloaded")
        assert shown(server) == "old"
        assert gates(server) == []
