"""Renewed certificates beside an MTA-STS policy of ours (RFC 8461)."""
import pytest

from support.renewal_place import (  # noqa: F401  a fixture
    HOST, Chain, PolicyHost, answer, only_case, place, shown, wait_shown)
from support.wait import wait_until


@pytest.mark.parametrize("mode", ["enforce", "testing", "none"])
def test_a_policy_of_ours_is_held_to(danelaw, place, started, mode):
    """RFC 8461 4.2: self-signed is not what a policy promises; in mode none it does."""
    host = PolicyHost(place.pki)
    started.append(host)
    host.behaviours = {"good": (answer(
        f"version: STSv1\r\nmode: {mode}\r\nmx: {HOST}\r\nmax_age: 86400\r\n".encode()),)}
    place.more = ["mta-sts A 127.0.0.1", '_mta-sts TXT "v=STSv1; id=1;"']
    old = place.chain("old")
    place.records()
    place.put(old)
    place.serve()
    server = danelaw({**place.config(mta_sts=True), "mta_sts": {"port": host.port}})
    assert shown(server) == "old"
    place.put(place.chain("new", issuer="self"))
    if mode == "none":
        server.wait_event("certificate-renewed")
        wait_shown(server, "new")
        return
    line = server.wait_event("certificate-refused")
    assert line["rule"] == {"enforce": "mta-sts", "testing": "mta-sts-testing"}[mode]
    assert f"in mode {mode}, and the new chain is not valid for {HOST}" in line["reason"]
    assert shown(server) == "old"
    place.put(place.chain("third"))
    server.wait_event("certificate-renewed")
    wait_shown(server, "third")


@pytest.mark.parametrize("after", ["none", "no record"])
def test_a_policy_of_before_is_waited_for(danelaw, place, started, after):
    """RFC 8461 8.3: mode none frees nobody who has one in mode enforce yet."""
    host = PolicyHost(place.pki)
    started.append(host)

    def say(*lines):
        text = "".join(f"{line}\r\n" for line in ("version: STSv1", "max_age: 4", *lines))
        host.behaviours = {"good": (answer(text.encode()),)}
    say("mode: enforce", f"mx: {HOST}")
    record = '_mta-sts TXT "v=STSv1; id=1;"'
    place.more = ["mta-sts A 127.0.0.1", record]
    old = place.chain("old")
    place.records()
    place.put(old)
    place.serve()
    server = danelaw({**place.config(mta_sts=True), "mta_sts": {"port": host.port}})
    place.put(place.chain("new", issuer="self"))
    server.wait_event("certificate-refused", rule="mta-sts")
    assert "for the max_age of the old one (4 s), not before " in only_case(server)["remedy"]
    if after == "none":
        say("mode: none")
    else:
        place.more.remove(record)
        place.records()
    line = server.wait_event("certificate-waits", certificate="mx", rule="caches")
    assert "but one of before does" in line["reason"]
    assert shown(server) == "old"
    server.wait_event("certificate-renewed")
    wait_shown(server, "new")


@pytest.mark.parametrize("name", [HOST, "*.good.test"])
def test_nobody_tells_the_mx_of_a_domain(danelaw, place, started, name):
    """RFC 7672 2.1.1: any host may be one of them; a policy in force stays so, and so does
    the wait for it (RFC 8461 8.3)."""
    host = PolicyHost(place.pki)
    started.append(host)

    def say(*lines):
        text = "".join(f"{line}\r\n" for line in ("version: STSv1", "max_age: 86400", *lines))
        host.behaviours = {"hosted": (answer(text.encode()),)}

    def chain(cn, host=name, **how):
        return place.pki.chain(Chain(cn=cn, **how), host, "good.test")

    zone = place.tree.zone("hosted.test.", f"@ MX 10 {HOST}.\nmta-sts A 127.0.0.1\n"
                           '_mta-sts TXT "v=STSv1; id=1;"\n', ttl=1)

    def tell(signed):
        zone.strip = "" if signed else "RRSIG"
        place.server.publish()

    def comes_to(rule):
        wait_until(lambda: only_case(server)["rule"] == rule, rule)
    say("mode: enforce", f"mx: {HOST}")
    place.records()
    place.put(chain("old"))
    place.serve()
    config = place.config(mta_sts=True)
    config["hostname"] = "mail.provider.example"  # no MX, and another chain is its own
    config["domain hosted.test"] = config.pop("domain good.test")
    own = str(chain("own", "mail.provider.example").file)
    config["certificate own"] = {"chain": own, "key": own, "root": str(place.root)}
    server = danelaw({**config, "mta_sts": {"port": host.port}})
    tell(signed=False)
    place.put(chain("new", issuer="self"))
    line = server.wait_event("certificate-refused", certificate="mx", rule="mta-sts-unknown")
    assert "(MX of hosted.test: " in line["reason"], line
    assert f"the new chain is not valid for {name}: " in line["reason"], line
    tell(signed=True)
    comes_to("mta-sts")
    say("mode: none")
    comes_to("caches")
    tell(signed=False)
    comes_to("mta-sts-unknown")
    tell(signed=True)
    comes_to("caches")
    assert shown(server) == "old"
    tell(signed=False)
    place.put(chain("third"))  # whoever asks for what is fine with it
    server.wait_event("certificate-renewed")
    wait_shown(server, "third")


def test_the_policy_cannot_be_had(danelaw, place):
    """Of a record and no policy host nobody knows what is promised."""
    place.more = ["mta-sts A 127.0.0.1", '_mta-sts TXT "v=STSv1; id=1;"']
    old = place.chain("old")
    place.records()
    place.put(old)
    place.serve()
    server = danelaw({**place.config(mta_sts=True), "mta_sts": {"port": 9}})
    place.put(place.chain("new", issuer="self"))
    server.wait_event("certificate-refused", rule="mta-sts-unknown")
    assert shown(server) == "old"
    place.put(place.chain("third"))  # whoever asks for what is fine with it
    server.wait_event("certificate-renewed")
    wait_shown(server, "third")
