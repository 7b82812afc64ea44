"""Reports that are taken, and come back by mail (RFC 3464)."""
import json
import os
import re
import sqlite3

import pytest

from support.maildir import Maildir
from support.programs import fine, sendmail
from support.reporter import RECORD, ZONE, Reporter, arrives, reports
from support.talk import Talk
from support.wait import free_port, wait_until

pytestmark = pytest.mark.limit(180)

BOTH = RECORD.format("mailto:r@reports.example,mailto:r@good.example")


@pytest.fixture
def reporter(danelaw, nsd, tmp_path):
    def make(port, zones=None, more=None, **reporting):
        zones = {"far.example": ZONE + BOTH, "reports.example": ZONE,
                 "good.example": ZONE, **(zones or {})}
        return Reporter(danelaw, nsd, tmp_path, zones, port, more, **reporting)
    return make


def notification(action="failed", kind="message/delivery-status"):
    """As Postfix writes them."""
    return (
        "From: <MAILER-DAEMON@mx.reports.example>\r\n"
        "Auto-Submitted: auto-replied\r\nMIME-Version: 1.0\r\n"
        "Content-Type: multipart/report; report-type=delivery-status;\r\n"
        '\tboundary="4Q1/mx.reports.example"\r\n\r\n'
        "--4Q1/mx.reports.example\r\nContent-Type: text/plain\r\n\r\nIt is gone.\r\n\r\n"
        f"--4Q1/mx.reports.example\r\nContent-Type: {kind}\r\n\r\n"
        "Reporting-MTA: dns; mx.reports.example\r\n\r\n"
        "Final-Recipient: rfc822; r@reports.example\r\n"
        f"Action: {action}\r\nStatus: 5.1.1\r\n"
        "Diagnostic-Code: smtp; 550 5.1.1 <r@reports.example>: nobody\r\n\r\n"
        "--4Q1/mx.reports.example--\r\n")


def send_back(one, rcpt, body, sender=""):
    with Talk(one.server.port) as talk:
        talk.hello()
        talk.envelope(sender, rcpt)
        assert talk.data(body)[0] == 250


def sent(reporter, hop, **more):
    """The report is on its way to both; the envelope sender of the first."""
    one = reporter(hop.port, **more)
    one.post()
    one.counted()
    one.let_a_day_pass()
    arrives(hop, 2)
    for place in ("r@reports.example", "r@good.example"):
        one.ends(place, "sent")
    return one, next(got.sender for got in reports(hop)
                     if got.rcpts == ["r@reports.example"])


def another_night(one):
    one.post()
    wait_until(lambda: len(one.ask("SELECT day FROM domains")) == 2, "another day")
    one.let_a_day_pass()


def troubles(one):
    return one.ask("SELECT domain, rua, failures FROM troubles")


