#!/usr/bin/python3
"""One destination that never answers, and the rate of all the others.

Two daemons relay to the same sink.  At one of them 10,000 messages wait for a
host that takes connections and says nothing; the daemon gives up on each
attempt after 2 seconds instead of minutes, so that it has more to do with it
than it would have.  Runs alternate.
"""
import os
import sys

from support import disk
from support.flow import Relay, alternate, count_for
from support.own import OwnSink, Silence, load
from support.report import Report, options, scaled
from support.servers import OwnDanelaw

TIMEOUTS = "greeting = 2s  connect = 2s"


def parse():
    parser = options("dead", __doc__)
    parser.add_argument("--queued", type=int, default=10000)
    parser.add_argument("--length", type=int, default=4096, help="message bytes")
    parser.add_argument("--sessions", type=int, default=100)
    return parser.parse_args()


def measure(report, servers, sink, chosen):
    words = {"sessions": chosen.sessions, "length": chosen.length}
    count = count_for(5.0 * chosen.scale,
                      lambda n: Relay(servers[1], sink, n, **words).rate)
    for n, server in alternate(servers, chosen.runs):
        report.say(f"run {n + 1} of {chosen.runs}, {server.name}")
        seen = report.quiet.run(lambda: Relay(server, sink, count, **words))
        report.add(f"{server.name}", seen.rate)
        report.add(f"{server.name}: server's cpu", seen.server_cpu * 1e6, "µs")
        if server is servers[0]:
            report.add("disk, groups of 100", disk.durable_rate(
                report.folder, 100, 2 * min(1, chosen.scale)))


def main():
    chosen = parse()
    queued = scaled(chosen, chosen.queued, 200)
    servers, sink, silence = [], None, Silence()
    with Report("dead", chosen) as report:
        try:
            sink = OwnSink()
            for name in ("with a dead destination", "without"):
                servers.append(OwnDanelaw(
                    os.path.join(report.folder, name.split()[0] + str(len(servers))),
                    {"dead.example": silence.port, "*": sink.port},
                    f"connections = {chosen.sessions}", TIMEOUTS))
                servers[-1].name = name
            load(servers[0].port, queued, "--rcpt", "nobody@dead.example",
                 length=chosen.length)
            measure(report, servers, sink, chosen)
            report.say(f"{silence.connections} connections to the dead one")
        finally:
            for server in servers:
                server.stop()
            if sink:
                sink.stop()
            silence.stop()
        report.ratio("with/without", "with a dead destination", "without", 0.95)
        report.finish()
    return 0


if __name__ == "__main__":
    sys.exit(main())
