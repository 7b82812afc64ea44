"""Reports that we send: to whom, when, by mail, and what becomes of them."""
import email
import gzip
import json
import os
import random
import re
import signal
import socket
import sqlite3
import sys
import time

import pytest

from support import daemon
from support.daemon import ROOT
from support.https import authorities
from support.reporter import (
    DAY, FROM, RECORD, ZONE, Reporter, arrives, read, reports, yesterday)
from support.talk import Talk, message
from support.wait import wait_until

sys.path.insert(0, str(ROOT / "tests"))
from lab.pki import Pki  # noqa: E402
from lab.report_host import ReportHost  # noqa: E402

@pytest.fixture
def reporter(danelaw, nsd, tmp_path):
    def make(port, zones=None, more=None, **reporting):
        zones = {"far.example": ZONE + RECORD.format("mailto:r@reports.example"),
                 "reports.example": ZONE, **(zones or {})}
        return Reporter(danelaw, nsd, tmp_path, zones, port, more, **reporting)
    return make


def test_a_day_is_told_to_whom_the_record_names(reporter, sink):
    """RFC 8460 3, 4, 5.3: what was counted, by mail, the day after."""
    hop = sink()
    one = reporter(hop.port)
    one.post()
    hop.wait(1)
    one.counted()
    time.sleep(2.5)
    assert reports(hop) == []   # the day is not over
    one.let_a_day_pass()
    (got,) = arrives(hop)
    assert got.rcpts == ["r@reports.example"]
    assert re.fullmatch(r"tls\+tlsrpt-[a-z2-7]{28}@home\.example", got.sender)
    mail, report = read(got.body)
    start = time.strftime("%Y-%m-%d", time.gmtime(yesterday()))
    assert mail["TLS-Report-Domain"] == "far.example"
    assert mail["TLS-Report-Submitter"] == "home.example"
    assert mail["TLS-Required"] == "No"
    assert report["report-id"] == f"{start}.far.example@mx.test.example"
    assert report["date-range"]["start-datetime"] == f"{start}T00:00:00Z"
    (policy,) = report["policies"]
    assert policy["policy"]["policy-type"] == "no-policy-found"
    assert policy["summary"]["total-failure-session-count"] == 1
    (details,) = policy["failure-details"]
    assert details["result-type"] == "starttls-not-supported"
    assert details["sending-mta-ip"] == details["receiving-ip"] == "127.0.0.1"
    assert details["receiving-mx-helo"] == "sink.test.example"
    assert one.ends("r@reports.example", "sent") == ""
    line = one.server.wait_event("report-sent", to="r@reports.example")
    assert line["domain"] == "far.example"
    time.sleep(2.5)
    assert len(reports(hop)) == 1


def test_both_signatures_of_the_mail_are_good(reporter, sink):
    """RFC 8460 3, RFC 6376, RFC 8463: by another's verifier."""
    dkim = pytest.importorskip("dkim")
    hop = sink()
    one = reporter(hop.port)
    one.post()
    one.counted()
    one.let_a_day_pass()
    (got,) = arrives(hop)
    records = {f"{key.selector}._domainkey.home.example.": key.text for key in one.keys}
    mail = email.message_from_bytes(got.body)
    fields = mail.get_all("DKIM-Signature")
    # RFC 6376 5.6: above all that they sign
    assert [name for name in mail if name != "Received"][:2] == ["DKIM-Signature"] * 2
    assert len(fields) == 2
    for i in range(2):
        verifier = dkim.DKIM(got.body)
        assert verifier.verify(
            idx=i, dnsfunc=lambda name, **_: records[name.decode()].encode())
        signed = {name.lower() for name, _ in verifier.signed_headers}
        assert {b"tls-report-domain", b"tls-report-submitter"} <= signed
    assert not any(re.search(r"\bl=", field) for field in fields)


