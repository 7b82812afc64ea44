"""Fetching a policy by HTTPS: the real fetcher against every kind of host."""
import shutil
import socket
import subprocess
import sys
import threading
import time

import pytest

from support.daemon import ROOT, environment
from support.https import authorities, program
from support.https import run as fetch_all
from support.wait import free_port

sys.path.insert(0, str(ROOT / "tests"))
from lab.pki import Pki, pem  # noqa: E402
from lab.policy_host import LIMIT, POLICY, ZIPPED, PolicyHost, name_of, ssl  # noqa: E402

SOON = 700     # milliseconds; what is too slow is this much too slow
TEXT = POLICY.decode()


@pytest.fixture(scope="module")
def pki(run_folder):
    return Pki(run_folder / "tls" / "https")


@pytest.fixture(scope="module")
def ca(pki):
    return authorities(pki)


@pytest.fixture(scope="module")
def host(pki):
    made = PolicyHost(pki)
    yield made
    made.stop()


@pytest.fixture
def hosts(pki, started):
    def make(*args, **how):
        started.append(PolicyHost(pki, *args, **how))
        return started[-1]
    return make


def fetch(ca, host, name, *options, env=None):
    (result,), grown = fetch_all("--ca", ca, *options, name_of(name),
                                 f"127.0.0.1:{host.port}", env=env)
    assert grown < 40_000
    return result


# --- what hosts do -----------------------------------------------------------

@pytest.mark.parametrize("name, body", [
    ("good", TEXT),
    ("parameters", TEXT),
    ("chunked", TEXT),
    ("largest", "x" * LIMIT),
    ("largest-chunked", "x" * LIMIT),
    ("some-extensions", TEXT),
    ("until-close", TEXT),
    ("interim", TEXT),
    ("wildcard", TEXT),
    ("empty", ""),
])
def test_a_policy_comes(ca, host, name, body):
    result = fetch(ca, host, name)
    assert (result["kind"], result["status"]) == ("fine", 200), result
    assert result["body"] == body


@pytest.mark.parametrize("name, kind, status", [
    ("moved", "redirect", 301),
    ("found", "redirect", 302),
    ("unmodified", "redirect", 304),
    ("missing", "status", 404),
    ("no-content", "status", 204),
    ("partial", "status", 206),
    ("broken", "status", 500),
    ("password", "status", 401),
    ("html", "wrong-type", 200),
    ("plain-not", "wrong-type", 200),
    ("no-type", "wrong-type", 200),
    ("gzip", "wrong-type", 200),
    ("gzip-transfer", "wrong-type", 200),
    ("too-large", "too-large", 200),
    ("too-large-chunked", "too-large", 200),
    ("extensions", "too-large", 200),
    ("cut", "broken", 200),
    ("cut-chunk", "broken", 200),
    ("lengths", "broken", 200),
    ("cut-unsaid", "broken", 200),
    ("closes", "broken", 0),
    ("no-status", "broken", 0),
    ("http09", "broken", 0),
])
def test_an_answer_is_no_policy(ca, host, name, kind, status):
    """RFC 8461 3.2, 3.3, RFC 9112 9.8: 200, text/plain, whole, and no redirect."""
    before = len(host.asked)
    result = fetch(ca, host, name)
    assert (result["kind"], result["status"]) == (kind, status), result
    assert result["body"] == ""
    assert result["text"].startswith(f"127.0.0.1:{host.port}: ")
    assert len(host.asked) == before + 1


@pytest.mark.parametrize("name, kind, words", [
    ("expired", "expired", "expired"),
    ("wrong-name", "wrong-name", "mismatch"),
    ("common-name", "wrong-name", "mismatch"),
    ("deep-wildcard", "wrong-name", "mismatch"),
    ("part-wildcard", "wrong-name", "mismatch"),
    ("self-signed", "not-trusted", "self-signed"),
    ("unknown-ca", "not-trusted", "self-signed"),
    ("no-chain", "not-trusted", "issuer"),
    ("client-only", "not-trusted", "purpose"),
    ("future", "not-trusted", "not yet valid"),
    ("weak-key", "not-trusted", "too weak"),
])
def test_a_certificate_does_not_pass(ca, host, name, kind, words):
    """RFC 8461 3.3: trusted, not expired, and with the host's name as DNS-ID."""
    before = len(host.asked)
    result = fetch(ca, host, name)
    assert (result["kind"], result["status"]) == (kind, 0), result
    assert words in result["text"].replace("unsuitable certificate purpose", "purpose")
    assert len(host.asked) == before     # nothing was asked of it


