"""Waiting with an end, and finding a free place to listen."""
import socket
import time


def free_port():
    """A loopback TCP port nobody listens on (nor, hopefully, soon will)."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait_until(condition, what, seconds=20, step=0.02):
    """The first true value of condition(); AssertionError after so long."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < end, f"after {seconds} s still not: {what}"
        time.sleep(step)


def answers(port, host="127.0.0.1", first=b"220"):
    """Does somebody greet on this port?"""
    try:
        with socket.create_connection((host, port), 1) as s:
            s.settimeout(5)
            return s.recv(len(first)) == first
    except OSError:
        return False
