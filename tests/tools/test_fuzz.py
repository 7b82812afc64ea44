"""./dev fuzz counts what each target had, and says what it found."""
import pathlib

import pytest

import fuzz


# A target that finds nothing, and goes when it is told to as libFuzzer does.
BUSY = """\
#!/usr/bin/python3
import os, signal
def leave(*_):
    print("#9 DONE cov: 3 ft: 4 corp: 2/5b", flush=True)
    print("stat::number_of_executed_units: 7", flush=True)
    os._exit(0)
signal.signal(signal.SIGUSR1, leave)
while True:
    pass
"""
# And one that falls over at once.
CRASHES = """\
#!/usr/bin/python3
import sys
prefix = [a for a in sys.argv if a.startswith("-artifact_prefix=")][0]
open(prefix.partition("=")[2] + "crash-1", "w").close()
sys.exit(77)
"""


@pytest.fixture
def fuzz_targets(tmp_path, monkeypatch):
    build = tmp_path / "build-fuzz"
    for name, text in (("busy", BUSY), ("crashes", CRASHES)):
        program = build / f"tests/fuzz/fuzz_{name}"
        program.parent.mkdir(parents=True, exist_ok=True)
        program.write_text(text)
        program.chmod(0o755)
    monkeypatch.setattr(fuzz, "ROOT", tmp_path)
    monkeypatch.setattr(fuzz, "BUILD", build)
    return build


def fuzz_main(*words):
    try:
        return fuzz.main(list(words))
    except SystemExit as ended:
        return ended.code


def test_fuzz_counts_processor_time_over_runs(fuzz_targets, tmp_path, capsys):
    place = ["--place", str(tmp_path / "away")]
    assert fuzz_main(*place, "--minutes", "0.02", "busy") == 0
    row = fuzz.Times(tmp_path / "away/times.json").rows["busy"]
    assert row["runs"] == 7 and row["cover"] == 3 and row["findings"] == 0
    assert 1.2 <= row["seconds"] < 10
    assert "1 targets, 0 findings" in capsys.readouterr().out
    # It has had that; what is missing to more is little.
    assert fuzz_main(*place, "--minutes", "0.02", "--top-up", "busy") == 0
    assert "0 targets, 0 findings" in capsys.readouterr().out
    assert fuzz_main(*place, "busy", "0.7") == 0
    assert fuzz.Times(tmp_path / "away/times.json").rows["busy"]["runs"] == 14
    assert not (fuzz_targets / "times.json").exists()


def test_fuzz_says_what_it_found(fuzz_targets, capsys):
    assert fuzz_main("--minutes", "0.02", "--jobs", "2") == 1
    out = capsys.readouterr().out
    assert "FAIL crashes" in out and "ok   busy" in out
    assert "crashes-crash-1" in out and "2 targets, 1 findings" in out
    assert fuzz_main("--list") == 0
    listed = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in listed] == ["target", "busy", "crashes"]
    assert listed[2].split()[-1] == "1" and listed[1].split()[-1] == "0"


@pytest.mark.parametrize("words", [
    ["nosuch"], ["busy", "0"], ["busy", "x"], ["--minutes", "-1"], ["--jobs", "0"],
    ["--minutes", "2", "busy", "5"], ["--sometimes"]])
def test_fuzz_refuses(fuzz_targets, words):
    assert fuzz_main(*words) == 2


def test_fuzz_takes_words_from_the_source(fuzz_targets, tmp_path):
    source = tmp_path / fuzz.WORDS["config"][0]
    source.parent.mkdir(parents=True)
    source.write_text('{"hostname", "x y", "of"}')
    assert fuzz.dictionary("config", tmp_path).read_text() == '"hostname"\n"of"\n'
    assert fuzz.dictionary("proxy", tmp_path) is None
    # Where they are looked for there is a file.
    here = pathlib.Path(__file__).parents[2]
    for sources in fuzz.WORDS.values():
        assert all((here / source).exists() for source in sources)