def test_our_own_reader_takes_it(reporter, sink, tmp_path):
    """What we send is what we ask of others."""
    hop = sink()
    one = reporter(hop.port)
    one.post()
    one.counted()
    one.let_a_day_pass()
    (got,) = arrives(hop)
    path = tmp_path / "report.eml"
    path.write_bytes(got.body)
    path.chmod(0o644)
    one.server.stop()
    one.server.write_config({**one.config, "domain far.example": {"deliver": "discard"}})
    done = one.server.ctl("report", "ingest", str(path))
    assert ": kept, from " in done.stdout, done.stdout


@pytest.mark.parametrize("records", [
    "", '_smtp._tls TXT "v=TLSRPTv1;"\n', RECORD.format("ftp://reports.example/"),
    RECORD.format("mailto:a@reports.example") + RECORD.format("mailto:b@reports.example")])
def test_nobody_asked_for_it(reporter, sink, records):
    """RFC 8460 3: no record, a bad one, or several."""
    hop = sink()
    one = reporter(hop.port, {"far.example": ZONE + records})
    one.post()
    one.counted()
    one.let_a_day_pass()
    line = one.server.wait_event("report-planned", domain="far.example")
    assert line["places"] == "0" and line["reason"], line
    assert one.tries() == {} and reports(hop) == []


def test_a_name_server_that_is_away_is_no_refusal(reporter, sink):
    """RFC 8460 3: only an answer says that nobody wants a report."""
    hop = sink()
    one = reporter(hop.port, more={"resolver": {
        "timeout": "1s", "self_test": "", "forward .": {"server": ["127.0.0.1:9"]}}})
    one.post()
    one.counted()
    one.names.stop()
    one.let_a_day_pass()
    time.sleep(5)
    assert one.ask("SELECT planned FROM domains") == [(0,)]
    assert one.server.events("report-planned") == []
    line = one.server.wait_event("report-not-planned", domain="far.example")
    assert line["reason"] and 290 <= int(line["seconds"]) <= 300, line
    one.names.start()
    one.server.stop()   # else it would be looked up again in five minutes
    one.server.start()
    arrives(hop)


def test_each_place_by_itself(reporter, sink):
    """RFC 8460 3: one that refuses is given up, the other has it."""
    hop = sink()
    zones = {"far.example": ZONE + RECORD.format(
        "mailto:no@bad.example,mailto:r@reports.example"), "bad.example": "@ MX 0 .\n"}
    one = reporter(hop.port, zones, copies=["tls-archive@reports.example"])
    one.post()
    one.counted()
    one.let_a_day_pass()
    got = arrives(hop, 2)
    assert sorted(m.rcpts[0] for m in got) == ["r@reports.example",
                                               "tls-archive@reports.example"]
    assert len({m.sender for m in got}) == 2
    assert one.ends("no@bad.example", "given-up")
    one.ends("r@reports.example", "sent")
    # RFC 3464: nobody bounces it, least of all to the contact
    assert one.server.events("bounce") == []


def test_a_dead_place_is_left_alone(reporter, sink):
    hop = sink()
    zones = {"far.example": ZONE + RECORD.format("mailto:no@bad.example"),
             "bad.example": "@ MX 0 .\n"}
    one = reporter(hop.port, zones)
    one.post()
    one.counted()
    one.let_a_day_pass()
    one.ends("no@bad.example", "given-up")
    one.post()
    wait_until(lambda: len(one.ask("SELECT day FROM domains")) == 2, "another day")
    one.let_a_day_pass()
    line = wait_until(lambda: [line for line in one.server.events("report-given-up")
                               if "nothing is sent before" in line["reason"]], "a silence")[0]
    assert line["to"] == "no@bad.example"


@pytest.mark.parametrize("setting, reason", [
    ({"exclude": ["far.example"]}, "excluded"),
    ({"failures_only": True}, "nothing failed")])
def test_the_operator_wants_none(reporter, sink, certificate, setting, reason):
    hop = sink(certificate=certificate("mx.far.example"))
    one = reporter(hop.port, **setting)
    one.post()
    one.counted()
    one.let_a_day_pass()
    line = one.server.wait_event("report-planned", domain="far.example")
    assert reason in line["reason"] and reports(hop) == []
    done = one.server.ctl("report", "send", "far.example", check=False)
    if "exclude" in setting:  # it need not ask anybody
        assert (done.returncode, "exclude names it" in done.stderr) == (1, True)
    else:
        assert (done.returncode, "why there is none" in done.stdout) == (0, True)


