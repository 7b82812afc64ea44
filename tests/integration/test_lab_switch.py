"""DANE switched off, and a resolver that cannot do DNSSEC: what mail does."""
import signal
import time

import pytest

from support import daemon
from support.clock import HOUR
from support.lab_fixtures import SCENARIOS, Run, open_lab
from support.wait import wait_until

pytestmark = pytest.mark.limit(120)

BROKEN = "starttls-not-offered"   # usable TLSA records, no TLS
GOOD = "ee-311"                   # matches
PLAIN = "no-tlsa"                 # a signed domain without TLSA
UNSIGNED = "insecure-unsigned"


@pytest.fixture(scope="module")
def lab(request):
    scenarios = [SCENARIOS[name] for name in (BROKEN, GOOD, PLAIN, UNSIGNED)]
    with open_lab(request, "lab-switch", scenarios) as made:
        yield made


@pytest.fixture
def run(lab, tmp_path):
    """make(config, clock): a daemon with more configuration, nothing sent yet."""
    runs = []

    def make(more=None, clock=None):
        one = Run(lab, tmp_path / "danelaw", "all")
        if clock:
            clock.drive(one.daemon)
        config = daemon.merge(lab.config("all"), {
            "retry": {"first": "1h"}, "timeouts": {"idle": "1m"},
            **({"resolver": daemon.merge(lab.config("all")["resolver"], more)}
               if more else {})})
        config["resolver"]["forward ."] = None
        one.daemon.write_config(config)
        one.daemon.start()
        runs.append(one)
        return one
    yield make
    for one in runs:
        one.stop()


def rcpt(lab, name):
    return lab.recipient(SCENARIOS[name])


def arrived(lab, name):
    return lab.arrivals.of(rcpt(lab, name), kept=True)


def nth_line(one, name, n):
    """The nth line event=delivery of a scenario's recipient."""
    to = rcpt(one.lab, name)
    return wait_until(lambda: one.daemon.events("delivery", to=to)[n - 1:],
                      f"{n} lines event=delivery to={to}")[0]


def test_off_delivers_and_on_defers_again(run, lab):
    """The operator's way out when somebody's DNSSEC has an accident."""
    one = run()
    before = len(arrived(lab, BROKEN))
    one.send([rcpt(lab, BROKEN)])
    assert nth_line(one, BROKEN, 1)["tls"] == "dane/no-offer/dane/dane"
    assert len(arrived(lab, BROKEN)) == before

    one.daemon.ctl("dane", "off", "--for", "1h", "--reason", "an accident")
    one.daemon.wait_event("dane-off")
    one.daemon.ctl("queue", "flush")
    line = nth_line(one, BROKEN, 2)
    assert line["outcome"] == "delivered"
    assert line["tls"] == "may/no-offer/none/default"
    assert len(arrived(lab, BROKEN)) == before + 1

    told = one.daemon.ctl("explain", rcpt(lab, GOOD), check=False)
    assert told.returncode == 1 and "does not look at DANE" in told.stdout

    # The link rests still; nothing decided before may be sent over it.
    one.daemon.ctl("dane", "on")
    one.daemon.wait_event("dane-on")
    assert one.daemon.ctl("explain", rcpt(lab, GOOD)).returncode == 0
    one.send([rcpt(lab, BROKEN)])
    line = nth_line(one, BROKEN, 3)
    assert (line["outcome"], line["tls"]) == (
        "deferred", "dane/no-offer/dane/dane")
    assert len(arrived(lab, BROKEN)) == before + 1


@pytest.mark.parametrize("back", [0, HOUR])
def test_its_time_ends_without_the_supervisor(run, lab, clock, back):
    """Each process looks at the clocks itself before it leaves DANE out."""
    one = run(clock=clock)
    one.daemon.ctl("dane", "off", "--for", "3s")
    one.daemon.wait_event("dane-off")
    before = len(arrived(lab, BROKEN))
    one.send([rcpt(lab, BROKEN)])
    assert nth_line(one, BROKEN, 1)["outcome"] == "delivered"
    one.daemon.process.send_signal(signal.SIGSTOP)
    clock.set(-back)
    try:
        time.sleep(4)
        one.send([rcpt(lab, BROKEN)])
        assert nth_line(one, BROKEN, 2)["outcome"] == "deferred"
    finally:
        one.daemon.process.send_signal(signal.SIGCONT)
    assert len(arrived(lab, BROKEN)) == before + 1


def test_a_role_that_starts_finds_it_off(run, lab):
    """Told before it can hear of mail: a reload changes nothing."""
    one = run()
    one.daemon.ctl("dane", "off", "--for", "1h")
    one.daemon.process.send_signal(signal.SIGHUP)
    one.daemon.wait_event("reloaded")
    one.send([rcpt(lab, BROKEN)])
    assert nth_line(one, BROKEN, 1)["outcome"] == "delivered"


def test_a_resolver_without_dnssec_is_never_insecure(run, lab):
    """RFC 7672 2.1.1: DANE is unavailable; nothing goes out as if there were
    no records."""
    names = (GOOD, PLAIN, UNSIGNED)
    one = run({"self_test": rcpt(lab, UNSIGNED).partition("@")[2]})
    line = one.daemon.wait_event("dnssec")
    assert line["resolver"] == "does not validate"
    before = [len(arrived(lab, name)) for name in names]
    one.send([rcpt(lab, name) for name in names])
    for name in names:
        line = nth_line(one, name, 1)
        assert line["outcome"] == "deferred", name
        assert line["tls"] == "defer/nothing/dane/tlsa-lookup", name
        assert "cannot do DNSSEC" in line["reason"], name
    assert [len(arrived(lab, name)) for name in names] == before

    told = one.daemon.ctl("explain", rcpt(lab, GOOD), check=False)
    assert told.returncode == 1 and "cannot do DNSSEC" in told.stdout

    # And the operator can decide that mail is worth more.
    one.daemon.ctl("dane", "off", "--for", "1h")
    one.daemon.wait_event("dane-off")
    time.sleep(0.2)
    one.daemon.ctl("queue", "flush")
    for name in names:
        assert nth_line(one, name, 2)["outcome"] == "delivered"
    wait_until(lambda: [len(arrived(lab, name)) for name in names]
               == [n + 1 for n in before], "all of it arrived")
