"""Keys that sign reports: made by openssl, and as a name server has them."""
import base64
import subprocess

HOWS = {"rsa": ["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"],
        "ed25519": ["-algorithm", "ED25519"]}
RAW = 32   # octets of an Ed25519 key, at the end of its DER (RFC 8463 4.2)


class ReportKey:
    """One key: .path, and .text, which is what its record says."""

    def __init__(self, folder, kind, selector):
        self.kind, self.selector = kind, selector
        self.path = folder / f"{selector}.pem"
        subprocess.run(["openssl", "genpkey", *HOWS[kind], "-out", self.path],
                       check=True, capture_output=True)
        self.path.chmod(0o600)
        der = subprocess.run(
            ["openssl", "pkey", "-in", self.path, "-pubout", "-outform", "DER"],
            check=True, capture_output=True).stdout
        data = base64.b64encode(der if kind == "rsa" else der[-RAW:]).decode()
        self.text = f"v=DKIM1; k={kind}; p={data}"

    def record(self):
        """A line of a zone file."""
        parts = (self.text[i:i + 200] for i in range(0, len(self.text), 200))
        return (f"{self.selector}._domainkey TXT "
                + " ".join(f'"{part}"' for part in parts) + "\n")

    def config(self):
        return {f"dkim {self.selector}": {"key": str(self.path)}}


def pair(folder):
    return [ReportKey(folder, "rsa", "r1"), ReportKey(folder, "ed25519", "e1")]


def config(keys):
    """What a reporting section says of them."""
    return {name: section for key in keys for name, section in key.config().items()}
