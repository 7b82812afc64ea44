"""What grows, goes away again; what ends, ends in order."""
import json
import os
import pathlib
import resource
import signal
import socket
import subprocess
import time

import pytest

from support.daemon import binary
from support.maildir import Maildir
from support.sink import Hangup
from support.talk import Talk, message
from support.wait import answers, free_port, wait_until

FROM = "sender@home.example"


@pytest.fixture
def relay(danelaw, sink):
    """A daemon of one process a role, and the next hop of everything."""
    def make(more=None, sin=None):
        hop = sink(sin=sin)
        server = danelaw({
            "receive_processes": 1, "deliver_processes": 1,
            "relay": {"from": ["127.0.0.0/8"]},
            "route *": {"via": f"smtp:127.0.0.1:{hop.port}"},
            **(more or {})})
        return server, hop
    return make


def send(server, *rcpts, body=None, times=1):
    with Talk(server.port) as talk:
        talk.hello()
        for _ in range(times):
            talk.expect(250, f"MAIL FROM:<{FROM}>")
            for rcpt in rcpts:
                talk.expect(250, f"RCPT TO:<{rcpt}>")
            code, lines = talk.data(body or message())
            assert code == 250, lines


def assert_ended_well(server):
    ends = server.events("role-ended")
    assert [e for e in ends if e["reason"] != "status 0"] == []


def test_stops_while_connections_rest(relay, monkeypatch):
    """What says QUIT at the end must not outlive the role."""
    monkeypatch.setenv("ASAN_OPTIONS", "halt_on_error=1:detect_leaks=1:"
                       "detect_stack_use_after_return=1")
    server, hop = relay()
    send(server, "a@far.example")
    hop.wait(1)
    server.wait_event("delivery")
    server.stop()
    assert_ended_well(server)


def test_segments_of_delivered_mail_go(relay):
    """The writer lives on, but not in them."""
    server, hop = relay({"limits": {"segment": "1M"}})
    body = "Subject: big\r\n\r\n" + ("x" * 70 + "\r\n") * 2800
    send(server, "a@far.example", body=body, times=30)
    hop.wait(30)
    segments = server.spool / "segment"
    wait_until(lambda: len(list(segments.iterdir())) <= 2,
               "the segments that are done with are removed", 20)


def test_hop_that_hangs_up_at_mail(relay):
    """One connection an attempt, however little it says."""
    def hang_up(_):
        raise Hangup

    def sin(session):
        session.script["MAIL"] = hang_up

    server, hop = relay(sin=sin)
    send(server, "a@far.example")
    line = server.wait_event("delivery")
    assert line["outcome"] == "deferred"
    assert hop.connections == 1


def test_postmaster_of_others_is_theirs(relay):
    """RFC 5321 4.5.1 is about our domains, not about where we relay to."""
    server, hop = relay()
    send(server, "Postmaster@far.example")
    assert hop.wait(1)[0].rcpts == ["Postmaster@far.example"]


def test_deliver_process_that_hangs(danelaw, sink):
    """It keeps what it has been given; the rest goes by way of the others."""
    hop = sink(host="0.0.0.0")
    routes = {f"route d{n}.example": {"via": f"smtp:127.0.0.{n}:{hop.port}"}
              for n in range(1, 31)}
    server = danelaw({
        "receive_processes": 1, "deliver_processes": 2,
        "limits": {"deliveries": 5},
        "relay": {"from": ["127.0.0.0/8"]}, **routes})
    victim = server.pids()["deliver"][0]
    os.kill(victim, signal.SIGSTOP)
    try:
        for n in range(1, 31):
            send(server, f"a@d{n}.example", times=2)
        hop.wait(60 - 2 * 5)
    finally:
        os.kill(victim, signal.SIGCONT)
    hop.wait(60)
    assert len(hop.messages) == 60


def test_as_a_daemon(danelaw):
    """A relative path still leads to the file, and the log somewhere."""
    server = danelaw(start=False)
    subprocess.run([binary("danelawd"), "-c", server.config_file.name],
                   cwd=server.folder, check=True, timeout=30)
    wait_until(lambda: answers(server.port), "the first greeting")
    status = json.loads(server.ctl("--json", "status").stdout.splitlines()[-1])
    roles = [p for task in pathlib.Path(f"/proc/{status['pid']}/task").iterdir()
             for p in (task / "children").read_text().split()]
    try:
        assert len(roles) >= 3
        for role in roles:
            line = pathlib.Path(f"/proc/{role}/cmdline").read_bytes()
            assert line.endswith(b"\0syslog\0")
        server.write_config({"hostname": "new.test.example"})
        os.kill(status["pid"], signal.SIGHUP)

        def renamed():
            with Talk(server.port) as talk:
                return talk.greeting[1][0].startswith("new.test.example")
        wait_until(renamed, "the new name in the greeting")
    finally:
        os.kill(status["pid"], signal.SIGTERM)
        wait_until(lambda: not pathlib.Path(f"/proc/{status['pid']}").exists(),
                   "the daemon has ended", 30)


