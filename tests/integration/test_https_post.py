"""Sending a report by HTTPS: the real sender against every kind of host."""
import random
import sys

import pytest

from support.daemon import ROOT
from support.https import authorities, run
from support.wait import free_port, wait_until

sys.path.insert(0, str(ROOT / "tests"))
from lab.pki import Pki  # noqa: E402
from lab.policy_host import name_of, ssl  # noqa: E402
from lab.report_host import ReportHost  # noqa: E402

SOON = 700      # milliseconds; what is too slow is this much too slow
MIB = 1 << 20
LARGEST = 10 * MIB


@pytest.fixture(scope="module")
def pki(run_folder):
    return Pki(run_folder / "tls" / "https-post")


@pytest.fixture(scope="module")
def ca(pki):
    return authorities(pki)


@pytest.fixture(scope="module")
def host(pki):
    made = ReportHost(pki)
    yield made
    made.stop()


@pytest.fixture
def hosts(pki, started):
    def make(*args, **how):
        started.append(ReportHost(pki, *args, **how))
        return started[-1]
    return make


@pytest.fixture
def report(tmp_path):
    """report(n): a file of n octets of any value."""
    def make(n):
        path = tmp_path / f"report-{n}"
        path.write_bytes(random.Random(n).randbytes(n))
        return path
    return make


def post(ca, host, name, path, *options, env=None):
    """What came of it, and how the host saw it (None: not at all)."""
    before = len(host.asked)
    (result,), grown = run("--ca", ca, "--post", path, *options, name_of(name),
                           f"127.0.0.1:{host.port}", env=env)
    assert grown < 60_000
    assert len(host.asked) <= before + 1
    assert result["body"] == ""
    return result, host.asked[before] if len(host.asked) > before else None


# --- what hosts do -----------------------------------------------------------

@pytest.mark.parametrize("name, status", [
    ("ok", 200), ("created", 201), ("accepted", 202), ("no-content", 204), ("partial", 206),
    ("odd", 299), ("gzip", 200), ("chunked", 200), ("interim", 200), ("wildcard", 200),
])
def test_a_report_is_taken(ca, host, report, name, status):
    """RFC 8460 5.4: a "successful" response, whatever it says beside."""
    result, seen = post(ca, host, name, report(5000))
    assert (result["kind"], result["status"]) == ("fine", status), result
    assert result["text"] == f"127.0.0.1:{host.port}: status {status}"
    assert seen.body == report(5000).read_bytes()


@pytest.mark.parametrize("size", [
    0, 1, 16384, 65535, 65536, 65537, MIB, MIB + 1, LARGEST,
])
def test_it_comes_byte_for_byte(ca, host, report, size):
    """Where libcurl takes another way with more of it, too."""
    result, seen = post(ca, host, "created", report(size), "--timeout", 60_000)
    assert (result["kind"], result["status"]) == ("fine", 201), result
    assert seen.length() == size and seen.body == report(size).read_bytes()


@pytest.mark.parametrize("name, status", [
    ("moved", 301), ("found", 302), ("other", 303), ("unmodified", 304), ("temporary", 307),
    ("permanent", 308), ("bad", 400), ("password", 401), ("missing", 404), ("large", 413),
    ("broken", 500), ("unavailable", 503),
])
def test_a_report_is_refused(ca, host, report, name, status):
    """Nothing but a 2xx, and no redirect is followed."""
    result, _ = post(ca, host, name, report(5000))
    assert (result["kind"], result["status"]) == ("status", status), result


@pytest.mark.parametrize("name", ["endless", "trailers", "extension", "cut", "cut-chunk",
                                  "cut-unsaid", "lengths"])
def test_an_answer_is_in_its_head(ca, host, report, name):
    """Who has taken a report has taken it, however the answer goes on."""
    host.sent.pop(name, None)
    result, seen = post(ca, host, name, report(5000))
    assert (result["kind"], result["status"]) == ("fine", 200), result
    assert seen.body == report(5000).read_bytes()
    assert result["ms"] < 20_000 and host.sent[name] < 16 << 20


