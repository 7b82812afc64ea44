"""danelaw audit: what enforcement would refuse, counted over real deliveries."""
import json
import os
import pwd
import signal

import pytest

from support import daemon
from support.lab_fixtures import SCENARIOS, Run, open_lab
from support.wait import wait_until

pytestmark = pytest.mark.limit(120)

FOREIGN = "audit-all-foreign"     # audited, and the records do not match
FINE = "audit-all-fine"           # audited, and they do
SERVFAIL = "audit-all-tlsa-servfail"
BROKEN = "starttls-not-offered"   # enforced, and refused
GOOD = "ee-311"                   # enforced, and delivered
PLAIN = "no-tlsa"
ALL = (FOREIGN, FINE, SERVFAIL, BROKEN, GOOD, PLAIN)


@pytest.fixture(scope="module")
def lab(request):
    with open_lab(request, "lab-audit", [SCENARIOS[name] for name in ALL]) as made:
        yield made


@pytest.fixture
def make(lab, tmp_path):
    """make(config): a daemon with more configuration, nothing sent yet."""
    runs = []

    def start(more=None):
        one = Run(lab, tmp_path / "danelaw", "all")
        config = daemon.merge(lab.config("all"), {
            "retry": {"first": "1h"}, "deliver_processes": 2, **(more or {})})
        config["resolver"]["forward ."] = None
        one.daemon.write_config(config)
        one.daemon.start()
        runs.append(one)
        return one
    yield start
    for one in runs:
        one.stop()


def domain(lab, name):
    return lab.recipient(SCENARIOS[name]).partition("@")[2]


def post(one, *names):
    """One message to each; all first attempts have ended."""
    rcpts = [one.lab.recipient(SCENARIOS[name]) for name in names]
    for ident, rcpt in zip(one.send(rcpts), rcpts):
        one.daemon.wait_event("delivery", id=ident, to=rcpt)


def summary(one, *arguments, status=None):
    """{destination: its object} and the object at the end."""
    done = one.daemon.ctl("audit", "summary", "--json", *arguments, check=False)
    assert done.stderr == "", done.stderr
    *items, end = map(json.loads, done.stdout.splitlines())
    wanted = status if status is not None else done.returncode
    assert done.returncode == wanted, done.stdout
    return {item.pop("destination"): item for item in items}, end


def wait_for(one, n):
    """What was counted is on disk within seconds."""
    wait_until(lambda: summary(one)[1]["deliveries"] == n,
               f"{n} deliveries in the summary")


def test_what_enforcement_would_refuse(make, lab):
    """RFC 7672 9.1: told before it is enforced, and counted when it is."""
    one = make()
    nothing = one.daemon.ctl("audit", "summary")
    assert nothing.stdout.splitlines()[-1] == \
        "enforced, 0 of 0 deliveries to 0 of 0 destinations would be refused"
    post(one, *ALL)
    post(one, FOREIGN, FINE)
    wait_for(one, 8)

    items, end = summary(one, status=1)
    counts = {name: tuple(items[f"mx:{domain(lab, name)}"][key] for key in
                          ("allowed", "would_refuse", "refused"))
              for name in ALL}
    assert counts == {FOREIGN: (0, 2, 0), FINE: (2, 0, 0), SERVFAIL: (0, 1, 0),
                      BROKEN: (0, 0, 1), GOOD: (1, 0, 0), PLAIN: (1, 0, 0)}
    assert (end["deliveries"], end["would_refuse"], end["refused"],
            end["destinations"], end["destinations_refused"]) == (8, 3, 1, 6, 3)
    foreign = items[f"mx:{domain(lab, FOREIGN)}"]
    (reason,) = foreign["reasons"]
    assert reason["host"] == f"mx.{domain(lab, FOREIGN)}"
    assert reason["reason"] == ("no matching DANE TLSA records"
                                " (required by usable TLSA records)")
    assert reason["tls"] == "dane/encrypted/dane/dane"
    assert reason["decision"] == {"wanted": "dane", "got": "encrypted",
                                  "source": "dane", "rule": "dane"}
    assert foreign["first"] <= foreign["last"]
    (reason,) = items[f"mx:{domain(lab, BROKEN)}"]["reasons"]
    assert reason["reason"] == ("the server does not offer STARTTLS"
                                " (required by usable TLSA records)")
    (reason,) = items[f"mx:{domain(lab, SERVFAIL)}"]["reasons"]
    assert reason["reason"] == "TLSA lookup failed"

    told = one.daemon.ctl("audit", "summary", check=False)
    assert told.returncode == 1
    lines = told.stdout.splitlines()
    assert lines[1].split()[:4] == [domain(lab, FOREIGN), "2", "2", "100.0"]
    assert lines[2].split(maxsplit=1) == [
        "2", f"mx.{domain(lab, FOREIGN)}: no matching DANE TLSA records"
        " (required by usable TLSA records)"]
    assert any("STARTTLS" in line and line.endswith("1 refused, being enforced")
               for line in lines)
    assert lines[-1] == \
        "enforced, 4 of 8 deliveries to 3 of 6 destinations would be refused"


