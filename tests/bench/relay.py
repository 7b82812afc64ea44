#!/usr/bin/python3
"""smtp-source -> relay -> smtp-sink: Danelaw against Debian's Postfix, in one run.

Both make each message durable before they say 250.  The time of a run ends
when the last message has arrived at the sink.  Runs alternate, so that a busy
machine is unfair to both.
"""
import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile

from support import disk
from support.danelaw import Danelaw
from support.load import Sink, send
from support.postfix import MAIN, Postfix

PATIENCE = 300  # seconds without which a run has failed


def parse():
    parser = argparse.ArgumentParser(prog="./dev bench relay", description=__doc__)
    parser.add_argument("--runs", type=int, default=5, help="pairs of runs")
    parser.add_argument("--seconds", type=float, default=6.0,
                        help="how long one run shall last, about")
    parser.add_argument("--length", type=int, default=4096, help="message bytes")
    parser.add_argument("--sessions", type=int, default=100)
    parser.add_argument("--reconnect", action="store_true",
                        help="a connection for each message, not one a session")
    parser.add_argument("--only", choices=["postfix", "danelaw"])
    parser.add_argument("--dir", default="/var/tmp", help="the disk to measure on")
    return parser.parse_args()


def run(relay, sink, count, options):
    """(accepted/s, end to end/s) of one run."""
    before = sink.count
    sink.expect(count)
    began, accepted = send(relay.port, count, options.sessions, options.length,
                           not options.reconnect)
    arrived = sink.wait(PATIENCE)
    if arrived is None:
        raise SystemExit(f"bench: {relay.name} lost messages: {count} accepted, "
                         f"{sink.count - before} arrived after {PATIENCE} s")
    return count / (accepted - began), count / (arrived - began)


def scaled_count(relay, sink, options):
    """How many messages fill the wanted seconds; also the warm-up."""
    count = 1000
    while True:
        _, rate = run(relay, sink, count, options)
        if count / rate >= options.seconds / 4:
            return max(1000, int(rate * options.seconds) // 100 * 100)
        count *= 2


def show(relay, accepted, relayed, count):
    print(f"  {relay.name:8} {count:7} messages: accepted {accepted:7.0f}/s, "
          f"relayed {relayed:7.0f}/s", flush=True)


def measure(relays, sink, options):
    """{name: [end-to-end rates]}, alternating."""
    counts = {r.name: scaled_count(r, sink, options) for r in relays}
    rates = {r.name: [] for r in relays}
    for n in range(options.runs):
        print(f"run {n + 1} of {options.runs}")
        for relay in relays if n % 2 == 0 else reversed(relays):
            accepted, relayed = run(relay, sink, counts[relay.name], options)
            rates[relay.name].append(relayed)
            show(relay, accepted, relayed, counts[relay.name])
    return rates


def describe(options, folder):
    kind = subprocess.run(["stat", "-f", "-c", "%T", folder], check=False,
                          capture_output=True, text=True).stdout.strip()
    print(f"{options.length} byte messages, {options.sessions} sessions"
          f"{', a connection each' if options.reconnect else ''}, "
          f"{os.cpu_count()} cores, file system {kind}")
    if kind == "tmpfs":
        print("warning: nothing is durable on tmpfs; choose another --dir")
    if options.only != "danelaw":
        print("Postfix runs with Debian's defaults but for:")
        print("".join(f"  {line}\n" for line in MAIN.splitlines()
                      if "=" in line and "{dir}" not in line)
              .format(next="SINK", sessions=options.sessions), end="")


def conclude(rates):
    for name, values in rates.items():
        print(f"{name:8} relayed, median of {len(values)}: "
              f"{statistics.median(values):.0f}/s "
              f"({min(values):.0f} to {max(values):.0f})")
    if len(rates) == 2:
        pairs = [d / p for d, p in zip(rates["danelaw"], rates["postfix"])]
        print("ratio danelaw/postfix per run: "
              + " ".join(f"{p:.1f}" for p in pairs))
        print(f"ratio, median: {statistics.median(pairs):.1f}")


def main():
    options = parse()
    sink, relays = Sink(), []
    folder = tempfile.mkdtemp(prefix="danelaw-bench-", dir=options.dir)
    os.chmod(folder, 0o755)
    describe(options, folder)
    try:
        for kind in (Postfix, Danelaw):
            if options.only in (None, kind.name):
                relays.append(kind(os.path.join(folder, kind.name), sink.port,
                                   options.sessions))
        rates = measure(relays, sink, options)
        one, many = (disk.durable_rate(folder, n) for n in (1, 100))
        print(f"disk, 4 KiB records made durable: {one:.0f}/s one by one, "
              f"{many:.0f}/s by groups of 100")
        conclude(rates)
    finally:
        for relay in relays:
            relay.stop()
        sink.stop()
        shutil.rmtree(folder, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
