"""The checkers must fail on what they exist for; each row here is one sin."""
import os
import pathlib
import subprocess

import pytest

import check_banned
import check_citations
import check_codes
import check_layers
import check_ledger
import check_sizes
import csource
import lint
import suite


def put(root, name, text):
    path = pathlib.Path(root) / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


GOOD = """\
/* Purpose. */
#include <stdint.h>
#include <uv.h>

#include "base/err.h"

typedef int step_fn(void *arg);

static step_fn step_one;
static const char *const names[] = {"a", "b"};
static const struct {
	int n;
} table[] = {{1}};

/* RFC 5321 4.1.1.4: the end of data is CRLF.CRLF. */
static int
step_one(void *arg)
{
	static const int limit = 3;

	if (arg == NULL)
		return limit; /* not: goto, strcpy(), malloc() */
	return names[0][0] == '/' ? 1 : table[0].n;
}
"""


@pytest.fixture
def tree(tmp_path):
    """A small tree without a fault."""
    put(tmp_path, "base/err.h", "#pragma once\nint err_set(int kind);\n")
    put(tmp_path, "mta/net/loop.c", GOOD)
    put(tmp_path, "tests/unit/loop_test.c", "/* RFC 5321 4.1.1.4 */\n")
    return tmp_path


@pytest.mark.parametrize(
    "check", [check_layers, check_banned, check_sizes, check_citations, check_codes])
def test_good_tree_passes(tree, check):
    assert check.check(tree) == []


@pytest.mark.parametrize("name, line, why", [
    ("queue/a.c", '#include "policy/plan.h"', "queue/ may not use policy/"),
    ("base/a.c", '#include "dnssec/name.h"', "base/ may not use dnssec/"),
    ("policy/a.c", '#include "mta/ipc.h"', "policy/ may not use mta/"),
    ("mta/smtp/a.c", '#include "mta/ipc.h"', "mta/smtp/ may not use mta/"),
    ("mta/smtp/a.c", '#include "queue/queue.h"', "mta/smtp/ may not use queue/"),
    ("mta/queue/a.c", '#include "mta/deliver/job.h"',
     "mta/queue/ may not use mta/deliver/"),
    ("mta/receive/a.c", '#include "policy/plan.h"', "mta/receive/ may not use policy/"),
    ("mta/a.c", '#include "tests/support/test.h"', "nothing uses tests/"),
    ("mta/a.c", '#include "err.h"', "name it from the root"),
    ("mta/a.c", '#include "base/nowhere.h"', "no file of ours"),
    ("mta/deliver/a.c", "#include <uv.h>", "<uv.h> belongs in"),
    ("mta/smtp/a.c", "#include <openssl/ssl.h>", "<openssl/ssl.h> belongs in"),
    ("dnssec/a.c", "#include <unbound.h>", "<unbound.h> belongs in"),
    ("mta/main.c", "#include <confuse.h>", "<confuse.h> belongs in"),
    ("mta/a.c", "# include <jansson.h>", "<jansson.h> belongs in"),
    ("mta/deliver/a.c", "#include <curl/curl.h>", "<curl/curl.h> belongs in"),
    ("mta/a.c", "#include <event2/event.h>", "stands in no table"),
])
def test_layers_fail(tree, name, line, why):
    for header in ("policy/plan.h", "dnssec/name.h", "mta/ipc.h", "queue/queue.h",
                   "mta/deliver/job.h"):
        put(tree, header, "")
    put(tree, name, line + "\n")
    found = check_layers.check(tree)
    assert len(found) == 1 and why in found[0], found


@pytest.mark.parametrize("name, include", [
    ("dnssec/resolver.c", "<unbound.h>"),
    ("mta/config.c", "<confuse.h>"),
    ("mta/config_read.c", "<confuse.h>"),
    ("mta/net/tls_server.c", "<openssl/ssl.h>"),
    ("mta/net/https_fetch.c", "<curl/curl.h>"),
    ("mta/ctl/print.c", "<jansson.h>"),
    ("mta/receive/status_json.c", "<jansson.h>"),
    ("mta/deliver/a.c", '"mta/smtp/client.h"'),
    ("mta/smtp/a.c", '"queue/envelope.h"'),
])
def test_layers_allow(tree, name, include):
    put(tree, "mta/smtp/client.h", "")
    put(tree, "queue/envelope.h", "")
    put(tree, name, f"#include {include}\n")
    assert check_layers.check(tree) == []


