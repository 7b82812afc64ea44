"""danelaw report: what reports of others come to, and what they advise."""
import json
import pathlib
import re
import sqlite3
import subprocess

import pytest

from support import daemon
from support.desk import Desk, day, mail, report


def test_a_summary(desk):
    desk.keeps(report(ago=9, bad=1), report(ago=2, bad=5), report(ago=1),
               report(ago=1, org="Newcomer", good=7))
    status, out, _ = desk.run("summary")
    assert status == 1
    assert out.startswith(
        "ours.example: 207 sessions fine, 5 failed in a week\n")
    assert re.search(r"Newcomer \(unsigned\): 7 fine, 0 failed; the week before 0 fine, "
                     r"0 failed, new\n", out)
    assert re.search(r"Reporter \(unsigned\): 200 fine, 5 failed; the week before 100 fine, "
                     r"1 failed \(worse\)\n", out)
    assert re.search(r"mx1\.ours\.example: 5 failed; the week before 1 failed \(", out)
    assert re.search(r"certificate-expired: 5 failed; .*\n +means: .*\n"
                     r" +check: .*\n +remedy: .*RFC 8460", out)
    (said,) = map(json.loads, desk.run("summary", "--json")[1].splitlines())
    assert (said["name"], said["failures"], said["trend"]) == (
        "ours.example", 5, "worse")


@pytest.mark.parametrize("word", ["validation-failure", "shrug"])
def test_a_reason_is_where_the_summary_says(desk, word):
    """It is in the report, which the summary has not: that leads there."""
    text = report(bad=2)
    (detail,) = text["policies"][0]["failure-details"]
    detail.update({"result-type": word, "failure-reason-code": "no shared cipher"})
    file = desk.file(mail(text))
    assert desk.run("ingest", "--unsigned", file)[0] == 0
    status, out, _ = desk.run("summary")
    (check,) = re.findall(r"^ +check: +(.*)$", out, re.MULTILINE)
    assert (status, re.findall(r'"danelaw (.*?)"', check)) == (1, ["report read"]), out
    assert re.search(r"^ +here: ", out, re.MULTILINE) and "no shared cipher" not in out
    assert f"    {word}: 2\n" in desk.run("read", file)[1]
    assert "      reason: no shared cipher\n" in desk.run("read", file)[1]


def test_a_summary_of_many_domains(danelaw, tmp_path):
    """Each has all its tables, the last as the first."""
    tmp_path.chmod(0o755)
    desk = Desk(danelaw, tmp_path, **{
        f"domain d{i}.example": {"deliver": "discard"} for i in range(400)})
    desk.keeps(report(ago=1))
    file = sqlite3.connect(f"{desk.server.spool}/state/inbox.db")
    file.executescript("""
        WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 399)
        INSERT INTO reports (organization, id, start, end, contact, domain, signer,
                             received, notes, successes, failures)
            SELECT organization, d.i || '-' || k.i, start - 86400 * k.i,
                   end - 86400 * k.i, contact, 'd' || d.i || '.example', signer,
                   received, notes, successes, failures
            FROM reports, n AS d, n AS k WHERE k.i < 28;
        INSERT INTO counts (report, type, policy_domain, result, mx, reason, sessions,
                            failures)
            SELECT r.number, type, policy_domain, result, mx, reason, sessions,
                   c.failures
            FROM reports AS r, counts AS c WHERE c.report = 1 AND r.number > 1""")
    file.close()
    status, out, err = desk.run("summary", "--json")
    said = [json.loads(line) for line in out.splitlines()]
    assert (status, err, len(said)) == (0, "", 401)
    assert [s["name"] for s in said if not (s.get("policy") and s.get("reporter"))] == []


@pytest.mark.parametrize("word", ["summary", "received", "advise"])
def test_domains_that_are_not_ours(desk, word):
    desk.keeps(report())
    assert desk.run(word, "theirs.example") == (
        1, "", "danelaw: theirs.example: it is no domain of the configuration\n"), word
    status, out, err = desk.run(word, "no..domain")
    assert (status, out, "no..domain" in err) == (2, "", True), err


