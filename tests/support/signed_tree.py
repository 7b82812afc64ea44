#!/usr/bin/python3
"""A small DNS tree of our own: signed with ldns, served by NSD on loopback.

    tree = SignedTree(folder)
    tree.zone(".")
    tree.zone("test.")
    tree.zone("good.test.", "@ MX 10 mx\nmx A 127.0.0.1\n")
    tree.zone("plain.test.", "@ MX 10 mx\nmx A 127.0.0.1\n", signed=False)
    with tree.serve() as server:
        ...  # ask 127.0.0.1 at server.port; trust tree.anchor

Each zone below another gets its delegation there, and its DS records when it
is signed.  One server answers for all of them.  Its port is not 53, and a
delegation cannot say so: a resolver needs every name of tree.zones as a stub
zone with that server.  Nothing here needs root.

Run as a program, it serves the tree of standard_tree() until its standard
input ends; it prints "port N", "anchor FILE", "zone NAME" for each zone and
"ready", or "skip WHY".
"""
import base64
import concurrent.futures
import contextlib
import hashlib
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass, field

ALGORITHM = "ECDSAP256SHA256"
DAY = 86400
OTHER_DS = {
    "wrong": "12345 13 2 " + "AB" * 32,
    "algorithm": "12345 253 2 " + "AB" * 32,     # nobody knows it
    "digest": "12345 13 99 " + "AB" * 32,
}
WORKERS = os.cpu_count() or 2


# ldns writes a TLSA record without data in words that NSD does not read.
NO_DATA = re.compile(r"\bTLSA\t(\d+) (\d+) (\d+) *$", re.M)


def _generic(match):
    return "TYPE52 \\# 3 " + "".join(f"{int(n):02x}" for n in match.groups())


def missing_tools():
    """The first program we need and have not, or None."""
    if not nsd_program():
        return "nsd"
    for tool in ("ldns-keygen", "ldns-signzone"):
        if not shutil.which(tool):
            return tool
    return None


def nsd_program():
    return shutil.which("nsd") or shutil.which(
        "nsd", path="/usr/sbin:/usr/local/sbin:/sbin")


@dataclass
class Zone:
    """A zone: its records, and how it is wrong if it is."""
    name: str
    records: str = ""
    signed: bool = True
    nsec3: bool = False
    ds: str = "right"            # "none", or a key of OTHER_DS: in the parent
    expired: bool = False        # signatures that ended yesterday
    early: bool = False          # signatures that begin in three days
    opt_out: bool = False        # NSEC3 that leaves unsigned children out
    spoil: tuple = ()            # (old, new) in the text after signing
    strip: str = ""              # types to lose after signing: "RRSIG", "A|MX"
    served: bool = True          # False: the server knows it, has no data
    ttl: int = 60
    keys: list = field(default_factory=list)

    @property
    def label(self):
        return "root" if self.name == "." else self.name.rstrip(".")


