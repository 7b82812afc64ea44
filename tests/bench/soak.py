#!/usr/bin/python3
"""What a daemon keeps of mail that has gone: memory and descriptors by role.

Rounds of what a day brings: messages over many connections with TLS and over one
each, domains that were never seen before, messages that the next hop refuses and
whose senders are told, and clients that are cut off wherever they are.  Behind
each round, once nothing is under way, the memory (that is no file's) and the open
descriptors of each role are read.  The first half of the rounds fills pools and
caches; by how much the most of the second half is above the most of the first is
told, the memory for 100,000 messages.
"""
import os
import sys

from support import proc
from support.own import OwnSink, load
from support.report import Report, options, scaled
from support.rude import Refusing, be_rude
from support.servers import Certificate, OwnDanelaw

PATIENCE = 300  # seconds for what is still under way
ROLES = ["supervisor", "receive", "queue", "deliver"]
BOUND = 256  # KiB


def parse():
    parser = options("soak", __doc__, runs=24)
    parser.add_argument("--many", type=int, default=8000, help="messages a round")
    parser.add_argument("--one", type=int, default=2000,
                        help="with a connection and a handshake each")
    parser.add_argument("--domains", type=int, default=50, help="new ones a round")
    parser.add_argument("--refused", type=int, default=200)
    parser.add_argument("--rude", type=int, default=400, help="connections cut off")
    return parser.parse_args()


class Round:
    """How much of what goes in each round."""

    def __init__(self, chosen):
        self.many = scaled(chosen, chosen.many, 20)
        self.one = scaled(chosen, chosen.one, 10)
        self.domains = scaled(chosen, chosen.domains, 2)
        self.refused = scaled(chosen, chosen.refused, 2)
        self.rude = scaled(chosen, chosen.rude, 13)
        # A bounce arrives for each that is refused.
        self.messages = self.many + self.one + 4 * self.domains + self.refused

    def go(self, server, sink, n):
        sink.expect(self.messages)
        load(server.port, self.many, tls=True)
        load(server.port, self.one, tls=True, keep=False)
        for domain in range(self.domains):
            load(server.port, 4, "--rcpt", f"a@d{domain}-{n}.bench.example",
                 "--from", f"b@s{domain}-{n}.bench.example", sessions=2)
        load(server.port, self.refused, "--rcpt", "a@refused.example", sessions=10)
        be_rude(server.port, self.rude)
        if sink.wait(PATIENCE) is None or not server.quiet():
            raise SystemExit(f"bench: round {n} did not end in {PATIENCE} s")


def look(server):
    """{role: (bytes of memory, descriptors)}"""
    return {role: (proc.anonymous(pids), proc.descriptors(pids))
            for role in ROLES for pids in [server.pids(role)]}


def told(report, rows, messages):
    """How far the second half of the rounds is above the first."""
    half = len(rows) // 2
    for role in ROLES:
        before, after = (list(zip(*(row[role] for row in part)))
                         for part in (rows[:half], rows[half:]))
        memory, descriptors = (max(b) - max(a) for a, b in zip(before, after))
        name = f"{role}: memory grown, of 100,000 messages"
        report.add(name, memory / 1024 / (messages * half / 1e5), "KiB")
        report.limit(name, BOUND)
        name = f"{role}: descriptors more"
        report.add(name, descriptors, "")
        report.limit(name, 0)
        report.add(f"{role}: memory at the end", after[0][-1] / 1048576, "MiB")


def main():
    chosen = parse()
    each, rows, started = Round(chosen), [], []
    with Report("soak", chosen) as report:
        certificate = Certificate(os.path.join(report.folder, "tls"))
        try:
            started += [OwnSink(certificate), Refusing()]
            sink, refusing = started
            server = OwnDanelaw(
                os.path.join(report.folder, "danelaw"),
                {"*": sink.port, "refused.example": refusing.port},
                certificate=certificate)
            started.append(server)
            for n in range(max(4, chosen.runs)):
                each.go(server, sink, n)
                rows.append(look(server))
                report.say(f"round {n + 1}: " + ", ".join(
                    f"{role} {memory >> 10} KiB {descriptors}"
                    for role, (memory, descriptors) in rows[-1].items()))
            told(report, rows, each.messages)
        finally:
            for thing in reversed(started):
                thing.stop()
        report.finish()
    return 0


if __name__ == "__main__":
    sys.exit(main())
