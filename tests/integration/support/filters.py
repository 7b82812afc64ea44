"""The filters of Debian, each in a folder of its own."""
import os
import pathlib
import shutil
import socket
import subprocess

from .wait import free_port, wait_until


def find(name):
    return shutil.which(name, path="/usr/sbin:/usr/bin:/sbin:/bin")


class Process:
    """A program in the foreground, ended by its pid."""

    def __init__(self, folder, *command):
        self.log = pathlib.Path(folder) / "log"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL,
                                            stdout=log, stderr=log,
                                            start_new_session=True)

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait(10)

    def wait(self, condition, what):
        def check():
            assert self.process.poll() is None, self.log.read_text(errors="replace")[-3000:]
            return condition()
        wait_until(check, what, 60)


class OpenDkim(Process):
    """Signs for DOMAIN and verifies by the key records of a file."""

    def __init__(self, folder, key, record, domain, selector="s1", mode="sv"):
        folder.mkdir(exist_ok=True)
        folder.chmod(0o755)
        self.folder, self.socket = folder, folder / "socket"
        self.socket.unlink(missing_ok=True)
        zone, conf = folder / "zone", folder / "conf"
        zone.write_text(f"{selector}._domainkey.{domain} {record}\n")
        conf.write_text("".join(f"{k} {v}\n" for k, v in {
            "Syslog": "no", "RequireSafeKeys": "no", "TestDNSData": zone,
            "InternalHosts": "127.0.0.1" if "s" in mode else "192.0.2.1", "Mode": mode, "Domain": domain,
            "Selector": selector, "KeyFile": key, "Canonicalization": "simple/simple",
            "Socket": f"local:{self.socket}", "Background": "no", "UMask": "000",
            "AuthservID": "mx.test.example", "AlwaysAddARHeader": "yes"}.items()))
        super().__init__(folder, find("opendkim"), "-f", "-x", str(conf))
        self.wait(self.socket.exists, "opendkim's socket")

    @property
    def address(self):
        return f"unix:{self.socket}"


RSPAMD = """
options {{
  pidfile = "{folder}/pid";
  tempdir = "{folder}";
  url_tld = "/usr/share/rspamd/effective_tld_names.dat";
  filters = [];
  raw_mode = false;
  one_shot = false;
  cache_file = "{folder}/map_cache";
  dns {{ nameserver = ["127.0.0.1:9:1"]; timeout = 100ms; retransmits = 1; }}
  local_addrs = "192.168.0.0/16";
  enable_test_patterns = true;
  hs_cache_dir = "{folder}/";
}}
logging {{ type = "console"; level = "info"; }}
metric {{
  name = "default";
  actions {{ reject = 15; add_header = 6; greylist = 4; }}
}}
actions {{ reject = 15; add_header = 6; greylist = 4; }}
worker "rspamd_proxy" {{
  bind_socket = "127.0.0.1:{port}";
  milter = yes;
  timeout = 60s;
  count = 1;
  max_retries = 2;
  upstream "local" {{ default = yes; self_scan = yes; }}
}}
"""


class Rspamd(Process):
    """Its proxy in milter mode, scanning by itself; no plugins, no network."""

    def __init__(self, folder):
        folder.mkdir()
        folder.chmod(0o777)
        self.port = free_port()
        conf = folder / "rspamd.conf"
        conf.write_text(RSPAMD.format(folder=folder, port=self.port))
        user = ["-u", "nobody", "-g", "nogroup"] if os.getuid() == 0 else []
        super().__init__(folder, find("rspamd"), "-f", *user, "-c", str(conf))
        self.wait(self.answers, "rspamd's port")

    def answers(self):
        try:
            with socket.create_connection(("127.0.0.1", self.port), 1):
                return True
        except OSError:
            return False

    @property
    def address(self):
        return f"inet:127.0.0.1:{self.port}"