def test_who_is_excluded_later_gets_none(reporter, sink):
    """The plan is older than the configuration."""
    hop = sink()
    one = reporter(hop.port)
    one.post()
    one.counted()

    def exclude():
        one.server.write_config(daemon.merge(
            one.config, {"reporting": {"exclude": ["far.example"]}}))
    one.let_a_day_pass(
        "UPDATE domains SET planned = 1",
        "INSERT INTO tries SELECT day, domain, 'r@reports.example', 1, 0, 0, 0, '' FROM domains",
        then=exclude)
    assert one.ends("r@reports.example", "given-up") == "it is excluded"
    assert reports(hop) == [] and one.ask("SELECT count(*) FROM troubles") == [(0,)]


def test_our_address_is_not_told(reporter, sink):
    """RFC 8460 8: what concerns us is ours to tell."""
    hop = sink()
    one = reporter(hop.port, sending_ip=False)
    one.post()
    one.counted()
    one.let_a_day_pass()
    (got,) = arrives(hop)
    (details,) = read(got.body)[1]["policies"][0]["failure-details"]
    assert "sending-mta-ip" not in details and details["receiving-ip"] == "127.0.0.1"


def test_a_domain_is_told_in_a_labels(reporter, sink):
    """RFC 8460 4.4: policy-domain and mx-host of a name in UTF-8."""
    hop = sink()
    one = reporter(hop.port, {"xn--bcher-kva.example": ZONE + RECORD.format(
        "mailto:r@reports.example")})
    with Talk(one.server.port) as talk:
        talk.hello()
        talk.expect(250, f"MAIL FROM:<{FROM}> SMTPUTF8")
        talk.expect(250, "RCPT TO:<user@b\u00fccher.example>")
        assert talk.data(message())[0] == 250
    one.counted("xn--bcher-kva.example")
    one.let_a_day_pass()
    (got,) = arrives(hop)
    (policy,) = read(got.body)[1]["policies"]
    assert policy["policy"]["policy-domain"] == "xn--bcher-kva.example"
    assert policy["failure-details"][0]["receiving-mx-hostname"] == "mx.xn--bcher-kva.example"


def test_one_that_is_too_large_is_not_sent(reporter, sink):
    hop = sink()
    one = reporter(hop.port, size="1K")
    one.post()
    one.counted()
    one.let_a_day_pass(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 60)"
        " INSERT INTO failures SELECT day, domain, policy, result, sender,"
        " hex(randomblob(40)), helo, receiver, more, reason, 1 FROM failures, n")
    assert "too large" in one.ends("r@reports.example", "given-up")


def test_what_is_refused_for_now_stays_in_the_queue(reporter, sink):
    """RFC 8460 5.5: the queue tries again; the list says why it waits."""
    hop = sink()
    one = reporter(hop.port, more={"timeouts": {"idle": "0s"}})
    one.post()
    one.counted()
    wait_until(lambda: hop.messages, "the first message")
    hop.change("rcpt_451")
    one.let_a_day_pass()
    one.ends("r@reports.example", "queued")
    wait_until(lambda: "451" in one.tries()["r@reports.example"][1], "a reason")
    time.sleep(3)
    assert one.tries()["r@reports.example"][0] == "queued"
    (item,) = [json.loads(line) for line in
               one.server.ctl("--json", "queue", "list").stdout.splitlines()]
    shown = json.loads(one.server.ctl(
        "--json", "queue", "show", item["id"]).stdout.splitlines()[0])
    assert shown["tls_report"] is True
    # RFC 8460 5.5: for a day
    assert 86000 < shown["expires"] - shown["arrived"] <= 86400
    hop.change(None)
    one.server.ctl("queue", "flush")
    one.ends("r@reports.example", "sent")


