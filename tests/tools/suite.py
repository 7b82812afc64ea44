#!/usr/bin/python3
"""Run everything `./dev test` promises and add it up.

    suite.py [-k WORDS] [-j N]

Stages: lint, the checkers' own tests, meson's suites (unit, fuzz-corpus, crash),
integration, those of its files that want the machine for themselves, a part of it
again without sanitizers, and the ledger: that the tests it names are there and
have run.
So many files of integration tests as -j says (by default two) run at once.  With
-k only tests whose name holds the words are run, without lint, and the ledger's
have to be there.
Last line, always: N passed, N failed, N skipped.
"""
import argparse
import json
import os
import pathlib
import re
import subprocess
import sys
import time
import xml.etree.ElementTree
from dataclasses import dataclass

import check_ledger
import lint

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = ROOT / "build"
LOG = BUILD / "meson-logs/testlog.json"
ORDER = ["unit", "fuzz-corpus", "crash"]
PYTEST_LIMIT = 50 * 60  # seconds for a whole pytest run

SANITIZERS = {
    "ASAN_OPTIONS": "halt_on_error=1:detect_leaks=1",
    "UBSAN_OPTIONS": "halt_on_error=1:print_stacktrace=1",
    "CMOCKA_MESSAGE_OUTPUT": "TAP",
}

AT_ONCE = min(2, os.cpu_count() or 1)

# What happens in these has its time by the clock: beside others it would come late.
ALONE = ["failures", "lab_report_day", "lab_sts", "report_mail", "tls_scan"]

# The sanitizers need calls that the sandbox has on nobody's list without them.
# So what people run is tried as well: a file for each kind of process.
LEAN = ["sandbox", "drop", "filter", "lookups", "relay", "renewal", "renewal_policy",
        "renewal_unknown", "report_mail", "report_send", "sendmail", "life"]
LEAN_PROGRAMS = {"DANELAWD": str(ROOT / "build-release/mta/danelawd"),
                 "DANELAW": str(ROOT / "build-release/mta/ctl/danelaw")}


@dataclass
class Tally:
    passed: int = 0
    failed: int = 0
    skipped: int = 0

    def add(self, other):
        self.passed += other.passed
        self.failed += other.failed
        self.skipped += other.skipped

    def __str__(self):
        return (f"{self.passed} passed, {self.failed} failed, "
                f"{self.skipped} skipped")


class Ran:
    """What has run, by the names the ledger uses, and what was skipped."""

    def __init__(self):
        self.ran, self.skipped = set(), set()

    def add_tap(self, suite, program, text):
        for line in text.splitlines():
            found = re.match(r"(?:not )?ok \d+ (?:- )?(\w+)(.*)", line)
            if found:
                skip = re.match(r"\s*#\s*SKIP", found.group(2), re.I)
                (self.skipped if skip else self.ran).add(
                    f"{suite}:{program}/{found.group(1)}")

    def add_junit(self, suite, path):
        try:
            cases = xml.etree.ElementTree.parse(path).getroot().iter("testcase")
        except (OSError, xml.etree.ElementTree.ParseError):
            return
        for case in cases:
            skip = case.find("skipped") is not None
            file = case.get("classname", "").split(".")[-1]
            (self.skipped if skip else self.ran).add(
                f"{suite}:{file}.py::{case.get('name')}")


RAN = Ran()


def tap_tally(text, status):
    """What a TAP text says, and its program's end: a crash is a failure."""
    tally = Tally()
    planned = 0
    for line in text.splitlines():
        plan = re.match(r"1\.\.(\d+)", line)
        if plan:
            planned += int(plan.group(1))
        elif re.match(r"(not )?ok\b.*#\s*SKIP", line, re.I):
            tally.skipped += 1
        elif line.startswith("ok"):
            tally.passed += 1
        elif line.startswith("not ok"):
            tally.failed += 1
    tally.failed += max(0, planned - tally.passed - tally.failed - tally.skipped)
    if status != 0 and tally.failed == 0:
        tally.failed = 1
    return tally


def program_tally(record):
    """The tally of one line of meson's test log."""
    text = record.get("stdout", "")
    if re.search(r"(?m)^1\.\.\d+", text):
        return tap_tally(text, record.get("returncode", 1))
    if record["result"] == "SKIP":
        return Tally(skipped=1)
    good = record["result"] == "OK"
    return Tally(passed=int(good), failed=int(not good))


def meson_tests():
    """{suite: [names]} of all tests meson knows."""
    listed = subprocess.run(["meson", "introspect", "--tests", str(BUILD)],
                            capture_output=True, text=True, check=True)
    suites = {}
    for test in json.loads(listed.stdout):
        suite = (test["suite"] or ["danelaw:other"])[0].split(":")[-1]
        suites.setdefault(suite, []).append(test["name"])
    return suites


