"""A private Dovecot that takes mail over LMTP into Maildirs."""
import grp
import os
import pathlib
import pwd
import shutil
import subprocess

from .daemon import open_way
from .maildir import Maildir
from .wait import answers, free_port, wait_until

# The mail's owner: Dovecot delivers for nobody who is root.
CONFIG = """\
base_dir = {dir}/run
state_dir = {dir}/run
log_path = {dir}/log
protocols = lmtp
ssl = no
default_internal_user = {user}
default_login_user = {user}
default_internal_group = {group}
auth_mechanisms = plain
passdb {{
  driver = static
  args = password=unused
}}
userdb {{
  {userdb}
}}
first_valid_uid = 1
first_valid_gid = 1
mail_location = maildir:~/Maildir
lmtp_save_to_detail_mailbox = no
service anvil {{
  chroot =
}}
service stats {{
  chroot =
}}
service lmtp {{
  inet_listener lmtp {{
    address = 127.0.0.1
    port = {port}
  }}
  unix_listener {dir}/lmtp.sock {{
    mode = 0666
  }}
}}
"""


EVERYBODY = """driver = static
  args = uid={uid} gid={gid} home={dir}/mail/%n allow_all_users=yes"""
LISTED = """driver = passwd-file
  args = username_format=%n {dir}/users"""


def program():
    if not pathlib.Path("/usr/lib/dovecot/lmtp").exists():
        return None
    return shutil.which("dovecot", path="/usr/sbin:/usr/bin")


class Dovecot:
    """With `people` only they exist; else everybody does."""

    def __init__(self, folder, people=None):
        self.folder = pathlib.Path(folder)
        mail = self.folder / "mail"
        mail.mkdir(parents=True)
        self.port = free_port()
        self.socket = self.folder / "lmtp.sock"
        root = os.getuid() == 0
        owner = pwd.getpwnam("nobody") if root else pwd.getpwuid(os.getuid())
        inside = "dovecot" if root else owner.pw_name
        group = "dovecot" if root else grp.getgrgid(os.getgid()).gr_name
        if root:
            open_way(mail)
        ids = {"dir": self.folder, "uid": owner.pw_uid, "gid": owner.pw_gid}
        users = self.folder / "users"
        users.write_text("".join(f"{name}::{owner.pw_uid}:{owner.pw_gid}::{mail}/{name}::\n"
                                 for name in people or []))
        users.chmod(0o644)
        userdb = (EVERYBODY if people is None else LISTED).format(**ids)
        (self.folder / "dovecot.conf").write_text(CONFIG.format(
            port=self.port, user=inside, group=group, userdb=userdb, **ids))
        self.start()

    def start(self):
        """Once more, after stop()."""
        self.process = subprocess.Popen(
            [program(), "-F", "-c", str(self.folder / "dovecot.conf")],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_until(self._ready, "Dovecot answers", 20)

    def _ready(self):
        assert self.process.poll() is None, self.log_text()
        return answers(self.port)

    def log_text(self):
        log = self.folder / "log"
        return log.read_text(errors="replace") if log.exists() else ""

    def maildir(self, user):
        return Maildir(self.folder / "mail" / user / "Maildir")

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
