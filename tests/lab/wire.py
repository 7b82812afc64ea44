"""DNS messages as bytes, and back: as much as a liar in the middle needs.

Names inside are uncompressed and in the letters they came in.
"""
import struct
from dataclasses import dataclass, field, replace

TYPES = {"A": 1, "NS": 2, "CNAME": 5, "SOA": 6, "MX": 15, "TXT": 16,
         "AAAA": 28, "DNAME": 39, "OPT": 41, "DS": 43, "RRSIG": 46, "NSEC": 47,
         "DNSKEY": 48, "NSEC3": 50, "TLSA": 52}
NAMES = {number: name for name, number in TYPES.items()}
# Types whose data holds names that may be compressed: octets before the
# first name, names, and whether octets follow.
WITH_NAMES = {TYPES["NS"]: (0, 1), TYPES["CNAME"]: (0, 1), TYPES["SOA"]: (0, 2),
              TYPES["MX"]: (2, 1), TYPES["DNAME"]: (0, 1)}
NOERROR, FORMERR, SERVFAIL, NXDOMAIN, NOTIMP, REFUSED = range(6)
QR, AA, TC, RD = 0x8000, 0x0400, 0x0200, 0x0100


@dataclass
class Record:
    owner: bytes
    type: int
    klass: int
    ttl: int
    data: bytes


@dataclass
class Message:
    id: int
    flags: int
    question: bytes              # the one question: name, type, class
    answer: list = field(default_factory=list)
    authority: list = field(default_factory=list)
    additional: list = field(default_factory=list)

    @property
    def qname(self):
        """The name asked for, lower case, with its last dot."""
        return text_of(self.question[:-4])

    @property
    def qtype(self):
        number, = struct.unpack(">H", self.question[-4:-2])
        return NAMES.get(number, str(number))

    def sections(self):
        return self.answer, self.authority, self.additional

    def but(self, **what):
        return replace(self, **what)

    def encode(self):
        out = struct.pack(">6H", self.id, self.flags, 1,
                          *map(len, self.sections())) + self.question
        for section in self.sections():
            for r in section:
                out += r.owner + struct.pack(">HHIH", r.type, r.klass, r.ttl,
                                             len(r.data)) + r.data
        return out


def name_of(text):
    """A name on the wire."""
    return b"".join(bytes([len(label)]) + label.encode()
                    for label in text.split(".") if label) + b"\0"


def text_of(name):
    labels = []
    while name[0]:
        labels.append(name[1:1 + name[0]].decode("latin-1").lower())
        name = name[1 + name[0]:]
    return ".".join(labels) + "."


def _read_name(data, at):
    """(the uncompressed name, where it ends)"""
    out, end = b"", None
    for _ in range(128):
        length = data[at]
        if length & 0xc0 == 0xc0:
            end = end or at + 2
            at = (length & 0x3f) << 8 | data[at + 1]
        else:
            out += data[at:at + 1 + length]
            at += 1 + length
            if length == 0:
                return out, end or at
    raise ValueError("a name without an end")


def _read_record(data, at):
    owner, at = _read_name(data, at)
    kind, klass, ttl, length = struct.unpack_from(">HHIH", data, at)
    at += 10
    end = at + length
    if kind in WITH_NAMES:
        skip, count = WITH_NAMES[kind]
        out, at = data[at:at + skip], at + skip
        for _ in range(count):
            name, at = _read_name(data, at)
            out += name
        out += data[at:end]
    else:
        out = data[at:end]
    return Record(owner, kind, klass, ttl, out), end


def parse(data):
    """A Message of these bytes; ValueError, IndexError, struct.error."""
    ident, flags, questions, *counts = struct.unpack_from(">6H", data)
    if questions != 1:
        raise ValueError("not one question")
    name, at = _read_name(data, 12)
    message = Message(ident, flags, name + data[at:at + 4])
    at += 4
    for section, count in zip(message.sections(), counts):
        for _ in range(count):
            record, at = _read_record(data, at)
            section.append(record)
    return message


def question(name, kind, ident=0):
    """A query with EDNS and DO."""
    return Message(ident, 0, name_of(name) + struct.pack(">HH", TYPES[kind], 1),
                   additional=[opt()])


def opt():
    return Record(b"\0", TYPES["OPT"], 1232, 0x8000, b"")


def record(owner, kind, data, ttl=60):
    return Record(name_of(owner), TYPES[kind], 1, ttl, data)