def test_a_place_that_sends_it_back_is_left_alone(danelaw, reporter, sink, tmp_path):
    """RFC 3464, RFC 5321 6.1: between daemons; the other place goes on."""
    hop = sink("rcpt_550_unless_good")
    port = free_port()
    (tmp_path / "who").write_text("tls\n")
    one = reporter(port, more={
        "domain home.example": {"recipients": f"file:{tmp_path}/who"}})
    far = danelaw({
        **one.names.resolver(), "hostname": "mx.reports.example",
        "mx_port": one.server.port,
        "retry": {"first": "1s", "longest": "2s"},
        **{f"domain {name}.example": {"deliver": f"smtp:127.0.0.1:{hop.port}"}
           for name in ("far", "reports")},
        "domain good.example": {"deliver": "discard"},
        "listen mx": {"address": [f"127.0.0.1:{port}"]}}, start=False)
    far.port = port
    far.start()
    one.post("good@far.example")
    one.counted()
    one.let_a_day_pass()
    why = one.ends("r@reports.example", "given-up", 60)
    assert why.startswith("it was taken, and came back: 5."), why
    assert one.ends("r@good.example", "sent") == ""
    line = one.server.wait_event("report-bounced", to="r@reports.example")
    assert line["domain"] == "far.example"
    assert troubles(one) == [("far.example", "r@reports.example", 1)]
    counted = {line["labels"]: line["value"] for line in map(
        json.loads, one.server.ctl("metrics", "--json").stdout.splitlines())
        if line["name"] == "danelaw_tlsrpt_sent_total"}
    assert counted['result="returned"'] == 1
    # the contact has it, too, and nobody else has anything of it
    (mail,) = Maildir(tmp_path / "home").wait()
    assert b"delivery-status" in mail
    assert list((one.server.spool / "state/reports-bounced").iterdir()) == []
    listed = [json.loads(text) for text in
              one.server.ctl("report", "list", "--json").stdout.splitlines()]
    assert {item["to"]: item["state"] for item in listed} == {
        "r@reports.example": "given-up", "r@good.example": "sent"}
    another_night(one)
    wait_until(lambda: [line for line in one.server.events("report-given-up")
                        if "nothing is sent before" in line["reason"]
                        and line["to"] == "r@reports.example"], "a silence")
    wait_until(lambda: len(far.events("delivery", target="discard")) == 2, "the other's")


def test_what_comes_back_again_and_again(reporter, sink):
    """The silence grows, though each report was taken."""
    hop = sink()
    one, back = sent(reporter, hop)
    send_back(one, back, notification())
    one.ends("r@reports.example", "given-up")
    for failures in (2, 3):
        one.server.stop()
        with sqlite3.connect(one.file) as db:   # the silence is over
            db.execute("UPDATE troubles SET until = strftime('%s') - 60")
            db.execute("DELETE FROM tries")
            db.execute("DELETE FROM domains")
        db.close()
        one.server.start()
        before = len(reports(hop))
        one.post()
        one.counted()
        one.let_a_day_pass()
        one.ends("r@reports.example", "sent")
        back = [got.sender for got in reports(hop)[before:]
                if got.rcpts == ["r@reports.example"]][-1]
        send_back(one, back.upper(), notification())
        one.ends("r@reports.example", "given-up")
        assert troubles(one) == [("far.example", "r@reports.example", failures)]
    days = one.ask("SELECT (until - strftime('%s')) / 86400.0 FROM troubles")[0][0]
    assert 3.9 < days <= 4


def test_a_folder_that_was_put_aside_is_left(reporter, sink):
    """A new one has its place, as after something was put back from a copy."""
    hop = sink()
    one, back = sent(reporter, hop)
    folder = one.server.spool / "state/reports-bounced"
    folder.rename(folder.with_name("old"))
    send_back(one, back, notification())
    assert "came back" in one.ends("r@reports.example", "given-up")
    wait_until(lambda: not list(folder.iterdir()), "it is let go of")


def test_a_folder_that_was_removed_is_left(reporter, sink):
    """The next may have its number: that it is the same folder nobody can see by it."""
    hop = sink()
    one, back = sent(reporter, hop)
    folder = one.server.spool / "state/reports-bounced"
    folder.rmdir()
    send_back(one, back, notification())
    assert "came back" in one.ends("r@reports.example", "given-up")


@pytest.mark.skipif(os.getuid() != 0, reason="the report role may read what is ours")
def test_one_that_cannot_be_read_holds_up_nobody(reporter, sink):
    hop = sink()
    one, back = sent(reporter, hop)
    word = re.search(r"tlsrpt-(\w+)@", back).group(1)
    first = one.server.spool / "state/reports-bounced" / f"{word}1"
    coming = first.with_name(".coming")
    coming.write_text(notification())
    coming.chmod(0o600)
    os.utime(coming, (0, 0))
    coming.rename(first)
    one.server.wait_event("report-bounce-trouble", 70)
    send_back(one, back, notification())
    assert "came back" in one.ends("r@reports.example", "given-up")
    assert first.exists()   # for whoever mends it


