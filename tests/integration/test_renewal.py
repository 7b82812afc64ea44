"""Renewed certificates: into use by themselves, unless they break a promise.

RFC 7671 8: what is presented is to match what is published.
"""
import json
import re
import signal

from support.renewal_place import (  # noqa: F401  a fixture
    OWNER, HOST, begin, key_record, only_case, place, shown, status, wait_shown)
from support.talk import Talk
from support.wait import wait_until


def test_the_same_key_comes_into_use_by_itself(danelaw, place):
    """And what talks to us meanwhile goes on."""
    old = place.chain("old")
    server = begin(danelaw, place, old, key_record(old))
    with Talk(server.port) as talk:
        talk.hello()
        talk.starttls(HOST)
        place.put(place.chain("new", key=old))
        server.wait_event("certificate-renewed", certificate="mx")
        wait_shown(server, "new")
        talk.expect(250, "MAIL FROM:<a@client.example>")
        talk.expect(250, "RCPT TO:<b@good.test>")
        talk.expect(354, "DATA")
        talk.expect(250, "Subject: x\r\n\r\nx\r\n.")
        talk.expect(221, "QUIT")
    assert "renewals" not in status(server)
    assert server.ctl("status").returncode == 0


def test_a_key_swap_is_refused_and_the_old_one_answers(danelaw, place):
    """RFC 7671 8.1: the record first, then two TTLs, then the key."""
    old, new = place.chain("old"), place.chain("new")
    server = begin(danelaw, place, old, key_record(old))
    place.put(new)
    line = server.wait_event("certificate-refused", certificate="mx", rule="tlsa")
    assert f"no TLSA record of {HOST} matches the new chain" in line["reason"]
    assert shown(server) == "old"
    done = server.ctl("status", check=False)
    assert done.returncode == 1 and "state: degraded" in done.stdout
    assert re.search(r"since (now|\d+ seconds? ago)$", done.stdout, re.M), done.stdout
    case = only_case(server)
    assert (case["certificate"], case["state"], case["rule"]) == ("mx", "refused", "tlsa")
    wanted = f"publish first, beside the records there: {OWNER} 1 IN TLSA {key_record(new)}"
    assert case["remedy"].startswith(wanted)
    assert "two TTLs (2 s) after that is seen, not before " in case["remedy"]
    assert wanted in done.stdout
    place.records(key_record(old), key_record(new))
    server.wait_event("certificate-waits", certificate="mx", rule="caches")
    assert 'danelaw_renewals_total{result="waited"} 1' in server.ctl("metrics").stdout
    server.wait_event("certificate-renewed")
    wait_shown(server, "new")
    assert "renewals" not in status(server)
    wait_until(lambda: status(server)["state"] == "running", "all is well")


def test_each_of_several_certificates_is_judged(danelaw, place):
    """And one of them may go."""
    old, other = place.chain("old"), str(place.chain("other").file)
    place.records(key_record(old))
    place.put(old)
    place.serve()
    config = place.config()
    block = {"chain": other, "key": other, "root": str(place.root)}
    server = danelaw({**config, "certificate a": block, "certificate z": block})
    server.wait_event("certificate-contradicts", certificate="a", rule="tlsa")
    server.wait_event("certificate-contradicts", certificate="z", rule="tlsa")
    assert [case["certificate"] for case in status(server)["renewals"]].count("mx") == 0
    place.put(place.chain("new", key=old))
    server.wait_event("certificate-renewed", certificate="mx")
    wait_shown(server, "new")
    server.write_config(config)
    server.process.send_signal(signal.SIGHUP)
    server.wait_event("reloaded")
    wait_until(lambda: status(server)["state"] == "running", "all is well")
    assert "renewals" not in status(server)


