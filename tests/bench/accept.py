#!/usr/bin/python3
"""How fast mail is accepted: Danelaw, Postfix and the bare disk in one run.

100 connections, 4 KiB messages, one message a connection and many.  Nothing
is delivered meanwhile: Postfix puts what it accepts into its hold queue, at
Danelaw everything goes to one host that never answers.  smtp_load is our own;
smtp-source (Postfix) is run beside it as a check.
"""
import os
import sys

from support import disk
from support.flow import Accept, alternate, count_for, has_tool
from support.own import Silence
from support.report import Report, options
from support.servers import OwnDanelaw, OwnPostfix

HOLD = "smtpd_client_restrictions = check_client_access static:HOLD\n"
MODES = {"many a connection": True, "one a connection": False}
TOOLS = ("smtp_load", "smtp-source") if has_tool("smtp-source") else ("smtp_load",)


def parse():
    parser = options("accept", __doc__)
    parser.add_argument("--length", type=int, default=4096, help="message bytes")
    parser.add_argument("--sessions", type=int, default=100)
    parser.add_argument("--only", choices=["postfix", "danelaw"])
    return parser.parse_args()


def start(folder, silence, chosen):
    servers = []
    if chosen.only != "postfix":
        servers.append(OwnDanelaw(os.path.join(folder, "danelaw"),
                                  {"*": silence.port}, "connections = 1"))
    if chosen.only != "danelaw":
        servers.append(OwnPostfix(os.path.join(folder, "postfix"), silence.port,
                                  chosen.sessions, HOLD))
    return servers


def measure(report, servers, chosen, words):
    seconds = 5.0 * chosen.scale
    counts = {(s, mode): count_for(
        seconds, lambda n, s=s, k=keep: Accept(s, n, k, **words).rate)
        for s in servers for mode, keep in MODES.items()}
    report.quiet.servers = [s for s in servers if s.name == "postfix"]
    for n, server in alternate(servers, chosen.runs):
        report.say(f"run {n + 1} of {chosen.runs}, {server.name}")
        for mode, keep in MODES.items():
            count = counts[server, mode]
            for tool in TOOLS:
                seen = report.quiet.run(
                    lambda: Accept(server, count, keep, tool, **words))
                name = f"{server.name}, {mode}"
                if tool == "smtp-source":
                    report.add(f"{name}, by smtp-source", seen.rate)
                    continue
                report.add(name, seen.rate)
                report.add(f"{name}: 250 after, median", seen.p50, "ms")
                report.add(f"{name}: 250 after, 99 %", seen.p99, "ms")
                report.add(f"{name}: server's cpu", seen.server_cpu * 1e6, "µs")
                report.add(f"{name}: source's cpu", seen.source_cpu * 1e6, "µs")
                report.idle(f"{name}: processors idle")
        if server is servers[0]:
            report.add("disk, groups of 100", disk.durable_rate(
                report.folder, 100, 2 * min(1, chosen.scale)))


def main():
    chosen = parse()
    words = {"sessions": chosen.sessions, "length": chosen.length}
    silence, servers = Silence(), []
    with Report("accept", chosen) as report:
        try:
            servers = start(report.folder, silence, chosen)
            measure(report, servers, chosen, words)
        finally:
            for server in servers:
                server.stop()
            silence.stop()
        for mode in MODES:
            report.ratio(f"danelaw/postfix, {mode}", f"danelaw, {mode}",
                         f"postfix, {mode}", 10)
            report.ratio(f"danelaw/disk, {mode}", f"danelaw, {mode}",
                         "disk, groups of 100", 0.5)
        report.finish()
    return 0


if __name__ == "__main__":
    sys.exit(main())