def bad_resolver(folder):
    """What only the deliver role finds out."""
    anchor = folder / "anchor"
    anchor.write_text("this is no trust anchor\n")
    return {"resolver": {"trust_anchor": str(anchor)}}


def test_reload_whose_roles_do_not_start(danelaw):
    """The old ones were never asked to go."""
    server = danelaw()
    old = server.pids()
    server.write_config({"hostname": "new.test.example",
                         **bad_resolver(server.folder)})
    server.process.send_signal(signal.SIGHUP)
    server.wait_event("reload-refused", seconds=30)
    wait_until(lambda: server.pids() == old, "the new roles are gone again", 30)
    with Talk(server.port) as talk:
        assert talk.greeting[1][0].startswith("mx.test.example")
    said = server.ctl("status", check=False)
    assert said.returncode == 1 and "does not start" in said.stdout
    server.write_config({"hostname": "new.test.example"})
    server.process.send_signal(signal.SIGHUP)
    server.wait_event("reloaded", seconds=30)


def test_reload_mends_what_cannot_start(danelaw):
    server = danelaw(start=False)
    server.write_config(bad_resolver(server.folder))
    server.start(wait=False)
    server.wait_event("role-not-started")
    server.write_config({})
    server.process.send_signal(signal.SIGHUP)
    server.wait_event("started", seconds=30)


def test_stop_behind_a_reload_settles_deliveries(relay):
    """The queue role that a reload let go is replaced also while stopping."""
    def slowly(session):
        done = session.script["END"]

        def later(rest):
            time.sleep(3)
            done(rest)
        session.script["END"] = later

    server, hop = relay(sin=slowly)
    send(server, "a@far.example")
    hop.wait_connections(1)
    old = server.pids()["queue"]
    server.process.send_signal(signal.SIGHUP)
    server.wait_event("reloaded")
    server.process.send_signal(signal.SIGTERM)
    assert server.process.wait(30) == 0
    assert server.events("drain-cut") == []
    assert old
    server.start()
    assert server.ctl("queue", "list").stdout.count("far.example") == 0


def test_reload_that_parts_a_job_under_way(danelaw, sink):
    """Who gets the message now is with whom it was, wherever it would go."""
    def slowly(session):
        done = session.script["END"]

        def later(rest):
            time.sleep(2)
            done(rest)
        session.script["END"] = later

    old, new = sink(sin=slowly), sink()
    config = {"relay": {"from": ["127.0.0.0/8"]},
              "route *": {"via": f"smtp:127.0.0.1:{old.port}"}}
    server = danelaw(config)
    send(server, "a@one.example", "b@two.example")
    old.wait_connections(1)
    time.sleep(0.3)
    server.write_config({**config, "route two.example": {
        "via": f"smtp:127.0.0.1:{new.port}"}})
    server.process.send_signal(signal.SIGHUP)
    server.wait_event("reloaded")
    old.wait(1)
    wait_until(lambda: "messages: 0\n" in server.ctl("queue", "stats").stdout,
               "nothing is queued")
    assert new.messages == []


def test_results_of_orphans_are_kept(relay):
    """kill -9 of the supervisor: what is being delivered is not sent twice."""
    def slowly(session):
        done = session.script["END"]

        def later(rest):
            time.sleep(2)
            done(rest)
        session.script["END"] = later

    server, hop = relay(sin=slowly)
    send(server, "a@far.example")
    hop.wait_connections(1)
    time.sleep(0.5)
    server.process.kill()
    server.process.wait(10)
    server.start()
    hop.wait(1)
    assert server.ctl("queue", "list").stdout.count("far.example") == 0
    assert len(hop.messages) == 1


def test_stop_waits_for_a_message_and_no_longer(relay):
    """Who is in the middle of one may end it, and hears 421 behind its 250."""
    server, _ = relay()
    with Talk(server.port) as talk:
        talk.hello()
        talk.envelope(FROM, "a@far.example")
        talk.expect(354, "DATA")
        server.process.send_signal(signal.SIGTERM)
        server.wait_event("stopping")
        time.sleep(0.3)
        before = time.monotonic()
        talk.send(message() + ".\r\n")
        assert talk.reply()[0] == 250
        assert talk.reply()[0] == 421
    assert server.process.wait(30) == 0
    assert time.monotonic() - before < 10