@pytest.mark.parametrize("body, sender, reason", [
    (notification("delayed"), "", "does not say"),
    (notification("delivered"), "", "does not say"),
    # RFC 3461 5.2.7.1: a member of the alias that the place is
    (notification().replace("rfc822; r@", "rfc822; dead@"), "", "another address"),
    (notification(kind="text/plain"), "", "automatic reply"),
    ("Subject: thank you\r\n\r\nAction: failed\r\n", "", "no delivery status"),
    # RFC 5321 4.5.5: a notification has a null reverse-path
    (notification(), "r@reports.example", None)])
def test_other_mail_silences_nobody(reporter, sink, tmp_path, body, sender, reason):
    hop = sink()
    one, back = sent(reporter, hop)
    send_back(one, back, body, sender)
    assert len(Maildir(tmp_path / "home").wait()) == 1
    if reason:
        line = one.server.wait_event("report-bounce-ignored", to="r@reports.example")
        assert reason in line["reason"], line
        folder = one.server.spool / "state/reports-bounced"
        wait_until(lambda: not list(folder.iterdir()), "it is let go of")
    assert one.server.events("report-bounced") == []
    assert one.tries()["r@reports.example"] == ("sent", "") and troubles(one) == []
    assert len(Maildir(tmp_path / "home").messages()) == 1   # nobody answers it


def test_nobody_makes_one_up(reporter, sink, tmp_path):
    """An address that we did not write is refused, and says why."""
    hop = sink()
    one, back = sent(reporter, hop)
    word = re.search(r"tlsrpt-(\w+)@", back).group(1)
    forged = back.replace(word, word[:-1] + ("a" if word[-1] != "a" else "b"))
    with Talk(one.server.port) as talk:
        talk.hello()
        talk.expect(250, "MAIL FROM:<>")
        for rcpt in (forged, "tls+tlsrpt-1c291ca3@home.example"):
            (text,) = talk.expect("550 5.1.1", f"RCPT TO:<{rcpt}>")
            assert "no report has this return address" in text
        talk.expect(250, "RCPT TO:<tls+me@home.example>")   # of everybody else
        talk.expect(250, f"RCPT TO:<{back}>")   # who asks whether it is there
    assert troubles(one) == []


def test_a_program_that_takes_it_for_its_sender(reporter, sink, tmp_path):
    """Whoever got a report may write its return address; what is said of his mail comes to
    the contact, and is no word about the report."""
    hop = sink()
    (tmp_path / "who").write_text("tls\n")
    one, back = sent(reporter, hop, more={
        "domain home.example": {"recipients": f"file:{tmp_path}/who"}})
    fine(sendmail(one.server, "-f", back, "nobody@home.example"))
    (mail,) = Maildir(tmp_path / "home").wait()
    assert b"nobody@home.example" in mail
    line = one.server.wait_event("report-bounce-ignored", to="r@reports.example")
    assert "another address" in line["reason"]


def test_one_that_waits_is_read_after_a_crash(reporter, sink):
    """What was put down before its mail was settled is not lost."""
    hop = sink()
    one, back = sent(reporter, hop)
    db = sqlite3.connect(one.file)
    db.execute("BEGIN EXCLUSIVE")   # nobody else gets in
    try:
        send_back(one, back, notification())
        folder = one.server.spool / "state/reports-bounced"
        one.server.wait_event("report-bounce-trouble")
        assert len(list(folder.glob("[!.]*"))) == 1
        one.server.kill()
    finally:
        db.rollback()
        db.close()
    one.server.start()
    assert "came back" in one.ends("r@reports.example", "given-up")
    assert troubles(one) == [("far.example", "r@reports.example", 1)]
    wait_until(lambda: not list(folder.iterdir()), "it is let go of")
    assert one.tries()["r@good.example"][0] == "sent"
