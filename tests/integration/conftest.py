"""Fixtures: daemons, servers and folders that end with their test.

Factories, all taking what their class takes (see support/):

    danelaw(config)        a started danelawd (start=False: not yet)
    sink(sin=..., ...)     a next hop, well-behaved or not
    nsd(zones)             an authoritative name server
    dovecot(people)        a real LMTP server
    certificate(names...)  files made by openssl
    mail                   a folder for Maildirs
    desk                   who reads reports about TLS
    clock                  the wall clock of a daemon, to be set
"""
import os
import pathlib
import re
import shutil
import signal
import tempfile

import pytest

from support import certs, daemon
from support import clock as clock_shift
from support import desk as reports_desk
from support import dovecot as dovecot_server
from support import nsd as nsd_server
from support import sink as sink_server

TEST_LIMIT = 180  # seconds a test may take; mark.limit(n) says otherwise


def pytest_configure(config):
    config.left_behind = []
    config.pluginmanager.register(Workers())
    config.addinivalue_line("markers", "limit(seconds): how long this test may take")
    config.addinivalue_line("filterwarnings", "ignore:ssl.TLSVersion:DeprecationWarning")


@pytest.fixture(autouse=True)
def time_limit(request):
    """A test that hangs fails, and the rest still runs."""
    mark = request.node.get_closest_marker("limit")
    seconds = mark.args[0] if mark else TEST_LIMIT

    def out_of_time(_signum, _frame):
        raise TimeoutError(f"the test took more than {seconds} s")

    before = signal.signal(signal.SIGALRM, out_of_time)
    signal.alarm(seconds)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item):
    """Remember failures, so that their folders are kept."""
    outcome = yield
    if outcome.get_result().failed:
        item.failed_somewhere = True


class Workers:
    """With several at once (pytest-xdist): what each of them left and said."""

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node):
        left = getattr(node, "workeroutput", {}).get("left_behind")
        if left:
            node.config.left_behind.append(left)


def leave_behind(config, folder):
    """Have it said in the end that the folder is still there."""
    output = getattr(config, "workeroutput", None)
    if output is None:
        config.left_behind.append(str(folder))
    else:
        output["left_behind"] = str(folder)


def pytest_terminal_summary(terminalreporter, config):
    for left in config.left_behind:
        terminalreporter.write_line(f"what the failed tests left: {left}")


@pytest.fixture(scope="session")
def run_folder(pytestconfig):
    """One folder a run; only those of failed tests stay in it.

    Not pytest's own: another run of pytest shuts that one to everybody else,
    and the roles of a daemon that root started have to get in.
    """
    folder = pathlib.Path(tempfile.mkdtemp(prefix="danelaw-test-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder / "tls", ignore_errors=True)
    if any(folder.iterdir()):
        leave_behind(pytestconfig, folder)
    else:
        folder.rmdir()


@pytest.fixture
def tmp_path(request, run_folder):
    name = re.sub(r"\W+", "-", request.node.name)[:30].strip("-")
    folder = pathlib.Path(tempfile.mkdtemp(prefix=name + "-", dir=run_folder))
    folder.chmod(0o755)
    daemon.open_way(folder)
    yield folder
    if not getattr(request.node, "failed_somewhere", False):
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def corpora():
    """The folder of third-party test data; skips when it is not there."""
    default = daemon.ROOT.parent / "shared/corpora"
    path = pathlib.Path(os.environ.get("DANELAW_CORPORA", default))
    if not path.is_dir():
        pytest.skip("no corpora here (DANELAW_CORPORA names them)")
    return path


@pytest.fixture
def started(request, tmp_path):
    """Things with stop(), ended in the reverse of their order."""
    things = []
    yield things
    first_failure = None
    for thing in reversed(things):
        try:
            thing.stop()
        except AssertionError as failure:
            first_failure = first_failure or failure
    if first_failure:
        request.node.failed_somewhere = True
        raise first_failure


@pytest.fixture
def mail(tmp_path):
    """A folder in which a daemon may make Maildirs: maildir:{mail}/%u."""
    daemon.open_way(tmp_path / "mail")
    return tmp_path / "mail"


@pytest.fixture
def danelaw(tmp_path, started):
    def make(config=None, text=None, name=None, start=True):
        assert os.access(daemon.binary("danelawd"), os.X_OK), "danelawd is not built"
        folder = tmp_path / (name or f"danelaw{len(started)}")
        made = daemon.Danelaw(folder, config, text)
        started.append(made)
        return made.start() if start else made
    return make


@pytest.fixture
def clock(tmp_path):
    """The wall clock of whatever it drives."""
    if not clock_shift.LIBRARY.is_file():
        pytest.skip("libclock_shift.so is not built")
    tmp_path.chmod(0o755)
    return clock_shift.Clock(tmp_path / "clock")


@pytest.fixture
def sink(started):
    def make(*args, **options):
        made = sink_server.Sink(*args, **options)
        started.append(made)
        return made
    return make


@pytest.fixture
def nsd(tmp_path, started):
    def make(zones, port=None):
        if nsd_server.program() is None:
            pytest.skip("NSD is not installed")
        made = nsd_server.Nsd(tmp_path / f"nsd{len(started)}", zones, port)
        started.append(made)
        return made
    return make


@pytest.fixture
def dovecot(tmp_path, started):
    def make(people=None):
        if dovecot_server.program() is None:
            pytest.skip("dovecot-lmtpd is not installed")
        made = dovecot_server.Dovecot(tmp_path / f"dovecot{len(started)}", people)
        started.append(made)
        return made
    return make


@pytest.fixture(scope="session")
def certificate(run_folder):
    """certificate("mx.test.example") -> .chain and .key; made once a name."""
    made = {}

    def make(*names):
        if names not in made:
            made[names] = certs.self_signed(run_folder / "tls" / names[0], *names)
        return made[names]
    return make


@pytest.fixture
def desk(danelaw, tmp_path):
    """For reports about TLS of others: `danelaw report` without a daemon."""
    tmp_path.chmod(0o755)
    return reports_desk.Desk(danelaw, tmp_path)
