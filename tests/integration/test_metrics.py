"""What is counted, on the admin address and by command; read by Prometheus' own reader."""
import contextlib
import http.client
import json
import os
import pathlib
import signal
import socket
import threading
import time
import urllib.error
import urllib.request

import pytest
from prometheus_client import parser

from support import certs, milter
from support.talk import Talk
from support.wait import free_port, wait_until

ROOT = pathlib.Path(__file__).resolve().parents[2]


@pytest.fixture
def watched(danelaw, mail):
    """A daemon with an admin address."""
    port = free_port()
    server = danelaw({
        "web": {"admin": [f"127.0.0.1:{port}"]},
        "domain test.example": {"deliver": f"maildir:{mail}/{{localpart}}"}})
    server.admin = port
    wait_numbers(server, {("danelaw_smtp_sessions",): 0})  # of who waited for the start
    return server


def get(server, path="/metrics"):
    """(status, headers, text)"""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{server.admin}{path}",
                                    timeout=10) as answer:
            return answer.status, answer.headers, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read().decode()


def samples(text):
    """{(name, labels...): value}"""
    found = {}
    for family in parser.text_string_to_metric_families(text):
        for one in family.samples:
            key = (one.name, *sorted(one.labels.values()))
            assert key not in found, f"twice: {key}"
            found[key] = one.value
    return found


def numbers(server):
    status, headers, text = get(server)
    assert status == 200
    assert headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    return samples(text)


def send(server, to="bob@test.example"):
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as sock:
        file = sock.makefile("rwb")

        def say(line, code):
            if line is not None:
                file.write(line + b"\r\n")
                file.flush()
            while (reply := file.readline())[3:4] == b"-":
                pass
            assert reply.startswith(code), reply

        say(None, b"220")
        say(b"EHLO client.example", b"250")
        say(b"MAIL FROM:<a@client.example>", b"250")
        file.write(b"RCPT TO:<" + to.encode() + b">\r\n")
        file.flush()
        if not file.readline().startswith(b"250"):
            return
        say(b"DATA", b"354")
        say(b"Subject: one\r\n\r\ntext\r\n.", b"250")
        say(b"QUIT", b"221")


def test_what_happens_is_counted(watched):
    """Sessions, messages, deliveries and settlements, each where it is one."""
    before = numbers(watched)
    for _ in range(3):
        send(watched)
    send(watched, to="bob@elsewhere.example")

    def seen():
        now = numbers(watched)
        return now if now["danelaw_recipients_settled_total", "delivered"] == 3 and \
            now["danelaw_smtp_sessions",] == 0 and \
            now["danelaw_queue_messages",] == 0 else None

    now = wait_until(seen, "three deliveries")
    grown = {key: now[key] - before[key] for key in now if now[key] != before[key]}
    assert grown.pop(("danelaw_smtp_message_bytes_total",)) > 3 * 20
    assert grown.pop(("danelaw_queue_bytes", "segment"), 0) >= 0
    assert grown.pop(("danelaw_queue_bytes", "journal"), 0) >= 0
    assert grown == {
        ("danelaw_smtp_sessions_total", "served"): 4,
        ("danelaw_smtp_messages_total", "accepted"): 3,
        ("danelaw_smtp_recipients_refused_total", "5yz"): 1,
        ("danelaw_deliveries_total", "delivered"): 3,
        ("danelaw_delivered_by_security_total", "local"): 3,
        ("danelaw_recipients_settled_total", "delivered"): 3,
    }


def wait_numbers(server, wanted):
    """Until these are what is counted."""
    wait_until(lambda: wanted.items() <= numbers(server).items(), f"{wanted}")


def test_refusals_have_their_reason(danelaw):
    """One of two sessions is too many."""
    port = free_port()
    server = danelaw({"web": {"admin": [f"127.0.0.1:{port}"]},
                      "receive_processes": 1, "limits": {"sessions_client": 1}})
    server.admin = port
    wait_numbers(server, {("danelaw_smtp_sessions",): 0})  # of who waited for the start
    before = numbers(server)
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as one:
        assert one.recv(3) == b"220"
        with socket.create_connection(("127.0.0.1", server.port), timeout=10) as other:
            assert other.recv(3) == b"421"
    refused = ("danelaw_refusals_total", "sessions_client")
    wait_numbers(server, {refused: before[refused] + 1})
    assert {key[1] for key in before if key[0] == "danelaw_refusals_total"} >= {
        "sessions", "early_talker", "dnsbl", "greylist"}
    assert "none" not in {key[1] for key in before if key[0] == "danelaw_refusals_total"}


