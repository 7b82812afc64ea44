"""Debian's Exim: as a mail host that takes mail, and as one that sends it.

Its package and Postfix's exclude each other, so its program may be one that
./dev took out of the package (build/exim); libexim_way.so has it run as who we
are and ask our name server.  It never runs as root.
"""
import os
import pathlib
import pwd
import shutil
import signal
import subprocess

from .daemon import ROOT, SERVANT, open_way
from .maildir import Maildir
from .wait import answers, free_port, wait_until

LIBRARY = ROOT / "build/tests/libexim_way.so"
PLACES = ("/usr/sbin/exim4", ROOT / "build/exim/usr/sbin/exim4")
CONFIG = """\
primary_hostname = {name}
exim_path = {dir}/exim4
spool_directory = {dir}/spool
log_file_path = {dir}/log/%slog
log_selector = +tls_cipher +tls_certificate_verified +tls_sni +dnssec +smtp_confirmation
pid_file_path = {dir}/exim.pid
keep_environment = LD_PRELOAD : DANELAW_DNS
exim_user = {user}
exim_group = {group}
trusted_users = {user}
deliver_drop_privilege = true
local_interfaces = 127.0.0.1
daemon_smtp_ports = {port}
disable_ipv6 = true
host_lookup =
dns_dnssec_ok = 1
dns_trust_aa = *
tls_advertise_hosts = *
tls_certificate = {chain}
tls_privatekey = {key}
acl_smtp_rcpt = recipients
acl_smtp_data = message

begin acl

recipients:
  deny    !domains = {name} : mx.{name}
          message = no such domain here
  deny    local_parts = nobody
          message = no such person here
  defer   condition = ${{if exists{{{dir}/defer}}}}
          message = not just now
  accept

message:
  accept

begin routers

ours:
  driver = accept
  domains = {name}
  transport = box

others:
  driver = dnslookup
  transport = outside
  dnssec_request_domains = *
  self = send
  ignore_target_hosts =
  no_more

begin transports

box:
  driver = appendfile
  directory = {dir}/mail
  maildir_format
  create_directory
  user = {user}
  group = {group}

outside:
  driver = smtp
  port = {peer}
  allow_localhost
  {outside}

begin retry

* * F,1h,1s
"""


def program():
    """A path, or None."""
    if not LIBRARY.is_file():
        return None
    return next((path for path in PLACES if pathlib.Path(path).is_file()), None)


class Exim:
    """A host of this name, which is its domain, too.

    outside: lines of the transport that sends to others, at the port `peer`.
    """

    def __init__(self, folder, name, chain, dns=9, peer=25, outside=()):
        self.folder = pathlib.Path(folder)
        open_way(self.folder)
        self.name = name
        self.port = free_port()
        self.who = pwd.getpwnam(SERVANT) if SERVANT else pwd.getpwuid(os.getuid())
        # Neither setuid nor in a folder that is only for root.
        self.program = self.folder / "exim4"
        shutil.copyfile(program(), self.program)
        self.program.chmod(0o755)
        self.library = self.folder / LIBRARY.name
        shutil.copyfile(LIBRARY, self.library)
        self.library.chmod(0o755)
        for file in ("chain.pem", "key.pem"):
            shutil.copyfile(chain.chain if file == "chain.pem" else chain.key,
                            self.folder / file)
            os.chown(self.folder / file, self.who.pw_uid, self.who.pw_gid)
            (self.folder / file).chmod(0o400)
        self.dns = dns
        self.config = self.folder / "exim.conf"
        self.config.write_text(CONFIG.format(
            name=name, dir=self.folder, user=self.who.pw_name, group=self.who.pw_gid,
            port=self.port, peer=peer, chain=self.folder / "chain.pem",
            key=self.folder / "key.pem", outside="\n  ".join(outside)))
        self.config.chmod(0o644)
        self.process = None

    def _run(self, *words, **how):
        account = {} if SERVANT is None else {
            "user": self.who.pw_uid, "group": self.who.pw_gid, "extra_groups": []}
        return subprocess.Popen(
            [str(self.program), "-C", str(self.config), *words], cwd="/",
            env={"PATH": "/usr/bin:/bin", "LD_PRELOAD": str(self.library),
                 "DANELAW_DNS": str(self.dns)},
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **account, **how)

    def call(self, *words, text=""):
        """It runs to its end: what it said."""
        with self._run(*words, stdin=subprocess.PIPE) as process:
            said, _ = process.communicate(text, 60)
        assert process.returncode == 0, said + self.log()
        return said

    def start(self):
        """Listen for mail."""
        self.process = self._run("-bdf", stdin=subprocess.DEVNULL, start_new_session=True)
        wait_until(self._ready, "Exim answers", 20)
        return self

    def _ready(self):
        assert self.process.poll() is None, self.process.stdout.read() + self.log()
        return answers(self.port)

    def send(self, text, sender, *rcpts):
        """Take it and try to deliver it, before this ends."""
        self.call("-odi", "-i", "-f", sender, *rcpts, text=text)

    def run_queue(self):
        self.call("-qff")

    def queued(self):
        """How many messages wait."""
        return int(self.call("-bpc"))

    def log(self, name="main"):
        file = self.folder / f"log/{name}log"
        return file.read_text(errors="replace") if file.exists() else ""

    def line(self, *words):
        """The first line of its log with all these words."""
        return next((line for line in self.log().splitlines()
                     if all(word in line for word in words)), None)

    def wait_line(self, *words):
        return wait_until(lambda: self.line(*words), f"{words} in Exim's log:\n{self.log()}")

    def defer(self, yes):
        """Refuse all recipients for now."""
        file = self.folder / "defer"
        if yes:
            file.touch()
        else:
            file.unlink()

    @property
    def box(self):
        """Where all mail for it goes."""
        return Maildir(self.folder / "mail")

    def stop(self):
        if self.process is None:
            return
        try:
            os.killpg(self.process.pid, signal.SIGTERM)
        except ProcessLookupError:
            pass
        self.process.communicate(timeout=10)
        self.process = None