def test_what_is_ours_is_told_beside_them(desk):
    desk.keeps(report())
    for word in "summary", "received":
        status, out, _ = desk.run(word, "theirs.example", "OURS.example")
        assert (status, "ours.example" in out) == (1, True)


def test_nothing_is_kept(desk):
    assert desk.run("summary")[:2] == (
        0, "no report of the last two weeks is kept\n")
    status, out, _ = desk.run("advise", "ours.example")
    assert (status, out.splitlines()[0]) == (
        1, "ours.example: stay with testing")


def test_testing_may_become_enforce(desk):
    desk.keeps(*(report(ago=n, org=org)
                 for n in range(1, 16) for org in ("One", "Two")))
    status, out, _ = desk.run("advise", "--unsigned", "ours.example")
    assert (status, out) == (
        0, "ours.example: testing may become enforce\n"
        "  15 clean days in a row, 2 reporters, 3000 sessions under MTA-STS;"
        " wanted are 14, 2 and 100\n"
        "  reporters: One (unsigned), Two (unsigned)\n"), out
    desk.keeps(report(ago=3, org="Three", bad=1))
    status, out, _ = desk.run("advise", "--unsigned", "ours.example")
    assert (status, out.splitlines()[0]) == (
        1, "ours.example: stay with testing"), out
    assert (f"the last failure: {day(3)}, certificate-expired at mx1.ours.example,"
            " reported by Three (unsigned)\n"
            "    certificate-expired: 1 failed that day\n      means: ") in out
    said = json.loads(desk.run("advise", "--unsigned", "--json", "ours.example")[1])
    assert (said["enforce"], said["domain"], said["last_failure"]) == (
        False, "ours.example", day(3))


def test_what_nobody_vouches_for_does_not_count(desk):
    """RFC 8460 3: neither for enforce nor against it; but it is told."""
    desk.keeps(*(report(ago=n, org=org)
                 for n in range(1, 16) for org in ("One", "Two")),
               report(ago=3, org="Three", good=0, bad=4))
    status, out, _ = desk.run("advise", "ours.example")
    assert (status, out) == (
        1, "ours.example: stay with testing\n"
        "  0 clean days in a row, 0 reporters, 0 sessions under MTA-STS;"
        " wanted are 14, 2 and 100\n"
        "  not counted, for nobody vouches for them: 3 reporters (unsigned),"
        f" 3000 sessions fine, 4 failed, the last on {day(3)}\n"
        "  nobody has reported sessions to the domain\n"
        "  there are too few clean days in a row: 14 more are wanted\n"
        "  too few reporters have evaluated the policy: 2 more are wanted\n"
        "  too few sessions were made under the policy: 100 more are wanted\n")
    said = json.loads(desk.run("advise", "--json", "ours.example")[1])
    assert (said["enforce"], said["last_failure"], said["failed"], said["names"],
            said["unsigned"]) == (
        False, None, [], [],
        {"reporters": 3, "successes": 3000, "failures": 4, "last_failure": day(3)})


@pytest.mark.parametrize("kind", [{}, {"result-type": ""}], ids=["none", "empty"])
def test_failures_of_no_kind_are_failures(desk, kind):
    """RFC 8460 4.4: result-type is missing; with a sum of the failures, and without."""
    bad = report(ago=3, org="Bad", good=100, bad=7)
    worse = report(ago=4, org="Worse", good=0)
    for text, n in (bad, 7), (worse, 10):
        text["policies"][0]["failure-details"] = [{
            **kind, "failed-session-count": n, "sending-mta-ip": "192.0.2.1",
            "receiving-mx-hostname": "mx1.ours.example"}]
    desk.keeps(worse, *(report(ago=n, org=org) for n in range(1, 16) for org in ("One", "Two")))
    status, out, _ = desk.run("advise", "--unsigned", "ours.example")
    assert (status, f"  the last failure: {day(4)}, unspecified at mx1" in out) == (1, True), out
    assert (", 3000 sessions fine, 10 failed, the last on " + day(4)
            in desk.run("advise", "ours.example")[1])
    desk.keeps(bad)
    said = json.loads(desk.run("summary", "--json")[1])
    assert (said["successes"], said["failures"]) == (1300, 7)
    (result,) = said["result"]
    assert (result["name"], result["failures"], result["senders"]) == ("unspecified", 17, 2)
    (host,) = said["mx"]
    assert (host["name"], host["failures"]) == ("mx1.ours.example", 17)


