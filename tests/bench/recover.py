#!/usr/bin/python3
"""From the start of a daemon with 1,000,000 queued messages to its first mail.

deferred  each message has had an attempt, as the journal tells; none is due
fresh     nothing but segments, as after a crash of everything at once: each
          message is due, at one host, which never answers

"-warm": the files are in memory.  "-cold": as after a restart of the machine,
with --cold only, which makes the whole machine forget all files.  Told is the time until the port
answers with 220, until the queue role has read its files, and until a message
handed in at the 220 has reached its destination.
"""
import os
import pathlib
import sys
import time

from support import proc
from support.own import OwnSink, Silence, load
from support.report import Report, options, scaled
from support.servers import OwnDanelaw, fill

STATES = {"deferred": ["--deferred", "86400"], "fresh": []}
PATIENCE = 600


def parse():
    parser = options("recover", __doc__)
    parser.add_argument("--queued", type=int, default=1000000)
    parser.add_argument("--destinations", type=int, default=1000,
                        help="domains of the queued messages")
    parser.add_argument("--length", type=int, default=4096, help="message bytes")
    parser.add_argument("--only", choices=list(STATES))
    parser.add_argument("--cold", action="store_true",
                        help="also with nothing in memory (root only)")
    return parser.parse_args()


class Spool:
    """Filled once; back() undoes what a daemon has done to it."""

    def __init__(self, folder, state, queued, chosen):
        fill(folder, queued, *STATES[state], "--length", str(chosen.length),
             "--destinations", str(chosen.destinations))
        self._path = pathlib.Path(folder) / "spool"
        self._fresh = state == "fresh"
        self._segments = self._list()

    def _list(self):
        return set((self._path / "segment").iterdir())

    def settled(self):
        """Is only one journal left, before long?"""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            if len(list((self._path / "journal").glob("*.jnl"))) == 1:
                return True
            time.sleep(0.1)
        return False

    def back(self):
        for file in self._list() - self._segments:
            file.unlink()
        if self._fresh:
            for file in (self._path / "journal").iterdir():
                file.unlink()
        return self._list() == self._segments


def start_once(server, sink, queued):
    """One start, one message, one crash: {what: seconds}."""
    server.start()
    try:
        sink.expect(1)
        load(server.port, 1, sessions=1)
        arrived = sink.wait(PATIENCE)
        found, seconds = server.recovered()
        if arrived is None or found < queued:
            raise SystemExit(f"bench: {found} of {queued} messages were found,"
                             f" new mail arrived: {arrived is not None}")
        return {"port answers": server.answered - server.began,
                "queue is ready": seconds,
                "first new delivery": arrived - server.began,
                "start's cpu": server.cpu()}
    finally:
        server.kill()


def attempt(spool, kind, server, sink, queued):
    if not spool.back():
        raise SystemExit("bench: a segment has gone")
    if kind == "cold" and not proc.drop_caches():
        raise SystemExit("bench: only root can empty the machine's memory")
    return start_once(server, sink, queued)


def measure(report, state, sink, silence, chosen):
    queued = scaled(chosen, chosen.queued, 1000)
    folder = os.path.join(report.folder, state)
    began = time.monotonic()
    spool = Spool(folder, state, queued, chosen)
    report.say(f"{state}: {queued} messages put there in"
               f" {time.monotonic() - began:.1f} s")
    held = silence.port if state == "fresh" else None
    server = OwnDanelaw(folder, {".held.bench.example": held, "*": sink.port})
    # Until its journal says all that the one of spool_fill did, which was
    # written for other routes: with that one every envelope is read anew.
    if not server.quiet() or not spool.settled():
        raise SystemExit("bench: the queue does not come to rest")
    server.kill()
    for n in range(chosen.runs):
        report.say(f"run {n + 1} of {chosen.runs}, {state}")
        for kind in ("warm", "cold") if chosen.cold else ("warm",):
            seen = report.quiet.run(
                lambda: attempt(spool, kind, server, sink, queued))
            for what, value in seen.items():
                report.add(f"{state}-{kind}: {what}", value, "s")


def main():
    chosen = parse()
    states = [chosen.only] if chosen.only else list(STATES)
    sink, silence = None, Silence()
    with Report("recover", chosen) as report:
        try:
            sink = OwnSink()
            for state in states:
                measure(report, state, sink, silence, chosen)
        finally:
            if sink:
                sink.stop()
            silence.stop()
        for state in states:
            for kind in ("warm", "cold"):
                if report.has(f"{state}-{kind}: queue is ready"):
                    report.limit(f"{state}-{kind}: queue is ready", 15)
                    report.limit(f"{state}-{kind}: first new delivery", 2)
        report.finish()
    return 0


if __name__ == "__main__":
    sys.exit(main())
