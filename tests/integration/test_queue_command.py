"""danelaw queue against a real daemon with mail that cannot go out."""
import json
import time

import pytest

from support.talk import Talk, message
from support.wait import wait_until

SENDERS = ["me@home.example", "you@home.example", ""]


@pytest.fixture
def stuck(danelaw, sink):
    """Its next hops put all mail off; retries are far away."""
    def make():
        hops = [sink("rcpt_451"), sink("rcpt_451")]
        made = danelaw({
            "relay": {"from": ["127.0.0.0/8"]},
            "route *": {"via": f"smtp:127.0.0.1:{hops[0].port}"},
            "route b.example": {"via": f"smtp:127.0.0.1:{hops[1].port}"},
            "retry": {"first": "1h", "longest": "1h"}})
        made.targets = [f"smtp:[127.0.0.1]:{hop.port}" for hop in hops]
        return made
    return make


def send(server, sender, *rcpts):
    with Talk(server.port) as talk:
        talk.hello()
        talk.expect(250, f"MAIL FROM:<{sender}>")
        for rcpt in rcpts:
            talk.expect(250, f"RCPT TO:<{rcpt}>")
        code, lines = talk.data(message())
        assert code == 250, lines


def ask(server, *arguments):
    """The answer's lines as objects."""
    done = server.ctl("queue", *arguments, "--json")
    return [json.loads(line) for line in done.stdout.splitlines()]


def listed(server, *arguments):
    return ask(server, "list", *arguments)


def count(server, *arguments):
    answer = ask(server, *arguments)[-1]
    assert answer["ok"]
    return answer["count"]


def waiting(server, n):
    """The queue, once n jobs have been tried and wait."""
    wait_until(lambda: len([j for j in listed(server) if j["state"] == "waiting"]) == n,
               f"{n} jobs that wait")
    return listed(server)


@pytest.fixture
def three(stuck):
    """Three messages, five recipients, four jobs."""
    daemon = stuck()
    send(daemon, SENDERS[0], "a@a.example", "b@b.example")
    send(daemon, SENDERS[1], "c@a.example", "d@a.example")
    send(daemon, SENDERS[2], "e@b.example")
    waiting(daemon, 4)
    return daemon


@pytest.mark.parametrize("filters, found", [
    ([], 4),
    (["--sender", "me@home.example"], 2),
    (["--sender", "ME@HOME.EXAMPLE"], 2),
    (["--sender", "@home.example"], 3),
    (["--sender", "<>"], 1),
    (["--recipient", "d@a.example"], 1),
    (["--recipient", "@b.example"], 2),
    (["--recipient", "@b.example", "--sender", "<>"], 1),
    (["--destination", "TARGET"], 2),
    (["--destination", "NEXT"], 2),
    (["--destination", "smtp:127.0.0.1:1"], 0),
    (["TARGET"], 2),
    (["--reason", "4.7"], 4),
    (["--reason", "GREYlisted"], 4),
    (["--reason", "nothing like it"], 0),
    (["--state", "waiting"], 4),
    (["--state", "held"], 0),
    (["--older", "1h"], 0),
    (["--newer", "1h"], 4),
    (["--limit", "3"], 3),
])
def test_filters(three, filters, found):
    filters = [three.targets[0] if f == "TARGET" else
               three.targets[1].partition(":")[2] if f == "NEXT" else f for f in filters]
    assert len(listed(three, *filters)) == found


@pytest.mark.parametrize("arguments, says", [
    (["remove"], "take filters"),
    (["remove", "--sender", ""], "empty"),
    (["remove", "--older", "soon"], "want a time"),
    (["remove", "--older", "0"], "want a time"),
    (["remove", "x", "--older", "1h"], "not both"),
    (["remove", "--older", "1h", "--limit", "3"], "--limit"),
    (["list", "--dry-run"], "--dry-run"),
    (["list", "--state", "bogus"], '--state is waiting, ready, "under way" or held'),
    (["remove", "--state", "HELD"], '--state is waiting, ready, "under way" or held'),
    (["stats", "--state", "held"], "filters are for"),
    (["show", "x", "--state", "held"], "filters are for"),
])
def test_usage(stuck, arguments, says):
    done = stuck().ctl("queue", *arguments, check=False)
    assert done.returncode == 2 and says in done.stderr


def test_an_empty_list_says_so(danelaw):
    """To people; what reads JSON has no line."""
    server = danelaw()
    for words, said in ((("queue", "list"), "in the queue is to be listed"),
                        (("report", "list"), "was on its way in that time"),
                        (("report", "aside"), "is set aside or waits"),
                        (("report", "show"), "was counted on that day")):
        done = server.ctl(*words)
        assert done.stdout == ""
        assert f"danelaw: nothing {said}\n" in done.stderr
        if words != ("report", "show"):
            done = server.ctl(*words, "--json")
            assert done.stdout == "" and said not in done.stderr


