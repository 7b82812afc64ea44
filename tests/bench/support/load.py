"""The two ends of a relay measurement: smtp-source and smtp-sink."""
import os
import re
import shutil
import socket
import subprocess
import threading
import time

# smtp-sink refuses to stay root.
AS_NOBODY = ["-u", "nobody"] if os.getuid() == 0 else []
TOOL_PATH = "/usr/sbin:/usr/bin:/sbin:/bin"


def tool(name):
    """The path of a program, or an error that says what to do."""
    found = shutil.which(name, path=TOOL_PATH)
    if found is None:
        raise SystemExit(f"bench: {name} is missing (Debian package postfix)")
    return found


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait_for_port(port, seconds=20, alive=lambda: True):
    """Until somebody answers on the port with a 220."""
    end = time.monotonic() + seconds
    while time.monotonic() < end and alive():
        try:
            with socket.create_connection(("127.0.0.1", port), 1) as s:
                s.settimeout(5)
                if s.recv(3) == b"220":
                    s.sendall(b"QUIT\r\n")
                    return
        except OSError:
            pass
        time.sleep(0.05)
    raise SystemExit(f"bench: nobody answers on port {port}")


class Sink:
    """smtp-sink with its running counter read as it goes."""

    def __init__(self):
        self.port = free_port()
        self.count = 0
        self.last = 0.0
        self._wanted = 0
        self._reached = threading.Event()
        self._process = subprocess.Popen(
            [tool("smtp-sink"), *AS_NOBODY, "-c", "-m", "1000",
             f"inet:127.0.0.1:{self.port}", "1000"],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        wait_for_port(self.port)

    def _read(self):
        tail = b""
        while True:
            chunk = self._process.stdout.read1(1 << 16)
            if not chunk:
                return
            found = re.findall(rb"mesg=(\d+)\s", tail + chunk)
            tail = chunk[-40:]
            if found and int(found[-1]) > self.count:
                self.count = int(found[-1])
                self.last = time.monotonic()
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


def send(port, count, sessions, length, keep):
    """smtp-source into a port; (began, ended) in monotonic seconds."""
    command = [tool("smtp-source"), "-s", str(sessions), "-m", str(count),
               "-l", str(length), "-f", "source@bench.example",
               "-t", "sink@bench.example", "-M", "source.bench.example"]
    if keep:
        command.append("-d")
    command.append(f"inet:127.0.0.1:{port}")
    began = time.monotonic()
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    ended = time.monotonic()
    if done.returncode:
        raise SystemExit(f"bench: smtp-source failed: {done.stderr.strip()}")
    return began, ended
