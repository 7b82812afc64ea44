#!/usr/bin/python3
"""smtp_load -> relay -> smtp_sink with STARTTLS on both sides: Danelaw, Postfix.

Both make each message durable before they say 250, and ask no DNS.  The time
of a run ends when the last message has arrived at the sink.  "many" sends over
100 connections, "one" makes a connection and a handshake for each message;
how many connections go out is the relay's own affair.  Postfix runs with its
session cache and its reuse of TLS connections (tlsproxy) switched on.
"""
import os
import sys

from support import disk
from support.flow import Relay, alternate, count_for
from support.own import OwnSink
from support.report import Report, options
from support.servers import Certificate, OwnDanelaw, OwnPostfix

LINES = """\
smtpd_tls_security_level = may
smtpd_tls_chain_files = {key}, {chain}
smtpd_tls_session_cache_database = btree:{dir}/data/smtpd_scache
smtp_tls_security_level = encrypt
smtp_tls_session_cache_database = btree:{dir}/data/smtp_scache
smtp_tls_connection_reuse = {reuse}
"""
SERVICES = "tlsmgr unix - - n 1000? 1 tlsmgr\ntlsproxy unix - - n - 0 tlsproxy\n"
MODES = {"many a connection": True, "one a connection": False}


def parse():
    parser = options("relay-tls", __doc__)
    parser.add_argument("--length", type=int, default=4096, help="message bytes")
    parser.add_argument("--sessions", type=int, default=100)
    parser.add_argument("--only", choices=["postfix", "danelaw"])
    parser.add_argument("--no-reuse", action="store_true",
                        help="Postfix: a TLS connection a message, its default")
    parser.add_argument("--plain", action="store_true",
                        help="the same without TLS, to compare")
    return parser.parse_args()


def start(folder, certificate, sink, chosen):
    servers = []
    if chosen.only != "postfix":
        servers.append(OwnDanelaw(
            os.path.join(folder, "danelaw"), {"*": sink.port},
            f"connections = {chosen.sessions}", certificate=certificate))
    if chosen.only != "danelaw":
        base = os.path.join(folder, "postfix")
        lines = "" if certificate is None else LINES.format(
            key=certificate.key, chain=certificate.chain, dir=base,
            reuse="no" if chosen.no_reuse else "yes")
        servers.append(OwnPostfix(base, sink.port, chosen.sessions, lines,
                                  SERVICES))
    return servers


def measure(report, servers, sink, chosen):
    words = {"sessions": chosen.sessions, "length": chosen.length,
             "tls": not chosen.plain}
    counts = {(s, mode): count_for(
        5.0 * chosen.scale,
        lambda n, s=s, k=keep: Relay(s, sink, n, keep=k, **words).rate)
        for s in servers for mode, keep in MODES.items()}
    report.quiet.servers = [s for s in servers if s.name == "postfix"]
    for n, server in alternate(servers, chosen.runs):
        report.say(f"run {n + 1} of {chosen.runs}, {server.name}")
        for mode, keep in MODES.items():
            seen = report.quiet.run(
                lambda: Relay(server, sink, counts[server, mode], keep=keep,
                              **words))
            name = f"{server.name}, {mode}"
            report.add(name, seen.rate)
            report.add(f"{name}: accepted", seen.accepted)
            report.add(f"{name}: server's cpu", seen.server_cpu * 1e6, "µs")
            report.add(f"{name}: source's cpu", seen.source_cpu * 1e6, "µs")
            report.add(f"{name}: sink's cpu", seen.sink_cpu * 1e6, "µs")
            report.idle(f"{name}: processors idle")
        if server is servers[0]:
            report.add("disk, groups of 100", disk.durable_rate(
                report.folder, 100, 2 * min(1, chosen.scale)))


def main():
    chosen = parse()
    servers, sink = [], None
    with Report("relay-tls", chosen) as report:
        certificate = None if chosen.plain \
            else Certificate(os.path.join(report.folder, "tls"))
        try:
            sink = OwnSink(certificate)
            servers = start(report.folder, certificate, sink, chosen)
            measure(report, servers, sink, chosen)
        finally:
            for server in servers:
                server.stop()
            if sink:
                sink.stop()
        for mode in MODES:
            report.ratio(f"danelaw/postfix, {mode}", f"danelaw, {mode}",
                         f"postfix, {mode}", 10 if chosen.plain else 5)
        report.finish()
    return 0


if __name__ == "__main__":
    sys.exit(main())
