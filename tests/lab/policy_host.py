"""Policy hosts of MTA-STS, good ones and every kind of bad one, in one server.

    host = PolicyHost(pki)           # 127.0.0.1, a port of its own
    host.port, host.asked, host.sent
    host.stop()

What it does is chosen by the name that is asked for: mta-sts.NAME.test does
as the line NAME of BEHAVIOURS says.  With only=NAME it has that certificate
alone, whatever it is asked for, and `most` is the newest TLS it speaks.
"""
import contextlib
import gzip
import socket
import socketserver
import ssl
import threading
import time
from dataclasses import dataclass, field

from .pki import EXPIRED, FUTURE, Chain

POLICY = (b"version: STSv1\r\nmode: enforce\r\nmx: mx.good.test\r\n"
          b"max_age: 604800\r\n")
PLAIN = "Content-Type: text/plain"
LIMIT = 65536


@dataclass
class Asked:
    """A request as it came."""
    sni: str
    head: str
    client: tuple
    resumed: bool


@dataclass
class Talk:
    """One connection after its handshake."""
    sock: ssl.SSLSocket
    name: str
    host: "PolicyHost"

    def send(self, data):
        self.sock.sendall(data)
        sent = self.host.sent
        sent[self.name] = sent.get(self.name, 0) + len(data)

    def head(self, *fields, status="200 OK"):
        lines = [f"HTTP/1.1 {status}", *fields, "", ""]
        self.send("\r\n".join(lines).encode())

    def for_ever(self, data, seconds=0):
        while True:
            self.send(data)
            time.sleep(seconds)


def read_head(sock):
    """The head of a request, or None when it does not come whole."""
    head = b""
    while b"\r\n\r\n" not in head:
        more = sock.recv(4096)
        if not more:
            return None
        head += more
    return head.decode("latin-1")


# --- behaviours --------------------------------------------------------------

def answer(body=POLICY, *fields, status="200 OK", kind=PLAIN):
    def behave(talk):
        head = [kind, f"Content-Length: {len(body)}", *fields]
        talk.head(*filter(None, head), status=status)
        talk.send(body)
    return behave


def chunked(body, end=b"0\r\n\r\n"):
    def behave(talk):
        talk.head(PLAIN, "Transfer-Encoding: chunked")
        for at in range(0, len(body), 1000):
            part = body[at:at + 1000]
            talk.send(b"%x\r\n%s\r\n" % (len(part), part))
        talk.send(end)
    return behave


def cut(talk):
    talk.head(PLAIN, f"Content-Length: {len(POLICY) + 1}")
    talk.send(POLICY)


def until_close(close_notify, body=POLICY, seconds=0):
    """A body that ends where the connection ends."""
    def behave(talk):
        talk.head(PLAIN, "Connection: close")
        talk.send(body)
        time.sleep(seconds)
        if close_notify:
            with contextlib.suppress(OSError):
                talk.sock.unwrap()
    return behave


def endless(talk):
    talk.head(PLAIN)
    talk.for_ever(b"mx: mx.good.test\r\n" * 1000)


def drip(talk):
    talk.head(PLAIN)
    talk.for_ever(b"x", 0.05)


def drip_head(talk):
    talk.send(b"HTTP/1.1 200 OK\r\n")
    talk.for_ever(b"X", 0.05)


def headers(talk):
    talk.send(b"HTTP/1.1 200 OK\r\n")
    talk.for_ever(b"X-Header: " + b"x" * 500 + b"\r\n")


def header_line(talk):
    talk.send(b"HTTP/1.1 200 OK\r\nX-Header: ")
    talk.for_ever(b"x" * 10000)


def trailer_line(talk):
    talk.head(PLAIN, "Transfer-Encoding: chunked")
    talk.send(b"0\r\nX-Trailer: ")
    talk.for_ever(b"x" * 10000)


def extension(talk):
    talk.head(PLAIN, "Transfer-Encoding: chunked")
    talk.send(b"1;")
    talk.for_ever(b"x" * 10000)


def extensions(size):
    """A policy in chunks of one octet, and so many beside each."""
    def behave(talk):
        talk.head(PLAIN, "Transfer-Encoding: chunked")
        parts = [b"1;" + b"x" * size + b"\r\n%c\r\n" % octet for octet in POLICY]
        talk.send(b"".join(parts) + b"0\r\n\r\n")
    return behave


def interim(talk):
    talk.for_ever(b"HTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\n" * 100)


def trailers(talk):
    talk.head(PLAIN, "Transfer-Encoding: chunked")
    talk.send(b"0\r\n")
    talk.for_ever(b"X-Trailer: " + b"x" * 500 + b"\r\n")


def interim_then(body):
    def behave(talk):
        talk.head("Content-Type: text/html", "Content-Encoding: gzip",
                  status="103 Early Hints")
        answer(body)(talk)
    return behave


def held(talk):
    """A policy after a while; how many wait for theirs is counted."""
    with talk.host.lock:
        talk.host.held += 1
        talk.host.held_most = max(talk.host.held, talk.host.held_most)
    time.sleep(0.1)
    with talk.host.lock:
        talk.host.held -= 1
    answer()(talk)


def raw(data):
    return lambda talk: talk.send(data)


def silent(_talk):
    time.sleep(60)


ZIPPED = gzip.compress(POLICY)
GZIP = "Content-Encoding: gzip"
MOVED = "Location: https://mta-sts.good.test/.well-known/mta-sts.txt"

