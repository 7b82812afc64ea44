"""Danelaw and Postfix as the benchmarks other than `relay` want them."""
import os
import pathlib
import re
import shutil
import signal
import subprocess
import time

from . import proc
from .built import program
from .danelaw import USER, Danelaw
from .load import free_port, wait_for_port
from .postfix import Postfix

PATIENCE = 600  # seconds a server with a long queue may take to answer


class Certificate:
    """A self-signed P-256 pair in a folder."""

    def __init__(self, folder, name="bench.example"):
        folder = pathlib.Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        self.chain, self.key = str(folder / "chain.pem"), str(folder / "key.pem")
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
             "ec_paramgen_curve:P-256", "-nodes", "-days", "30", "-subj",
             f"/CN={name}", "-addext", f"subjectAltName=DNS:{name}",
             "-keyout", self.key, "-out", self.chain],
            check=True, capture_output=True)


CONFIG = """\
hostname = "danelaw.bench.example"
spool    = "{dir}/spool"
{user}
listen "mx" {{ address = {{"127.0.0.1:{port}"}} }}
relay {{ from = {{"{relay}"}} }}
resolver {{ {resolver} }}
"""


def resolver_of(tree, server):
    """Words for the block of a resolver that knows this SignedTree."""
    stubs = "".join(f'stub "{name.rstrip(".") or "."}" {{ server = '
                    f'"127.0.0.1:{server.port}" }} ' for name in tree.zones)
    return f'trust_anchor = "{tree.anchor}"  self_test = ""  {stubs}'


class OwnDanelaw(Danelaw):
    """A Danelaw with a configuration of the benchmark's own.

    `routes` maps domains ("*" for the rest) to ports of this machine, or to
    None: the MX hosts, which cannot be found, unless `resolver` has words for
    that block.  `limits` and `timeouts` are words for these two, and `more` is
    lines for the end.  Whoever is in `relay` is exempt from most limits.
    """

    def __init__(self, folder, routes, limits="", timeouts="", certificate=None,
                 resolver=None, more="", relay="127.0.0.0/8"):
        self.port = free_port()
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        nobody = f'trust_anchor = ""  forward "." {{ server = "127.0.0.1:{free_port()}" }}'
        config = CONFIG.format(dir=self.folder, port=self.port, user=USER,
                               resolver=resolver or nobody, relay=relay)
        for domain, port in routes.items():
            via = f"smtp:127.0.0.1:{port}" if port else ""
            config += f'route "{domain}" {{ via = "{via}" }}\n'
        config += f"limits {{ sessions_client = 100000  {limits} }}\n"
        config += f"timeouts {{ drain = 1s  {timeouts} }}\n"
        if certificate:
            config += (f'certificate "bench" {{ chain = "{certificate.chain}"  '
                       f'key = "{certificate.key}" }}\n')
        (self.folder / "danelaw.conf").write_text(config + more)
        self.start()

    @property
    def spool(self):
        return self.folder / "spool"

    def start(self):
        """Also again, after stop() or kill(); `began` is when."""
        self._log = open(self.folder / "danelaw.log", "wb")
        self.began = time.monotonic()
        self._process = subprocess.Popen(
            [program("mta/danelawd"), "-f", "-c",
             str(self.folder / "danelaw.conf")], stderr=self._log)
        try:
            wait_for_port(self.port, PATIENCE,
                          alive=lambda: self._process.poll() is None)
        except SystemExit as why:
            self.stop()
            raise SystemExit(f"{why}; its log:\n" + self.log()[-2000:]) from None
        self.answered = time.monotonic()

    def log(self):
        return (self.folder / "danelaw.log").read_text(errors="replace")

    def recovered(self):
        """(messages, seconds) as the queue role logged it."""
        found = re.search(r"event=recovered .*?messages=(\d+).* ms=(\d+)",
                          self.log())
        return (int(found[1]), int(found[2]) / 1000) if found else (0, 0.0)

    def cpu(self):
        return proc.cpu(self._process.pid)

    def pids(self, kind):
        """Of a role, or of the supervisor."""
        return [self._process.pid] if kind == "supervisor" \
            else proc.roles(self._process.pid, kind)

    def pss(self, kind):
        return proc.pss(self.pids(kind))

    def quiet(self, patience=PATIENCE):
        """Wait until it has nothing to do, for so long at most."""
        end = time.monotonic() + patience
        while "event=recovered" not in self.log() and time.monotonic() < end:
            time.sleep(0.1)
        return proc.quiet(self._process.pid, patience=patience)

    def kill(self):
        """As a crash would end it: all processes at once."""
        proc.remember(self._process.pid)
        for pid in proc.tree(self._process.pid):
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        self._process.wait()
        self._log.close()


class OwnPostfix(Postfix):
    """A private Postfix with more lines in main.cf and master.cf."""

    def __init__(self, folder, next_port, sessions, lines="", services=""):
        self._lines, self._services = lines, services
        self._base = pathlib.Path(folder)
        super().__init__(folder, next_port, sessions)

    def _own(self, base):
        for name, more in (("main.cf", self._lines),
                           ("master.cf", self._services)):
            with open(base / "etc" / name, "a", encoding="ascii") as file:
                file.write(more)
        super()._own(base)

    def cpu(self):
        text = (self._base / "queue/pid/master.pid").read_text()
        return proc.cpu(int(text))


def fill(folder, count, *options):
    """A spool for a daemon that is not running yet: spool_fill."""
    spool = pathlib.Path(folder) / "spool"
    spool.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(
        [program("tests/bench/spool_fill"), "--spool", str(spool),
         "--messages", str(count), *options],
        capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"bench: spool_fill failed: {done.stderr.strip()}")
    own(spool)


def own(spool):
    """The roles run as nobody when we are root."""
    if USER:
        subprocess.run(["chown", "-R", "nobody:", str(spool)], check=True)


def remove(folder):
    shutil.rmtree(folder, ignore_errors=True)
