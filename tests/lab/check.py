"""Send the mail of some scenarios through a danelawd, and look what became of it.

    run = Run(lab, folder, "all")    # starts a daemon, sends everything
    run.check(scenario)              # AssertionError when it went otherwise
    run.stop()
"""
import re

from support import certs, daemon
from support.talk import Talk, message
from support.wait import wait_until

from . import sts

SENDER = "sender@home.example"
AGAIN = {"first": "1s", "longest": "2s"}
# What the daemon of a group has in its configuration.
GROUPS = {"all": {}, "roots": {}, "audit": {"enforcement": "audit"},
          "blind": {"resolver": {"trust_anchor": ""}},
          "mitm": {"retry": AGAIN},
          "sts": {"mta_sts": {"fetches": 32}},
          "sts-audit": {"enforcement": "audit"},
          "sts-attack": {"mta_sts": {"fetches": 32}},
          "sts-changes": {"retry": AGAIN},
          "reuse": {"timeouts": {"idle": "1m"}, "retry": AGAIN},
          "requiretls": {"timeouts": {"idle": "1m"}, "retry": AGAIN}}
A_SESSION = 50   # messages sent over one connection
PATIENCE = 120   # seconds until all first attempts have ended


class Run:
    """A daemon and the messages of one group of scenarios."""

    def __init__(self, lab, folder, group, more=None):
        self.lab = lab
        self.scenarios = [s for s in lab.scenarios.values() if s.group == group]
        config = daemon.merge(lab.config(group), GROUPS.get(group, {}))
        config = daemon.merge(config, more or {})
        config["resolver"]["forward ."] = None  # the tests' own default
        if any(s.params for s in self.scenarios):   # RFC 8689 4.1: under TLS
            config.update(self._own_certificate())
        self.daemon = daemon.Danelaw(folder, config)
        self.lines = {}
        self.patience = PATIENCE

    def start(self):
        """Start the daemon and send everything."""
        self.daemon.start()
        for n in range(0, len(self.scenarios), A_SESSION):
            self.send(map(self.lab.recipient, self.scenarios[n:n + A_SESSION]))
        return self

    def _own_certificate(self):
        made = certs.self_signed(self.lab.folder / "tls/own", "mx.test.example")
        return {"certificate mx": {"chain": made.chain, "key": made.key}}

    def _wishes(self):
        """{recipient: (parameters of MAIL, lines above the message)}"""
        return {self.lab.recipient(s): (s.params, s.header)
                for s in self.scenarios if s.params or s.header}

    def send(self, rcpts, subject="lab"):
        """One message for each of these recipients; their queue ids."""
        idents, wishes = [], self._wishes()
        with Talk(self.daemon.port) as talk:
            talk.hello()
            if any(params for params, _ in wishes.values()):
                talk.starttls()
            for rcpt in rcpts:
                params, header = wishes.get(rcpt, ("", ""))
                talk.expect(250, f"MAIL FROM:<{SENDER}>{params}")
                talk.expect(250, f"RCPT TO:<{rcpt}>")
                code, lines = talk.data(header + message(subject))
                assert code == 250, (rcpt, lines)
                idents.append(lines[-1].split()[-1])
        return idents

    def age(self, seconds, *scenarios):
        """Let time pass for what is cached of these (or of all): the daemon
        must not run, or be reloaded after this."""
        sts.age(self.state, seconds,
                *(self.lab.scenarios[name].domain for name in scenarios))

    def cached(self, scenario):
        """What the cache has of a domain, or None."""
        if not (self.state / "sts.db").exists():
            return None
        return sts.rows(self.state).get(self.lab.scenarios[scenario].domain)

    @property
    def state(self):
        return self.daemon.spool / "state"

    def post(self, rcpt):
        """One message; the line of its first attempt.

        A destination that was dead is left alone for as long as retry.first
        says, so that has to be short where this comes after a failure.
        """
        (ident,) = self.send([rcpt])
        return self.daemon.wait_event("delivery", PATIENCE, id=ident, to=rcpt)

    def first_line(self, rcpt):
        """How the first attempt ended.

        The messages go out together, so once somebody has waited in vain,
        nobody else waits for long.
        """
        def look():
            if rcpt not in self.lines:
                for line in self.daemon.events("delivery"):
                    self.lines.setdefault(line.get("to"), line)
            return self.lines.get(rcpt)
        wait, self.patience = self.patience, 1
        line = wait_until(look, f"a line event=delivery to={rcpt}", wait, 0.1)
        self.patience = wait
        return line

    def check(self, s):
        """Did it go as the scenario says?"""
        line = self.first_line(self.lab.recipient(s))
        problems = [*self.judge_log(s, line), *self.judge_mail(s),
                    *self.judge_dns(s)]
        if problems:
            skipped = self.daemon.events("host-skipped", id=line.get("id"))
            raise AssertionError("\n".join(
                [f"{s.name}: {s.story} ({s.section})", *problems,
                 f"its line: {line}", *[f"skipped: {one}" for one in skipped]]))

    def judge_log(self, s, line):
        if line.get("outcome") != s.expected:
            yield f"outcome={line.get('outcome')}, not {s.expected}"
        if not re.fullmatch(s.log, line.get("tls", "")):
            yield f"tls={line.get('tls')}, not {s.log}"
        for key, value in s.keys.items():
            value = self.lab.fill(s, value)
            if not re.fullmatch(value.rstrip("."), line.get(key, "")):
                yield f"{key}={line.get(key)}, not {value}"
        if s.why and not re.search(s.why, line.get("reason", "")):
            yield f"reason={line.get('reason')}: nothing of {s.why}"

    def judge_mail(self, s):
        """Every host of the laboratory is looked at, not only the right one."""
        entries = self.lab.arrivals.of(self.lab.recipient(s))
        kept = [e for e in entries if e.kept]
        if [e.host for e in kept] != ([s.to] if s.to else []):
            yield f"the mail came to {kept}, not to {s.to}"
        for e in entries:
            if e.host != s.to and e.host not in s.shown:
                yield f"{e.host} was shown the envelope: {e}"
            if e.scenario != s.name:
                yield f"a host of {e.scenario} was shown it: {e}"
            if s.clear is not None and bool(e.tls) == s.clear:
                yield "in cleartext" if s.clear is False else "not in cleartext"
        if s.sni and kept:
            wanted = None if s.sni == "-" else \
                self.lab.full_name(s, s.sni).rstrip(".")
            if kept[0].sni != wanted:
                yield f"SNI was {kept[0].sni}, not {wanted}"
        for h in s.hosts:
            if h.name not in (s.to, *s.shown) and self.began(s, h.name):
                yield f"{h.name} was given MAIL"
        for host in s.untouched:
            if self.lab.server(s.name, host).connections:
                yield f"{host} was connected to"

    def began(self, s, host):
        """Did a host see the beginning of a transaction, even of one?"""
        server = self.lab.servers.get((s.name, host))
        return server and any(line.upper().startswith(("MAIL", "RCPT"))
                              for line in server.lines)

    def judge_dns(self, s):
        asked = set(self.lab.front.asked)
        for text in s.asked:
            if self.lab.question(s, text) not in asked:
                yield f"nobody asked for {self.lab.question(s, text)}"
        for text in s.not_asked:
            if self.lab.question(s, text) in asked:
                yield f"somebody asked for {self.lab.question(s, text)}"
        came = s.fetched is not None and self.lab.site(s.name).connections > 0
        if s.fetched is not None and came != s.fetched:
            yield f"the policy host was {'' if came else 'not '}connected to"

    def stop(self):
        self.daemon.stop()
