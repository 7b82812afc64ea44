"""The laboratory itself, without a danelawd: it must not lie by accident."""
import json
import os
import re
import shutil
import signal
import smtplib
import socket
import ssl
import struct
import subprocess
import sys

import pytest

from support.daemon import ROOT
from support.lab_fixtures import SCENARIOS, open_lab
from support.wait import wait_until

from lab import lies, run, wire  # noqa: E402
from lab.scenario import MISMATCH, VERIFIED, mx, scenario  # noqa: E402

LAB = [sys.executable, "-B", str(ROOT / "tests/lab/run.py")]
POLICIES = {   # curl's exit status and the code of the answer
    "sts-good": (0, "200"), "sts-host-found": (0, "302"),
    "sts-host-closed": (7, "000"), "sts-host-old-tls": (35, "000"),
    "sts-host-self-signed": (60, "000"), "sts-host-expired": (60, "000"),
    "sts-host-mx-name": (60, "000"), "sts-host-cut": (18, "200"),
}
SHOWN = ["ee-311", "ee-311-foreign", "ee-everything-wrong", "ta-201", "ta-deep",
         "ta-expired", "ta-gap", "ta-foreign-name", "ta-full-unsent", "ta-unsent",
         "ta-key-reused", "ta-path-length", "ta-name-constraint", "sni-needed",
         "sni-demanded"]


@pytest.fixture(scope="module")
def lab(request):
    names = [*SHOWN, *POLICIES]
    with open_lab(request, "lab-itself", [SCENARIOS[n] for n in names]) as made:
        yield made


# --- the catalogue ---

def test_scenarios_make_sense():
    for s in SCENARIOS.values():
        hosts = {h.name for h in s.hosts}
        assert re.fullmatch(r"[a-z0-9]([a-z0-9-]{0,50}[a-z0-9])?", s.name), s.name
        assert s.story and re.match(r"RFC \d+ [\dA-Z.]+$", s.section), s.name
        assert {s.to, *s.shown, *s.untouched} - {None} <= hosts, s.name
        assert s.rows and all(re.match(r"\d{4}-[\dA-Z.]+-\d\d$", row)
                              for row in s.rows), s.name
        assert s.log == ".*" or "/" in s.log, s.name


def test_there_are_enough():
    assert len(SCENARIOS) >= 90


def test_two_of_a_name_are_refused():
    with pytest.raises(ValueError):
        scenario("ee-311", "RFC 7672 1", "", "again", mx())


# --- the hosts: OpenSSL's own client is the judge ---

@pytest.mark.parametrize("name", SHOWN)
def test_openssl_agrees(lab, name):
    s = SCENARIOS[name]
    (host,) = s.hosts
    records = [lab.tlsa(name, host.name, text).partition(" ")[2]
               for text in host.tlsa]
    done = subprocess.run(
        ["openssl", "s_client", "-starttls", "smtp", "-connect",
         f"{lab.address(name, host.name)}:{lab.port}", "-dane_tlsa_domain",
         f"{host.name}.{s.domain}", "-dane_ee_no_namechecks",
         *[word for r in records for word in ("-dane_tlsa_rrdata", r)]],
        input="QUIT\n", capture_output=True, text=True, check=False, timeout=60)
    assert s.log in (VERIFIED, MISMATCH)
    assert ("Verification: OK" in done.stdout) == (s.log == VERIFIED), done.stdout


def test_ledger_tells_what_came(lab):
    context = ssl._create_unverified_context()
    with smtplib.SMTP(lab.address("ee-311", "mx"), lab.port) as client:
        client.sendmail("a@b.example", ["clear@ee-311.test"], "x\r\n")
        client.starttls(context=context)
        client.ehlo()
        client.sendmail("a@b.example", ["tls@ee-311.test"], "x\r\n")
    (clear,) = lab.arrivals.of("clear@ee-311.test", kept=True)
    (tls,) = lab.arrivals.of("tls@ee-311.test", kept=True)
    assert (clear.host, clear.tls, tls.tls) == ("mx", "", "TLSv1.3")


# --- the policy hosts: curl is the judge ---

@pytest.mark.parametrize("name", POLICIES)
def test_curl_agrees(lab, name):
    if not shutil.which("curl"):
        pytest.skip("curl is not installed")
    s = SCENARIOS[name]
    host = lab.full_name(s, s.sts.host).rstrip(".")
    done = subprocess.run(
        ["curl", "-q", "-s", "-w", "%{http_code}", "--http1.1", "--cacert",
         str(lab.root_file()), "--noproxy", "*", "--connect-to",
         f"{host}:443:{lab.address(name, 'mta-sts')}:{lab.sts_port}",
         f"https://{host}/.well-known/mta-sts.txt"],
        capture_output=True, check=False, timeout=20)
    text = done.stdout.decode()
    assert (done.returncode, text[-3:]) == POLICIES[name]
    if name == "sts-good":
        assert text[:-3] == ("version: STSv1\r\nmode: enforce\r\n"
                             "mx: mx.sts-good.test\r\nmax_age: 604800\r\n")


# --- the front and its lies ---

@pytest.fixture
def ask(lab):
    """ask(lie, tcp=False): the answer about a TLSA record, or None."""
    name = f"_{lab.port}._tcp.mx.ee-311.test."

    def make(lie, tcp=False):
        lab.front.lies.clear()
        if lie:
            lab.front.lies[name, "TLSA"] = lie
        query = wire.question(name, "TLSA", 7).encode()
        kind = socket.SOCK_STREAM if tcp else socket.SOCK_DGRAM
        with socket.socket(socket.AF_INET, kind) as sock:
            sock.settimeout(1 if lie is lies.silence else 20)
            sock.connect(("127.0.0.1", lab.front.port))
            sock.sendall(struct.pack(">H", len(query)) * tcp + query)
            try:
                return sock.recv(65535)[2 * tcp:]
            except TimeoutError:
                return None
    yield make
    lab.front.lies.clear()


