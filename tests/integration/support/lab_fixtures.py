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
def open_lab(request, name, scenarios, **how):
    """A Lab in a folder of this name; it stays when a test has failed."""
    if missing_tools():
        pytest.skip(f"{missing_tools()} is not installed")
    folder = request.getfixturevalue("run_folder") / name
    before = request.session.testsfailed
    with Lab(folder, scenarios, **how) as lab:
        yield lab
    if request.session.testsfailed == before:
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def ending(run):
    """A Run that ends with the block, however that goes: its daemon's end is
    judged only where nothing else has failed."""
    try:
        yield run
    except BaseException:
        with contextlib.suppress(AssertionError):
            run.stop()
        raise
    run.stop()


def open_group(request, name):
    """Run of all scenarios of a group in a laboratory of their own; nothing
    is sent yet.  A generator for a fixture."""
    with open_lab(request, f"lab-{name}", group(name)) as lab, \
            ending(Run(lab, lab.folder / "danelaw", name)) as run:
        run.daemon.start()
        yield run


def open_runs(lab):
    """run("group"): its daemon, started and sent all mail when first asked
    for.  A generator for a fixture."""
    made, broken = {}, {}

    def run(group_name):
        if group_name not in made:
            made[group_name] = ends.enter_context(ending(
                Run(lab, lab.folder / f"danelaw-{group_name}", group_name)))
            try:
                made[group_name].start()
            except AssertionError as failure:
                broken[group_name] = str(failure)
        assert group_name not in broken, broken[group_name]
        return made[group_name]

    with contextlib.ExitStack() as ends:
        yield run


def check(runs, *names):
    """Did these scenarios go as they say, each in its group's run?"""
    for name in names:
        runs(SCENARIOS[name].group).check(SCENARIOS[name])


def names_of(session, *functions, pitfalls=None):
    """The scenarios of the tests of these functions that will run: the `name`
    of each, or what the table has for its `pitfall`."""
    names = set()
    for item in session.items:
        if item.function in functions:
            params = item.callspec.params
            names.update([params["name"]] if "name" in params
                         else pitfalls[params["pitfall"]].split())
    return names
