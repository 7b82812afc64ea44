"""Renewed certificates, where nobody can say what is published.

RFC 7672 2.1.1: no answer is no permission. The old one stays in use until there is one.
"""
import contextlib
import os
import signal
import socket
import time
from types import SimpleNamespace

import pytest

from support.renewal_place import (  # noqa: F401  a fixture
    HOST, begin, gates, key_record, only_case, place, shown, status, wait_shown)
from support.wait import wait_until


@contextlib.contextmanager
def silent_dns():
    """The port of a name server that never answers."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        yield silent.getsockname()[1]


def asks_nobody(place, port, **renewal):
    """The configuration of a daemon that asks for long, and watches no file."""
    config = place.config(retry="1h", **renewal)
    config["resolver"]["forward ."]["server"] = [f"127.0.0.1:{port}"]
    config["resolver"]["timeout"] = "50s"
    config["renewal"]["watch"] = False
    return config


def test_what_cannot_be_looked_up_is_no_permission(danelaw, place):
    """RFC 7672 2.1.1: bogus, or no answer."""
    old, new = place.chain("old"), place.chain("new")
    server = begin(danelaw, place, old, key_record(old))
    zone = place.tree.zones["good.test."]
    zone.strip = "RRSIG"
    place.records(key_record(old), key_record(new))
    place.put(new)
    line = server.wait_event("certificate-refused", rule="tlsa-unknown")
    assert HOST in line["reason"]
    assert shown(server) == "old"
    zone.strip = ""
    place.records(key_record(old), key_record(new))
    server.wait_event("certificate-renewed")
    wait_shown(server, "new")


@pytest.mark.parametrize("kind", ["signed", "unsigned", "policy"])
def test_the_resolver_is_down(danelaw, place, kind):
    """RFC 7672 2.1.1: until it answers again nobody knows what is promised; the old
    chain answers, and nobody has to lend a hand."""
    place.tree.zones["good.test."].signed = kind == "signed"
    old = place.chain("old")
    new = place.chain("new", issuer="self") if kind == "policy" else place.chain("new", key=old)
    server = begin(danelaw, place, old, *[key_record(old)] * (kind != "policy"),
                   tlsa=kind != "policy", mta_sts=kind == "policy", timeout="2s")
    place.stop()
    place.put(new)
    rule, whose = ("mta-sts-unknown", "good.test has") if kind == "policy" \
        else ("tlsa-unknown", HOST)
    line = server.wait_event("certificate-refused", certificate="mx", rule=rule)
    assert whose in line["reason"] and "again by" in line["remedy"], line
    assert shown(server) == "old"
    case = only_case(server)
    assert (case["state"], case["rule"]) == ("refused", rule)
    for told in (server.ctl("status", check=False), server.ctl("certs", check=False),
                 server.ctl("reload", check=False)):
        assert told.returncode == 1
        assert case["reason"] in told.stdout and case["remedy"] in told.stdout, told.stdout
    assert "state: degraded" in server.ctl("status", check=False).stdout
    assert shown(server) == "old"
    time.sleep(1)   # what was loaded anew looks at the files once more
    wait_until(lambda: not gates(server), "nobody asks")
    place.server.start()
    server.wait_event("certificate-renewed", 60)
    wait_shown(server, "new")
    assert "renewals" not in status(server)
    assert server.ctl("certs", check=False).stdout.count("refused") == 0
    wait_until(lambda: status(server)["state"] == "running", "all is well")


def test_the_resolver_is_down_at_the_start(danelaw, place):
    """What is in use anyway is no alarm, and what is true of it is learnt in time."""
    old = place.chain("old")
    place.records(key_record(place.chain("other")))
    place.put(old)
    place.serve()
    place.stop()
    server = danelaw(place.config(timeout="2s"))
    line = server.wait_event("certificate-unknown", certificate="mx", rule="tlsa-unknown")
    assert line["level"] == "warn" and HOST in line["reason"], line
    assert status(server)["state"] == "running" and shown(server) == "old"
    assert not server.events("certificate-contradicts")
    place.server.start()
    line = server.wait_event("certificate-contradicts", 60, rule="tlsa")
    assert line["level"] == "error" and key_record(old) in line["remedy"]
    assert status(server)["state"] == "degraded" and only_case(server)["state"] == "in use"


def test_half_a_renewal_is_told_before_any_lookup_ends(danelaw, place):
    """Right after a start the certificate in use is looked at, and DNS may be silent."""
    old, new = place.chain("old"), place.chain("new")
    place.put(old)
    with silent_dns() as port:
        place.server = SimpleNamespace(port=port, stop=lambda: None)
        config = place.config(timeout="25s")
        config["resolver"].update(timeout="25s", trust_anchor="")
        server = danelaw(config)
        begun = time.monotonic()
        (place.live / "chain.pem").write_bytes(new.file.read_bytes()[:-100])
        server.wait_event("certificate-refused", rule="files")
        assert time.monotonic() - begun < 10
        assert not server.events("certificate-contradicts")
        # What is in use is looked at all the same, and what is there after it.
        place.put(old)
        wait_until(lambda: status(server)["state"] == "running", "all is well")
        assert not server.events(level="error", role="gate-0")
    assert shown(server) == "old"


def test_a_gate_that_is_cancelled_is_no_alarm(danelaw, place):
    """A reload does not wait for what is asked of the chain in use."""
    old = place.chain("old")
    place.records(key_record(old))
    place.put(old)
    place.serve()
    with silent_dns() as port:
        config = asks_nobody(place, port, timeout="60s")
        config["log_level"] = "debug"
        server = danelaw(config)
        wait_until(lambda: gates(server), "it asks")
        server.process.send_signal(signal.SIGHUP)
        server.wait_event("gate-cancelled")
    assert server.events("supervisor-gone") == []


@pytest.mark.parametrize("dies", [True, False])
def test_nobody_answers(danelaw, place, dies):
    """RFC 7672 2.1.1: neither DNS, nor the process that asks it."""
    old = place.chain("old")
    place.records(key_record(old))
    place.put(old)
    place.serve()
    with silent_dns() as port:
        config = asks_nobody(place, port, timeout="60s" if dies else "1s")
        config["renewal"]["tlsa"] = False  # nothing is looked up at the start
        server = danelaw(config)
        config["renewal"]["tlsa"] = True
        server.write_config(config)
        place.put(place.chain("new", key=old))
        server.process.send_signal(signal.SIGHUP)
        if dies:
            os.kill(wait_until(lambda: gates(server), "it asks")[0], signal.SIGKILL)
        line = server.wait_event("certificate-refused", rule="tlsa-unknown")
        assert ("has ended" if dies else "no answer in time") in line["reason"]
        assert shown(server) == "old"
        server.wait_event("reloaded")
        assert shown(server) == "old"
        assert gates(server) == []
