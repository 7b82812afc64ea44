"""All scenarios, by name."""
import importlib
import pathlib

from .scenario import SCENARIOS

for path in sorted((pathlib.Path(__file__).parent / "scenarios").glob("[a-z]*.py")):
    importlib.import_module(f"{__package__}.scenarios.{path.stem}")


def group(name):
    """The scenarios that share a daemon."""
    return [s for s in SCENARIOS.values() if s.group == name]


def groups():
    return list(dict.fromkeys(s.group for s in SCENARIOS.values()))
