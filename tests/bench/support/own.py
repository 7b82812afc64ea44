"""The two ends of our own: smtp_load and smtp_sink, plain or with STARTTLS."""
import json
import socket
import subprocess
import threading
import time

from .built import program
from .load import free_port, wait_for_port


class OwnSink:
    """smtp_sink; `count` and `last` follow it within TICK_MS."""

    TICK_MS = 20

    def __init__(self, certificate=None):
        self.port = free_port()
        self.count = 0
        self.last = 0.0
        self.cpu = 0.0
        self._wanted = 0
        self._reached = threading.Event()
        command = [program("tests/bench/smtp_sink"), "--on",
                   f"127.0.0.1:{self.port}", "--tick", str(self.TICK_MS)]
        if certificate:
            command += ["--chain", certificate.chain, "--key", certificate.key]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        wait_for_port(self.port)

    def _read(self):
        for line in self._process.stdout:
            now = json.loads(line)
            self.last = now["last"]
            self.cpu = now["cpu_user"] + now["cpu_system"]
            self.count = now["messages"]
            if self.count >= self._wanted:
                self._reached.set()

    def expect(self, count):
        """Count from here on to so many messages more."""
        self._wanted = self.count + count
        self._reached.clear()

    def wait(self, seconds):
        """The moment the last expected message arrived, or None."""
        return self.last if self._reached.wait(seconds) else None

    def stop(self):
        self._process.terminate()
        self._process.wait()
        self._reader.join(5)


def load(port, count, *options, sessions=100, length=4096, keep=True, tls=False):
    """smtp_load into a port: what it says, with the moments began and ended."""
    command = [program("tests/bench/smtp_load"), "--to", f"127.0.0.1:{port}",
               "--messages", str(count), "--sessions", str(sessions),
               "--length", str(length), "--per-connection", "0" if keep else "1",
               *options]
    if tls:
        command.append("--tls")
    began = time.monotonic()
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    ended = time.monotonic()
    if done.returncode:
        raise SystemExit(f"bench: smtp_load failed: {done.stderr.strip()}")
    return {**json.loads(done.stdout), "began": began, "ended": ended}


class Idle:
    """So many STARTTLS sessions that say nothing, until stop()."""

    def __init__(self, port, count):
        self._process = subprocess.Popen(
            [program("tests/bench/smtp_load"), "--to", f"127.0.0.1:{port}",
             "--idle", str(count)], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        line = self._process.stdout.readline()
        self.result = json.loads(line) if line else {"idle": 0}
        if self.result["idle"] != count:
            self.stop()
            raise SystemExit(f"bench: {self.result['idle']} of {count} sessions")

    def stop(self):
        self._process.stdin.close()
        self._process.wait()


class Silence:
    """A host that takes connections and never says a word."""

    def __init__(self):
        self._socket = socket.create_server(("127.0.0.1", 0), backlog=1024)
        self.port = self._socket.getsockname()[1]
        self.connections = 0
        self._open = []
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                self._open.append(self._socket.accept()[0])
            except OSError:
                return
            self.connections += 1

    def stop(self):
        self._socket.close()
        for one in self._open:
            one.close()