class SignedTree:
    """Zones in a folder of their own."""

    def __init__(self, folder, one_key=False, minimal=False):
        """one_key: all zones share a key pair, which is quick to make.
        minimal: no answer names the servers of a zone, so that a resolver
        can live with a stub zone for "." alone."""
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.zones = {}
        self.one_key = one_key
        self.minimal = minimal

    def zone(self, name, records="", **how):
        """Add a zone; relative names and "@" as in a zone file."""
        self.zones[name] = Zone(name, records, **how)
        return self.zones[name]

    @property
    def anchor(self):
        return self.folder / "anchor.key"

    def parent(self, name):
        """The closest zone above, or None."""
        labels = name.rstrip(".").split(".")
        if name == ".":
            return None
        for n in range(1, len(labels) + 1):
            above = ".".join(labels[n:]) + "."
            if above in self.zones:
                return self.zones[above]
        return None

    def _tool(self, *command):
        done = subprocess.run(command, cwd=self.folder, text=True, check=False,
                              capture_output=True, timeout=60)
        if done.returncode:
            raise RuntimeError(f"{' '.join(map(str, command))}: "
                               f"{done.stdout}{done.stderr}")
        return done.stdout.strip()

    def new_key(self, zone):
        """The name of a key pair of its own, published by nobody yet."""
        return self._tool("ldns-keygen", "-k", "-a", ALGORITHM, "-r",
                          "/dev/urandom", zone.name)

    def _make_key(self, zone):
        first = next((z for z in self.zones.values() if z.keys), None)
        if self.one_key and first is not None:
            zone.keys = [self._same_key(first, zone)]
        else:
            zone.keys = [self.new_key(zone)]

    def _same_key(self, first, zone):
        """The key of another zone, said to be this one's."""
        old, = first.keys
        new = f"K{zone.name}+{old.partition('+')[2]}"
        text = (self.folder / f"{old}.key").read_text()
        data = text.split("DNSKEY")[1].split(";")[0].split()
        (self.folder / f"{new}.key").write_text(
            f"{zone.name} IN DNSKEY {' '.join(data)}\n")
        shutil.copy(self.folder / f"{old}.private", self.folder / f"{new}.private")
        wire = b"".join(bytes([len(x)]) + x.encode()
                        for x in zone.name.lower().split(".") if x) + b"\0"
        head = int(data[0]).to_bytes(2, "big") + bytes([int(data[1]), int(data[2])])
        digest = hashlib.sha256(
            wire + head + base64.b64decode("".join(data[3:]))).hexdigest()
        tag = int(new.rpartition("+")[2])
        (self.folder / f"{new}.ds").write_text(
            f"{zone.name} IN DS {tag} {data[2]} 2 {digest}\n")
        return new

    def _ds(self, zone):
        """What the parent says of a zone's keys, as record data."""
        if not zone.signed or zone.ds == "none":
            return []
        if zone.ds in OTHER_DS:
            return [OTHER_DS[zone.ds]]
        return [(self.folder / f"{base}.ds").read_text().split("DS")[1].strip()
                for base in zone.keys]

    def _text(self, zone):
        lines = [f"$ORIGIN {zone.name}", f"$TTL {zone.ttl}",
                 "@ SOA ns.dns-lab.test. lab.dns-lab.test. "
                 f"1 3600 900 86400 {zone.ttl}",
                 "@ NS ns.dns-lab.test.", zone.records]
        for child in self.zones.values():
            if child is zone or self.parent(child.name) is not zone:
                continue
            lines.append(f"{child.name} NS ns.dns-lab.test.")
            lines += [f"{child.name} DS {data}" for data in self._ds(child)]
        return "\n".join(lines) + "\n"

    def _sign(self, zone, path):
        now = int(time.time())
        begin, end = now - DAY, now + 30 * DAY
        if zone.expired:
            begin, end = now - 9 * DAY, now - DAY
        elif zone.early:
            begin, end = now + 3 * DAY, now + 30 * DAY
        signed = path.with_suffix(".signed")
        how = ["-n", "-t", "0"] if zone.nsec3 or zone.opt_out else []
        if zone.opt_out:
            how.append("-p")
        self._tool("ldns-signzone", *how, "-i", str(begin), "-e", str(end),
                   "-o", zone.name, "-f", signed.name, path.name, *zone.keys)
        text = signed.read_text()
        if NO_DATA.search(text):
            signed.write_text(NO_DATA.sub(_generic, text))
        return signed

    def _write_zone(self, zone):
        path = self.folder / f"{zone.label}.zone"
        path.write_text(self._text(zone))
        if zone.signed:
            path = self._sign(zone, path)
        if zone.spoil:
            old, new = zone.spoil
            text = path.read_text()
            if old not in text:
                raise RuntimeError(f"{zone.name}: nothing to spoil: {old}")
            path.write_text(text.replace(old, new))
        if zone.strip:
            lost = re.compile(rf"\S+\s+\d+\s+IN\s+({zone.strip})\b")
            path.write_text("".join(
                line for line in path.read_text().splitlines(True)
                if not lost.match(line)))
        return path

    def write(self):
        """Make the keys once, then every zone file; returns {name: path}."""
        for zone in self.zones.values():
            if zone.signed and not zone.keys:
                self._make_key(zone)
        root = self.zones.get(".")
        if root is not None and root.signed and not self.anchor.exists():
            self.anchor.write_text("".join(
                (self.folder / f"{base}.ds").read_text() for base in root.keys))
        served = [zone for zone in self.zones.values() if zone.served]
        with concurrent.futures.ThreadPoolExecutor(WORKERS) as pool:
            return dict(zip([zone.name for zone in served],
                            pool.map(self._write_zone, served)))

    def rewrite(self, name):
        """Write one zone anew, after a change of its records."""
        return self._write_zone(self.zones[name])

    def server(self):
        """The name server of this tree, not yet started."""
        return Server(self)

    @contextlib.contextmanager
    def serve(self):
        """Write everything and run the server for the length of the block."""
        server = self.server()
        server.start()
        try:
            yield server
        finally:
            server.stop()


def free_port():
    """A port of 127.0.0.1 that was free for UDP and TCP a moment ago."""
    while True:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp, \
                socket.socket(socket.AF_INET, socket.SOCK_STREAM) as tcp:
            udp.bind(("127.0.0.1", 0))
            port = udp.getsockname()[1]
            try:
                tcp.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


