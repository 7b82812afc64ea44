"""danelaw report summary: what we saw ourselves of those whom reports name."""
import json
import pathlib
import signal
import smtplib
import socket
import sqlite3
import ssl

import pytest

from support import daemon
from support.certs import self_signed
from support.wait import wait_until
from support.desk import report

MX = "mx.test.example"


class Desk:
    """A daemon with a certificate, and reports about it."""

    def __init__(self, danelaw, folder, **reporting):
        self.cert = self_signed(folder / "cert", MX)
        box = folder / "box"
        daemon.open_way(box)
        self.config = {
            "certificate mx": {"chain": self.cert.chain, "key": self.cert.key},
            "domain ours.example": {
                "deliver": f"maildir:{box}/%u", "tls_reports": ["reports"]},
            "reporting": reporting}
        self.server = danelaw(self.config)
        self.folder = folder
        self.reports = 0

    def keeps(self, *addresses, ago=0, **more):
        """A report in which sessions from these addresses failed."""
        self.reports += 1
        text = report(ago=ago, org=f"Reporter{self.reports}", bad=3)
        text["policies"][0]["failure-details"] = [
            {"result-type": "certificate-expired", "failed-session-count": max(1, 3 - n),
             "sending-mta-ip": address, **more} for n, address in enumerate(addresses)]
        path = self.folder / f"report{self.reports}"
        path.write_text(json.dumps(text))
        path.chmod(0o644)
        self.server.ctl("report", "ingest", "--unsigned", str(path))

    def connect(self, source):
        return smtplib.SMTP("127.0.0.1", self.server.port, local_hostname="c.example",
                            source_address=(source, 0))

    def sql(self, query, *words):
        try:
            with sqlite3.connect(f"{self.server.spool}/state/inbound.db") as db:
                return db.execute(query, words).fetchall()
        finally:
            db.close()

    def wait_seen(self, source):
        """It is on disk what became of a session."""
        address = bytes(10) + b"\xff\xff" + socket.inet_aton(source)

        def seen():
            try:
                return self.sql("SELECT 1 FROM seen WHERE address = ?", address)
            except sqlite3.OperationalError:
                return []
        wait_until(seen, f"{source} in inbound.db")

    def whole_day(self):
        """As if it had been counted since midnight."""
        wait_until(lambda: self.sql("UPDATE days SET first = day * 86400 RETURNING 1"),
                   "a day in inbound.db")

    def summary(self):
        """What people read of it, and the one result of the JSON."""
        said = json.loads(self.server.ctl(
            "report", "summary", "--json", check=False).stdout)
        (result,) = said["result"]
        return self.server.ctl("report", "summary", check=False).stdout, result


@pytest.fixture
def desk(danelaw, tmp_path):
    tmp_path.chmod(0o755)
    return Desk(danelaw, tmp_path)


def context(trusts=None, version=None):
    made = ssl.create_default_context(cafile=trusts)
    if version is not None:
        made.minimum_version = made.maximum_version = version
        if version < ssl.TLSVersion.TLSv1_2:
            made.set_ciphers("ALL:@SECLEVEL=0")
    return made


def shake(desk, source, name=MX, **how):
    """STARTTLS, as somebody who verifies: smtplib asks for the name it has."""
    with desk.connect(source) as client:
        client._host = name  # pylint: disable=protected-access
        client.starttls(context=context(**how))
        return client.noop()


# --- handshakes ---

@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
@pytest.mark.parametrize("trusted, alert, words", [
    (False, 48, "unknown_ca"), (True, 42, "bad_certificate")])
def test_the_alert_of_a_client_is_told(desk, version, trusted, alert, words):
    """RFC 8446 6: by its number and its name; and of no other address."""
    with pytest.raises(ssl.SSLError):
        shake(desk, "127.0.0.7", version=version,
              name=MX if not trusted else "other.example",
              trusts=desk.cert.chain if trusted else None)
    assert desk.server.wait_event("tls-failed")["alert"] == str(alert)
    desk.wait_seen("127.0.0.7")
    desk.whole_day()
    desk.keeps("127.0.0.7", "127.0.0.8")
    text, result = desk.summary()
    day = text.split("127.0.0.7 on ")[1][:10]
    assert (f"      here:   we saw 1 of 2 senders\n"
            f"        127.0.0.7 on {day}: 1 session ended by its TLS alert {alert} ({words})\n"
            f"        127.0.0.8 on {day}: it did not connect to us that day\n") in text
    assert (result["senders"], result["senders_seen"]) == (2, 1)
    seen, other = result["here"]
    assert (seen["sending_mta_ip"], seen["reported"], seen["recorded"], seen["outcomes"]) == (
        "127.0.0.7", 3, "yes",
        [{"outcome": "alert", "sessions": 1, "alert": alert, "alert_name": words}])
    assert (other["sending_mta_ip"], other["recorded"], other["sessions"],
            other["outcomes"]) == ("127.0.0.8", "yes", 0, [])


