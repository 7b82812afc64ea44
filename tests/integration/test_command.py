"""The command danelaw against a daemon we play ourselves."""
import contextlib
import json
import os
import re
import socket
import subprocess
import threading
import time

import pytest

from support.daemon import binary, environment

NOW = int(time.time())
TODAY = time.strftime("%Y-%m-%d", time.gmtime(NOW))


def danelaw(*arguments):
    """Run the command; its end with output."""
    if not os.access(binary("danelaw"), os.X_OK):
        pytest.skip("danelaw is not built")
    return subprocess.run([binary("danelaw"), *map(str, arguments)],
                          capture_output=True, text=True, timeout=60,
                          check=False, env=environment())


class FakeDaemon:
    """Answers each request with what answer(request) returns, as lines.

    once: hang up after the first answer.
    """

    def __init__(self, path, answer, once=False):
        self.path = path
        self.answer = answer
        self.once = once
        self.requests = []
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(path))
        self.listener.listen()
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            with contextlib.suppress(ConnectionError), client:
                self.talk(client.makefile("rwb"))

    def talk(self, stream):
        with stream:
            for line in stream:
                self.requests.append(json.loads(line))
                stream.write(self.answer(self.requests[-1]))
                stream.flush()
                if self.once:
                    return

    def stop(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()


def lines(*objects):
    return b"".join(json.dumps(o).encode() + b"\n" for o in objects)


@pytest.fixture
def fake(tmp_path, started):
    def make(answer, once=False):
        made = FakeDaemon(tmp_path / "control",
                          answer if callable(answer) else lambda _: answer, once)
        started.append(made)
        return made
    return make


def test_without_a_command_usage_is_told():
    done = danelaw()
    assert done.returncode == 2 and "usage: danelaw" in done.stderr


def test_help_names_every_command():
    done = danelaw("help")
    assert done.returncode == 0
    for word in ("check-config", "status", "queue", "list", "show", "flush",
                 "hold", "release", "remove", "stats", "version", "--json"):
        assert word in done.stdout
    assert danelaw("--help").stdout == done.stdout


def test_help_of_one_command():
    """Its lines and its options alone, of a verb those of the verb."""
    whole = danelaw("report", "--help")
    assert (whole.returncode, whole.stderr) == (0, "")
    assert danelaw("help", "report").stdout == danelaw("report", "-h").stdout == whole.stdout
    assert whole.stdout.startswith("usage: danelaw [-c FILE] [-s SOCKET] report ...\n")
    for word in ("report read FILE...", "report dkim-check", "--since", "--unsigned", "--json"):
        assert word in whole.stdout
    for word in ("queue", "sendmail", "--limit", "--force", "make|check", "this text"):
        assert word not in whole.stdout.replace("danelaw help", "")
    send = danelaw("report", "send", "--help").stdout
    assert "report send DOMAIN..." in send and "report send --dry-run" in send
    assert "report read" not in send and "report summary" not in send
    assert danelaw("help", "report", "send").stdout == send
    assert danelaw("report", "--help", "send").stdout == send
    assert "report read" in danelaw("report", "nonsense", "--help").stdout
    assert "--" not in danelaw("version", "--help").stdout
    last = danelaw("help", "help").stdout
    assert "help [COMMAND]" in last and "version" not in last
    ours = danelaw("sendmail", "--help")
    assert ours.stdout == danelaw("help", "sendmail").stdout and "OPTION|ADDRESS" in ours.stdout
    for option in ("-t ", "-f ADDRESS", "-N LIST", "-bs ", "-bp, -q "):
        assert f"  {option}" in ours.stdout
    for words in (["tlsa"], ["tlsa", "check"]):
        records = danelaw(*words, "--help")
        assert danelaw("help", *words).stdout == records.stdout
        assert (records.returncode, records.stderr) == (0, "")
        assert "danelaw tlsa make" in records.stdout and "--chain FILE" in records.stdout
    for command in ("queue", "dane", "audit", "sts"):
        assert danelaw("help", command).stdout == danelaw(command, "--help").stdout
    wrong = danelaw("help", "nonsense")
    assert (wrong.returncode, wrong.stdout) == (2, "") and 'command "nonsense"' in wrong.stderr


VALUES = {"--limit": "1", "--for": "1h", "--since": "7d", "--day": "1d", "--wait": "5s",
          "--older": "1h", "--newer": "1h", "--state": "held", "--reason": "x", "--sender": "a@b",
          "--recipient": "a@b", "--destination": "a.example"}

# Without these the verb has something else to say.
BESIDE = {("report", "send"): ["--dry-run"], ("report", "forget"): ["--all"]}


def options_of(*words):
    """Those that help names behind the lines about the command."""
    return set(re.findall(r"--[a-z-]+", "".join(
        danelaw("help", *words).stdout.split("\n\n")[2:-1])))


@pytest.mark.parametrize("group", ["queue", "dane", "audit", "sts", "report"])
def test_help_of_a_verb_has_the_options_that_it_takes(tmp_path, group):
    """The others of its group are refused."""
    whole = options_of(group)
    lines = re.findall(rf"^  {group} (\S+)( \[?[A-Z])?", danelaw("help", group).stdout,
                       re.MULTILINE)
    assert len(lines) > 1
    for verb, named in dict(lines).items():
        mine = options_of(group, verb)
        assert mine <= whole
        for option in whole:
            words = [group, verb, option, *VALUES.get(option, "").split()]
            words += BESIDE.get((group, verb), []) + ["x.example"] * bool(named)
            done = danelaw("-c", tmp_path / "none", *words)
            refused = re.search(rf"{option} is (not )?for|filters are for", done.stderr)
            assert (refused is None) == (option in mine), (words, mine, done.stderr)
    send, whole = danelaw("help", "report", "send").stdout, danelaw("help", "report").stdout
    assert "of that day (show and send)\n" in whole and "of that day\n" in send


def test_version():
    done = danelaw("version")
    assert (done.returncode, done.stdout.split()[0]) == (0, "danelaw")
    assert danelaw("-V").stdout == done.stdout


@pytest.mark.parametrize("arguments", [
    ["frobnicate"], ["queue"], ["queue", "eat"], ["queue", "hold"],
    ["queue", "stats", "x"], ["queue", "list", "a:b", "c:d"], ["status", "x"],
    ["check-config", "x"], ["--what", "status"], ["--limit", "0", "queue", "list"],
    ["--limit", "many", "queue", "list"], ["queue", "show", "x" * 1000],
], ids=lambda words: " ".join(words)[:30])
def test_bad_usage_ends_with_2(fake, arguments):
    server = fake(lines({"ok": True}))
    done = danelaw("-s", server.path, *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert "danelaw" in done.stderr and server.requests == []


@pytest.mark.parametrize("arguments, says", [
    (["--json", "check-config"], "--json is not for check-config"),
    (["version", "--json"], "--json is not for version"),
    (["--json", "help"], "--json is not for help"),
    (["--json", "sendmail", "-bi"], "--json is not for sendmail"),
    (["--sender", "a@b", "sendmail", "-bi"], "--sender is not for sendmail"),
    (["--limit", "3", "tlsa", "make", "x"], "--limit is not for tlsa"),
    (["--dry-run", "tlsa", "--help"], "--dry-run is not for tlsa"),
    (["queue", "flush", "--for", "1h"], "--for is not for queue"),
    (["--sender", "tlsa", "status"], "--sender is not for status"),
], ids=lambda x: " ".join(x) if isinstance(x, list) else "")
def test_foreign_options_are_refused(arguments, says):
    done = danelaw(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f'danelaw: {says}; see "danelaw help"\n'


@pytest.mark.parametrize("arguments, says", [
    (["-Z"], "-Z: unknown option"),
    (["status", "--json", "-Z"], "-Z: unknown option"),
    (["-Zh"], "-Z: unknown option"),
    (["-\x01"], "-\\x01: unknown option"),
    (["--what"], "--what: unknown option"),
    (["--re", "x"], "--re: unknown option, or short for several"),
    (["--json=yes", "status"], "--json=yes: this option takes no value"),
    (["--help=me"], "--help=me: this option takes no value"),
    (["status", "--version=1"], "--version=1: this option takes no value"),
    (["queue", "list", "--sender"], "--sender: a value is missing"),
    (["status", "-c"], "-c: a value is missing"),
    (["tlsa", "-Zh"], "-Z: unknown option"),
    (["tlsa", "--what"], "--what: unknown option"),
    (["tlsa", "make", "--help=me"], "--help=me: this option takes no value"),
    (["tlsa", "make", "--host"], "--host: a value is missing"),
], ids=lambda x: ascii(x)[:40] if isinstance(x, list) else "")
def test_a_wrong_option_is_told_once(arguments, says):
    done = danelaw(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert len(done.stderr.splitlines()) == 1, done.stderr
    assert done.stderr.startswith(f"danelaw: {says}")


def test_no_socket_is_told(tmp_path):
    done = danelaw("-s", tmp_path / "none", "status")
    assert done.returncode == 1
    assert f"not running (no socket at {tmp_path}/none)" in done.stderr


@pytest.mark.parametrize("arguments, says", [
    (["queue", "list", "--older", "foo"], "--older and --newer want a time"),
    (["queue", "flush", "--newer", "foo"], "--older and --newer want a time"),
    (["queue", "hold", "--sender", "x" * 600], "an argument is too long"),
    (["queue", "show", "x", "y" * 600], "an argument is too long"),
    (["report", "list", "--since", "foo"], "--since wants a day"),
    (["report", "received", "--since", "foo"], "--since wants a day"),
    (["report", "show", "--day", "foo"], "--day wants a day"),
    (["report", "send", "--day", "foo", "a.example"], "--day wants a day"),
    (["report", "send", "--day", TODAY, "a.example"], "--day: the day is not over"),
    (["report", "send", "a.example", "b..example"], '"b..example" is not a domain name'),
    (["report", "advise", "b..example"], '"b..example" is not a domain name'),
    (["audit", "summary", "--since", "foo"], "--since wants a day"),
    (["dane", "off", "--for", "foo"], "--for wants a time"),
], ids=lambda words: " ".join(words)[:30] if isinstance(words, list) else "")
def test_arguments_are_looked_at_first(tmp_path, arguments, says):
    """Neither a daemon nor a configuration is there."""
    done = danelaw("-c", tmp_path / "none", *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("danelaw: " + says)


def test_dead_socket_is_told(tmp_path):
    path = tmp_path / "dead"
    with socket.socket(socket.AF_UNIX) as left_behind:
        left_behind.bind(str(path))
    done = danelaw("-s", path, "status")
    assert done.returncode == 1 and "nobody listens" in done.stderr


def test_socket_is_found_through_the_configuration(tmp_path, fake):
    server = fake(lines({"ok": True, "version": "9.9"}))
    config = tmp_path / "danelaw.conf"
    config.write_text(f'hostname = "mx.test.example"\nspool = "{tmp_path}"\n'
                      'listen "mx" { address = "127.0.0.1:25" }\n')
    done = danelaw("-c", config, "status")
    assert (done.returncode, done.stdout) == (0, "version: 9.9\n"), done.stderr
    assert server.requests == [{"command": "status", "limit": 1000}]
    config.write_text("hostname = x\n")
    done = danelaw("-c", config, "status")
    assert done.returncode == 1 and f"{config}:1: hostname" in done.stderr


def test_status_is_a_summary_and_a_table(fake):
    server = fake(lines({"item": {"role": "receive", "index": 0, "uptime": 7200}},
                        {"item": {"role": "queue", "index": 10, "state": "running"}},
                        {"ok": True, "started": NOW - 86400 * 3, "hostname": "mx"}))
    done = danelaw("-s", server.path, "status")
    assert done.stdout.splitlines() == [
        "started: 3 days ago",
        "hostname: mx",
        "role     index  uptime   state",
        "receive  0      2 hours  -",
        "queue    10     -        running",
    ]


def test_show_is_a_record_for_each_job(fake):
    server = fake(lines({"item": {"id": "a", "size": 1536, "held": False}},
                        {"item": {"id": "a", "sender": ""}}, {"ok": True}))
    done = danelaw("-s", server.path, "queue", "show", "a")
    assert done.stdout == "id: a\nsize: 1.5K\nheld: no\n\nid: a\nsender: -\n"
    done = danelaw("-s", server.path, "queue", "show", "a", "--json")
    assert [json.loads(line)["id"] for line in done.stdout.splitlines()] == ["a", "a"]


def test_json_is_as_the_daemon_said(fake):
    item = {"role": "receive", "new": [1, {"x": None}], "text": "ä\u0001"}
    last = {"ok": True, "size": 5000}
    server = fake(lines({"item": item}, last))
    done = danelaw("-s", server.path, "--json", "status")
    assert [json.loads(line) for line in done.stdout.splitlines()] == [item, last]


def pages(request):
    """Three pages of two messages."""
    page = int(request.get("after", 0))
    items = [{"item": {"id": f"m{2 * page + i}", "size": 4096, "sender": ""}}
             for i in range(2)]
    return lines(*items, {"ok": True, **({"after": str(page + 1)} if page < 2 else {})})


def test_listing_follows_the_pages(fake):
    server = fake(pages)
    done = danelaw("-s", server.path, "queue", "list")
    assert done.stdout.splitlines() == ["id  size  sender"] + [
        f"m{n}  4.0K  -" for n in range(6)]
    assert [r.get("after") for r in server.requests] == [None, "1", "2"]
    done = danelaw("-s", server.path, "queue", "list", "--json")
    assert [json.loads(line)["id"] for line in done.stdout.splitlines()] == [
        f"m{n}" for n in range(6)]


@pytest.mark.parametrize("limit, asked", [(1, [1]), (2, [2]), (3, [3, 1]),
                                          (5000, [1000, 1000, 1000])])
def test_listing_ends_at_the_limit(fake, limit, asked):
    server = fake(pages)
    done = danelaw("-s", server.path, "queue", "list", "--limit", limit)
    assert len(done.stdout.splitlines()) == 1 + min(limit, 6)
    assert [r["limit"] for r in server.requests] == asked


@pytest.mark.parametrize("arguments, requests", [
    (["list", "mx:a.example"], [{"command": "queue-list", "target": "mx:a.example"}]),
    (["show", "a", "b"], [{"command": "queue-show", "id": "a"},
                          {"command": "queue-show", "id": "b"}]),
    (["flush"], [{"command": "queue-flush"}]),
    (["flush", "a", "mx:b.example", "discard"],
     [{"command": "queue-flush", "id": "a"},
      {"command": "queue-flush", "target": "mx:b.example"},
      {"command": "queue-flush", "target": "discard"}]),
    (["hold", "a"], [{"command": "queue-hold", "id": "a"}]),
    (["release", "a"], [{"command": "queue-release", "id": "a"}]),
    (["remove", "a"], [{"command": "queue-remove", "id": "a"}]),
    (["stats"], [{"command": "queue-stats"}]),
    (["requeue", "a"], [{"command": "queue-requeue", "id": "a"}]),
    (["list", "--sender", "<>", "--older", "2h"],
     [{"command": "queue-list", "sender": "<>", "older": 7200}]),
    (["hold", "--recipient", "@b", "--newer", "90", "--dry-run"],
     [{"command": "queue-hold", "recipient": "@b", "newer": 90, "dry_run": True}]),
    (["remove", "--destination", "mx:a", "--reason", "4.4", "--state", "held"],
     [{"command": "queue-remove", "target": "mx:a", "reason": "4.4", "state": "held"}]),
])
def test_requests_say_what_was_typed(fake, arguments, requests):
    server = fake(lines({"ok": True}))
    assert danelaw("-s", server.path, "queue", *arguments).returncode == 0
    assert server.requests == [{**r, "limit": 1000} for r in requests]


def test_counts_of_the_pages_add_up(fake):
    server = fake(lambda r: lines({"ok": True, "count": 5, **(
        {} if r.get("after") == "2" else {"after": str(int(r.get("after", 0)) + 1)})}))
    done = danelaw("-s", server.path, "queue", "hold", "--older", "1d")
    assert (done.returncode, done.stdout) == (0, "count: 15\n")
    done = danelaw("-s", server.path, "queue", "hold", "--older", "1d", "--json")
    assert json.loads(done.stdout) == {"ok": True, "count": 15}


def test_what_the_daemon_refuses_ends_with_1(fake):
    server = fake(lambda r: lines({"ok": True} if r["id"] == "good" else
                                  {"ok": False, "error": "no such message"}))
    done = danelaw("-s", server.path, "queue", "hold", "bad", "good")
    assert done.returncode == 1 and "no such message" in done.stderr
    assert [r["id"] for r in server.requests] == ["bad", "good"]


@pytest.mark.parametrize("answer", [
    b"", b"\n", b"nonsense\n", b"[]\n", b'{"item":3}\n', b'{"ok":"yes"}\n',
    b'{"ok":true', b"x" * 70000 + b"\n", b'{"item":{"a":' + b"[" * 3000 + b"\n",
], ids=len)
def test_nonsense_from_the_daemon_ends_with_1(fake, answer):
    server = fake(answer, once=True)
    done = danelaw("-s", server.path, "status")
    assert done.returncode == 1 and done.stderr.startswith("danelaw: ")


def test_hostile_text_does_not_reach_the_terminal(fake):
    server = fake(lines({"item": {"id": "x", "reason": "a\x1b[2Jb\r\n\u009b"}},
                        {"ok": True}))
    done = danelaw("-s", server.path, "queue", "list")
    assert "\x1b" not in done.stdout and "\\x1b[2Jb\\x0d\\x0a" in done.stdout


def check_config(tmp_path, text):
    config = tmp_path / "danelaw.conf"
    config.write_text(text)
    return danelaw("check-config", "-c", config)


def test_check_config_reads_every_file(tmp_path, certificate):
    pair = certificate("mx.test.example")
    recipients = tmp_path / "recipients"
    text = (f'hostname = "mx.test.example"\nspool = "{tmp_path}/spool"\n'
            'user = "nobody"\nlisten "mx" { address = "127.0.0.1:25" }\n'
            f'certificate "mx" {{ chain = "{pair.chain}" key = "{pair.key}" }}\n'
            f'domain "test.example" {{ deliver = discard recipients = "{recipients}" }}\n')
    recipients.write_text("user\n")
    done = check_config(tmp_path, text)
    assert done.returncode == 0 and "fine" in done.stdout, done.stderr
    recipients.write_text("user\nno body\na: b\nb: a\n")
    done = check_config(tmp_path, text)
    assert done.returncode == 1 and f"{recipients}:2: " in done.stderr
    recipients.unlink()
    done = check_config(tmp_path, text.replace(str(pair.key), "/nowhere/key"))
    assert done.returncode == 1
    assert str(recipients) in done.stderr and "/nowhere/key" in done.stderr


def test_check_config_without_a_file(tmp_path):
    done = danelaw("check-config", "-c", tmp_path / "none")
    assert done.returncode == 1 and "none" in done.stderr
