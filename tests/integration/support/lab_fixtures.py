"""The laboratory as a fixture: see tests/lab/ and docs/LAB.md."""
import contextlib
import shutil
import sys

import pytest

from .daemon import ROOT

sys.path.insert(0, str(ROOT / "tests"))
sys.path.insert(0, str(ROOT / "tests/support"))

from lab.catalogue import SCENARIOS, group  # noqa: E402,F401
from lab.check import Run  # noqa: E402
from lab.lab import Lab  # noqa: E402
from signed_tree import missing_tools  # noqa: E402


@contextlib.contextmanager
def open_lab(request, name, scenarios):
    """A Lab in a folder of this name; it stays when a test has failed."""
    if missing_tools():
        pytest.skip(f"{missing_tools()} is not installed")
    folder = request.getfixturevalue("run_folder") / name
    before = request.session.testsfailed
    with Lab(folder, scenarios) as lab:
        yield lab
    if request.session.testsfailed == before:
        shutil.rmtree(folder, ignore_errors=True)


def open_group(request, name):
    """Run of all scenarios of a group in a laboratory of their own; nothing
    is sent yet.  A generator for a fixture."""
    with open_lab(request, f"lab-{name}", group(name)) as lab:
        run = Run(lab, lab.folder / "danelaw", name)
        run.daemon.start()
        yield run
        run.stop()
