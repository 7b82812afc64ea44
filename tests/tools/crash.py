#!/usr/bin/python3
"""The whole enumeration of tests/crash: every call, every sector.

    ./dev crash [--quick] [--parts N] [--only TEST]
    ./dev crash --mutants
    ./dev crash --reports [--parts N]

A small mail system runs on a disk in memory.  It is stopped at each call it
makes to the disk; what was not synced is dropped, kept, mixed in eight ways,
and cut behind each sector; it starts again, and what it finds is compared
with what it had promised.  Each call also fails once in four ways, alone and
with a stop soon after.

With --reports it is danelawd that is stopped: the process for reports, that for
the queue, or one that delivers, at each of its calls while a day's reports are
sent (tests/integration/test_report_crash.py).  That takes ten minutes on two
cores.

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
BUILT = ROOT / "build-crash/mta"
ROLES = ["report", "queue", "deliver"]
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


def run_reports(role, part, parts, _quick):
    """(kills, what was wrong or "")"""
    env = {**os.environ, "DANELAW_CRASH_PART": f"{part}/{parts}", "DANELAW_CRASH": "full",
           "DANELAWD": str(BUILT / "danelawd"), "DANELAW": str(BUILT / "ctl/danelaw")}
    command = [sys.executable, "-B", "-m", "pytest", "-p", "no:cacheprovider", "-q", "-s",
               "--tb=short", f"tests/integration/test_report_crash.py::"
               f"test_killed_at_each_call[{role}]"]
    done = subprocess.run(command, env=env, cwd=ROOT, text=True, check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    count = re.search(r"(\d+) kills", done.stdout)
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
    parser.add_argument("--parts", type=int, default=0, metavar="N",
                        help="pieces of work (64, of --reports 8); progress is told a "
                        "piece at a time")
    parser.add_argument("--only", choices=TESTS + ROLES, metavar="TEST",
                        help="one of: " + ", ".join(TESTS + ROLES))
    parser.add_argument("--mutants", action="store_true",
                        help="break queue/ in many ways; each has to be noticed")
    parser.add_argument("--reports", action="store_true",
                        help="kill danelawd's roles while they send reports")
    options = parser.parse_args()
    if options.mutants:
        return mutants.main()
    if options.only and (options.only in ROLES) != options.reports:
        parser.error("roles go with --reports, tests without")
    if options.parts < 0:
        parser.error("--parts wants a number above 0")
    # A day of reports is mostly waited for.
    parts, run, at_once = (8, run_reports, 2) if options.reports else (64, run_part, 1)
    parts, word = options.parts or parts, "kills" if options.reports else "recoveries"
    tests = [options.only] if options.only else ROLES if options.reports else TESTS
    work = [(test, part) for test in tests for part in range(parts)]
    began, done, recoveries, failed = time.monotonic(), 0, 0, 0
    with concurrent.futures.ThreadPoolExecutor(at_once * (os.cpu_count() or 1)) as pool:
        jobs = {pool.submit(run, test, part, parts, options.quick):
                (test, part) for test, part in work}
        for job in concurrent.futures.as_completed(jobs):
            test, part = jobs[job]
            count, wrong = job.result()
            done += 1
            recoveries += count
            if wrong:
                failed += 1
                show(f"FAIL {test}, part {part} of {parts}", "\n")
                print(wrong, flush=True)
            show(f"{done} of {len(work)} parts, {recoveries} {word}, "
                 f"{failed} failed, {time.monotonic() - began:.0f} s")
    show(f"{len(work)} parts, {recoveries} {word}, {failed} failed, "
         f"{time.monotonic() - began:.0f} s", "\n")
    return failed != 0


if __name__ == "__main__":
    sys.exit(main())
