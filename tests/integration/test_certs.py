"""Certificates of our own: checked when loaded, shown, presented by name."""
import json
import pathlib
import re
import signal
import subprocess
import sys

import pytest

from support.wait import wait_until

sys.path.insert(0, str(pathlib.Path(__file__).parents[1]))
from lab.pki import Chain, Pki, pem  # noqa: E402

SUBJECT = re.compile(r"^ \d+ s:CN = (.*)$", re.MULTILINE)


@pytest.fixture
def pki(tmp_path):
    tmp_path.chmod(0o755)
    made = Pki(tmp_path / "tls")
    (made.folder / "root.pem").write_bytes(pem(made.certificate("root")))
    return made


def block(pki, cn, *names, root=True, **how):
    """A certificate { } of the configuration."""
    more = {key: how.pop(key) for key in ("default", "names") if key in how}
    made = pki.chain(Chain(names=names, cn=cn, **how), host=cn, domain="test")
    if root:
        more["root"] = str(pki.folder / "root.pem")
    return {"chain": str(made.file), "key": str(made.file), **more}


def shown(server, *words):
    """The subjects of the chain that a client is sent, its own first."""
    done = subprocess.run(
        ["openssl", "s_client", "-connect", f"127.0.0.1:{server.port}", "-starttls",
         "smtp", "-showcerts", "-name", "client.test.example", *words],
        input="QUIT\r\n", capture_output=True, text=True, check=False, timeout=30)
    assert done.returncode == 0, done.stderr
    return SUBJECT.findall(done.stdout)


def test_each_name_has_its_chain(danelaw, pki):
    """RFC 7672 8.1, RFC 8461 7.1: three names on one address, and no alert for others."""
    server = danelaw({
        "certificate one": block(pki, "one", "mx.test.example"),
        "certificate two": block(pki, "two", "mx.other.example", send=("leaf", "inter")),
        "certificate wild": block(pki, "wild", "*.test.example", issuer="deep")})
    whole = ["lab inter", "lab root"]
    assert shown(server, "-servername", "mx.test.example") == ["one", *whole]
    assert shown(server, "-servername", "MX.other.example") == ["two", "lab inter"]
    assert shown(server, "-servername", "a.test.example") == ["wild", "lab deep", *whole]
    for words in (["-noservername"], ["-servername", "nobody.example"],
                  ["-servername", "a.b.test.example"]):
        assert shown(server, *words) == ["one", *whole]


def test_the_default_is_said(danelaw, pki):
    server = danelaw({
        "certificate one": block(pki, "one", "mx.test.example"),
        "certificate two": block(pki, "two", "mx.other.example", default=True)})
    assert shown(server, "-noservername")[0] == "two"
    assert shown(server, "-servername", "nobody.example")[0] == "two"
    assert shown(server, "-servername", "mx.test.example")[0] == "one"
    listed = [json.loads(line) for line in server.ctl("certs", "--json").stdout.splitlines()]
    assert [(one["name"], one["default"]) for one in listed] == [("one", False), ("two", True)]


def test_kinds_of_keys_stand_side_by_side(danelaw, pki):
    """RFC 8446 4.4.2.2: the client gets one that it can verify."""
    server = danelaw({
        "certificate ec": block(pki, "ec", "mx.test.example"),
        "certificate rsa": block(pki, "rsa", "mx.test.example", key="rsa")})
    for name in (["-noservername"], ["-servername", "mx.test.example"]):
        assert shown(server, *name, "-sigalgs", "ECDSA+SHA256")[0] == "ec"
        assert shown(server, *name, "-sigalgs", "RSA-PSS+SHA256")[0] == "rsa"
        assert shown(server, *name, "-tls1_2", "-cipher", "ECDHE-RSA-AES128-GCM-SHA256",
                     )[0] == "rsa"


def reload(server, **certificates):
    server.write_config({f"certificate {name}": how for name, how in certificates.items()})
    server.process.send_signal(signal.SIGHUP)


def test_a_missing_one_is_named(danelaw, pki):
    """check-config, certs and the daemon say which, and the old one goes on."""
    server = danelaw({"certificate mx": block(pki, "old", "mx.test.example")})
    reload(server, mx=block(pki, "new", "mx.test.example", send=("leaf",)))
    told = ('certificate "mx": the certificate of CN=lab inter is missing, which has issued '
            'number 1 (CN=new)')
    done = server.ctl("check-config", check=False)
    assert done.returncode == 1 and told in done.stderr
    wait_until(lambda: "CN=lab inter is missing" in server.log_text(), "the reload is refused")
    assert shown(server, "-noservername")[0] == "old"
    done = server.ctl("certs", "--json", check=False)
    assert done.returncode == 1
    assert "CN=lab inter is missing" in json.loads(done.stdout)["problems"][0]
    reload(server, mx=block(pki, "new", "mx.test.example", send=("inter", "leaf", "root")))
    wait_until(lambda: "of those in the file: 2, 1, 3" in server.log_text(), "the order is said")
    assert shown(server, "-noservername")[0] == "old"
    reload(server, mx=block(pki, "new", "mx.test.example"))
    wait_until(lambda: shown(server, "-noservername")[0] == "new", "the new one is presented")


@pytest.mark.parametrize(("how", "told"), [
    ({"root": False}, "number 3 (CN=lab root) is an authority that this system does not know"),
    ({"key": "rsa1024"}, "EE certificate key too weak"),
    ({"issuer": "inter-sha1"}, "digest algorithm too weak"),
    ({"issuer": "inter-old"}, "number 2 (CN=lab inter-old) has expired"),
    ({"purpose": "client"}, "purpose"),
    ({"names": ["mx.test.example", "mx2.test.example"]}, "does not cover mx2.test.example"),
    ({"names": []}, None)])
