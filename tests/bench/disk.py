#!/usr/bin/python3
"""How fast this disk makes 4 KiB records durable: the ceiling of any queue.

Records are appended to a file that has its size already, and one fdatasync
covers a group of them: 1, 10, 100, 1000.  "two files" is 100 each by two
threads at once, as two receive processes do.
"""
import concurrent.futures
import os
import sys

from support import disk
from support.report import Report, options

GROUPS = (1, 10, 100, 1000)


def two_files(folder, seconds):
    parts = [os.path.join(folder, name) for name in ("one", "two")]
    for part in parts:
        os.makedirs(part, exist_ok=True)
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        return sum(pool.map(lambda p: disk.durable_rate(p, 100, seconds), parts))


def main():
    chosen = options("disk", __doc__).parse_args()
    seconds = 2.0 * min(1.0, chosen.scale)
    with Report("disk", chosen) as report:
        for n in range(chosen.runs):
            report.say(f"run {n + 1} of {chosen.runs}")
            for group in GROUPS:
                report.add(f"groups of {group}", report.quiet.run(
                    lambda: disk.durable_rate(report.folder, group, seconds)))
            report.add("two files, groups of 100", report.quiet.run(
                lambda: two_files(report.folder, seconds)))
        report.finish()
    return 0


if __name__ == "__main__":
    sys.exit(main())
