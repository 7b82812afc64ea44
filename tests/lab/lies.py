"""What a front can answer instead of the truth; see front.py.

Each is lie(query, ask) -> bytes, or None for silence.  Those that take
arguments return such a function.
"""
import socket

from . import wire
from .wire import AA, QR, TC, TYPES

PROOFS = {TYPES["NSEC"], TYPES["NSEC3"]}


def _blank(query, flags=QR | AA, code=wire.NOERROR):
    """An answer of nothing; EDNS is answered with EDNS."""
    return query.but(flags=flags | query.flags & wire.RD | code, answer=[],
                     authority=[], additional=[wire.opt()])


def _code(code):
    return lambda query, _ask: _blank(query, QR, code).encode()


servfail = _code(wire.SERVFAIL)
refused = _code(wire.REFUSED)
notimp = _code(wire.NOTIMP)
formerr = _code(wire.FORMERR)


def silence(_query, _ask):
    return None


def garbage(query, _ask):
    """The header promises an answer; what follows is none."""
    return (query.id.to_bytes(2, "big") + b"\x84\x00\0\1\0\1\0\0\0\0" +
            query.question + b"\xc0\xff" * 20)


def cut_rdata(query, ask):
    """The last record says that it is longer than the packet."""
    message = ask(query).but(authority=[], additional=[])
    return message.encode()[:-20]


def empty(query, _ask):
    """NODATA without SOA, proof or signature."""
    return _blank(query).encode()


def nodata_unproved(query, ask):
    """NODATA with the SOA of the zone, but nothing that proves it."""
    soa = [r for r in ask(_other_type(query)).authority
           if r.type == TYPES["SOA"]]
    return _blank(query).but(authority=soa).encode()


def _other_type(query):
    """The same name, a type that nothing has."""
    return query.but(question=query.question[:-4] + b"\0\x63\0\1")


def nxdomain_unproved(query, ask):
    soa = wire.parse(nodata_unproved(query, ask)).authority
    return _blank(query, code=wire.NXDOMAIN).but(authority=soa).encode()


def _without(kinds):
    """The truth without the records of these types, in all sections."""
    kinds = {TYPES[kind] for kind in kinds}

    def lie(query, ask):
        message = ask(query)
        kept = [[r for r in section if r.type not in kinds]
                for section in message.sections()]
        return message.but(answer=kept[0], authority=kept[1],
                           additional=kept[2]).encode()
    return lie


unsigned = _without(["RRSIG"])           # signatures stripped
proofless = _without(["NSEC", "NSEC3", "RRSIG"])
tlsa_dropped = _without(["TLSA"])        # the records gone, signatures left


def flipped(query, ask):
    """One bit of the first record's data is another one."""
    message = ask(query)
    first = message.answer[0]
    first.data = first.data[:-1] + bytes([first.data[-1] ^ 1])
    return message.encode()


def proof_of(name):
    """The negative answer, and proof, of another name."""
    def lie(query, ask):
        wanted = query.but(question=wire.name_of(name) + query.question[-4:])
        return ask(wanted).but(question=query.question).encode()
    return lie


def forged(*records):
    """These records instead, unsigned: ("MX", data) for the name asked.  They
    live a second, so that a lie ends soon after it is over."""
    def lie(query, _ask):
        answer = [wire.Record(query.question[:-4], TYPES[kind], 1, 1, data)
                  for kind, data in records]
        return _blank(query).but(answer=answer).encode()
    return lie


def forged_mx(host):
    return forged(("MX", b"\0\5" + wire.name_of(host)))


def forged_address(address):
    return forged(("A", socket.inet_aton(address)))


def forged_txt(*texts):
    """A TXT record for each of these texts."""
    return forged(*(("TXT", bytes([len(text)]) + text.encode())
                    for text in texts))


def forged_alias(target):
    """Whatever is asked: an unsigned alias."""
    return forged(("CNAME", wire.name_of(target)))


def tcp_only(query, _ask):
    """UDP says "truncated", TCP the truth."""
    return _blank(query, QR | AA | TC).encode()


tcp_only.udp_only = True


def never_whole(query, _ask):
    """Truncated, over TCP as well."""
    return _blank(query, QR | AA | TC).encode()
