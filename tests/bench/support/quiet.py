"""Is the machine ours?  What others use while we measure spoils the figure.

Busy time of all processors, less what we and our servers used, is somebody
else's (or the kernel's own threads'); the kernel's work on packets counts as
ours.  With patience a measurement waits until others are quiet, and is made
again when they were not.
"""
import os
import pathlib
import time

from . import proc

SHARE = 0.08  # of all processors together; more is a disturbance
LOOK = 2.0  # seconds for a look at an idle machine


class _Moment:
    def __init__(self, servers):
        self.wall = time.monotonic()
        fields = [int(f) for f in pathlib.Path("/proc/stat").read_text()
                  .split("\n", 1)[0].split()[1:9]]
        self.idle = (fields[3] + fields[4]) / proc.TICKS
        packets = (fields[5] + fields[6]) / proc.TICKS
        self.busy = sum(fields) / proc.TICKS - self.idle - packets
        # Those who left us for init (Postfix) are told by themselves.
        self.ours = (proc.cpu(os.getpid()) + proc.gone()
                     + sum(s.cpu() for s in servers))


class Quiet:
    """Runs work and knows how quiet it was meanwhile."""

    def __init__(self, patience, say):
        self.worst = 0.0  # share of others in what was taken
        self.idle = 0.0   # share that nobody used, in the last run
        self.again = 0
        self.servers = []  # with cpu(), and no children of ours
        self._end = time.monotonic() + patience
        self._say = say

    def _patient(self):
        return time.monotonic() < self._end

    def _others(self, before, after):
        wall = max(after.wall - before.wall, 0.001) * os.cpu_count()
        self.idle = (after.idle - before.idle) / wall
        ours = after.ours - before.ours
        return max(0.0, after.busy - before.busy - ours) / wall

    def _wait(self):
        while self._patient():
            before = _Moment(self.servers)
            time.sleep(LOOK)
            if self._others(before, _Moment(self.servers)) <= SHARE:
                return

    def run(self, work):
        """What work() gave while others were quiet, or when patience ended."""
        while True:
            self._wait()
            before = _Moment(self.servers)
            seen = work()
            share = self._others(before, _Moment(self.servers))
            if share <= SHARE or not self._patient():
                self.worst = max(self.worst, share)
                return seen
            self.again += 1
            self._say(f"  (again: {share:.0%} of the machine was in other hands)")
