"""danelaw sts: what is kept of MTA-STS policies, shown and forgotten."""
import json
import os
import pwd
import socket
import threading

import pytest

from support import daemon
from support.policies import Policies

from sts_file import policy, text, tried  # noqa: E402


class Listener:
    """A daemon's control socket, as far as it is told of changes."""

    def __init__(self, path, answer='{"ok":true}'):
        self.heard, self.answer = [], answer
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.bind(str(path))
        os.chmod(path, 0o777)
        self.socket.listen()
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                peer, _ = self.socket.accept()
            except OSError:
                return
            with peer, peer.makefile("rw") as lines:
                for line in lines:
                    request = json.loads(line)
                    self.heard.append((request["command"], request.get("domain")))
                    lines.write(self.answer + "\n")
                    lines.flush()

    def stop(self):
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()


@pytest.fixture
def place(danelaw):
    """A daemon that does not run, and its policies."""
    server = danelaw(start=False)
    return server, Policies(server)


def sts(server, *words):
    """Exit status, standard output by lines, standard error."""
    done = server.ctl("sts", *words, check=False)
    return done.returncode, done.stdout.splitlines(), done.stderr


def test_all_are_shown_in_a_table(place):
    server, kept = place
    assert sts(server, "show") == (0, [], "danelaw: nothing is kept\n")
    assert sts(server, "show", "--json") == (0, [], "")
    kept.make(policy("b.example", "mx1.b.example", "*.b.example", "mx.c.example",
                     last_used=0, failures=3),
              policy("a.example", age=3 * 86400 + 99), tried("c.example"),
              policy("old.example", age=9 * 86400 + 99, text=text("m", mode="testing")))
    status, lines, said = sts(server, "show")
    assert (status, said) == (0, "")
    head, *rows = [[cell.strip() for cell in line.split("  ") if cell.strip()]
                   for line in lines]
    assert head == ["domain", "mode", "mx", "fetched", "expires", "id", "last_used",
                    "failures"]
    assert rows == [
        ["a.example", "enforce", "mx.a.example", "3 days ago", "in 3 days",
         "20261101", "3 days ago", "0"],
        ["b.example", "enforce", "mx1.b.example +2", "1 minute ago", "in 6 days",
         "20261101", "-", "3"],
        ["c.example", "-", "-", "-", "-", "-", "-", "1"],
        ["old.example", "testing", "m", "9 days ago", "2 days ago", "20261101",
         "9 days ago", "0"]]


def test_one_is_shown_whole(place):
    server, kept = place
    kept.make(policy("a.example", "mx1.a.example", "*.a.example", failures=2,
                     tried_id="new1",
                     text=text("mx1.a.example", "*.a.example", more="note: \x1b[2Jé\r\n"
                               .replace("\x1b", "\u009b"))),
              tried("b.example"))
    status, lines, said = sts(server, "show", "A.Example")
    assert (status, said) == (0, "")
    for line in ("domain: a.example", "mode: enforce", "max_age: 7 days",
                 "fetched: 1 minute ago", "expires: in 6 days", "id: 20261101",
                 "last_used: 1 minute ago", "last_try: 1 minute ago",
                 "tried_id: new1", "failures: 2"):
        assert line in lines
    assert lines[lines.index("policy:") + 1:] == [
        "  version: STSv1", "  mode: enforce", "  mx: mx1.a.example",
        "  mx: *.a.example", "  max_age: 604800",
        "  note: \\xc2\\x9b[2J\\xc3\\xa9"]
    status, lines, _ = sts(server, "show", "b.example")
    assert status == 0 and "failures: 1" in lines and "policy:" not in lines
    status, lines, said = sts(server, "show", "a.example", "x.example", "b..example")
    assert status == 1 and "domain: a.example" in lines
    assert "x.example: nothing is kept of it" in said and "b..example" in said


def test_json_moves_no_terminal(place):
    server, kept = place
    row = policy("a.example", text=text("mx.a.example", more="note: \u009b2Jé\r\n"))
    kept.make(row)
    for words in (("export",), ("show", "--json", "a.example")):
        _, (line,), _ = sts(server, *words)
        assert line.isascii() and json.loads(line)["policy"] == row["text"]


def test_json_has_everything(place):
    server, kept = place
    row = policy("a.example", "mx1.a.example", "*.a.example", age=100, failures=1)
    kept.make(row, tried("b.example", last_try=5, last_used=7))
    whole = {"domain": "a.example", "state": "policy", "mode": "enforce",
             "mx": ["mx1.a.example", "*.a.example"], "max_age": 604800,
             "fetched": row["fetched_at"], "expires": row["expires_at"],
             "id": "20261101", "last_used": row["last_used"],
             "last_try": row["last_try"], "tried_id": "20261101", "failures": 1}
    empty = {"domain": "b.example", "state": "empty", "mode": "", "mx": [],
             "max_age": 0, "fetched": 0, "expires": 0, "id": "", "last_used": 7,
             "last_try": 5, "tried_id": "1", "failures": 1}
    with_text = {**whole, "policy": row["text"]}
    for words, wanted in ((("show", "--json"), [whole, empty]),
                          (("export",), [with_text, empty]),
                          (("export", "--json"), [with_text, empty]),
                          (("show", "--json", "a.example"), [with_text]),
                          (("show", "--json", "b.example"), [empty])):
        status, lines, said = sts(server, *words)
        assert (status, said) == (0, "")
        assert [json.loads(line) for line in lines] == wanted