def test_an_advice_tells_what_was_seen_of_who_failed(desk):
    """Of the day of the last failure, and of those who count."""
    desk.keeps("127.0.0.9", ago=2)
    desk.keeps("127.0.0.10", ago=-1)
    with pytest.raises(ssl.SSLError):
        shake(desk, "127.0.0.7")
    desk.wait_seen("127.0.0.7")
    desk.whole_day()
    desk.keeps("127.0.0.7", "127.0.0.8")
    words = ["report", "advise", "--unsigned", "ours.example"]
    text = desk.server.ctl(*words, check=False).stdout
    assert "      here:   we saw 1 of 2 senders\n        127.0.0.7 on " in text
    assert "1 session ended by its TLS alert 48 (unknown_ca)\n" in text
    assert "127.0.0.9" not in text and "127.0.0.10" not in text
    (failed,) = json.loads(
        desk.server.ctl(*words, "--json", check=False).stdout)["failed"]
    assert (failed["result"], failed["failures"], failed["senders"],
            failed["senders_seen"], failed["here"][0]["outcomes"][0]["alert"]) == (
        "certificate-expired", 5, 2, 1, 48)


def broken_off(desk, source, octets):
    with desk.connect(source) as client:
        client.ehlo()
        client.docmd("STARTTLS")
        client.sock.sendall(octets)
        client.sock.shutdown(socket.SHUT_WR)
        client.sock.recv(4096)
        client.close()


def too_old(desk, source):
    with pytest.raises(ssl.SSLError):
        shake(desk, source, trusts=desk.cert.chain, version=ssl.TLSVersion.TLSv1_1)


def plain(desk, source):
    with desk.connect(source) as client:
        client.ehlo()


def mail(client):
    client.sendmail("a@c.example", ["user@ours.example"], "Subject: x\r\n\r\ny\r\n")


def plain_mail(desk, source):
    with desk.connect(source) as client:
        mail(client)


def tls_mail(desk, source):
    with desk.connect(source) as client:
        client._host = MX  # pylint: disable=protected-access
        client.starttls(context=context(desk.cert.chain))
        mail(client)


@pytest.mark.parametrize("what, outcome, words", [
    (lambda d, s: broken_off(d, s, b""), "dropped", "1 session cut off in the TLS handshake"),
    (lambda d, s: broken_off(d, s, b"this is not TLS at all"), "broken",
     "1 session with a TLS handshake that failed"),
    (too_old, "version", "1 session without a TLS version in common"),
    (plain, "plain", "1 session that did not ask for STARTTLS"),
    (plain_mail, "plain-with-mail", "1 session with mail in the clear"),
    (lambda d, s: shake(d, s, trusts=d.cert.chain), "tls",
     "1 session with TLS, left without mail"),
    (tls_mail, "tls-with-mail", "1 session with TLS and mail"),
], ids=["dropped", "broken", "version", "plain", "plain-mail", "tls", "tls-mail"])
def test_what_became_of_a_session_is_told(desk, what, outcome, words):
    what(desk, "127.0.0.7")
    desk.wait_seen("127.0.0.7")
    desk.whole_day()
    # However the report writes it.
    desk.keeps("[::ffff:127.0.0.7]")
    text, result = desk.summary()
    assert f": {words}\n" in text
    (seen,) = result["here"]
    assert [(o["outcome"], o["sessions"]) for o in seen["outcomes"]] == [(outcome, 1)]


def test_sessions_of_a_day_add_up(desk):
    for _ in range(2):
        with pytest.raises(ssl.SSLError):
            shake(desk, "127.0.0.7")
    plain(desk, "127.0.0.7")
    desk.wait_seen("127.0.0.7")
    wait_until(lambda: desk.sql("SELECT sum(sessions) FROM seen WHERE address ="
                                " x'00000000000000000000ffff7f000007'") == [(3,)],
               "three sessions")
    desk.whole_day()
    desk.keeps("127.0.0.7")
    assert (": 2 sessions ended by its TLS alert 48 (unknown_ca), "
            "1 that did not ask for STARTTLS\n") in desk.summary()[0]


def test_of_two_days_the_most_is_told(desk):
    """However many kinds the first day has."""
    address = bytes(10) + b"\xff\xff" + socket.inet_aton("192.0.2.9")
    desk.whole_day()
    for alert in range(1, 10):
        desk.sql("INSERT INTO seen SELECT day - 1, ?, 7, ?, 2 FROM days", address, alert)
    desk.sql("INSERT INTO seen SELECT day, ?, 7, 48, 7 FROM days", address)
    desk.keeps("192.0.2.9", ago=1)
    with sqlite3.connect(f"{desk.server.spool}/state/inbox.db") as db:
        db.execute("UPDATE reports SET end = end + 43200")
    db.close()
    text, result = desk.summary()
    assert ": 7 sessions ended by its TLS alert 48 (unknown_ca), 2 " in text
    assert ", 4 others" in text
    (seen,) = result["here"]
    assert (seen["sessions"], len(seen["outcomes"])) == (25, 8)


