#!/usr/bin/python3
"""The whole enumeration of tests/crash: every call, every sector.

    ./dev crash [--quick] [--parts N] [--only TEST]
    ./dev crash --mutants

A small mail system runs on a disk in memory.  It is stopped at each call it
makes to the disk; what was not synced is dropped, kept, mixed in eight ways,
and cut behind each sector; it starts again, and what it finds is compared
with what it had promised.  Each call also fails once in four ways, alone and
with a stop soon after.

The last line says how much was done and how much of it failed; the exit status
is 0 when nothing did.  Expect some minutes a core.
"""
import argparse
import concurrent.futures
import os
import pathlib
import re
import subprocess
import sys
import time

import mutants

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = ROOT / "build-crash/tests/crash/crash_test"
TESTS = ["nothing_acknowledged_is_lost", "every_call_fails_once",
         "a_failure_before_the_crash"]


def run_part(test, part, parts, quick):
    """(recoveries, what was wrong or "")"""
    env = {**os.environ, "DANELAW_CRASH_PART": f"{part}/{parts}"}
    if not quick:
        env["DANELAW_CRASH"] = "full"
    done = subprocess.run([PROGRAM, test], env=env, text=True, check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    count = re.search(r"(\d+) recoveries", done.stdout)
    return int(count.group(1)) if count else 0, done.stdout if done.returncode else ""


def show(text, end="\r"):
    if sys.stdout.isatty() or end == "\n":
        print(text.ljust(78), end=end, flush=True)


def main():
    parser = argparse.ArgumentParser(
        prog="./dev crash", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter, usage=argparse.SUPPRESS)
    parser.add_argument("--quick", action="store_true",
                        help="a sample of tears, as ./dev test takes it")
    parser.add_argument("--parts", type=int, default=64, metavar="N",
                        help="pieces of work (64); progress is told a piece at a time")
    parser.add_argument("--only", choices=TESTS, metavar="TEST",
                        help="one of: " + ", ".join(TESTS))
    parser.add_argument("--mutants", action="store_true",
                        help="break queue/ in many ways; each has to be noticed")
    options = parser.parse_args()
    if options.mutants:
        return mutants.main()
    if options.parts < 1:
        parser.error("--parts wants a number above 0")
    tests = [options.only] if options.only else TESTS
    work = [(test, part) for test in tests for part in range(options.parts)]
    began, done, recoveries, failed = time.monotonic(), 0, 0, 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        jobs = {pool.submit(run_part, test, part, options.parts, options.quick):
                (test, part) for test, part in work}
        for job in concurrent.futures.as_completed(jobs):
            test, part = jobs[job]
            count, wrong = job.result()
            done += 1
            recoveries += count
            if wrong:
                failed += 1
                show(f"FAIL {test}, part {part} of {options.parts}", "\n")
                print(wrong, flush=True)
            show(f"{done} of {len(work)} parts, {recoveries} recoveries, "
                 f"{failed} failed, {time.monotonic() - began:.0f} s")
    show(f"{len(work)} parts, {recoveries} recoveries, {failed} failed, "
         f"{time.monotonic() - began:.0f} s", "\n")
    return failed != 0


if __name__ == "__main__":
    sys.exit(main())