def test_an_answer_that_drips_does_not_keep_us(ca, host, report):
    result, _ = post(ca, host, "drip", report(5000), "--timeout", SOON)
    assert (result["kind"], result["status"]) == ("fine", 200), result
    assert SOON <= result["ms"] < SOON + 3000


@pytest.mark.parametrize("name", ["headers", "interims"])
def test_a_head_that_goes_on_for_ever_is_stopped(ca, host, report, name):
    host.sent.pop(name, None)
    result, _ = post(ca, host, name, report(5000))
    assert result["kind"] == "too-large", result
    assert result["ms"] < 20_000 and host.sent[name] < 16 << 20


@pytest.mark.parametrize("name", ["closes", "no-status", "http09"])
def test_what_is_no_answer(ca, host, report, name):
    result, _ = post(ca, host, name, report(5000))
    assert (result["kind"], result["status"]) == ("broken", 0), result


@pytest.mark.parametrize("name, size", [
    ("silent", 5000), ("drip-head", 5000), ("never-reads", LARGEST), ("early-never-reads", LARGEST),
])
def test_a_slow_host_is_given_up(ca, host, report, name, size):
    """Also one that has said 200, and does not read."""
    result, _ = post(ca, host, name, report(size), "--timeout", SOON)
    assert result["kind"] == "too-slow", result
    assert SOON <= result["ms"] < SOON + 3000


# --- before all of it is there -----------------------------------------------

def test_a_host_drops_the_connection(ca, host, report):
    """Whether the report came is not known: it is not sent again from here."""
    result, seen = post(ca, host, "drops", report(LARGEST))
    assert (result["kind"], result["status"]) == ("broken", 0), result
    assert len(seen.body) < LARGEST


@pytest.mark.parametrize("size", [5000, LARGEST])
def test_an_answer_may_come_early(ca, host, report, size):
    """Then all is sent nevertheless."""
    result, seen = post(ca, host, "early", report(size))
    assert (result["kind"], result["status"]) == ("fine", 200), result
    wait_until(lambda: seen.body == report(size).read_bytes(), "all of the report there")


@pytest.mark.parametrize("name", ["early-drops", "early-closes"])
def test_an_early_answer_takes_nothing(ca, host, report, name):
    """A 200 to what was not sent is none (RFC 9110 15.3); a reset may come
    before it is read."""
    result, _ = post(ca, host, name, report(LARGEST))
    assert result["kind"] == "broken" and result["ms"] < 20_000, result
    assert result["status"] == 200 or name == "early-drops"


def test_an_early_refusal_ends_it(ca, host, report):
    result, _ = post(ca, host, "early-no", report(LARGEST), "--timeout", 20_000)
    assert (result["kind"], result["status"]) == ("status", 413), result
    assert result["ms"] < 10_000


# --- TLS ---------------------------------------------------------------------

@pytest.mark.parametrize("name, kind", [
    ("expired", "expired"), ("wrong-name", "wrong-name"), ("common-name", "wrong-name"),
    ("self-signed", "not-trusted"), ("unknown-ca", "not-trusted"), ("weak-key", "not-trusted"),
])
def test_a_certificate_does_not_pass(ca, host, report, name, kind):
    """RFC 8460 3 would let us ignore it: we do not, and nothing is sent."""
    result, seen = post(ca, host, name, report(5000))
    assert (result["kind"], result["status"], seen) == (kind, 0, None), result


@pytest.mark.parametrize("most, kind", [
    (ssl.TLSVersion.TLSv1_1, "tls-failed"), (ssl.TLSVersion.TLSv1_2, "fine"),
])
def test_versions_of_tls(ca, hosts, report, most, kind):
    """RFC 8996 5."""
    result, _ = post(ca, hosts(only="ok", most=most), "ok", report(5000))
    assert result["kind"] == kind, result