def test_bounce_of_a_message_the_disk_has_damaged(danelaw, mail):
    """Its sender is told all the same, and once."""
    server = danelaw({
        "relay": {"from": ["127.0.0.0/8"]},
        "route far.example": {"via": f"smtp:127.0.0.1:{free_port()}"},
        "domain home.example": {"deliver": f"maildir:{mail}/home"},
        "retry": {"first": "2s", "longest": "2s", "lifetime": "2s", "warn": "0"}})
    with Talk(server.port) as talk:
        talk.hello()
        talk.expect(250, f"MAIL FROM:<{FROM}> RET=FULL")
        talk.expect(250, "RCPT TO:<a@far.example>")
        code, lines = talk.data("Subject: precious\r\n\r\n" +
                                ("x" * 70 + "\r\n") * 6000)
        assert code == 250, lines
    (large,) = (server.spool / "large").iterdir()
    with large.open("r+b") as file:
        file.seek(large.stat().st_size - 1000)
        file.write(b"rot")
    (bounce,) = Maildir(mail / "home").wait(1)
    assert b"Subject: precious" in bounce


def test_too_many_addresses_are_told(danelaw):
    """Not bound and then given to nobody."""
    server = danelaw(start=False)
    server.write_config({"listen many": {
        "address": [f"127.0.0.{n}:{server.port}" for n in range(2, 60)]}})
    server.start(wait=False)
    assert server.process.wait(20) == 1
    assert "addresses to listen on" in server.log_text()
    server.process = None


def test_control_client_that_does_not_read(danelaw):
    """Its requests wait with it, not their answers with us."""
    server = danelaw()
    request = b'{"command": "status"}\n'
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(server.spool / "control"))
        client.settimeout(3)
        sent = 0
        try:
            while sent < 4_000_000:
                sent += client.send(request * 1000)
        except TimeoutError:
            pass
    assert 0 < sent < 4_000_000
    assert "running" in server.ctl("status").stdout


def test_who_asks_waits_for_a_role_that_starts(danelaw):
    """As between two configurations: no command fails for a moment's sake."""
    server = danelaw({"reporting": {"collect": True}})
    for role, question in [("queue", ["queue", "list"]), ("report", ["report", "send", "a.example"]),
                           ("queue", ["queue", "stats"])]:
        done = len(server.events("role-ended", child=role))
        os.kill(server.pids()[role][0], signal.SIGKILL)
        wait_until(lambda: len(server.events("role-ended", child=role)) > done,  # noqa: B023
                   "it has ended")
        said = server.ctl(*question, check=False)
        assert "not running" not in said.stderr and said.returncode != 2, said
    server.process.send_signal(signal.SIGTERM)
    server.process.wait(20)


def test_who_asks_does_not_wait_for_ever(danelaw):
    """Of a role that cannot be started it is said, and the next one may wait again."""
    server = danelaw()
    pid = server.process.pid
    whole = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(server.spool / "control"))
        client.settimeout(40)
        client.send(b'{"command": "status"}\n')
        lines = client.makefile("rb")
        while b'"ok"' not in lines.readline():
            pass
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (3, whole[1]))
        os.kill(server.pids()["queue"][0], signal.SIGKILL)
        server.wait_event("role-not-started", child="queue")
        began = time.monotonic()
        client.send(b'{"command": "queue-list"}\n')
        said = json.loads(lines.readline())
        assert "not running just now" in said["error"]
        assert 14 < time.monotonic() - began < 30
        resource.prlimit(pid, resource.RLIMIT_NOFILE, whole)
        client.send(b'{"command": "queue-list"}\n')
        assert json.loads(lines.readline())["ok"] is True


def test_hop_that_never_ends_a_reply(relay):
    """Each octet is a sign of life, but there is an end to that."""
    def sin(session):
        session.send("220")
        while True:
            time.sleep(0.1)
            session.send("-")

    server, _ = relay({"timeouts": {"greeting": "300ms"}}, sin)
    send(server, "a@far.example")
    line = server.wait_event("delivery", seconds=15)
    assert line["outcome"] == "deferred" and "greeting" in line["reason"]


def test_no_rest_at_all(relay):
    """timeouts.idle = 0: a connection is ended at once, not kept for ever."""
    server, hop = relay({"timeouts": {"idle": 0}})
    send(server, "a@far.example", times=2)
    hop.wait(2)
    wait_until(lambda: hop.lines.count("QUIT") == 2, "QUIT behind each")


def test_no_more_recipients_than_a_job_takes(relay):
    """RFC 5321 4.5.3.1.10: 452, and the rest comes in another transaction."""
    server, hop = relay({"limits": {"recipients": 1000}})
    with Talk(server.port) as talk:
        talk.hello()
        talk.expect(250, f"MAIL FROM:<{FROM}>")
        for n in range(1000):
            talk.expect(250, f"RCPT TO:<r{n}@far.example>")
        talk.expect(452, "RCPT TO:<one-more@far.example>")
        assert talk.data(message())[0] == 250
    hop.wait(1)
    assert sum(len(m.rcpts) for m in hop.messages) == 1000