def test_a_result_is_known_in_any_case(desk):
    text = report(bad=2)
    text["policies"][0]["failure-details"][0]["result-type"] = "Certificate-Expired"
    desk.keeps(text, report(org="Other", bad=3))
    (result,) = json.loads(desk.run("summary", "--json")[1])["result"]
    assert (result["name"], result["failures"]) == ("certificate-expired", 5)


def test_days_of_silence_and_what_is_wanted(desk):
    desk.keeps(*(report(ago=n, org=org) for n in (1, 2, 5, 9) for org in "AB"))
    assert desk.run("advise", "--unsigned", "ours.example")[1] == (
        "ours.example: stay with testing\n"
        "  4 clean days in a row, 2 reporters, 800 sessions under MTA-STS;"
        " wanted are 14, 2 and 100\n"
        "  5 days among them without any report\n"
        "  reporters: A (unsigned), B (unsigned)\n"
        "  there are too few clean days in a row: 10 more are wanted\n")
    said = json.loads(desk.run("advise", "--unsigned", "--json", "ours.example")[1])
    assert (said["silent_days"], said["clean_days"], said["clean_days_wanted"],
            said["names"], said["last_report"]) == (
        5, 4, 14, ["A (unsigned)", "B (unsigned)"], day(1))


def test_one_is_no_plural(desk):
    desk.keeps(report(good=1))
    assert "  1 clean day in a row, 1 reporter, 1 session under MTA-STS;" in desk.run(
        "advise", "--unsigned", "ours.example")[1]
    assert json.loads(desk.run("advise", "--json", "ours.example")[1])[
        "last_failure"] is None
    assert "ours.example: 1 session fine, 0 failed in a week\n" in desk.run("summary")[1]
    assert ": 1 session fine, 0 failed\n" in desk.run("read", desk.file(report(good=1)))[1]


def test_an_advice_has_the_most_frequent_kinds(desk):
    text = report(bad=55)
    text["policies"][0]["failure-details"] = [
        {"result-type": f"odd-{n}", "failed-session-count": n} for n in range(1, 11)]
    desk.keeps(text)
    said = json.loads(desk.run("advise", "--unsigned", "--json", "ours.example")[1])
    assert [kind["result"] for kind in said["failed"]] == [f"odd-{n}" for n in range(10, 2, -1)]
    assert said["more_failed"] == 2
    out = desk.run("advise", "--unsigned", "ours.example")[1]
    assert out.endswith("\n    and 2 more kinds of failures\n"), out