# name: what it does with a request, and its certificate when that is special
BEHAVIOURS = {
    "good": (answer(),),
    "parameters": (answer(kind="content-type:  Text/PLAIN ; charset=utf-8"),),
    "chunked": (chunked(POLICY),),
    "largest": (answer(b"x" * LIMIT),),
    "largest-chunked": (chunked(b"x" * LIMIT),),
    "held": (held,),
    "some-extensions": (extensions(1000),),
    "until-close": (until_close(True),),
    "interim": (interim_then(POLICY),),
    "wildcard": (answer(), Chain(names=("*.wildcard.test",))),
    "empty": (answer(b""),),
    # --- HTTP that says no
    "moved": (answer(b"", MOVED, status="301 Moved Permanently"),),
    "found": (answer(POLICY, MOVED, status="302 Found"),),
    "unmodified": (answer(POLICY, status="304 Not Modified"),),
    "missing": (answer(b"no", status="404 Not Found", kind="Content-Type: text/html"),),
    "no-content": (answer(b"", status="204 No Content"),),
    "partial": (answer(POLICY, "Content-Range: bytes 0-9/10", status="206 Partial Content"),),
    "broken": (answer(b"", status="500 Internal Server Error"),),
    "password": (answer(b"", 'WWW-Authenticate: Basic realm="x"', status="401 No"),),
    "html": (answer(kind="Content-Type: text/html"),),
    "plain-not": (answer(kind="Content-Type: text/plainer"),),
    "no-type": (answer(kind=None),),
    "gzip": (answer(ZIPPED, GZIP),),
    "gzip-transfer": (answer(ZIPPED, "Transfer-Encoding: gzip"),),
    # --- too much
    "too-large": (answer(b"x" * (LIMIT + 1)),),
    "too-large-chunked": (chunked(b"x" * (LIMIT + 1)),),
    "endless": (endless,),
    "headers": (headers,),
    "header-line": (header_line,),
    "interims": (interim,),
    "trailers": (trailers,),
    "trailer-line": (trailer_line,),
    "extension": (extension,),
    "extensions": (extensions(5000),),
    # --- too slow
    "drip": (drip,),
    "drip-head": (drip_head,),
    "silent": (silent,),
    # --- no HTTP
    "cut": (cut,),
    "lengths": (answer(POLICY, "Content-Length: 20"),),
    "cut-chunk": (chunked(POLICY, b"5\r\nxx"),),
    "cut-unsaid": (until_close(False),),
    "cut-unsaid-late": (until_close(False, seconds=0.3),),
    "closes": (raw(b""),),
    "no-status": (raw(b"HTTP/1.1 OK\r\n" + PLAIN.encode() + b"\r\n\r\n"),),
    "http09": (raw(POLICY),),
    # --- certificates
    "expired": (answer(), Chain(days=EXPIRED)),
    "future": (answer(), Chain(days=FUTURE)),
    "self-signed": (answer(), Chain("self")),
    "unknown-ca": (answer(), Chain("other")),
    "no-chain": (answer(), Chain(send=("leaf",))),
    "wrong-name": (answer(), Chain(names=("mta-sts.good.test",))),
    "common-name": (answer(), Chain(names=(), cn="{host}")),
    "deep-wildcard": (answer(), Chain(names=("*.test",))),
    "part-wildcard": (answer(), Chain(names=("mta-*.part-wildcard.test",))),
    "client-only": (answer(), Chain(purpose="client")),
    "weak-key": (answer(), Chain(key="rsa1024")),
}


def name_of(name):
    return f"mta-sts.{name}.test"


# --- the server --------------------------------------------------------------

class PolicyHost:
    """Threads of its own until stop()."""

    behaviours = BEHAVIOURS

    def __init__(self, pki, address="127.0.0.1", only=None, most=None):
        self.pki = pki
        self.only = only
        self.most = most
        self.asked = []
        self.sent = {}
        self.lock = threading.Lock()
        self.held = self.held_most = 0
        self.contexts = {}
        host = self

        class Handler(socketserver.BaseRequestHandler):
            def handle(self):
                with contextlib.suppress(OSError):
                    host.serve(self.request, self.client_address)

        class Server(socketserver.ThreadingTCPServer):
            address_family = socket.AF_INET6 if ":" in address else socket.AF_INET
            allow_reuse_address = True
            daemon_threads = True
            request_queue_size = 64

        self.server = Server((address, 0), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, args=(0.1,),
                         daemon=True).start()

    def context(self, name):
        """The TLS of mta-sts.NAME.test."""
        if name not in self.contexts:
            how = (*self.behaviours[name], Chain())[1]
            made = self.pki.chain(how, name_of(name), f"{name}.test")
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.set_ciphers("DEFAULT:@SECLEVEL=0")
            context.load_cert_chain(made.file)
            if self.most:
                context.minimum_version = ssl.TLSVersion.TLSv1
                context.maximum_version = self.most
            self.contexts[name] = context
        return self.contexts[name]

    def serve(self, plain, client):
        seen = []

        def on_sni(sock, sni, _context):
            seen.append(sni)
            name = (sni or "").removeprefix("mta-sts.").removesuffix(".test")
            if self.only is None:
                if name not in self.behaviours:
                    return ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME
                sock.context = self.context(name)
            return None

        first = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        if self.only is not None:
            first = self.context(self.only)
        else:
            first.set_ciphers("DEFAULT:@SECLEVEL=0")
        first.sni_callback = on_sni
        with first.wrap_socket(plain, server_side=True,
                               suppress_ragged_eofs=True) as sock:
            self.talk(sock, seen[0], client)

    def talk(self, sock, sni, client):
        name = self.only or sni.removeprefix("mta-sts.").removesuffix(".test")
        while True:
            head = read_head(sock)
            if head is None:
                return
            self.asked.append(Asked(sni, head, client, sock.session_reused))
            self.behaviours[name][0](Talk(sock, name, self))
            if name != "good":   # that one would take another request
                return

    def stop(self):
        self.server.shutdown()
        self.server.server_close()