def test_filters_are_counted(danelaw, mail, tmp_path, started):
    """What they answer, and how long it takes; what they refuse; that one is down."""
    port = free_port()
    filt = milter.Milter(milter.owned(tmp_path / "sockets") / "f")
    started.append(filt)
    server = danelaw({"web": {"admin": [f"127.0.0.1:{port}"]}, "receive_processes": 1,
                      "milter f": {"address": filt.address, "retry": "300ms",
                                   "on_failure": "accept"},
                      "domain test.example": {"deliver": f"maildir:{mail}/%u"}})
    server.admin = port
    name = "danelaw_filter_questions_total"
    send(server)
    now = numbers(server)
    assert now[name, "answered"] >= 4 and now[name, "failed"] == 0
    assert now["danelaw_filter_wait_milliseconds_total",] < 5000
    filt.replies["M"] = milter.slowly(1)
    filt.replies["R"] = milter.REJECT
    with Talk(server.port) as talk:
        talk.hello()
        talk.expect(250, "MAIL FROM:<a@client.example>")
        talk.expect(5, "RCPT TO:<bob@test.example>")
    now = numbers(server)
    assert now["danelaw_filter_refusals_total", "reject"] == 1
    assert now["danelaw_filter_wait_milliseconds_total",] >= 900
    assert (now[name, "not_asked"], now["danelaw_filters_down",]) == (0, 0)
    filt.stop()
    for _ in range(2):
        send(server)
    now = numbers(server)
    assert now[name, "failed"] == 1 and now[name, "not_asked"] >= 1
    assert now["danelaw_filters_down",] == 1
    filt.start()
    wait_numbers(server, {("danelaw_filters_down",): 0})


def test_renewals_are_counted(danelaw, tmp_path):
    """Half a file is refused, and the whole one taken."""
    port = free_port()
    cert = certs.self_signed(tmp_path / "tls", "mx.test.example")
    fresh = certs.self_signed(tmp_path / "fresh", "mx.test.example")
    server = danelaw({"web": {"admin": [f"127.0.0.1:{port}"]},
                      "certificate mx": {"chain": cert.chain, "key": cert.key},
                      "renewal": {"tlsa": False, "mta_sts": False, "settle": "200ms"}})
    server.admin = port
    taken, refused = (("danelaw_renewals_total", word) for word in ("taken", "refused"))
    assert {key: value for key, value in numbers(server).items() if key in (
        taken, refused, ("danelaw_certificate_refused", "mx"))} == {
        taken: 0, refused: 0, ("danelaw_certificate_refused", "mx"): 0}
    pathlib.Path(cert.chain).write_bytes(pathlib.Path(fresh.chain).read_bytes())
    wait_numbers(server, {refused: 1, taken: 0, ("danelaw_certificate_refused", "mx"): 1})
    pathlib.Path(cert.key).write_bytes(pathlib.Path(fresh.key).read_bytes())
    wait_numbers(server, {refused: 1, taken: 1, ("danelaw_certificate_refused", "mx"): 0})


def test_counts_outlive_processes(watched):
    """A role that is killed, or ends at a reload, takes no count with it."""
    send(watched)
    wait_until(lambda: numbers(watched)["danelaw_deliveries_total", "delivered"] == 1,
               "a delivery")
    for pid in [*watched.pids()["receive"], *watched.pids()["deliver"]]:
        os.kill(pid, signal.SIGKILL)

    def again():
        now = numbers(watched)
        return now if now["danelaw_process_restarts_total", "receive"] == 2 and \
            now["danelaw_process_restarts_total", "deliver"] >= 1 and \
            now["danelaw_processes", "receive"] == 2 else None

    now = wait_until(again, "a new start")
    assert now["danelaw_smtp_messages_total", "accepted"] == 1
    assert now["danelaw_deliveries_total", "delivered"] == 1
    watched.process.send_signal(signal.SIGHUP)
    watched.wait_event("reloaded")
    wait_until(lambda: numbers(watched)["danelaw_processes", "receive"] == 2, "the old to end")
    send(watched)
    wait_until(lambda: numbers(watched)["danelaw_deliveries_total", "delivered"] == 2,
               "another")
    assert numbers(watched)["danelaw_smtp_messages_total", "accepted"] == 2


