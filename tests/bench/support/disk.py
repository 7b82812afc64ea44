"""How fast can this disk make records durable?  The ceiling of any mail queue."""
import os
import time

RECORD = os.urandom(4096)


def durable_rate(folder, group, seconds=2.0):
    """Records a second: append `group` of them, fdatasync, again.

    The file is written once beforehand, as a preallocated segment would be,
    so that the size on disk does not change while measuring.
    """
    path = os.path.join(folder, "ceiling")
    span = 64 << 20
    fd = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        for _ in range(span >> 20):
            os.write(fd, bytes(1 << 20))
        os.fsync(fd)
        os.lseek(fd, 0, os.SEEK_SET)
        batch = RECORD * group
        done = 0
        began = time.monotonic()
        while time.monotonic() - began < seconds:
            if os.lseek(fd, 0, os.SEEK_CUR) + len(batch) > span:
                os.lseek(fd, 0, os.SEEK_SET)
            os.write(fd, batch)
            os.fdatasync(fd)
            done += group
        return done / (time.monotonic() - began)
    finally:
        os.close(fd)
        os.unlink(path)
