"""Whoever holds the network between us and a domain that has MTA-STS gets no
mail for it, once there was a good fetch (RFC 8461 3.3, 10.2).

All domains of the laboratory are attacked at the same time, each in its way: at
once, with a daemon started anew and an hour later, with one that has read its
configuration anew.  Then it ends.  A test is about one of the domains.
"""
import re
import signal
import time
from dataclasses import dataclass, field

import pytest

from support.lab_fixtures import SCENARIOS, Run, ending, names_of, open_lab
from support.wait import wait_until

from lab.attacker import EVIL, HARMLESS, WAYS, Attacker  # noqa: E402
from lab.check import PATIENCE  # noqa: E402
from lab.scenarios.sts_attacks import ATTACKS, named  # noqa: E402

pytestmark = pytest.mark.limit(240)

PHASES = ("before", "at once", "started anew", "an hour later", "read anew", "after")
DURING = PHASES[1:-1]
HOUR = 3600


@dataclass
class Story:
    """{phase: {attack: line of the first attempt}} and what the cache had."""
    run: Run
    lines: dict = field(default_factory=dict)
    cached: dict = field(default_factory=dict)
    late: dict = field(default_factory=dict)   # what became of what was deferred

    def rcpt(self, attack, phase):
        return f"{phase.replace(' ', '-')}@{SCENARIOS[named(attack)].domain}"

    def arrived(self, attack, phase, kept=None):
        return self.run.lab.arrivals.of(self.rcpt(attack, phase), kept)

    def post(self, phase, attacks):
        """One message to each domain, and another attempt for all that wait;
        then there is a line for each of the new ones."""
        rcpts = [self.rcpt(attack, phase) for attack in attacks]
        self.run.send(rcpts)
        self.lines[phase] = dict(zip(attacks, self.wait_lines(rcpts)))

    def wait_lines(self, rcpts, **wanted):
        """The first line of each recipient with these keys.

        A domain that took nothing is left alone for a while, unless asked.
        """
        def look():
            self.run.daemon.ctl("queue", "flush")
            first = {}
            for line in self.run.daemon.events("delivery", **wanted):
                first.setdefault(line["to"], line)
            return [first[rcpt] for rcpt in rcpts if rcpt in first]
        return wait_until(lambda: len(found := look()) == len(rcpts) and found,
                          f"a line event=delivery {wanted} for each of {rcpts}",
                          PATIENCE, 0.5)


def forget():
    """Until what a resolver knows has run out."""
    time.sleep(2.2)


def tell(run, attacks):
    """All of it, in the order of PHASES."""
    story, daemon = Story(run), run.daemon
    attackers = {attack: Attacker(run.lab, named(attack)) for attack in attacks}

    story.post("before", attacks)
    for attack, attacker in attackers.items():
        attacker.begin(*attack.split())
    forget()
    story.post("at once", attacks)

    daemon.stop()
    daemon.start()
    story.post("started anew", attacks)

    daemon.stop()
    run.age(HOUR)   # what failed may be tried again
    daemon.start()
    story.post("an hour later", attacks)

    daemon.process.send_signal(signal.SIGHUP)
    daemon.wait_event("reloaded")
    story.post("read anew", attacks)
    story.cached = {attack: run.cached(named(attack)) for attack in attacks}

    for attacker in attackers.values():
        attacker.end()
    forget()
    story.post("after", attacks)
    for phase in PHASES:
        rcpts = [story.rcpt(attack, phase) for attack in attacks]
        lines = story.wait_lines(rcpts, outcome="delivered")
        story.late[phase] = dict(zip(attacks, lines))
    return story


@pytest.fixture(scope="module")
def story(request):
    names = names_of(request.session, test_attack)
    attacks = [attack for attack in ATTACKS if named(attack) in names] or \
        list(ATTACKS[:1])
    scenarios = [SCENARIOS[name] for name in (EVIL, *map(named, attacks))]
    with open_lab(request, "lab-sts-attacker", scenarios) as lab, \
            ending(Run(lab, lab.folder / "danelaw", "sts-attack")) as run:
        run.daemon.start()
        yield tell(run, attacks)


@pytest.mark.parametrize("name", [named(attack) for attack in ATTACKS])
def test_attack(story, name):
    attack = next(one for one in ATTACKS if named(one) == name)
    scenario = SCENARIOS[name]
    costs_mail = any(way not in HARMLESS for way in attack.split())

    first = story.lines["before"][attack]
    assert (first["outcome"], first["tls"]) == ("delivered", scenario.log), first
    for phase in DURING:
        line = story.lines[phase][attack]
        if costs_mail:
            assert line["outcome"] == "deferred", (phase, line)
            assert re.search("/(sts|dns)/", line["tls"]), (phase, line)
            assert "verified" not in line["tls"], (phase, line)
        else:
            assert (line["outcome"], line["tls"]) == \
                ("delivered", scenario.log), (phase, line)
    # The policy of the good fetch is what the cache has, whatever was served.
    row = story.cached[attack]
    assert row["id"] == "1" and b"mode: enforce" in row["text"], row
    # And all of it goes once the attack has ended, to the right host.
    for phase in PHASES:
        assert story.late[phase][attack]["tls"] == scenario.log, phase
        for entry in story.arrived(attack, phase):
            assert (entry.scenario, entry.host) == (name, "mx"), (phase, entry)
            assert entry.tls and entry.sni == f"mx.{scenario.domain}", (phase, entry)
        assert len(story.arrived(attack, phase, kept=True)) == 1, phase


def test_the_attacker_got_nothing(story):
    """Not a single envelope, of no message, at no host of his."""
    lab = story.run.lab
    assert [e for e in lab.arrivals.all() if e.scenario == EVIL] == []
    assert [e for e in lab.arrivals.all() if not e.tls] == []


def test_he_was_there(story):
    """What he did was met with: the connections went where he wanted them."""
    lab, attacks = story.run.lab, story.lines["before"]
    if any("host-evil" in attack for attack in attacks):
        assert lab.site(EVIL).connections > 0
    if any("mx-address" in attack.split() for attack in attacks):
        assert lab.server(EVIL, "mx").connections > 0
    for attack in attacks:
        if "txt-new host-" in attack and "host-evil" not in attack:
            assert lab.site(named(attack)).connections > 1, attack


def test_each_way_is_used():
    assert {way for attack in ATTACKS for way in attack.split()} == set(WAYS)
