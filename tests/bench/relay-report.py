#!/usr/bin/python3
"""smtp_load -> Danelaw -> smtp_sink with STARTTLS: what counting for TLS-RPT costs.

Two daemons relay to one host, by a name whose TLSA record they hold it to.
"counts" has `reporting { collect = yes }`, "silent" has not.  No connection
towards the sink is used twice, so that each message is a session that is counted.
"""
import importlib
import pathlib
import sqlite3
import sys

from support.flow import Relay, alternate, count_for
from support.own import OwnSink
from support.report import Report, options
from support.servers import Certificate, OwnDanelaw, resolver_of

dane = importlib.import_module("relay-dane")
KINDS = ("silent", "counts")
MOST = 0.97   # of the rate: less than 3 % is asked


class Counting(OwnDanelaw):
    """A daemon that relays to the sink, and counts or does not."""

    def __init__(self, folder, kind, port, chosen, certificate, resolver):
        self.name = kind
        flag = "yes" if kind == "counts" else "no"
        super().__init__(
            folder, {}, f"connections = {chosen.sessions}", timeouts="idle = 0s",
            certificate=certificate, resolver=resolver,
            more=f'route "*" {{ via = "smtp:{dane.HOST}:{port}" }}\n'
                 f"reporting {{ collect = {flag} }}\n")
        self.folder = pathlib.Path(folder)


def parse():
    parser = options("relay-report", __doc__)
    parser.add_argument("--length", type=int, default=4096, help="message bytes")
    parser.add_argument("--sessions", type=int, default=100)
    return parser.parse_args()


def measure(report, servers, sink, chosen):
    words = {"sessions": chosen.sessions, "length": chosen.length, "tls": True}
    counts = {s: count_for(5.0 * chosen.scale,
                           lambda n, s=s: Relay(s, sink, n, keep=True, **words).rate)
              for s in servers}
    for n, server in alternate(servers, chosen.runs):
        report.say(f"run {n + 1} of {chosen.runs}, {server.name}")
        seen = report.quiet.run(
            lambda: Relay(server, sink, counts[server], keep=True, **words))
        report.add(server.name, seen.rate)
        report.add(f"{server.name}: server's cpu", seen.server_cpu * 1e6, "µs")


def check_counts(server):
    """One that counted nothing has measured something else."""
    text = server.log()
    sent = text.count("outcome=delivered")
    files = list(server.folder.rglob("report.db"))
    if server.name == "silent":
        if files:
            raise SystemExit("bench: the silent one counts")
        return
    (path,) = files
    with sqlite3.connect(path) as db:
        (counted,) = db.execute("SELECT sum(successes + failures) FROM counts").fetchone()
    if counted is None or counted < sent:
        raise SystemExit(f"bench: {counted} sessions are counted of {sent}")


def run(report, chosen, stack):
    base = pathlib.Path(report.folder)
    certificate = Certificate(base / "tls")
    sink = OwnSink(certificate)
    stack.append(sink)
    base.chmod(0o755)
    tree = dane.grow(base / "dns", sink.port, dane.key_digest(certificate))
    with tree.serve() as dns:
        servers = [Counting(base / kind, kind, sink.port, chosen, certificate,
                            resolver_of(tree, dns)) for kind in KINDS]
        stack.extend(servers)
        measure(report, servers, sink, chosen)
        for server in servers:
            server.stop()
            stack.remove(server)
            check_counts(server)


def main():
    chosen = parse()
    stack = []
    with Report("relay-report", chosen) as report:
        try:
            run(report, chosen, stack)
        finally:
            for one in reversed(stack):
                one.stop()
        report.ratio("counts/silent", "counts", "silent", MOST)
        report.ratio("counts/silent: server's cpu", "counts: server's cpu",
                     "silent: server's cpu")
        report.finish()
    return 0


if __name__ == "__main__":
    sys.exit(main())