@pytest.mark.parametrize("words", [(), ("--recipient", "r@reports.example")])
def test_one_that_is_removed_by_hand(reporter, sink, words):
    """The list says so, at once; and it can be sent once more."""
    hop = sink()
    one = reporter(hop.port, more={"timeouts": {"idle": "0s"}, "retry": {
        "first": "1h", "longest": "1h"}})
    one.post()
    one.counted()
    wait_until(lambda: hop.messages, "the first message")
    hop.change("rcpt_451")
    one.let_a_day_pass()
    wait_until(lambda: "451" in one.tries().get("r@reports.example", ("", ""))[1], "a reason")
    (item,) = [json.loads(line) for line in
               one.server.ctl("--json", "queue", "list").stdout.splitlines()]
    one.server.ctl("queue", "remove", *(words or (item["id"],)))
    assert one.ends("r@reports.example", "given-up", 5) == "removed from the queue by hand"
    assert one.server.wait_event("report-given-up")["reason"] == "removed from the queue by hand"
    assert one.ask("SELECT count(*) FROM troubles") == [(0,)]
    hop.change(None)
    one.server.ctl("report", "send", "far.example")
    one.ends("r@reports.example", "sent")
    assert len(reports(hop)) == 1


def test_one_that_is_removed_while_its_role_is_away(reporter, sink):
    """It hears of it when it is back."""
    hop = sink()
    one = reporter(hop.port, more={"timeouts": {"idle": "0s"}, "retry": {
        "first": "1h", "longest": "1h"}})
    one.post()
    one.counted()
    wait_until(lambda: hop.messages, "the first message")
    hop.change("rcpt_451")
    one.let_a_day_pass()
    wait_until(lambda: "451" in one.tries().get("r@reports.example", ("", ""))[1], "a reason")
    (item,) = [json.loads(line) for line in
               one.server.ctl("--json", "queue", "list").stdout.splitlines()]
    for ended in range(1, 8):   # each time it comes back later
        (pid,) = wait_until(lambda: one.server.pids().get("report"), "the role")
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda n=ended: len(one.server.events(
            "role-ended", child="report", reason="signal 9")) >= n, "its end")
    one.server.ctl("queue", "remove", item["id"])
    assert one.tries()["r@reports.example"][0] == "queued"   # it is not back yet
    assert one.ends("r@reports.example", "given-up", 20) == "removed from the queue by hand"


def overdue(one):
    """Whoever had a lease has lost it."""
    with sqlite3.connect(one.file, timeout=10) as db:
        db.execute("UPDATE tries SET next = 0 WHERE state = 0")
    db.close()


@pytest.mark.parametrize("victims", [("report",), ("report", "queue", "deliver")])
def test_whoever_dies_it_arrives(reporter, sink, victims):
    """RFC 8460 4.4: at worst once more, with the same id."""
    names = [f"d{i}" for i in range(12)]
    hop = sink()
    one = reporter(hop.port, {f"{name}.example": ZONE + RECORD.format(
        f"mailto:{name}@reports.example") for name in names})
    for name in names:
        one.post(f"user@{name}.example")
        one.counted(f"{name}.example")
    one.let_a_day_pass()
    chance = random.Random(len(victims))
    for _ in range(10):
        time.sleep(chance.uniform(0.1, 1.2))
        for role in victims:
            for pid in one.server.pids().get(role, []):
                os.kill(pid, signal.SIGKILL)
        if one.tries():
            overdue(one)
    wait_until(lambda: len(one.tries()) == len(names), "all are planned", 60)
    overdue(one)
    for name in names:
        one.ends(f"{name}@reports.example", "sent", 60)
    ids = {}
    for got in reports(hop):
        ids.setdefault(got.rcpts[0].partition("@")[0], set()).add(
            read(got.body)[1]["report-id"])
    assert sorted(ids) == sorted(names)
    assert all(len(found) == 1 for found in ids.values()), ids


# --- by HTTPS ---

@pytest.fixture
def host(run_folder, started):
    """A host for reports, and what the daemon has to know of its authority."""
    pki = Pki(run_folder / "tls" / "report-send")
    started.append(ReportHost(pki))
    return started[-1], {"ca_file": str(authorities(pki))}


