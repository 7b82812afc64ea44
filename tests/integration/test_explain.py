"""danelaw explain and danelaw probe: what is told is what a delivery does.

The laboratory's scenarios say what becomes of mail; both commands are held
against a part of them.
"""
import concurrent.futures
import contextlib
import json
import re
import socket
import subprocess

import pytest

from support import daemon
from support.lab_fixtures import SCENARIOS, open_lab

pytestmark = pytest.mark.limit(300)

# Every so manieth scenario; all of them take some minutes.
STEP = 6
# And some of each outlook, with the statuses of explain and of probe.
OUTLOOKS = {"ee-311": ("authenticated", 0, 0),
            "ee-311-foreign": ("authenticated", 0, 1),
            "second-host": ("authenticated", 0, 1),   # the first does not match
            "old-mx": ("host-authenticated", 1, 1),
            "unusable-digest-0": ("encrypted", 1, 1), "no-tlsa": ("clear", 1, 1),
            "better-host-without-tlsa": ("clear", 1, 1),
            "rule-dane-no-tlsa": ("none", 1, 1)}
# And what the connections are said to come to.
TALLIES = {"ee-311": ["verdict: 1 of 1 connections may carry mail"],
           "ee-311-foreign": ["verdict: 0 of 1 connections may carry mail"],
           "starttls-hangs": ["timeout waiting for TLS handshake",
                              "verdict: 0 of 1 connections may carry mail"],
           "may-starttls-garbage": ["verdict: 1 of 1 connections may carry mail",
                                    "1 of these in the clear, once TLS has failed"]}
CHOSEN = [s for n, s in enumerate(s for s in SCENARIOS.values() if s.group == "all")
          if n % STEP == 0 or s.name in OUTLOOKS or s.name in TALLIES]
# Messages that ask for something, to these domains: the status, what is told.
WISHES = {"rtls-dane": ("requiretls", 0, "rule dane"),
          "rtls-pkix": ("requiretls", 0, "rule requiretls"),
          "rtls-missing": ("requiretls", 1, "does not support REQUIRETLS"),
          "rtls-insecure": ("requiretls", 1, "rule requiretls"),
          "rtls-foreign": ("tls-required-no", 1, "rule tls-required-no")}
WORKERS = 4
TRUSTED = "rule-trusted-verify"  # by WebPKI, and of another group


def command(config, *words):
    """Run danelaw; (status, output)."""
    done = subprocess.run(
        [daemon.binary("danelaw"), "-c", str(config), *words], text=True,
        capture_output=True, timeout=120, check=False,
        env=daemon.environment())
    assert not daemon.SANITIZER_REPORT.search(done.stderr), done.stderr
    return done.returncode, done.stdout


@pytest.fixture(scope="module")
def lab(request):
    others = [SCENARIOS[name] for name in (TRUSTED, *WISHES)]
    with open_lab(request, "lab-explain", [*CHOSEN, *others]) as made:
        yield made


def config_of(lab, group, **more):
    """A configuration that finds its way in the laboratory."""
    base = {"hostname": "mx.test.example", "spool": str(lab.folder / "none"),
            "listen mx": {"address": ["127.0.0.1:25999"]}}
    path = lab.folder / f"explain-{group}.conf"
    entries = daemon.merge(base, lab.config(group))
    path.write_text(daemon.render(daemon.merge(entries, more)))
    return path


@pytest.fixture(scope="module")
def config(lab):
    return config_of(lab, "all")


@pytest.fixture(scope="module")
def told(lab, config):
    """What both commands say of each scenario: told[verb][name]."""
    def ask(verb, scenario):
        status, out = command(
            config, "--json", verb, lab.recipient(scenario))
        return verb, scenario.name, status, json.loads(out)
    told = {"explain": {}, "probe": {}}
    with concurrent.futures.ThreadPoolExecutor(WORKERS) as pool:
        jobs = [pool.submit(ask, verb, s) for s in CHOSEN for verb in told]
        for job in jobs:
            verb, name, status, said = job.result()
            told[verb][name] = status, said
    return told


def decisions(said):
    """The decision about each host, with what its connection showed."""
    for host in said["hosts"]:
        connections = host.get("connections", [])
        yield from ((host["name"], c["decision"]) for c in connections)
        if not connections:
            yield host["name"], host["decision"]


@pytest.mark.parametrize("name", [s.name for s in CHOSEN])
def test_probe_sees_what_a_delivery_sees(lab, told, name):
    scenario = SCENARIOS[name]
    _, said = told["probe"][name]
    seen = list(decisions(said))  # a host has as many as it has addresses
    if "dead_end" in said:
        assert scenario.to is None
        return
    if scenario.to is None:
        assert all(d.get("verdict", "next-host") != "deliver" or scenario.outcome
                   for _, d in seen), seen
        return
    host = lab.full_name(scenario, scenario.to).rstrip(".")
    found = [d for n, d in seen if host == n] or [d for _, d in seen]
    assert any(re.fullmatch(scenario.log, d["tls"]) for d in found), seen


@pytest.mark.parametrize("name", [s.name for s in CHOSEN])
def test_explain_plans_what_probe_plans(told, name):
    """Only the connections are missing."""
    _, explained = told["explain"][name]
    _, probed = told["probe"][name]
    assert explained["outlook"] == probed["outlook"]
    plans = [[h["decision"]["plan"] for h in said["hosts"]]
             for said in (explained, probed)]
    assert sorted(map(str, plans[0])) == sorted(map(str, plans[1]))
    assert not any("connections" in h for h in explained["hosts"])


