"""The program https_get, which fetches and sends as the daemon does.

    results, grown_kb = run("--ca", file, "mta-sts.good.test", "127.0.0.1:443")
"""
import json
import os
import subprocess
import sys

import pytest

from .daemon import ROOT, environment

sys.path.insert(0, str(ROOT / "tests"))
from lab.pki import pem  # noqa: E402


def program():
    return os.environ.get("HTTPS_GET") or str(ROOT / "build/tests/unit/https_get")


def run(*arguments, env=None):
    """What came of each, and by how much the program has grown."""
    if not os.access(program(), os.X_OK):
        pytest.skip("https_get is not built")
    done = subprocess.run([program(), *map(str, arguments)], check=False, timeout=90,
                          capture_output=True, env={**environment(), **(env or {})})
    assert done.returncode == 0, done.stderr.decode()
    *results, last = [json.loads(line) for line in done.stdout.splitlines()]
    return results, last["grown_kb"]


def authorities(pki, name="root"):
    """The file that says: this one is trusted."""
    path = pki.folder / f"ca-{name}.pem"
    path.write_bytes(pem(pki.certificate(name)))
    return str(path)
