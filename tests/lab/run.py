#!/usr/bin/python3
"""./dev lab: the laboratory for people, until Ctrl-C.

    run.py [--list] [--json] [--table] [--port N] [--folder DIR] [WORD...]

WORDs choose scenarios whose name, story or RFC section holds one of them.
"""
import argparse
import collections
import contextlib
import json
import pathlib
import re
import shutil
import signal
import sys
import tempfile
import textwrap

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "tests/support"),
                str(ROOT / "tests/integration")]

from lab.catalogue import SCENARIOS  # noqa: E402
from lab.check import GROUPS  # noqa: E402
from lab.lab import Lab  # noqa: E402
from signed_tree import missing_tools  # noqa: E402
from support import certs  # noqa: E402
from support.daemon import SERVANT, merge, open_way, render  # noqa: E402

PORT = 25250      # of MX hosts; the next one is that of other servers
DAEMON = 5        # so far above, a danelawd with our configuration listens
WIDTH = 100       # of a table, at most
FEW = 20          # scenarios of which each is told when they are up
EXAMPLE = "ee-311"
HOSTNAME = "mx.test.example"


def choose(words):
    """The scenarios that hold one of these words; all when there is none."""
    def holds(s):
        text = f"{s.name} {s.story} {s.section}".lower()
        return not words or any(word.lower() in text for word in words)
    return [s for s in SCENARIOS.values() if holds(s)]


def recipient(s):
    """Whom to write to, before the hosts have addresses."""
    return re.sub(r"{addr:.*?}", "ADDRESS", s.rcpt).replace("{domain}", s.domain)


def example(scenarios):
    """One of them that says most to somebody new."""
    return next((s for s in scenarios if s.name == EXAMPLE), scenarios[0])


def facts(s):
    """A scenario as data."""
    return {"name": s.name, "domain": s.domain, "recipient": recipient(s),
            "story": s.story, "params": s.params.strip(), "header": s.header.strip(),
            "policy_host": s.sts and f"{s.sts.host}.{s.domain}",
            "section": s.section, "rows": list(s.rows), "group": s.group,
            "host": s.to, "outcome": s.expected, "cleartext": s.clear,
            "tls": s.log, "expected": s.in_words()}


def outcome(s):
    """What becomes of the mail, and by which configuration."""
    return s.in_words() if s.group == "all" else f"[{s.group}] {s.in_words()}"


