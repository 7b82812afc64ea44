"""What /proc says of a server: its processes, their memory, their time."""
import os
import pathlib
import time

TICKS = os.sysconf("SC_CLK_TCK")


def _stat(pid):
    """The fields of /proc/PID/stat behind the name, or None."""
    try:
        text = pathlib.Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    return text.rpartition(")")[2].split()


def tree(root):
    """The process and all below it."""
    parents = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            fields = _stat(name)
            if fields:
                parents.setdefault(int(fields[1]), []).append(int(name))
    found, due = [], [root]
    while due:
        pid = due.pop()
        found.append(pid)
        due += parents.get(pid, [])
    return found


def cpu(root):
    """Processor seconds of a tree, those of its dead children too."""
    total = 0
    for pid in tree(root):
        fields = _stat(pid)
        if fields:
            total += sum(int(f) for f in fields[11:15])
    return total / TICKS


_gone = []


def remember(root):
    """A tree that is about to be killed; init would take its time with it."""
    _gone.append(cpu(root))


def gone():
    """Processor seconds of all that was remembered."""
    return sum(_gone)


def roles(root, kind):
    """The processes of one role: receive, queue or deliver."""
    found = []
    for pid in tree(root):
        try:
            words = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if b"--role" in words and \
                words[words.index(b"--role") + 1] == kind.encode():
            found.append(pid)
    return found


def _memory(pids, kind):
    total = 0
    for pid in pids:
        for line in pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text() \
                .splitlines():
            if line.startswith(kind + ":"):
                total += int(line.split()[1]) * 1024
    return total


def pss(pids):
    """Bytes of memory in proportion: what is shared is counted once."""
    return _memory(pids, "Pss")


def anonymous(pids):
    """Bytes of memory that are no file's: what they have made themselves."""
    return _memory(pids, "Anonymous")


def descriptors(pids):
    """How many files, sockets and the like they have open."""
    return sum(len(os.listdir(f"/proc/{pid}/fd")) for pid in pids)


def load_average():
    return float(pathlib.Path("/proc/loadavg").read_text().split()[0])


def quiet(root, seconds=1.0, patience=300.0, share=0.05):
    """Until a tree uses less than a share of one core for some seconds."""
    end = time.monotonic() + patience
    while time.monotonic() < end:
        before = cpu(root)
        time.sleep(seconds)
        if cpu(root) - before < share * seconds:
            return True
    return False


def drop_caches():
    """Forget the files in memory, as a restart of the machine would; may we?"""
    os.sync()
    try:
        pathlib.Path("/proc/sys/vm/drop_caches").write_text("3\n")
    except OSError:
        return False
    return True
