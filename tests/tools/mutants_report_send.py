#!/usr/bin/python3
"""Is the sending of reports guarded?  See mutation.py.

    mutants_report_send.py [WORDS]
"""
import sys

import mutation

SEND_C, TRIES_C, HEARD_C, COMPOSE_C, MAILING_C = (
    f"mta/report/{name}.c" for name in ("send", "tries", "heard", "compose", "mailing"))
AGENDA_C, AGENDA = "mta/report/agenda.c", "unit:agenda_test"
EVENT_C, IPC = "mta/ipc_event.c", "unit:ipc_test"
TROUBLE = "tests/integration/test_report_trouble.py "
SENT = "tests/integration/test_report_send.py "
KEYS = "tests/integration/test_report_keys.py "
BACK = "tests/integration/test_report_bounce.py "
BOUNCES_C, LOCALS_C = "mta/report/returns.c", "mta/locals.c"
CRASH = "tests/integration/test_report_crash.py "

# what is broken, where, what stands there, what instead, who has to notice
MUTANTS = [
    # --- when
    ("the heap is none", AGENDA_C, "i > 0 && agenda->items[(i - 1) / 2]->due > item->due", "0",
     AGENDA),
    ("the other child is no matter", AGENDA_C, "\t\t\tchild++;", "\t\t\t;", AGENDA),
    ("the last one goes to the end", AGENDA_C, "if (agenda->items[child]->due >= last->due)",
     "if (0)", AGENDA),
    ("it comes before its time", AGENDA_C, "agenda->items[0]->due > now",
     "agenda->items[0]->due > now + 1", AGENDA),
    ("a day is over before it ends", "reporting/timetable.c",
     "(now - REPORT_GRACE_S) / DAY_S - 1", "(now - REPORT_GRACE_S) / DAY_S",
     "unit:report_timetable_test"),
    ("a day is over when it ends", "reporting/timetable.c",
     "(now - REPORT_GRACE_S) / DAY_S - 1", "now / DAY_S - 1", "unit:report_timetable_test"),
    # --- to whom
    ("nobody is excluded", "mta/config_report.c",
     "if (strcmp(reporting->exclude[i], domain) == 0)", "if (0)", SENT + "wants_none"),
    ("a day without a failure is told", SEND_C,
     "reporting->failures_only ? has_failures(sender, item)", "0 ? has_failures(sender, item)",
     SENT + "operator_wants"),
    ("nobody gets a copy", SEND_C, "rua[n++] = reporting->copies[i];", ";", SENT + "each_place"),
    ("only the first place gets it", SEND_C, "for (size_t i = 0; i < record->nrua; i++)",
     "for (size_t i = 0; i < 1; i++)", SENT + "each_place"),
    ("who cannot be asked wants none", SEND_C,
     "take_failure(sender, item, record->why);", "plan(sender, item, NULL, 0, record->why);",
     SENT + "name_server"),
    ("another name is asked", SEND_C, 'TLSRPT_PREFIX "%s"', '"_smtp.%s"', SENT + "a_day_is_told"),
    ("a host has no name", "mta/deliver/report.c", "ends.helo = link_peer(d->link);", "",
     SENT + "a_day_is_told"),
    # --- how
    ("there is no signature", COMPOSE_C, "rc = sign(mail, buf_span(&text), out, err);", "rc = 0;",
     SENT + "signatures"),
    ("any size will do", COMPOSE_C, "(size_t)config->reporting.size", "(size_t)1 << 30",
     SENT + "too_large"),
    ("it is mail as any other", TRIES_C, ".tls_wish = TLS_WISH_REPORT,", "",
     "tests/integration/test_lab_report_send.py whatever_is_wrong"),
    ("reports are reported", TRIES_C, ".tls_wish = TLS_WISH_REPORT,", "",
     "tests/integration/test_report_exchange.py"),
    ("all have one sender", TRIES_C, "    reverse_path_write(contact, word, attempt->from))",
     "    0)", SENT + "each_place"),
    ("nobody knows what was sent", TRIES_C,
     "return report_store_put_word(\n\t\t    sender->report->store, word, today, &attempt->try, err);",
     "return 0;", BACK + "left_alone"),
    ("strangers are heard", LOCALS_C, "if (read_sender(locals, address) == REVERSE_PATH_BAD)", "if (0)",
     BACK + "makes_one_up"),
    ("what anybody writes is read", LOCALS_C, "x->out->sender[0] == '\\0' &&", "1 &&",
     BACK + "other_mail"),
    ("the contact has nothing of it", LOCALS_C, "address = resolve_postmaster(x, whose);",
     "if (whose != address)\n\t\treturn 0;\n\taddress = resolve_postmaster(x, whose);",
     BACK + "left_alone"),
    ("a bounce silences nobody", BOUNCES_C,
     "report_note_place(returns->report, &try, REPORT_BOUNCED);", "(void)try;", BACK + "left_alone"),
    ("its report was sent", BOUNCES_C, "if (bounce == BOUNCE_FAILED)", "if (0)", BACK + "left_alone"),
    ("any mail is a bounce", BOUNCES_C, "if (bounce == BOUNCE_FAILED)", "if (1)",
     BACK + "other_mail"),
    ("it is read for ever", BOUNCES_C, "if (rc == 0 && unlinkat(", "if (0 && unlinkat(",
     BACK + "left_alone"),
    ("it is lost when the store is away", BOUNCES_C, "\tif (rc < 0)\n\t\treturn -1;\n\tif (rc == 0) {",
     "\tif (rc <= 0) {", BACK + "after_a_crash"),
    ("what was taken ends a doubt", HEARD_C,
     "if (news == REPORT_ACCEPTED && trouble->doubted > now)", "if (0)", BACK + "again_and_again"),
    ("bounces raise no doubt", HEARD_C, "if (news == REPORT_BOUNCED)", "if (0)",
     BACK + "again_and_again"),
    ("a URI is an address", TRIES_C,
     "else if (https_uri_read(span_of(try->rua), &attempt->uri))", "else if (0)",
     SENT + "posted"),
    ("another type is said", TRIES_C, '"application/tlsrpt+gzip"', '"text/plain"',
     SENT + "posted"),
    # --- when there is trouble
    ("what is on its way begins again", TRIES_C, "if (here && a->try.day == try->day &&",
     "if (here && a->try.day != try->day &&", TROUBLE + "lease"),
    ("a domain has all places", TRIES_C, "all < POSTS_MAX && same < POSTS_OF_DOMAIN",
     "all < POSTS_MAX", TROUBLE + "slow_hosts"),
    ("the place pays for us", TRIES_C, "if (blame == THEIRS)", "if (blame == OURS || blame == THEIRS)",
     TROUBLE + "would_not_take"),
    ("the clock only goes on", SEND_C, "if (sender->day > report_last_day(now))", "if (0)",
     "unit:report_role_test"),
    ("a word is not kept", "mta/report/report.c", "report->n == 0 && report->words == NULL",
     "report->n == 0", "unit:report_role_test"),
    ("trouble is for ever", "reporting/store.c", "DELETE FROM troubles WHERE until < ?1 * 86400",
     "DELETE FROM troubles WHERE until < ?1 * 0", "unit:report_tries_test"),
    ("an event may have any name", EVENT_C, "strlen(e->event.domain) >= DOMAIN_MAX", "0", IPC),
    # --- and then
    ("there is no lease", TRIES_C, "try->next = now + LEASE_S;", "try->next = now;",
     SENT + "on_its_way"),
    ("the lease is the end", TRIES_C, "\ttry->tries++;\n\ttry->next = now + LEASE_S;",
     "\ttry->tries++;\n\ttry->next = now + LEASE_S;\n\ttry->state = REPORT_QUEUED;",
     SENT + "on_its_way"),
    ("it is sent before it is taken", TRIES_C, "\ttry->tries++;\n\ttry->next = now + LEASE_S;",
     "\ttry->tries++;\n\ttry->next = now + LEASE_S;\n\ttry->state = REPORT_SENT;",
     CRASH + "report"),
    ("another process has another id", "reporting/mail.c",
     "report_id(start, domain, writer->host, id);",
     "report_id(start, domain, (uintptr_t)id >> 12 & 1 ? writer->host : \"x\", id);",
     CRASH + "report"),
    ("a mail is noted before it is there", TRIES_C, "\tattempt->mailed = rc == 0;",
     "\tattempt->mailed = rc == 0;\n\tattempt->try.state = REPORT_QUEUED;\n\tattempt->try.next += 90000;"
     "\n\t(void)report_store_note(sender->report->store, &attempt->try, &err);",
     CRASH + "report"),
    ("what failed is sent", TRIES_C, "if (result->kind != HTTPS_FINE) {", "if (0) {",
     SENT + "does_not_take"),
    ("it is tried at once again", TRIES_C, "note(attempt, REPORT_DUE, again, err->text);",
     "note(attempt, REPORT_DUE, 0, err->text);", SENT + "does_not_take"),
    ("it is tried for ever", TRIES_C, "err->kind != ERR_PERM && again != 0", "true",
     SENT + "in_the_end"),
    ("nobody is silenced", TRIES_C, "trouble.until <= now)", "true)", SENT + "left_alone"),
    ("the queue has it for a moment", TRIES_C, "try->next = clock_wall() + REPORT_QUEUED_S;",
     "try->next = 0;", SENT + "refused_for_now"),
    ("a failure is no trouble", HEARD_C, "trouble->failures++;", "", SENT + "left_alone"),
    ("what is delivered waits", HEARD_C, "case OUTCOME_DELIVERED:\n", "", SENT + "a_day_is_told"),
    ("what is refused is sent", HEARD_C, "case OUTCOME_FAILED:\n\t\treturn REPORT_GIVEN_UP;",
     "case OUTCOME_FAILED:\n\t\treturn REPORT_SENT;", SENT + "each_place"),
    ("the queue is not told", MAILING_C, "channel_send(mailing->queue, IPC_SEGMENT, buf_span(&out));",
     "", SENT + "a_day_is_told"),
    ("any outcome is one", EVENT_C, "outcome > OUTCOME_UNTRIED", "0", IPC),
    ("a word may end early", EVENT_C, "take_blob(in, size - 1, &text) ||\n\t    (text.n > 0 && memchr(text.p, '\\0', text.n) != NULL)",
     "take_blob(in, size - 1, &text)", IPC),
    ("who delivers says nothing", "mta/deliver/report.c",
     "channel_send(counts->role, IPC_REPORTED, buf_span(&out));", "", SENT + "a_day_is_told"),
    # --- what the configuration says of it
    ("a copy replaces the one before", "mta/config_report.c",
     "reporting->copies[reporting->ncopies++] = address;",
     "reporting->copies[0] = address;\n\treporting->ncopies = 1;", "unit:config_test"),
    ("any word is a copy's address", "mta/config_report.c",
     "if (!read_mailbox(&one))\n\t\treturn false;",
     "if (!read_mailbox(&one))\n\t\taddress = \"a@b.example\";", "unit:config_problems_test"),
    ("a key that will not do is fine", "mta/load.c",
     "dkim_key_free(&key);\n\treturn rc;", "dkim_key_free(&key);\n\treturn 0;",
     KEYS + "will_not_do"),
    ("nobody says which key", "mta/load.c", "tell(problems, \"dkim\", dkim->selector, err.text);",
     "tell(problems, \"dkim\", \"\", err.text);", KEYS + "will_not_do"),
]

if __name__ == "__main__":
    sys.exit(mutation.main(MUTANTS, *sys.argv[1:2]))
