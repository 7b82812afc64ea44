"""A mail filter of the milter protocol, octet by octet, that does what it is told."""
import os
import socket
import struct
import threading
import time

from .daemon import give

ADD_HEADERS, CHANGE_BODY, ADD_RCPT, DELETE_RCPT = 1, 2, 4, 8
CHANGE_HEADERS, QUARANTINE, CHANGE_FROM, ADD_RCPT_ARGS = 16, 32, 64, 128
NO_BODY, NO_HEADER, SKIP, RCPT_REJ, LEADING_SPACE = 0x10, 0x20, 0x400, 0x800, 0x100000
NR_HEADER, NR_BODY = 0x80, 0x80000


def packet(letter, data=b""):
    return struct.pack(">I", len(data) + 1) + letter + data


def texts(*words):
    return b"".join(w.encode("utf-8", "surrogateescape") + b"\0" for w in words)


def code(text):
    return packet(b"y", texts(text))


def add(name, value):
    return packet(b"h", texts(name, value))


def insert(index, name, value):
    return packet(b"i", struct.pack(">I", index) + texts(name, value))


def change(index, name, value):
    return packet(b"m", struct.pack(">I", index) + texts(name, value))


CONTINUE, ACCEPT, REJECT = packet(b"c"), packet(b"a"), packet(b"r")
TEMPFAIL, DISCARD, SHUTDOWN, PROGRESS = (packet(b"t"), packet(b"d"), packet(b"4"),
                                         packet(b"p"))
SILENT = b""


class Milter:
    """Serves at a UNIX socket until stop().

    replies: {command letter: octets, or a function of (the data) to octets};
    what is not there is answered with CONTINUE.  A function may sleep, or
    raise ConnectionAbortedError to hang up.
    """

    def __init__(self, path, replies=None, actions=0xff, flags=0, version=6):
        self.path = str(path)
        self.replies = replies or {}
        self.options = struct.pack(">III", version, actions, flags)
        self.flags = flags
        self.seen = []  # (letter, data) of all connections, macros too
        self.connections = 0
        self.server = None
        self.open = []
        self.start()

    @property
    def address(self):
        return f"unix:{self.path}"

    def start(self):
        self.server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.server.bind(self.path)
        os.chmod(self.path, 0o777)
        self.server.listen(50)
        threading.Thread(target=self.serve, args=(self.server,), daemon=True).start()

    def stop(self):
        if self.server is None:
            return
        self.server.shutdown(socket.SHUT_RDWR)
        self.server.close()
        self.server = None
        os.unlink(self.path)
        for conn in self.open:
            try:
                conn.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def serve(self, server):
        while True:
            try:
                conn, _ = server.accept()
            except OSError:
                return
            self.connections += 1
            self.open.append(conn)
            threading.Thread(target=self.talk, args=(conn,), daemon=True).start()

    def answer(self, letter, data):
        if letter in "DAQ":
            return b""
        reply = self.replies.get(letter)
        if callable(reply):
            return reply(data)
        if reply is not None:
            return reply
        if letter == "O":
            return packet(b"O", self.options)
        quiet = {"L": NR_HEADER, "B": NR_BODY}.get(letter, 0)
        return b"" if self.flags & quiet else CONTINUE

    def talk(self, conn):
        with conn:
            try:
                while head := self.exactly(conn, 4):
                    body = self.exactly(conn, struct.unpack(">I", head)[0])
                    letter = chr(body[0])
                    self.seen.append((letter, body[1:]))
                    conn.sendall(self.answer(letter, body[1:]))
            except OSError:
                pass

    @staticmethod
    def exactly(conn, n):
        got = b""
        while len(got) < n:
            chunk = conn.recv(n - len(got))
            if not chunk:
                return b""
            got += chunk
        return got

    def letters(self):
        """The commands without macros, repeats as one: "OCHMRTLNBE"."""
        out = ""
        for letter, _ in self.seen:
            if letter != "D" and out[-1:] != letter:
                out += letter
        return out

    def data(self, letter):
        return [d for got, d in self.seen if got == letter]

    def macros(self, letter):
        """Those in front of this command, the last time."""
        for got, data in reversed(self.seen):
            if got == "D" and chr(data[0]) == letter:
                words = data[1:].decode().split("\0")
                return dict(zip(words[0::2], words[1::2]))
        return {}


def slowly(seconds, reply=CONTINUE):
    def wait(_data):
        time.sleep(seconds)
        return reply
    return wait


def hang_up(_data):
    raise ConnectionAbortedError


def owned(path):
    """A folder in which the daemon's servant finds sockets."""
    path.mkdir(exist_ok=True)
    give(path)
    path.chmod(0o755)
    return path