def function(body):
    return f"static int\nf(char *a)\n{{\n\t{body}\n}}\n"


@pytest.mark.parametrize("name, text, why", [
    ("mta/a.c", function("strcpy(a, a);"), "strcpy"),
    ("tests/unit/a.c", function("sprintf (a, a);"), "sprintf"),
    ("base/a.c", function("return strtol(a, NULL, 10);"), "strtol"),
    ("base/a.c", function("goto out;"), "goto"),
    ("base/a.c", function("return 1; // why"), "//"),
    ("queue/a.c", function("free(a);"), "free"),
    ("queue/a.c", function("return exit(1);"), "only main"),
    ("mta/a.c", "static int counter;\n", "counter: a global"),
    ("mta/a.c", "int counter = 3;\n", "counter: a global"),
    ("mta/a.c", "static const char *name;\n", "name: a global"),
    ("mta/a.c", "static const char *names[] = {\"a\"};\n", "names: a global"),
    ("mta/a.c", "static struct thing {\n\tint a;\n} it;\n", "it: a global"),
    ("mta/a.c", function("static int calls;"), "static in f()"),
    ("mta/a.c", function("static char last[4 * 2];"), "static in f()"),
    ("mta/a.c", function("static struct {\n\t\tconst char *a;\n\t} b;"), "static in f()"),
    ("mta/a.c", "static char last[4 * 2];\n", "last: a global"),
    ("mta/a.c", function("static const char *last = NULL;"), "static in f()"),
])
def test_banned_fail(tree, name, text, why):
    put(tree, name, text)
    found = check_banned.check(tree)
    assert len(found) == 1 and why in found[0], found


@pytest.mark.parametrize("name, text", [
    ("base/mem.c", function("free(a);")),
    ("mta/main.c", function("exit(1);")),
    ("tests/unit/a.c", function("free(a);")),
    ("mta/a.c", function('return a == "strcpy(a, b) goto //";')),
    ("mta/a.c", function("return thing.free(a) + thing->exit(a);")),
    ("mta/a.c", "struct loop;\nenum a {\n\tA,\n};\nstruct b {\n\tint c;\n};\n"),
    ("mta/a.c", "extern const int a;\nint f(int b);\n"),
    ("mta/a.c", function("static const char zeros[64 * 1024];")),
    ("mta/a.c", "static const char zeros[64 * 1024];\n"),
    ("mta/a.c", function("static const struct {\n\t\tconst char *a;\n\t} b[] = {{0}};")),
    ("base/log.c", "static struct {\n\tint level;\n} sink = {.level = 1};\n"),
])
def test_banned_allow(tree, name, text):
    put(tree, name, text)
    assert check_banned.check(tree) == []


@pytest.mark.parametrize("name, text, why", [
    ("mta/a.c", "\n" * 501, "501 lines"),
    ("tests/unit/a.c", "\n" * 501, "501 lines"),
    ("mta/a.c", function("\n" * 57), "61 lines"),
    ("mta/a.c", "int\nf(int a, int b, int c, int d, int e, int g, int (*h)(int, int), int i)\n"
     "{\n}\n", "8 parameters"),
    ("mta/a.c", function("while (1)\n\t\tif (1)\n\t\t\tif (1)\n\t\t\t\tif (1)\n"
     "\t\t\t\t\treturn 1;"), "nests 4 deep"),
    ("mta/a.h", "".join(f"int f{n}(int a,\n    int b);\n" for n in range(25)),
     "25 prototypes"),
    ("mta/a.h", "struct s {\n\tbool a, b, c;\n\tbool d;\n\tbool e;\n};\n",
     "5 booleans"),
])
def test_sizes_fail(tree, name, text, why):
    put(tree, name, text)
    found = check_sizes.check(tree)
    assert len(found) == 1 and why in found[0], found


@pytest.mark.parametrize("text", [
    'err_set(err, ERR_PERM, "5.1.11", "x");', '[A] = "250 2.8.0 Ok\\r\\n",',
    'bad ? "5.1.7" : "5.1.08"', '{ERR_TEMP, "4.7.31", "x"}', '"5.7.19"'])
