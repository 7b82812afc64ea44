#!/usr/bin/python3
"""Two Danelaws on loopback, and a few messages through both.

The first relays (port 2525), the second delivers into a Maildir (port 2526).
Every hop is encrypted.  What happened to each message is told in words; then
the two stay up for messages of your own, until Ctrl-C.
"""
import argparse
import os
import pathlib
import pwd
import re
import shutil
import signal
import smtplib
import socket
import ssl
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/integration"))

from support import certs, maildir  # noqa: E402
from support.daemon import built, render  # noqa: E402
from support.wait import answers  # noqa: E402

DOMAIN = "demo.example"
YOU = f"you@{DOMAIN}"
PATIENCE = 30  # seconds until a message counts as lost
USERS = ("alice", "you", "grüße")


@dataclass
class Letter:
    """One message of the demonstration."""
    what: str
    to: str
    body: bytes
    options: tuple = ()
    bounces: bool = False

    def bytes(self, number):
        head = (f"From: You <{YOU}>\r\nTo: <{self.to}>\r\n"
                f"Subject: {number}. {self.what}\r\n"
                f"Date: {BEGAN}\r\n"
                f"Message-ID: <{number}.{os.getpid()}@{DOMAIN}>\r\n"
                "MIME-Version: 1.0\r\n"
                "Content-Type: text/plain; charset=utf-8\r\n"
                "Content-Transfer-Encoding: 8bit\r\n\r\n")
        return head.encode() + self.body


# One date for all, so that a letter has the same bytes whenever it is made.
BEGAN = time.strftime("%a, %d %b %Y %H:%M:%S +0000", time.gmtime())

LETTERS = [
    Letter("A few plain lines", f"alice@{DOMAIN}",
           b"Hello Alice.\r\n\r\n.\r\n..a line of one dot, and one of two\r\n"),
    Letter("8-bit text, not converted", f"alice@{DOMAIN}",
           "Größe, naïve, 漢字, \U0001f4ee\r\n".encode(), ("BODY=8BITMIME",)),
    Letter("An address in UTF-8", f"grüße@{DOMAIN}",
           "An SMTPUTF8 address, end to end.\r\n".encode(),
           ("BODY=8BITMIME", "SMTPUTF8")),
    Letter("Five megabytes", f"alice@{DOMAIN}",
           (b"0123456789" * 7 + b"\r\n") * 72817),
    Letter("To somebody who is not there", f"nobody-of-this-name@{DOMAIN}",
           b"Please come back.\r\n", bounces=True),
]


class Daemon:
    """One danelawd as an ordinary process of an ordinary user."""

    def __init__(self, name, port, folder, config):
        self.name = name
        self.port = port
        self.log = folder / f"{name}.log"
        self.config = folder / f"{name}.conf"
        self.config.write_text(render(config))
        self.process = None

    def start(self, program):
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                [str(program), "-f", "-c", str(self.config)], stderr=log,
                stdin=subprocess.DEVNULL, start_new_session=True, **as_nobody())
        end = time.monotonic() + 20
        while not answers(self.port):
            if self.process.poll() is not None or time.monotonic() > end:
                fail(f"{self.name} does not answer; its log:\n"
                     + self.log.read_text(errors="replace")[-3000:])
            time.sleep(0.05)

    def stop(self):
        if self.process is None or self.process.poll() is not None:
            return
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()


def fail(text):
    raise SystemExit(f"demo: {text}")


def as_nobody():
    """What makes a child an unprivileged user when we are root."""
    if os.getuid() != 0:
        return {}
    nobody = pwd.getpwnam("nobody")
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


def check_ports(*ports):
    for port in ports:
        with socket.socket() as s:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                s.bind(("127.0.0.1", port))
            except OSError:
                fail(f"port {port} on 127.0.0.1 is taken by another program; "
                     "end it, or choose others: ./dev run --port 4025")


