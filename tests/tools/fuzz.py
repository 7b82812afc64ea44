#!/usr/bin/python3
"""Run fuzz targets (tests/fuzz/NAME.c) by libFuzzer for a bounded time.

    fuzz.py [--minutes N] [--jobs K] [--top-up] [TARGET...]
    fuzz.py TARGET SECONDS
    fuzz.py --list

Each target named, or each that there is, gets N minutes (default 1) of
processor time of its own, K targets at once (default 1): all of them take
N x targets / K minutes of an idle machine.  --top-up counts what earlier runs
gave: only what is missing to N minutes is run, so a long time can be given
in pieces.  --list shows what each has had so far.

New inputs collect in build-fuzz/corpus/, what crashes is kept in
build-fuzz/crash/, each target's last words in build-fuzz/log/ and what each
was given in build-fuzz/times.json; --place FOLDER has all of that, with a copy
of the programs, in another folder, where no build disturbs a long run.

Exit status: 0 nothing found, 1 something found, 2 usage.
"""
import argparse
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = ROOT / "build-fuzz"
INPUT_LIMIT = 1 << 16
NEWS = 60       # seconds between two lines of progress
UNIT_LIMIT = 600  # seconds of one input, by the clock of a busy machine
# Where the words of a language stand that a target reads: a dictionary.
WORDS = {
    "config": ["mta/config_keys.c", "mta/config_value.c", "mta/config_tls.c"],
    "smtp_session": ["mta/smtp/session_commands.c", "mta/smtp/session_params.c"],
    "smtp_client": ["mta/smtp/client_offers.c"],
    "verify": ["mta/smtp/client_offers.c"],
    "sts_policy": ["policy/sts_policy.c"],
}
TICK = os.sysconf("SC_CLK_TCK")


def programs(folder):
    """The targets that were built, by their name."""
    return {p.name.removeprefix("fuzz_"): p
            for p in sorted((folder / "tests/fuzz").glob("fuzz_*"))
            if p.is_file() and os.access(p, os.X_OK)}


def processor_seconds(pid):
    """What a process has used so far; 0 once it is gone."""
    try:
        stat = pathlib.Path(f"/proc/{pid}/stat").read_text("ascii", "replace")
    except (FileNotFoundError, ProcessLookupError):
        return 0.0
    fields = stat.rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def read_log(text):
    """Runs, coverage and corpus size, as libFuzzer said them last."""
    def last(pattern):
        found = re.findall(pattern, text)
        return int(found[-1]) if found else 0
    runs = last(r"stat::number_of_executed_units:\s*(\d+)")
    return {"runs": runs or last(r"(?m)^#(\d+)\s"),
            "cover": last(r"\bcov: (\d+)"), "corpus": last(r"\bcorp: (\d+)")}


def dictionary(name, place):
    """A file for libFuzzer's -dict, or None."""
    words = set()
    for source in WORDS.get(name, []):
        path = ROOT / source
        if path.exists():
            words |= set(re.findall(r'"([A-Za-z0-9_:.-]{2,24})"', path.read_text()))
    if not words:
        return None
    file = place / "dict" / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("".join(f'"{word}"\n' for word in sorted(words)))
    return file


class Times:
    """What each target was given, over all runs: a small file."""

    def __init__(self, path):
        self.path = path
        self.rows = json.loads(path.read_text()) if path.exists() else {}

    def row(self, name):
        return self.rows.get(
            name, {"seconds": 0.0, "runs": 0, "cover": 0, "findings": 0})

    def add(self, name, seconds, result, findings):
        row = self.rows[name] = self.row(name)
        row["seconds"] = round(row["seconds"] + seconds, 1)
        row["runs"] += result["runs"]
        row["cover"] = result["cover"] or row["cover"]
        row["findings"] += findings
        row["last"] = time.strftime("%Y-%m-%d", time.gmtime())
        fresh = self.path.with_suffix(".new")
        fresh.write_text(json.dumps(self.rows, indent=1, sort_keys=True) + "\n")
        fresh.replace(self.path)


class Run:
    """One target at work."""

    def __init__(self, name, program, place, seconds):
        self.name, self.limit = name, seconds
        self.used, self.asked, self.result, self.found = 0.0, 0.0, {}, []
        self.crash = place / "crash"
        learned = place / "corpus" / name
        self.log = place / "log" / name
        for folder in (learned, self.crash, self.log.parent):
            folder.mkdir(parents=True, exist_ok=True)
        self.known = set(self.crash.glob(f"{name}-*"))
        seeds = ROOT / "tests/fuzz/corpus" / name
        seeds.mkdir(parents=True, exist_ok=True)
        words = dictionary(name, place)
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [str(program), str(learned), str(seeds),
                 f"-max_len={INPUT_LIMIT}", f"-timeout={UNIT_LIMIT}",
                 f"-report_slow_units={UNIT_LIMIT}",
                 "-rss_limit_mb=2048", "-print_final_stats=1",
                 "-reload=0", f"-artifact_prefix={self.crash}/{name}-",
                 *([f"-dict={words}"] if words else [])],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                env={**os.environ, "UBSAN_OPTIONS":
                     "halt_on_error=1:print_stacktrace=1"})

    def over(self):
        """Look after it; whether it has ended."""
        pid = self.process.pid
        self.used = max(self.used, processor_seconds(pid))
        if self.process.poll() is not None:
            text = self.log.read_text(errors="replace")
            self.result = read_log(text)
            self.found = sorted(set(self.crash.glob(f"{self.name}-*")) - self.known)
            if self.process.returncode != 0 and not self.found:
                self.found = [self.log]
            return True
        now = time.monotonic()
        if self.used >= self.limit and now > self.asked + 30:
            # libFuzzer ends behind the input that it is at, with its figures.
            self.asked = now
            self.process.send_signal(signal.SIGUSR1)
        return False


