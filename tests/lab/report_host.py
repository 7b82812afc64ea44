"""Who takes reports by HTTPS, well or badly: RFC 8460 5.4.

    host = ReportHost(pki)           # as a PolicyHost, and named the same way
    host.asked[-1].head, host.asked[-1].body

mta-sts.NAME.test does as the line NAME of BEHAVIOURS says; "slow" answers when
host.go is set.
"""
import socket
import struct
import threading
from dataclasses import dataclass

from . import policy_host as policy
from .pki import EXPIRED, Chain
from .policy_host import GZIP, LIMIT, PLAIN, ZIPPED, Asked, PolicyHost, Talk

HTML = "Content-Type: text/html"
MOVED = "Location: https://mta-sts.ok.test/other"
SOME = 1 << 16


@dataclass
class Post(Asked):
    """A report as it came; the body as far as anybody read it."""
    body: bytes = b""

    def length(self):
        fields = [line.lower().split(":", 1) for line in self.head.split("\r\n")]
        return int(*[field[1] for field in fields if field[0] == "content-length"])


@dataclass
class Taking(Talk):
    """One connection on which a report comes."""
    post: Post = None

    def take(self, most=None):
        """So much of the body, or all of it."""
        most = self.post.length() if most is None else most
        parts, n = [self.post.body], len(self.post.body)
        while n < most:
            parts.append(self.sock.recv(SOME))
            if not parts[-1]:
                raise ConnectionError("the body is cut short")
            n += len(parts[-1])
        self.post.body = b"".join(parts)

    def drop(self):
        """The connection is reset."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()


# --- behaviours --------------------------------------------------------------

def whole(behave):
    """Does that when all of the report is there."""
    def after(talk):
        talk.take()
        behave(talk)
    return after


def says(status, *fields, body=b"", kind=HTML):
    return whole(policy.answer(body, *fields, status=status, kind=kind))


def early(status, *fields, then):
    """An answer before anybody has read the report."""
    def behave(talk):
        talk.head("Content-Length: 0", *fields, status=status)
        then(talk)
    return behave


def some_then_drop(talk):
    talk.take(SOME)
    talk.drop()


def no_content(talk):
    talk.head(status="204 No Content")


def slow(talk):
    talk.host.go.wait(60)
    no_content(talk)


def interim(talk):
    talk.head(status="100 Continue")
    talk.head(GZIP, status="103 Early Hints")
    says("200 OK")(talk)


BEHAVIOURS = {
    "ok": (says("200 OK", body=b"<p>thanks</p>"),),
    "created": (says("201 Created", "Location: /reports/1"),),
    "accepted": (says("202 Accepted", kind=None),),
    "no-content": (whole(no_content),),
    "partial": (says("206 Partial Content"),),
    "odd": (says("299 Odd"),),
    "gzip": (says("200 OK", GZIP, body=ZIPPED),),
    "chunked": (whole(policy.chunked(b"x" * LIMIT)),),
    "interim": (interim,),
    "wildcard": (says("200 OK"), Chain(names=("*.wildcard.test",))),
    # --- it has the report, and its answer has no end, or a bad one
    "endless": (whole(policy.endless),),
    "drip": (whole(policy.drip),),
    "slow": (whole(slow),),
    "trailers": (whole(policy.trailers),),
    "extension": (whole(policy.extension),),
    "cut": (whole(policy.cut),),
    "cut-chunk": (whole(policy.chunked(b"x", b"5\r\nxx")),),
    "cut-unsaid": (whole(policy.until_close(False)),),
    "lengths": (says("200 OK", "Content-Length: 20", body=b"x"),),
    # --- HTTP that says no
    "moved": (says("301 Moved Permanently", MOVED),),
    "found": (says("302 Found", MOVED),),
    "other": (says("303 See Other", MOVED),),
    "unmodified": (says("304 Not Modified"),),
    "temporary": (says("307 Temporary Redirect", MOVED),),
    "permanent": (says("308 Permanent Redirect", MOVED),),
    "bad": (says("400 Bad Request"),),
    "password": (says("401 No", 'WWW-Authenticate: Basic realm="x"'),),
    "missing": (says("404 Not Found"),),
    "large": (says("413 Content Too Large"),),
    "broken": (says("500 Internal Server Error"),),
    "unavailable": (says("503 Service Unavailable", "Retry-After: 1"),),
    # --- no answer, or too much of one
    "silent": (whole(policy.silent),),
    "drip-head": (whole(policy.drip_head),),
    "headers": (whole(policy.headers),),
    "interims": (whole(policy.interim),),
    "closes": (whole(policy.raw(b"")),),
    "no-status": (whole(policy.raw(b"HTTP/1.1 OK\r\n" + PLAIN.encode() + b"\r\n\r\n")),),
    "http09": (whole(policy.raw(b"thanks")),),
    # --- before it has all of it
    "drops": (some_then_drop,),
    "never-reads": (policy.silent,),
    "early": (early("200 OK", then=Taking.take),),
    "early-drops": (early("200 OK", then=some_then_drop),),
    "early-closes": (early("200 OK", "Connection: close", then=policy.silent),),
    "early-never-reads": (early("200 OK", then=policy.silent),),
    "early-no": (early("413 Content Too Large", then=policy.silent),),
    # --- certificates
    "expired": (says("200 OK"), Chain(days=EXPIRED)),
    "self-signed": (says("200 OK"), Chain("self")),
    "unknown-ca": (says("200 OK"), Chain("other")),
    "wrong-name": (says("200 OK"), Chain(names=("mta-sts.ok.test",))),
    "common-name": (says("200 OK"), Chain(names=(), cn="{host}")),
    "weak-key": (says("200 OK"), Chain(key="rsa1024")),
}


class ReportHost(PolicyHost):
    """Takes one report on a connection."""

    behaviours = BEHAVIOURS

    def __init__(self, *args, **more):
        super().__init__(*args, **more)
        self.go = threading.Event()

    def talk(self, sock, sni, client):
        start = b""
        while b"\r\n\r\n" not in start:
            more = sock.recv(SOME)
            if not more:
                return
            start += more
        head, _, body = start.partition(b"\r\n\r\n")
        post = Post(sni, head.decode("latin-1"), client, sock.session_reused, body)
        self.asked.append(post)
        name = self.only or sni.removeprefix("mta-sts.").removesuffix(".test")
        self.behaviours[name][0](Taking(sock, name, self, post))
