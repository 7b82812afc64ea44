#!/usr/bin/python3
"""What 500 slow-loris sessions and 2,000 idle ones take from ordinary mail.

The rate at which mail is accepted, with and without them, in turn and on the
same server: many messages a connection, and one.  The slow ones give an octet a
second, half of them of a command, half of a message; those that are cut come back.
Ordinary mail comes from an address that may relay, the others do not.
"""
import os
import sys

from support.flow import Accept, count_for
from support.hostile import Hostile
from support.own import Silence
from support.report import Report, options, scaled
from support.servers import OwnDanelaw

MODES = {"many a connection": True, "one a connection": False}


def parse():
    parser = options("loris", __doc__)
    parser.add_argument("--slow", type=int, default=500)
    parser.add_argument("--idle", type=int, default=2000)
    parser.add_argument("--sessions", type=int, default=20, help="of ordinary mail")
    return parser.parse_args()


def measure(report, server, counts, with_them, words):
    for mode, keep in MODES.items():
        seen = report.quiet.run(lambda: Accept(server, counts[mode], keep, **words))
        report.add(f"{with_them}, {mode}", seen.rate)
        report.add(f"{with_them}, {mode}: 250 after, 99 %", seen.p99, "ms")


def main():
    chosen = parse()
    idle, slow = scaled(chosen, chosen.idle, 20), scaled(chosen, chosen.slow, 10)
    words = {"sessions": chosen.sessions, "length": 4096}
    silence, server = Silence(), None
    with Report("loris", chosen) as report:
        try:
            server = OwnDanelaw(os.path.join(report.folder, "danelaw"),
                                {"*": silence.port}, "connections = 1",
                                relay="127.0.0.1/32")
            counts = {mode: count_for(5.0 * chosen.scale, lambda n, k=keep: Accept(
                server, n, k, **words).rate) for mode, keep in MODES.items()}
            for n in range(chosen.runs):
                report.say(f"run {n + 1} of {chosen.runs}")
                measure(report, server, counts, "alone", words)
                hostile = Hostile(server.port, idle, slow)
                report.add("until they were greeted", hostile.seconds, "s")
                try:
                    measure(report, server, counts, "beside them", words)
                finally:
                    hostile.stop()
        finally:
            if server:
                server.stop()
            silence.stop()
        for mode in MODES:
            report.ratio(f"beside them/alone, {mode}", f"beside them, {mode}",
                         f"alone, {mode}", 0.9)
        report.finish()
    return 0


if __name__ == "__main__":
    sys.exit(main())
