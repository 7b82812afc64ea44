"""Break one place of a program, and see whether a test notices.

A table has lines of (what is broken, where, what stands there, what instead,
who has to notice), and the last is a unit test program, "unit:NAME", a fuzz
target with its corpus, "fuzz:NAME", or what pytest finds by these words,
"PATH [WORDS]".

    sys.exit(mutation.main(MUTANTS, *sys.argv[1:2]))

The tests of build/ have to be there.  A mutant is one file compiled anew and
linked before our libraries or in the place of the object it replaces, so
nothing else is built and no file is touched.
One in Python is run by the checkers' own tests; of a file in FILES the tests are
told where the broken one is.
"""
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = ROOT / "build"
WORK = BUILD / "mutants"
SECONDS = 400
# A test says so by its name; a program ends early; it does not end at all;
# nobody notices; there is no such mutant.
KINDS = CAUGHT, CRASHED, HUNG, SURVIVED, UNFIT = "caught", "CRASHED", "HUNG", "SURVIVED", "UNFIT"
PROGRAMS = {"DANELAWD": "mta/danelawd", "DANELAW": "mta/ctl/danelaw",
            "HTTPS_GET": "tests/unit/https_get"}
# What tests take as it is, and how they are told to take another.
FILES = {"docs/examples/danelaw.service": "DANELAW_UNIT"}


def broken(file, before, after):
    """(its text with one place changed, what is in the way or None)"""
    text = (ROOT / file).read_text()
    if text.count(before) != 1:
        return None, f"{text.count(before)} places in {file}"
    return text.replace(before, after), None


def report(names, results):
    """Says of each who caught it, as it comes; 0 if a test did in each case."""
    counts = dict.fromkeys(KINDS, 0)
    for name, (kind, said) in zip(names, results):
        counts[kind] += 1
        print(f"{kind:8} {name}{': ' + said if said else ''}", flush=True)
    print(f"{len(names)} mutants: " +
          ", ".join(f"{n} {kind}" for kind, n in counts.items()))
    return counts["caught"] != len(names)


def commands(target):
    """What ninja would do for it."""
    said = subprocess.run(["ninja", "-C", str(BUILD), "-t", "commands", target],
                          text=True, check=True, stdout=subprocess.PIPE).stdout
    return [line for line in said.splitlines() if not line.startswith("ninja:")]


def made_of(target, file):
    """(what compiles this file, what links the target), or None without it."""
    lines = commands(target)
    compiled = [line for line in lines if line.endswith(f" -c ../{file}")]
    return (compiled[0], lines[-1]) if compiled else None


def run(command, **how):
    return subprocess.run(command, text=True, errors="replace", check=False, timeout=SECONDS,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **how)


def build(target, file, text, folder):
    """The target with another text of one file: (program, what was said)."""
    how = made_of(target, file)
    if how is None:
        return BUILD / target, ""
    compiled, linked = how
    source, made = folder / pathlib.Path(file).name, folder / "mutant.o"
    program = folder / pathlib.Path(target).name
    source.write_text(text)
    words = shlex.split(compiled)
    place = words.index("-o") + 1
    whole, words[place] = words[place], str(made)
    words[words.index("-MF") + 1] = str(folder / "mutant.d")
    words[-1] = str(source)
    done = run([*words, "-w"], cwd=BUILD)
    if done.returncode == 0:
        words = [word for word in shlex.split(linked) if word != whole]
        place = words.index("-o")
        words[place + 1:place + 2] = [str(program), str(made)]
        done = run(words, cwd=BUILD)
    return None if done.returncode else program, done.stdout


def failed(text):
    """The tests that failed, by their names."""
    found = re.findall(r"(?m)^FAILED \S+?::(\S+)|^\[  FAILED  \] (\w+)$|^ERROR \S+?::(\S+)",
                       text)
    return sorted({name for names in found for name in names if name})


def last_words(text):
    """The test that ran when a program ended, and what was the matter."""
    begun = re.findall(r"(?m)^\[ RUN      \] (\w+)$", text)
    ended = re.findall(r"(?m)^\[ +(?:OK|FAILED|SKIPPED) +\] (\w+)$", text)
    found = re.search(r"ERROR: (\w+Sanitizer.*)|runtime error: .*|.*Assertion.*", text)
    where = f"in {begun[-1]}: " if begun and begun[-1] not in ended else "at the end: "
    return where + (found.group(0) if found else text[-150:].strip())


