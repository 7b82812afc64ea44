"""danelaw audit: what counts, and whose file it is.  With a laboratory:
test_lab_audit.py."""
import json
import os

import pytest

from support import daemon
from support.talk import Talk, message
from support.wait import free_port

ENCRYPT = {"tls *": {"level": "encrypt"}}


def send(server, *rcpts):
    """One message to each; their first attempts have ended."""
    for rcpt in rcpts:
        with Talk(server.port) as talk:
            talk.hello()
            talk.envelope("sender@home.example", rcpt)
            code, lines = talk.data(message())
            assert code == 250, lines
        server.wait_event("delivery", to=rcpt)


def summary(server):
    done = server.ctl("audit", "summary", "--json", check=False)
    assert done.stderr == "", done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_what_fails_for_other_reasons_is_not_counted(
        danelaw, sink, certificate, tmp_path):
    paper = certificate("sink.test.example")
    good, clear = sink(certificate=paper), sink()
    busy = sink("rcpt_451", certificate=paper)
    full = sink("rcpt_550", certificate=paper)
    lmtp = sink(lmtp=True)
    hops = {"good": good.port, "clear": clear.port, "busy": busy.port,
            "full": full.port, "away": free_port()}
    server = danelaw({
        "relay": {"from": ["127.0.0.0/8"]},
        "domain near.example": {"deliver": f"lmtp:127.0.0.1:{lmtp.port}"},
        "domain home.example": {"deliver": f"maildir:{tmp_path}/home"},
        **{f"route {name}.example": {"via": f"smtp:127.0.0.1:{port}"}
           for name, port in hops.items()}, **ENCRYPT, "retry": {"first": "1h"}})
    send(server, "a@near.example", *(f"a@{name}.example" for name in hops))
    server.stop()
    *items, end = summary(server)
    found = {item["destination"]: item for item in items}
    assert sorted(found) == sorted(f"smtp:[127.0.0.1]:{hops[name]}"
                                   for name in ("good", "full", "clear"))
    (refused,) = found[f"smtp:[127.0.0.1]:{clear.port}"]["reasons"]
    assert (refused["allowed"], refused["refused"]) == (0, 1)
    assert refused["reason"].startswith(
        "the server does not offer STARTTLS (required by ")
    assert (end["allowed"], end["would_refuse"], end["refused"]) == (2, 0, 1)
    # One that nothing is known of is a slip, with or without others.
    good, slip = f"smtp:[127.0.0.1]:{hops['good']}", "tpyo.example"
    for names in ((slip,), (good, slip), (slip, good)):
        for how in ((), ("--json",)):
            done = server.ctl("audit", "summary", *how, *names, check=False)
            assert done.stderr == \
                f"danelaw: {slip}: nothing was counted of it in that time\n"
            assert done.returncode == 1
    assert server.ctl("audit", "summary", good).stderr == ""


@pytest.mark.skipif(os.getuid() != 0, reason="only root has a choice")
def test_root_leaves_the_files_to_their_account(danelaw, sink):
    """Made by the command, and still written by the roles."""
    hop = sink()
    server = danelaw({"relay": {"from": ["127.0.0.0/8"]},
                      "route *": {"via": f"smtp:127.0.0.1:{hop.port}"}})
    server.ctl("audit", "reset")
    send(server, "a@far.example")
    server.stop()
    assert server.events("audit-not-written") == []
    assert summary(server)[-1]["allowed"] == 1


@pytest.mark.skipif(daemon.SERVANT is None, reason="only root can be another")
def test_an_account_that_is_not_there(danelaw):
    server = danelaw({"user": "nobody-by-this-name"}, start=False)
    done = server.ctl("audit", "summary", check=False)
    assert done.returncode == 1 and "no such account" in done.stderr
