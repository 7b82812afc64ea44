"""A next hop that keeps what it gets, and sins when asked to.

    server = Sink()                        # behaves
    server = Sink(sin="rcpt_554_close")    # one method of Sins
    server.wait(1)[0].body

Each sin is a method of Sins (sins.py) that changes one session's script
before its greeting: script["RCPT"] is what answers RCPT, and so on.
"""
import os
import socket
import ssl
import threading
import time
from dataclasses import dataclass, field

from .wait import wait_until

LIMIT = 64 << 20


class Hangup(Exception):
    """The session ends here."""


@dataclass
class Received:
    """One transaction as it was sent."""
    sender: str
    rcpts: list
    body: bytes = b""
    mail_params: list = field(default_factory=list)
    rcpt_params: list = field(default_factory=list)
    helo: str = ""
    tls: bool = False


def _path(argument):
    """("address", [parameters]) of what follows FROM: or TO:."""
    address, _, rest = argument.strip().partition(">")
    return address.lstrip("<"), rest.split()


class Session:
    """One connection and its script."""

    def __init__(self, server, sock):
        self.server = server
        self.sock = sock
        self.buffer = b""
        self.tls = False
        self.sni = None
        self.helo = ""
        self.current = None
        self.banner = "220 sink.test.example ESMTP"
        self.keywords = ["PIPELINING", "SIZE 0", "8BITMIME", "SMTPUTF8",
                         "ENHANCEDSTATUSCODES", "DSN", "CHUNKING",
                         "X-SOMETHING NEW"]
        self.script = {
            "EHLO": self.on_hello, "LHLO": self.on_hello, "HELO": self.on_helo,
            "MAIL": self.on_mail, "RCPT": self.on_rcpt, "DATA": self.on_data,
            "BDAT": self.on_bdat, "RSET": self.on_rset, "NOOP": self.on_noop,
            "STARTTLS": self.on_starttls, "QUIT": self.on_quit,
            "END": self.on_end,
        }

    # --- bytes ---

    def send(self, text):
        data = text if isinstance(text, bytes) else text.encode()
        self.sock.sendall(data)

    def say(self, *lines):
        self.send("".join(f"{line}\r\n" for line in lines))

    def more(self):
        chunk = self.sock.recv(1 << 16)
        if not chunk or len(self.buffer) > LIMIT:
            raise Hangup
        self.buffer += chunk

    def read_line(self):
        while b"\r\n" not in self.buffer:
            self.more()
        line, _, self.buffer = self.buffer.partition(b"\r\n")
        return line.decode("utf-8", "surrogateescape")

    def read_body(self):
        """The bytes before CRLF.CRLF, dots undone."""
        while not (self.buffer.startswith(b".\r\n")
                   or b"\r\n.\r\n" in self.buffer):
            self.more()
        if self.buffer.startswith(b".\r\n"):
            body, self.buffer = b"", self.buffer[3:]
        else:
            body, _, self.buffer = self.buffer.partition(b"\r\n.\r\n")
            body += b"\r\n"
        lines = body.split(b"\r\n")
        return b"\r\n".join(x[1:] if x.startswith(b".") else x for x in lines)

    def read_exactly(self, count):
        while len(self.buffer) < count:
            self.more()
        data, self.buffer = self.buffer[:count], self.buffer[count:]
        return data

    # --- the protocol, well-behaved ---

    def run(self):
        self.server.prepare(self)
        self.say(self.banner)
        while True:
            line = self.read_line()
            self.server.lines.append(line)
            verb, _, rest = line.partition(" ")
            handler = self.script.get(verb.upper())
            if handler is None:
                self.say("502 5.5.2 what?")
            else:
                handler(rest)

    def on_hello(self, name):
        self.helo = name
        words = list(self.keywords)
        if self.server.certificate and not self.tls:
            words.append("STARTTLS")
        lines = ["sink.test.example", *words]
        self.say(*[f"250-{w}" for w in lines[:-1]], f"250 {lines[-1]}")

    def on_helo(self, name):
        self.helo = name
        self.say("250 sink.test.example")

    def on_mail(self, rest):
        sender, params = _path(rest.partition(":")[2])
        self.current = Received(sender, [], mail_params=params, helo=self.helo,
                                tls=self.tls)
        self.say("250 2.1.0 ok")

    def on_rcpt(self, rest):
        if self.current is None:
            self.say("503 5.5.1 MAIL first")
            return
        rcpt, params = _path(rest.partition(":")[2])
        self.current.rcpts.append(rcpt)
        self.current.rcpt_params.append(params)
        self.say("250 2.1.5 ok")

    def on_data(self, _):
        if self.current is None or not self.current.rcpts:
            self.say("554 5.5.1 no valid recipients")
            return
        self.say("354 go on")
        self.current.body = self.read_body()
        self.script["END"](None)

    def on_bdat(self, rest):
        size, _, last = rest.partition(" ")
        chunk = self.read_exactly(int(size))
        if self.current is None or not self.current.rcpts:
            self.say("503 5.5.1 RCPT first")
            return
        self.current.body += chunk
        if last.strip().upper() == "LAST":
            self.script["END"](None)
        else:
            self.say("250 2.0.0 chunk")

    def on_end(self, _):
        """The final dot: one reply, or with LMTP one a recipient."""
        done, self.current = self.current, None
        self.server.messages.append(done)
        replies = len(done.rcpts) if self.server.lmtp else 1
        self.say(*["250 2.0.0 kept"] * replies)

    def on_rset(self, _):
        self.current = None
        self.say("250 2.0.0 ok")

    def on_noop(self, _):
        self.say("250 2.0.0 ok")

    def on_quit(self, _):
        self.say("221 2.0.0 bye")
        raise Hangup

    def on_starttls(self, _):
        if not self.server.certificate or self.tls:
            self.say("502 5.5.1 no")
            return
        self.say("220 2.0.0 go")
        self.handshake()

    def on_sni(self, _socket, name, _context):
        self.sni = name

    def handshake(self):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.server.certificate.chain,
                                self.server.certificate.key)
        context.sni_callback = self.on_sni
        self.sock = context.wrap_socket(self.sock, server_side=True)
        self.tls = True
        self.server.names.append(self.sni)
        self.buffer = b""
        self.current = None