@pytest.mark.parametrize("verb", ["explain", "probe"])
def test_the_status_says_authenticated(told, verb):
    """0 when delivery would be authenticated, else 1."""
    assert {status for status, _ in told[verb].values()} == {0, 1}
    for name, (status, said) in told[verb].items():
        assert (status == 0) == said["authenticated"], name
        if status == 0:
            assert SCENARIOS[name].to or verb == "explain", name


@pytest.mark.parametrize("name", OUTLOOKS)
def test_the_status_of_each_outlook(told, name):
    outlook, explained, probed = OUTLOOKS[name]
    status, said = told["explain"][name]
    assert (said["outlook"], status) == (outlook, explained)
    assert told["probe"][name][0] == probed


def test_a_tree_for_people(lab, config):
    scenario = CHOSEN[0]
    status, out = command(config, "probe", scenario.domain)
    assert out.startswith(f"mx:{scenario.domain}\n")
    for words in ("MX: ", "addresses: ", "TLSA: ", "plan: ", "verdict: ",
                  "selector 1, SHA-256: ", "RFC 7672"):
        assert words in out
    assert status in (0, 1)


@pytest.mark.parametrize("name", TALLIES)
def test_what_the_connections_come_to(config, name):
    out = command(config, "probe", SCENARIOS[name].domain)[1]
    for words in TALLIES[name]:
        assert words in out, out
    assert ("in the clear, once" in out) == ("clear" in str(TALLIES[name]))


def test_probe_trusts_whom_the_daemon_trusts(lab, config):
    """The authorities of ca_file, and nobody else."""
    def probe(ca_file):
        path = config_of(lab, "roots", ca_file=ca_file)
        status, out = command(path, "--json", "probe", SCENARIOS[TRUSTED].domain)
        (host,) = json.loads(out)["hosts"]
        return status, [c["decision"]["tls"] for c in host["connections"]]
    root = str(lab.root_file())
    assert probe(root) == (0, ["pkix/verified/operator/operator-verify"])
    assert probe("") == (1, ["pkix/encrypted/operator/operator-verify"])


@pytest.mark.parametrize("name", WISHES)
def test_a_message_that_asks_for_something(lab, name):
    """RFC 8689: what the sender wants is part of what is told."""
    wish, status, words = WISHES[name]
    path = config_of(lab, "requiretls")
    got, out = command(path, "probe", "--mail", wish, SCENARIOS[name].domain)
    assert (got, f"the message: {wish}" in out) == (status, True), out
    assert re.search(words, out), out


def test_usage(config):
    for words in (["explain"], ["explain", "--mail", "secret", "a.example"],
                  ["status", "--mail", "requiretls"], ["probe", "a.example", "b.example"],
                  ["explain", "..bad"], ["explain", ""]):
        assert command(config, *words)[0] == 2, words


def test_what_is_ours_is_said_so(lab, config):
    """A domain of the configuration itself needs no DNS."""
    text = config.read_text() + 'domain "ours.example" { deliver = discard }\n'
    path = config.with_name("ours.conf")
    path.write_text(text)
    status, out = command(path, "explain", "ours.example")
    assert (status, "delivered here" in out) == (1, True)


def test_a_host_that_takes_no_connection_is_told(tmp_path):
    """Its queue of connections is full: the kernel answers nobody."""
    with contextlib.ExitStack() as stack:
        silent = stack.enter_context(socket.socket())
        silent.bind(("127.0.0.1", 0))
        silent.listen(0)
        for _ in range(4):
            full = stack.enter_context(socket.socket())
            full.setblocking(False)
            full.connect_ex(silent.getsockname())
        path = tmp_path / "silent.conf"
        path.write_text(daemon.render({
            "hostname": "mx.test.example", "spool": str(tmp_path / "none"),
            "listen mx": {"address": ["127.0.0.1:25999"]},
            "mx_port": silent.getsockname()[1], "resolver": {"trust_anchor": ""},
            "timeouts": {"connect": "1s", "greeting": "1s", "tls": "1s"}}))
        out = command(path, "probe", "user@[127.0.0.1]")[1]
    assert "timeout waiting for connection" in out
    assert "verdict: no connection got as far as TLS" in out


def test_it_says_what_it_waits_for(tmp_path):
    """Once, wherever stderr leads."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        path = tmp_path / "silent.conf"
        path.write_text(daemon.render({
            "hostname": "mx.test.example", "spool": str(tmp_path / "none"),
            "listen mx": {"address": ["127.0.0.1:25999"]},
            "resolver": {"trust_anchor": "", "timeout": "4500ms", "forward .": {
                "server": [f"127.0.0.1:{silent.getsockname()[1]}"]}}}))
        for verb, says in ("explain", "DNS says"), ("probe", "DNS and hosts say"):
            done = subprocess.run([daemon.binary("danelaw"), "-c", path, verb, "a.example"],
                                  capture_output=True, text=True, check=False, timeout=60,
                                  env=daemon.environment())
            assert done.returncode == 1 and "no answer within 4500 ms" in done.stdout
            assert done.stderr == f"danelaw: waiting for what {says} of a.example\n"
