"""NSD as an authoritative server of test zones on a loopback port."""
import pathlib
import shutil
import socket
import struct
import subprocess

from .wait import free_port, wait_until

CONFIG = """\
server:
    ip-address: 127.0.0.1@{port}
    do-ip6: no
    server-count: 1
    username: ""
    chroot: ""
    zonesdir: "{dir}"
    pidfile: ""
    logfile: "{dir}/nsd.log"
    database: ""
    xfrdfile: "{dir}/xfrd.state"
    xfrdir: "{dir}"
    zonelistfile: "{dir}/zone.list"
    hide-version: yes
remote-control:
    control-enable: no
"""
ZONE = 'zone:\n    name: "{name}"\n    zonefile: "{file}"\n'
HEAD = """\
$ORIGIN {origin}
$TTL 60
@ SOA ns.{origin} hostmaster.{origin} 1 3600 600 86400 60
@ NS ns.{origin}
ns.{origin} A 127.0.0.1
"""


def program():
    return shutil.which("nsd", path="/usr/sbin:/usr/bin")


def _query(name):
    """A question for the SOA of a name, on the wire."""
    labels = b"".join(bytes([len(x)]) + x.encode()
                      for x in name.strip(".").split(".") if x)
    return struct.pack(">HHHHHH", 7, 0, 1, 0, 0, 0) + labels + b"\0" + \
        struct.pack(">HH", 6, 1)


class Nsd:
    """zones: {"test.example": "lines of a zone file"}; apex SOA, NS are added."""

    def __init__(self, folder, zones, port=None):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.port = port or free_port()
        self.server = f"127.0.0.1:{self.port}"
        self.zones = list(zones)
        text = CONFIG.format(port=self.port, dir=self.folder)
        for name, records in zones.items():
            file = f"{name.strip('.') or 'root'}.zone"
            origin = name.strip(".") + "."
            (self.folder / file).write_text(
                HEAD.format(origin=origin).replace("ns..", "ns.") + records + "\n")
            text += ZONE.format(name=name, file=file)
        self.config = self.folder / "nsd.conf"
        self.config.write_text(text)
        self.start()

    def start(self):
        """Once more, after stop()."""
        self.process = subprocess.Popen(
            [program(), "-d", "-c", str(self.config)], stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL)
        wait_until(self._answers, "NSD answers", 10)

    def _answers(self):
        assert self.process.poll() is None, \
            (self.folder / "nsd.log").read_text(errors="replace")
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.settimeout(0.2)
            try:
                s.sendto(_query(self.zones[0]), ("127.0.0.1", self.port))
                return s.recv(512)[3] & 0x0f == 0
            except OSError:
                return False

    def resolver(self):
        """The resolver section that finds these zones here; they are unsigned."""
        stubs = {f"stub {name}": {"server": [self.server], "insecure": True}
                 for name in self.zones}
        return {"resolver": stubs}

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