class Sink:
    """Listens from birth; one thread a connection."""

    session = Session

    def __init__(self, sin=None, lmtp=False, certificate=None, unix=None,
                 host="127.0.0.1", port=0):
        self.lmtp = lmtp
        self.certificate = certificate
        self.messages = []  # of Received, once the final reply was sent
        self.names = []     # SNI of each handshake, None where there was none
        self.lines = []     # every command line of every session
        self.connections = 0
        self.change(sin)
        if unix:
            self.listener = socket.socket(socket.AF_UNIX)
            self.listener.bind(str(unix))
            os.chmod(unix, 0o777)
        else:
            family = socket.AF_INET6 if ":" in host else socket.AF_INET
            self.listener = socket.socket(family)
            self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self.listener.bind((host, port))
            self.port = self.listener.getsockname()[1]
        self.listener.listen(128)
        threading.Thread(target=self._accept, daemon=True).start()

    def change(self, sin):
        """Sin differently from the next connection on; None: be good."""
        from .sins import Sins
        self._sin = getattr(Sins(), sin) if isinstance(sin, str) else sin

    def prepare(self, session):
        if self._sin:
            self._sin(session)

    def _accept(self):
        while True:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._serve, args=(sock,), daemon=True).start()

    def _serve(self, sock):
        session = self.session(self, sock)
        try:
            session.run()
        except (Hangup, OSError, ValueError):
            pass
        finally:
            session.sock.close()

    def wait(self, count=1, seconds=20):
        wait_until(lambda: len(self.messages) >= count,
                   f"{count} messages at the sink", seconds)
        return list(self.messages)

    def wait_connections(self, count, seconds=20):
        wait_until(lambda: self.connections >= count,
                   f"{count} connections to the sink", seconds)

    def stop(self):
        try:
            self.listener.shutdown(socket.SHUT_RDWR)  # wakes the thread in accept()
        except OSError:
            pass
        self.listener.close()


def sleep_forever():
    """Until the other side has given up."""
    time.sleep(600)
