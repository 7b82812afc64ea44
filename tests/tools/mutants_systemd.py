#!/usr/bin/python3
"""Do the tests under a real systemd notice what the unit lacks?  See mutation.py.

    mutants_systemd.py [WORDS]
"""
import sys

import mutation

UNIT = "docs/examples/danelaw.service"


def systemd(words):
    return "tests/integration/test_systemd.py " + words


# what is broken, where, what stands there, what instead, who has to notice
MUTANTS = [
    ("a start is over before anybody is greeted", UNIT, "Type=notify\n", "Type=forking\n",
     systemd("as_the_guide_says")),
    ("it is not meant to be started at boot", UNIT, "WantedBy=multi-user.target", "",
     systemd("as_the_guide_says")),
    ("a reload is not waited for", UNIT, "ExecReload=/usr/local/bin/danelaw reload\n",
     "ExecReload=/bin/kill -HUP $MAINPID\n", systemd("reload_that_is_refused")),
    ("nothing happens at a reload", UNIT, "ExecReload=/usr/local/bin/danelaw reload\n",
     "ExecReload=/bin/true\n", systemd("reload_is_waited_for")),
    ("a reload that takes its time is killed", UNIT, "TimeoutStartSec=16min\n", "",
     systemd("waits_for_a_slow_reload")),
    ("what was killed stays away", UNIT, "Restart=on-failure\n", "",
     systemd("killed_is_started_again")),
    ("it is given up at once", UNIT, "StartLimitIntervalSec=0\n", "StartLimitBurst=1\n",
     systemd("until_it_can_start")),
    ("it is tried so seldom that nobody waits", UNIT, "RestartSec=5s\n", "RestartSec=1h\n",
     systemd("until_it_can_start")),
    ("a stop waits for those who are connected", UNIT, "KillMode=mixed\n",
     "KillMode=mixed\nKillSignal=SIGCONT\n", systemd("stop_ends_sessions")),
    ("one capability more", UNIT, "CAP_KILL\n", "CAP_KILL CAP_SYS_ADMIN\n",
     systemd("what_the_unit_leaves_it")),
    ("who may not give files away", UNIT, "CAP_CHOWN ", "", systemd("what_the_unit_leaves_it")),
    ("the configuration can be written", UNIT, "ProtectSystem=strict\n", "ProtectSystem=yes\n",
     systemd("can_be_written")),
    ("homes are there", UNIT, "ProtectHome=yes\n", "", systemd("can_be_written")),
    ("Maildirs cannot be written", UNIT, "/var/spool/danelaw /var/mail\n",
     "/var/spool/danelaw\n", systemd("taken_and_delivered")),
    ("the spool cannot be written", UNIT, "/var/spool/danelaw /var/mail\n", "/var/mail\n",
     systemd("as_the_guide_says")),
    ("roles cannot filter their calls", UNIT, "SystemCallFilter=seccomp landlock", "SystemCallFilter=landlock",
     systemd("confine_themselves")),
    ("roles cannot have rules for files", UNIT, "landlock_restrict_self", "",
     systemd("confine_themselves")),
    ("no sockets of a file", UNIT, "AF_INET AF_INET6 AF_UNIX", "AF_INET AF_INET6",
     systemd("in_the_journal or guide_says")),
    ("the user is not to be changed", UNIT, "@setuid setfsuid", "setfsuid",
     systemd("as_the_guide_says")),
]

if __name__ == "__main__":
    sys.exit(mutation.main(MUTANTS, *sys.argv[1:2]))
