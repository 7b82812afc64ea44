"""The clients people have, each delivering over STARTTLS where it can."""
import shutil
import smtplib
import ssl
import subprocess

import pytest

from support.maildir import Maildir, field
from support.talk import message

TO = "user@test.example"


@pytest.fixture
def server(danelaw, certificate, mail):
    cert = certificate("mx.test.example")
    made = danelaw({
        "certificate mx": {"chain": cert.chain, "key": cert.key},
        "domain test.example": {"deliver": f"maildir:{mail}/%u"}})
    made.box = Maildir(mail / "user")
    return made


def run(name, *arguments, text=None):
    path = shutil.which(name, path="/usr/bin:/usr/sbin:/bin")
    if path is None:
        pytest.skip(f"{name} is not installed")
    done = subprocess.run([path, *arguments], input=text, text=True, timeout=60,
                          capture_output=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def arrived(server, keyword="ESMTPS", count=1):
    got = server.box.wait(count)
    for text in got:
        assert f" with {keyword}" in field(text, "Received")[0]
    return got


def test_swaks(server):
    run("swaks", "--server", f"127.0.0.1:{server.port}", "--tls", "--to", TO,
        "--from", "a@client.example", "--header", "Subject: by swaks")
    assert field(arrived(server)[0], "Subject") == ["by swaks"]


def test_swaks_pipelined(server):
    run("swaks", "--server", f"127.0.0.1:{server.port}", "--tls", "--pipeline",
        "--to", f"{TO},{TO}", "--from", "a@client.example")
    arrived(server)


def test_curl(server, tmp_path):
    letter = tmp_path / "letter"
    letter.write_text(message(subject="by curl"), newline="")
    run("curl", "--silent", "--show-error", "--ssl-reqd", "--insecure",
        "--url", f"smtp://127.0.0.1:{server.port}/client.example",
        "--mail-from", "a@client.example", "--mail-rcpt", TO,
        "--upload-file", str(letter))
    assert field(arrived(server)[0], "Subject") == ["by curl"]


def test_msmtp(server):
    run("msmtp", "--host=127.0.0.1", f"--port={server.port}", "--tls=on",
        "--tls-starttls=on", "--tls-certcheck=off", "--from=a@client.example",
        "--auth=off", TO, text=message(subject="by msmtp").replace("\r\n", "\n"))
    assert field(arrived(server)[0], "Subject") == ["by msmtp"]


def test_smtplib(server):
    with smtplib.SMTP("127.0.0.1", server.port) as client:
        client.starttls(context=ssl._create_unverified_context())
        client.sendmail("a@client.example", [TO], message(subject="by smtplib"))
    assert field(arrived(server)[0], "Subject") == ["by smtplib"]


def test_smtp_source(server):
    """It knows neither TLS nor EHLO; ten sessions, a hundred messages."""
    run("smtp-source", "-s", "10", "-m", "100", "-l", "4096", "-d",
        "-f", "a@client.example", "-t", TO, f"inet:127.0.0.1:{server.port}")
    assert len(arrived(server, "SMTP", 100)) == 100


def test_openssl_checks_the_certificate(server, certificate):
    """The chain that is shown is the one that was configured."""
    run("openssl", "s_client", "-connect", f"127.0.0.1:{server.port}",
        "-starttls", "smtp", "-verify_return_error", "-verify_hostname",
        "mx.test.example", "-CAfile", certificate("mx.test.example").chain,
        text="QUIT\r\n")