def test_of_some_destinations_and_some_days(make, lab):
    one = make()
    post(one, FOREIGN, FINE, GOOD)
    wait_for(one, 3)
    known = domain(lab, FINE), f"mx:{domain(lab, GOOD)}"
    items, end = summary(one, *known, status=0)
    done = one.daemon.ctl("audit", "summary", *known, "elsewhere.example", check=False)
    assert (done.returncode, done.stderr) == (
        1, "danelaw: elsewhere.example: nothing was counted of it in that time\n")
    assert sorted(items) == sorted(f"mx:{domain(lab, n)}" for n in (FINE, GOOD))
    assert (end["deliveries"], end["destinations"]) == (2, 2)
    assert len(summary(one, domain(lab, FOREIGN).upper(), status=1)[0]) == 1
    assert summary(one, "--since", "1d", status=1)[1]["deliveries"] == 3
    assert summary(one, "--since", "2999-01-31", status=0)[1]["deliveries"] == 0


@pytest.mark.parametrize("words", [
    (), ("tell",), ("reset", "a.example"), ("reset", "--since", "1d"),
    ("summary", "--since", "yesterday"), ("summary", "--since", "2026-11-20x"),
    ("summary", "--since", "2026-13-01"), ("summary", "--limit", "1")])
def test_usage(danelaw, words):
    server = danelaw(start=False)
    done = server.ctl("audit", *words, check=False)
    assert (done.returncode, done.stdout) == (2, ""), done.stderr


def test_it_outlives_the_daemon(make):
    """Written when it stops, read while it is down, and gone on with."""
    one = make()
    post(one, FOREIGN, FINE)
    one.daemon.stop()
    assert summary(one, status=1)[1]["deliveries"] == 2
    file = one.daemon.spool / "state/audit.db"
    assert file.stat().st_mode & 0o7777 == 0o600
    if daemon.SERVANT is not None:
        assert file.stat().st_uid == pwd.getpwnam(daemon.SERVANT).pw_uid
    one.daemon.start()
    post(one, FOREIGN)
    one.daemon.stop()
    assert summary(one, status=1)[1]["would_refuse"] == 2
    # Whoever looks leaves nothing behind that the roles could not write to.
    for path in file.parent.iterdir():
        assert path.stat().st_uid == file.stat().st_uid, path
    one.daemon.start()


def test_a_killed_process_loses_the_last_seconds_only(make):
    one = make()
    post(one, FOREIGN, FINE)
    wait_for(one, 2)
    before = one.daemon.pids()["deliver"]
    for pid in before:
        os.kill(pid, signal.SIGKILL)
    wait_until(lambda: len(set(one.daemon.pids().get("deliver", []))
                           - set(before)) == 2, "new deliver processes")
    post(one, FOREIGN, GOOD)
    wait_for(one, 4)
    assert summary(one)[1]["would_refuse"] == 2


def test_a_reload_loses_nothing(make):
    one = make()
    post(one, FOREIGN)
    one.daemon.process.send_signal(signal.SIGHUP)
    one.daemon.wait_event("reloaded")
    post(one, FOREIGN)
    one.daemon.stop()
    assert summary(one)[1]["would_refuse"] == 2
    one.daemon.start()


def test_a_damaged_file_stops_no_mail(make):
    one = make()
    post(one, FINE)
    wait_for(one, 1)
    state = one.daemon.spool / "state"
    (state / "audit.db").write_bytes(b"no database at all " * 1000)
    done = one.daemon.ctl("audit", "summary", check=False)
    assert done.returncode == 1 and "not a database" in done.stderr
    post(one, FOREIGN, GOOD)
    line = one.daemon.wait_event("audit-damaged")
    assert "not a database" in line["reason"]
    wait_for(one, 2)
    assert (state / "audit.db.damaged").read_bytes().startswith(b"no database")


def test_what_cannot_be_written_is_kept(make):
    one = make()
    state = one.daemon.spool / "state"
    (state / "audit.lock").mkdir()
    post(one, FOREIGN, FINE)
    one.daemon.wait_event("audit-not-written")
    (state / "audit.lock").rmdir()
    post(one, GOOD)
    one.daemon.stop()
    assert summary(one)[1]["deliveries"] == 3
    one.daemon.start()


def test_many_processes_count_together(make, lab):
    one = make({"deliver_processes": 4})
    names = (FOREIGN, FINE, GOOD, PLAIN)
    for _ in range(5):
        post(one, *names)
    assert len({line["role"] for line in one.daemon.events("delivery")}) > 1
    one.daemon.stop()
    items, end = summary(one, status=1)
    assert [items[f"mx:{domain(lab, name)}"]["deliveries"]
            for name in names] == [5] * 4
    assert end["would_refuse"] == 5
    one.daemon.start()


def test_reset(make):
    one = make()
    post(one, FOREIGN)
    wait_for(one, 1)
    assert one.daemon.ctl("audit", "reset", "--json", check=False).returncode == 2
    assert one.daemon.ctl("audit", "reset").stdout == ""
    assert summary(one, status=0)[1]["deliveries"] == 0
    post(one, FINE)
    wait_for(one, 1)
    assert summary(one, status=0)[1]["allowed"] == 1
