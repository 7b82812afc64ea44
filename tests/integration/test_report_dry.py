"""danelaw report send --dry-run, and places where no report may go."""
import hashlib
import json
import os
import re
import socket
import time

import pytest

from support import daemon
from support.reporter import AS_FAR, RECORD, ZONE, arrives, read
from support.wait import wait_until
from test_report_send import host, reporter, reports  # noqa: F401  fixtures

def as_far(*names):
    return [sql.format(name) for name in names for sql in AS_FAR]


def documented():
    """The keys that docs/TLS-RPT.md names."""
    page = (daemon.ROOT / "docs/TLS-RPT.md").read_text()
    table = page.split("### report send --dry-run\n")[1].split("\n##")[0]
    return set(re.findall(r"(?m)^\| `(\w+)` \|", table))


def told(one, *words, check=True):
    done = one.server.ctl("report", "send", "--dry-run", "--json", *words, check=check)
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert all(set(row) == documented() for row in rows)
    return {(row["domain"], row["to"]): row for row in rows}


def state(one):
    """Of each file in the state folder, what it is and when that was written."""
    folder = one.server.spool / "state"
    return {path.name: (hashlib.sha256(path.read_bytes()).digest(), path.stat().st_mtime_ns)
            for path in folder.iterdir() if path.is_file()}


def counted(reporter, hop, zones=None, more=None, **reporting):  # noqa: F811
    one = reporter(hop.port, zones, more, **reporting)
    one.post()
    one.counted()
    return one


def test_it_tells_what_is_sent_then(reporter, sink, host):  # noqa: F811
    """To whom, with which id, how large, and why not; and nothing is touched."""
    hop = sink()
    made, more = host
    place = f"https://mta-sts.ok.test:{made.port}/"
    one = counted(reporter, hop, {
        "web.example": ZONE + RECORD.format(f"{place},https://192.0.2.1/"),
        "none.example": ZONE, "odd.example": ZONE + RECORD.format("ftp://reports.example/"),
        "no.example": ZONE + RECORD.format("mailto:r@reports.example"),
        "test": "mta-sts.ok A 127.0.0.1\n"}, more, exclude=["no.example"])
    rows = {}

    def dry():
        before = state(one)
        rows.update(told(one))
        one.server.ctl("report", "send", "--dry-run", "far.example")
        assert state(one) == before
        assert reports(hop) == [] and made.asked == []
    one.let_a_day_pass(*as_far("web.example", "none.example", "odd.example", "no.example",
                               "away.example"), then=dry)
    assert {key: row["would"] for key, row in rows.items()} == {
        ("far.example", "r@reports.example"): "send", ("web.example", place): "send",
        ("web.example", "https://192.0.2.1/"): "not", ("none.example", ""): "not",
        ("odd.example", ""): "not", ("no.example", ""): "not", ("away.example", ""): "not"}
    why = {key[0]: row["reason"] for key, row in rows.items() if row["would"] == "not"}
    assert why == {
        "web.example": "refused: an address stands in the place of a host's name",
        "none.example": "there is no record",
        "odd.example": "there is no rua that reports can be sent to",
        "no.example": "it is excluded", "away.example": "the lookup failed"}
    # and that is the story of the daemon
    (got,) = arrives(hop)
    mail, report = read(got.body)
    (_, part) = mail.get_payload()
    row = rows["far.example", "r@reports.example"]
    assert (row["id"], row["way"]) == (report["report-id"], "mail")
    assert row["gzipped"] == len(part.get_payload(decode=True)) < row["octets"]
    one.ends(place, "sent")
    assert rows["web.example", place]["gzipped"] == len(made.asked[-1].body)
    assert one.ends("https://192.0.2.1/", "given-up") == why["web.example"]
    for domain in ("none.example", "odd.example", "no.example"):
        line = one.server.wait_event("report-planned", domain=domain)
        assert line["reason"] == why[domain]
    line = one.server.wait_event("report-not-planned", domain="away.example")
    assert line["reason"] == why["away.example"]
    # now it has been sent
    row = told(one)["far.example", "r@reports.example"]
    assert (row["would"], row["reason"]) == ("not", "its receiver has taken it")
    assert len(reports(hop)) == 1


# More kinds of failures than a kilobyte holds.
LARGE = ("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 60)"
         " INSERT INTO failures SELECT day, domain, policy, result, sender,"
         " hex(randomblob(40)), helo, receiver, more, reason, 1 FROM failures, n")