@pytest.mark.parametrize("verb", ["show", "hold", "flush"])
@pytest.mark.parametrize("word, said", [
    ("foo", "foo"), ("f\u00f6o", "f??o"), ("x" * 500, "x" * 150)],
                         ids=["short", "no ASCII", "long"])
def test_what_is_no_id_is_named(stuck, verb, word, said):
    done = stuck().ctl("queue", verb, word, check=False)
    assert done.returncode == 1 and f"not a queue id: {said}" in done.stderr


def test_show_tells_what_is_next(three):
    job = listed(three, "--sender", "<>")[0]
    shown = ask(three, "show", job["id"])[0]
    assert shown["next"].startswith("will be tried again in ")
    assert ", for the 2nd time; given up on " in shown["next"]
    assert shown["attempts"] == 1 and shown["reason"].startswith("4.7.1")
    assert shown["expires"] == shown["arrived"] + 5 * 86400
    text = three.ctl("queue", "show", job["id"]).stdout
    assert "next: will be tried again in " in text
    assert "expires: in 4 days" in text or "expires: in 5 days" in text


def test_show_tells_what_was_tried(stuck):
    """Time, host, end and reason of each attempt, over restarts too."""
    daemon = stuck()
    send(daemon, SENDERS[0], "a@a.example", "b@b.example", "c@a.example")
    waiting(daemon, 2)
    ask(daemon, "flush")
    wait_until(lambda: [j["attempts"] for j in listed(daemon)] == [2, 2], "another attempt")
    ident = listed(daemon)[0]["id"]

    def check():
        for job in ask(daemon, "show", ident):
            assert [a["outcome"] for a in job["history"]] == ["deferred"] * 2
            for attempt in job["history"]:
                assert attempt["recipients"] == job["recipients"]
                assert attempt["host"] == "127.0.0.1"
                assert attempt["reason"].startswith("4.7.1 ")
                assert abs(attempt["time"] - time.time()) < 60
                assert "/".join(attempt["decision"].values()) == attempt["tls"]
                assert list(attempt["decision"]) == [
                    "wanted", "got", "source", "rule"]
        return daemon.ctl("queue", "show", ident).stdout
    text = check()
    assert text.count(": deferred; host 127.0.0.1; reason 4.7.1 ") == 4
    daemon.kill()
    daemon.start()
    assert check() == text or "history:" in text


def test_show_tells_of_recipients_that_are_done(danelaw, sink, mail):
    hop = sink("rcpt_451")
    daemon = danelaw({
        "relay": {"from": ["127.0.0.0/8"]},
        "domain here.example": {"deliver": f"maildir:{mail}/box"},
        "route *": {"via": f"smtp:127.0.0.1:{hop.port}"}})
    send(daemon, SENDERS[0], "a@here.example", "b@far.example")
    wait_until(lambda: [j["attempts"] for j in listed(daemon)] == [1], "one is left")
    job, done = ask(daemon, "show", listed(daemon)[0]["id"])
    assert (job["recipients"], len(job["history"])) == ("b@far.example", 1)
    assert (done["state"], done["recipients"]) == ("done", "a@here.example")
    assert [a["outcome"] for a in done["history"]] == ["delivered"]


def test_hold_and_release_by_filter(three):
    assert count(three, "hold", "--sender", "@home.example", "--dry-run") == 2
    assert listed(three, "--state", "held") == []
    assert count(three, "hold", "--sender", "@home.example") == 2
    assert len(listed(three, "--state", "held")) == 3
    assert ask(three, "stats")[-1]["held"] == 3
    assert count(three, "flush") == 1
    assert count(three, "release", "--state", "held") == 2
    assert listed(three, "--state", "held") == []


def test_remove_by_recipient_leaves_the_others(three):
    assert count(three, "remove", "--recipient", "c@a.example") == 1
    left = listed(three, "--sender", "you@home.example")
    assert [j["recipients"] for j in left] == ["d@a.example"]
    assert count(three, "remove", "--destination", three.targets[1]) == 2
    assert {j["target"] for j in listed(three)} == {three.targets[0]}
    assert count(three, "remove", "--newer", "1d") == 2
    assert listed(three) == []
    three.stop()
    three.start()
    assert listed(three) == []


def test_removed_recipients_stay_removed(three):
    """It is in the journal."""
    assert count(three, "remove", "--recipient", "c@a.example") == 1
    three.kill()
    three.start()
    assert "c@a.example" not in {j["recipients"] for j in listed(three)}
    assert len(listed(three)) == 4


