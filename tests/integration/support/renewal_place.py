"""A daemon whose certificate is renewed, beside what its zone publishes of it."""
import hashlib
import json
import pathlib
import sys

import pytest
from cryptography.hazmat.primitives import serialization

from support.talk import Talk
from support.wait import wait_until

ROOT = pathlib.Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))
sys.path.insert(0, str(ROOT / "support"))
import signed_tree  # noqa: E402
from lab import pki as lab_pki  # noqa: E402
from lab.pki import Chain, Pki, pem  # noqa: E402
from lab.policy_host import PolicyHost, answer  # noqa: E402,F401  for the tests

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
