"""The laboratory: a signed tree, a front that lies, hosts, and a key to it all.

    with Lab(folder, scenarios) as lab:
        lab.config()       # what a danelawd needs to find itself in there
        lab.arrivals         # what reached which host
        lab.front          # DNS: what was asked, and what is lied about
        lab.server("name", "mx")   # a host, to change it under way
        lab.publish("name", {"mx": ("3 1 1",)})  # new TLSA records
        lab.site("name")     # its policy host, to change it under way
        lab.publish("name", id="2")  # it says something else of MTA-STS
"""
import pathlib
import re
import socket
import sys
import warnings

from cryptography.utils import CryptographyDeprecationWarning
from cryptography.hazmat.primitives import hashes, serialization

from . import pki as pki_module
from .front import Front
from .hosts import HostServer, Arrivals
from .sts import SOON, Site, Sites

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

from signed_tree import SignedTree  # noqa: E402

ENCODING = serialization.Encoding
FORMAT = serialization.PublicFormat
FILL = re.compile(r"\{([a-z0-9]+)(?::([^}]*))?\}")
NETWORK = 53  # hosts have addresses from 127.53.0.1 on
POLICY_HOST = 200   # the last octet of a policy host
# Groups of which the authority "root" is one of the public authorities.
TRUSTED = ("roots", "requiretls", "sts", "sts-audit", "sts-attack", "sts-changes")


def selected(certificate, selector):
    """RFC 6698 2.1.2: the whole certificate or its SubjectPublicKeyInfo."""
    if selector == 1:
        return certificate.public_key().public_bytes(
            ENCODING.DER, FORMAT.SubjectPublicKeyInfo)
    return certificate.public_bytes(ENCODING.DER)


def digest(data, matching):
    """RFC 6698 2.1.3: Full(0), SHA2-256(1), SHA2-512(2)."""
    if matching not in (1, 2):
        return data
    hasher = hashes.Hash(hashes.SHA256() if matching == 1 else hashes.SHA512())
    hasher.update(data)
    return hasher.finalize()


def changed(data, words):
    for word in words:
        what, _, value = word.partition(":")
        if what == "flip":
            data = data[:-1] + bytes([data[-1] ^ 1])
        elif what in ("cut", "pad"):
            data = (data + bytes(int(value)))[:int(value)]
        elif what == "hex":
            data = bytes.fromhex(value)
        else:
            raise ValueError(f"no change of TLSA data is called {word}")
    return data


def in_zone_file(usage, selector, matching, data):
    if data:
        return f"TLSA {usage} {selector} {matching} {data.hex()}"
    return f"TYPE52 \\# 3 {usage:02x}{selector:02x}{matching:02x}"