def test_message_that_cannot_even_bounce_is_held(danelaw):
    """Its envelope is as damaged as the rest: tried no more, and kept."""
    server = danelaw({
        "relay": {"from": ["127.0.0.0/8"]}, "receive_processes": 1,
        "route far.example": {"via": f"smtp:127.0.0.1:{free_port()}"},
        "retry": {"first": "1s", "longest": "1s", "lifetime": "1s", "warn": "0"}})
    send(server, "a@far.example")
    server.wait_event("delivery")
    for segment in (server.spool / "segment").iterdir():
        at = segment.read_bytes().find(b"a@far.example")
        if at > 0:
            with segment.open("r+b") as file:
                file.seek(at)
                file.write(b"R")
    wait_until(lambda: " held " in server.ctl("queue", "list").stdout, "it is held")
    assert len(server.events("delivery")) < 5


def test_what_kills_its_deliver_process_is_given_up(danelaw, sink, mail):
    """Nobody lives to tell how it ends: its sender hears it from the queue role."""
    hop = sink("greeting_never")
    server = danelaw({
        "relay": {"from": ["127.0.0.0/8"]}, "deliver_processes": 1,
        "route far.example": {"via": f"smtp:127.0.0.1:{hop.port}"},
        "domain home.example": {"deliver": f"maildir:{mail}/home"},
        "retry": {"first": "2s", "longest": "2s", "lifetime": "2s", "warn": "0"}})
    send(server, "a@far.example")
    for deaths in range(2):
        hop.wait_connections(deaths + 1)
        (victim,) = server.pids()["deliver"]
        os.kill(victim, signal.SIGKILL)
    (bounce,) = Maildir(mail / "home").wait(1)
    assert b"\nStatus: 4.4.7" in bounce and b"has died, again and again" in bounce
    assert all(line["from"] == "" for line in server.events("delivery"))


def test_bounces_follow_aliases_and_make_no_mailbox(danelaw, mail, tmp_path):
    """A stranger who writes in our name gets no Maildir of his own."""
    names = tmp_path / "recipients"
    names.write_text("user\nlist: user\n")
    server = danelaw({
        "relay": {"from": ["127.0.0.0/8"]},
        "domain home.example": {"deliver": f"maildir:{mail}/%u",
                                "recipients": str(names)},
        "route far.example": {"via": f"smtp:127.0.0.1:{free_port()}"},
        "retry": {"first": "1s", "longest": "1s", "lifetime": "1s", "warn": "0"}})
    for sender in ("stranger@home.example", "list@home.example"):
        with Talk(server.port) as talk:
            talk.hello()
            talk.envelope(sender, "a@far.example")
            assert talk.data(message())[0] == 250
    (bounce,) = Maildir(mail / "user").wait(1)
    assert b"list@home.example" in bounce
    assert server.wait_event("no-bounce")["to"] == "stranger@home.example"
    assert [path.name for path in mail.iterdir()] == ["user"]


def test_few_descriptors(danelaw):
    """Who comes when there are no more of them is told so."""
    server = danelaw({"receive_processes": 1, "deliver_processes": 1})
    resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE, (100, 100))
    server.process.send_signal(signal.SIGHUP)  # the next roles have as many
    server.wait_event("reloaded")
    talks = []
    while not talks or talks[-1].greeting[0] == 220:
        talks.append(Talk(server.port))
        assert len(talks) < 100
    assert talks[-1].greeting[0] == 421
    for talk in talks:
        talk.close()


def test_reload_asked_for_at_once(danelaw):
    """SIGHUP before anybody listens to it is kept, and ends nobody."""
    server = danelaw(start=False)
    server.start(wait=False)
    status = pathlib.Path(f"/proc/{server.process.pid}/status")
    wait_until(lambda: "SigBlk:\t0000000000000001\n" in status.read_text() or
               server.events("started"), "SIGHUP is held", step=0.0001)
    server.process.send_signal(signal.SIGHUP)
    server.wait_event("reloaded")
    assert server.process.poll() is None


def test_warnings_of_a_reload_are_in_the_log(danelaw):
    """Nobody looks at stderr then."""
    server = danelaw()
    past = {"tls past.example": {"level": "encrypt", "until": "2001-01-01"}}
    server.write_config(past)
    server.process.send_signal(signal.SIGHUP)
    server.wait_event("reloaded")
    line, without = server.events("configuration-warning")
    assert line["level"] == "warn" and line["reason"].startswith('tls "past.example": '), line
    assert without["reason"].startswith('listen "mx": there is no certificate'), without
    server.write_config({})
    server.process.send_signal(signal.SIGHUP)
    wait_until(lambda: len(server.events("reloaded")) == 2, "reloaded again")
    assert len(server.events("configuration-warning")) == 3
