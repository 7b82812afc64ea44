"""A daemon that counts what it sends, and reports it."""
import email
import gzip
import json
import sqlite3
import time

from . import daemon, report_keys
from .talk import Talk, message
from .wait import wait_until

FROM = "sender@home.example"
DAY = 86400
RECORD = '_smtp._tls TXT "v=TLSRPTv1; rua={}"\n'
ZONE = "@ MX 10 mx\nmx A 127.0.0.1\n"
# One more domain of the day that was counted as far.example was.
AS_FAR = ("INSERT INTO domains SELECT day, '{0}', 0, '' FROM domains WHERE domain = 'far.example'",
          "INSERT INTO counts SELECT day, '{0}', policy, successes, failures FROM counts"
          " WHERE domain = 'far.example'")
# Of a day; report.db keeps it in each of these.
TABLES = ("domains", "counts", "failures", "tries")


def yesterday():
    return int(time.time()) // DAY * DAY - DAY


class Reporter:
    """A daemon that counts what it sends to far.example, and tells it."""

    def __init__(self, danelaw, nsd, folder, zones, port, more=None, **reporting):
        self.folder = folder
        self.keys = report_keys.pair(folder)
        self.names = nsd({"home.example": ZONE + "".join(
            key.record() for key in self.keys), **zones})
        self.config = daemon.merge({
            **self.names.resolver(), "mx_port": port,
            "relay": {"from": ["127.0.0.0/8"]},
            "retry": {"first": "1s", "longest": "2s"},
            "domain home.example": {"deliver": f"maildir:{folder}/home"},
            "reporting": {
                "collect": True, "send": True, "spread": "0s", "private_places": True,
                "contact": "tls@home.example",
                **report_keys.config(self.keys), **reporting}}, more or {})
        self.server = danelaw(self.config)

    def post(self, rcpt="user@far.example"):
        with Talk(self.server.port) as talk:
            talk.hello()
            talk.envelope(FROM, rcpt)
            assert talk.data(message())[0] == 250

    @property
    def file(self):
        return self.server.spool / "state" / "report.db"

    def ask(self, sql):
        with sqlite3.connect(f"file:{self.file}?mode=ro", uri=True) as db:
            return db.execute(sql).fetchall()

    def counted(self, domain="far.example"):
        wait_until(lambda: self.file.exists() and self.file.stat().st_size > 0 and self.ask(
            f"SELECT 1 FROM domains WHERE domain = '{domain}'"), f"{domain} is counted")

    def let_a_day_pass(self, *more, then=lambda: None):
        """What was counted today is of yesterday."""
        self.server.stop()
        with sqlite3.connect(self.file) as db:
            for table in TABLES:
                db.execute(f"UPDATE {table} SET day = day - 1")
            for sql in more:
                db.execute(sql)
        db.close()
        then()
        self.server.start()

    def tries(self):
        names = {0: "due", 1: "sent", 2: "given-up", 3: "queued"}
        return {rua: (names[state], why) for rua, state, why in
                self.ask("SELECT rua, state, why FROM tries")}

    def ends(self, rua, state, seconds=30):
        wait_until(lambda: self.tries().get(rua, ("?",))[0] == state,
                   f"{rua} is {state}", seconds)
        return self.tries()[rua][1]


def reports(hop):
    """The mails of reports a next hop got."""
    return [got for got in hop.messages if b"TLS-Report-Domain" in got.body]


def read(body):
    """(the mail, the report in it)"""
    mail = email.message_from_bytes(body)
    _, part = mail.get_payload()
    return mail, json.loads(gzip.decompress(part.get_payload(decode=True)))


def arrives(hop, n=1):
    return wait_until(lambda: len(reports(hop)) >= n and reports(hop), f"{n} reports")
