"""A private Danelaw relay from the release build."""
import os
import pathlib
import signal
import subprocess

from .load import free_port, wait_for_port

BUILT = pathlib.Path(__file__).resolve().parents[3] / "build-release/mta/danelawd"

CONFIG = """\
hostname = "danelaw.bench.example"
spool    = "{dir}/spool"
{user}
listen "mx" {{ address = {{"127.0.0.1:{port}"}} }}
relay {{ from = {{"127.0.0.0/8"}} }}
route "*" {{ via = "smtp:127.0.0.1:{next}" }}
limits {{ connections = {sessions}  sessions_client = 1000 }}
"""


# Roles do not run as root, and only root has to say who they are.
USER = 'user = "nobody"' if os.getuid() == 0 else ""


class Danelaw:
    """Started at birth; stop() ends it."""

    name = "danelaw"

    def __init__(self, folder, next_port, sessions):
        self.port = free_port()
        base = pathlib.Path(folder)
        base.mkdir(parents=True)
        binary = os.environ.get("DANELAWD") or str(BUILT)
        if not os.access(binary, os.X_OK):
            raise SystemExit(f"bench: no {binary} (./dev build release)")
        config = base / "danelaw.conf"
        config.write_text(CONFIG.format(dir=base, port=self.port, next=next_port,
                                        sessions=sessions, user=USER))
        self._log = open(base / "danelaw.log", "wb")
        self._process = subprocess.Popen([binary, "-f", "-c", str(config)],
                                         stderr=self._log)
        try:
            wait_for_port(self.port, alive=lambda: self._process.poll() is None)
        except SystemExit as why:
            self.stop()
            raise SystemExit(f"{why}; its log:\n"
                             + (base / "danelaw.log").read_text()[-2000:]) from None

    def stop(self):
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(30)
        except subprocess.TimeoutExpired:
            self._process.kill()
        self._log.close()
