"""Two daemons that report to each other: end to end, and no loop."""
import json
import sqlite3
import time

import pytest

from support import daemon, report_keys
from support.talk import Talk, message
from support.wait import free_port, wait_until

pytestmark = pytest.mark.limit(180)

TABLES = ("domains", "counts", "failures", "tries")
NAMES = ("one", "two")


class Peer:
    """The mail server of NAME.example, which reports and is reported on."""

    def __init__(self, name, danelaw, folder, ports, resolver, keys):
        self.name, self.domain = name, f"{name}.example"
        self.mail = folder / name
        daemon.open_way(self.mail)
        other = next(port for peer, port in ports.items() if peer != name)
        self.server = danelaw({
            **resolver, "hostname": f"mx.{self.domain}", "mx_port": other,
            "listen mx": {"address": [f"127.0.0.1:{ports[name]}"]},
            "relay": {"from": ["127.0.0.0/8"]},
            f"domain {self.domain}": {"deliver": f"maildir:{self.mail}",
                                      "tls_reports": ["tls-reports"]},
            "reporting": {"collect": True, "send": True, "spread": "0s", "private_places": True,
                          "contact": f"postmaster@{self.domain}",
                          **report_keys.config(keys)}}, start=False)
        self.server.port = ports[name]
        self.server.start()

    def post(self, to):
        with Talk(self.server.port) as talk:
            talk.hello()
            talk.envelope(f"user@{self.domain}", f"user@{to}.example")
            assert talk.data(message())[0] == 250

    def ask(self, sql):
        with sqlite3.connect(f"file:{self.server.spool}/state/report.db?mode=ro",
                             uri=True) as db:
            return db.execute(sql).fetchall()

    def counted(self):
        path = self.server.spool / "state/report.db"
        return path.exists() and path.stat().st_size > 0 and self.ask(
            "SELECT domain FROM domains")

    def night(self):
        self.server.stop()
        with sqlite3.connect(self.server.spool / "state/report.db") as db:
            for table in TABLES:
                db.execute(f"UPDATE {table} SET day = day - 1")
        db.close()
        self.server.start()

    def received(self):
        lines = self.server.ctl("report", "received", "--json").stdout.splitlines()
        return [json.loads(line) for line in lines]


@pytest.fixture
def peers(danelaw, nsd, tmp_path):
    ports = {name: free_port() for name in NAMES}
    zones, keys = {}, {}
    for name in NAMES:
        folder = tmp_path / f"keys-{name}"
        folder.mkdir()
        keys[name] = report_keys.pair(folder)
        zones[f"{name}.example"] = (
            "@ MX 10 mx\nmx A 127.0.0.1\n"
            f'_smtp._tls TXT "v=TLSRPTv1; rua=mailto:tls-reports@{name}.example"\n'
            + "".join(key.record() for key in keys[name]))
    resolver = nsd(zones).resolver()
    return [Peer(name, danelaw, tmp_path, ports, resolver, keys[name]) for name in NAMES]


def test_each_gets_the_other_s_report_and_that_is_all(peers):
    """RFC 8460 3: both have no TLS at all, and reports are not reported."""
    one, two = peers
    one.post("two")
    two.post("one")
    for peer in peers:
        wait_until(peer.counted, f"{peer.name} counts")
    for peer in peers:
        peer.night()
    for peer, other in ((one, two), (two, one)):
        (report,) = wait_until(peer.received, f"{peer.name} has a report", 40)
        assert report["signer"] == other.domain
        assert report["domain"] == peer.domain
        assert (report["successes"], report["failures"]) == (0, 1)
        # and the mail is in the mailbox, too
        assert len(list((peer.mail / "new").iterdir())) == 2
        assert peer.server.events("report-set-aside") == []
    # Another night: nothing was counted but what people sent.
    time.sleep(1.5)
    for peer in peers:
        assert peer.ask("SELECT count(*) FROM domains WHERE planned = 0") == [(0,)]
        peer.night()
    time.sleep(4)
    for peer in peers:
        assert len(peer.received()) == 1
        assert len(list((peer.mail / "new").iterdir())) == 2
        assert peer.server.ctl("--json", "queue", "list").stdout == ""
    # What it says is of use to who got it.
    text = one.server.ctl("report", "summary", check=False).stdout
    assert "starttls-not-supported" in text and "two.example" in text
