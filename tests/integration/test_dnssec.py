"""The resolver's test of itself, and DANE switched off for a while."""
import email.utils
import json
import pathlib
import re
import shutil
import signal
import sys
import time

import pytest

from support.clock import DAY, HOUR
from support.wait import wait_until

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import signed_tree  # noqa: E402  pylint: disable=wrong-import-position


@pytest.fixture(scope="module")
def tree(run_folder):
    if signed_tree.missing_tools():
        pytest.skip(f"{signed_tree.missing_tools()} is not installed")
    folder = run_folder / "tree"  # the roles have to get in
    folder.mkdir()
    made = signed_tree.standard_tree(folder)
    with made.serve() as server:
        made.server = f"127.0.0.1:{server.port}"
        yield made
    shutil.rmtree(folder)


def resolver(tree, **more):
    return {"resolver": {"forward .": {"server": [tree.server]},
                         "trust_anchor": str(tree.anchor), "self_test": ".",
                         **more}}


def reload(server):
    before = len(server.events("reloaded"))
    server.process.send_signal(signal.SIGHUP)
    wait_until(lambda: len(server.events("reloaded")) > before, "reloaded")


def status(server):
    return json.loads(server.ctl("--json", "status", check=False)
                      .stdout.splitlines()[-1])


def test_a_resolver_that_validates_is_said_to_work(danelaw, tree):
    server = danelaw(resolver(tree))
    line = server.wait_event("dnssec")
    assert line["resolver"] == "works"
    wait_until(lambda: status(server).get("dnssec") == "works", "status")
    assert status(server)["state"] == "running"


@pytest.mark.parametrize("name, why", [
    ("expired.test", "is the clock right?"),
    ("unsigned-lie.test", "does a forwarder lose DNSSEC records"),
    ("wrong-ds.test", "or is the trust anchor old?"),
    ("plain.test", "insecure"),
])
def test_one_that_does_not_raises_an_alarm(danelaw, tree, name, why):
    """RFC 7672 2.1.1: DANE is unavailable then, and never "insecure"."""
    server = danelaw(resolver(tree, self_test=name))
    line = server.wait_event("dnssec")
    assert line["level"] == "error"
    assert line["resolver"] == "does not validate" and why in line["reason"]
    said = wait_until(lambda: "dnssec" in status(server) and status(server),
                      "status")
    assert said["state"] == "degraded" and why in said["dnssec_reason"]
    assert server.ctl("status", check=False).returncode == 1


def test_the_test_is_repeated_and_an_alarm_ends(danelaw, tree):
    """RFC 7672 2.1.1: noticed again and again, not only at the start."""
    server = danelaw({**resolver(tree, self_test="expired.test",
                                 self_test_interval="1s"),
                      "deliver_processes": 1})
    wait_until(lambda: len(server.events("dnssec")) > 2, "three alarms")
    server.write_config({**resolver(tree), "deliver_processes": 1})
    reload(server)
    server.wait_event("dnssec", resolver="works")
    wait_until(lambda: status(server)["state"] == "running", "running")


def test_no_trust_anchor_is_said(danelaw, tree):
    server = danelaw(resolver(tree, trust_anchor=""))
    assert server.wait_event("dnssec")["resolver"] == "no trust anchor"
    wait_until(lambda: "trust_anchor is empty" in
               status(server).get("dnssec_reason", ""), "status")
    assert status(server)["state"] == "running"


def test_no_answer_wants_somebody_to_look(danelaw):
    server = danelaw({"resolver": {"self_test": ".", "timeout": "1s"}})
    server.wait_event("dnssec", resolver="does not answer")
    wait_until(lambda: status(server)["state"] == "degraded", "degraded")
    assert server.ctl("status", check=False).returncode == 1


def test_rules_that_do_nothing_are_worth_a_warning(danelaw, tree):
    rules = {"tls old.example": {"level": "dane", "until": "2020-01-31"},
             "tls waits.example": {"level": "dane"},
             "tls audited.example": {"level": "dane", "enforcement": "audit"},
             "tls fine.example": {"level": "encrypt", "until": "2900-01-31"}}
    server = danelaw({**resolver(tree, trust_anchor=""), **rules}, start=False)
    *rules, without, _ = server.ctl("check-config").stdout.splitlines()
    assert without == ('warning: listen "mx": there is no certificate { }, '
                       "so no client can use TLS")
    assert rules == [
        'warning: resolver: trust_anchor "": no answer is secure, and DANE is '
        "not possible",
        'warning: tls "old.example": until is over, and the rule counts no more',
        'warning: tls "waits.example": level = dane without a trust anchor: mail '
        "waits"]
    server.write_config({**resolver(tree), "tls waits.example": {
        "level": "dane"}})
    assert "warning: tls" not in server.ctl("check-config").stdout


