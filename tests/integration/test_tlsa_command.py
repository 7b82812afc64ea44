"""danelaw tlsa make and check, as an operator types them."""
import hashlib
import json
import pathlib
import socket
import subprocess
import sys
import threading
import time

import pytest

from support.daemon import binary, environment

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import signed_tree  # noqa: E402  pylint: disable=wrong-import-position

HOST = "mx.tlsa.example"
OWNER = f"_25._tcp.{HOST}"


def tlsa(*arguments, stdin=None):
    return subprocess.run([binary("danelaw"), *map(str, arguments)],
                          input=stdin, capture_output=True, text=True,
                          timeout=60, check=False, env=environment())


def openssl(*arguments, data=None):
    return subprocess.run(["openssl", *arguments], input=data, check=True,
                          capture_output=True).stdout


def spki(key):
    return openssl("pkey", "-in", key, "-pubout", "-outform", "DER")


def der(chain):
    return openssl("x509", "-in", chain, "-outform", "DER")


def line(usage, selector, matching, data, owner=OWNER, ttl=3600):
    return f"{owner}.\t{ttl}\tIN\tTLSA\t{usage} {selector} {matching} {data}\n"


@pytest.fixture
def pair(certificate):
    return certificate(HOST)


def test_make_from_certificate_key_and_standard_input(pair):
    """RFC 6698 2.1.2, 2.1.3: what openssl computes from the same files.

    RFC 7672 3.1: 3 1 1 unless something else is asked for.
    """
    want = line(3, 1, 1, hashlib.sha256(spki(pair.key)).hexdigest())
    for source in (pair.chain, pair.key):
        made = tlsa("tlsa", "make", "--host", HOST, source)
        assert (made.returncode, made.stdout) == (0, want)
    with open(pair.chain, encoding="ascii") as chain:
        made = tlsa("tlsa", "make", "--host", HOST, "-", stdin=chain.read())
    assert (made.returncode, made.stdout) == (0, want)


@pytest.mark.parametrize("usage", [2, 3])
@pytest.mark.parametrize("selector", [0, 1])
@pytest.mark.parametrize("matching", [0, 1, 2])
def test_make_every_combination(pair, usage, selector, matching):
    whole = spki(pair.key) if selector else der(pair.chain)
    data = [whole.hex(), hashlib.sha256(whole).hexdigest(),
            hashlib.sha512(whole).hexdigest()][matching]
    made = tlsa("tlsa", "make", "--host", HOST, "--usage", usage, "--selector",
                selector, "--matching", matching, pair.chain)
    assert made.returncode == 0
    assert made.stdout == line(usage, selector, matching, data)
    # RFC 7671 10.1.2: digests keep answers small.
    assert ("makes big answers" in made.stderr) == (matching == 0)


def test_make_for_an_anchor_takes_the_last_certificate(pair, certificate, tmp_path):
    """RFC 7672 3.1.2: 2 0 1, of the top of what is sent."""
    other = certificate("ca.tlsa.example")
    chain = tmp_path / "chain.pem"
    chain.write_text(open(pair.chain).read() + open(other.chain).read())
    made = tlsa("tlsa", "make", "--ta", "--host", HOST, "--port", 587,
                "--ttl", 60, chain)
    want = line(2, 0, 1, hashlib.sha256(der(other.chain)).hexdigest(),
                f"_587._tcp.{HOST}", 60)
    assert (made.returncode, made.stdout) == (0, want)


def test_make_from_a_live_server(pair, sink):
    hop = sink(certificate=pair)
    made = tlsa("tlsa", "make", "--host", HOST, "--connect",
                f"127.0.0.1:{hop.port}")
    want = line(3, 1, 1, hashlib.sha256(spki(pair.key)).hexdigest())
    assert (made.returncode, made.stdout) == (0, want)
    assert hop.names == [HOST]


def test_make_says_why_not(pair, sink, tmp_path):
    plain = sink()
    nothing = tmp_path / "nothing"
    nothing.write_text("")
    for words, why in [
            (("make", nothing), "empty"),
            (("make", tmp_path / "absent"), "No such file"),
            (("make", "--selector", 0, pair.key), "wants a certificate"),
            (("make", "--usage", 1, pair.chain), "no TLSA record for SMTP"),
            (("make", "--connect", f"127.0.0.1:{plain.port}"),
             "STARTTLS is not offered"),
            (("make", "--connect", "127.0.0.1:1"), "refused")]:
        made = tlsa("tlsa", *words)
        assert (made.returncode, made.stdout) == (1, "")
        assert why in made.stderr


