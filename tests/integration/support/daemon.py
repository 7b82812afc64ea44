"""A danelawd of our own: configuration, start, log, stop."""
import json
import os
import pathlib
import pwd
import re
import signal
import subprocess

from . import logfmt
from .wait import answers, free_port, wait_until

ROOT = pathlib.Path(__file__).resolve().parents[3]

# Whom the roles run as; only a daemon that root starts has a choice.
SERVANT = "nobody" if os.getuid() == 0 else None

SANITIZER_REPORT = re.compile(
    r"==\d+==ERROR: |runtime error: |SUMMARY: \w+Sanitizer|Assertion .* failed")


def built(name, build):
    """Where a build folder has a program."""
    places = [build / name, build / "mta" / name, build / "mta/ctl" / name]
    return next((p for p in places if p.is_file()), places[0])


def binary(name):
    """The program under test: $DANELAWD or $DANELAW, else from build/."""
    return os.environ.get(name.upper()) or str(built(name, ROOT / "build"))


def render(config, indent=""):
    """A configuration as text; {"domain example.org": {...}} is a section."""
    lines = []
    for key, value in config.items():
        if value is None:
            continue
        if isinstance(value, dict):
            kind, _, title = key.partition(" ")
            head = f'{kind} "{title}"' if title else kind
            lines.append(f"{indent}{head} {{\n{render(value, indent + '    ')}"
                         f"{indent}}}\n")
        else:
            lines.append(f"{indent}{key} = {_value(value)}\n")
    return "".join(lines)


def _value(value):
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (list, tuple)):
        return "{" + ", ".join(_value(v) for v in value) + "}"
    return str(value) if isinstance(value, int) else json.dumps(
        value, ensure_ascii=False)


def merge(base, more):
    """base with the entries of more, sections merged."""
    out = dict(base)
    for key, value in more.items():
        if isinstance(value, dict) and isinstance(out.get(key), dict):
            value = merge(out[key], value)
        out[key] = value
    return out


def environment():
    """The sanitizers must stop a role, not only tell."""
    return {"ASAN_OPTIONS": "halt_on_error=1:detect_leaks=1",
            "UBSAN_OPTIONS": "halt_on_error=1:print_stacktrace=1",
            **os.environ}


def open_way(path):
    """A folder the servant may write to."""
    pathlib.Path(path).mkdir(parents=True, exist_ok=True)
    give(path)


def give(path):
    """What is the servant's."""
    if SERVANT is not None:
        owner = pwd.getpwnam(SERVANT)
        os.chown(path, owner.pw_uid, owner.pw_gid)


def alive(pid):
    """Does this process still run (and is no zombie)?"""
    try:
        stat = pathlib.Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"


class Danelaw:
    """One daemon in a folder of its own."""

    def __init__(self, folder, config=None, text=None):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        self.spool = self.folder / "spool"
        self.config_file = self.folder / "danelaw.conf"
        self.log_file = self.folder / "log"
        self.process = None
        self.environment = {}  # beside everybody's
        self.before = []  # what starts it, setpriv for one
        self.starts = 0  # how many times it had started before this time
        self.write_config(config, text)

    def write_config(self, config=None, text=None):
        """Defaults with these entries, or this text as it is."""
        if text is None:
            text = render(merge(self.defaults(), config or {}))
        self.config_file.write_text(text)

    def defaults(self):
        return {
            "hostname": "mx.test.example",
            "spool": str(self.spool),
            "user": SERVANT,
            "receive_processes": 2,  # whatever the machine has
            "listen mx": {"address": [f"127.0.0.1:{self.port}"]},
            # all tests come from one address, and none wants to wait
            "limits": {"connections_client": 0, "messages_client": 0},
            "defence": {"greeting_delay": "0s", "tarpit_delay": "0s"},
            # nothing here may ask the network: names come from stub zones
            "resolver": {"forward .": {"server": ["127.0.0.1:9"]}, "self_test": ""},
            "renewal": {"tlsa": False, "mta_sts": False},
        }

    def start(self, wait=True):
        self.starts = len(self.events("started"))
        log = open(self.log_file, "ab")
        with log:
            self.process = subprocess.Popen(
                [*self.before, binary("danelawd"), "-f", "-c",
                 str(self.config_file)],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                env={**environment(), **self.environment})
        if wait:
            self.wait_ready()
        return self

    def wait_ready(self, seconds=20):
        def ready():
            status = self.process.poll()
            assert status is None, \
                f"danelawd ended with {status}:\n{self.log_text()[-4000:]}"
            return len(self.events("started")) > self.starts and answers(self.port)
        wait_until(ready, f"a greeting on port {self.port}", seconds)

    def log_text(self):
        return self.log_file.read_text(errors="replace") \
            if self.log_file.exists() else ""

    def events(self, event=None, **wanted):
        """Log lines as dicts, those with these keys and values."""
        return [line for line in logfmt.parse(self.log_text())
                if event in (None, line["event"])
                and all(line.get(k) == v for k, v in wanted.items())]

    def wait_event(self, event, seconds=20, **wanted):
        return wait_until(lambda: self.events(event, **wanted),
                          f"event={event} {wanted} in the log", seconds)[0]

    def pids(self):
        """{role: [process ids]} of the daemon's children."""
        found = {}
        task = pathlib.Path(f"/proc/{self.process.pid}/task/{self.process.pid}")
        for pid in (task / "children").read_text().split():
            try:
                words = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
            except (FileNotFoundError, ProcessLookupError):
                continue  # it has gone since
            role = next((w.decode() for w in words
                         if w in (b"receive", b"queue", b"deliver", b"report", b"web")), "?")
            found.setdefault(role, []).append(int(pid))
        return found

    def role_pids(self):
        return [pid for pids in self.pids().values() for pid in pids]

    def ctl(self, *arguments, check=True):
        """Run the command `danelaw` against this daemon."""
        done = subprocess.run(
            [binary("danelaw"), "-c", str(self.config_file), *arguments],
            capture_output=True, text=True, check=False, timeout=30,
            env=environment())
        if check:
            assert done.returncode == 0, done.stdout + done.stderr
        return done

    def ctl_popen(self, *arguments):
        """The same, while it runs."""
        return subprocess.Popen(
            [binary("danelaw"), "-c", str(self.config_file), *arguments],
            stdout=subprocess.PIPE, text=True, env=environment())

    def kill(self):
        """Everything at once, the way a power cut does."""
        for pid in [self.process.pid, *self.role_pids()]:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        self.process.wait(10)

    def stop(self, seconds=30):
        """Ends in order: exit status 0, no sanitizer has anything to say."""
        if self.process is None:
            return
        roles = [] if self.process.poll() is not None else self.role_pids()
        process, self.process = self.process, None
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        try:
            status = process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise AssertionError(
                f"danelawd did not stop:\n{self.log_text()[-4000:]}") from None
        self.assert_clean()
        left = [pid for pid in roles if alive(pid)]
        assert left == [], f"roles outlive their supervisor: {left}"
        assert status == 0, f"exit status {status}:\n{self.log_text()[-4000:]}"

    def assert_clean(self):
        text = self.log_text()
        found = SANITIZER_REPORT.search(text)
        assert found is None, text[max(0, found.start() - 500):][:6000]
