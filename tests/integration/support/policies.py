"""The MTA-STS policies of a daemon that does not run."""
import contextlib
import os
import pathlib
import sqlite3
import sys

from . import daemon

sys.path.insert(0, str(daemon.ROOT / "tests/support"))

import sts_file  # noqa: E402


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

    def make(self, *rows):
        sts_file.make(self.file, rows)
        os.chmod(self.file, 0o600)
        self.give_away()
        return self

    def run(self, sql, *values):
        with contextlib.closing(
                sqlite3.connect(self.file, isolation_level=None)) as base:
            found = base.execute(sql, values).fetchall()
        self.give_away()
        return found

    def domains(self):
        return [row[0] for row in self.run("SELECT domain FROM policies ORDER BY 1")]
