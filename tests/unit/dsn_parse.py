#!/usr/bin/python3
"""Delivery reports as somebody else's parser reads them.

    dsn_parse.py DSN_SAMPLE [CORPORA]

Each report of tests/support/dsn_sample.c goes through Python's email package;
then its fields are held against those of other servers' reports, where that
corpus is at hand.  Prints TAP.
"""
import base64
import email
import email.policy
import pathlib
import re
import subprocess
import sys

# RFC 3464 2.2 and 2.3, with what RFC 6533 adds.
PER_MESSAGE = ["original-envelope-id", "reporting-mta", "dsn-gateway",
               "received-from-mta", "arrival-date"]
PER_RCPT = ["original-recipient", "final-recipient", "action", "status",
            "remote-mta", "diagnostic-code", "last-attempt-date",
            "final-log-id", "will-retry-until"]

# name: (parameters needed, types of parts 2 and 3, [(address, action, status)])
EXPECTED = {
    "failed": ("", "message/delivery-status", "message/rfc822",
               [("Bob@example.net", "failed", "5.1.1"),
                ("carol@example.com", "failed", "4.4.7")]),
    "delayed": ("", "message/delivery-status", "text/rfc822-headers",
                [("carol@example.com", "delayed", "4.4.1")]),
    "success": ("", "message/delivery-status", "text/rfc822-headers",
                [("Bob@example.net", "relayed", "2.0.0"),
                 ("carol@example.com", "delivered", "2.1.5")]),
    "utf8-rcpt": ("", "message/delivery-status", "message/global",
                  [(r"j\x{FC}rgen@b\x{FC}cher.example", "failed", "5.6.7")]),
    "utf8-sender": ("8bitmime smtputf8", "message/global-delivery-status",
                    "message/global-headers",
                    [("jürgen@bücher.example", "failed", "5.1.1")]),
    "eight-bit": ("8bitmime", "message/delivery-status", "message/rfc822",
                  [("carol@example.com", "failed", "5.2.2")]),
}


def groups(text):
    """The blocks of a delivery-status part, each a message of fields."""
    return [email.message_from_string(block, policy=email.policy.compat32)
            for block in re.split(r"\r?\n\r?\n", text.strip())]


def status_text(part, raw):
    """The status part's body as text, whatever the parser made of it."""
    marker = part.get_content_type().encode()
    body = raw.split(b"Content-Type: " + marker, 1)[1]
    return body.split(b"\r\n\r\n", 1)[1].split(b"\r\n--", 1)[0].decode()


def in_order(fields, known):
    """Known fields stand in the grammar's order, each at most once."""
    places = [known.index(f.lower()) for f in fields if f.lower() in known]
    return places == sorted(set(places))


def check_recipients(found, expected):
    assert len(found) == len(expected), [f.items() for f in found]
    for group, (address, action, status) in zip(found, expected):
        assert in_order(group.keys(), PER_RCPT), group.keys()
        kind, final = group["Final-Recipient"].split("; ", 1)
        assert final == address, final
        assert kind == ("rfc822" if re.fullmatch(r"[!-\[\]-~]+", address)
                        else "utf-8"), kind
        assert group["Action"] == action, group["Action"]
        assert group["Status"] == status, group["Status"]


def check(program, name):
    needs, second, third, recipients = EXPECTED[name]
    raw = subprocess.run([program, name], check=True, capture_output=True).stdout
    message = email.message_from_bytes(raw, policy=email.policy.default)
    assert message["X-Needs"].strip() == needs, message["X-Needs"]
    assert not message.defects, message.defects
    assert message.get_content_type() == "multipart/report"
    assert message.get_param("report-type") == "delivery-status"
    parts = list(message.iter_parts())
    types = [part.get_content_type() for part in parts]
    assert types == ["text/plain", second, third], types
    assert not any(part.defects for part in parts)
    words = parts[0].get_content()
    assert "mx1.example.org" in words and "\ufffd" not in words, words
    found = groups(status_text(parts[1], raw))
    assert in_order(found[0].keys(), PER_MESSAGE), found[0].keys()
    assert found[0]["Reporting-MTA"] == "dns; mx1.example.org"
    check_recipients(found[1:], recipients)
    if name == "utf8-rcpt":
        # The parser expects a message there, not its base64.
        returned = base64.b64decode(parts[2].get_payload(0).get_payload())
        assert returned.startswith("Subject: é\r\n".encode()), returned
    if name == "failed":
        inner = parts[2].get_payload(0)
        assert inner["Message-ID"] == "<one@example.org>"
        assert "--bounds" in inner.get_payload(), inner.get_payload()
        assert message["In-Reply-To"] == "<one@example.org>"


def peers_fields(folder):
    """Names of the fields in the status parts that others send."""
    names = set()
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.suffix in (".ref", ".eml", ".txt", ""):
            text = path.read_text(errors="replace")
            for part in re.findall(r"Reporting-MTA:.*?\n--", text, re.S | re.I):
                names |= {n.lower() for n in re.findall(r"(?m)^([\w-]+):", part)}
    return {n for n in names if not n.startswith("x-")}


def check_peers(program, folder):
    """Every field that others fill in and we have the facts for is in ours."""
    ours = set()
    for name in EXPECTED:
        raw = subprocess.run([program, name], check=True,
                             capture_output=True).stdout
        ours |= {n.decode().lower()
                 for n in re.findall(rb"(?m)^([\w-]+):", raw)}
    # Of gateways, and of one server's own log.
    missing = peers_fields(folder) - ours - {"dsn-gateway", "final-log-id"}
    missing &= set(PER_MESSAGE + PER_RCPT)
    assert not missing, missing


def main():
    program = sys.argv[1]
    corpus = pathlib.Path(sys.argv[2] if len(sys.argv) > 2 else ".") / "dsn"
    tests = [(name, lambda name=name: check(program, name)) for name in EXPECTED]
    print(f"1..{len(tests) + 1}")
    for n, (name, test) in enumerate(tests, 1):
        try:
            test()
            print(f"ok {n} {name}")
        except AssertionError as why:
            print(f"not ok {n} {name}\n# {why}")
    number = len(tests) + 1
    if not corpus.is_dir():
        print(f"ok {number} peers # SKIP no corpus of delivery reports")
        return
    try:
        check_peers(program, corpus)
        print(f"ok {number} peers")
    except AssertionError as why:
        print(f"not ok {number} peers\n# {why}")


if __name__ == "__main__":
    main()
