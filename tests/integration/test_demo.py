"""./dev run, as a newcomer sees it, with the program under test."""
import os
import random
import signal
import socket
import subprocess
import sys

import pytest

from support.daemon import ROOT, binary, environment


def demo(*arguments):
    return subprocess.run(
        [sys.executable, "-B", str(ROOT / "tests/support/demo.py"), *arguments],
        capture_output=True, text=True, check=False, timeout=150,
        env={**environment(), "DANELAWD": binary("danelawd")})


def is_free(port):
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def two_ports():
    """A port whose neighbour is free, too, and none that the kernel gives to others."""
    while True:
        port = random.randrange(20000, 32000)
        if is_free(port) and is_free(port + 1):
            return port


@pytest.fixture(autouse=True)
def built():
    assert os.access(binary("danelawd"), os.X_OK), "danelawd is not built"


def test_all_goes_as_it_should():
    done = demo("--once", "--port", str(two_ports()))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "All went as it should." in done.stdout
    assert "WRONG" not in done.stdout


def test_taken_port_is_said_kindly():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        done = demo("--once", "--port", str(taken.getsockname()[1]))
    assert done.returncode == 1
    assert "is taken by another program" in done.stderr
    assert "Traceback" not in done.stderr


def test_who_stops_it_twice_leaves_nothing_behind():
    port = two_ports()
    with subprocess.Popen(
            [sys.executable, "-B", str(ROOT / "tests/support/demo.py"), "--port", str(port)],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env={**environment(), "DANELAWD": binary("danelawd")}) as running:
        for line in running.stdout:
            if "All went as it should" in line:
                break
        running.send_signal(signal.SIGINT)
        for line in running.stdout:
            if line == "stopping\n":
                break
        running.send_signal(signal.SIGINT)
        _, said = running.communicate(timeout=60)
    assert (running.returncode, said) == (0, ""), said
    assert is_free(port) and is_free(port + 1)
