"""kill -9 under load: what was acknowledged arrives, whole."""
import hashlib
import os
import random
import re
import signal
import threading
import time
from collections import Counter

import pytest

from support.maildir import Maildir
from support.talk import Talk
from support.wait import wait_until

ROUNDS = 20
SENDERS = 6
LARGE = 300 * 1024  # above limits.inline_message: a file of its own


class Load(threading.Thread):
    """Sends as long as it may; knows what was acknowledged."""

    def __init__(self, port, number):
        super().__init__(daemon=True)
        self.port = port
        self.number = number
        self.random = random.Random(number)
        self.acknowledged = {}
        self.refused = []
        self.ending = threading.Event()

    def letter(self, name):
        size = LARGE if self.random.random() < 0.05 else self.random.randrange(4096)
        body = bytes(self.random.choices(b"abcdefghij .", k=64)) * (size // 64 + 1)
        body = b"\r\n".join(body[i:i + 70] for i in range(0, len(body), 70)) + b"\r\n"
        digest = hashlib.sha256(body.replace(b"\r\n", b"\n")).hexdigest()
        head = f"X-Name: {name}\r\nX-Digest: {digest}\r\nSubject: load\r\n\r\n"
        return head.encode() + body

    def run(self):
        count = 0
        while not self.ending.is_set():
            try:
                with Talk(self.port, timeout=15) as talk:
                    talk.hello()
                    while not self.ending.is_set():
                        count += 1
                        self.send(talk, f"{self.number}-{count}")
            except (OSError, EOFError):
                time.sleep(0.05)

    def send(self, talk, name):
        domain = self.random.choice(["disk.example", "far.example"])
        for line in ("MAIL FROM:<a@client.example>", f"RCPT TO:<user@{domain}>"):
            code, _ = talk.command(line)
            if code != 250:
                raise EOFError
        code, lines = talk.data(self.letter(name))
        if code == 250:
            self.acknowledged[name] = domain
        elif code >= 500:
            self.refused.append(lines)


def victims(server, choice):
    """The process ids of a role, one of them, or of everything."""
    roles = server.pids()
    if choice == "all":
        return [server.process.pid] + [p for pids in roles.values() for p in pids]
    return roles.get(choice, [])[:1]


def kill(pids):
    for pid in pids:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass


def names(texts):
    """Names of whole messages; AssertionError for a corrupted one."""
    found = []
    for text in texts:
        text = text.replace(b"\r\n", b"\n")
        name = re.search(rb"^X-Name: (\S+)$", text, re.M).group(1).decode()
        wanted = re.search(rb"^X-Digest: (\S+)$", text, re.M).group(1).decode()
        body = text.partition(b"\n\n")[2]
        assert hashlib.sha256(body).hexdigest() == wanted, f"{name} is corrupted"
        found.append(name)
    return found


@pytest.mark.limit(900)
def test_acknowledged_mail_survives_kill_9(danelaw, sink, mail, capsys):
    hop = sink()
    server = danelaw({
        "relay": {"from": ["127.0.0.0/8"]},
        "domain disk.example": {"deliver": f"maildir:{mail}/box"},
        "route far.example": {"via": f"smtp:127.0.0.1:{hop.port}"},
        "limits": {"segment": "1M"},
        "retry": {"first": "1s", "longest": "2s"}})
    loads = [Load(server.port, n) for n in range(SENDERS)]
    for load in loads:
        load.start()
    dice = random.Random(os.environ.get("DANELAW_SEED", "20"))
    for number in range(ROUNDS):
        time.sleep(dice.uniform(0.2, 1.2))
        choice = dice.choice(["receive", "queue", "deliver", "all"])
        kill(victims(server, choice))
        if choice == "all":
            server.process.wait(10)
            server.start()
    for load in loads:
        load.ending.set()
    for load in loads:
        load.join(60)
    acknowledged = {n for load in loads for n in load.acknowledged}
    assert len(acknowledged) > ROUNDS
    assert [r for load in loads for r in load.refused] == []
    box = Maildir(mail / "box")

    def arrived():
        return names(box.messages() + [m.body for m in list(hop.messages)])
    wait_until(lambda: acknowledged <= set(arrived()),
               "all acknowledged messages arrived", 120, step=1)
    counts = Counter(arrived())
    duplicates = sum(c - 1 for c in counts.values())
    with capsys.disabled():
        print(f"\n      kill -9, {ROUNDS} rounds: {len(acknowledged)} acknowledged, "
              f"all arrived, none corrupted, {duplicates} duplicates, "
              f"{len(set(counts) - acknowledged)} unacknowledged arrived too",
              flush=True)