def run_meson(suite, names):
    """Run these tests of one of meson's suites."""
    total = Tally()
    if not names:
        return total
    LOG.unlink(missing_ok=True)
    subprocess.run(["meson", "test", "-C", str(BUILD), "--no-rebuild", *names],
                   env={**os.environ, **SANITIZERS}, check=False,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    records = [json.loads(line) for line in LOG.read_text().splitlines()] \
        if LOG.exists() else []
    for record in records:
        name = record["name"].split(" / ")[-1]
        tally = program_tally(record)
        total.add(tally)
        RAN.add_tap(suite, name, record.get("stdout", ""))
        good = tally.failed == 0
        print(f"{'ok   ' if good else 'FAIL '} {suite}: {name} ({tally})")
        if not good:
            print(record.get("stdout", "")[-8000:] + record.get("stderr", "")[-8000:])
    for name in set(names) - {r["name"].split(" / ")[-1] for r in records}:
        print(f"FAIL  {suite}: {name} did not run")
        total.failed += 1
    return total


def junit_tally(path):
    """The tally of a junit file, or None when there is no whole one."""
    try:
        suites = xml.etree.ElementTree.parse(path).getroot().iter("testsuite")
        tally = Tally()
        for suite in suites:
            bad = int(suite.get("failures")) + int(suite.get("errors"))
            skipped = int(suite.get("skipped"))
            tally.failed += bad
            tally.skipped += skipped
            tally.passed += max(0, int(suite.get("tests")) - bad - skipped)
        return tally
    except (OSError, TypeError, xml.etree.ElementTree.ParseError):
        return None


INTEGRATION = "tests/integration"


def files_of(names):
    return [f"{INTEGRATION}/test_{name}.py" for name in names]


def run_pytest(name, words, paths, at_once=1, lean=False):
    """Run Python tests, as this stage; a file's tests stay together."""
    report = BUILD / f"pytest-{name}.xml"
    report.unlink(missing_ok=True)
    command = [sys.executable, "-B", "-m", "pytest", "-p", "no:cacheprovider", "-q",
               "-rs", "--tb=short", f"--junitxml={report}", *paths]
    if at_once > 1:
        command += ["-n", str(at_once), "--dist", "loadfile"]
    try:
        status = subprocess.run(command + (["-k", " and ".join(words)] if words else []),
                                cwd=ROOT, env={**os.environ, **SANITIZERS,
                                               **(LEAN_PROGRAMS if lean else {})},
                                timeout=PYTEST_LIMIT, check=False).returncode
    except subprocess.TimeoutExpired:
        print(f"FAIL  {name}: not done after {PYTEST_LIMIT} s")
        status = 1
    if not lean:  # all of them have run already
        RAN.add_junit("tools" if name == "checkers" else "integration", report)
    tally = junit_tally(report) or Tally()
    if status not in (0, 5) and tally.failed == 0:  # 5: nothing was selected
        tally.failed = 1
    return tally


def run_lint(_words):
    RAN.ran |= check_ledger.lint_checks(ROOT)
    return Tally(*lint.lint())


def run_ledger(words):
    """The ledger against what has run; with -k against what there is."""
    problems = check_ledger.check(ROOT, None if words else RAN.ran, RAN.skipped)
    for line in problems or check_ledger.summary(ROOT):
        print(f"{'FAIL ' if problems else 'ok   '} {line}")
    return Tally(passed=int(not problems), failed=len(problems))


def by_order(suite):
    """The quick ones first; a suite nobody told us of runs too."""
    return (ORDER.index(suite) if suite in ORDER else len(ORDER), suite)


def stages(words, at_once):
    if not words:
        yield "lint", run_lint
        yield "checkers", lambda w: run_pytest("checkers", w, ["tests/tools"])
    for suite, names in sorted(meson_tests().items(), key=lambda s: by_order(s[0])):
        chosen = [name for name in names if all(word in name for word in words)]
        yield suite, lambda _, s=suite, n=chosen: run_meson(s, n)
    others = [f"--ignore={path}" for path in files_of(ALONE)]
    yield "integration", lambda w: run_pytest("integration", w, [INTEGRATION, *others], at_once)
    yield "alone", lambda w: run_pytest("alone", w, files_of(ALONE))
    yield "lean", lambda w: run_pytest("lean", w, files_of(LEAN), at_once, lean=True)
    yield "ledger", run_ledger


def main():
    parser = argparse.ArgumentParser(
        prog="./dev test", description="All tests, one stage after the other.")
    parser.add_argument("-k", default="", metavar="WORDS",
                        help="only those whose names have all of these words")
    parser.add_argument("-j", type=int, default=AT_ONCE, metavar="N",
                        help=f"files of integration tests at once (default {AT_ONCE})")
    arguments = parser.parse_args()
    words = arguments.k.split()
    total = Tally()
    for name, stage in stages(words, arguments.j):
        print(f"== {name}", flush=True)
        began = time.monotonic()
        tally = stage(words)
        if name == "ledger" and words and total == Tally():
            tally = Tally(failed=1)
            print(f"FAIL  no test's name has: {' '.join(words)}")
        total.add(tally)
        print(f"== {name}: {tally} in {time.monotonic() - began:.0f} s", flush=True)
    print(total, flush=True)
    return total.failed != 0


if __name__ == "__main__":
    sys.exit(main())
