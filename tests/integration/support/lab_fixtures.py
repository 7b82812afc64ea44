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


def open_runs(lab):
    """run("group"): its daemon, started and sent all mail when first asked
    for.  A generator for a fixture."""
    made, broken = {}, {}

    def run(group_name):
        if group_name not in made:
            made[group_name] = Run(lab, lab.folder / f"danelaw-{group_name}",
                                   group_name)
            try:
                made[group_name].start()
            except AssertionError as failure:
                broken[group_name] = str(failure)
        assert group_name not in broken, broken[group_name]
        return made[group_name]

    yield run
    for name, one in made.items():
        if name not in broken:
            one.stop()


def names_of(session, *functions):
    """The `name` of each test of these functions that will run."""
    return {item.callspec.params["name"] for item in session.items
            if item.function in functions}
