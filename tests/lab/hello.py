"""What a TLS ClientHello (RFC 8446 4.1.2) offers."""
import struct
from dataclasses import dataclass

SERVER_NAME, CERTIFICATE_TYPE, VERSIONS = 0, 20, 43
# TLS_*_anon_* and TLS_*_NULL_*: no certificate, or no encryption.
ANONYMOUS = {0x17, 0x18, 0x19, 0x1a, 0x1b, 0x34, 0x3a, 0x46, 0x6c, 0x6d, 0x89, 0x9b,
             0xa6, 0xa7, 0xbf, 0xc5, *range(0xc015, 0xc01a)}
NULL = {0x00, 0x01, 0x02, 0x2c, 0x2d, 0x2e, 0x3b, 0xb0, 0xb1, 0xb4, 0xb5, 0xb8, 0xb9,
        0xc001, 0xc006, 0xc00b, 0xc010}


@dataclass
class Hello:
    suites: set
    extensions: dict

    @property
    def name(self):
        """The name in SNI."""
        data = self.extensions.get(SERVER_NAME)
        return data[5:].decode() if data else None

    @property
    def versions(self):
        data = self.extensions[VERSIONS][1:]
        return set(struct.unpack(f">{len(data) // 2}H", data))


def parse(data):
    """A Hello of the first record; ValueError when it is another thing."""
    if data[:2] != b"\x16\x03" or data[5] != 1:
        raise ValueError("not a ClientHello in a TLS record")
    at = 9 + 34
    at += 1 + data[at]
    length, = struct.unpack_from(">H", data, at)
    suites = set(struct.unpack_from(f">{length // 2}H", data, at + 2))
    at += 2 + length
    at += 1 + data[at] + 2
    extensions = {}
    while at + 4 <= len(data):
        kind, length = struct.unpack_from(">HH", data, at)
        extensions[kind] = data[at + 4:at + 4 + length]
        at += 4 + length
    return Hello(suites, extensions)
