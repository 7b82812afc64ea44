#!/usr/bin/python3
"""New mail through a queue of 1,000,000 deferred messages, and an empty one.

Two daemons relay to the same sink; the queue of one was filled beforehand
with messages whose next attempt is a day away.  Runs alternate.  Also told:
the memory of the queue role for each queued message.
"""
import os
import sys
import time

from support import disk
from support.flow import Relay, alternate, count_for
from support.own import OwnSink
from support.report import Report, options, scaled
from support.servers import OwnDanelaw, fill

DEFERRED = "86400"
QUIET = 120  # seconds after which a daemon that is still busy is measured so


def parse():
    parser = options("backlog", __doc__)
    parser.add_argument("--queued", type=int, default=1000000)
    parser.add_argument("--destinations", type=int, default=1000,
                        help="domains of the queued messages")
    parser.add_argument("--length", type=int, default=4096, help="message bytes")
    parser.add_argument("--sessions", type=int, default=100)
    return parser.parse_args()


def start(report, sink, queued, chosen):
    """The full one first: it has something to do after its start."""
    routes = {".held.bench.example": None, "*": sink.port}
    limits = f"connections = {chosen.sessions}"
    full = os.path.join(report.folder, "full")
    began = time.monotonic()
    fill(full, queued, "--deferred", DEFERRED, "--length", str(chosen.length),
         "--destinations", str(chosen.destinations))
    report.say(f"{queued} messages put there in {time.monotonic() - began:.1f} s")
    servers = []
    for name, folder in (("full", full),
                         ("empty", os.path.join(report.folder, "empty"))):
        servers.append(OwnDanelaw(folder, routes, limits))
        servers[-1].name = name
        if not servers[-1].quiet(QUIET):
            report.say(f"the {name} one is busy with its queue {QUIET} s after"
                       " its start")
    return servers


def measure(report, servers, sink, chosen):
    words = {"sessions": chosen.sessions, "length": chosen.length}
    count = count_for(5.0 * chosen.scale,
                      lambda n: Relay(servers[1], sink, n, **words).rate)
    Relay(servers[0], sink, count, **words)
    for n, server in alternate(servers, chosen.runs):
        report.say(f"run {n + 1} of {chosen.runs}, {server.name}")
        seen = report.quiet.run(lambda: Relay(server, sink, count, **words))
        report.add(f"{server.name} queue", seen.rate)
        report.add(f"{server.name} queue: accepted", seen.accepted)
        report.add(f"{server.name} queue: server's cpu", seen.server_cpu * 1e6,
                   "µs")
        if server is servers[0]:
            report.add("disk, groups of 100", disk.durable_rate(
                report.folder, 100, 2 * min(1, chosen.scale)))


def main():
    chosen = parse()
    queued = scaled(chosen, chosen.queued, 1000)
    servers, sink = [], None
    with Report("backlog", chosen) as report:
        try:
            sink = OwnSink()
            servers = start(report, sink, queued, chosen)
            found, seconds = servers[0].recovered()
            report.say(f"recovered {found} messages in {seconds:.2f} s")
            full, empty = (s.pss("queue") for s in servers)
            report.add("queue role, a queued message", (full - empty) / queued,
                       "bytes")
            measure(report, servers, sink, chosen)
            report.add("queue role, a queued message, after the runs",
                       (servers[0].pss("queue") - servers[1].pss("queue"))
                       / queued, "bytes")
        finally:
            for server in servers:
                server.stop()
            if sink:
                sink.stop()
        report.ratio("full/empty", "full queue", "empty queue", 0.9)
        report.limit("queue role, a queued message", 300)
        report.finish()
    return 0


if __name__ == "__main__":
    sys.exit(main())
