#!/usr/bin/python3
"""How fast mail is accepted while sessions with us are counted, and while not.

Two daemons, one message a session.  "counts" takes reports, so it tells the
report role of each session; "silent" has `inbound_days = 0`.  Nothing is
delivered: everything goes to one host that never answers.
"""
import pathlib
import sqlite3
import sys

from support.flow import Accept, alternate, count_for
from support.own import Silence
from support.report import Report, options
from support.servers import OwnDanelaw

KINDS = {"silent": 0, "counts": 35}
MOST = 0.97   # of the rate: less than 3 % is asked


class Counting(OwnDanelaw):
    """A daemon that takes reports, and counts who comes or does not."""

    def __init__(self, folder, kind, port):
        self.name = kind
        super().__init__(
            folder, {"*": port}, "connections = 1",
            more='domain "ours.example" {\n'
                 f'    deliver = "maildir:{folder}/%u"  tls_reports = {{"reports"}}\n'
                 f"}}\nreporting {{ inbound_days = {KINDS[kind]} }}\n")


def parse():
    parser = options("accept-report", __doc__)
    parser.add_argument("--length", type=int, default=4096, help="message bytes")
    parser.add_argument("--sessions", type=int, default=100)
    return parser.parse_args()


def measure(report, servers, chosen):
    words = {"sessions": chosen.sessions, "length": chosen.length}
    counts = {s: count_for(5.0 * chosen.scale,
                           lambda n, s=s: Accept(s, n, False, **words).rate)
              for s in servers}
    for n, server in alternate(servers, chosen.runs):
        report.say(f"run {n + 1} of {chosen.runs}, {server.name}")
        seen = report.quiet.run(lambda: Accept(server, counts[server], False, **words))
        report.add(server.name, seen.rate)
        report.add(f"{server.name}: server's cpu", seen.server_cpu * 1e6, "µs")


def check_counts(server):
    """One that counted nothing has measured something else."""
    accepted = server.log().count("event=accepted")
    files = list(server.folder.rglob("inbound.db"))
    if server.name == "silent":
        if files:
            raise SystemExit("bench: the silent one counts")
        return
    (path,) = files
    with sqlite3.connect(path) as db:
        ((seen,), (untold,)) = (db.execute(query).fetchone() for query in (
            "SELECT sum(sessions) FROM seen", "SELECT sum(untold) FROM days"))
    if seen is None or seen < accepted or untold:
        raise SystemExit(f"bench: {seen} sessions are counted of {accepted}, and {untold} not")


def run(report, chosen, stack):
    base = pathlib.Path(report.folder)
    silence = Silence()
    stack.append(silence)
    servers = [Counting(base / kind, kind, silence.port) for kind in KINDS]
    stack.extend(servers)
    measure(report, servers, chosen)
    for server in servers:
        server.stop()
        stack.remove(server)
        check_counts(server)


def main():
    chosen = parse()
    stack = []
    with Report("accept-report", chosen) as report:
        try:
            run(report, chosen, stack)
        finally:
            for one in reversed(stack):
                one.stop()
        report.ratio("counts/silent", "counts", "silent", MOST)
        report.finish()
    return 0


if __name__ == "__main__":
    sys.exit(main())
