#!/usr/bin/python3
"""What the cache of MTA-STS policies costs: 100,000 of them, and one.

A daemon starts with a cache of 100,000 policies, and with one of a single
policy, and a message goes to a domain whose policy is in it: an mx pattern, TLS
and a certificate that is trusted.  Told is the time from the start to its
arrival.  Then strace watches the deliver processes: how often do they touch the
cache's file for the first message of a domain that they have not in memory, and
how often for 200 more.

sts_bench measures the cache alone, in memory and on disk.
"""
import contextlib
import os
import pathlib
import shutil
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/support"))

import sts_file  # noqa: E402
from signed_tree import SignedTree, missing_tools  # noqa: E402
from support import proc  # noqa: E402
from support.built import program  # noqa: E402
from support.own import OwnSink, load  # noqa: E402
from support.report import Report, options, scaled  # noqa: E402
from support.servers import Certificate, OwnDanelaw, own, resolver_of  # noqa: E402

HOST, ZONE = "mx.bench.test", "bench.test"
FIRST, COLD = f"first.{ZONE}", f"cold.{ZONE}"
ID = "20261101"
# Any name below the zone: its MX host, and its record of MTA-STS.
RECORDS = f"""@ MX 10 mx
mx A 127.0.0.1
* MX 10 mx
* TXT "v=STSv1; id={ID};"
"""
SIZES = {"full": None, "empty": 0}
MORE = 200
WAIT = 60


def parse():
    parser = options("sts", __doc__)
    parser.add_argument("--policies", type=int, default=100000)
    return parser.parse_args()


def rows(count):
    """Policies as a busy host has them, fetched within the last half day."""
    for name in (FIRST, COLD):
        yield sts_file.policy(name, HOST, id=ID, tried_id=ID)
    for n in range(count):
        yield sts_file.policy(
            f"d{n:06}.{ZONE}", f"mx{n % 9}.example.net", f"*.d{n:06}.example.net",
            age=n % 43200, id=ID, tried_id=ID)


class Caching(OwnDanelaw):
    """A daemon with so many policies more than those of our two domains."""

    def __init__(self, folder, count, sink, certificate, resolver):
        state = pathlib.Path(folder) / "spool/state"
        state.mkdir(parents=True)
        sts_file.make(state / "sts.db", rows(count))
        os.chmod(state / "sts.db", 0o600)
        own(state.parent)
        super().__init__(folder, {}, resolver=resolver, more=(
            f'mx_port = {sink.port}\nca_file = "{certificate.chain}"\n'))

    def deliver_pids(self):
        return proc.roles(self._process.pid, "deliver")


def send(server, sink, count, domain):
    """So many messages; when the last of them arrived."""
    sink.expect(count)
    load(server.port, count, "--rcpt", f"a@{domain}", sessions=1)
    arrived = sink.wait(WAIT)
    if arrived is None:
        raise SystemExit("bench: mail does not arrive; the log:\n"
                         + server.log()[-2000:])
    return arrived


def start_once(server, sink):
    server.start()
    try:
        arrived = send(server, sink, 1, FIRST)
        return {"port answers": server.answered - server.began,
                "first delivery": arrived - server.began,
                "start's cpu": server.cpu()}
    finally:
        check_log(server)
        server.stop()


def check_log(server):
    """A run in which no policy was applied has measured something else."""
    lines = [line for line in server.log().splitlines() if "event=delivery " in line]
    if not lines or any("tls=pkix/verified/sts/" not in line for line in lines):
        raise SystemExit("bench: not by MTA-STS:\n" + "\n".join(lines[-3:]))


# --- the file in the way of a message -----------------------------------------

@contextlib.contextmanager
def watched(server, path):
    """strace on the deliver processes; yields what counts calls so far."""
    pids = [word for pid in server.deliver_pids() for word in ("-p", str(pid))]
    with subprocess.Popen(["strace", "-f", "-y", "-qq", "-e", "trace=file,desc",
                           "-o", str(path), *pids]) as tracer:
        time.sleep(1)

        def calls():
            time.sleep(0.5)
            lines = path.read_text(errors="replace").splitlines()
            return len([l for l in lines if "/state/sts." in l]), len(lines)
        try:
            yield calls
        finally:
            tracer.terminate()


def measure_calls(report, server, sink):
    if not shutil.which("strace"):
        report.say("strace is not there: nobody looks at system calls")
        return
    server.start()
    try:
        send(server, sink, 1, FIRST)
        with watched(server, pathlib.Path(report.folder) / "calls") as calls:
            send(server, sink, 1, COLD)
            cold, before = calls()
            send(server, sink, MORE, COLD)
            warm, after = calls()
        if after - before < MORE:
            raise SystemExit("bench: strace has not seen the deliveries")
        check_log(server)
    finally:
        server.stop()
    report.add("calls on the file, first message", cold, "calls")
    report.add(f"calls on the file, {MORE} more", warm - cold, "calls")
    report.add(f"calls of any kind, {MORE} more", after - before, "calls")
    report.limit(f"calls on the file, {MORE} more", 0)


def measure_cache(report, folder):
    done = subprocess.run([program("tests/bench/sts_bench"), folder], check=False,
                          capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"bench: sts_bench failed: {done.stderr.strip()}")
    for line in done.stdout.splitlines():
        what, _, rest = line.partition(": ")
        value, unit = rest.split()
        report.add(what, float(value), unit)


# --- all of it ----------------------------------------------------------------

def run(report, chosen, stack):
    base = pathlib.Path(report.folder)
    base.chmod(0o755)
    certificate = Certificate(base / "tls", HOST)
    sink = OwnSink(certificate)
    stack.append(sink)
    tree = SignedTree(base / "dns")
    tree.zone(".")
    tree.zone("test.")
    tree.zone(f"{ZONE}.", RECORDS, signed=False, ttl=3600)
    count = scaled(chosen, chosen.policies, 100)
    with tree.serve() as dns:
        resolver = resolver_of(tree, dns)
        servers = {}
        for name, size in SIZES.items():
            servers[name] = Caching(base / name, count if size is None else size,
                                    sink, certificate, resolver)
            servers[name].stop()
        for n in range(chosen.runs):
            report.say(f"run {n + 1} of {chosen.runs}, {count} policies")
            for name, server in servers.items():
                seen = report.quiet.run(lambda: start_once(server, sink))
                for what, value in seen.items():
                    report.add(f"{name}: {what}", value, "s")
        measure_calls(report, servers["full"], sink)
    for n in range(chosen.runs):
        measure_cache(report, str(servers["full"].folder / "spool/state"))


def main():
    chosen = parse()
    if missing_tools():
        raise SystemExit(f"bench: {missing_tools()} is not installed")
    stack = []
    with Report("sts", chosen) as report:
        try:
            run(report, chosen, stack)
        finally:
            for one in reversed(stack):
                one.stop()
        report.ratio("full/empty, first delivery", "full: first delivery",
                     "empty: first delivery")
        report.limit("full: first delivery", 2)
        report.limit("a look in memory", 50)
        report.finish()
    return 0


if __name__ == "__main__":
    sys.exit(main())