def common(name, port, folder, certificate):
    return {
        "hostname": f"{name}.{DOMAIN}",
        "spool": str(folder / f"{name}-spool"),
        "listen mx": {"address": [f"127.0.0.1:{port}"]},
        f"certificate {name}": {"chain": certificate.chain, "key": certificate.key},
        # nothing in this demonstration asks the network for a name
        "resolver": {"forward .": {"server": ["127.0.0.1:9"]}, "self_test": ""},
    }


def daemons(folder, port):
    """The relay and the last hop, not yet started."""
    certificate = certs.self_signed(folder / "tls", f"relay.{DOMAIN}", f"final.{DOMAIN}")
    users = folder / "recipients"
    users.write_text("".join(f"{user}\n" for user in USERS))
    relay = {**common("relay", port, folder, certificate),
             "relay": {"from": ["127.0.0.0/8"]},
             "route *": {"via": f"smtp:127.0.0.1:{port + 1}"}}
    final = {**common("final", port + 1, folder, certificate),
             f"domain {DOMAIN}": {"deliver": f"maildir:{folder}/mail/%u",
                                  "recipients": f"file:{users}"}}
    (folder / "mail").mkdir()
    return (Daemon("relay", port, folder, relay),
            Daemon("final", port + 1, folder, final))


def copy_program(folder):
    """The program where an unprivileged user can reach it."""
    program = pathlib.Path(os.environ.get("DANELAWD")
                           or built("danelawd", ROOT / "build-release"))
    if not os.access(program, os.X_OK):
        fail(f"no {program} (./dev build release)")
    return shutil.copy2(program, folder / "danelawd")


def give_away(folder):
    """Everything made so far belongs to who will run the daemons."""
    who = as_nobody()
    if who:
        subprocess.run(["chown", "-R", f"{who['user']}:{who['group']}", str(folder)],
                       check=True)


def send(port, letter, number):
    """Hand a letter to the relay over STARTTLS: (reply, TLS in words)."""
    context = ssl.create_default_context()
    context.check_hostname = False  # the certificate is its own witness
    context.verify_mode = ssl.CERT_NONE
    with smtplib.SMTP("127.0.0.1", port, timeout=60,
                      local_hostname=f"client.{DOMAIN}") as client:
        client.starttls(context=context)
        client.ehlo()
        version, (cipher, _, _) = client.sock.version(), client.sock.cipher()
        code, text = client.mail(YOU, list(letter.options))
        if code == 250:
            code, text = client.rcpt(letter.to)
        if code == 250:
            code, text = client.data(letter.bytes(number))
        if code != 250:
            fail(f"the relay refused letter {number}: {code} {text.decode()}")
    return text.decode(), f"{version} {cipher}"


def find(box, wanted):
    """The message of a Maildir whose header fields pass the question."""
    for text in box.messages():
        if wanted(text):
            return text
    return None


def wait_for(box, wanted):
    """(message, seconds it took), or (None, seconds)."""
    began = time.monotonic()
    while time.monotonic() - began < PATIENCE:
        found = find(box, wanted)
        if found is not None:
            return found, time.monotonic() - began
        time.sleep(0.02)
    return None, PATIENCE


HOP = re.compile(r"from (\S+) .*? by (\S+) .*? with (\S+) .*?using (\S+) cipher (\S+?)[,)]")


def tell_hops(text):
    """Each trace field in words, first hop first; False for one without TLS."""
    hops = [HOP.match(f) for f in reversed(maildir.field(text, "Received"))]
    for hop in hops:
        if hop:
            print("     hop    {} to {}: {}, {} {}".format(*hop.groups()))
    return len(hops) == 2 and all(h and h[3].endswith("SMTPS") for h in hops)


def tell_bounce(text):
    """What the report for programs says, long lines unfolded."""
    plain = re.sub(r"\n[ \t]+", " ", text.decode("utf-8", "replace"))
    for line in plain.splitlines():
        if line.startswith(("Action:", "Status:", "Diagnostic-Code:")):
            print(f"            {line}")


def told(condition, good, bad):
    print(f"     {'ok    ' if condition else 'WRONG '} {good if condition else bad}")
    return condition