def posting(reporter, host, name, hop):
    made, more = host
    place = f"https://mta-sts.{name}.test:{made.port}/v1/tlsrpt?x=1"
    one = reporter(hop.port, {
        "far.example": ZONE + RECORD.format(place),
        "test": f"mta-sts.{name} A 127.0.0.1\n"}, more)
    one.post()
    one.counted()
    one.let_a_day_pass()
    return one, place


@pytest.mark.parametrize("name", ["ok", "created"])
def test_a_report_is_posted(reporter, sink, host, name):
    """RFC 8460 3, 5.4"""
    hop = sink()
    one, place = posting(reporter, host, name, hop)
    assert one.ends(place, "sent") == ""
    (post,) = host[0].asked
    assert post.head.startswith("POST /v1/tlsrpt?x=1 HTTP/1.1\r\n")
    assert "\r\nContent-Type: application/tlsrpt+gzip\r\n" in post.head
    report = json.loads(gzip.decompress(post.body))
    assert report["policies"][0]["policy"]["policy-domain"] == "far.example"
    assert reports(hop) == []
    time.sleep(2.5)
    assert len(host[0].asked) == 1


@pytest.mark.parametrize("name, why", [
    ("broken", "500"), ("moved", "301"), ("self-signed", "self"), ("expired", "expired"),
    ("wrong-name", "")])
def test_a_host_that_does_not_take_it_is_tried_again(reporter, sink, host, name, why):
    """RFC 8460 5.4, 5.5: with what went wrong, and later."""
    one, place = posting(reporter, host, name, sink())
    line = one.server.wait_event("report-deferred", to=place)
    assert why in line["reason"], line
    state, tries, after = one.ask("SELECT state, tries, next - strftime('%s') FROM tries")[0]
    assert (state, tries) == (0, 1) and 280 <= after <= 301
    # its time has come, and it is what it was
    one.server.stop()
    with sqlite3.connect(one.file) as db:
        db.execute("UPDATE tries SET next = 1")
    db.close()
    one.server.start()
    wait_until(lambda: len(one.server.events("report-deferred", to=place)) == 2, "another try")
    assert len({post.body for post in host[0].asked if post.body}) <= 1


def test_one_on_its_way_is_not_sent_again_until_its_sender_dies(reporter, sink, host):
    """RFC 8460 4.4: the lease of one who lives holds, that of a dead one ends."""
    one, place = posting(reporter, host, "silent", sink())
    wait_until(lambda: host[0].asked, "a post")
    time.sleep(4)
    assert len(host[0].asked) == 1
    for pid in one.server.pids()["report"]:
        os.kill(pid, signal.SIGKILL)
    time.sleep(4)   # who dies of it again and again does not flood the place
    assert len(host[0].asked) == 1
    overdue(one)
    wait_until(lambda: len(host[0].asked) == 2, "another post")
    assert one.tries()[place][0] == "due"
    first, second = (gzip.decompress(post.body) for post in host[0].asked)
    assert first == second


def test_in_the_end_it_is_given_up(reporter, sink, host):
    one, place = posting(reporter, host, "broken", sink())
    one.server.wait_event("report-deferred", to=place)
    one.server.stop()
    with sqlite3.connect(one.file) as db:
        db.execute("UPDATE tries SET next = 1, tries = 10")
    db.close()
    one.server.start()
    assert "500" in one.ends(place, "given-up")
    assert one.ask("SELECT failures FROM troubles") == [(1,)]


def test_what_became_of_it_is_told(reporter, sink):
    """danelaw report list"""
    hop = sink()
    one = reporter(hop.port, copies=["archive@home.example"])
    one.post()
    one.counted()
    one.let_a_day_pass()
    one.ends("r@reports.example", "sent")
    lines = [json.loads(line) for line in
             one.server.ctl("report", "list", "--json").stdout.splitlines()]
    first = next(line for line in lines if line["to"] == "r@reports.example")
    assert first["domain"] == "far.example" and first["state"] == "sent"
    assert first["day"] == time.strftime("%Y-%m-%d", time.gmtime(yesterday()))
    assert first["id"] == f"{first['day']}.far.example@mx.test.example"
    text = one.server.ctl("report", "list").stdout
    assert "r@reports.example" in text and "sent" in text
    done = one.server.ctl("report", "list", "other.example", check=False)
    assert (done.returncode, done.stdout) == (1, "") and "no report" in done.stderr
    assert one.server.ctl("report", "list", "--since", "soon", check=False).returncode == 2