# --- what a host is asked ----------------------------------------------------

@pytest.mark.parametrize("size", [0, 5000, LARGEST])
def test_the_fields_of_a_request(ca, host, report, size):
    """RFC 8460 5.4: the media type; RFC 9110 10.1.1: no expectations."""
    _, seen = post(ca, host, "ok", report(size), "--path", "/v1/tlsrpt")
    first, *fields = seen.head.split("\r\n")
    assert first == "POST /v1/tlsrpt HTTP/1.1"
    assert sorted(field.lower() for field in fields) == [
        "accept: */*", f"content-length: {size}", "content-type: application/tlsrpt+gzip",
        "host: mta-sts.ok.test", "user-agent: danelaw"]
    assert seen.sni == "mta-sts.ok.test"


def test_the_host_goes_with_its_port(ca, host, report):
    """RFC 9110 7.2; where the usual one is meant, none is said."""
    for port, said in ((8443, "mta-sts.ok.test:8443"), (443, "mta-sts.ok.test")):
        result, seen = post(ca, host, "ok", report(1), "--port", port)
        assert result["kind"] == "fine" and f"Host: {said}\r\n" in seen.head + "\r\n"


@pytest.mark.parametrize("path", [
    "/", "/?", "/?a=b&c=%2C", "//x", "/a/../b/./c", "/%61%2f%2F", "/;a,b!$'()*+~-._:@=",
    "/[]?[]", "/a?/?@x:1", pytest.param("/" + "x" * 1023, id="longest"),
])
def test_a_path_is_asked_for_as_it_stands(ca, host, report, path):
    result, seen = post(ca, host, "ok", report(1), "--path", path)
    assert result["kind"] == "fine", result
    assert seen.head.split("\r\n")[0] == f"POST {path} HTTP/1.1"


@pytest.mark.parametrize("path", ["", "x", "?x", "/x y", "/x#y", "/\r\nX: y", "/\xfc",
                                  pytest.param("/" + "x" * 1024, id="too-long")])
def test_what_is_no_path_is_not_asked_for(ca, host, report, path):
    result, seen = post(ca, host, "ok", report(1), "--path", path)
    assert (result["kind"], result["text"]) == ("no-connection", "not a path"), result
    assert seen is None


def test_the_environment_has_no_say(ca, host, report, tmp_path):
    proxy = f"http://127.0.0.1:{free_port()}"
    (tmp_path / ".netrc").write_text("default login user password secret\n")
    (tmp_path / ".netrc").chmod(0o600)
    (tmp_path / ".curlrc").write_text(f"insecure\nproxy = {proxy}\n")
    env = {"https_proxy": proxy, "HTTPS_PROXY": proxy, "all_proxy": proxy, "ALL_PROXY": proxy,
           "HOME": str(tmp_path), "CURL_HOME": str(tmp_path), "NETRC": str(tmp_path / ".netrc"),
           "SSL_CERT_FILE": "/nonexistent", "CURL_CA_BUNDLE": "/nonexistent"}
    result, seen = post(ca, host, "ok", report(5000), env=env)
    assert result["kind"] == "fine", result
    assert "authorization" not in seen.head.lower()


# --- where to ----------------------------------------------------------------

def test_the_next_address_is_tried(ca, host, report):
    """As long as there is no connection."""
    before = len(host.asked)
    dead, there = f"127.0.0.1:{free_port()}", f"127.0.0.1:{host.port}"
    (result,), _ = run("--ca", ca, "--post", report(MIB), name_of("ok"), f"{dead},{there}")
    assert result["kind"] == "fine", result
    assert [asked.body for asked in host.asked[before:]] == [report(MIB).read_bytes()]


@pytest.mark.parametrize("name", ["drops", "broken", "closes", "self-signed"])
def test_and_no_other_after_that(ca, host, hosts, report, name):
    """Who was connected to may have it."""
    other = hosts()
    (result,), _ = run("--ca", ca, "--post", report(MIB), name_of(name),
                       f"127.0.0.1:{host.port},127.0.0.1:{other.port}")
    assert result["kind"] != "fine" and other.asked == [], result