def test_the_command_says_the_same(watched):
    """danelaw metrics, without the web role."""
    send(watched)
    wait_until(lambda: numbers(watched)["danelaw_deliveries_total", "delivered"] == 1,
               "a delivery")
    told = samples(watched.ctl("metrics").stdout)
    assert told == numbers(watched)
    lines = map(json.loads, watched.ctl("metrics", "--json").stdout.splitlines())
    assert {(line["name"], line["labels"]): line["value"] for line in lines}[
        "danelaw_deliveries_total", 'outcome="delivered"'] == 1


def test_health_and_nothing_else(watched):
    """RFC 9110 15.5.6: what is allowed stands in a 405."""
    assert get(watched, "/health")[::2] == (200, "running\n")
    assert get(watched, "/")[0] == 404
    assert get(watched, "/" + "x" * 4000)[0] == 404
    assert get(watched, "/metrics?x=y")[0] == 200
    request = urllib.request.Request(
        f"http://127.0.0.1:{watched.admin}/metrics", data=b"x" * 100000, method="POST")
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request, timeout=10)
    assert refused.value.code == 405 and refused.value.headers["Allow"] == "GET, HEAD"


def test_a_configuration_that_is_refused_shows(watched):
    watched.config_file.write_text(watched.config_file.read_text() + "bogus = 1\n")
    watched.process.send_signal(signal.SIGHUP)
    watched.wait_event("reload-refused")
    now = numbers(watched)
    assert now["danelaw_reload_refused",] == 1
    assert now["danelaw_state", "degraded"] == 1 and now["danelaw_state", "running"] == 0
    assert get(watched, "/health")[::2] == (200, "degraded\n")


def test_slow_and_many_clients(watched):
    """Those who say nothing are cut, and keep nobody else out for longer."""
    idle = [socket.create_connection(("127.0.0.1", watched.admin)) for _ in range(40)]
    idle[0].sendall(b"GET /metrics HTTP/1.1\r\nHost: x\r\nX: " + b"y" * 30000)
    wait_until(lambda: _served(watched), "an answer for somebody else", 30)
    for one in idle:
        one.close()
    assert alive_roles(watched) == {"receive": 2, "web": 1}


