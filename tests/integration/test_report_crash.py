"""The day of sending reports, with a role killed at each of its calls.

A role is killed by SIGKILL at its N-th call to the disk, to another role or to
the network, counted from its start (tests/support/stop_at.c), for each N until
the day's reports are all sent.  `./dev test` takes a sample of N, `./dev crash
--reports` all of them.
"""
import contextlib
import gzip
import json
import os
import pathlib
import shutil
import sqlite3
import struct
import subprocess

import pytest

from support.daemon import ROOT, binary, environment
from support.reporter import RECORD, TABLES, ZONE, read, reports
from support.wait import wait_until

from test_report_send import host, overdue, reporter  # noqa: F401

FULL = os.environ.get("DANELAW_CRASH") == "full"
PART, PARTS = map(int, os.environ.get("DANELAW_CRASH_PART", "0/1").split("/"))
pytestmark = pytest.mark.limit(7200 if FULL else 300)

# How many calls of each are taken for a sample: of those between the first
# plan and the end, for what is made at the start has no report in its hands.
ROLES = {"report": 5, "queue": 6, "deliver": 3}
PLAN = struct.Struct("<40s3Q")   # of stop_at.c: role, N, calls, was it killed?
LIBRARY = next((path for path in (
    build / "tests/libstop_at.so" for build in
    (pathlib.Path(binary("danelawd")).parents[1], ROOT / "build")) if path.is_file()), None)


class Day:
    """Four places of three domains, of which a day was counted."""

    def __init__(self, reporter, hop, host, tmp_path):
        made, more = host
        self.hop, self.host = hop, made
        self.post = f"https://mta-sts.ok.test:{made.port}/"
        # place: the domain that its reports are about
        self.places = {"one@reports.example": "one.example",
                       "first@reports.example": "two.example",
                       "second@reports.example": "two.example",
                       self.post: "three.example"}
        ruas = {"one": "mailto:one@reports.example", "three": self.post,
                "two": "mailto:first@reports.example,mailto:second@reports.example"}
        zones = {f"{name}.example": ZONE + RECORD.format(rua) for name, rua in ruas.items()}
        self.one = reporter(hop.port, {**zones, "test": "mta-sts.ok A 127.0.0.1\n"}, more)
        self.plan, self.kept = tmp_path / "plan", tmp_path / "kept"
        self.before = self.after = 0   # calls, when nothing was planned, and when all was over
        self.count()

    def count(self):
        """The day itself; kept as it is when it is over."""
        for domain in sorted(set(self.places.values())):
            self.one.post(f"user@{domain}")
            self.one.counted(domain)
        self.one.server.stop()
        with sqlite3.connect(self.one.file) as db:
            for table in TABLES:
                db.execute(f"UPDATE {table} SET day = day - 1")
        db.close()
        subprocess.run(["cp", "-a", self.one.server.spool, self.kept], check=True)

    def begin(self, role, at):
        """The same morning once more."""
        server = self.one.server
        shutil.rmtree(server.spool)
        subprocess.run(["cp", "-a", self.kept, server.spool], check=True)
        server.log_file.unlink()
        self.hop.messages.clear()
        self.host.asked.clear()
        self.plan.write_bytes(PLAN.pack(role.encode(), at, 0, 0))
        self.plan.chmod(0o666)
        sanitizer = environment()["ASAN_OPTIONS"] + ":verify_asan_link_order=0"
        server.environment = {"DANELAW_STOP": str(self.plan), "ASAN_OPTIONS": sanitizer,
                              "LD_PRELOAD": str(LIBRARY)}
        server.start()

    def calls(self):
        return PLAN.unpack(self.plan.read_bytes())[2]

    def killed(self):
        return bool(PLAN.unpack(self.plan.read_bytes())[3])

    def accepted(self):
        """[(place, its report)]: of all that was taken."""
        mails = [(got.rcpts[0], read(got.body)[1]) for got in reports(self.hop)]
        posts = [(self.post, json.loads(gzip.decompress(post.body)))
                 for post in list(self.host.asked) if len(post.body) == post.length()]
        return mails + posts

    def is_over(self):
        """Is nothing left to be sent, or on its way?"""
        tries = self.one.tries()
        if len(tries) < len(self.places) or "due" in {state for state, _ in tries.values()}:
            return False
        done = self.one.server.ctl("queue", "list", check=False)
        if done.returncode != 0 or done.stdout != "":
            return False
        # Of a role that has died the queue hears later what it has written.
        return {place for place, _ in self.accepted()} >= set(self.places)

    def drive(self):
        """To its end: who has died has lost his leases."""
        def end():
            with contextlib.suppress(sqlite3.OperationalError):   # it died in the midst
                calls = self.calls()
                if not self.one.tries():
                    self.before = calls
                elif self.killed():
                    overdue(self.one)
                return self.is_over()
            return False
        wait_until(end, "all is sent", 60, 0.2)
        self.after = self.calls()

    def check(self):
        """RFC 8460 4.4: all that is due is there, and at worst more than once."""
        found = {}
        for place, report in self.accepted():
            found.setdefault(place, []).append(report)
        assert set(found) == set(self.places)
        for place, copies in found.items():
            domain = self.places[place]
            assert {r["report-id"].partition(".")[2] for r in copies} == \
                {f"{domain}@mx.test.example"}, place
            assert all(r == copies[0] for r in copies), place
            (policy,) = copies[0]["policies"]
            assert policy["policy"]["policy-domain"] == domain
            assert policy["summary"] == {"total-successful-session-count": 0,
                                         "total-failure-session-count": 1}
        assert {state for state, _ in self.one.tries().values()} <= {"sent", "queued"}
        return sum(len(copies) - 1 for copies in found.values())

    def run(self, role, at):
        """(was it killed, how many reports came twice)"""
        self.begin(role, at)
        try:
            self.drive()
            again = self.check()
        except AssertionError as failure:
            raise AssertionError(f"{role}, call {at}: {failure}") from None
        finally:
            self.one.server.stop()
        return self.killed(), again


@pytest.mark.parametrize("role", ROLES)
def test_killed_at_each_call(reporter, sink, host, tmp_path, role):  # noqa: F811
    """RFC 8460 4.4: each place has its report, at worst repeated with its id."""
    if LIBRARY is None:
        pytest.skip("libstop_at.so is not built")
    day = Day(reporter, sink(), host, tmp_path)
    day.run(role, 0)
    calls, kills, again = day.calls(), 0, 0
    before, after = day.before, day.after
    assert calls > 20 and after - before >= ROLES[role], (calls, before, after)
    chosen = range(1 + PART, calls + 1, PARTS) if FULL else \
        [before + 1 + n * (after - before) // ROLES[role] for n in range(ROLES[role])]
    for at in chosen:
        killed, twice = day.run(role, at)
        kills += killed
        again += twice
    print(f"{role}: {calls} calls, {kills} kills, {again} reports came again")
    assert kills >= len(chosen) * 0.8   # no day is quite like another
