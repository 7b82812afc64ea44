#!/usr/bin/python3
"""Everything that is checked without running the program.

    lint.py [--full] [--fix-format]

Each check prints one line, and what is wrong below it.  clang-tidy looks
again only at files that changed, themselves or in a header of ours, since it
last found them clean; --full makes it look at all.
"""
import argparse
import concurrent.futures
import hashlib
import itertools
import json
import os
import pathlib
import re
import subprocess
import sys

import check_banned
import check_citations
import check_codes
import check_layers
import check_sizes
import csource

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = ROOT / "build"
JOBS = os.cpu_count() or 1

HEADER_FLAGS = ["-std=c17", "-D_GNU_SOURCE", "-fsyntax-only", "-Wall", "-Wextra",
                "-Werror", "-Wno-pragma-once-outside-header", f"-I{ROOT}"]
TIDY_FLAGS = ["--quiet", "--extra-arg=-Wno-unknown-warning-option",
              "--extra-arg=-Wno-unused-command-line-argument",
              # clang 14 asks for a second flag before it takes gcc's "=zero"
              "--extra-arg=-ftrivial-auto-var-init=pattern", "-p", str(BUILD)]


def run(*command, text=None):
    """(exit status, output) of a command, standard error included."""
    done = subprocess.run(command, input=text, cwd=ROOT, text=True, check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return done.returncode, done.stdout


def in_parallel(work, items):
    """Non-empty results of work(item), in the order of the items."""
    with concurrent.futures.ThreadPoolExecutor(JOBS) as pool:
        return [found for found in pool.map(work, items) if found]


def all_c_files(suffixes=(".c", ".h")):
    return (csource.product_files(ROOT, suffixes)
            + csource.c_files(ROOT, ["tests"], suffixes))


def check_format():
    """Every C file is as clang-format would write it."""
    files = [str(f) for f in all_c_files()]
    status, output = run("clang-format", "--dry-run", "-Werror", *files) if files \
        else (0, "")
    names = sorted({line.split(":")[0] for line in output.splitlines()
                    if ": error: " in line})
    return [f"{csource.rel(n, ROOT)}: not in the house format (./dev fmt)"
            for n in names] or ([output] if status else [])


def fix_format():
    run("clang-format", "-i", *[str(f) for f in all_c_files()])


def check_headers():
    """Every header compiles alone, and twice."""
    def compile_one(header):
        name = csource.rel(header, ROOT)
        text = f'#include "{name}"\n#include "{name}"\n'
        status, output = run(os.environ.get("CC", "cc"), *HEADER_FLAGS, "-x", "c",
                             "-", text=text)
        return f"{name}: does not compile alone\n{output}" if status else None

    return in_parallel(compile_one, csource.product_files(ROOT, (".h",)))


def check_manual():
    """mandoc finds nothing to warn of in the manual pages."""
    pages = sorted((ROOT / "docs/man").glob("*.[1-9]"))
    bad = []
    for page in pages:
        status, output = run("mandoc", "-Tlint", "-W", "warning", str(page))
        if status:
            bad.append(output.replace(str(ROOT) + "/", "").strip())
    return bad


def includes_of(path, seen):
    """path and all headers of ours it includes, collected into seen."""
    if path in seen or not path.is_file():
        return
    seen.add(path)
    for name in re.findall(r'(?m)^\s*#\s*include "([^"]+)"', path.read_text()):
        includes_of(ROOT / name, seen)


def tidy_stamp(path):
    """The file whose presence says: this content was found clean."""
    seen = {ROOT / ".clang-tidy"}
    includes_of(path, seen)
    digest = hashlib.sha256()
    for name in sorted(seen):
        digest.update(name.name.encode() + b"\0" + name.read_bytes())
    return BUILD / "tidy" / digest.hexdigest()


def tidy_one(path):
    stamp = tidy_stamp(path)
    status, output = run("clang-tidy", *TIDY_FLAGS, str(path))
    if status:
        return "\n".join(line for line in output.splitlines()
                         if "warnings generated" not in line)
    stamp.touch()
    return None


def counted(work, total, step=10):
    """The same work, telling now and then how much of it is done."""
    count = itertools.count(1)

    def one(item):
        found = work(item)
        done = next(count)
        if done % step == 0:
            print(f"      tidy: {done} of {total}", flush=True)
        return found
    return one


def check_tidy(full):
    """clang-tidy on the product's files that the build knows."""
    commands = BUILD / "compile_commands.json"
    if not commands.is_file():
        return ["no build/compile_commands.json: ./dev build first"]
    known = {str((pathlib.Path(c["directory"]) / c["file"]).resolve())
             for c in json.loads(commands.read_text())}
    (BUILD / "tidy").mkdir(exist_ok=True)
    files = [f for f in csource.product_files(ROOT, (".c",)) if str(f) in known]
    due = [f for f in files if full or not tidy_stamp(f).exists()]
    print(f"      tidy: {len(due)} of {len(files)} files to look at", flush=True)
    return in_parallel(counted(tidy_one, len(due)), due)


def check_cited():
    """Only told for now, so never bad."""
    missing = check_citations.check(ROOT)
    if missing:
        print(f"note: {len(missing)} RFC citations without a test "
              "(tests/tools/check_citations.py lists them)")
    return []


def check_status():
    return check_codes.check(ROOT)


def check_symbols():
    """No two of our libraries define the same name: the linker would take
    either, and say nothing."""
    where = {}
    for archive in sorted(BUILD.glob("**/lib*.a")):
        _, output = run("nm", "-g", "--defined-only", str(archive))
        for line in output.splitlines():
            words = line.split()
            if len(words) == 3 and words[1] in "TDBR":
                where.setdefault(words[2], set()).add(archive.name)
    if not where:
        return [f"no library in {BUILD}, or no nm"]
    return [f"{name}: defined in {' and '.join(sorted(files))}"
            for name, files in sorted(where.items()) if len(files) > 1]


def checks(full):
    return [
        ("format", check_format),
        ("layers", lambda: check_layers.check(ROOT)),
        ("banned", lambda: check_banned.check(ROOT)),
        ("sizes", lambda: check_sizes.check(ROOT)),
        ("citations", check_cited),
        ("status", check_status),
        ("headers", check_headers),
        ("symbols", check_symbols),
        ("manual", check_manual),
        ("tidy", lambda: check_tidy(full)),
    ]


def lint(full=False):
    """Run all checks; (passed, failed)."""
    passed = failed = 0
    for name, check in checks(full):
        bad = check()
        passed += not bad
        failed += bool(bad)
        print(f"{'FAIL' if bad else 'ok'}    lint: {name}", flush=True)
        for line in bad:
            print(line)
    return passed, failed


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="./dev lint", description="What no compiler says.")
    parser.add_argument("--full", action="store_true",
                        help="clang-tidy of every file, not of those that have changed")
    parser.add_argument("--fix-format", action="store_true",
                        help="put every C file into the house format, and no more")
    arguments = parser.parse_args()
    if arguments.fix_format:
        fix_format()
    else:
        sys.exit(lint(arguments.full)[1] != 0)
