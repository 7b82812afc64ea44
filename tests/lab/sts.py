"""What a domain says of MTA-STS: its TXT record, its policy, its policy host.

    mx(), sts=Sts()                       a policy that enforces, for host mx
    sts=Sts(policy("mx.{domain}", "*.~", mode="testing"))
    sts=Sts(behave=status("404 Not Found"))
    sts=Sts(txt=())                       a policy, and no record that says so

Each policy host has an address of its own; all listen on one port.  What a
host does with a request is a behaviour of policy_host.py.
"""
import contextlib
import dataclasses
import selectors
import socket
import sqlite3
import ssl
import threading
from dataclasses import dataclass

from .pki import Chain
from .policy_host import PLAIN, Talk, answer, read_head

WEEK = 604800
SOON = 2       # seconds a fetch may take in the laboratory
TIMES = ("fetched_at", "expires_at", "last_used", "last_try")


def policy(*mx, mode="enforce", max_age=WEEK, more=(), end="\r\n"):
    """The text of a policy: for host mx, when no host is named."""
    lines = ["version: STSv1", f"mode: {mode}",
             *[f"mx: {name}" for name in mx or ("mx.{domain}",)],
             f"max_age: {max_age}", *more]
    return "".join(line + end for line in lines)


def status(text, *fields, body=b"nothing here", kind=PLAIN):
    """A host that answers with this status line."""
    return lambda _body: answer(body, *fields, status=text, kind=kind)


def typed(kind, *fields):
    """A host that says this about the type of its policy; None: nothing."""
    return lambda body: answer(body, *fields, kind=kind)


def whatever(behaviour):
    """A host that does this, whatever its policy."""
    return lambda _body: behaviour


@dataclass(frozen=True)
class Sts:
    """One policy host and the records that lead to it."""
    text: str = policy()         # filled in like all text of a scenario
    id: str = "1"
    txt: tuple = None            # data of TXT records; None: one with the id
    at: str = ""                 # the domain whose policy it is
    behave: object = answer      # behave(policy) is what a request gets
    chain: Chain = Chain()
    versions: tuple = ("TLSv1_2", "TLSv1_3")
    listens: bool = True         # False: connections are refused
    address: bool = True         # False: no A record

    def below(self, name):
        return f"{name}.{self.at}" if self.at else name

    @property
    def host(self):
        return self.below("mta-sts")

    def records(self, address):
        """Lines of a zone file, relative to the scenario's domain."""
        data = (f'"v=STSv1; id={self.id};"',) if self.txt is None else self.txt
        yield from (f"{self.below('_mta-sts')} TXT {one}" for one in data)
        if self.address:
            yield f"{self.host} A {address}"


class Site:
    """A policy host, which can be changed under way."""

    def __init__(self, lab, scenario):
        self.lab, self.scenario = lab, scenario
        self.spec = None
        self.asked = []          # the head of each request
        self.connections = 0
        self.sent = {}           # octets, see Talk
        self.change(scenario.sts)

    def change(self, spec=None, **how):
        """Do otherwise from the next connection on."""
        before = self.spec
        self.spec = dataclasses.replace(spec or before, **how)
        if before is None or (before.chain, before.versions) != (
                self.spec.chain, self.spec.versions):
            self.context = self._new_context()

    def _new_context(self):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.set_ciphers("DEFAULT:@SECLEVEL=0")
        lowest, highest = self.spec.versions
        context.minimum_version = getattr(ssl.TLSVersion, lowest)
        context.maximum_version = getattr(ssl.TLSVersion, highest)
        s = self.scenario
        name = self.lab.full_name(s, self.spec.host).rstrip(".")
        context.load_cert_chain(
            self.lab.pki.chain(self.spec.chain, name, s.domain).file)
        return context

    def serve(self, plain):
        """One connection, one request."""
        self.connections += 1
        if not self.spec.listens:
            return
        plain.settimeout(30)
        with self.context.wrap_socket(plain, server_side=True) as sock:
            head = read_head(sock)
            if head is None:
                return
            self.asked.append(head)
            body = self.lab.fill(self.scenario, self.spec.text)
            behave = self.spec.behave(body.encode("utf-8", "surrogateescape"))
            behave(Talk(sock, self.scenario.name, self))


class Sites:
    """All policy hosts; one thread waits for connections to any of them."""

    def __init__(self, port):
        self.port = port
        self.watch = None        # called with each site that is asked
        self.selector = selectors.DefaultSelector()
        self.stopped = threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)

    def open(self, site, address):
        listener = socket.socket()
        self.selector.register(listener, selectors.EVENT_READ, site)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((address, self.port))
        listener.listen(32)

    def start(self):
        self.thread.start()

    def _run(self):
        while not self.stopped.is_set():
            for key, _ in self.selector.select(0.1):
                sock, _ = key.fileobj.accept()
                threading.Thread(target=self._serve, args=(key.data, sock),
                                 daemon=True).start()

    def _serve(self, site, sock):
        """A client that has gone away, or dislikes us, is no event."""
        before = len(site.asked)
        with contextlib.suppress(OSError), sock:
            site.serve(sock)
        if self.watch and len(site.asked) > before:
            self.watch(site)

    def stop(self):
        self.stopped.set()
        if self.thread.is_alive():
            self.thread.join()
        for key in list(self.selector.get_map().values()):
            key.fileobj.close()
        self.selector.close()


# --- the cache of a daemon that does not run --------------------------------

def rows(state):
    """{domain: row as a dict} of the cache in this state folder."""
    where = f"file:{state / 'sts.db'}?mode=ro"   # nothing of ours stays there
    with contextlib.closing(sqlite3.connect(where, uri=True)) as store:
        store.row_factory = sqlite3.Row
        return {row["domain"]: dict(row)
                for row in store.execute("SELECT * FROM policies")}


def age(state, seconds, *domains):
    """Let time pass: these policies (or all) have become so much older."""
    changes = ", ".join(f"{name} = max({name} - :by, 0)" for name in TIMES)
    with contextlib.closing(sqlite3.connect(state / "sts.db")) as store, store:
        for domain in domains or rows(state):
            done = store.execute(
                f"UPDATE policies SET {changes} WHERE domain = :domain",
                {"by": seconds, "domain": domain})
            assert done.rowcount == 1, f"nothing is cached of {domain}"