def table(scenarios):
    """Recipient, what becomes of the mail, and why, in columns of 100 in all.

    What is too long for its column goes on over the next, and that begins a line below.
    """
    columns = min(WIDTH, shutil.get_terminal_size((WIDTH, 24)).columns)
    first = min(columns * 36 // 100, max(len(recipient(s)) for s in scenarios))
    second = min(columns * 26 // 100, max(len(outcome(s)) for s in scenarios))
    room = columns - first - second - 4
    for s in scenarios:
        lines, cells = [""], ((recipient(s), first + 2), (outcome(s), first + second + 4))
        for text, end in cells:
            lines[-1] += text
            if len(lines[-1]) > end - 2:
                lines.append("")
            lines[-1] = lines[-1].ljust(end)
        story = textwrap.wrap(f"{s.story} ({s.section})", max(room, 20),
                              break_on_hyphens=False)
        yield from lines[:-1]
        yield lines[-1] + story[0]
        yield from (" " * (first + second + 4) + line for line in story[1:])


def overview(scenarios):
    """What their names begin with, and how to see more of it."""
    kinds = collections.Counter(s.name.partition("-")[0] for s in scenarios)
    yield from textwrap.wrap(", ".join(
        f"{kind} ({n})" if n > 1 else kind for kind, n in sorted(kinds.items())), 78)
    yield ("./dev lab --list [WORD...] says what they are and what becomes of mail;\n"
           "./dev lab WORD... starts only those; --table tells of each when it is up.")


def write(text):
    """To a reader that may leave once it has read enough."""
    with contextlib.suppress(BrokenPipeError):
        print(text, flush=True)
        return
    sys.stderr.close()   # or what is left complains when we end


def write_configurations(lab, folder):
    """A danelaw.conf for each group of scenarios; their paths."""
    own = certs.self_signed(folder / "own", HOSTNAME)  # REQUIRETLS wants TLS
    for n, group in enumerate(sorted({s.group for s in lab.scenarios.values()})):
        spool = folder / f"spool-{group}"
        open_way(spool)
        base = {"hostname": HOSTNAME, "spool": str(spool), "user": SERVANT,
                "certificate mx": {"chain": own.chain, "key": own.key},
                "listen mx": {"address": [f"127.0.0.1:{lab.port + DAEMON + n}"]}}
        config = merge(merge(base, lab.config(group)), GROUPS.get(group, {}))
        path = folder / ("danelaw.conf" if group == "all"
                         else f"danelaw-{group}.conf")
        path.write_text(render(config))
        yield group, path, lab.port + DAEMON + n


def tell(entry):
    """A line for each message that reached a host."""
    if entry.kept:
        over = f"{entry.tls}, SNI {entry.sni or 'none'}" if entry.tls \
            else "cleartext"
        print(f"  arrived: {entry.rcpt} at {entry.host} ({over})", flush=True)


def tell_of_policy(site):
    """A line for each policy that was asked for."""
    print(f"  policy: asked of {site.spec.host}.{site.scenario.domain}", flush=True)


def policy_hosts(lab, scenarios):
    """How to ask one of them, where there are any."""
    one = next((s for s in scenarios if s.name in lab.sites), None)
    if one is None:
        return
    host = f"{one.sts.host}.{one.domain}"
    print(f"\nPolicy hosts of MTA-STS, all on port {lab.sts_port}:\n"
          f"  curl --cacert {lab.root_file()} \\\n"
          f"      --connect-to {host}:443:{lab.address(one.name, 'mta-sts')}:"
          f"{lab.sts_port} \\\n"
          f"      https://{host}/.well-known/mta-sts.txt")


def introduce(lab, folder, whole):
    """What is up, and how to get at it."""
    scenarios = list(lab.scenarios.values())
    first = example(scenarios)
    whole = whole or len(scenarios) <= FEW
    print("\n".join(table(scenarios) if whole else overview(scenarios)))
    print(f"\n{len(scenarios)} scenarios, one domain each; "
          f"their hosts listen on port {lab.port}.")
    print("\nDNS, signed, with lies:\n"
          f"  drill -D -p {lab.front.port} MX {first.domain} @127.0.0.1\n"
          f"  drill -D -p {lab.front.port} TLSA _{lab.port}._tcp.mx.{first.domain}"
          " @127.0.0.1\n"
          f"  trust anchor: {lab.tree.anchor}")
    policy_hosts(lab, scenarios)
    build = "build" if (ROOT / "build/mta/danelawd").exists() else "build-release"
    print("\nA danelawd that finds its way in here, each for its group of"
          "\nscenarios (--list has their [name]; ./dev build release makes it):")
    for group, path, port in write_configurations(lab, folder):
        one = example([s for s in scenarios if s.group == group])
        wish = " --mail requiretls" if one.params else ""
        print(f"  {build}/mta/danelawd -f -c {path}\n"
              f"      (group {group}; swaks --server 127.0.0.1:{port} "
              f"--to {lab.recipient(one)};\n"
              f"      {build}/mta/ctl/danelaw -c {path} probe{wish} "
              f"{lab.recipient(one)})")
    print("\nCtrl-C ends it.", flush=True)


def serve(scenarios, arguments):
    """Start everything and stay until told to go."""
    folder = pathlib.Path(arguments.folder or
                          tempfile.mkdtemp(prefix="danelaw-lab-")).resolve()
    folder.mkdir(exist_ok=True)
    if any(folder.iterdir()):  # keys and mail of another laboratory
        sys.exit(f"lab: {folder} is not empty; name another folder, or empty it")
    folder.chmod(0o755)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: sys.exit(0))
    try:
        with Lab(folder, scenarios, arguments.port) as lab:
            lab.arrivals.watch = tell
            lab.listeners.watch = tell_of_policy
            introduce(lab, folder, arguments.table)
            while True:
                signal.pause()
    finally:
        if not arguments.folder:
            shutil.rmtree(folder, ignore_errors=True)


def port_number(text):
    """One with room behind it for all the others."""
    port = int(text)
    if not 1024 <= port <= 65000:
        raise argparse.ArgumentTypeError("1024 to 65000")
    return port


def main():
    parser = argparse.ArgumentParser(prog="./dev lab")
    parser.add_argument("--list", action="store_true",
                        help="say what there is, start nothing")
    parser.add_argument("--json", action="store_true",
                        help="the same as JSON")
    parser.add_argument("--table", action="store_true",
                        help="tell of each scenario when it is up, however many")
    parser.add_argument("--port", type=port_number, metavar="N", default=PORT,
                        help=f"of the MX hosts (default {PORT})")
    parser.add_argument("--folder", help="keep everything there")
    parser.add_argument("word", nargs="*", help="only scenarios that hold it")
    arguments = parser.parse_args()
    scenarios = choose(arguments.word)
    if not scenarios:
        sys.exit("lab: no scenario holds " + " or ".join(arguments.word))
    if arguments.json:
        write(json.dumps([facts(s) for s in scenarios], indent=1))
    elif arguments.list:
        write("\n".join(table(scenarios)))
    elif missing_tools():
        sys.exit(f"lab: {missing_tools()} is not installed")
    else:
        try:
            serve(scenarios, arguments)
        except OSError as problem:
            sys.exit(f"lab: {problem} (--port N takes other ports)")


if __name__ == "__main__":
    main()