@pytest.mark.parametrize("name", ["endless", "headers", "header-line", "interims",
                                  "trailers", "trailer-line", "extension"])
def test_a_host_that_sends_for_ever_is_stopped(ca, host, name):
    """RFC 8461 3.3: a limit on the size; in records (RFC 8446 5.1), so of what is no body, too."""
    host.sent.pop(name, None)
    result = fetch(ca, host, name)
    assert result["kind"] == ("broken" if name == "trailer-line" else "too-large"), result
    assert result["ms"] < 20_000
    assert host.sent[name] < 16 << 20    # what sockets hold between us


@pytest.mark.parametrize("name", ["drip", "drip-head", "silent"])
def test_a_slow_host_is_given_up(ca, host, name):
    """RFC 8461 3.3: a timeout, of all of it."""
    result = fetch(ca, host, name, "--timeout", SOON)
    assert result["kind"] == "too-slow", result
    assert SOON <= result["ms"] < SOON + 3000


# --- TLS ---------------------------------------------------------------------

@pytest.mark.parametrize("most, kind", [
    (ssl.TLSVersion.TLSv1, "tls-failed"),
    (ssl.TLSVersion.TLSv1_1, "tls-failed"),
    (ssl.TLSVersion.TLSv1_2, "fine"),
    (ssl.TLSVersion.TLSv1_3, "fine"),
])
def test_versions_of_tls(ca, hosts, most, kind):
    """RFC 8996 4, 5."""
    result = fetch(ca, hosts(only="good", most=most), "good")
    assert result["kind"] == kind, result