def test_a_refused_reload_and_audit_are_said(danelaw):
    server = danelaw()
    assert status(server)["enforcement"] == "enforce"
    server.write_config({"enforcement": "audit"})
    reload(server)
    said = server.ctl("status")
    assert "enforcement: audit" in said.stdout
    server.write_config({"resolver": {"root_hints": "/nowhere"}})
    server.process.send_signal(signal.SIGHUP)
    server.wait_event("reload-refused")
    said = server.ctl("status", check=False)
    assert said.returncode == 1 and "reload_problem: " in said.stdout
    assert "state: degraded" in said.stdout
    server.write_config({"enforcement": "enforce"})
    reload(server)
    assert "enforcement: enforce" in server.ctl("status").stdout


def test_the_test_can_be_left_out(danelaw, tree):
    server = danelaw(resolver(tree, self_test=""))
    time.sleep(0.5)
    assert server.events("dnssec") == []
    assert status(server)["dnssec"] == "untested"


# --- the root's key is replaced ----------------------------------------------

@pytest.fixture
def rolling(tmp_path):
    if signed_tree.missing_tools():
        pytest.skip(f"{signed_tree.missing_tools()} is not installed")
    made = signed_tree.SignedTree(tmp_path / "rolling")
    made.folder.chmod(0o755)
    made.zone(".", "test NS ns.test.\nns.test A 127.0.0.1\n")
    with made.serve() as server:
        made.server = f"127.0.0.1:{server.port}"
        made.publish = server.publish
        yield made


def following(rolling, **more):
    return {**resolver(rolling, **{"self_test_interval": "1s",
                                   "anchor_holddown": "2s", **more}),
            "deliver_processes": 1}


def anchors(server):
    """{file: its text} of what is kept."""
    return {path.name: path.read_text()
            for path in (server.spool / "state").glob("anchor-*.key")}


def last_asked(server):
    """When the tests have looked at the keys, in seconds."""
    (text,) = [text for name, text in anchors(server).items() if "-test" in name]
    return re.findall(r";;last_queried: (\d+)", text)


def states(server):
    """The states of the keys that the tests have followed, sorted."""
    (text,) = [text for name, text in anchors(server).items() if "-test" in name]
    return sorted(re.findall(r";;state=(\d)", text))


def roll(rolling, server):
    """Another key of the root, until the server knows no other one."""
    root = rolling.zones["."]
    server.wait_event("dnssec", resolver="works")
    wait_until(lambda: states(server) == ["2"], "one valid key")
    new = rolling.new_key(root)
    root.records += (rolling.folder / f"{new}.key").read_text()
    rolling.publish()
    wait_until(lambda: states(server) == ["1", "2"], "a key that waits")
    wait_until(lambda: states(server) == ["2", "2"], "two valid keys", 30)
    root.records = "\n".join(line for line in root.records.splitlines()
                             if "DNSKEY" not in line)
    root.keys = [new]
    rolling.publish()
    wait_until(lambda: states(server) == ["2", "3"], "the old one is missing")


def test_a_new_root_key_is_followed(danelaw, rolling):
    """RFC 5011 2.4.1: seen long enough, the new key is trusted; the old anchor
    file alone would be of no use any more."""
    server = danelaw(following(rolling))
    roll(rolling, server)
    server.stop()
    server.start()
    wait_until(lambda: len(server.events("dnssec", resolver="works")) == 2,
               "works with the new key")
    assert status(server)["state"] == "running"
    assert server.events("anchor", file="replaced") == []
    server.stop()
    server.write_config(following(rolling, track_anchor="no"))
    server.start()
    server.wait_event("dnssec", resolver="does not validate")