def test_codes_that_are_none_are_found(tree, text):
    put(tree, "mta/a.c", f"{text}\n")
    assert len(check_codes.check(tree)) == 1


@pytest.mark.parametrize("text", [
    'err_set(err, ERR_PERM, "5.1.10", "x");', '[A] = "250 2.0.0 Ok\\r\\n",',
    '.rfc = "5.2.9"', '"RFC 8460 5.2.9"', '"192.0.2.1"'])
def test_codes_that_are_registered_pass(tree, text):
    put(tree, "mta/a.c", f"{text}\n")
    assert check_codes.check(tree) == []


def test_citation_without_test_is_found(tree):
    put(tree, "mta/a.c", "/* RFC 3207 4: one.\n * RFC 5321 4.1.1.4: two. */\n"
        'static const char a[] = "RFC 9999 1";\n')
    assert check_citations.check(tree) == ["mta/a.c:1: RFC 3207 4: no test names it"]


def test_functions_are_found_with_their_lines():
    (found,) = csource.functions(GOOD)
    assert (found.name, found.first, found.last) == ("step_one", 17, 24)
    assert found.params == ["void *arg"]


# --- the ledger --------------------------------------------------------------

GOOD_ROW = ["1-1-01", "1", "1", "MUST", "sender", "Words", "done",
            "unit:a_test/one", ""]


def ledger(root, rows, pitfalls=None):
    """A project with one unit test, one pytest function and this ledger."""
    put(root, "tests/unit/a_test.c", "cmocka_unit_test(one),\n")
    put(root, "tests/tools/lint.py", "def check_format():\n    pass\n")
    put(root, "tests/integration/test_b.py",
        "import pytest\n@pytest.mark.parametrize('x', ['y', 'z'])\n"
        "def test_two(x):\n    pass\n")
    lines = ["\t".join(check_ledger.COLUMNS)] + ["\t".join(row) for row in rows]
    put(root, "docs/conformance.tsv", "\n".join(lines) + "\n")
    lines = ["\t".join(check_ledger.PITFALL_COLUMNS)] + [
        "\t".join(row) for row in pitfalls or
        [[str(n), "words", "open", "", ""] for n in range(1, 41)]]
    put(root, "docs/pitfalls.tsv", "\n".join(lines) + "\n")


def row(**changes):
    return [changes.get(column, value)
            for column, value in zip(check_ledger.COLUMNS, GOOD_ROW)]


@pytest.fixture
def one_row(monkeypatch):
    monkeypatch.setattr(check_ledger, "ROWS", {"1": 1})


@pytest.mark.parametrize("changes", [
    {}, {"state": "open", "test": ""}, {"state": "n/a", "test": "", "reason": "why"},
    {"state": "declined", "reason": "why"}, {"test": "lint:format"},
    {"test": "integration:test_b.py::test_two"},
    {"test": "integration:test_b.py::test_two[z] unit:a_test/one"}])
@pytest.mark.usefixtures("one_row")
def test_good_ledger_passes(tmp_path, changes):
    ledger(tmp_path, [row(**changes)])
    assert check_ledger.check(tmp_path) == []
    assert list(check_ledger.summary(tmp_path)) == [
        f"RFC 1: 1 {changes.get('state', 'done')}"]


@pytest.mark.parametrize("changes, why", [
    ({"test": ""}, "no test is named"),
    ({"state": "yes"}, "is no state"),
    ({"state": "n/a", "test": ""}, "no reason"),
    ({"state": "declined"}, "no reason"),
    ({"test": "unit:a_test/two"}, "there is no unit:a_test/two"),
    ({"test": "integration:test_b.py::test_two[a]"}, "there is no"),
    ({"test": "lint:nothing"}, "there is no"),
    ({"state": "open", "test": "unit:b/one"}, "there is no"),
    ({"rfc": "2"}, "RFC 1: 0 rows, should be 1")])
@pytest.mark.usefixtures("one_row")
def test_ledger_fails(tmp_path, changes, why):
    ledger(tmp_path, [row(**changes)])
    assert any(why in line for line in check_ledger.check(tmp_path))


