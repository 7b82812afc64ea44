"""The SMTP servers of the laboratory: each keeps a record of what it was shown.

They are sinks of the integration tests (and sin as those do), with the TLS of
a scenario: a chain, other chains for other SNI, protocol versions.
"""
import itertools
import pathlib
import socket
import ssl
import sys
import threading
from dataclasses import dataclass

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "integration"))

from support.sink import Session, Sink  # noqa: E402


@dataclass(frozen=True)
class Mail:
    """A message as it came, or (kept=False) the envelope of one that did not."""
    scenario: str
    host: str
    rcpt: str
    kept: bool
    tls: str         # "TLSv1.3", or "" for cleartext
    cipher: str = ""
    sni: str = None
    resumed: bool = False
    session: int = 0     # the connection's number


class Arrivals:
    """Every envelope and every message that reached any host."""

    def __init__(self):
        self.lock = threading.Lock()
        self.entries = []
        self.watch = None    # called with each new entry

    def add(self, entry):
        with self.lock:
            self.entries.append(entry)
        if self.watch:
            self.watch(entry)

    def of(self, rcpt, kept=None):
        with self.lock:
            return [e for e in self.entries if e.rcpt == rcpt
                    and kept in (None, e.kept)]

    def all(self):
        with self.lock:
            return list(self.entries)


NUMBERS = itertools.count(1)


class HostSession(Session):
    """Like any sink's, but it writes the arrivals."""

    def __init__(self, server, sock):
        super().__init__(server, sock)
        self.number = next(NUMBERS)

    def note(self, rcpt, kept):
        over = self.sock if self.tls else None
        self.server.arrivals.add(Mail(
            self.server.scenario, self.server.name, rcpt, kept,
            over.version() if over else "", over.cipher()[0] if over else "",
            self.sni, bool(over and over.session_reused), self.number))

    def on_rcpt(self, rest):
        super().on_rcpt(rest)
        if self.current and self.current.rcpts:
            self.note(self.current.rcpts[-1], False)

    def on_end(self, rest):
        rcpts = self.current.rcpts
        for rcpt in rcpts:
            self.note(rcpt, True)
        super().on_end(rest)

    def handshake(self):
        self.server.hellos.append(self.sock.recv(1 << 14, socket.MSG_PEEK))
        self.sock = self.server.context.wrap_socket(self.sock, server_side=True)
        self.tls = True
        self.sni = getattr(self.sock, "asked_for", None)
        self.server.names.append(self.sni)
        self.buffer = b""
        self.current = None


class HostServer(Sink):
    """One MX host.  made: its chain (None: no STARTTLS); by_sni: others."""

    session = HostSession

    def __init__(self, arrivals, scenario, spec, made, by_sni, address, port):
        self.arrivals = arrivals
        self.scenario = scenario
        self.name = spec.name
        self.spec = spec
        self.hellos = []     # the first bytes of each handshake
        self.offer(made, by_sni)
        super().__init__(sin=spec.sin, host=address, port=port)
        self.certificate = made if spec.starttls else None

    def offer(self, made, by_sni=None):
        """Show this chain from the next connection on."""
        self.context = self._new_context(made) if made else None
        self.by_sni = {name.lower(): self._new_context(chain)
                       for name, chain in (by_sni or {}).items()}

    def stop_offering(self):
        """STARTTLS is no longer among the keywords."""
        self.certificate = None

    def _new_context(self, made):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.set_ciphers("DEFAULT:@SECLEVEL=0")
        lowest, highest = self.spec.versions
        context.minimum_version = getattr(ssl.TLSVersion, lowest)
        context.maximum_version = getattr(ssl.TLSVersion, highest)
        context.load_cert_chain(made.file)
        context.sni_callback = self._on_sni
        return context

    def _on_sni(self, sock, name, _context):
        sock.asked_for = name
        return self.choose(sock, name)

    def choose(self, sock, name):
        """The chain for this SNI; an alert when there is none to be had."""
        context = self.by_sni.get((name or "").lower())
        if context is not None:
            sock.context = context
        elif self.spec.sni_only:
            return ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME
        return None