# --- what is not known ---

def test_it_went_elsewhere(desk):
    """An address that was not here: the report says where it was."""
    desk.whole_day()
    where = {"receiving-mx-hostname": "mx2.ours.example", "receiving-ip": "198.51.100.3"}
    desk.keeps("192.0.2.9", **where)
    assert (": it did not connect to us that day; by the report it went to "
            "mx2.ours.example [198.51.100.3]\n") in desk.summary()[0]
    # Another reporter has seen it at another host.
    desk.keeps("192.0.2.9", **{**where, "receiving-mx-hostname": "mx3.ours.example"})
    assert ("that day; by the report it went to 198.51.100.3\n") in desk.summary()[0]


@pytest.mark.parametrize("ago, change, known, words", [
    (0, None, "part", "nothing recorded, but counting began within that day"),
    (1, None, "no", "not recorded: counting began later"),
    (0, "gap = 60, first = day * 86400", "part",
     "nothing recorded, but counting stopped for a part of that day"),
    (0, "untold = 1, first = day * 86400", "part",
     "nothing recorded, but more came that day than could be told apart"),
    (1, "day = day - 2, first = first - 172800", "no",
     "not recorded: nothing was counted that day"),
], ids=["began", "later", "gap", "untold", "none"])
def test_what_is_not_known_is_not_claimed(desk, ago, change, known, words):
    # However late in the day it is, or early.
    wait_until(lambda: desk.sql(
        "UPDATE days SET first = day * 86400 + 1000, last = day * 86400 + 86399 RETURNING 1"),
        "a day in inbound.db")
    if change:
        assert desk.sql(f"UPDATE days SET {change} RETURNING 1")
    desk.keeps("192.0.2.9", ago=ago)
    text, result = desk.summary()
    assert f": {words}" in text
    (seen,) = result["here"]
    assert (seen["recorded"], seen["why"] in words, seen["why"] != "") == (known, True, True)


def test_it_can_be_turned_off(desk):
    """And then nothing of before is left."""
    plain(desk, "127.0.0.7")
    desk.wait_seen("127.0.0.7")
    desk.keeps("127.0.0.7", ago=1)
    desk.server.stop()
    desk.config["reporting"] = {"inbound_days": 0}
    desk.server.write_config(desk.config)
    desk.server.start()
    state = pathlib.Path(desk.server.spool, "state")
    wait_until(lambda: not (state / "inbound.db").exists(), "the file is gone")
    plain(desk, "127.0.0.7")
    desk.server.stop()
    assert not (state / "inbound.db").exists()
    text, result = desk.summary()
    assert "      here:   we saw 0 of 1 sender\n" in text
    assert ": not recorded: sessions with us are not counted\n" in text
    assert result["here"][0]["recorded"] == "no"


def test_counting_survives_a_reload(desk):
    """The processes of before and those of now tell the same store."""
    with desk.connect("127.0.0.6") as held:
        held.ehlo()
        plain(desk, "127.0.0.7")
        desk.server.process.send_signal(signal.SIGHUP)
        desk.server.wait_event("reloaded")
        plain(desk, "127.0.0.8")
    for host in 6, 7, 8:
        desk.wait_seen(f"127.0.0.{host}")
    assert desk.sql("SELECT sum(gap) FROM days") == [(0,)]
    desk.server.stop()
    assert desk.server.events("bad-message") == []
    assert desk.server.events("inbound-lost") == []


def test_a_store_that_cannot_be_read_is_said(desk):
    desk.keeps("127.0.0.7")
    desk.whole_day()
    desk.server.stop()
    state = pathlib.Path(desk.server.spool, "state")
    (state / "inbound.db").write_text("no database" * 20)
    done = desk.server.ctl("report", "summary", check=False)
    assert "inbound.db: file is not a database" in done.stderr
    assert ": not recorded: the records cannot be read\n" in done.stdout


# --- many ---

def test_reports_without_addresses(desk):
    desk.keeps("", "unknown")
    text, result = desk.summary()
    assert "      here:   the reports do not say from which addresses\n" in text
    assert (result["senders"], result["here"]) == (0, [])


