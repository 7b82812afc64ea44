"""Valid sessions with something broken, by the thousand, against a daemon.

20,000 of them, or $DANELAW_MUTATIONS; DANELAW_SEED begins elsewhere.
"""
import os
import random
import selectors
import socket
import time

import pytest

from support import daemon
from support.talk import Talk, message

DOMAIN = "test.example"
COUNT = int(os.environ.get("DANELAW_MUTATIONS", "20000"))
SEED = int(os.environ.get("DANELAW_SEED", "1"))
AT_ONCE = 40
GROWTH = 64      # MiB that all receive processes may grow by
PATIENCE = 20    # seconds a session may take

BEGIN = [b"EHLO client.example\r\n", b"MAIL FROM:<a@client.example> SIZE=300\r\n",
         b"RCPT TO:<user@test.example>\r\n"]
SESSIONS = [
    [*BEGIN, b"DATA\r\n", message().encode() + b".\r\n", b"QUIT\r\n"],
    [*BEGIN, b"BDAT 20\r\nSubject: chunks\r\n\r\nx", b"BDAT 3 LAST\r\nyz\n", b"QUIT\r\n"],
    [b"HELO client\r\n", b"MAIL FROM:<>\r\n", b"RCPT TO:<user@test.example>\r\n",
     b"RSET\r\n", b"NOOP\r\n", b"VRFY user\r\n", b"HELP\r\n", b"QUIT\r\n"],
    [*BEGIN, b"RCPT TO:<nobody@test.example> NOTIFY=NEVER\r\n",
     b"RCPT TO:<user@test.example> ORCPT=rfc822;user@test.example\r\n",
     b"DATA\r\n", b"Subject: dots\r\n\r\n..\r\n.x\r\n.\r\n", b"QUIT\r\n"],
    [b"EHLO client.example\r\n", b"STARTTLS\r\n",
     b"\x16\x03\x01\x00\x05\x01\x00\x00\x01\x03", b"QUIT\r\n"],
    ["MAIL FROM:<grüße@client.example> SMTPUTF8\r\n".encode(), b"EHLO x\r\n", b"QUIT\r\n"],
]
PIECES = [b"\r\n", b"\n", b"\r", b"\0", b".", b"\r\n.\r\n", b"<", b">", b"@", b" ", b"\xff",
          b"MAIL FROM:<", b"RCPT TO:<", b"DATA\r\n", b"BDAT 99999999999999999999\r\n",
          b"BDAT 5 LAST\r\n", b"STARTTLS\r\n", b"QUIT\r\n", b"A" * 2100, b"B" * 70000]


def cut(lot, octets):
    """Two places in it, in order."""
    return sorted((lot.randrange(len(octets) + 1), lot.randrange(len(octets) + 1)))


def mutate(lot, octets):
    """One thing is wrong with it now."""
    a, b = cut(lot, octets)
    kind = lot.randrange(7)
    if kind == 0:
        return octets[:a] + octets[b:]
    if kind == 1:
        return octets[:a] + lot.choice(PIECES) + octets[a:]
    if kind == 2:
        return octets[:b] + octets[a:]
    if kind == 3:
        return octets[:a]
    if kind == 4 and octets:
        at = lot.randrange(len(octets))
        return octets[:at] + bytes([octets[at] ^ 1 << lot.randrange(8)]) + octets[at + 1:]
    if kind == 5:
        return octets[:a] + bytes(lot.randrange(256) for _ in range(8)) + octets[a:]
    return octets[:a] + octets[a:].swapcase()


def broken_session(lot):
    """What is sent, in pieces: by line, in one, or cut anywhere."""
    lines = list(lot.choice(SESSIONS))
    if lot.random() < 0.3:
        lot.shuffle(lines)
    octets = b"".join(lines)
    for _ in range(lot.choice((1, 1, 2, 5))):
        octets = mutate(lot, octets)
    if lot.random() < 0.5:
        return [octets]
    a, b = cut(lot, octets)
    return [octets[:a], octets[a:b], octets[b:]]


class Client:
    """Sends its pieces, reads what comes, half-closes, waits for the end."""

    def __init__(self, poll, port, lot):
        self.poll, self.pieces = poll, broken_session(lot)
        self.patience = time.monotonic() + PATIENCE
        self.abrupt = lot.random() < 0.1
        self.sock = socket.create_connection(("127.0.0.1", port), 10)
        self.sock.setblocking(False)
        self.done = False
        poll.register(self.sock, selectors.EVENT_READ | selectors.EVENT_WRITE, self)

    def end(self):
        self.poll.unregister(self.sock)
        self.sock.close()
        self.done = True

    def turn(self, events):
        try:
            if events & selectors.EVENT_READ and not self.sock.recv(65536):
                self.end()
                return
            if events & selectors.EVENT_WRITE:
                self.write()
        except BlockingIOError:
            pass
        except OSError:
            self.end()

    def write(self):
        if self.pieces:
            sent = self.sock.send(self.pieces[0])
            self.pieces[0] = self.pieces[0][sent:]
            if not self.pieces[0]:
                self.pieces.pop(0)
        elif self.abrupt:
            self.end()
        else:
            self.sock.shutdown(socket.SHUT_WR)
            self.poll.modify(self.sock, selectors.EVENT_READ, self)


def memory(server):
    """MiB of all receive processes."""
    total = 0
    for pid in server.pids()["receive"]:
        with open(f"/proc/{pid}/status", encoding="ascii") as status:
            total += next(int(line.split()[1]) for line in status
                          if line.startswith("VmRSS"))
    return total // 1024


def run_some(server, lot, count):
    """So many sessions, some of them at once."""
    poll, clients, n = selectors.DefaultSelector(), [], 0
    while clients or n < count:
        while len(clients) < AT_ONCE and n < count:
            clients.append(Client(poll, server.port, lot))
            n += 1
        for key, events in poll.select(1):
            key.data.turn(events)
        now = time.monotonic()
        late = [c for c in clients if not c.done and now > c.patience]
        assert late == [], f"session {n - AT_ONCE} to {n} does not end"
        clients = [c for c in clients if not c.done]


@pytest.mark.limit(180 + COUNT // 100)
def test_broken_sessions_do_no_harm(danelaw, tmp_path, certificate):
    """Alive, the same processes, their memory bounded, and mail is taken."""
    (tmp_path / "who").write_text("user\n")
    made = certificate("mx.test.example")
    server = danelaw({
        "certificate mx": {"chain": made.chain, "key": made.key},
        f"domain {DOMAIN}": {"deliver": "discard", "recipients": f"file:{tmp_path}/who"},
        "timeouts": {"command": "5s"}, "limits": {"sessions_client": 1000}}, start=False)
    # What the sanitizer keeps of memory that was freed is not ours.
    server.environment["ASAN_OPTIONS"] = daemon.environment()["ASAN_OPTIONS"] + \
        ":quarantine_size_mb=4:thread_local_quarantine_size_kb=64"
    server.start()
    before, lot = server.pids()["receive"], random.Random(SEED)
    run_some(server, lot, 300)  # what is kept once, is kept
    warm = memory(server)
    run_some(server, lot, COUNT)
    grown = memory(server) - warm
    print(f"{COUNT} sessions, {grown} MiB more than {warm}")
    assert server.pids()["receive"] == before
    assert grown <= GROWTH
    with Talk(server.port) as talk:
        talk.hello()
        talk.envelope("a@client.example", f"user@{DOMAIN}")
        assert talk.data(message())[0] == 250
    assert len(server.events("accepted")) > COUNT // 20