def test_a_ttl_of_a_week_is_a_week(danelaw, place):
    """Whatever a resolver of ours would keep it for."""
    old, new = place.chain("old"), place.chain("new")
    place.tree.zones["good.test."].ttl = 604800
    server = begin(danelaw, place, old, key_record(old))
    place.put(new)
    server.wait_event("certificate-refused", certificate="mx", rule="tlsa")
    assert "two TTLs (1209600 s) after that is seen" in only_case(server)["remedy"]


def test_a_reload_is_held_to_it_too(danelaw, place):
    """The rest of the configuration comes into force, with the old chain."""
    old, new = place.chain("old"), place.chain("new")
    server = begin(danelaw, place, old, key_record(old), watch=False, retry="1h")
    place.put(new)
    server.write_config({**place.config(watch=False, retry="1h"),
                         "domain other.test": {"deliver": "discard"}})
    server.process.send_signal(signal.SIGHUP)
    server.wait_event("reloaded")
    assert only_case(server)["rule"] == "tlsa"
    assert shown(server) == "old"
    with Talk(server.port) as talk:
        talk.hello()
        talk.expect(250, "MAIL FROM:<a@client.example>")
        talk.expect(250, "RCPT TO:<b@other.test>")
    # the old one has no say any more: nobody has to wait for caches
    place.records(key_record(new))
    server.process.send_signal(signal.SIGHUP)
    wait_shown(server, "new")
    assert "renewals" not in status(server)


def test_an_unsigned_zone_promises_nothing(danelaw, place):
    """RFC 7672 2.2.2"""
    place.tree.zones["good.test."].signed = False
    old = place.chain("old")
    server = begin(danelaw, place, old, key_record(old))
    place.put(place.chain("new"))
    server.wait_event("certificate-renewed")
    wait_shown(server, "new")


def test_half_a_renewal_is_not_loaded(danelaw, place):
    old = place.chain("old")
    new = place.chain("new", key=old)
    server = begin(danelaw, place, old, key_record(old))
    text = new.file.read_bytes()
    chain = place.live / "chain.pem"
    chain.write_bytes(text[:len(text) - 100])
    server.wait_event("certificate-refused", rule="files")
    assert shown(server) == "old"
    assert status(server)["state"] == "degraded"
    chain.write_bytes(text)
    server.wait_event("certificate-renewed")
    wait_shown(server, "new")
    # of another key, whose own file is late
    other = place.chain("other")
    place.records(key_record(old), key_record(other))
    before = len(server.events("certificate-refused"))
    chain.write_bytes(other.file.read_bytes())
    wait_until(lambda: len(server.events("certificate-refused")) > before, "it does not fit")
    assert "the key does not belong" in server.events("certificate-refused")[-1]["reason"]
    assert shown(server) == "new"
    place.put(other)
    wait_shown(server, "other")


def test_links_are_followed(danelaw, place):
    """As certbot has it: live/ is links into archive/."""
    old = place.chain("old")
    new = place.chain("new", key=old)
    archive = place.live.parent / "archive"
    archive.mkdir()
    for n, made in enumerate((old, new), 1):
        for name in ("chain", "key"):
            (archive / f"{name}{n}.pem").write_bytes(made.file.read_bytes())

    def link(n):
        for name in ("chain", "key"):
            path = place.live / f"{name}.pem"
            path.unlink(missing_ok=True)
            path.symlink_to(f"../archive/{name}{n}.pem")
    place.records(key_record(old))
    link(1)
    place.serve()
    server = danelaw(place.config())
    assert shown(server) == "old"
    link(2)
    server.wait_event("certificate-renewed")
    wait_shown(server, "new")


def test_at_the_start_it_is_said_and_used(danelaw, place):
    """There is nothing else to present."""
    old, wanted = place.chain("old"), place.chain("wanted")
    server = begin(danelaw, place, old, key_record(wanted))
    line = server.wait_event("certificate-contradicts", certificate="mx", rule="tlsa")
    assert line["remedy"] == f"publish: {OWNER} 1 IN TLSA {key_record(old)}"
    case = only_case(server)
    assert (case["state"], case["rule"]) == ("in use", "tlsa")
    assert status(server)["state"] == "degraded"
    place.put(wanted)
    server.wait_event("certificate-renewed")
    wait_shown(server, "wanted")
    wait_until(lambda: status(server)["state"] == "running", "all is well")