def test_who_trickles_keeps_nobody_out(watched):
    """An octet a second is no silence; each has ten seconds for all of it, and no place for good."""
    slow = [socket.create_connection(("127.0.0.1", watched.admin)) for _ in range(60)]
    began = time.monotonic()
    for one in slow:
        one.sendall(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nX: y")
        one.setblocking(False)
    assert get(watched, "/health")[::2] == (200, "running\n")
    assert time.monotonic() - began < 5
    while slow and time.monotonic() - began < 20:
        slow = [one for one in slow if not _is_cut(one)]
        time.sleep(1)
    assert slow == []
    assert time.monotonic() - began > 8
    assert alive_roles(watched) == {"receive": 2, "web": 1}


def _is_cut(sock):
    try:
        sock.send(b"y")
        return sock.recv(1) == b""
    except BlockingIOError:
        return False
    except OSError:
        return True


def test_who_has_asked_is_not_cut_for_others(watched):
    """Newcomers have the places of those who have not, however long an answer takes."""
    others = []
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", watched.admin)) as one:
        os.kill(watched.process.pid, signal.SIGSTOP)
        try:
            one.request("GET", "/health")
            time.sleep(0.5)
            for _ in range(40):
                others.append(socket.create_connection(("127.0.0.1", watched.admin)))
            time.sleep(0.5)
        finally:
            os.kill(watched.process.pid, signal.SIGCONT)
        assert one.getresponse().read() == b"running\n"
    for other in others:
        other.close()


def test_who_asks_often_keeps_the_connection(watched):
    """The time is that of each request: Prometheus asks by one connection."""
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", watched.admin)) as one:
        one.connect()
        sock = one.sock
        for _ in range(5):
            one.request("GET", "/health")
            assert one.getresponse().read() == b"running\n"
            time.sleep(3)
        assert one.sock is sock


def test_nobody_asks_by_a_strangers_name(watched):
    """RFC 9110 15.5.20: a page of evil.example, whose address is 127.0.0.1 by now."""
    for host, status in (("evil.example", 421), (f"evil.example:{watched.admin}", 421),
                         ("localhost:80", 200), ("mx.test.example", 200), ("[::1]:8025", 200),
                         (f"127.0.0.1:{watched.admin}", 200)):
        for path in ("/metrics", "/health"):
            request = urllib.request.Request(
                f"http://127.0.0.1:{watched.admin}{path}", headers={"Host": host})
            try:
                with urllib.request.urlopen(request, timeout=10) as answer:
                    assert answer.status == status, host
            except urllib.error.HTTPError as error:
                assert error.code == status, host


def test_a_client_that_asks_without_end(watched):
    """Who sends requests faster than they are answered keeps nobody from the supervisor."""
    over = threading.Event()

    def ask():
        with contextlib.suppress(OSError), \
                socket.create_connection(("127.0.0.1", watched.admin), timeout=10) as sock:
            reader = threading.Thread(target=_drain, args=(sock,))
            reader.start()
            while not over.is_set():
                sock.sendall(b"GET /x HTTP/1.1\r\nHost: x\r\n\r\n" * 500)
            sock.shutdown(socket.SHUT_RDWR)  # not for the answers to all of it
            reader.join()

    asking = [threading.Thread(target=ask) for _ in range(4)]
    for one in asking:
        one.start()
    try:
        said = [get(watched, "/health")[::2] for _ in range(3)]
    finally:
        over.set()
        for one in asking:
            one.join()
    assert said == [(200, "running\n")] * 3


def _drain(sock):
    with contextlib.suppress(OSError):
        while sock.recv(1 << 20):
            pass


def _served(server):
    try:
        return get(server)[0] == 200
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return False


def alive_roles(server):
    pids = server.pids()
    return {role: len(pids[role]) for role in ("receive", "web")}


def test_the_daemon_stops_with_a_client_waiting(watched):
    """A suspended supervisor answers nobody: 503 after a while, and a clean end."""
    os.kill(watched.process.pid, signal.SIGSTOP)
    try:
        status, _, text = get(watched)
    finally:
        os.kill(watched.process.pid, signal.SIGCONT)
    assert (status, text) == (503, "the daemon does not answer\n")
    assert get(watched)[0] == 200


def test_each_waits_as_long_as_the_first(watched):
    """The supervisor is back after six seconds: too late for the first alone."""
    said = {}

    def ask(name):
        said[name] = get(watched, "/health")[::2]

    asking = [threading.Thread(target=ask, args=(name,)) for name in ("first", "second")]
    os.kill(watched.process.pid, signal.SIGSTOP)
    try:
        asking[0].start()
        time.sleep(3)
        asking[1].start()
        time.sleep(3.5)
    finally:
        os.kill(watched.process.pid, signal.SIGCONT)
    for one in asking:
        one.join()
    assert said == {"first": (503, "the daemon does not answer\n"),
                    "second": (200, "running\n")}


def test_no_address_no_process(danelaw):
    server = danelaw()
    assert "web" not in server.pids()
    told = samples(server.ctl("metrics").stdout)
    assert told["danelaw_processes", "web"] == 0
    assert told["danelaw_info", "0.1.0", "mx.test.example"] == 1


# Who has none has no sample of these.
OF_CERTIFICATES = dict.fromkeys(
    ["danelaw_certificate_expiry_seconds", "danelaw_certificate_refused"], "gauge")


def test_every_name_is_in_the_manual(watched):
    """danelaw-metrics(7) names each, with its kind; and nothing else."""
    page = (ROOT / "docs/man/danelaw-metrics.7").read_text().replace("\\-", "-")
    named = {line.split()[1]: line.split()[2].strip("(),")
             for line in page.splitlines() if line.startswith(".It danelaw_")}
    text = get(watched)[2]
    kinds = dict(line.split()[2:4] for line in text.splitlines()
                 if line.startswith("# TYPE"))
    kinds.update(OF_CERTIFICATES)
    assert named == kinds


def test_the_alerts_name_what_there_is(watched):
    """docs/examples/danelaw-alerts.yml: each expression uses names of ours."""
    rules = (ROOT / "docs/examples/danelaw-alerts.yml").read_text()
    text = get(watched)[2]
    names = {line.split()[2] for line in text.splitlines() if line.startswith("# TYPE")}
    names |= set(OF_CERTIFICATES)
    used = {word for line in rules.splitlines() if line.strip().startswith("expr:")
            for word in line.replace("(", " ").replace("{", " ").replace("[", " ").split()
            if word.startswith("danelaw_")}
    assert len(used) >= 8
    assert used <= names