class Lab:
    """Everything of some scenarios, from start() to stop()."""

    def __init__(self, folder, scenarios, port=0, records=""):
        """records: more lines of a zone file, of each scenario's domain; or who
        makes them of the laboratory and a scenario."""
        self.records = records
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.scenarios = {s.name: s for s in scenarios}
        self.pki = pki_module.Pki(self.folder / "tls")
        self.arrivals = Arrivals()
        self.made = {}       # (scenario, host) -> Made
        self.servers = {}    # (scenario, host) -> HostServer
        self.sites = {}      # scenario -> Site
        self.port, self.port2, self.sts_port = ports_for(port)
        self.dns_port = port and port + 2   # 0: any
        self.listeners = Sites(self.sts_port)
        self.tree = SignedTree(self.folder / "dns", one_key=True, minimal=True)
        self.nsd = self.front = None

    # --- names, addresses, text ---

    def address(self, scenario, host):
        """The loopback address of a host; the same in each run."""
        place = list(self.scenarios).index(scenario)
        hosts = [h.name for h in self.scenarios[scenario].hosts]
        last = POLICY_HOST if host == "mta-sts" else 1 + hosts.index(host)
        return f"127.{NETWORK + place // 200}.{place % 200}.{last}"

    def fill(self, scenario, text):
        """A scenario's text with its {words} filled in."""
        def word(match):
            what, rest = match.groups()
            if what == "addr":
                other, _, host = rest.rpartition("/")
                return self.address(other or scenario.name, host)
            if what == "tlsa":
                host, _, words = rest.partition(" ")
                return self.tlsa(scenario.name, host, words).partition(" ")[2]
            return {"domain": scenario.domain, "port": str(self.port),
                    "port2": str(self.port2),
                    "provider": scenario.provider.rstrip(".")}[what]
        return FILL.sub(word, text).replace("~", scenario.provider)

    def full_name(self, scenario, name):
        """A name relative to the scenario's domain, with its last dot."""
        if name in ("", "@"):
            return scenario.domain + "."
        name = name.replace("~", scenario.provider)
        return name if name.endswith(".") else f"{name}.{scenario.domain}."

    def question(self, scenario, text):
        """("full name.", "TYPE") of "name TYPE"."""
        name, kind = self.fill(scenario, text).split()
        return self.full_name(scenario, name).lower(), kind

    # --- certificates and TLSA ---

    def certificate(self, scenario, host, what):
        if what == "leaf":
            return self.made[scenario, host].leaf
        if (scenario, what) in self.made:
            return self.made[scenario, what].leaf
        return self.pki.certificate(what)

    def tlsa(self, scenario, host, text):
        """"TLSA ..." for a zone file."""
        usage, selector, matching, *words = text.split()
        numbers = int(usage), int(selector), int(matching)
        what = "leaf" if numbers[0] & 1 else "root"
        if words and ":" not in words[0] and words[0] != "flip":
            what = words.pop(0)
        data = digest(selected(self.certificate(scenario, host, what),
                               numbers[1]), numbers[2])
        return in_zone_file(*numbers, changed(data, words))

    def make_chains(self):
        """A chain for every host; some are made to be frowned upon."""
        warnings.simplefilter("ignore", CryptographyDeprecationWarning)
        for s in self.scenarios.values():
            for h in s.hosts:
                name = self.full_name(s, h.name).rstrip(".")
                self.made[s.name, h.name] = self.pki.chain(
                    h.chain, name, s.domain)

    def new_chain(self, scenario, host, how):
        """Another chain for a host."""
        s = self.scenarios[scenario]
        return self.pki.chain(how, self.full_name(s, host).rstrip("."), s.domain)

    def root_file(self):
        """A file with the certificate of the authority "root"."""
        path = self.folder / "root.pem"
        path.write_bytes(pki_module.pem(self.pki.certificate("root")))
        return path

    # --- zones ---

    def host_records(self, s, h, tlsa=None):
        name = self.full_name(s, h.name)
        if h.pref is not None:
            yield f"@ MX {h.pref} {name}"
        if h.address:
            yield f"{name} A {self.address(s.name, h.name)}"
        for text in h.tlsa if tlsa is None else tlsa:
            yield (f"_{getattr(self, h.port)}._tcp.{name} "
                   f"{self.tlsa(s.name, h.name, text)}")

    def zone_texts(self, s, tlsa=None):
        """{zone: records}: each record in the zone closest to it."""
        zones = {self.full_name(s, name): [] for name in ("", *s.zones)}
        lines = [line for h in s.hosts for line in
                 self.host_records(s, h, (tlsa or {}).get(h.name))]
        if s.name in self.sites:
            spec = self.sites[s.name].spec
            lines += self.fill(s, "\n".join(spec.records(
                self.address(s.name, "mta-sts")))).splitlines()
        more = self.records(self, s) if callable(self.records) else self.records
        lines += self.fill(s, f"{s.records}\n{more}").splitlines()
        for line in filter(None, map(str.strip, lines)):
            owner = self.full_name(s, line.split()[0])
            zone = max((z for z in zones if owner == z or owner.endswith("." + z)),
                       key=len)
            zones[zone].append(line)
        return {zone: "\n".join([f"$ORIGIN {s.domain}.", *lines])
                for zone, lines in zones.items()}

    def plant(self):
        """All zones of all scenarios."""
        self.tree.zone(".")
        self.tree.zone("test.", "dns-lab A 127.0.0.1\nns.dns-lab A 127.0.0.1\n")
        self.tree.zone("example.", nsec3=True, opt_out=True)
        for s in self.scenarios.values():
            how = {self.full_name(s, ""): s.zone,
                   **{self.full_name(s, n): z for n, z in s.zones.items()}}
            for zone, records in self.zone_texts(s).items():
                self.tree.zone(zone, records, **how[zone])

    def publish(self, scenario, tlsa=None, **sts):
        """Other TLSA records for some hosts: {"mx": ("3 1 1", ...)}; other
        facts of its Sts."""
        s = self.scenarios[scenario]
        if sts:
            self.site(scenario).change(**sts)
        for zone, records in self.zone_texts(s, tlsa).items():
            self.tree.zones[zone].records = records
            self.tree.rewrite(zone)
        self.nsd.reload()

    def lie(self, scenario, text, lie):
        """Lie about "name TYPE" from now on; None: no longer."""
        key = self.question(self.scenarios[scenario], text)
        if lie is None:
            self.front.lies.pop(key, None)
        else:
            self.front.lies[key] = lie

    def stubs(self):
        """All zones: a delegation cannot name our port.  So a resolver also
        keeps apart what it thinks of their servers, some of which lie."""
        return [name.rstrip(".") or "." for name in self.tree.zones]

    # --- life ---

    def start(self):
        self.make_chains()
        self.open_hosts()
        self.open_sites()
        self.plant()
        self.nsd = self.tree.server()
        self.nsd.start()
        self.front = Front(self.nsd.port, self.dns_port)
        for s in self.scenarios.values():
            for text, lie in s.lies.items():
                self.front.lies[self.question(s, text)] = lie
        return self

    def open_hosts(self):
        for s in self.scenarios.values():
            for h in filter(lambda h: h.listens, s.hosts):
                by_sni = {self.fill(s, name): self.new_chain(s.name, h.name, how)
                          for name, how in h.sni.items()}
                self.servers[s.name, h.name] = HostServer(
                    self.arrivals, s.name, h, self.made[s.name, h.name], by_sni,
                    self.address(s.name, h.name), getattr(self, h.port))

    def open_sites(self):
        for s in self.scenarios.values():
            if s.sts:
                self.sites[s.name] = Site(self, s)
            if s.sts and s.sts.listens:
                self.listeners.open(self.sites[s.name],
                                    self.address(s.name, "mta-sts"))
        self.listeners.start()

    def server(self, scenario, host):
        return self.servers[scenario, host]

    def site(self, scenario):
        return self.sites[scenario]

    def recipient(self, scenario):
        return self.fill(scenario, scenario.rcpt)

    def config(self, group="all"):
        """Entries for danelaw.conf: the tree, the port, what scenarios add."""
        server = [f"127.0.0.1:{self.front.port}"]
        config = {"mx_port": self.port, "relay": {"from": ["127.0.0.0/8"]},
                  "mta_sts": {"port": self.sts_port, "timeout": f"{SOON}s"},
                  "resolver": {"trust_anchor": str(self.tree.anchor),
                               "timeout": "10s", "self_test": ".",
                               **{f"stub {zone}": {"server": server}
                                  for zone in self.stubs()}},
                  "retry": {"first": "1h"},
                  "timeouts": {"connect": "10s", "greeting": "10s",
                               "hello": "10s", "starttls": "10s",
                               "tls": "10s", "idle": "0s"}}
        if group in TRUSTED:
            config["ca_file"] = str(self.root_file())
        for s in self.scenarios.values():
            if s.group == group:
                config.update(self._filled(s, s.conf))
        return config

    def _filled(self, s, value):
        if isinstance(value, dict):
            return {self.fill(s, k): self._filled(s, v) for k, v in value.items()}
        if isinstance(value, (list, tuple)):
            return [self._filled(s, v) for v in value]
        return self.fill(s, value) if isinstance(value, str) else value

    def stop(self):
        for thing in [*self.servers.values(), self.listeners, self.front, self.nsd]:
            if thing is not None:
                thing.stop()

    def __enter__(self):
        try:
            return self.start()
        except BaseException:
            self.stop()
            raise

    def __exit__(self, *_):
        self.stop()


def ports_for(port=0):
    """Ports for MX hosts, for other servers and for policy hosts, all free."""
    while True:
        with socket.socket() as one, socket.socket() as two, socket.socket() as three:
            one.bind((f"127.{NETWORK}.0.1", port))
            two.bind((f"127.{NETWORK}.0.1", port + 1 if port else 0))
            three.bind((f"127.{NETWORK}.0.1", port + 3 if port else 0))
            return tuple(sock.getsockname()[1] for sock in (one, two, three))