def test_what_is_wrong_is_said(danelaw, pki, how, told):
    server = danelaw({"certificate mx": block(pki, "mx", "mx.test.example", **how)}
                     if told else None, start=False)
    if told is None:  # two of them cannot be the default
        server.write_config({f"certificate {name}": block(
            pki, name, "mx.test.example", default=True) for name in ("a", "b")})
        told = 'certificate "b": default: "a" is the default already'
    done = server.ctl("check-config", check=False)
    said = done.stdout + done.stderr
    assert told in said
    assert done.returncode == (0 if "warning" in said else 1)


def test_certs_is_a_table(danelaw, pki):
    server = danelaw({
        "certificate one": block(pki, "one", "mx.test.example", "mx.other.example"),
        "certificate two": block(pki, "two", "*.test.example", key="rsa", days=(-30, 10))},
        start=False)
    done = server.ctl("certs")
    first = [line.split()[0] for line in done.stdout.splitlines()]
    assert first == ["name", "one", "two", "problems:"]
    assert done.stdout.endswith("\n    problems: warning: the certificate expires within 14 days\n")
    assert "mx.test.example, mx.other.example" in done.stdout
    one, two = (json.loads(line) for line in server.ctl("certs", "--json").stdout.splitlines())
    assert one == {**one, "name": "one", "names": ["mx.test.example", "mx.other.example"],
                   "default": True, "issuer": "CN=lab inter", "sent": 3, "problems": []}
    assert 298 <= one["days_left"] <= 300
    assert two["default"] is False and two["key"].startswith("RSA")
    assert two["problems"] == ["warning: the certificate expires within 14 days"]


def test_certs_says_what_check_config_says(danelaw, pki, tmp_path):
    """Of the key, the order, and of a file that is not there."""
    wrong = block(pki, "wrong", "a.example")
    wrong["key"] = block(pki, "other", "b.example")["key"]
    gone = {**block(pki, "gone", "c.example"), "chain": str(tmp_path / "none.pem")}
    server = danelaw({
        "certificate wrong": wrong, "certificate gone": gone,
        "certificate order": block(pki, "order", "d.example", send=("root", "inter", "leaf"))},
        start=False)
    done = server.ctl("certs", "--json", check=False)
    wrong, gone, order = map(json.loads, done.stdout.splitlines())
    assert done.returncode == 1
    assert wrong["problems"] == ["the key does not belong to the certificate"]
    assert (gone["name"], "No such file" in gone["problems"][0]) == ("gone", True)
    assert "of those in the file: 3, 2, 1" in order["problems"][0]
    said = server.ctl("check-config", check=False).stderr
    for one in (wrong, gone, order):
        assert f'certificate "{one["name"]}": {one["problems"][0]}' in said
    assert "No such file" in server.ctl("certs", check=False).stdout


def test_no_problem_is_cut(danelaw, pki, tmp_path):
    """Each stands whole on a line of its own, below its certificate."""
    host = ".".join(["a" * 60, "b" * 60, "c" * 60, "d" * 55, "example"])
    gone = {**block(pki, "gone", "c.example"), "chain": str(tmp_path / "none.pem")}
    server = danelaw({
        "certificate long": block(pki, "long", "mx.test.example", names=[host, "short.example"]),
        "certificate gone": gone}, start=False)
    done = server.ctl("certs", check=False)
    found = [json.loads(line)["problems"]
             for line in server.ctl("certs", "--json", check=False).stdout.splitlines()]
    assert found[0] == [f"the certificate does not cover {name}" for name in (host, "short.example")]
    assert len(found[1]) == 1 and "none.pem" in found[1][0]
    assert re.findall(r"^    problems: (.*)$", done.stdout, re.MULTILINE) == sum(found, [])
    head = done.stdout.splitlines()[0]
    assert head.split() == ["name", "names", "default", "key", "issuer", "expires", "sent"]
    assert [line.split()[0] for line in done.stdout.splitlines()] == [
        "name", "long", "problems:", "problems:", "gone", "problems:"]


def test_certs_without_any(danelaw):
    server = danelaw(start=False)
    assert "STARTTLS is not offered" in server.ctl("certs").stdout
    assert server.ctl("certs", "--json").stdout == ""
    assert server.ctl("certs", "x", check=False).returncode == 2


def test_the_end_is_said_before_it_comes(danelaw, pki):
    """In the log from 30 days on; status has an alarm in the last week."""
    server = danelaw({
        "certificate long": block(pki, "long", "a.example", days=(-30, 40)),
        "certificate soon": block(pki, "soon", "b.example", days=(-30, 20))})
    assert [line["certificate"] for line in server.events("certificate-expires")] == ["soon"]
    assert "certificates" not in server.ctl("status").stdout
    reload(server, week=block(pki, "week", "a.example", days=(-30, 6)),
           day=block(pki, "day", "b.example", days=(-30, 2)))
    server.wait_event("certificate-expires", certificate="week")
    server.wait_event("certificate-expires", certificate="day")
    done = server.ctl("status", check=False)
    assert done.returncode == 1
    assert 'certificates: certificate "day" expires in ' in done.stdout
    assert "state: degraded" in done.stdout
    reload(server, mx=block(pki, "mx", "mx.test.example"))
    wait_until(lambda: server.ctl("status", check=False).returncode == 0, "it is over")