@pytest.mark.usefixtures("one_row")
def test_ledger_wants_its_tests_to_have_run(tmp_path):
    ledger(tmp_path, [row(test="unit:a_test/one integration:test_b.py::test_two")])
    ran = {"unit:a_test/one", "integration:test_b.py::test_two[y]"}
    assert check_ledger.check(tmp_path, ran) == []
    assert check_ledger.check(tmp_path, {"unit:a_test/one"}) == [
        "1-1-01: integration:test_b.py::test_two did not run"]
    assert check_ledger.check(
        tmp_path, {"unit:a_test/one"}, {"integration:test_b.py::test_two[y]"}) == []


@pytest.mark.usefixtures("one_row")
def test_ledger_is_whole(tmp_path):
    ledger(tmp_path, [row(), row()])
    assert len(check_ledger.check(tmp_path)) == 2  # twice, and one too many
    ledger(tmp_path, [row()], [["1", "words", "open", "", ""]])
    assert check_ledger.check(tmp_path) == ["pitfalls.tsv: 1 rows, should be 40"]
    ledger(tmp_path, [row()[:-1]])
    assert any("columns" in line for line in check_ledger.check(tmp_path))
    (tmp_path / "docs/conformance.tsv").unlink()
    assert any("conformance.tsv" in line for line in check_ledger.check(tmp_path))


def test_what_ran_has_the_ledgers_names(tmp_path):
    ran = suite.Ran()
    ran.add_tap("unit", "a_test", "1..3\nok 1 - one\nnot ok 2 - two\n"
                "ok 3 - three # SKIP nothing there\n")
    put(tmp_path, "r.xml", '<testsuites><testsuite><testcase classname="tests.'
        'integration.test_b" name="test_two[y]"/><testcase classname="tests.'
        'integration.test_b" name="test_three"><skipped/></testcase></testsuite>'
        '</testsuites>')
    ran.add_junit("integration", tmp_path / "r.xml")
    ran.add_junit("integration", tmp_path / "none.xml")
    assert ran.ran == {"unit:a_test/one", "unit:a_test/two",
                       "integration:test_b.py::test_two[y]"}
    assert ran.skipped == {"unit:a_test/three", "integration:test_b.py::test_three"}


@pytest.mark.parametrize("text, status, wanted", [
    ("1..2\nok 1 - a\nok 2 - b\n", 0, (2, 0, 0)),
    ("1..2\nok 1 - a\nnot ok 2 - b\n", 1, (1, 1, 0)),
    ("1..3\nok 1 - a\nok 2 - b # SKIP no\nnot ok 3 - c # SKIP no\n", 0, (1, 0, 2)),
    ("1..3\nok 1 - a\n", 0, (1, 2, 0)),          # it ended too soon
    ("1..1\nok 1 - a\n", 134, (1, 1, 0)),        # or crashed behind the last
    ("1..1\nnot ok 1 - a\n", 134, (0, 1, 0)),    # which is not told twice
    ("", 1, (0, 1, 0))])
def test_programs_are_added_up(text, status, wanted):
    assert suite.tap_tally(text, status) == suite.Tally(*wanted)


@pytest.mark.parametrize("record, wanted", [
    ({"result": "OK", "returncode": 0}, (1, 0, 0)),
    ({"result": "FAIL", "returncode": 1}, (0, 1, 0)),
    ({"result": "TIMEOUT"}, (0, 1, 0)),
    ({"result": "SKIP"}, (0, 0, 1)),
    ({"result": "TIMEOUT", "stdout": "1..1\nok 1 - a\n"}, (1, 1, 0))])
def test_mesons_records_are_added_up(record, wanted):
    assert suite.program_tally(record) == suite.Tally(*wanted)


def test_lean_files_run_without_sanitizers(monkeypatch):
    """By name, with the other programs, and beside the report of the whole."""
    ran = []
    monkeypatch.delenv("DANELAWD", raising=False)
    monkeypatch.setattr(suite.subprocess, "run", lambda command, env, **_how: ran.append(
        (command, env)) or suite.subprocess.CompletedProcess(command, 0))
    monkeypatch.setattr(suite, "meson_tests", dict)
    stages = dict(suite.stages("", 2))
    for stage in ("lean", "integration"):
        stages[stage]("")
    (lean, lean_env), (whole, whole_env) = ran
    files = [pathlib.Path(word) for word in lean if word.startswith("tests/")]
    assert len(files) == len(suite.LEAN) > 5
    assert all((suite.ROOT / path).is_file() for path in files)
    assert "tests/integration" in whole and "DANELAWD" not in whole_env
    assert "build-release" in lean_env["DANELAWD"] and "build-release" in lean_env["DANELAW"]
    assert not set(lean) & {word for word in whole if word.startswith("--junitxml")}