def test_a_host_without_tls(ca, started):
    """Neither HTTP in the clear, nor an end, nor silence is a handshake."""
    for reply in (b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n" + POLICY, b""):
        listener = Listener(reply)
        started.append(listener)
        result = fetch(ca, listener, "good")
        assert result["kind"] == "tls-failed", result
    listener = Listener(None)
    started.append(listener)
    assert fetch(ca, listener, "good", "--timeout", SOON)["kind"] == "too-slow"


class Listener:
    """Says the reply and hangs up; None: takes connections and says nothing."""

    def __init__(self, reply):
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.taken = []
        if reply is not None:
            threading.Thread(target=self.serve, args=(reply,), daemon=True).start()

    def serve(self, reply):
        try:
            while True:
                client, peer = self.socket.accept()
                self.taken.append(peer)
                with client:
                    client.recv(4096)
                    client.sendall(reply)
        except OSError:
            return

    def stop(self):
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()


def test_what_a_host_is_asked(ca, host):
    """RFC 8461 3.2, 7.1: a GET of that path, its name in SNI and Host."""
    fetch(ca, host, "good")
    asked = host.asked[-1]
    lines = asked.head.lower().split("\r\n")
    assert asked.sni == "mta-sts.good.test"
    assert lines[0] == "get /.well-known/mta-sts.txt http/1.1"
    assert "host: mta-sts.good.test" in lines
    names = {line.partition(":")[0] for line in lines[1:] if line}
    assert names == {"host", "user-agent", "accept"}


def test_nothing_is_kept(ca, host):
    """Each fetch has its own connection, and a whole handshake."""
    address = f"127.0.0.1:{host.port}"
    before = len(host.asked)
    results, _ = fetch_all("--ca", ca, "--at-once", 1,
                           *[name_of("good"), address] * 3)
    assert [r["kind"] for r in results] == ["fine"] * 3
    assert len({asked.client for asked in host.asked[before:]}) == 3
    assert not any(asked.resumed for asked in host.asked[before:])


# --- what must not matter ----------------------------------------------------

def test_the_environment_has_no_say(ca, host, tmp_path):
    proxy = f"http://127.0.0.1:{free_port()}"
    machine = f"machine {name_of('good')} login user password secret\n"
    (tmp_path / ".netrc").write_text(machine + "default login user password secret\n")
    (tmp_path / ".netrc").chmod(0o600)
    (tmp_path / ".curlrc").write_text(f"insecure\nproxy = {proxy}\nuser-agent = x\n")
    keys = tmp_path / "keys"
    env = {"https_proxy": proxy, "HTTPS_PROXY": proxy, "all_proxy": proxy,
           "ALL_PROXY": proxy, "http_proxy": proxy, "HOME": str(tmp_path),
           "CURL_HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path),
           "NETRC": str(tmp_path / ".netrc"), "SSLKEYLOGFILE": str(keys),
           "SSL_CERT_FILE": "/nonexistent", "SSL_CERT_DIR": "/nonexistent",
           "CURL_CA_BUNDLE": "/nonexistent", "LC_ALL": "tr_TR.UTF-8"}
    result = fetch(ca, host, "good", env=env)
    assert result["kind"] == "fine", result
    head = host.asked[-1].head.lower()
    assert "authorization" not in head and "user-agent: danelaw\r\n" in head
    assert not keys.exists() or keys.read_text() == ""


def test_the_environment_trusts_nobody(pki, ca, host):
    """An authority counts when it is configured, and only then."""
    folder = str(pki.folder)
    trusting = {"SSL_CERT_FILE": ca, "CURL_CA_BUNDLE": ca, "SSL_CERT_DIR": folder}
    address = f"127.0.0.1:{host.port}"
    (result,), _ = fetch_all(name_of("good"), address, env=trusting)
    assert result["kind"] == "not-trusted", result
    other = authorities(pki, "other")
    assert fetch(other, host, "good", env=trusting)["kind"] == "not-trusted"
    assert fetch(other, host, "unknown-ca")["kind"] == "fine"


def test_an_intermediate_is_no_anchor(pki, host):
    """Trust begins where a certificate vouches for itself."""
    path = pki.folder / "inter.pem"
    path.write_bytes(pem(pki.certificate("inter")))
    result = fetch(str(path), host, "good")
    assert result["kind"] == "not-trusted" and "issuer" in result["text"], result
    path.write_bytes(pem(pki.certificate("inter")) + pem(pki.certificate("root")))
    assert fetch(str(path), host, "good")["kind"] == "fine"


def test_authorities_that_do_not_load(tmp_path, host):
    empty = tmp_path / "empty.pem"
    empty.write_text("")
    for path in (empty, tmp_path / "nowhere.pem"):
        done = subprocess.run([program(), "--ca", str(path)], check=False, timeout=60,
                              capture_output=True, text=True, env=environment())
        assert done.returncode == 1 and str(path) in done.stderr


# --- addresses ---------------------------------------------------------------

def test_the_next_address_is_tried(ca, host):
    """Those that refuse are passed over; names are not asked for anywhere."""
    dead = [f"127.0.0.1:{free_port()}" for _ in range(2)]
    there = f"127.0.0.1:{host.port}"
    (result,), _ = fetch_all("--ca", ca, name_of("good"), ",".join([*dead, there]))
    assert result["kind"] == "fine", result
    (result,), _ = fetch_all("--ca", ca, name_of("good"), ",".join(dead))
    assert result["kind"] == "no-connection", result
    assert result["text"].startswith(dead[1])


def test_a_silent_address_costs_its_share(ca, host, started):
    mute = Listener(None)
    started.append(mute)
    (result,), _ = fetch_all(
        "--ca", ca, "--timeout", 4000, name_of("good"),
        f"127.0.0.1:{mute.port},127.0.0.1:{host.port}")
    assert result["kind"] == "fine", result
    assert 2000 <= result["ms"] < 4000


def test_no_further_than_eight_addresses(ca, host):
    dead = f"127.0.0.1:{free_port()}"
    there = f"127.0.0.1:{host.port}"
    (result,), _ = fetch_all("--ca", ca, name_of("good"), ",".join([dead] * 7 + [there]))
    assert result["kind"] == "fine", result
    (result,), _ = fetch_all("--ca", ca, name_of("good"), ",".join([dead] * 8 + [there]))
    assert result["kind"] == "no-connection", result


@pytest.mark.parametrize("name", ["", ".", "mta-sts.good.test/x", "user@mta-sts.good.test",
                                  "mta-sts.good.test:1", "mta sts.test", "[::1]"])
def test_what_is_no_name_is_not_fetched(ca, host, name):
    before = len(host.asked)
    (result,), _ = fetch_all("--ca", ca, name, f"127.0.0.1:{host.port}")
    assert (result["kind"], result["text"]) == ("no-connection", "not a host's name")
    assert len(host.asked) == before


def test_an_address_is_no_name(ca, hosts):
    host = hosts(only="good")      # whatever it is asked for, and if it is not
    (result,), _ = fetch_all("--ca", ca, "127.0.0.1", f"127.0.0.1:{host.port}")
    assert result["kind"] == "wrong-name" and host.asked == [], result


def test_without_an_address(ca):
    (result,), _ = fetch_all("--ca", ca, name_of("good"), ",")
    assert (result["kind"], result["text"]) == ("no-connection", "no address")


def test_by_ip6_and_from_an_address(ca, host, hosts):
    six = hosts("::1")
    sources = ["--source", "127.0.0.7", "--source", "::1"]
    (result,), _ = fetch_all("--ca", ca, *sources, name_of("good"), f"[::1]:{six.port}")
    assert result["kind"] == "fine", result
    assert six.asked[-1].client[0] == "::1"
    assert fetch(ca, host, "good", *sources)["kind"] == "fine"
    assert host.asked[-1].client[0] == "127.0.0.7"


# --- our own fault -----------------------------------------------------------

def test_a_source_that_is_not_there(ca, host):
    """Nothing is learnt of a host that we could not even try."""
    other = f"127.0.0.1:{free_port()}"
    for addresses in (f"127.0.0.1:{host.port}", f"127.0.0.1:{host.port},[::1]:{free_port()}"):
        (result,), _ = fetch_all("--ca", ca, "--source", "192.0.2.1", name_of("good"), addresses)
        assert result["kind"] == "ours", result
        assert "Cannot assign requested address" in result["text"]
    (result,), _ = fetch_all("--ca", ca, name_of("good"), other)
    assert result["kind"] == "no-connection", result


def test_without_descriptors(ca, host):
    before = len(host.asked)
    result = fetch(ca, host, "good", "--without", "files")
    assert result["kind"] == "ours" and "Too many open files" in result["text"], result
    assert len(host.asked) == before


def test_authorities_that_have_gone(ca, host, tmp_path):
    """They were there at the start; the host is not to blame."""
    copy = tmp_path / "ca.pem"
    shutil.copy(ca, copy)
    before = len(host.asked)
    result = fetch(str(copy), host, "good", "--without", "ca")
    assert result["kind"] == "ours" and str(copy) in result["text"], result
    assert not copy.exists() and len(host.asked) == before


# --- many at once ------------------------------------------------------------

def test_many_take_turns(ca, host):
    """All are answered, each as if it were alone."""
    names = ["good", "missing", "expired", "chunked", "html"] * 8
    address = f"127.0.0.1:{host.port}"
    arguments = [word for name in names for word in (name_of(name), address)]
    results, _ = fetch_all("--ca", ca, "--at-once", 3, "--waiting", 64, *arguments)
    kinds = {"good": "fine", "chunked": "fine", "missing": "status",
             "expired": "expired", "html": "wrong-type"}
    assert sorted(r["kind"] for r in results) == sorted(kinds[name] for name in names)
    for result in results:
        assert result["kind"] == kinds[result["host"].split(".")[1]]


def test_as_many_run_as_may(ca, hosts):
    """No more at once, and no fewer; half of them at one address."""
    first, second = hosts(), hosts()
    words = [word for host in (first, second)
             for word in [name_of("held"), f"127.0.0.1:{host.port}"] * 9]
    results, _ = fetch_all("--ca", ca, "--at-once", 6, *words)
    assert [r["kind"] for r in results] == ["fine"] * 18
    assert (first.held_most, second.held_most) == (3, 3)


def test_no_more_run_because_they_lead_elsewhere(ca, hosts):
    """Each address may have its share free: who would be one too many waits."""
    words = [word for name in ("held", "good")
             for word in (name_of(name), f"127.0.0.1:{hosts().port}")]
    results, _ = fetch_all("--ca", ca, "--at-once", 1, *words)
    assert [(r["host"], r["kind"]) for r in results] == [
        (name_of("held"), "fine"), (name_of("good"), "fine")]


def test_they_begin_in_their_order(ca, hosts):
    host = hosts()
    names = ["good", "missing", "chunked", "html", "good", "until-close", "empty", "missing"]
    words = [word for name in names for word in (name_of(name), f"127.0.0.1:{host.port}")]
    results, _ = fetch_all("--ca", ca, "--at-once", 1, *words)
    assert [r["host"] for r in results] == [name_of(name) for name in names]
    assert [asked.sni for asked in host.asked] == [name_of(name) for name in names]


def test_a_close_notify_is_that_of_one_connection(ca, host):
    """Who has not said it has not, whatever others say meanwhile."""
    names = ["cut-unsaid", "until-close", "cut-unsaid-late", "until-close"] * 4
    words = [word for name in names for word in (name_of(name), f"127.0.0.1:{host.port}")]
    results, _ = fetch_all("--ca", ca, "--at-once", 32, *words)
    assert len(results) == 16
    for result in results:
        whole = result["host"] == name_of("until-close")
        assert result["kind"] == ("fine" if whole else "broken"), result


def test_a_callback_begins_another(ca, host):
    address = f"127.0.0.1:{host.port}"
    before = len(host.asked)
    results, _ = fetch_all("--ca", ca, "--at-once", 2, "--then", "begin",
                           name_of("missing"), address, name_of("good"), address)
    assert sorted(r["kind"] for r in results) == ["fine", "fine", "status"]
    assert len(host.asked) == before + 3


@pytest.mark.parametrize("at_once", [1, 4, 16])
def test_a_callback_cancels_others(ca, host, at_once):
    """Those that run, that wait, and that are done but were not told yet."""
    address = f"127.0.0.1:{host.port}"
    names = ["good", "silent", "good", "missing", "drip", "good"]
    words = [word for name in names for word in (name_of(name), address)]
    results, _ = fetch_all("--ca", ca, "--at-once", at_once, "--then", "cancel", *words)
    assert [r["kind"] for r in results[1:]] == ["fine"], results
    assert results[0]["kind"] in ("fine", "status")
    results, _ = fetch_all("--ca", ca, "--then", "cancel", *[name_of("good"), ","] * 5)
    assert [r["kind"] for r in results] == ["no-connection"] * 2


def test_the_queue_has_an_end(ca, host, hosts):
    """What does not fit is told so at once; who waits, waits within its time."""
    address = f"127.0.0.1:{host.port}"
    arguments = [name_of("silent"), address, name_of("silent"), f"127.0.0.1:{hosts().port}",
                 *[name_of("good"), address] * 5]
    results, _ = fetch_all("--ca", ca, "--at-once", 2, "--waiting", 3,
                           "--timeout", SOON, *arguments)
    assert [r["kind"] for r in results[:2]] == ["busy"] * 2
    assert all(r["ms"] < SOON for r in results[:2])
    assert {r["text"] for r in results[:2]} == {"too many fetches at once"}
    # The time of all others is over within a few milliseconds: one that waited
    # may begin before it ends.
    kinds = [r["kind"] for r in results[2:]]
    assert kinds.count("too-slow") == 2 and "fine" not in kinds
    assert set(kinds) <= {"too-slow", "busy", "no-connection"}


def test_a_slow_host_does_not_have_all_turns(ca, host, hosts):
    """Names without number may lead to one address; who is behind them passes."""
    slow = hosts()
    words = [name_of("silent"), f"127.0.0.1:{slow.port}"] * 12
    words += [name_of("good"), f"127.0.0.1:{host.port}"] * 5
    results, _ = fetch_all("--ca", ca, "--at-once", 4, "--waiting", 10, "--timeout", 2000, *words)
    good = [r for r in results if r["host"] == name_of("good")]
    assert [r["kind"] for r in good] == ["busy"] * 3 + ["fine"] * 2, good
    assert all(r["ms"] < 1500 for r in good)
    assert len(slow.asked) == 2
    assert [r["kind"] for r in results].count("too-slow") == 2


def test_the_next_one_starts_when_one_ends(ca, host):
    address = f"127.0.0.1:{host.port}"
    results, _ = fetch_all("--ca", ca, "--at-once", 1, "--timeout", 20_000,
                           *[name_of("good"), address] * 20)
    assert [r["kind"] for r in results] == ["fine"] * 20


@pytest.mark.parametrize("ms", [1, 5, 30, 300])
def test_giving_up_on_the_way_leaks_nothing(ca, host, ms):
    """The sanitizers look; nothing is called for what was given up."""
    address = f"127.0.0.1:{host.port}"
    names = ["silent", "drip", "drip-head", "silent", "silent", "drip"] * 4
    arguments = [word for name in names for word in (name_of(name), address)]
    begun = time.monotonic()
    results, _ = fetch_all("--ca", ca, "--cancel", ms, "--at-once", 12, *arguments)
    assert results == [] and time.monotonic() - begun < 30


def test_a_gzipped_policy_is_one():
    """The lab does not lie by accident: it is refused for its encoding alone."""
    assert ZIPPED != POLICY and ZIPPED.startswith(b"\x1f\x8b")
