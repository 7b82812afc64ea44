"""Options and results that all benchmarks have in common."""
import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

from . import built, proc
from .quiet import Quiet


def options(name, doc, runs=5):
    """A parser with --runs, --scale, --dir and --json."""
    parser = argparse.ArgumentParser(
        prog=f"./dev bench {name}", description=doc,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=runs,
                        help=f"measure so often (default {runs})")
    parser.add_argument("--scale", type=float, default=1.0,
                        help="so much of the full size; 0.02 is a smoke test")
    parser.add_argument("--patience", type=float, default=0, metavar="SECONDS",
                        help="wait so long, all in all, for others to be quiet")
    parser.add_argument("--dir", default="/var/tmp", help="the disk to measure on")
    parser.add_argument("--json", action="store_true",
                        help="results as JSON; the words go to standard error")
    return parser


def scaled(options, full, least=1):
    return max(least, int(full * options.scale))


class Report:
    """Values by name, each measured once a run; a folder to measure in.

    Used as a context manager: the folder goes at its end.
    """

    def __init__(self, name, options):
        self.name = name
        self._json = options.json
        self._values = {}
        self._units = {}
        self._ratios = []
        self._limits = {}
        self._about = {
            "benchmark": name, "commit": built.commit(), "scale": options.scale,
            "runs": options.runs, "cores": os.cpu_count(),
            "load_before": proc.load_average(),
            "date": time.strftime("%Y-%m-%d %H:%M", time.gmtime()),
            "file_system": self._file_system(options.dir)}
        self.quiet = Quiet(options.patience, self.say)
        self.folder = tempfile.mkdtemp(prefix=f"danelaw-{name}-", dir=options.dir)
        os.chmod(self.folder, 0o755)

    def __enter__(self):
        about = ", ".join(f"{k.replace('_', ' ')} {v}"
                          for k, v in self._about.items() if k != "benchmark")
        self.say(f"{self.name}: {about}")
        if self._about["file_system"] == "tmpfs":
            self.say("warning: nothing is durable on tmpfs; choose another --dir")
        if self._about["load_before"] > 1.5:
            self.say("warning: the machine is busy with something else")
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.folder, ignore_errors=True)

    @staticmethod
    def _file_system(folder):
        done = subprocess.run(["stat", "-f", "-c", "%T", folder], check=False,
                              capture_output=True, text=True)
        return done.stdout.strip()

    def say(self, words):
        print(words, file=sys.stderr if self._json else sys.stdout, flush=True)

    def add(self, name, value, unit="/s", quiet=False):
        """One value of one run."""
        self._values.setdefault(name, []).append(value)
        self._units[name] = unit
        if not quiet:
            self.say(f"  {name:44} {show(value, unit)}")

    def has(self, name):
        return name in self._values

    def idle(self, name):
        """What share of all processors had nothing to do in the last run."""
        self.add(name, self.quiet.idle * 100, "%")

    def median(self, name):
        return statistics.median(self._values[name])

    def ratio(self, words, over, under, bar=None, least=True):
        """At the end: the median of over/under run by run, beside a bar."""
        self._ratios.append((words, over, under))
        if bar is not None:
            self.limit(words, bar, least)

    def limit(self, name, bar, least=False):
        """At the end: does the median keep within this?"""
        self._limits[name] = (bar, least)

    def _worked_out(self):
        for words, over, under in self._ratios:
            if over in self._values and under in self._values:
                pairs = zip(self._values[over], self._values[under])
                self._values[words] = [o / u for o, u in pairs if u]
                self._units[words] = "times"

    def _verdict(self, name):
        if name not in self._limits:
            return ""
        bar, least = self._limits[name]
        good = self.median(name) >= bar if least else self.median(name) <= bar
        return (f"  {'ok' if good else 'MISSED'}: "
                f"{'at least' if least else 'at most'} {bar:g}")

    def finish(self):
        """Print the medians; with --json the whole."""
        self._worked_out()
        self._about["load_after"] = proc.load_average()
        self._about["others"] = short(self.quiet.worst)
        self._about["made_again"] = self.quiet.again
        self.say(f"medians of {self._about['runs']}, least and most"
                 f" (others used {self.quiet.worst:.0%} of the machine at most,"
                 f" {self.quiet.again} made again):")
        for name, values in self._values.items():
            unit = self._units[name]
            self.say(f"  {name:44} {show(self.median(name), unit)}"
                     f"  ({number(min(values))} to {number(max(values))})"
                     + self._verdict(name))
        if self._json:
            print(json.dumps({
                **self._about,
                "results": [{"name": name, "unit": self._units[name],
                             "median": short(self.median(name)),
                             "values": [short(v) for v in values]}
                            for name, values in self._values.items()]}))


def short(value):
    """Six digits are more than a measurement gives."""
    return float(f"{value:.6g}")


def number(value):
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"


def show(value, unit):
    return f"{number(value):>9} {unit}"