def test_flush_tries_at_once(three):
    before = len(three.events("delivery"))
    assert count(three, "flush", "--recipient", "@b.example") == 2
    wait_until(lambda: len(three.events("delivery")) > before, "another attempt")
    assert count(three, "flush", "--dry-run", "--state", "waiting") <= 3


def test_requeue_forgets_the_attempts(three):
    job = listed(three, "--sender", "<>")[0]
    assert job["attempts"] == 1
    ask(three, "hold", job["id"])
    ask(three, "requeue", job["id"])
    assert listed(three, "--sender", "<>")[0]["attempts"] == 0
    three.kill()
    three.start()
    assert listed(three, "--sender", "<>")[0]["attempts"] == 0
    before = len(three.events("delivery"))
    assert count(three, "requeue", "--recipient", "@a.example", "--dry-run") == 2
    assert count(three, "requeue", "--recipient", "@a.example") == 2
    wait_until(lambda: len(three.events("delivery")) > before, "an attempt")


def test_single_dry_run(three):
    job = listed(three)[0]
    assert count(three, "remove", job["id"], "--dry-run") == 1
    assert len(listed(three)) == 4
    done = three.ctl("queue", "remove", "0000000000000", "--dry-run", check=False)
    assert done.returncode == 1 and "no such message: 0000000000000" in done.stderr


def test_a_state_that_does_not_exist(three):
    done = three.ctl("queue", "list", "--state", "hold", check=False)
    assert done.returncode == 2 and '--state is waiting, ready' in done.stderr
    done = three.ctl("queue", "remove", "--state", "hold", check=False)
    assert done.returncode == 2 and len(listed(three)) == 4


def test_stats_by_destination_reason_and_age(three):
    *rows, last = ask(three, "stats")
    assert last["messages"] == 3 and last["waiting"] == 4
    targets = {r["name"]: r for r in rows if r["by"] == "target"}
    assert {n: r["jobs"] for n, r in targets.items()} == {
        three.targets[0]: 2, three.targets[1]: 2}
    row = targets[three.targets[0]]
    assert row["5m"] == 2 and row["older"] == 0 and abs(row["oldest"] - time.time()) < 60
    reasons = [r for r in rows if r["by"] == "reason"]
    assert sum(r["jobs"] for r in reasons) == 4
    assert all(r["name"].startswith("4.7.1") for r in reasons)
    assert len(ask(three, "stats", "--limit", "1")) == 3
    assert "oldest" in three.ctl("queue", "stats").stdout


def test_many_messages_in_pages(stuck):
    """Bulk operations go through the whole queue, page by page."""
    daemon = stuck()
    with Talk(daemon.port) as talk:
        talk.hello()
        for i in range(1500):
            talk.expect(250, f"MAIL FROM:<s{i % 3}@home.example>")
            talk.expect(250, f"RCPT TO:<r{i}@a.example>")
            assert talk.data(message())[0] == 250
    wait_until(lambda: ask(daemon, "stats")[-1]["messages"] == 1500, "1500 messages")
    assert len({j["id"] for j in listed(daemon)}) == 1500
    assert count(daemon, "hold", "--sender", "s1@home.example") == 500
    # Those under way are held when their attempt is over.
    wait_until(lambda: len(listed(daemon, "--state", "held", "--limit", "501")) == 500,
               "500 that are held")
    assert count(daemon, "remove", "--state", "held") == 500
    assert ask(daemon, "stats")[-1]["messages"] == 1000


@pytest.mark.parametrize("change, wanted", [
    (lambda text: text + "\nnonsense {", 0),
    (lambda text: text.replace("spool =", "spool  =").replace("listen", "lissten"), 0)])
def test_a_broken_file_does_not_hide_the_socket(stuck, change, wanted):
    daemon = stuck()
    whole = daemon.config_file.read_text()
    daemon.config_file.write_text(change(whole))
    done = daemon.ctl("status", check=False)
    daemon.config_file.write_text(whole)
    assert done.returncode == wanted, done.stderr
    assert "all the same" in done.stderr and "running" in done.stdout


def test_names_of_targets_are_forgiving(three):
    port = three.targets[0].rpartition(":")[2]
    for name in (f"smtp:127.0.0.1:{port}", f"127.0.0.1:{port}", f"SMTP:[127.0.0.1]:{port}"):
        assert len(listed(three, name)) == 2, name
    assert len(listed(three, "127.0.0.1")) == 4
    assert count(three, "flush", f"127.0.0.1:{port}", "--dry-run") == 2
    assert count(three, "flush", f"smtp:127.0.0.1:{port}") == 2