def follow(boxes, letter, number):
    """Wait for a letter, or for its bounce, and tell; True when all is well."""
    subject = f"{number}. {letter.what}"
    if letter.bounces:
        got, seconds = wait_for(
            maildir.Maildir(boxes / "you"),
            lambda t: b"multipart/report" in t and letter.to.encode() in t)
        if not told(got is not None, f"came back as a bounce after {seconds:.2f} s",
                    "no bounce came back"):
            return False
        tell_bounce(got)
        return True
    user = letter.to.partition("@")[0]
    got, seconds = wait_for(maildir.Maildir(boxes / user),
                            lambda t: maildir.field(t, "Subject") == [subject])
    if not told(got is not None, f"arrived in {user}'s Maildir after {seconds:.2f} s",
                f"did not arrive within {seconds:.0f} s"):
        return False
    encrypted = tell_hops(got)
    same = got.replace(b"\n", b"\r\n").endswith(letter.bytes(number))
    return all([told(same, "not a byte of it has changed", "its bytes have changed"),
                told(encrypted, "both hops were encrypted", "a hop was not encrypted")])


def demonstrate(port, boxes):
    """Send every letter; whether all went as it should."""
    good = []
    for number, letter in enumerate(LETTERS, 1):
        size = len(letter.bytes(number))
        print(f"\n  {number}. {letter.what}: {size} bytes to {letter.to}")
        reply, tls = send(port, letter, number)
        print(f"     sent   over {tls}; the relay says: 250 {reply}")
        good.append(follow(boxes, letter, number))
    return all(good)


def stay(port, folder, both):
    """Until Ctrl-C, say what else arrives."""
    print(f"""
Both stay up until Ctrl-C.  To send one of your own:

  swaks --server 127.0.0.1:{port} --tls --from {YOU} --to alice@{DOMAIN}

Users: {', '.join(USERS)}.  Mail: {folder}/mail  Logs: {folder}/*.log
""", flush=True)
    seen = set((folder / "mail").rglob("new/*"))
    while all(d.process.poll() is None for d in both):
        time.sleep(0.3)
        for path in sorted(set((folder / "mail").rglob("new/*")) - seen):
            seen.add(path)
            subject = maildir.field(path.read_bytes(), "Subject") or ["(none)"]
            print(f"  arrived for {path.parts[-3]}: {subject[0]}", flush=True)
    print("demo: a daemon has ended by itself; see its log")
    return 1


def run(folder, options):
    relay, final = both = daemons(folder, options.port)
    program = copy_program(folder)
    give_away(folder)
    try:
        final.start(program)
        relay.start(program)
        who = "nobody" if as_nobody() else "you"
        print(f"relay.{DOMAIN} listens on 127.0.0.1:{relay.port} and hands everything "
              f"to\nfinal.{DOMAIN} on 127.0.0.1:{final.port}, which delivers into "
              f"Maildirs.  Both run as {who}.")
        good = demonstrate(relay.port, folder / "mail")
        print("\nAll went as it should." if good else "\nSomething went wrong.",
              flush=True)
        if options.once:
            return 0 if good else 1
        return stay(relay.port, folder, both)
    except KeyboardInterrupt:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # who is impatient leaves none behind
        print("\nstopping", flush=True)
        return 0
    finally:
        for daemon in both:
            daemon.stop()


def main():
    parser = argparse.ArgumentParser(prog="./dev run", description=__doc__)
    parser.add_argument("--once", action="store_true",
                        help="end after the messages; exit status 0 when all went well")
    parser.add_argument("--port", type=int, default=2525,
                        help="of the relay; the last hop takes the one after it")
    options = parser.parse_args()
    check_ports(options.port, options.port + 1)
    with tempfile.TemporaryDirectory(prefix="danelaw-demo-") as folder:
        return run(pathlib.Path(folder), options)


if __name__ == "__main__":
    # Also where a shell has told us to ignore Ctrl-C, as it does with "&".
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    sys.exit(main())
