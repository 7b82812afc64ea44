"""Making drops by hand needs XXH3, which Python has not: ask a C program.

A drop made here is one with right checksums and a message of our choice, which
`danelaw sendmail` would never write.
"""
import os
import subprocess

import pytest

from .daemon import ROOT, environment


def program():
    default = ROOT / "build/tests/unit/make_drop"
    return os.environ.get("DANELAW_MAKE_DROP") or str(default)


def make(message, *rcpts, sender="s@x.example"):
    if not os.access(program(), os.X_OK):
        pytest.skip("make_drop is not built")
    return subprocess.run([program(), sender, *rcpts], input=message, check=True,
                          stdout=subprocess.PIPE, env=environment()).stdout
