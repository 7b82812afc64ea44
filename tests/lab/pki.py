"""Authorities and certificate chains, good ones and every kind of bad one.

    pki = Pki(folder)
    made = pki.chain(Chain(), host="mx.a.test", domain="a.test")
    made.file              # what a server sends, leaf first, and the key
    made.leaf, made.sent   # certificates
    pki.certificate("root")

Authorities are made when first asked for; AUTHORITIES says how.  All of it is
made anew for each laboratory.
"""
import datetime
import pathlib
from dataclasses import dataclass, field

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

NOW = datetime.datetime.utcnow().replace(microsecond=0)
DAY = datetime.timedelta(days=1)
VALID, EXPIRED, FUTURE = (-30, 300), (-800, -2), (30, 300)
SHA = {"sha1": hashes.SHA1, "sha256": hashes.SHA256, "sha384": hashes.SHA384}
EKU = {"server": ExtendedKeyUsageOID.SERVER_AUTH,
       "client": ExtendedKeyUsageOID.CLIENT_AUTH}


@dataclass(frozen=True)
class Ca:
    """An authority.  key_of: it shares the key (and name) of that one."""
    issuer: str = "self"
    days: tuple = VALID
    is_ca: bool = True
    path_length: int = None
    permitted: str = None        # the only domain it may vouch for
    digest: str = "sha256"
    key_of: str = None


AUTHORITIES = {
    "root": Ca(),
    "inter": Ca("root"),
    "deep": Ca("inter"),                     # two intermediates
    "other": Ca(),                           # a root nobody published
    "other-inter": Ca("other"),
    "renewed": Ca(key_of="root"),            # root's key, a new certificate
    "root-old": Ca(days=EXPIRED),            # an expired root
    "inter-old": Ca("root", days=EXPIRED),
    "inter-sha1": Ca("root", digest="sha1"),
    "short": Ca("root", path_length=0),      # no authority below this one
    "below-short": Ca("short"),
    "confined": Ca("root", permitted="elsewhere.example"),
    "no-ca": Ca("root", is_ca=False),        # a host that plays authority
}


@dataclass(frozen=True)
class Chain:
    """What a server shows.  {host} and {domain} in names are filled in."""
    issuer: str = "inter"        # an authority, or "self"
    names: tuple = ("{host}",)   # DNS names of the leaf
    cn: str = "a server of the lab"
    days: tuple = VALID
    key: str = "ec"              # "ec", "rsa", "ed25519", "rsa1024"
    purpose: str = "server"      # "server", "client", None: no EKU at all
    digest: str = "sha256"
    send: tuple = ()             # "leaf", "inter", ...; (): leaf to root


@dataclass
class Made:
    """A chain on disk.  path: the leaf and all its issuers, sent or not."""
    file: pathlib.Path
    leaf: x509.Certificate
    sent: list = field(default_factory=list)
    path: list = field(default_factory=list)


def new_key(kind):
    if kind == "ed25519":
        return ed25519.Ed25519PrivateKey.generate()
    if kind.startswith("rsa"):
        return rsa.generate_private_key(65537, int(kind[3:] or 2048))
    return ec.generate_private_key(ec.SECP256R1())


def _name(common):
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


def _builder(subject, issuer, public, days):
    return (x509.CertificateBuilder()
            .subject_name(_name(subject)).issuer_name(_name(issuer))
            .public_key(public).serial_number(x509.random_serial_number())
            .not_valid_before(NOW + days[0] * DAY)
            .not_valid_after(NOW + days[1] * DAY))


class Pki:
    """All authorities of one laboratory, and the chains below them."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.keys = {}
        self.made = {}
        self.count = 0

    def _key(self, name):
        name = AUTHORITIES[name].key_of or name
        if name not in self.keys:
            self.keys[name] = new_key("ec")
        return self.keys[name]

    def subject(self, name):
        return f"lab {AUTHORITIES[name].key_of or name}"

    def certificate(self, name):
        """The certificate of an authority."""
        if name not in self.made:
            self.made[name] = self._make_authority(name, AUTHORITIES[name])
        return self.made[name]

    def _make_authority(self, name, how):
        issuer = name if how.issuer == "self" else how.issuer
        key = self._key(name)
        builder = _builder(self.subject(name), self.subject(issuer),
                           key.public_key(), how.days)
        builder = builder.add_extension(
            x509.BasicConstraints(how.is_ca, how.path_length), critical=True)
        builder = builder.add_extension(
            x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
        if how.permitted:
            builder = builder.add_extension(x509.NameConstraints(
                [x509.DNSName(how.permitted)], None), critical=True)
        return builder.sign(self._key(issuer), SHA[how.digest]())

    def issuers(self, name):
        """This authority's name and those above it, up to the root."""
        found = [name]
        while AUTHORITIES[found[-1]].issuer != "self":
            found.append(AUTHORITIES[found[-1]].issuer)
        return found

    def _leaf(self, how, key, names):
        signer = key if how.issuer == "self" else self._key(how.issuer)
        issuer = how.cn if how.issuer == "self" else self.subject(how.issuer)
        builder = _builder(how.cn, issuer, key.public_key(), how.days)
        builder = builder.add_extension(x509.BasicConstraints(False, None), True)
        if names:
            builder = builder.add_extension(x509.SubjectAlternativeName(
                [x509.DNSName(name) for name in names]), critical=False)
        if how.purpose:
            builder = builder.add_extension(
                x509.ExtendedKeyUsage([EKU[how.purpose]]), critical=False)
        plain = isinstance(signer, ed25519.Ed25519PrivateKey)
        return builder.sign(signer, None if plain else SHA[how.digest]())

    def chain(self, how, host, domain):
        """Make a leaf for this host, and the file its server sends."""
        def fill(text):
            return text.replace("{host}", host).replace("{domain}", domain)
        key = new_key(how.key)
        names = [fill(name) for name in how.names]
        how = Chain(**{**vars(how), "cn": fill(how.cn)})
        leaf = self._leaf(how, key, names)
        above = [] if how.issuer == "self" else self.issuers(how.issuer)
        sent = [leaf if name == "leaf" else self.certificate(name)
                for name in how.send or ["leaf", *above]]
        self.count += 1
        path = self.folder / f"{self.count}-{host}.pem"
        path.touch(mode=0o600)
        path.write_bytes(_pem_key(key) + b"".join(map(pem, sent)))
        return Made(path, leaf, sent, [leaf, *map(self.certificate, above)])


def pem(certificate):
    return certificate.public_bytes(serialization.Encoding.PEM)


def _pem_key(key):
    return key.private_bytes(serialization.Encoding.PEM,
                             serialization.PrivateFormat.PKCS8,
                             serialization.NoEncryption())
