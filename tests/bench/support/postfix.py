"""A private Postfix: own configuration, queue and port, nothing of the system's."""
import grp
import os
import pathlib
import pwd
import subprocess

from .load import free_port, tool, wait_for_port

# Everything that differs from Debian's defaults.  Nothing here relaxes
# durability: cleanup(8) syncs each queue file before smtpd(8) says 250.
MAIN = """\
compatibility_level = 3.6
# where it lives
queue_directory = {dir}/queue
data_directory = {dir}/data
maillog_file = {dir}/mail.log
maillog_file_prefixes = {dir}
mail_owner = postfix
setgid_group = postdrop
# what it does: relay everything from loopback to the sink
myhostname = postfix.bench.example
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mydestination =
alias_maps =
local_recipient_maps =
mynetworks = 127.0.0.0/8
relayhost = [127.0.0.1]:{next}
# no DNS is asked: Danelaw asks none here either
smtpd_peername_lookup = no
smtp_dns_support_level = disabled
# at its best: as many connections as the source has, at once
default_process_limit = 200
default_destination_concurrency_limit = {sessions}
initial_destination_concurrency = {sessions}
# never hold back the client while deliveries lag
in_flow_delay = 0
"""

MASTER = """\
{port} inet n - n - 200 smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
proxywrite unix - - n - 1 proxymap
smtp unix - - n - - smtp
relay unix - - n - - smtp
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
"""


class Postfix:
    """Started at birth; stop() ends it."""

    name = "postfix"

    def __init__(self, folder, next_port, sessions):
        self.port = free_port()
        self._etc = pathlib.Path(folder) / "etc"
        self._sudo = [] if os.getuid() == 0 else ["sudo"]
        base = pathlib.Path(folder)
        for part in ("etc", "queue", "data"):
            (base / part).mkdir(parents=True)
        values = {"dir": base, "next": next_port, "sessions": sessions,
                  "port": self.port}
        (self._etc / "main.cf").write_text(MAIN.format(**values))
        (self._etc / "master.cf").write_text(MASTER.format(**values))
        self._own(base)
        self._postfix("start")
        wait_for_port(self.port)

    def _own(self, base):
        """Postfix insists on who owns what: the daemon its data, root the rest."""
        owner = pwd.getpwnam("postfix")
        grp.getgrnam("postdrop")  # an error here names what is missing
        subprocess.run([*self._sudo, "chown", "-R", "root:root", str(base)],
                       check=True)
        subprocess.run([*self._sudo, "chown", f"{owner.pw_uid}:{owner.pw_gid}",
                        str(base / "data")], check=True)

    def _postfix(self, verb):
        done = subprocess.run(
            [*self._sudo, tool("postfix"), "-c", str(self._etc), verb],
            capture_output=True, text=True, check=False)
        if done.returncode:
            raise SystemExit(f"bench: postfix {verb}: {done.stderr.strip()}")

    def stop(self):
        self._postfix("stop")