def test_forgetting_tells_the_daemon(place, started):
    server, kept = place
    kept.make(policy("a.example"), policy("b.example"), policy("c.example"))
    assert sts(server, "forget", "a.example") == (0, [], "")
    assert kept.domains() == ["b.example", "c.example"]
    listener = Listener(server.spool / "control")
    started.append(listener)
    # The daemon may have in memory what could not be kept.
    status, _, said = sts(server, "forget", "B.example", "a.example")
    assert status == 1 and "a.example: nothing was kept of it" in said
    assert kept.domains() == ["c.example"]
    assert sts(server, "forget", "--all") == (0, [], "")
    assert kept.domains() == []
    assert listener.heard == [("sts-changed", "b.example"),
                              ("sts-changed", "a.example"), ("sts-changed", None)]
    listener.answer = '{"ok":false,"error":"not today"}'
    status, _, said = sts(server, "forget", "--all")
    assert status == 1 and "the daemon was not told: not today" in said
    status, _, said = sts(server, "forget", "b.example")
    assert status == 1


def test_a_running_daemon_is_told(danelaw):
    server = danelaw()
    Policies(server).make(policy("a.example"))
    assert sts(server, "forget", "a.example") == (0, [], "")
    assert sts(server, "forget", "--all") == (0, [], "")


def test_what_is_unreadable_is_told_and_kept(place):
    server, kept = place
    kept.make(policy("a.example"), policy("b.example"), policy("c.example"))
    kept.run("UPDATE policies SET text = CAST('nonsense' AS BLOB)"
             " WHERE domain = 'b.example'")
    for words in (("show",), ("show", "--json"), ("export",)):
        status, lines, said = sts(server, *words)
        assert status == 1 and "b.example" in said and "line 1" in said
        assert ["a.example" in line or "c.example" in line
                for line in lines][-2:] == [True, True]
    status, lines, said = sts(server, "show", "b.example")
    assert (status, lines) == (1, []) and "unreadable" in said
    damaged = b"this was a database" * 500
    kept.file.write_bytes(damaged)
    for words in (("show",), ("show", "a.example"), ("export",), ("forget", "a.example")):
        status, lines, said = sts(server, *words)
        assert (status, lines) == (1, []) and "sts.db: file is not a database" in said
    assert kept.file.read_bytes() == damaged
    status, _, said = sts(server, "forget", "--all")
    assert status == 0 and f"{kept.file}.damaged" in said
    assert (kept.folder / "sts.db.damaged").read_bytes() == damaged
    assert sts(server, "show") == (0, [], "danelaw: nothing is kept\n")
    assert sts(server, "show", "--json") == (0, [], "")


@pytest.mark.skipif(daemon.SERVANT is None, reason="only root has a choice")
def test_root_leaves_the_files_to_their_account(place):
    server, kept = place
    kept.make(policy("a.example"), policy("b.example"))
    owner = pwd.getpwnam(daemon.SERVANT).pw_uid
    for words in (("show",), ("forget", "a.example"), ("forget", "--all")):
        assert sts(server, *words)[0] == 0
        assert {path.stat().st_uid for path in kept.folder.iterdir()} == {owner}
    assert (kept.folder / "sts.lock").exists()


@pytest.mark.skipif(daemon.SERVANT is None, reason="only root can be another")
def test_an_account_that_is_not_there(danelaw):
    server = danelaw({"user": "nobody-by-this-name"}, start=False)
    status, _, said = sts(server, "show")
    assert status == 1 and "no such account" in said


@pytest.mark.parametrize("words", [
    ("show",), ("export",), ("refresh", "a.example"), ("forget", "--all")])
def test_before_the_daemon_ever_ran(danelaw, words):
    server = danelaw(start=False)
    assert sts(server, *words) == (
        1, [], f"danelaw: sts: the state folder {server.spool}/state is not "
               "there; start danelawd once\n")


@pytest.mark.parametrize("words, says", [
    ((), "sts what?"),
    (("shew",), "sts what?"),
    (("show", "--all"), "--all is for sts forget"),
    (("export", "a.example"), "takes no domains"),
    (("forget",), "wants domains, or --all"),
    (("forget", "--all", "a.example"), "wants domains, or --all"),
    (("forget", "--json", "a.example"), "--json is not for"),
    (("show", "--since", "1d"), "--since is not for sts"),
])
def test_wrong_usage(place, words, says):
    status, lines, said = sts(place[0], *words)
    assert (status, lines) == (2, []) and says in said
