#!/usr/bin/python3
"""smtp_load -> Danelaw -> smtp_sink with STARTTLS on both sides: what DANE costs.

Three daemons relay to one host.  "address": the next hop is an address, so that
nothing is looked up.  "name": it is a name in a signed zone of our own, with a
TLSA record that `level = opportunistic` exempts it from.  "dane": the same name,
and its certificate has to match.  Answers are in the resolver's cache after the
first.  "many" sends over 100 connections, "one" makes a connection and a
handshake for each message; connections and TLS sessions towards the sink are
reused as the decision allows.
"""
import hashlib
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/support"))

from signed_tree import SignedTree, missing_tools  # noqa: E402
from support import disk  # noqa: E402
from support.flow import Relay, alternate, count_for  # noqa: E402
from support.own import OwnSink  # noqa: E402
from support.report import Report, options  # noqa: E402
from support.servers import Certificate, OwnDanelaw, resolver_of  # noqa: E402

HOST = "mx.bench.test"
MODES = {"many a connection": True, "one a connection": False}
KINDS = ("address", "name", "dane")


class Relaying(OwnDanelaw):
    """A daemon whose next hop is an address, or a name in the tree."""

    def __init__(self, folder, kind, port, chosen, certificate, resolver):
        self.name = kind
        host = "127.0.0.1" if kind == "address" else HOST
        more = f'route "*" {{ via = "smtp:{host}:{port}" }}\n'
        if kind == "name":
            more += f'tls "{HOST}" {{ level = opportunistic }}\n'
        super().__init__(folder, {}, f"connections = {chosen.sessions}",
                         certificate=certificate, resolver=resolver, more=more)


def parse():
    parser = options("relay-dane", __doc__)
    parser.add_argument("--length", type=int, default=4096, help="message bytes")
    parser.add_argument("--sessions", type=int, default=100)
    return parser.parse_args()


def key_digest(certificate):
    """The data of a TLSA record 3 1 1."""
    key = subprocess.run(["openssl", "x509", "-in", certificate.chain, "-noout",
                          "-pubkey"], check=True, capture_output=True).stdout
    der = subprocess.run(["openssl", "pkey", "-pubin", "-outform", "DER"],
                         input=key, check=True, capture_output=True).stdout
    return hashlib.sha256(der).hexdigest()


def grow(folder, port, digest):
    tree = SignedTree(folder)
    tree.zone(".")
    tree.zone("test.")
    tree.zone("bench.test.", "mx A 127.0.0.1\n"
              f"_{port}._tcp.mx TLSA 3 1 1 {digest}\n", ttl=3600)
    return tree


def measure(report, servers, sink, chosen):
    words = {"sessions": chosen.sessions, "length": chosen.length, "tls": True}
    counts = {(s, mode): count_for(
        5.0 * chosen.scale,
        lambda n, s=s, k=keep: Relay(s, sink, n, keep=k, **words).rate)
        for s in servers for mode, keep in MODES.items()}
    for n, server in alternate(servers, chosen.runs):
        report.say(f"run {n + 1} of {chosen.runs}, {server.name}")
        for mode, keep in MODES.items():
            seen = report.quiet.run(
                lambda: Relay(server, sink, counts[server, mode], keep=keep,
                              **words))
            report.add(f"{server.name}, {mode}", seen.rate)
            report.add(f"{server.name}, {mode}: server's cpu",
                       seen.server_cpu * 1e6, "µs")
        if server is servers[0]:
            report.add("disk, groups of 100", disk.durable_rate(
                report.folder, 100, 2 * min(1, chosen.scale)))


def check_log(server):
    """A run in which nobody was verified has measured something else."""
    text = server.log()
    want = "tls=dane/verified/dane/dane" if server.name == "dane" \
        else "tls=may/encrypted/"
    good, all_of_them = text.count(want), text.count("event=delivery")
    if good == 0 or good < all_of_them:
        raise SystemExit(f"bench: {server.name}: {good} of {all_of_them} "
                         f"deliveries have {want}")


def run(report, chosen, stack):
    base = pathlib.Path(report.folder)
    certificate = Certificate(base / "tls")
    sink = OwnSink(certificate)
    stack.append(sink)
    base.chmod(0o755)
    tree = grow(base / "dns", sink.port, key_digest(certificate))
    with tree.serve() as dns:
        resolver = resolver_of(tree, dns)
        servers = [Relaying(base / kind, kind, sink.port, chosen, certificate,
                            resolver) for kind in KINDS]
        stack.extend(servers)
        measure(report, servers, sink, chosen)
        for server in servers:
            check_log(server)
            server.stop()
            stack.remove(server)


def main():
    chosen = parse()
    if missing_tools():
        raise SystemExit(f"bench: {missing_tools()} is not installed")
    stack = []
    with Report("relay-dane", chosen) as report:
        try:
            run(report, chosen, stack)
        finally:
            for one in reversed(stack):
                one.stop()
        for mode in MODES:
            report.ratio(f"dane/name, {mode}", f"dane, {mode}",
                         f"name, {mode}", 0.9)
            report.ratio(f"dane/address, {mode}", f"dane, {mode}",
                         f"address, {mode}", 0.9)
        report.finish()
    return 0


if __name__ == "__main__":
    sys.exit(main())