def test_what_one_file_knows_of_the_root_is_not_lost_with_another(danelaw, rolling):
    """Nor does a process that is new begin with keys that are no more."""
    server = danelaw(following(rolling))
    roll(rolling, server)
    works = 1

    def start(config, processes):
        nonlocal works
        server.write_config({**following(rolling), **config})
        server.start()
        works += processes
        wait_until(lambda: len(server.events("dnssec")) == works, "they have looked")
        assert len(server.events("dnssec", resolver="works")) == works
        server.stop()

    server.stop()
    start({}, 1)  # what the tests have learnt, the other one knows now
    for name in ("0-test", "0"):
        (path,) = (server.spool / "state").glob(f"anchor-*-{name}.key")
        path.write_text("garbage\n")
        start({}, 1)
        assert len(server.events("anchor", file="replaced")) == (1 if name == "0-test" else 2)
    start({"deliver_processes": 2}, 2)
    for path in (server.spool / "state").glob("anchor-*-0*.key"):
        path.unlink()
    start({"deliver_processes": 2}, 2)


def test_a_key_that_was_not_seen_long_enough_is_not_trusted(danelaw, rolling):
    """RFC 5011 2.2: whoever stole the old key must not win at once."""
    root = rolling.zones["."]
    server = danelaw(following(rolling, anchor_holddown="30d"))
    server.wait_event("dnssec", resolver="works")
    new = rolling.new_key(root)
    root.records += (rolling.folder / f"{new}.key").read_text()
    rolling.publish()
    wait_until(lambda: states(server) == ["1", "2"], "a key that waits")
    asked = set()
    wait_until(lambda: asked.update(last_asked(server)) or len(asked) > 4,
               "the keys are looked at again and again", 30)
    assert states(server) == ["1", "2"]
    root.records = "\n".join(line for line in root.records.splitlines()
                             if "DNSKEY" not in line)
    root.keys = [new]
    rolling.publish()
    server.wait_event("dnssec", resolver="does not validate")


def test_another_anchor_file_starts_anew(danelaw, tree):
    server = danelaw({**resolver(tree), "deliver_processes": 1})
    server.wait_event("dnssec", resolver="works")
    before = set(anchors(server))
    server.stop()
    copy = server.folder / "other.key"
    copy.write_text(tree.anchor.read_text() + "; as a package brings it\n")
    copy.chmod(0o644)
    server.write_config({**resolver(tree, trust_anchor=str(copy)),
                         "deliver_processes": 1})
    server.start()
    wait_until(lambda: len(server.events("dnssec", resolver="works")) == 2,
               "works again")
    assert before < set(anchors(server)) and len(before) == 2
    assert len(server.events("anchor", file="seeded")) == 2


@pytest.mark.parametrize("text", [
    "", "garbage here\n", "; autotrust trust anchor file\n",
    ". 3600 IN DNSKEY 257 3 13 AAAA ;;state=4 [ REVOKED ]\n",
    ". IN DS 1 13 2 00\n", "x" * 300000],
    ids=["empty", "garbage", "no-key", "revoked", "short", "huge"])
def test_a_broken_anchor_file_is_replaced(danelaw, tree, text):
    """RFC 5011 4.2 and RFC 5011 5: without a valid key the root would be insecure."""
    server = danelaw({**resolver(tree), "deliver_processes": 1})
    server.wait_event("dnssec", resolver="works")
    server.stop()
    for name in anchors(server):
        (server.spool / "state" / name).write_text(text)
    server.start()
    wait_until(lambda: len(server.events("dnssec", resolver="works")) == 2,
               "works again")
    assert server.events("anchor", file="replaced", level="warn")


def test_a_link_at_an_anchor_file_is_not_followed(danelaw, tree, tmp_path):
    """The folder is the roles' own; whoever has one writes nowhere else."""
    server = danelaw({**resolver(tree), "deliver_processes": 1})
    server.wait_event("dnssec", resolver="works")
    server.stop()
    victim = tmp_path / "victim"
    victim.write_text("untouched\n")
    victim.chmod(0o666)
    for name in anchors(server):
        file = server.spool / "state" / name
        file.unlink()
        file.with_name(f"{name}.new").symlink_to(victim)
    server.start()
    wait_until(lambda: len(server.events("dnssec", resolver="works")) == 2,
               "works again")
    assert victim.read_text() == "untouched\n"
    assert not any(path.is_symlink() for path in (server.spool / "state").iterdir())


