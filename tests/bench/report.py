#!/usr/bin/python3
"""What TLS-RPT costs: sessions counted, and the mails of a day.

    ./dev bench report [SESSIONS [DOMAINS [SESSIONS A SECOND]]]
"""
import pathlib
import subprocess
import sys
import tempfile

BUILD = pathlib.Path(__file__).resolve().parents[2] / "build-release"
TARGET = "tests/bench/report_bench"


def main():
    subprocess.run(["ninja", "-C", str(BUILD), TARGET], check=True,
                   stdout=subprocess.DEVNULL)
    with tempfile.TemporaryDirectory(prefix="danelaw-bench-") as folder:
        return subprocess.run([str(BUILD / TARGET), folder, *sys.argv[1:]],
                              check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
