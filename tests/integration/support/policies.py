"""The file in which a daemon keeps MTA-STS policies, as a test makes it."""
import contextlib
import os
import pathlib
import sqlite3
import time

from . import daemon

# The format, once more: who changes it breaks files that are there.
TABLE = """CREATE TABLE policies (domain TEXT PRIMARY KEY NOT NULL,
    id TEXT NOT NULL, text BLOB, fetched_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL, last_used INTEGER NOT NULL,
    last_try INTEGER NOT NULL, tried_id TEXT NOT NULL,
    failures INTEGER NOT NULL) STRICT, WITHOUT ROWID"""
COLUMNS = ("domain", "id", "text", "fetched_at", "expires_at", "last_used",
           "last_try", "tried_id", "failures")
WEEK = 7 * 86400


def text(*mx, mode="enforce", max_age=WEEK, more=""):
    """A policy as it is served."""
    return "".join(f"{line}\n" for line in (
        "version: STSv1", f"mode: {mode}", *(f"mx: {m}" for m in mx),
        f"max_age: {max_age}")) + more


def policy(domain, *mx, age=60, **more):
    """A row: fetched so many seconds ago."""
    then = int(time.time()) - age
    return {"domain": domain, "id": "20261101", "fetched_at": then,
            "text": text(*(mx or (f"mx.{domain}",))), "expires_at": then + WEEK,
            "last_used": then, "last_try": then, "tried_id": "20261101",
            "failures": 0, **more}


def tried(domain, **more):
    """A row that knows of a fetch that failed."""
    return {"domain": domain, "id": "", "text": None, "fetched_at": 0,
            "expires_at": 0, "last_used": 0, "last_try": int(time.time()),
            "tried_id": "1", "failures": 1, **more}


class Policies:
    """sts.db of a daemon, that of its servant."""

    def __init__(self, server):
        self.folder = pathlib.Path(server.spool) / "state"
        self.file = self.folder / "sts.db"
        for folder in (server.spool, self.folder):
            daemon.open_way(folder)

    def give_away(self):
        for path in self.folder.iterdir():
            daemon.give(path)

    @contextlib.contextmanager
    def database(self):
        base = sqlite3.connect(self.file, isolation_level=None)
        try:
            yield base
        finally:
            base.close()
            self.give_away()

    def make(self, *rows):
        with self.database() as base:
            base.execute(TABLE)
            base.execute("PRAGMA user_version = 1")
            base.execute("BEGIN")
            for row in rows:
                values = [row[c] for c in COLUMNS]
                if row["text"] is not None:
                    values[2] = row["text"].encode()
                base.execute(f"INSERT INTO policies VALUES "
                             f"({', '.join('?' * len(COLUMNS))})", values)
            base.execute("COMMIT")
        os.chmod(self.file, 0o600)
        return self

    def run(self, sql, *values):
        with self.database() as base:
            return base.execute(sql, values).fetchall()

    def domains(self):
        return [row[0] for row in self.run("SELECT domain FROM policies ORDER BY 1")]
