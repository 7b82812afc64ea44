"""A daemon whose clock is set while it runs."""
import struct

from .daemon import ROOT, environment

LIBRARY = ROOT / "build/tests/libclock_shift.so"
HOUR = 3600
DAY = 24 * HOUR


class Clock:
    """How far the wall clock of a daemon is ahead; see tests/support/clock_shift.c."""

    def __init__(self, file):
        self.file = file
        file.write_bytes(bytes(8))
        file.chmod(0o644)

    def set(self, seconds):
        with open(self.file, "r+b") as file:
            file.write(struct.pack("<q", int(seconds)))

    def drive(self, server):
        """From its next start on."""
        server.environment = {
            "DANELAW_CLOCK": str(self.file), "LD_PRELOAD": str(LIBRARY),
            "ASAN_OPTIONS": environment()["ASAN_OPTIONS"] + ":verify_asan_link_order=0"}