@pytest.mark.parametrize("sql, setting, would, reason", [
    ("INSERT INTO troubles VALUES ('far.example', 'r@reports.example', 1,"
     " strftime('%s') + 3600)", {}, "by-hand", "nothing is sent before"),
    ("DROP TABLE troubles", {}, "send", ""),
    ("DROP TABLE doubts", {}, "send", ""),
    ("UPDATE counts SET failures = 0", {"failures_only": True}, "not", "nothing failed"),
    ("INSERT INTO tries SELECT day, domain, 'r@reports.example', 1, 2, 1, 0, '550 no'"
     " FROM domains", {}, "by-hand", "550 no"),
    ("INSERT INTO tries SELECT day, domain, 'r@reports.example', 1, 3, 1, 0, ''"
     " FROM domains", {}, "not", "in the queue"),
    ("INSERT INTO tries SELECT day, domain, 'r@reports.example', 1, 0, 1, 0, ''"
     " FROM domains", {}, "send", ""),
    ("UPDATE domains SET planned = 1", {}, "by-hand", "planned before"),
    ("UPDATE domains SET day = day - 5; UPDATE counts SET day = day - 5", {"day": "6d"},
     "by-hand", "two days ago"),
    ("UPDATE domains SET day = day + 1; UPDATE counts SET day = day + 1", {"day": "today"},
     "not", "not over"),
    (LARGE, {"size": "1K"}, "not", "too large")])
def test_why_it_would_not(reporter, sink, sql, setting, would, reason):  # noqa: F811
    setting = dict(setting)
    day = setting.pop("day", "1d")
    if day == "today":
        day = time.strftime("%Y-%m-%d", time.gmtime())
    hop = sink()
    one = counted(reporter, hop, **setting)
    rows = {}

    def dry():
        before = state(one)
        rows.update(told(one, "--day", day, "far.example"))
        assert state(one) == before
    one.let_a_day_pass(*sql.split(";"), then=dry)
    (row,) = rows.values()
    assert (row["would"], reason in row["reason"]) == (would, True), row
    if reason == "too large":   # it was not made
        assert (row["octets"], row["gzipped"]) == (None, None)


@pytest.mark.parametrize("rua, sql, setting", [
    ("https://192.0.2.1/", (), {}), ("mailto:r@reports.example", (LARGE,), {"size": "1K"})],
    ids=["refused", "too large"])
def test_a_silence_comes_before_the_way(reporter, sink, rua, sql, setting):  # noqa: F811
    """As the sending has it: a place that is silenced is not even looked at."""
    place = rua.removeprefix("mailto:")
    one = counted(reporter, sink(), {"far.example": ZONE + RECORD.format(rua)}, **setting)
    rows = {}
    one.let_a_day_pass(
        "INSERT INTO troubles VALUES"
        f" ('far.example', '{place}', 1, strftime('%s') + 3600)", *sql,
        then=lambda: rows.update(told(one)))
    row = rows["far.example", place]
    # nor would it go by hand
    assert (row["would"], "nothing is sent before" in row["reason"]) == ("not", True)
    assert one.ends(place, "given-up") == row["reason"]


@pytest.mark.parametrize("record, reason", [
    (RECORD.format("mailto:new@reports.example"), "does not name it any more"),
    ("", "there is no record")], ids=["another place", "none"])
def test_what_the_record_no_longer_names(reporter, sink, record, reason):  # noqa: F811
    """Who was given up stays so; what is due goes to whom it was planned for."""
    one = counted(reporter, sink(), {"far.example": ZONE + record})
    rows = {}
    one.let_a_day_pass(
        "INSERT INTO tries SELECT day, domain, 'r@reports.example', 1, 2, 1, 0, '550 no'"
        " FROM domains",
        "INSERT INTO tries SELECT day, domain, 'other@reports.example', 2, 0, 0,"
        " strftime('%s') + 3600, '' FROM domains",
        "UPDATE domains SET planned = 1", then=lambda: rows.update(told(one)))
    assert {to: row["would"] for (_, to), row in rows.items()} == {
        "r@reports.example": "not", "other@reports.example": "send",
        **({"new@reports.example": "by-hand"} if record else {})}
    assert reason in rows["far.example", "r@reports.example"]["reason"]
    one.server.ctl("report", "send", "--day", "1d", "far.example")
    one.ends("other@reports.example", "sent")
    if record:
        one.ends("new@reports.example", "sent")
    assert one.tries()["r@reports.example"] == ("given-up", "550 no")


def test_who_is_named_twice_has_one(reporter, sink):  # noqa: F811
    """Once by the record, and once by the operator."""
    hop = sink()
    one = counted(reporter, hop, {"far.example": ZONE + RECORD.format(
        "mailto:r@reports.example,mailto:s@reports.example,mailto:r@reports.example")},
        copies=["s@reports.example", "t@reports.example"])
    lines = []
    one.let_a_day_pass(then=lambda: lines.extend(one.server.ctl(
        "report", "send", "--dry-run", "--json").stdout.splitlines()))
    assert sorted(json.loads(line)["to"] for line in lines) == [
        f"{who}@reports.example" for who in "rst"]
    assert one.server.wait_event("report-planned")["places"] == "3"
    assert len(arrives(hop, 3)) == 3