def test_the_keys_of_json_are_documented(desk):
    """docs/TLS-RPT.md names them all, and no other."""
    page = (daemon.ROOT / "docs/TLS-RPT.md").read_text()
    tables = page.split("## JSON\n")[1].split("\n## ")[0]
    documented = {}
    for part in tables.split("\n### ")[1:]:
        title, _, rows = part.partition("\n")
        documented[title] = set(re.findall(r"(?m)^\| `(\w+)` \|", rows))

    text = report(bad=1, extra="odd")
    text["policies"][0]["policy"]["policy-type"] = "new"
    path = desk.file(text)
    desk.keeps(report(bad=1))
    said = {word: json.loads(desk.run(*words)[1]) for word, words in {
        "read": ("read", "--json", path), "received": ("received", "--json"),
        "summary": ("summary", "--json"),
        "advise": ("advise", "--unsigned", "--json", "ours.example")}.items()}
    key = desk.folder / "dkim.pem"
    subprocess.run(["openssl", "genpkey", "-algorithm", "ED25519", "-out", key],
                   check=True, capture_output=True)
    desk.server.write_config({"reporting": {"dkim a": {"key": str(key)}}})
    with sqlite3.connect(f"{desk.server.spool}/state/report.db") as db:
        db.executescript(
            "CREATE TABLE domains (day, domain, planned, id);"
            "CREATE TABLE tries (day, domain, rua, number, state, tries, next, why);"
            "INSERT INTO domains VALUES (99999, 'x.example', 1, 'id');"
            "INSERT INTO tries VALUES (99999, 'x.example', 'r@x.example', 1, 0, 1, 5, 'why');"
            "PRAGMA user_version = 1")
    db.close()
    aside = pathlib.Path(desk.server.spool, "state/reports-aside")
    aside.mkdir()
    (aside / "1").write_text("a mail")
    for made in (aside, aside / "1"):
        daemon.give(made)
    policy = said["read"]["policies"][0]
    # test_report_keys.py and test_report_dry.py look at these.
    del documented["report dkim-check"], documented["report send --dry-run"]
    assert documented == {
        "report read": set(said["read"]), "of a policy": set(policy),
        "of a detail": set(policy["details"][0]),
        "of a note": set(said["read"]["notes"][0]),
        "report received": set(said["received"]),
        "report summary": set(said["summary"]),
        "of a line": set(said["summary"]["reporter"][0]),
        "of a result": set(said["summary"]["result"][0]) - set(said["summary"]["mx"][0]),
        "of a sender": set(said["summary"]["result"][0]["here"][0]),
        "of an outcome": {"outcome", "sessions", "alert", "alert_name"},
        "report advise": set(said["advise"]),
        "of the unsigned": set(said["advise"]["unsigned"]),
        "of what failed": set(said["advise"]["failed"][0]) - documented["of a result"],
        "report aside": set(json.loads(desk.run("aside", "--json")[1])),
        "report list": set(json.loads(desk.run("list", "--json")[1])),
        "report dkim-record": set(json.loads(desk.run("dkim-record", "--json")[1]))}


def test_one_reporter_does_not_fill_the_lists(desk):
    """Whoever signs may name any number of hosts, policies and results."""
    desk.keeps(report(org="Flood", bad=2), report(org="Zero", bad=1))
    with sqlite3.connect(f"{desk.server.spool}/state/inbox.db") as db:
        number, = db.execute("SELECT number FROM reports WHERE organization = 'Flood'").fetchone()
        db.executemany(
            "INSERT INTO counts (policy_domain, result, mx, reason, report, type, sessions,"
            " failures) VALUES (?, ?, ?, '', ?, 3, 1, 0)",
            [("ours.example", "certificate-expired", f"h{i}.example", number)
             for i in range(25000)] +
            [(f"p{i}.example", "", "", number) for i in range(25000)])
    db.close()
    status, out, err = desk.run("summary", "--json", "ours.example")
    said = json.loads(out)
    names = {line["name"] for line in said["mx"]}
    assert status == 1 and 20000 <= len(names) <= 20001, (status, len(names))
    assert "more than 20000 kinds" in err and "Flood" in err
    assert {line["name"] for line in said["reporter"]} == {
        "Flood (unsigned)", "Zero (unsigned)"}
    zero = next(line for line in said["reporter"] if line["name"] == "Zero (unsigned)")
    assert zero["failures"] == 1
    (host,) = [line for line in said["mx"] if line["name"] == "mx1.ours.example"]
    assert host["failures"] == 1   # of Zero, whose share is its own
    assert said["successes"] >= 25000   # the sums are whole
    assert desk.run("advise", "ours.example")[0] == 1
