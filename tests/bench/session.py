#!/usr/bin/python3
"""The SMTP sessions without a network: octets and messages a second.

    ./dev bench session [SECONDS A MEASUREMENT]
"""
import pathlib
import subprocess
import sys

BUILD = pathlib.Path(__file__).resolve().parents[2] / "build-release"
TARGET = "tests/bench/session_bench"


def main():
    subprocess.run(["ninja", "-C", str(BUILD), TARGET], check=True,
                   stdout=subprocess.DEVNULL)
    return subprocess.run([str(BUILD / TARGET), *sys.argv[1:2]],
                          check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
