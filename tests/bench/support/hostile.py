"""Sessions that only take places: idle ones, and some that trickle octets.

    hostile.py PORT IDLE TRICKLING

A process of its own.  Says "up SECONDS" once all of them have been greeted, comes
back with each that is cut, and ends with its standard input.  The clients are
127.1.0.1 and up, fifty sessions each.
"""
import resource
import selectors
import socket
import subprocess
import sys
import time

EACH = 50
TICK = 1.0  # seconds between two octets
ENVELOPE = (b"EHLO slow.example\r\nMAIL FROM:<a@slow.example>\r\n"
            b"RCPT TO:<b@bench.example>\r\nDATA\r\nSubject: ")


class Client:
    """One session; `slow` gives an octet a tick, of a command or a message."""

    def __init__(self, poll, port, n, slow):
        self.poll, self.port, self.n, self.slow = poll, port, n, slow
        self.greeted = False
        self.open()

    def open(self):
        self.sock = socket.socket()
        self.sock.bind((f"127.1.{self.n // EACH // 250}.{self.n // EACH % 250 + 1}", 0))
        self.sock.setblocking(False)
        self.sock.connect_ex(("127.0.0.1", self.port))
        self.poll.register(self.sock, selectors.EVENT_READ, self)

    def read(self):
        try:
            got = self.sock.recv(4096)
        except OSError:
            got = b""
        if not got:
            self.poll.unregister(self.sock)
            self.sock.close()
            self.open()
        elif got.startswith(b"220"):
            self.greeted = True
            if not self.slow:
                self.say(b"EHLO idle.example\r\n")
            elif self.n % 2:
                self.say(ENVELOPE)

    def say(self, octets):
        try:
            self.sock.send(octets)
        except OSError:
            pass  # read() sees that it is closed


def main():
    port, idle, slow = map(int, sys.argv[1:])
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    poll = selectors.DefaultSelector()
    poll.register(sys.stdin, selectors.EVENT_READ)
    began = time.monotonic()
    clients = [Client(poll, port, n, n < slow) for n in range(idle + slow)]
    up, tick = False, began + TICK
    while True:
        for key, _ in poll.select(max(0, tick - time.monotonic())):
            if key.data is None:
                return
            key.data.read()
        if not up and all(c.greeted for c in clients):
            up = True
            print(f"up {time.monotonic() - began:.3f}", flush=True)
        if time.monotonic() >= tick:
            tick += TICK
            for client in clients[:slow]:
                if client.greeted:
                    client.say(b"x")


class Hostile:
    """That process, until stop()."""

    def __init__(self, port, idle, slow):
        self._process = subprocess.Popen(
            [sys.executable, "-B", __file__, str(port), str(idle), str(slow)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        line = self._process.stdout.readline()
        if not line.startswith("up "):
            self.stop()
            raise SystemExit("bench: the hostile sessions did not come up")
        self.seconds = float(line.split()[1])

    def stop(self):
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()


if __name__ == "__main__":
    main()
