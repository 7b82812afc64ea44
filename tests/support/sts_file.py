"""The file in which policies of MTA-STS are kept, made without the daemon."""
import contextlib
import sqlite3
import time

# The format, once more: who changes it breaks files that are there.
TABLE = """CREATE TABLE policies (domain TEXT PRIMARY KEY NOT NULL,
    id TEXT NOT NULL, text BLOB, fetched_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL, last_used INTEGER NOT NULL,
    last_try INTEGER NOT NULL, tried_id TEXT NOT NULL,
    failures INTEGER NOT NULL) STRICT, WITHOUT ROWID"""
FORMAT = 1
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


def _values(row):
    body = row["text"]
    return [body.encode() if name == "text" and body is not None else row[name]
            for name in COLUMNS]


def make(path, rows):
    """A new file with these."""
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as base:
        base.execute(TABLE)
        base.execute(f"PRAGMA user_version = {FORMAT}")
        base.execute("BEGIN")
        base.executemany(
            f"INSERT INTO policies VALUES ({', '.join('?' * len(COLUMNS))})",
            map(_values, rows))
        base.execute("COMMIT")
