#!/usr/bin/python3
"""Hold docs/conformance.tsv and docs/pitfalls.tsv against the tests.

    check_ledger.py [ROOT]

A row is a requirement of an RFC, its state and the tests that would fail if it
broke:

    done       tests: at least one
    n/a        reason: why it cannot bind us
    declined   reason: why we do otherwise; tests, if any, hold what we do
    open       nobody has shown it yet

Tests are named as

    unit:host_test/every_shape_has_its_bases
    integration:test_lab_dane.py::test_scenario[alias-both]
    lint:layers

separated by blanks; without [...] all of that function.  After a whole run of
`./dev test` each must have run; one that was skipped, because something is not
installed, is only told.
"""
import collections
import csv
import os
import pathlib
import re
import subprocess
import sys

COLUMNS = ["id", "rfc", "section", "level", "role", "requirement", "state",
           "test", "reason"]
PITFALL_COLUMNS = ["number", "pitfall", "state", "test", "reason"]
STATES = ("done", "n/a", "declined", "open")
PITFALLS = 40

# How many rows there are of each RFC, so that none gets lost.
ROWS = {
    "1870": 14, "2034": 5, "2920": 17, "3030": 20, "3207": 28, "3461": 36,
    "3463": 4, "3464": 19, "3848": 4, "5321": 166, "6125": 5, "6152": 6,
    "6376": 29, "6522": 4, "6531": 23, "6533": 5, "6698": 26, "7504": 4,
    "7505": 7, "7671": 67, "7672": 121, "8301": 4, "8314": 7, "8460": 94,
    "8461": 98, "8463": 2, "8689": 46, "8996": 7, "9325": 12, "9422": 11,
    "9525": 9,
}


def read(path, columns):
    """(rows as dicts, problems) of a table with these columns."""
    try:
        with path.open(newline="") as file:
            table = list(csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    except OSError as error:
        return [], [f"{path.name}: {error.strerror}"]
    if not table or table[0] != columns:
        return [], [f"{path.name}: its columns are not {' '.join(columns)}"]
    bad = [f"{path.name}:{n}: {len(row)} columns" for n, row in enumerate(table, 1)
           if len(row) != len(columns)]
    return [dict(zip(columns, row)) for row in table[1:]
            if len(row) == len(columns)], bad


def judge(name, row):
    """What is wrong with one row by itself."""
    if row["state"] not in STATES:
        yield f"{name}: \"{row['state']}\" is no state"
    if row["state"] == "done" and not row["test"]:
        yield f"{name}: done, and no test is named"
    if row["state"] in ("n/a", "declined") and not row["reason"]:
        yield f"{name}: {row['state']}, and no reason is given"


def judge_rows(rows):
    """What is wrong with the list."""
    seen = collections.Counter(row["id"] for row in rows)
    for name, times in seen.items():
        if times > 1:
            yield f"{name}: {times} rows"
    counts = collections.Counter(row["rfc"] for row in rows)
    for rfc in sorted(set(counts) | set(ROWS)):
        if counts[rfc] != ROWS.get(rfc, 0):
            yield f"RFC {rfc}: {counts[rfc]} rows, should be {ROWS.get(rfc, 0)}"


def unit_tests(root):
    """"unit:PROGRAM/NAME" of every unit test in the sources."""
    return {f"unit:{path.stem}/{name}"
            for path in (root / "tests/unit").glob("*.c")
            for name in re.findall(r"(?:cmocka_unit_test\w*|\bCASE)\(\s*(\w+)",
                                   path.read_text())}


def lint_checks(root):
    text = (root / "tests/tools/lint.py").read_text()
    return {f"lint:{name}" for name in re.findall(r"(?m)^def check_(\w+)", text)}


def integration_tests(root):
    """"integration:FILE::NAME[PARAMETERS]" as pytest collects them."""
    plain = {k: v for k, v in os.environ.items() if k != "PYTEST_ADDOPTS"}
    listed = subprocess.run(
        [sys.executable, "-B", "-m", "pytest", "-p", "no:cacheprovider", "-q",
         "--collect-only", "tests/integration"],
        cwd=root, env=plain, capture_output=True, text=True, check=False)
    return {"integration:" + line.split("tests/integration/", 1)[1]
            for line in listed.stdout.splitlines()
            if line.startswith("tests/integration/") and "::" in line}


def with_bare(names):
    """The same, and each function of pytest without its parameters."""
    return names | {name.split("[")[0] for name in names}


def check(root, ran=None, skipped=frozenset()):
    """Problems, each a line.  `ran`: what did run, None when nobody knows."""
    root = pathlib.Path(root)
    rows, problems = read(root / "docs/conformance.tsv", COLUMNS)
    pitfalls, more = read(root / "docs/pitfalls.tsv", PITFALL_COLUMNS)
    problems += more
    problems += judge_rows(rows)
    if len(pitfalls) != PITFALLS:
        problems.append(f"pitfalls.tsv: {len(pitfalls)} rows, should be {PITFALLS}")
    named = [(row["id"], row) for row in rows] + \
            [(f"pitfall {row['number']}", row) for row in pitfalls]
    known = with_bare(unit_tests(root) | lint_checks(root) | integration_tests(root))
    ran = None if ran is None else with_bare(set(ran))
    skipped = with_bare(set(skipped))
    for name, row in named:
        problems += judge(name, row)
        for test in row["test"].split():
            if test not in known:
                problems.append(f"{name}: there is no {test}")
            elif ran is not None and test not in ran | skipped:
                problems.append(f"{name}: {test} did not run")
    return problems


def summary(root):
    """A line for each RFC."""
    rows, _ = read(pathlib.Path(root) / "docs/conformance.tsv", COLUMNS)
    counts = collections.defaultdict(collections.Counter)
    for row in rows:
        counts[row["rfc"]][row["state"]] += 1
    for rfc, count in sorted(counts.items()):
        yield f"RFC {rfc}: " + ", ".join(f"{count[state]} {state}"
                                         for state in STATES if count[state])


def main():
    root = sys.argv[1] if len(sys.argv) > 1 else "."
    problems = check(root)
    print("\n".join(problems or summary(root)))
    return bool(problems)


if __name__ == "__main__":
    sys.exit(main())