def attempt(command, **how):
    """(how it ended, who noticed it or what was said)"""
    try:
        done = run(command, **how)
    except subprocess.TimeoutExpired:
        return HUNG, ""
    names = failed(done.stdout)
    # 5 is pytest's "nothing was chosen", and five failures of a unit test
    if done.returncode == 0 or done.returncode == 5 and not names:
        return SURVIVED, ""
    if not names:
        return CRASHED, last_words(done.stdout)
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return CAUGHT, ", ".join(names[:3]) + more


def pytest(words):
    path, _, chosen = words.partition(" ")
    return [sys.executable, "-B", "-m", "pytest", "-p", "no:cacheprovider", "-q", "-x",
            "-rfE", "--tb=no", path, *(["-k", chosen] if chosen else [])]


def attempt_corpus(program, name):
    """A fuzz target notices by its own assertions; others are a crash."""
    kind, said = attempt([str(program), f"tests/fuzz/corpus/{name}"], cwd=ROOT)
    if kind == CRASHED and re.search(r"tests/fuzz/\S+: .*Assertion", said):
        return CAUGHT, re.sub(r".*(Assertion)", r"\1", said)
    return kind, said


def try_c(file, text, tests, folder):
    where, _, test = tests.partition(":")
    unit = where in ("unit", "fuzz")
    wanted = {"": f"tests/unit/{test}" if where == "unit" else f"tests/fuzz/fuzz_{test}"}
    wanted = wanted if unit else PROGRAMS
    programs = {}
    for name, target in wanted.items():
        programs[name], said = build(target, file, text, folder)
        if programs[name] is None:
            return UNFIT, said[-300:]
    if all(path.parent != folder for path in programs.values()):
        return UNFIT, f"nothing here has {file}"
    if where == "fuzz":
        return attempt_corpus(programs[""], test)
    if unit:
        return attempt([str(programs[""])], cwd=ROOT)
    return attempt(pytest(tests), cwd=ROOT,
                   env={**os.environ, **{n: str(p) for n, p in programs.items()}})


def link_all(there, here, but):
    here.mkdir()
    for path in there.iterdir():
        if path.name != but:
            (here / path.name).symlink_to(path)


def try_python(file, text, tests, folder):
    """Beside everything that its tests look for, which is here by its links."""
    root, tools = folder / "root", folder / "root/tests/tools"
    link_all(ROOT, root, "tests")
    link_all(ROOT / "tests", root / "tests", "tools")
    tools.mkdir()
    for path in (ROOT / "tests/tools").glob("*.py"):
        shutil.copy(path, tools / path.name)
    (root / file).write_text(text)
    return attempt(pytest(tests), cwd=root)


def try_file(file, text, tests, folder):
    path = folder / pathlib.Path(file).name
    path.write_text(text)
    return attempt(pytest(tests), cwd=ROOT, env={**os.environ, FILES[file]: str(path)})


def attempt_whole(tests):
    """The same without a mutant: nobody may have anything to notice."""
    if tests.startswith("unit:"):
        return attempt([str(BUILD / "tests/unit" / tests[5:])], cwd=ROOT)
    if tests.startswith("fuzz:"):
        return attempt_corpus(BUILD / f"tests/fuzz/fuzz_{tests[5:]}", tests[5:])
    return attempt(pytest(tests), cwd=ROOT)


def try_mutant(mutant):
    _, file, before, after, tests = mutant
    text, why = broken(file, before, after)
    if text is None:
        return UNFIT, why
    WORK.mkdir(parents=True, exist_ok=True)
    attempt_it = try_file if file in FILES else try_python if file.endswith(".py") else try_c
    with tempfile.TemporaryDirectory(dir=WORK) as folder:
        return attempt_it(file, text, tests, pathlib.Path(folder))


def main(mutants, words=""):
    chosen = [m for m in mutants if any(words in part for part in m)]
    for tests in sorted({m[-1] for m in chosen}):
        kind, said = attempt_whole(tests)
        if kind != SURVIVED:
            print(f"{tests} fails without a mutant: {kind} {said}")
            return 1
    return report([m[0] for m in chosen], map(try_mutant, chosen))