def test_wrong_use_is_usage(pair):
    for words in [(), ("make",), ("make", "--port", "0", pair.chain),
                  ("make", "--usage", "256", pair.chain),
                  ("make", "--host", "a..b", pair.chain),
                  ("make", pair.chain, "--connect", "127.0.0.1"),
                  ("check",), ("check", "--host", HOST, "--ta"), ("eat",),
                  ("check", "--host", HOST, "--chain", "x", "--connect", "y"),
                  ("make", "--nonsense")]:
        assert tlsa("tlsa", *words).returncode == 2
    asked = tlsa("tlsa", "--help")
    assert asked.returncode == 0 and "--matching" in asked.stdout


def test_a_chain_that_is_none_is_named(tmp_path):
    (tmp_path / "k.pem").write_text("\n")
    made = tlsa("tlsa", "check", "--host", HOST, "--chain", tmp_path / "k.pem",
                f"3 1 1 {'aa' * 32}")
    assert made.returncode == 1 and "k.pem: no PEM certificate" in made.stderr
    # Before the configuration is read, and names are looked up.
    made = tlsa("-c", tmp_path / "none", "tlsa", "check", "--host", HOST, "--chain",
                tmp_path / "absent")
    assert made.returncode == 1 and made.stderr.endswith("absent: No such file or directory\n")


def test_wrong_use_says_what_was_expected(pair):
    for words, why in [
            (("make", "--port", "0"), '--port "0": expected a number of 1 to 65535'),
            (("make", "--ttl", "1h"), "expected seconds"),
            (("make", "--usage", "256"), "expected a number of 0 to 255"),
            (("check", "--host", "a..b"), "expected the name of a server"),
            (("make", "--connect", "2001:db8::1"), "an IPv6 address in brackets"),
            (("make", "--connect", f"{HOST}:0"), "expected HOST or HOST:PORT"),
            (("check", *(("--name", "x") * 9)), "at most 8 times"),
            (("make", "--nonsense"), "unknown option"),
            (("make", "--name", "x", pair.chain), "--name are for tlsa check"),
            (("make", "--host"), "--host: a value is missing"),
            (("make", pair.chain, "--connect", "127.0.0.1"), "either FILE or")]:
        made = tlsa("tlsa", *words)
        assert (made.returncode, made.stdout) == (2, "")
        assert why in made.stderr
        assert 'see "danelaw tlsa --help"' in made.stderr
        assert len(made.stderr.splitlines()) == 1


def test_check_a_record_without_quotes(pair):
    """A shell hands over the four words of it one by one."""
    good = ("3", "1", "1", hashlib.sha256(spki(pair.key)).hexdigest())
    bad = "3 1 1 " + "00" * 32
    where = ("tlsa", "check", "--host", HOST, "--chain", pair.chain)
    for records in (good, (bad, *good), (*good, bad)):
        asked = tlsa(*where, *records)
        assert asked.returncode == 0, asked
        assert asked.stdout.count("  3 1 1 ") == (len(records) + 3) // 4
    for records, why in [
            (good[:3], '"3 1 1": there is no data behind'),
            ((*good, "1234"), '"1234": expected usage, selector and'),
            ((*good[:3], "zz"), "not octets of two hexadecimal digits")]:
        asked = tlsa(*where, *records)
        assert (asked.returncode, asked.stdout) == (1, "")
        assert why in asked.stderr