def test_a_new_certificate_that_contradicts_is_no_configuration(danelaw, place):
    """There is no older one to take its place."""
    old, new = place.chain("old"), place.chain("new")
    server = begin(danelaw, place, old, key_record(old))
    config = place.config()
    config["certificate second"] = {**config["certificate mx"], "chain": str(new.file),
                                    "key": str(new.file)}
    server.write_config(config)
    server.process.send_signal(signal.SIGHUP)
    line = server.wait_event("reload-refused")
    assert 'certificate "second": no TLSA record' in line["reason"]
    assert "publish" in status(server)["reload_problem"]


def test_two_kinds_of_records(danelaw, place):
    """RFC 7671 8: each has to match by itself; what does not is said."""
    old, new = place.chain("old"), place.chain("new")
    server = begin(danelaw, place, old, key_record(old), key_record(old, 3, 0, "sha512"))
    place.put(new)
    server.wait_event("certificate-refused", rule="tlsa")
    remedy = only_case(server)["remedy"]
    assert key_record(new) in remedy and key_record(new, 3, 0, "sha512") in remedy
    place.records(key_record(old), key_record(new), key_record(old, 3, 0, "sha512"))
    line = server.wait_event("certificate-warning", certificate="mx")
    assert line["reason"].endswith("with the parameters 3 0 2 matches")
    wait_shown(server, "new")


def test_the_gate_can_be_turned_off(danelaw, place):
    old = place.chain("old")
    server = begin(danelaw, place, old, key_record(old), tlsa=False)
    place.put(place.chain("new"))
    server.wait_event("certificate-renewed")
    wait_shown(server, "new")


def test_reload_as_a_command(danelaw, place):
    """It says what did not come along; --force brings it along."""
    old, new = place.chain("old"), place.chain("new")
    server = begin(danelaw, place, old, key_record(old), watch=False, retry="1h")
    assert server.ctl("reload").returncode == 0
    place.put(new)
    done = server.ctl("reload", check=False)
    assert done.returncode == 1
    assert "state: degraded" in done.stdout and key_record(new) in done.stdout
    assert shown(server) == "old"
    listed = json.loads(server.ctl("certs", "--json", check=False).stdout)
    assert (listed["name"], listed["renewal"]["state"]) == ("mx", "refused")
    done = server.ctl("certs", check=False)
    reason, remedy = (listed["renewal"][key] for key in ("reason", "remedy"))
    assert done.returncode == 1 and reason.startswith("no TLSA record of")
    assert f"\n    renewal: refused: {reason}; {remedy}\n" in done.stdout  # whole
    done = server.ctl("--json", "reload", "--force", check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    wait_shown(server, "new")
    server.wait_event("certificate-contradicts", certificate="mx")
    assert only_case(server)["state"] == "in use"
    # a pair that is none is no matter of force
    (place.live / "key.pem").write_bytes(old.file.read_bytes())
    done = server.ctl("reload", "--force", check=False)
    assert done.returncode == 1 and "does not belong to the certificate" in done.stderr
    assert shown(server) == "new"


def test_two_who_ask_for_a_reload_are_both_answered(danelaw, place):
    """The second hears of a reload that has begun after it asked."""
    old = place.chain("old")
    server = begin(danelaw, place, old, key_record(old), watch=False)
    place.put(place.chain("new", key=old))
    asked = [server.ctl_popen("reload", "--json") for _ in range(3)]
    for one in asked:
        said, _ = one.communicate(timeout=60)
        assert one.returncode == 0 and json.loads(said)["generation"] >= 2
    wait_shown(server, "new")