class Server:
    """One NSD for all zones of a tree, in the foreground of its own."""

    def __init__(self, tree):
        self.tree = tree
        self.port = 0
        self.process = None

    def _configuration(self, files):
        folder = self.tree.folder
        lines = ["server:", f"  ip-address: 127.0.0.1@{self.port}",
                 '  username: ""', '  chroot: ""', '  database: ""',
                 f'  zonesdir: "{folder}"', '  pidfile: ""',
                 f'  zonelistfile: "{folder}/zone.list"',
                 f'  xfrdfile: "{folder}/xfrd.state"',
                 f'  xfrdir: "{folder}"', f'  logfile: "{folder}/nsd.log"',
                 "  server-count: 1", "  verbosity: 1",
                 f"  minimal-responses: {'yes' if self.tree.minimal else 'no'}",
                 "  rrl-ratelimit: 0",
                 "remote-control:", "  control-enable: no"]
        for name in self.tree.zones:
            path = files.get(name, folder / "not-there.zone")
            lines += ["zone:", f'  name: "{name}"', f'  zonefile: "{path}"']
        path = folder / "nsd.conf"
        path.write_text("\n".join(lines) + "\n")
        return path

    def start(self):
        """Where it was before, if it was."""
        files = self.tree.write()
        for _ in range(5):
            self.port = self.port or free_port()
            # pylint: disable-next=consider-using-with
            self.process = subprocess.Popen(
                [nsd_program(), "-d", "-c", str(self._configuration(files))],
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL)
            if self._answers():
                return
            self.stop()
            self.port = 0
        log = self.tree.folder / "nsd.log"
        raise RuntimeError("nsd does not answer: " +
                           (log.read_text()[-2000:] if log.exists() else ""))

    def publish(self):
        """Make and sign all zones again and have them served."""
        self.tree.write()
        self.process.send_signal(signal.SIGHUP)

    def _answers(self):
        """Wait until it says anything at all about the root."""
        question = bytes.fromhex("123400000001000000000000" "00" "00060001")
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
            udp.settimeout(0.1)
            udp.connect(("127.0.0.1", self.port))
            for _ in range(100):
                if self.process.poll() is not None:
                    return False
                try:
                    udp.send(question)
                    return udp.recv(4096)[:2] == question[:2]
                except ConnectionRefusedError:
                    time.sleep(0.1)
                except TimeoutError:
                    pass
        return False

    def reload(self):
        """Read the zone files that have changed; returns at once."""
        self.process.send_signal(signal.SIGHUP)

    def stop(self):
        if self.process is None:
            return
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process = None


def standard_tree(folder):
    """One zone for each state an answer can have, and for each odd answer."""
    mail = "@ MX 10 mx\nmx A 192.0.2.1\nmx AAAA 2001:db8::1\n"
    tree = SignedTree(folder)
    tree.zone(".")
    tree.zone("test.", "dns-lab A 127.0.0.1\nns.dns-lab A 127.0.0.1\n")
    tree.zone("good.test.", mail +
              "several MX 20 mx2\nseveral MX 10 mx\nseveral MX 10 MX3.Good.Test.\n"
              "null MX 0 .\nalias CNAME good.test.\nout CNAME plain.test.\n"
              "loop CNAME loop2\nloop2 CNAME loop\ntxt TXT \"hello\"\n"
              "dangling CNAME nothing\n"
              "odd CNAME a\\.b\na\\.b MX 10 mx\n"
              "moved CNAME mx.nsec3.test.\ntwice CNAME moved\n"
              "hosted CNAME mx.plain.test.\ndeep CNAME hosted\n"
              "through CNAME back.plain.test.\n"
              "to-bogus CNAME mx.spoiled.test.\n"
              "to-failed CNAME mx.servfail.test.\n"
              "dname DNAME nsec3.test.\nleave DNAME plain.test.\n")
    tree.zone("nsec3.test.", mail, nsec3=True)
    tree.zone("plain.test.", mail + "back CNAME mx.good.test.\n"
              "dname DNAME good.test.\n", signed=False)
    tree.zone("spoiled.test.", mail, spoil=("192.0.2.1", "192.0.2.66"))
    tree.zone("wrong-ds.test.", mail, ds="wrong")
    tree.zone("expired.test.", mail + "away CNAME mx.plain.test.\n",
              expired=True)
    tree.zone("early.test.", mail, early=True)
    tree.zone("unsigned-lie.test.", mail, strip="RRSIG")
    tree.zone("no-key.test.", mail, strip="DNSKEY")
    tree.zone("no-proof.test.", mail, strip="NSEC")
    tree.zone("algorithm.test.", mail, ds="algorithm")
    tree.zone("digest.test.", mail, ds="digest")
    tree.zone("island.test.", mail, ds="none")
    tree.zone("wild.test.", mail + "*.any A 192.0.2.9\n*.any MX 10 mx\n")
    tree.zone("opt-out.test.", mail + "*.any A 192.0.2.9\n", opt_out=True)
    tree.zone("child.opt-out.test.", mail, signed=False)
    tree.zone("below.island.test.", mail)
    tree.zone("servfail.test.", signed=False, served=False)
    return tree


def main():
    missing = missing_tools()
    if missing:
        print(f"skip {missing} is not installed", flush=True)
        return
    tree = standard_tree(sys.argv[1])
    with tree.serve() as server:
        print(f"port {server.port}\nanchor {tree.anchor}")
        for name in tree.zones:
            print(f"zone {name}")
        print("ready", flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main()
