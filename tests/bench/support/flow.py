"""Mail through a server, measured."""
import shutil

from .load import TOOL_PATH, send
from .own import load

PATIENCE = 300  # seconds without which a run has failed


def has_tool(name):
    return shutil.which(name, path=TOOL_PATH) is not None


def count_for(seconds, rate_of):
    """How many messages last about so long; also the warm-up."""
    least = 200 if seconds > 0.1 else 50
    count = 2 * least
    while True:
        rate = rate_of(count)
        if count / rate >= seconds / 4:
            return max(least, int(rate * seconds) // 100 * 100)
        count *= 4


class Accept:
    """What one run into a server showed."""

    def __init__(self, server, count, keep, tool="smtp_load", **words):
        before = server.cpu()
        if tool == "smtp_load":
            said = load(server.port, count, keep=keep, **words)
            self.rate = said["rate"]
            self.p50, self.p99 = said["p50_ms"], said["p99_ms"]
            self.source_cpu = (said["cpu_user"] + said["cpu_system"]) / count
        else:
            began, ended = send(server.port, count, words["sessions"],
                                words["length"], keep)
            self.rate = count / (ended - began)
        self.server_cpu = (server.cpu() - before) / count


class Relay:
    """What one run through a server into a sink showed."""

    def __init__(self, server, sink, count, **words):
        before, seen, sunk = server.cpu(), sink.count, sink.cpu
        sink.expect(count)
        said = load(server.port, count, **words)
        arrived = sink.wait(PATIENCE)
        if arrived is None:
            raise SystemExit(
                f"bench: {server.name} lost messages: {count} accepted, "
                f"{sink.count - seen} arrived after {PATIENCE} s")
        self.accepted = said["rate"]
        self.rate = count / (arrived - said["began"])
        self.source_cpu = (said["cpu_user"] + said["cpu_system"]) / count
        self.sink_cpu = (sink.cpu - sunk) / count
        self.server_cpu = (server.cpu() - before) / count


def alternate(servers, runs):
    """(run, server), each first as often as the others."""
    for n in range(runs):
        for server in servers if n % 2 == 0 else reversed(servers):
            yield n, server
