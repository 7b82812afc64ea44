#!/usr/bin/python3
"""What 5,000 idle STARTTLS sessions cost the receive processes.

Memory is PSS (what processes share is counted once), before and with the
sessions; the kernel's socket buffers are not in it.  Also told: how fast the
sessions came up, handshake included, and what is kept once they have gone.
"""
import os
import sys
import time

from support.own import Idle
from support.report import Report, options, scaled
from support.servers import Certificate, OwnDanelaw


def parse():
    parser = options("idle", __doc__)
    parser.add_argument("--sessions", type=int, default=5000)
    return parser.parse_args()


def once(folder, certificate, sessions):
    """{what: (value, unit)} of one daemon."""
    server = OwnDanelaw(folder, {"*": 9}, f"sessions = {2 * sessions + 1000}",
                        certificate=certificate)
    try:
        Idle(server.port, min(100, sessions)).stop()
        time.sleep(0.5)
        before = server.pss("receive")
        idle = Idle(server.port, sessions)
        try:
            used = server.pss("receive") - before
        finally:
            idle.stop()
        time.sleep(0.5)
        kept = server.pss("receive") - before
    finally:
        server.stop()
    return {"a session": (used / sessions / 1024, "KiB"),
            "a session, kept once it has gone": (kept / sessions / 1024, "KiB"),
            "handshakes": (sessions / idle.result["seconds"], "/s")}


def main():
    chosen = parse()
    sessions = scaled(chosen, chosen.sessions, 50)
    with Report("idle", chosen) as report:
        certificate = Certificate(os.path.join(report.folder, "tls"))
        for n in range(chosen.runs):
            report.say(f"run {n + 1} of {chosen.runs}, {sessions} sessions")
            seen = report.quiet.run(lambda: once(
                os.path.join(report.folder, "danelaw"), certificate, sessions))
            for what, (value, unit) in seen.items():
                report.add(what, value, unit)
        report.limit("a session", 64)
        report.finish()
    return 0


if __name__ == "__main__":
    sys.exit(main())