def test_one_can_be_sent_once_more(reporter, sink):
    """danelaw report send: before its time, or after it was given up."""
    hop = sink()
    zones = {"far.example": ZONE + RECORD.format("mailto:r@bad.example"),
             "bad.example": "@ MX 0 .\n"}
    one = reporter(hop.port, zones)
    ask = one.server.ctl
    one.post()
    one.counted()
    done = ask("report", "send", "far.example", check=False)
    assert (done.returncode, "nothing was counted" in done.stderr) == (1, True)
    assert ask("report", "send", "--day", "0d", "far.example", check=False).returncode == 2
    assert ask("report", "send", check=False).returncode == 2
    one.let_a_day_pass()
    one.ends("r@bad.example", "given-up")
    assert one.ask("SELECT count(*) FROM troubles") == [(1,)]
    # what was wrong is mended, and the record names another place
    one.names.stop()
    zone = one.names.folder / "far.example.zone"
    zone.write_text(zone.read_text().replace("r@bad.example", "r@reports.example"))
    one.names.start()
    one.server.stop()   # it forgets the record
    one.server.start()
    done = ask("report", "send", "far.example")
    assert "is dealt with now" in done.stdout
    assert one.ask("SELECT count(*) FROM troubles") == [(0,)]
    one.ends("r@reports.example", "sent")
    (got,) = arrives(hop)
    assert got.rcpts == ["r@reports.example"]
    ask("report", "send", "far.example")   # it was sent: nobody gets it twice
    time.sleep(3)
    assert len(reports(hop)) == 1


def test_the_daemon_sends_no_day_that_is_not_over(reporter, sink):
    """Whatever asks it; what is counted later would be in no report."""
    one = reporter(sink().port)
    one.post()
    one.counted()
    with socket.socket(socket.AF_UNIX) as asking:
        asking.settimeout(10)
        asking.connect(str(one.server.spool / "control"))
        for day, error in ((int(time.time()) // DAY, "not over"), (1, "nothing was counted")):
            asking.sendall(json.dumps({"command": "report-send", "domain": "far.example",
                                       "day": day}).encode() + b"\n")
            answer = json.loads(asking.makefile().readline())
            assert answer["ok"] is False and error in answer["error"], answer


def test_nothing_is_sent_where_nothing_is_to_be(reporter, sink):
    hop = sink()
    one = reporter(hop.port, send=False)
    one.post()
    one.counted()
    one.let_a_day_pass()
    time.sleep(2.5)
    assert reports(hop) == [] and one.tries() == {}
    done = one.server.ctl("report", "send", "far.example", check=False)
    assert (done.returncode, "send = no" in done.stderr) == (1, True)
    one.server.stop()
    done = one.server.ctl("report", "send", "far.example", check=False)
    assert done.returncode == 1 and done.stderr


def test_the_status_tells_that_the_store_is_away(reporter, sink):
    hop = sink()
    one = reporter(hop.port, organization="")
    one.post()
    one.counted()
    report = one.server.ctl("report", "show").stdout
    assert json.loads(report)["organization-name"] == "mx.test.example"
    db = sqlite3.connect(one.file)
    db.execute("BEGIN EXCLUSIVE")   # nobody else gets in
    try:
        line = wait_until(lambda: [
            line for line in one.server.ctl(
                "--json", "status", check=False).stdout.splitlines()
            if "report" in line and "locked" in line], "the trouble in the status")
    finally:
        db.rollback()
        db.close()
    assert line
    wait_until(lambda: "locked" not in one.server.ctl(
        "--json", "status", check=False).stdout, "its end", 40)
