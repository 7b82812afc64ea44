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


def once(report, folder, certificate, sessions):
    server = OwnDanelaw(folder, {"*": 9}, f"sessions = {2 * sessions + 1000}",
                        certificate=certificate)
    try:
        Idle(server.port, min(100, sessions)).stop()
        time.sleep(0.5)
        before = server.pss("receive")
        idle = Idle(server.port, sessions)
        try:
            with_them = server.pss("receive")
            report.add("a session", (with_them - before) / sessions / 1024, "KiB")
            report.add("handshakes",
                       sessions / idle.result["seconds"], "/s")
        finally:
            idle.stop()
        time.sleep(0.5)
        report.add("a session, kept once it has gone",
                   (server.pss("receive") - before) / sessions / 1024, "KiB")
    finally:
        server.stop()


def main():
    chosen = parse()
    sessions = scaled(chosen, chosen.sessions, 50)
    with Report("idle", chosen) as report:
        certificate = Certificate(os.path.join(report.folder, "tls"))
        for n in range(chosen.runs):
            report.say(f"run {n + 1} of {chosen.runs}, {sessions} sessions")
            once(report, os.path.join(report.folder, str(n)), certificate,
                 sessions)
        report.limit("a session", 64)
        report.finish()
    return 0


if __name__ == "__main__":
    sys.exit(main())