# --- the switch ------------------------------------------------------------

def test_dane_can_be_off_for_a_while(danelaw):
    server = danelaw()
    assert status(server)["dane"] == "on"
    done = json.loads(server.ctl("--json", "dane", "off", "--for", "2h",
                                 "--reason", "their certificate").stdout)
    assert done["ok"] and done["dane"] == "off"
    assert abs(done["dane_off_until"] - time.time() - 7200) < 60
    assert status(server)["dane_off_reason"] == "their certificate"
    assert "their certificate" in server.ctl("status").stdout
    assert server.wait_event("dane-off")["reason"] == "their certificate"
    server.ctl("dane", "on")
    assert status(server)["dane"] == "on"
    server.wait_event("dane-on")


def test_it_stays_off_over_reload_and_restart(danelaw):
    server = danelaw()
    server.ctl("dane", "off", "--for", "1h", "--reason", "a reason")
    until = status(server)["dane_off_until"]
    reload(server)
    assert status(server)["dane_off_until"] == until
    server.stop()
    server.start()
    assert status(server)["dane_off_until"] == until
    assert status(server)["dane_off_reason"] == "a reason"
    server.ctl("dane", "on")
    server.stop()
    server.start()
    assert status(server)["dane"] == "on"


@pytest.mark.parametrize("text, seconds, words", [
    ("5", 5, "second"), ("5m", 300, "minute"), ("5h", 18000, "hour"),
    ("5d", 432000, "day")])
def test_off_says_what_it_understood(danelaw, text, seconds, words):
    server = danelaw()
    until = time.time() + seconds
    said = server.ctl("dane", "off", "--for", text).stdout
    line = re.search(r"(?m)^dane_off_until: in \d+ (\w+?)s?, (.*)$", said)
    assert line[1] == words
    told = email.utils.parsedate_to_datetime(line[2]).timestamp()
    assert until - 1 <= told <= until + 30


def test_it_goes_on_by_itself(danelaw):
    server = danelaw()
    server.ctl("dane", "off", "--for", "2s")
    assert status(server)["dane"] == "off"
    line = server.wait_event("dane-on", seconds=10)
    assert "over" in line["reason"] and status(server)["dane"] == "on"
    assert not (server.spool / "state/dane-off").exists()
    server.stop()
    server.start()
    assert status(server)["dane"] == "on"


@pytest.mark.parametrize("begin, end", [(366 * DAY, 0), (0, -DAY), (0, DAY)])
def test_a_clock_that_is_set_does_not_put_its_end_off(danelaw, clock, begin, end):
    """Switched off because every signature had ended by a clock that was ahead."""
    server = danelaw(start=False)
    clock.drive(server)
    clock.set(begin)
    server.start()
    server.ctl("dane", "off", "--for", "8s")
    clock.set(end)
    told = status(server)
    if end > begin:
        assert told["dane"] == "on"
    else:
        assert told["dane_off_until"] - time.time() - end < 15
    line = server.wait_event("dane-on", seconds=20)
    assert "over" in line["reason"] and status(server)["dane"] == "on"
    assert not (server.spool / "state/dane-off").exists()


def test_a_clock_that_is_set_on_for_a_while_ends_it(danelaw, clock):
    """DANE that came back does not go again when the clock is set right."""
    server = danelaw(start=False)
    clock.drive(server)
    server.start()
    server.ctl("dane", "off", "--for", "1h")
    clock.set(2 * HOUR)
    assert status(server)["dane"] == "on"
    server.wait_event("dane-on", seconds=10)
    clock.set(0)
    assert status(server)["dane"] == "on"
    assert not (server.spool / "state/dane-off").exists()


@pytest.mark.parametrize("back, dane", [(30, "off"), (HOUR, "on")])
def test_a_clock_that_is_set_back_before_a_restart_ends_it(danelaw, clock, back, dane):
    """Nobody knows how long it has been off."""
    server = danelaw(start=False)
    clock.drive(server)
    clock.set(HOUR)
    server.start()
    server.ctl("dane", "off", "--for", "2h")
    server.stop()
    clock.set(HOUR + 60)
    server.start()
    assert status(server)["dane"] == "off"
    server.stop()
    clock.set(HOUR + 60 - back)
    server.start()
    assert status(server)["dane"] == dane
    assert (server.spool / "state/dane-off").exists() == (dane == "off")


