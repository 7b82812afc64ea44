"""Certificates made by the openssl command, one folder of files each."""
import pathlib
import subprocess
from dataclasses import dataclass


@dataclass
class Certificate:
    chain: str
    key: str


def _openssl(*arguments):
    subprocess.run(["openssl", *arguments], check=True, capture_output=True)


def self_signed(folder, *names, days=30):
    """A P-256 certificate for these DNS names, signed by itself."""
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    made = Certificate(str(folder / "chain.pem"), str(folder / "key.pem"))
    sans = ",".join(f"DNS:{name}" for name in names)
    _openssl("req", "-x509", "-newkey", "ec", "-pkeyopt",
             "ec_paramgen_curve:P-256", "-nodes", "-days", str(days),
             "-subj", f"/CN={names[0]}", "-addext", f"subjectAltName={sans}",
             "-keyout", made.key, "-out", made.chain)
    return made
