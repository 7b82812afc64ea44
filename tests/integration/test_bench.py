"""The benchmarks run and print what they say: a look, not a measurement.

No figure is judged here; a busy machine must not fail a test.
"""
import contextlib
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile

import pytest
from support import daemon

BENCH = pathlib.Path(__file__).resolve().parents[1] / "bench"

# Name -> options, and a result that it has to print.
LOOKS = {
    "disk": ([], "groups of 100"),
    "accept": (["--only", "danelaw", "--sessions", "10"],
               "danelaw, one a connection"),
    "accept-report": (["--sessions", "10"], "counts"),
    "relay-tls": (["--only", "danelaw", "--sessions", "10"],
                  "danelaw, many a connection"),
    "backlog": (["--sessions", "10"], "full/empty"),
    "recover": ([], "deferred-warm: first new delivery"),
    "idle": ([], "handshakes"),
    "loris": (["--sessions", "10"], "beside them, one a connection"),
    "dead": (["--sessions", "10"], "with/without"),
    "relay-dane": (["--sessions", "10"], "dane, many a connection"),
    "relay-report": (["--sessions", "10"], "counts"),
    "soak": ([], "queue: memory at the end"),
    "sts": ([], "calls on the file, first message"),
}


def results(name, folder, options):
    """Run a benchmark at its smallest; {name of a result: the result}."""
    with subprocess.Popen(
            [sys.executable, "-B", str(BENCH / f"{name}.py"), "--runs", "1",
             "--scale", "0.002", "--json", "--dir", folder, *options],
            env={**os.environ, "DANELAWD": daemon.binary("danelawd")},
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as bench:
        try:
            text, said = bench.communicate()
        except BaseException:
            bench.send_signal(signal.SIGINT)   # it stops what it has started
            with contextlib.suppress(subprocess.TimeoutExpired):
                bench.wait(60)
            bench.kill()
            raise
    assert bench.returncode == 0, said
    return {r["name"]: r for r in json.loads(text)["results"]}


@pytest.mark.skipif("DANELAW_BENCH" not in os.environ,
                    reason="DANELAW_BENCH=1 looks at the benchmarks, too")
@pytest.mark.parametrize("name", LOOKS)
def test_benchmark_prints_its_results(name):
    options, wanted = LOOKS[name]
    # A socket's path is short, and the roles are not who we are.
    with tempfile.TemporaryDirectory(prefix="bench-", dir="/tmp") as folder:
        os.chmod(folder, 0o755)
        found = results(name, folder, options)
        assert not os.listdir(folder)
    assert found[wanted]["median"] > 0