def test_its_time_also_ends_while_nothing_runs(danelaw):
    server = danelaw()
    server.ctl("dane", "off", "--for", "1s")
    server.kill()
    time.sleep(1.5)
    server.start()
    assert status(server)["dane"] == "on"
    assert not (server.spool / "state" / "dane-off").exists()
    assert len(server.events("dane-off")) == 1   # nobody was told so again


@pytest.mark.parametrize("text", [
    "", "since NOW\n", "since NOW\nuntil\n", "since NOW\nuntil SOON\n",
    "since NOW\nuntil 99999999999999999999\nreason x\n",
    "since NOW\nuntil 0\nreason x\n", "since NOW\nuntil SOON\nreason x",
    "since NOW\nuntil -5\nreason x\n", "since -5\nuntil SOON\nreason x\n",
    "since NOW\nuntil SOON\nreason x\nmore\n", "x" * 4096,
    "since NOW\nuntil SOON\nwhy x\n", "until SOON\nreason x\n",
    "since 99999999999999999999\nuntil SOON\nreason x\n",
    "since NOW\nuntil SOON\nreason " + 300 * "x" + "\n",
    "since SOON\nuntil SOON\nreason what is to come\n",
    "since 1000000000\nuntil SOON\nreason far too long a time\n",
    "since NOW\nuntil 4102444800\nreason far too long a time\n"])
def test_what_cannot_be_read_turns_it_on(danelaw, text):
    server = danelaw(start=False)
    (server.spool / "state").mkdir(parents=True)
    soon = str(int(time.time()) + 3600)
    (server.spool / "state" / "dane-off").write_text(
        text.replace("SOON", soon).replace("NOW", str(int(time.time()))))
    server.start()
    assert status(server)["dane"] == "on"
    assert not (server.spool / "state" / "dane-off").exists()


def test_a_link_is_not_followed(danelaw, tmp_path):
    server = danelaw()
    victim = tmp_path / "victim"
    victim.write_text("untouched\n")
    state = server.spool / "state"
    (state / "dane-off").symlink_to(victim)
    (state / "dane-off.new").symlink_to(victim)
    server.ctl("dane", "off", "--for", "1h")
    assert victim.read_text() == "untouched\n"
    assert not (state / "dane-off").is_symlink()


def test_a_link_to_the_file_is_no_file(danelaw, tmp_path):
    server = danelaw(start=False)
    state = server.spool / "state"
    state.mkdir(parents=True)
    elsewhere = tmp_path / "elsewhere"
    now = int(time.time())
    elsewhere.write_text(f"since {now}\nuntil {now + HOUR}\nreason x\n")
    (state / "dane-off").symlink_to(elsewhere)
    server.start()
    assert status(server)["dane"] == "on"


def test_on_that_cannot_be_kept_in_its_folder_is_said(danelaw):
    """It is on; but whether it stays so over a power failure nobody knows."""
    server = danelaw()
    server.ctl("dane", "off", "--for", "1h")
    shutil.rmtree(server.spool / "state")
    done = server.ctl("dane", "on", check=False)
    assert done.returncode != 0 and "may find it off" in done.stdout + done.stderr
    assert status(server)["dane"] == "on"


@pytest.mark.parametrize("arguments", [
    ["dane"], ["dane", "off"], ["dane", "off", "--for", "x"],
    ["dane", "off", "--for", "8d"], ["dane", "off", "--for", "49711d"],
    ["dane", "on", "--for", "1h"], ["dane", "maybe"],
    ["dane", "off", "on", "--for", "1h"],
    ["dane", "off", "--for", "1h", "--dry-run"], ["dane", "on", "--dry-run"],
    ["dane", "on", "--reason", "x"], ["status", "--limit", "3"],
    ["explain", "a.example", "--for", "2h"], ["check-config", "--sender", "x"],
    ["help", "--state", "held"], ["--dry-run", "tlsa", "make", "x"],
    ["--limit", "3", "tlsa", "check", "--host", "x"], ["--json", "version"],
    ["check-config", "--json"], ["help", "--json"]])
def test_misuse_is_told(danelaw, arguments):
    server = danelaw(start=False)
    assert server.ctl(*arguments, check=False).returncode == 2
