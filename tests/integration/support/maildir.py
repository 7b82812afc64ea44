"""Reading a Maildir as bytes."""
import pathlib

from .wait import wait_until


class Maildir:
    """Only what is in new/ and cur/ counts; tmp/ is not there yet."""

    def __init__(self, path):
        self.path = pathlib.Path(path)

    def files(self):
        found = []
        for part in ("new", "cur"):
            folder = self.path / part
            if folder.is_dir():
                found += [f for f in folder.iterdir() if f.is_file()]
        return sorted(found)

    def messages(self):
        """The messages as bytes, as they stand on disk."""
        return [f.read_bytes() for f in self.files()]

    def wait(self, count=1, seconds=20):
        """The messages, once there are so many."""
        wait_until(lambda: len(self.files()) >= count,
                   f"{count} messages in {self.path}", seconds)
        return self.messages()

    def leftovers(self):
        """What stands in tmp/: nothing, once all deliveries are done."""
        folder = self.path / "tmp"
        return sorted(folder.iterdir()) if folder.is_dir() else []


def split(message):
    """(header fields as a list of bytes, body) of a message with LF or CRLF."""
    end = b"\r\n" if b"\r\n" in message.split(b"\n\n")[0] else b"\n"
    head, _, body = message.partition(end + end)
    fields = []
    for line in head.split(end):
        if line[:1] in (b" ", b"\t") and fields:
            fields[-1] += b"\n" + line
        else:
            fields.append(line)
    return fields, body


def field(message, name):
    """All values of a header field, unfolded, as text."""
    prefix = name.lower().encode() + b":"
    return [" ".join(f[len(prefix):].decode("utf-8", "replace").split())
            for f in split(message)[0] if f.lower().startswith(prefix)]