@pytest.mark.parametrize("words, ran, status", [
    ([], 0, 0), (["-k", "sts"], 3, 0), (["-k", "no such"], 0, 1)])
def test_words_that_name_no_test_are_a_failure(words, ran, status, monkeypatch, capsys):
    """Who mistypes a name has tested nothing."""
    monkeypatch.setattr(suite.sys, "argv", ["suite", *words])
    monkeypatch.setattr(suite, "stages", lambda _words, _at_once: [
        ("unit", lambda _: suite.Tally(passed=ran)), ("ledger", lambda _: suite.Tally(passed=1))])
    assert suite.main() == status
    assert ("no test's name has: no such" in capsys.readouterr().out) == bool(status)


def test_files_that_run_alone_run_once(monkeypatch):
    """Beside no others, and not among those that run two at once."""
    ran = []
    monkeypatch.setattr(suite.subprocess, "run", lambda command, **_how: ran.append(command)
                        or suite.subprocess.CompletedProcess(command, 0))
    monkeypatch.setattr(suite, "meson_tests", dict)
    stages = dict(suite.stages("", 2))
    for stage in ("integration", "alone"):
        stages[stage]("")
    beside, alone = ran
    files = [word for word in alone if word.startswith("tests/")]
    assert len(files) == len(suite.ALONE) and "-n" not in alone
    assert all((suite.ROOT / path).is_file() for path in files)
    assert {f"--ignore={path}" for path in files} <= set(beside)
    assert beside[-4:] == ["-n", "2", "--dist", "loadfile"]


def test_pytests_reports_are_added_up(tmp_path):
    put(tmp_path, "r.xml", '<testsuites><testsuite tests="9" failures="1" errors="2"'
        ' skipped="3"/></testsuites>')
    assert suite.junit_tally(tmp_path / "r.xml") == suite.Tally(3, 3, 3)
    put(tmp_path, "r.xml", '<testsuites><testsuite tests="9"')
    assert suite.junit_tally(tmp_path / "r.xml") is None
    assert suite.junit_tally(tmp_path / "none.xml") is None


def test_a_name_in_two_libraries_is_found(tmp_path, monkeypatch):
    for name in ("liba.a", "libb.a"):
        put(tmp_path, name, "")
    told = {"liba.a": "0 T one\n0 t own\n0 D two\n                 U three\n",
            "libb.a": "0 T one\n0 t own\n0 B three\n"}
    monkeypatch.setattr(lint, "BUILD", tmp_path)
    monkeypatch.setattr(lint, "run", lambda *command: (
        0, told[pathlib.Path(command[-1]).name]))
    assert lint.check_symbols() == ["one: defined in liba.a and libb.a"]


@pytest.mark.parametrize("words", [
    [], ["run"], ["lab"], ["test"], ["bench"], ["bench", "report"], ["fuzz"], ["fuzz", "config"],
    ["crash"], ["lint"], ["fmt"], ["build", "fuzz"], ["clean"]], ids=" ".join)
def test_help_waits_for_no_build(words, tmp_path):
    """Each command tells how it is called, and does nothing else; also where nothing
    of what it needs is installed."""
    root = pathlib.Path(__file__).parents[2]
    for name in ("dpkg-query", "apt-get", "sudo", "meson", "ninja"):
        put(tmp_path, name, "#!/bin/sh\nexit 1\n")
        (tmp_path / name).chmod(0o755)
    done = subprocess.run([str(root / "dev"), *words, "--help"], text=True, check=False,
                          timeout=20, capture_output=True,
                          env={**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"})
    assert (done.returncode, done.stderr if words != ["bench"] else "") == (0, "")
    told = done.stdout + done.stderr
    assert f"./dev {words[0] if words else 'COMMAND'}" in told or "usage: ./dev COMMAND" in told
    assert "ninja" not in told and "Compiling" not in told
