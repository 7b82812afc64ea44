"""Mail of programs: danelaw sendmail, and the folder that it writes to."""
import os
import pathlib
import subprocess

import pytest

from support.daemon import binary, environment
from support.wait import wait_until

ROOT = os.getuid() == 0
STRANGER = 12345  # a user id nobody has


@pytest.fixture
def server(danelaw, mail):
    """Takes mail for home.example; peers go nowhere."""
    def make(start=True, more=None):
        return danelaw({
            "domain home.example": {"deliver": f"maildir:{mail}/%u"},
            "domain mx.test.example": {"deliver": f"maildir:{mail}/local-%u"},
            **(more or {})}, start=start)
    return make


def sendmail(server, *arguments, text=b"Subject: hello\n\nbody\n", uid=None, name=None):
    """Run it; its end."""
    program = [binary("danelaw"), "-c", str(server.config_file), "sendmail"]
    if name:
        link = server.folder / name
        if not link.exists():
            link.symlink_to(binary("danelaw"))
        program = [str(link), "-C", str(server.config_file)]
    more = {"user": uid, "group": uid, "extra_groups": []} if uid else {}
    return subprocess.run([*program, *arguments], input=text, capture_output=True,
                          timeout=60, check=False, env=environment(), **more)


def fine(done):
    assert (done.returncode, done.stderr) == (0, b""), done.stderr
    return done


def drops(server, suffix=""):
    folder = pathlib.Path(str(server.spool) + "/drop" + suffix)
    return sorted(folder.iterdir())


def gone(server):
    wait_until(lambda: not drops(server), "an empty drop folder")


def honest(server, text=b"Subject: x\n\nx\n", rcpt="a@home.example"):
    """The bytes of a real drop."""
    fine(sendmail(server, "-f", "s@x.example", rcpt, text=text))
    file = drops(server)[0]
    data = file.read_bytes()
    file.unlink()
    return data


def put(server, data, name="0" * 32, owner=STRANGER):
    file = server.spool / "drop" / name
    file.write_bytes(data)
    file.chmod(0o644)
    if ROOT:
        os.chown(file, owner, owner)
    return file


def move_in(server, data, name):
    """As a program does it: the daemon is told."""
    put(server, data, "tmp." + name).rename(server.spool / "drop" / name)