def test_check_given_records_against_a_chain(pair):
    good = "3 1 1 " + hashlib.sha256(spki(pair.key)).hexdigest()
    bad = "3 1 1 " + "00" * 32
    for records, code, words in [
            ([good], 0, "authenticated by 3 1 1 at depth 0"),
            ([bad], 1, "not authenticated: no matching DANE TLSA records"),
            ([bad, good], 0, "matches at depth 0"),
            (["1 1 1 " + "00" * 32], 1, "no record is usable"),
            (["3 1 1 00"], 1, "unusable: malformed"),
            # RFC 7671 9: the stronger digest alone is looked at.
            ([good, "3 1 2 " + "00" * 64], 1, "(it would match)"),
            ([line(3, 1, 1, good[6:])], 0, "authenticated"),
            ([line(3, 1, 1, good[6:], "_25._tcp.other.example")], 1,
             "no record is this server's")]:
        asked = tlsa("tlsa", "check", "--host", HOST, "--chain", pair.chain,
                     *records)
        assert asked.returncode == code, asked
        assert words in asked.stdout


def test_check_says_what_could_be_better(pair):
    """RFC 7671 8.3, 10.1: of records that are good, for the next ones."""
    key = spki(pair.key)
    both = [f"3 1 1 {hashlib.sha256(key).hexdigest()}", "3 1 1 " + "00" * 32,
            f"3 1 2 {hashlib.sha512(key).hexdigest()}"]
    where = ("tlsa", "check", "--host", HOST, "--chain", pair.chain)
    asked = tlsa(*where, *both)
    assert asked.returncode == 0, asked
    assert "note: 2 of 3 1 1, but 1 of 3 1 2" in asked.stdout
    told = json.loads(tlsa(*where, "--json", *both).stdout)
    assert told["authenticated"] and "RFC 7671 8.3" in "".join(told["notes"])
    assert "note:" not in tlsa(*where, both[0]).stdout
    # RFC 2181 5.2: of records that differ in it, the longer
    a_week = line(3, 1, 1, hashlib.sha256(key).hexdigest(), ttl=604800)
    assert "note: their TTL is 604800 seconds" in tlsa(*where, both[1], a_week).stdout
    assert json.loads(tlsa(*where, "--json", both[0]).stdout)["notes"] == []


def test_check_reads_records_from_a_file(pair, tmp_path):
    zone = tmp_path / "zone"
    zone.write_text("; ours\n" + line(
        3, 1, 1, "( " + hashlib.sha256(spki(pair.key)).hexdigest() + "\n)"))
    for source, text in ((zone, None), ("-", zone.read_text())):
        asked = tlsa("tlsa", "check", "--host", HOST, "--chain", pair.chain,
                     "--records", source, stdin=text)
        assert asked.returncode == 0, asked
    zone.write_text("nonsense\n")
    asked = tlsa("tlsa", "check", "--host", HOST, "--chain", pair.chain,
                 "--records", zone)
    assert asked.returncode == 1 and "no record" in asked.stderr


def test_check_a_live_server(pair, certificate, sink):
    """Names count for usage 2, and are taken from --host and --name."""
    hop = sink(certificate=pair)
    anchor = "2 0 1 " + hashlib.sha256(der(pair.chain)).hexdigest()
    leaf = "3 0 1 " + anchor[6:]
    where = ("--connect", f"127.0.0.1:{hop.port}")
    asked = tlsa("tlsa", "check", "--json", "--host", HOST, *where, leaf)
    told = json.loads(asked.stdout)
    assert asked.returncode == 0 and told["authenticated"]
    assert told["matched"] == "3 0 1" and told["depth"] == 0
    assert told["records"][0]["matches"]
    assert told["chain"][0]["names"] == HOST
    assert told["chain"][0]["sha256"] == anchor[6:]
    assert hop.names == [HOST]
    other = tlsa("tlsa", "check", "--host", "other.example", *where, leaf)
    assert other.returncode == 0
    # Self-signed and its own anchor: OpenSSL knows a leaf by usage 3 alone.
    assert tlsa("tlsa", "check", "--host", HOST, *where,
                anchor).returncode == 1


