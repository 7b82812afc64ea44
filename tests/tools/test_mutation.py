"""Tables of mutants must fit the code, and say truly who noticed one."""
import importlib
import pathlib

import pytest

import mutation

HERE = pathlib.Path(__file__).parent


@pytest.mark.parametrize("table", [path.stem for path in HERE.glob("mutants*.py")])
def test_every_mutant_can_be_made(table):
    """What the code no longer says guards nothing."""
    rows = importlib.import_module(table).MUTANTS
    stale = [row[0] for row in rows if mutation.broken(*row[1:4])[1] is not None]
    assert rows and stale == []


@pytest.mark.parametrize("script, kind, said", [
    ("exit 0", mutation.SURVIVED, ""),
    ("echo '[  FAILED  ] old_ones_go'; exit 1", mutation.CAUGHT, "old_ones_go"),
    ("echo 'FAILED tests/x.py::test_it[a] - why'; exit 1", mutation.CAUGHT, "test_it[a]"),
    ("exit 5", mutation.SURVIVED, ""),
    ("echo '[ RUN      ] first'; echo '[       OK ] first'; echo '[ RUN      ] second';"
     "echo '==1==ERROR: AddressSanitizer: SEGV'; exit 1",
     mutation.CRASHED, "in second: ERROR: AddressSanitizer: SEGV"),
    ("echo '[ RUN      ] first'; echo '[       OK ] first';"
     "echo '==1==ERROR: LeakSanitizer: detected'; exit 1",
     mutation.CRASHED, "at the end: ERROR: LeakSanitizer: detected"),
    ("sleep 9", mutation.HUNG, "")])
def test_who_noticed_a_mutant(script, kind, said, monkeypatch):
    """Only a test that says its name has caught one."""
    monkeypatch.setattr(mutation, "SECONDS", 1)
    assert mutation.attempt(["sh", "-c", script]) == (kind, said)


@pytest.mark.parametrize("kind", mutation.KINDS)
def test_only_what_is_caught_is_well(kind, capsys):
    assert mutation.report(["one"], [(kind, "")]) == (kind != mutation.CAUGHT)
    assert f"1 {kind}" in capsys.readouterr().out