def types(records):
    return [wire.NAMES.get(r.type) for r in records]


def test_truth(ask):
    for tcp in (False, True):
        message = wire.parse(ask(None, tcp))
        assert message.flags & 15 == 0 and types(message.answer) == ["TLSA", "RRSIG"]


@pytest.mark.parametrize("lie, code, answer, authority", [
    (lies.servfail, 2, [], []), (lies.refused, 5, [], []), (lies.notimp, 4, [], []),
    (lies.formerr, 1, [], []), (lies.empty, 0, [], []),
    (lies.nodata_unproved, 0, [], ["SOA"]),
    (lies.nxdomain_unproved, 3, [], ["SOA"]),
    (lies.unsigned, 0, ["TLSA"], []), (lies.tlsa_dropped, 0, ["RRSIG"], []),
    (lies.flipped, 0, ["TLSA", "RRSIG"], []),
    (lies.proof_of("ee-311.test."), 0, [],
     ["NSEC", "RRSIG", "RRSIG", "SOA"]),
    (lies.forged_mx("evil.test"), 0, ["MX"], []),
    (lies.forged_address("127.0.0.1"), 0, ["A"], []),
    (lies.forged_txt("v=STSv1; id=1;", "x"), 0, ["TXT", "TXT"], [])])
def test_lie(ask, lie, code, answer, authority):
    message = wire.parse(ask(lie))
    assert message.flags & 15 == code and message.id == 7
    assert types(message.answer) == answer
    assert sorted(types(message.authority)) == authority


def test_lies_that_are_no_message(ask):
    assert ask(lies.silence) is None
    for lie in (lies.garbage, lies.cut_rdata):
        with pytest.raises((ValueError, IndexError, struct.error)):
            wire.parse(ask(lie)).answer[0].data[100]


def test_truncation(ask):
    assert wire.parse(ask(lies.tcp_only)).flags & wire.TC
    assert len(wire.parse(ask(lies.tcp_only, tcp=True)).answer) == 2
    assert wire.parse(ask(lies.never_whole, tcp=True)).flags & wire.TC


def test_new_records_are_served(lab, ask):
    before = wire.parse(ask(None)).answer[0].data
    lab.publish("ee-311", {"mx": ("3 1 1 other",)})
    wait_until(lambda: wire.parse(ask(None)).answer[0].data != before,
               "the new TLSA record")


# --- ./dev lab ---

def test_list_and_json():
    listed = subprocess.run([*LAB, "--list"], capture_output=True, text=True,
                            check=True, timeout=60).stdout
    data = json.loads(subprocess.run([*LAB, "--json"], capture_output=True,
                                     text=True, check=True, timeout=60).stdout)
    assert len(data) == len(SCENARIOS)
    told = {s["name"]: s["recipient"] for s in data}
    assert told["domain-alias-middle"] == "user@alias.domain-alias-middle.test"
    assert told["literal"] == "user@[ADDRESS]"
    assert all(to in listed for to in told.values())


@pytest.mark.parametrize("words, columns", [
    ([], 100), (["audit"], 200), (["audit"], 80), (["ee-311"], 100)])
def test_the_list_lines_up(words, columns):
    """A recipient to a line, its fate and its story in columns, and none of them cut."""
    chosen = run.choose(words)
    lines = subprocess.run([*LAB, "--list", *words], capture_output=True, text=True, check=True,
                           timeout=60, env={**os.environ, "COLUMNS": str(columns)}
                           ).stdout.splitlines()
    assert max(map(len, lines)) <= min(columns, 100)
    heads = [line for line in lines if not line.startswith(" ")]
    assert [head.split()[0] for head in heads] == [run.recipient(s) for s in chosen]
    begins = {re.search(r"(?<=  )\S", line).start() for line in heads if "  " in line}
    assert len(begins) == 1
    text = " ".join(" ".join(lines).split())
    assert all(" ".join(f"{s.story} ({s.section})".split()) in text for s in chosen)
    assert all(run.outcome(s) in text for s in chosen)


@pytest.mark.parametrize("what", [["--list"], ["--json"], ["--list", "--json"]])
def test_a_reader_may_leave(what):
    with subprocess.Popen([*LAB, *what], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE) as lab:
        lab.stdout.close()
        told = lab.stderr.read()
    assert told == b""


def test_many_are_told_in_short():
    """How to see the rest of it stands at the end."""
    lines = list(run.overview(list(SCENARIOS.values())))
    assert len(lines) < 20 and any("ee (" in line for line in lines)
    assert "--list" in lines[-1] and "--table" in lines[-1]
    assert run.example(list(SCENARIOS.values())).name == "ee-311"


def test_lab_comes_up_and_goes(tmp_path, lab):
    """On ports of its own, with a configuration that is ready."""
    command = [*LAB, "--port", str(lab.port + 10), "--folder", str(tmp_path / "l"),
               "ee-311"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True,
                          stderr=subprocess.STDOUT) as process:
        text = ""
        while "Ctrl-C" not in text and process.poll() is None:
            text += process.stdout.readline()
        process.send_signal(signal.SIGINT)
        text += process.stdout.read()
        assert process.wait(30) == 0, text
    assert "ee-311.test" in text and "drill" in text
    config = (tmp_path / "l/danelaw.conf").read_text()
    assert "trust_anchor" in config and f"127.0.0.1:{lab.port + 15}" in config
