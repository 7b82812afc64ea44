#!/usr/bin/python3
"""Run libFuzzer targets for a bounded time.

    fuzz.py [TARGET [SECONDS]]

A target is a file tests/fuzz/TARGET.c; without one, each is run.  New inputs
collect in build-fuzz/corpus/; what crashes is kept in build-fuzz/crash/.
"""
import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = ROOT / "build-fuzz"
SECONDS = 60
INPUT_LIMIT = 1 << 16


def targets():
    return sorted(p.name.removeprefix("fuzz_")
                  for p in (BUILD / "tests/fuzz").glob("fuzz_*")
                  if p.is_file() and os.access(p, os.X_OK))


def fuzz(name, seconds):
    """Whether the target survived."""
    learned = BUILD / "corpus" / name
    crash = BUILD / "crash"
    learned.mkdir(parents=True, exist_ok=True)
    crash.mkdir(exist_ok=True)
    seeds = ROOT / "tests/fuzz/corpus" / name
    command = [str(BUILD / f"tests/fuzz/fuzz_{name}"), str(learned), str(seeds),
               f"-max_total_time={seconds}", f"-max_len={INPUT_LIMIT}",
               "-timeout=10", "-rss_limit_mb=2048", "-print_final_stats=1",
               "-verbosity=0", f"-artifact_prefix={crash}/{name}-"]
    print(f"== fuzz {name} for {seconds} s", flush=True)
    done = subprocess.run(command, check=False, env={
        **os.environ, "UBSAN_OPTIONS": "halt_on_error=1:print_stacktrace=1"})
    print(f"{'ok   ' if done.returncode == 0 else 'FAIL '} fuzz {name}", flush=True)
    return done.returncode == 0


def main():
    known = targets()
    wanted = sys.argv[1:2] or known
    seconds = int(sys.argv[2]) if len(sys.argv) > 2 else SECONDS
    unknown = [name for name in wanted if name not in known]
    if unknown:
        sys.exit(f"no target {unknown[0]}; there are: {' '.join(known)}")
    results = [fuzz(name, seconds) for name in wanted]
    return not all(results)


if __name__ == "__main__":
    sys.exit(main())