def test_a_report_may_have_had_many_places(reporter, sink):  # noqa: F811
    """Its record was changed often, and report send asked for each time."""
    one = counted(reporter, sink())
    rows = {}
    one.let_a_day_pass(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 250)"
        " INSERT INTO tries SELECT day, domain, iif(i = 250, 'r', 'r' || i) ||"
        " '@reports.example', i, 1, 1, 0, '' FROM domains, n",
        then=lambda: rows.update(told(one)))
    assert len(rows) == 250
    assert {row["reason"] for row in rows.values()} == {"its receiver has taken it"}


def test_how_it_is_called(reporter, sink):  # noqa: F811
    one = counted(reporter, sink(), send=False)
    one.let_a_day_pass()
    done = one.server.ctl("report", "send", "--dry-run")
    assert "r@reports.example" in done.stdout and "far.example" in done.stdout
    assert "send = no" in done.stderr
    done = one.server.ctl("report", "send", "--dry-run", "--day", "2020-01-01")
    assert "nothing was counted on that day" in done.stderr
    done = one.server.ctl("report", "send", "--dry-run", "other.example", check=False)
    assert (done.returncode, "nothing was counted" in done.stderr) == (1, True)
    for words in (("list", "--dry-run"), ("send", "--json", "far.example"),
                  ("send", "--dry-run", "--day", "soon")):
        assert one.server.ctl("report", *words, check=False).returncode == 2


# --- places that are refused ---

@pytest.mark.parametrize("zone, rua, reason", [
    ("mta-sts.ok A 127.0.0.1\n", "https://mta-sts.ok.test/", "the loopback address 127.0.0.1"),
    ("mta-sts.ok AAAA 2002:a00:1::\n", "https://mta-sts.ok.test/",
     "the private address 2002:a00:1::"),
    ("mta-sts.ok CNAME inside\ninside AAAA fd00::1\n", "https://mta-sts.ok.test/",
     "the unique-local address fd00::1"),
    ("mta-sts.ok A 192.0.2.1\n", "https://mta-sts.ok.test:8443/", "its port is 8443 and not 443"),
    ("", "https://127.0.0.1/", "an address stands"), ("", "https://[::1]/", "an address stands")])
def test_no_report_goes_inside(reporter, sink, host, zone, rua, reason):  # noqa: F811
    """Anybody may publish a record that leads into our network."""
    made, more = host
    one = counted(reporter, sink(), {"far.example": ZONE + RECORD.format(rua), "test": zone},
                  more, private_places=False)
    rows = {}
    one.let_a_day_pass(then=lambda: rows.update(told(one)))
    why = one.ends(rua, "given-up")
    assert why.startswith("refused: ") and reason in why
    assert (rows["far.example", rua]["would"], rows["far.example", rua]["reason"]) == ("not", why)
    assert one.server.wait_event("report-given-up", to=rua)["reason"] == why
    shown = json.loads(one.server.ctl("report", "list", "--json").stdout)
    assert (shown["state"], shown["reason"]) == ("given-up", why)
    assert made.asked == []
    # nobody is to blame, and so nothing is silenced
    assert one.ask("SELECT count(*) FROM troubles") == [(0,)]


@pytest.fixture
def inside():
    """A socket at the port of HTTPS, at an address that no other test has."""
    number = os.getpid()
    with socket.socket() as one:
        try:
            one.bind((f"127.{1 + (number >> 16 & 127)}.{number >> 8 & 255}.{number & 255 | 1}", 443))
        except PermissionError:
            pytest.skip("port 443 is for root")
        one.listen()
        one.setblocking(False)
        yield one


def test_an_address_outside_is_enough(reporter, sink, host, inside):  # noqa: F811
    """Of several the one inside is not connected to."""
    _, more = host
    rua = "https://mta-sts.ok.test/"
    one = counted(reporter, sink(), {
        "far.example": ZONE + RECORD.format(rua),
        "test": f"mta-sts.ok A {inside.getsockname()[0]}\nmta-sts.ok A 192.0.2.1\n"},
        more, private_places=False)
    rows = {}
    one.let_a_day_pass(then=lambda: rows.update(told(one)))
    assert rows["far.example", rua]["would"] == "send"
    # Nobody is at the one outside, and that was all.
    one.server.wait_event("report-deferred", 150, to=rua)
    assert one.tries()[rua][0] == "due"
    with pytest.raises(BlockingIOError):
        inside.accept()