# --- limits ------------------------------------------------------------------

def test_what_is_too_large_is_not_sent(ca, host, report):
    """By itself: it is our fault, whatever the host."""
    result, seen = post(ca, host, "ok", report(LARGEST + 1))
    assert result["kind"] == "ours" and str(LARGEST + 1) in result["text"] and seen is None
    result, seen = post(ca, host, "ok", report(5001), "--post-max", 5000)
    assert (result["kind"], result["text"]) == ("ours", "5001 octets, more than 5000")
    assert seen is None
    result, seen = post(ca, host, "ok", report(5000), "--post-max", 5000)
    assert result["kind"] == "fine" and len(seen.body) == 5000


def test_all_together_have_a_limit(ca, host, report):
    """Those that wait have theirs, too; who does not fit is told so at once."""
    address = f"127.0.0.1:{host.port}"
    words = [name_of("silent"), address] * 3 + [name_of("ok"), address] * 2
    results, _ = run("--ca", ca, "--post", report(5000), "--at-once", 1, "--timeout", SOON,
                     "--posts-max", 15_000, *words)
    refused = [r for r in results if r["text"] == "too much to send at once"]
    assert [(r["host"], r["kind"]) for r in refused] == [(name_of("ok"), "busy")] * 2
    assert all(r["ms"] < SOON for r in refused)
    assert len([r for r in results if r["kind"] in ("too-slow", "busy")]) == 5


def test_what_was_sent_makes_room(ca, host, report):
    """When the callback is called already."""
    results, _ = run("--ca", ca, "--post", report(5000), "--posts-max", 5000,
                     "--then", "begin", name_of("ok"), f"127.0.0.1:{host.port}")
    assert [r["kind"] for r in results] == ["fine", "fine"], results


def test_without_descriptors(ca, host, report):
    result, seen = post(ca, host, "ok", report(5000), "--without", "files")
    assert result["kind"] == "ours" and "Too many open files" in result["text"], result
    assert seen is None


# --- many at once ------------------------------------------------------------

def test_many_take_turns(ca, hosts, report):
    """Each has its answer, and its report comes whole."""
    host = hosts()
    names = ["ok", "missing", "created", "moved", "expired"] * 6
    kinds = {"ok": "fine", "created": "fine", "missing": "status", "moved": "status",
             "expired": "expired"}
    words = [word for name in names for word in (name_of(name), f"127.0.0.1:{host.port}")]
    results, _ = run("--ca", ca, "--post", report(100_000), "--at-once", 4, *words)
    assert len(results) == 30 and len(host.asked) == 24
    for result in results:
        assert result["kind"] == kinds[result["host"].split(".")[1]], result
    assert {asked.body for asked in host.asked} == {report(100_000).read_bytes()}


@pytest.mark.parametrize("ms", [1, 20, 300])
def test_giving_up_while_sending_leaks_nothing(ca, host, report, ms):
    """The sanitizers look; nothing is called for what was given up."""
    words = [word for name in ["never-reads", "silent", "drip"] * 5
             for word in (name_of(name), f"127.0.0.1:{host.port}")]
    results, _ = run("--ca", ca, "--post", report(MIB), "--cancel", ms, "--at-once", 12, *words)
    assert results == []


@pytest.mark.parametrize("at_once", [1, 16])
def test_a_callback_cancels_others(ca, host, report, at_once):
    address = f"127.0.0.1:{host.port}"
    words = [word for name in ["ok", "never-reads", "ok", "missing", "silent", "ok"]
             for word in (name_of(name), address)]
    results, _ = run("--ca", ca, "--post", report(MIB), "--at-once", at_once,
                     "--then", "cancel", *words)
    assert [r["kind"] for r in results[1:]] == ["fine"], results
