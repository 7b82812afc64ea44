"""Who reads reports about TLS of others, and reports to read."""
import base64
import gzip
import json
import time

from . import daemon

TOOL = daemon.ROOT / "build/tests/unit/dkim_tool"
DAY = 86400


def day(ago):
    return time.strftime("%Y-%m-%d", time.gmtime(time.time() - ago * DAY))


def report(ago=1, org="Reporter", domain="ours.example", good=100, bad=0, **more):
    """The JSON of a report of one day."""
    details = [{"result-type": "certificate-expired", "failed-session-count": bad,
                "receiving-mx-hostname": "mx1.ours.example",
                "sending-mta-ip": "192.0.2.1"}] if bad else []
    return {"organization-name": org, "contact-info": "tls@reporter.example",
            "report-id": f"{org}-{domain}-{ago}",
            "date-range": {"start-datetime": day(ago) + "T00:00:00Z",
                           "end-datetime": day(ago) + "T23:59:59Z"},
            "policies": [{"policy": {"policy-type": "sts", "policy-domain": domain,
                                     "policy-string": ["version: STSv1"],
                                     "mx-host": ["mx1.ours.example"]},
                          "summary": {"total-successful-session-count": good,
                                      "total-failure-session-count": bad},
                          "failure-details": details}], **more}


def mail(text, domain="ours.example", sender="reporter.example"):
    """As RFC 8460 5.3 has it, with the line ends of a file."""
    body = base64.encodebytes(gzip.compress(json.dumps(text).encode())).decode()
    return f"""From: tls@{sender}
To: reports@ours.example
Subject: Report Domain: {domain} Submitter: {sender} Report-ID: <1@{sender}>
Date: Sun, 29 Nov 2026 10:00:00 +0000
Message-ID: <1@{sender}>
TLS-Report-Domain: {domain}
TLS-Report-Submitter: {sender}
MIME-Version: 1.0
Content-Type: multipart/report; report-type="tlsrpt"; boundary="b"

--b
Content-Type: text/plain

A report.
--b
Content-Type: application/tlsrpt+gzip
Content-Transfer-Encoding: base64

{body}--b--
"""


class Desk:
    """Who reads reports: a configuration, and files."""

    def __init__(self, danelaw, folder, **config):
        self.server = danelaw({
            "domain ours.example": {"deliver": "discard"}, **config}, start=False)
        # As a daemon would have made it.
        for place in (self.server.spool, f"{self.server.spool}/state"):
            daemon.open_way(place)
        self.folder = folder
        self.count = 0

    def file(self, text):
        self.count += 1
        path = self.folder / f"report{self.count}"
        path.write_text(text if isinstance(text, str) else json.dumps(text))
        path.chmod(0o644)
        return path

    def run(self, *words, **how):
        done = self.server.ctl("report", *map(str, words), check=False, **how)
        return done.returncode, done.stdout, done.stderr

    def keeps(self, *texts):
        status, out, err = self.run(
            "ingest", "--unsigned", *(self.file(text) for text in texts))
        assert (status, out.count(": kept, from ")) == (0, len(texts)), (out, err)
