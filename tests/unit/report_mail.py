#!/usr/bin/python3
"""The mails of reports as somebody else's parser reads them.

    report_mail.py REPORT_SAMPLE

Each mail of tests/support/report_sample.c goes through Python's email package,
its attachment through Python's gzip and json.  Prints TAP.
"""
import base64
import email
import email.policy
import email.utils
import gzip
import json
import re
import subprocess
import sys

SUBJECT = re.compile(r"Report\s+Domain:\s+(\S+)\s+Submitter:\s+(\S+)\s+"
                     r"Report-ID:\s+<([^@<>\s]+@[^@<>\s]+)>$")
FILE = re.compile(r"([^!]+)!([^!]+)!(\d+)!(\d+)\.json\.gz$")
DOMAINS = ["example.com", "xn--bcher-kva.example"]
# RFC 5322 3.6: at most one of each
ONCE = ["From", "To", "Date", "Message-ID", "Subject", "TLS-Report-Domain",
        "TLS-Report-Submitter", "TLS-Required", "Auto-Submitted", "MIME-Version",
        "Content-Type"]


def printed(*command):
    return subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout


def lines_wrong(raw):
    """RFC 5322 2.1.1, 2.3; 76 where no name is in the way."""
    if b"\r" in raw.replace(b"\r\n", b"") or b"\n" in raw.replace(b"\r\n", b""):
        yield "a bare CR or LF"
    if max(raw) > 126 or not raw.endswith(b"\r\n"):
        yield "not ASCII, or no end"
    for line in raw.split(b"\r\n"):
        if len(line) > 76 and b"filename=" not in line:
            yield f"long: {line!r}"


def header_wrong(mail, report, domain):
    submitter = report["contact-info"].split("@")[1]
    found = SUBJECT.match(" ".join(mail["Subject"].split()))
    counts = [mail.get_all(name) for name in ONCE]
    if [name for name, all_ in zip(ONCE, counts) if all_ is None or len(all_) != 1]:
        yield "a field is missing or there twice"
    if set(mail.keys()) != set(ONCE):
        yield f"other fields: {mail.keys()}"
    if not found or found.groups() != (domain, submitter, report["report-id"]):
        yield f"subject {mail['Subject']!r}"
    if mail["TLS-Report-Domain"] != domain or mail["TLS-Report-Submitter"] != submitter:
        yield "TLS-Report-Domain or -Submitter"
    if mail["TLS-Required"] != "No" or mail["Auto-Submitted"] != "auto-generated":
        yield "TLS-Required or Auto-Submitted"
    if email.utils.parseaddr(mail["From"])[1] != report["contact-info"]:
        yield f"from {mail['From']}"
    if email.utils.parseaddr(mail["To"])[1] != "tls-reports@receiver.example":
        yield f"to {mail['To']}"
    if email.utils.parsedate_to_datetime(mail["Date"]).timestamp() != 1795930000:
        yield f"date {mail['Date']}"
    if not re.match(r"<[^<>@\s]+@[^<>@\s]+>$", mail["Message-ID"]) or \
            mail["Message-ID"] == f"<{report['report-id']}>":
        yield f"id {mail['Message-ID']}"


def parts_wrong(mail, report, domain):
    if mail.get_content_type() != "multipart/report" or \
            mail.get_param("report-type") != "tlsrpt" or mail.defects:
        yield f"{mail['Content-Type']} {mail.defects}"
    text, attached = mail.get_payload()
    if text.get_content_type() != "text/plain" or domain not in text.get_payload() or \
            any(p["policy"]["policy-domain"] not in text.get_payload() for p in report["policies"]):
        yield "nothing for people"
    if attached.get_content_type() != "application/tlsrpt+gzip" or \
            attached["Content-Transfer-Encoding"] != "base64" or \
            attached.get_content_disposition() != "attachment":
        yield "nothing for programs"
    packed = base64.b64decode("".join(attached.get_payload().split()), validate=True)
    if json.loads(gzip.decompress(packed)) != report:
        yield "another report"
    if packed[4:8] != bytes(4) or packed[3] != 0:
        yield "gzip with a time or a name"
    found = FILE.match(attached.get_filename())
    start, end = (int(n) for n in found.groups()[2:]) if found else (0, 0)
    if not found or found.groups()[:2] != (report["contact-info"].split("@")[1], domain):
        yield f"file {attached.get_filename()}"
    for seconds, name in ((start, "start-datetime"), (end, "end-datetime")):
        when = email.utils.datetime.datetime.fromtimestamp(
            seconds, email.utils.datetime.timezone.utc)
        if when.strftime("%Y-%m-%dT%H:%M:%SZ") != report["date-range"][name]:
            yield f"file of {seconds}"


def judge(raw, report, domain):
    mail = email.message_from_bytes(raw, policy=email.policy.compat32)
    yield from lines_wrong(raw)
    yield from header_wrong(mail, report, domain)
    yield from parts_wrong(mail, report, domain)


def main():
    sample = sys.argv[1]
    # the first has an id that is good for JSON alone
    reports = [json.loads(line) for line in printed(sample).splitlines()][1:]
    bad = 0
    print(f"1..{len(reports)}")
    for number, (report, domain) in enumerate(zip(reports, DOMAINS)):
        wrong = list(judge(printed(sample, str(number + 1)), report, domain))
        bad += bool(wrong)
        print(f"{'not ok' if wrong else 'ok'} {number + 1} - {domain}")
        for line in wrong:
            print(f"# {line}")
    return bad


if __name__ == "__main__":
    sys.exit(main())