def test_records_and_addresses_are_looked_up(pair, sink, nsd, danelaw):
    """Records that are not secure are none; the resolver is the daemon's."""
    names = nsd({"tlsa.example": f"mx A 127.0.0.1\n_25._tcp.mx TLSA 3 1 1 "
                 f"{hashlib.sha256(spki(pair.key)).hexdigest()}"})
    hop = sink(certificate=pair)
    server = danelaw(names.resolver(), start=False)
    asked = server.ctl("tlsa", "check", "--host", HOST, "--connect",
                       f"127.0.0.1:{hop.port}", check=False)
    assert asked.returncode == 1, asked
    assert "port 25: none" in asked.stdout
    assert "there are no secure records" in asked.stdout
    # By its name: found, connected to, and named in the record, port and all.
    made = server.ctl("tlsa", "make", "--connect", f"{HOST}:{hop.port}")
    assert made.stdout.startswith(
        f"_{hop.port}._tcp.{HOST}.\t3600\tIN\tTLSA\t3 1 1 ")
    made = server.ctl("tlsa", "make", "--connect", f"{HOST}:{hop.port}",
                      "--port", "25")
    assert made.stdout.startswith(f"{OWNER}.\t3600\tIN\tTLSA\t3 1 1 ")
    made = server.ctl("tlsa", "make", "--host", HOST, "--connect",
                      f"{HOST}:{hop.port}")
    assert made.stdout.startswith(f"_{hop.port}._tcp.{HOST}.\t")
    lost = server.ctl("tlsa", "make", "--connect", "no.tlsa.example",
                      check=False)
    assert lost.returncode == 1 and "no addresses" in lost.stderr


def test_it_says_what_it_waits_for(pair, danelaw):
    """Once, wherever stderr leads; and all lookups together have an end."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        server = danelaw({"resolver": {"timeout": "4500ms", "forward .": {
            "server": [f"127.0.0.1:{silent.getsockname()[1]}"]}}}, start=False)
        begun = time.monotonic()
        # For the records, and once more to connect.
        done = server.ctl("tlsa", "check", "--host", HOST, "--wait", "8s", check=False)
        took = time.monotonic() - begun
    assert done.returncode == 1 and 8 <= took < 11
    assert done.stderr == (
        f"danelaw: waiting for what DNS says of {HOST}, at most 8 s\n"
        f"danelaw: {HOST}: no addresses; A: no answer within 8000 ms\n")
    odd = tlsa("tlsa", "check", "--host", HOST, "--wait", "0")
    assert odd.returncode == 2 and '--wait "0": expected a time as 20s' in odd.stderr
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen()
        port = deaf.getsockname()[1]
        threading.Timer(4, deaf.accept).start()  # and it hangs up
        done = tlsa("tlsa", "make", "--host", HOST, "--connect", f"127.0.0.1:{port}")
    assert done.returncode == 1
    assert done.stderr.startswith(
        f"danelaw: waiting for 127.0.0.1:{port}, at most 30 s for each step\n")


def test_secure_records_are_checked_under_their_base_domain(
        pair, sink, danelaw, tmp_path):
    """RFC 7672 2.2.3: an alias leads to the base domain, which SNI names."""
    if signed_tree.missing_tools():
        pytest.skip(f"{signed_tree.missing_tools()} is not installed")
    tree = signed_tree.SignedTree(tmp_path / "tree")
    tree.zone(".")
    tree.zone("example.")
    tree.zone("tlsa.example.", "mx A 127.0.0.1\nalias CNAME mx\n"
              "_25._tcp.mx 604800 TLSA 3 1 1 "
              f"{hashlib.sha256(spki(pair.key)).hexdigest()}\n")
    hop = sink(certificate=pair)
    with tree.serve() as names:
        server = danelaw({"resolver": {
            "forward .": {"server": [f"127.0.0.1:{names.port}"]},
            "trust_anchor": str(tree.anchor)}}, start=False)
        for host in (HOST, "alias.tlsa.example"):
            asked = server.ctl("tlsa", "check", "--host", host, "--connect",
                               f"127.0.0.1:{hop.port}", check=False)
            assert asked.returncode == 0, asked
            assert f"records of {HOST}, port 25: usable" in asked.stdout
            assert "authenticated by 3 1 1 at depth 0" in asked.stdout
            # RFC 7671 13: whatever a resolver of ours would keep it for
            assert "note: their TTL is 604800 seconds" in asked.stdout
        other = server.ctl("tlsa", "check", "--host", HOST, "--port", "587",
                           "--connect", f"127.0.0.1:{hop.port}", check=False)
        assert other.returncode == 1 and "port 587: none" in other.stdout
    assert hop.names == [HOST, HOST, HOST]
