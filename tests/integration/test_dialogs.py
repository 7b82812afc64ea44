"""Other servers' test dialogues, replayed against ours.

A reply must begin with the same digit as the peer's.  Where ours differs on
purpose, OURS says what it is and which text it follows.
"""
import pytest

from support.dialog import constant, replay, steps
from support.maildir import Maildir

SCRIPTS = [
    "auth_multi_dialog", "auth_not_tls", "auth_too_many_failures", "bad_data",
    "bad_data_dot", "bad_data_dot_2", "bad_data_dot_on_message_too_big",
    "bad_mail_from", "bad_rcpt_to", "data_dot_stuffing", "empty_helo", "helo",
    "line_too_long", "message_too_big", "sendmail", "unknown_command", "wrong_proto"]

# (script, line): (our reply, why)
OURS = {
    ("bad_data", 35): ("250", "RFC 5321 6.4: a relay does not repair or judge "
                              "header fields; the message passes as it is"),
}


@pytest.fixture
def server(danelaw, mail, tmp_path):
    users = tmp_path / "recipients"
    users.write_text("user\n")
    return danelaw({
        "domain testserver": {"deliver": f"maildir:{mail}/%u",
                              "recipients": f"file:{users}"},
        "limits": {"message": "1M"}})


def agrees(wanted, got, ours):
    return got.startswith(ours[0]) if ours else got[:1] == wanted[:1]


@pytest.mark.parametrize("name", [s for s in SCRIPTS if not s.startswith("auth")])
def test_chasquid(corpora, server, name):
    path = corpora / f"smtp-dialogs/chasquid-t12/{name}.cmy"
    for number, wanted, got in replay(path.read_text(), server.port):
        ours = OURS.get((name, number))
        assert agrees(wanted, got, ours), f"line {number}: {wanted!r}, got {got!r}"


@pytest.mark.parametrize("name", [s for s in SCRIPTS if s.startswith("auth")])
def test_chasquid_auth_is_not_offered(corpora, server, name):
    """RFC 5321 4.2.4: AUTH (RFC 4954) is not offered, so it is refused."""
    text = (corpora / f"smtp-dialogs/chasquid-t12/{name}.cmy").read_text()
    for number, wanted, got in replay(text, server.port):
        if wanted[:3] in ("220", "250"):
            assert got[:3] == wanted[:3]
        else:
            assert got[:1] in ("5", "4", ""), f"line {number}: {got}"


@pytest.mark.parametrize("name", ["data_dot_stuffing", "sendmail"])
def test_chasquid_message_arrives(corpora, server, mail, name):
    folder = corpora / "smtp-dialogs/chasquid-t12"
    for _ in replay((folder / f"{name}.cmy").read_text(), server.port):
        pass
    (got,) = Maildir(mail / "user").wait(1)
    wanted = (folder / f"{name}.cmy.verify").read_bytes()
    assert got.endswith(wanted.rstrip(b"\n") + b"\n" * (
        len(got) - len(got.rstrip(b"\n"))))


def test_every_script_is_replayed(corpora):
    there = {p.stem for p in (corpora / "smtp-dialogs/chasquid-t12").glob("*.cmy")}
    assert there == set(SCRIPTS)


def test_scripts_are_read():
    assert constant("('a' * 2 + '\\r\\n') * 2") == "aa\r\naa\r\n"
    with pytest.raises((ValueError, KeyError)):
        constant("__import__('os')")
    assert list(steps("# x\n\nc -> A \nc ->\nc <~ 250\n")) == [
        (3, "->", "A "), (4, "->", ""), (5, "<~", "250")]