def test_a_long_list_is_cut(desk):
    """Those whom we saw come first, and then those of whom most is told."""
    plain(desk, "127.0.0.7")
    desk.wait_seen("127.0.0.7")
    desk.whole_day()
    desk.keeps(*(f"192.0.2.{n}" for n in range(200)), "127.0.0.7")
    text, result = desk.summary()
    assert "      here:   we saw 1 of 201 senders\n        127.0.0.7 on " in text
    assert "\n        and 196 more\n" in text
    assert (result["senders"], len(result["here"])) == (201, 100)
    assert result["here"][0]["sending_mta_ip"] == "127.0.0.7"


def test_one_reporter_does_not_hide_the_others(desk):
    """Whoever signs may name any number of addresses."""
    plain(desk, "127.0.0.7")
    desk.wait_seen("127.0.0.7")
    desk.keeps(*(f"10.1.{n >> 8}.{n & 255}" for n in range(1000)))
    desk.keeps("127.0.0.7")
    text, result = desk.summary()
    assert "we saw 1 of 501 senders; reports name more than were looked at\n" in text
    assert (result["senders_cut"], result["here"][0]["sending_mta_ip"]) == (True, "127.0.0.7")


def flood(desk, signers, result="certificate-expired"):
    """Each signer has 500 addresses, and without a result a kind for each."""
    with sqlite3.connect(f"{desk.server.spool}/state/inbox.db") as db:
        db.execute("UPDATE reports SET signer = 'mail.google.example'")
        row = db.execute("SELECT * FROM reports").fetchone()
        names = [d[0] for d in db.execute("SELECT * FROM reports").description]
        for n, signer in enumerate(signers):
            one = {**dict(zip(names, row)), "number": 1000 + n, "signer": signer}
            db.execute(f"INSERT INTO reports ({', '.join(names)}) VALUES"
                       f" ({', '.join('?' * len(names))})", [one[name] for name in names])
            db.execute("INSERT INTO counts (report, type, policy_domain, result, mx, reason,"
                       " sessions, failures) VALUES (?, 3, 'ours.example', ?, '', '', 500, 0)",
                       (1000 + n, result or "!"))
            db.executemany(
                "INSERT INTO senders (report, result, address, mx, receiver, sessions)"
                " VALUES (?, ?, ?, '', '', 1)",
                [(1000 + n, result or f"!{n}-{i}", bytes(10) + b"\xff\xff" + bytes(
                    (10 + (i >> 8), n >> 8, n & 255, i & 255))) for i in range(500)])
    db.close()


def test_one_zone_does_not_hide_the_others(desk):
    """Whoever has a domain has as many below it as he likes."""
    plain(desk, "127.0.0.7")
    desk.wait_seen("127.0.0.7")
    desk.keeps("127.0.0.7")
    flood(desk, [f"a{n:03}.evil.example" for n in range(11)])
    text, result = desk.summary()
    assert "we saw 1 of 5000 senders; reports name more than were looked at\n" in text
    assert (result["senders_cut"], result["here"][0]["sending_mta_ip"]) == (True, "127.0.0.7")


def test_nor_what_they_say_of_other_kinds(desk):
    """However much comes before them."""
    plain(desk, "127.0.0.7")
    desk.wait_seen("127.0.0.7")
    desk.keeps("127.0.0.7")
    flood(desk, [f"a{n:03}.evil.example" for n in range(401)], "a-certificate-expired")
    done = json.loads(desk.server.ctl("report", "summary", "--json", check=False).stdout)
    results = {one["name"]: one for one in done["result"]}
    true = results["certificate-expired"]
    assert (true["senders"], true["senders_seen"], true["senders_cut"]) == (1, 1, False)
    assert results["a-certificate-expired"]["senders_cut"]


def test_nor_by_kinds_that_it_thinks_up(desk):
    """There may be as many as senders."""
    plain(desk, "127.0.0.7")
    desk.wait_seen("127.0.0.7")
    desk.keeps("127.0.0.7")
    flood(desk, [f"a{n:03}.evil.example" for n in range(401)], result=None)
    done = json.loads(desk.server.ctl("report", "summary", "--json", check=False).stdout)
    true = {one["name"]: one for one in done["result"]}["certificate-expired"]
    assert (true["senders"], true["senders_seen"]) == (1, 1)


def test_nobody_hides_who_signs_by_its_name(desk):
    """What calls itself as who signs does not fill the list of that one."""
    plain(desk, "127.0.0.7")
    desk.wait_seen("127.0.0.7")
    desk.keeps(*(f"10.1.{n >> 8}.{n & 255}" for n in range(1000)))
    desk.keeps("127.0.0.7")
    with sqlite3.connect(f"{desk.server.spool}/state/inbox.db") as db:
        db.execute("UPDATE reports SET signer = 'Reporter1' WHERE organization = 'Reporter2'")
        db.execute("UPDATE senders SET sessions = 1")
    db.close()
    text, result = desk.summary()
    assert "we saw 1 of 501 senders; reports name more than were looked at\n" in text
    assert result["here"][0]["sending_mta_ip"] == "127.0.0.7"
