"""A systemd of our own, over a copy of this machine that ends with it.

Root's file system is what all of the box sees, with a layer above it (overlayfs)
that takes what is written.  Processes, mounts, network and control groups are the
box's own (unshare); nothing of the machine is changed, and nothing leaves it.
"""
import contextlib
import ctypes
import os
import pathlib
import re
import shutil
import signal
import subprocess

from .wait import wait_until

SYSTEMD = pathlib.Path("/lib/systemd/systemd")
TOOLS = ["unshare", "nsenter", "mount", "systemctl", "journalctl"]
CLONE_NEWNET = 0x40000000
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
POWER_OFF = signal.SIGRTMIN + 4  # systemd(1): starts poweroff.target

# As the first process of its namespaces, with the box's folder as $1 and the
# checkout as $2.  /proc/sys and /sys cannot be written: what tunes the kernel at a
# boot leaves it alone.
ENTER = """
set -eu
mount --make-rprivate /
mount -t overlay overlay -o "lowerdir=/,upperdir=$1/upper,workdir=$1/work" "$1/root"
cd "$1/root"
mount -t proc proc proc
mount --bind proc/sys proc/sys
mount -o remount,bind,ro proc/sys
mount -t tmpfs tmpfs run
mount -t tmpfs tmpfs tmp
mount -t tmpfs -o mode=755 tmpfs dev
for node in null zero full random urandom tty; do
    : > dev/$node
    mount --bind /dev/$node dev/$node
done
mkdir dev/pts dev/shm
mount -t devpts devpts dev/pts
ln -s pts/ptmx dev/ptmx
ln -s /proc/self/fd dev/fd
mount -t sysfs -o ro sysfs sys
mount -t cgroup2 cgroup2 sys/fs/cgroup
mkdir -p "./$2"
mount --bind "$2" "./$2"
mount -o remount,bind,ro "./$2"
mkdir -p "./$1/old"
pivot_root . "./$1/old"
cd /
umount -l "$1/old"
ip link set lo up
exec env -i container=danelaw-test PATH=/usr/sbin:/usr/bin \
    /lib/systemd/systemd --unit=basic.target --log-target=journal --show-status=no
"""


def missing():
    """Why there can be no box here; None where there can."""
    if os.getuid() != 0:
        return "only root can start a systemd of its own"
    absent = [tool for tool in TOOLS if shutil.which(tool) is None]
    return "no systemd here" if absent or not SYSTEMD.exists() else None


class CannotStart(Exception):
    """This machine lets nobody have a box: no fault of what is tested."""


class Box:
    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.root = self.folder / "upper"
        for part in ("upper", "work", "root"):
            (self.folder / part).mkdir(parents=True)
        self.log = self.folder / "enter.log"
        self.process, self.pid = None, None

    def start(self, checkout):
        """checkout: a folder that is there, too, to read."""
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                ["unshare", "--fork", "--kill-child", "--pid", "--mount", "--uts",
                 "--ipc", "--net", "--cgroup", "/bin/sh", "-c", ENTER, "sh",
                 str(self.folder), str(checkout)],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        try:
            wait_until(self.is_up, "a systemd that runs", 30, 0.1)
        except (AssertionError, CannotStart) as failure:
            self.stop()
            raise CannotStart(f"{failure}: {self.log.read_text()}") from failure
        return self

    def is_up(self):
        if self.process.poll() is not None:
            raise CannotStart("the first process ended")
        children = pathlib.Path(
            f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        if not children or os.readlink(f"/proc/{children[0]}/exe") != str(SYSTEMD.resolve()):
            return False
        self.pid = int(children[0])
        state = self.run("systemctl", "is-system-running", check=False).stdout.strip()
        return state in ("running", "degraded")

    def run(self, *command, check=True, text=None, seconds=60, user=None):
        """A command of the box; its end, with what it said as text."""
        to_be = ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups"]
        done = subprocess.run(
            ["nsenter", "--target", str(self.pid), "--all", "--root",
             "env", "--chdir=/", "-i", f"PATH={PATH}", "LC_ALL=C.UTF-8", "HOME=/root",
             *(to_be if user is not None else []), *command],
            input=text, capture_output=True, text=True, timeout=seconds, check=False)
        assert not check or done.returncode == 0, \
            f"{' '.join(command)}: {done.returncode}\n{done.stdout}{done.stderr}"
        return done

    def says(self, *command, **options):
        return self.run(*command, **options).stdout

    def file(self, path):
        """A file of the box as it is seen from here, through a process of it."""
        return pathlib.Path(f"/proc/{self.pid}/root/{str(path).lstrip('/')}")

    @contextlib.contextmanager
    def network(self):
        """Sockets that are made meanwhile are the box's."""
        libc = ctypes.CDLL(None, use_errno=True)

        def enter(path):
            with open(path, "rb") as there:
                if libc.setns(there.fileno(), CLONE_NEWNET) != 0:
                    raise OSError(ctypes.get_errno(), "setns")

        home = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
        try:
            enter(f"/proc/{self.pid}/ns/net")
            yield
        finally:
            enter(f"/proc/self/fd/{home}")
            os.close(home)

    def stop(self):
        """In order, so that no control groups are left; else at once."""
        if self.pid is not None and self.process.poll() is None:
            os.kill(self.pid, POWER_OFF)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(60)
        self.process.kill()
        self.process.wait()

    def remove(self):
        """Its folder, and the control group that a systemd cannot leave."""
        own = pathlib.Path("/proc/self/cgroup").read_text()
        mounts = pathlib.Path("/proc/self/mounts").read_text()
        for where in re.findall(r"(?m)^\S+ (\S+) cgroup2 ", mounts):
            for part in re.findall(r"(?m)^0::(\S+)$", own):
                with contextlib.suppress(OSError):  # it is somebody else's
                    pathlib.Path(where, part.lstrip("/"), "init.scope").rmdir()
        shutil.rmtree(self.folder, ignore_errors=True)