def news(at_work, done, all_of_them):
    now = [f"{run.name} {run.used:.0f}/{run.limit:.0f} s" for run in at_work]
    print(f"   {done} of {all_of_them} done; {', '.join(now)}", flush=True)


def report(run):
    state = "FAIL" if run.found else "ok  "
    print(f"{state} {run.name}: {run.result['runs']} runs, "
          f"{run.used:.0f} s, coverage {run.result['cover']}", flush=True)
    for path in run.found:
        print(f"     {path}", flush=True)


def run_all(wanted, place, times, jobs):
    """wanted: (name, program, seconds) each; the runs that were made."""
    waiting, at_work, done, told = list(wanted), [], [], time.monotonic()
    try:
        while waiting or at_work:
            while waiting and len(at_work) < jobs:
                name, program, seconds = waiting.pop(0)
                at_work.append(Run(name, program, place, seconds))
            time.sleep(0.2)
            for run in [run for run in at_work if run.over()]:
                at_work.remove(run)
                done.append(run)
                times.add(run.name, run.used, run.result, len(run.found))
                report(run)
            if time.monotonic() > told + NEWS and at_work:
                told = time.monotonic()
                news(at_work, len(done), len(wanted))
    finally:
        for run in at_work:
            run.process.kill()
            run.process.wait()
    return done


def table(rows):
    """rows: (name, runs, coverage, seconds, seconds in all, findings)."""
    print(f"{'target':<18} {'runs':>11} {'coverage':>8} {'seconds':>8} "
          f"{'in all':>8} {'findings':>8}")
    for name, runs, cover, seconds, in_all, found in rows:
        print(f"{name:<18} {runs:>11} {cover:>8} {seconds:>8.0f} "
              f"{in_all:>8.0f} {found:>8}")


def positive(text):
    value = float(text)
    if not 0 < value < 1e6:
        raise argparse.ArgumentTypeError(f"{text} is no number above 0")
    return value


def arguments(words):
    parser = argparse.ArgumentParser(
        prog="dev fuzz", usage="./dev fuzz [--minutes N] [--jobs K] [--top-up] "
        "[--place FOLDER] [TARGET...]\n       ./dev fuzz TARGET SECONDS\n"
        "       ./dev fuzz --list", allow_abbrev=False,
        description="N minutes of processor time for each target, K at once.")
    parser.add_argument("--minutes", type=positive, help="for each (default 1)")
    parser.add_argument("--jobs", type=int, choices=range(1, 257), default=1,
                        metavar="K", help="targets at once (default 1)")
    parser.add_argument("--top-up", action="store_true",
                        help="count what earlier runs gave")
    parser.add_argument("--place", type=pathlib.Path, default=BUILD,
                        metavar="FOLDER", help="corpora, crashes and times there")
    parser.add_argument("--list", action="store_true",
                        help="the targets and what each has had")
    parser.add_argument("targets", nargs="*", metavar="TARGET")
    options = parser.parse_args(words)
    options.seconds = (options.minutes or 1) * 60
    if len(options.targets) == 2 and re.fullmatch(r"[0-9.]+", options.targets[1]):
        if options.minutes is not None:
            parser.error("SECONDS or --minutes, not both")
        try:
            options.seconds = positive(options.targets.pop())
        except (ValueError, argparse.ArgumentTypeError) as error:
            parser.error(str(error))
    known = programs(BUILD)
    unknown = [name for name in options.targets if name not in known]
    if unknown:
        parser.error(f"no target {unknown[0]}; there are: {' '.join(known)}")
    options.targets = options.targets or list(known)
    return options


def copies(names, place):
    """The programs where they run: those of the build, or copies of them."""
    known = programs(BUILD)
    if place == BUILD:
        return known
    folder = place / "tests/fuzz"
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        shutil.copy2(known[name], folder / f"{known[name].name}.new")
        (folder / f"{known[name].name}.new").replace(folder / known[name].name)
    return programs(place)


def main(words):
    options = arguments(words)
    place = options.place.absolute()
    place.mkdir(parents=True, exist_ok=True)
    times = Times(place / "times.json")
    if options.list:
        table([(name, row["runs"], row["cover"], 0, row["seconds"], row["findings"])
               for name in options.targets for row in [times.row(name)]])
        return 0
    had = {name: times.row(name)["seconds"] if options.top_up else 0
           for name in options.targets}
    built = copies(options.targets, place)
    done = run_all([(name, built[name], options.seconds - had[name])
                    for name in options.targets
                    if options.seconds > had[name] + 0.5],
                   place, times, options.jobs)
    table([(run.name, run.result["runs"], run.result["cover"], run.used,
            times.row(run.name)["seconds"], len(run.found)) for run in done])
    found = sum(len(run.found) for run in done)
    print(f"{len(done)} targets, {found} findings")
    return 1 if found else 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
