#!/usr/bin/python3
"""Is the taking of reports that come by mail guarded?  See mutation.py.

    mutants_inbox.py [WORDS]

From the copy of a mail to what is kept of it, by whoever it was sent.
"""
import sys

import mutation

MAIL, INBOX_C = "tests/integration/test_report_mail.py ", "mta/report/inbox.c"
PUT_C, WAITS_C, READ_C, WIRE_C, FILTER_C, READER_C = (
    f"mta/{name}.c" for name in (
        "report_put", "report/inbox_waits", "report/inbox_read",
        "report/reader_wire", "report/reader_filter", "report/reader"))
INGEST_C, STORE_C, ADD_C, SUM_C, ROWS_C = (
    "reporting/ingest.c", "reporting/inbox_store.c", "reporting/inbox_store_add.c",
    "reporting/summary.c", "mta/ctl/report_rows.c")
MAILS, WAITS, READER, WIRE, FILTER, INGEST, KEPT, STORE, ROWS, SUMMARY = (
    f"unit:{name}_test" for name in (
        "report_mails", "inbox_waits", "inbox_reader", "reader_wire", "reader_filter", "ingest",
        "inbox_limits", "inbox_store", "report_rows", "summary"))

# what is broken, where, what stands there, what instead, who has to notice
MUTANTS = [
    # --- into the folder
    ("jobs of one message write one file", PUT_C, "O_WRONLY | O_CREAT | O_EXCL",
     "O_WRONLY | O_CREAT | O_TRUNC", MAILS),
    ("what is another's by now is removed", PUT_C,
     "\t\t/* From now on that name may be another's. */\n\t\tput->begun[0] = '\\0';", "", MAILS),
    ("who finds no name removes one", PUT_C, "\tif (fd < 0)\n\t\tput->begun[0] = '\\0';", "", MAILS),
    ("the result does not wait for the copy", "mta/deliver/job.c",
     "\tif (job->putting)\n\t\treturn;\n\tsend_result", "\tsend_result", "unit:deliver_test"),
    ("what lies aside goes by a clock that is ahead", "mta/report_mails.c", "make_room(state, folder, then);",
     "make_room(state, folder, now);", MAILS),
    ("what lies aside stays for ever", "mta/report_mails.c", "make_room(state, folder, then);", ";", MAILS),
    ("the time of a visit is not kept", "mta/report_mails.c", "\tnote_sweep(folder, now);\n", "", MAILS),
    # --- what is kept
    ("any format is ours", "base/db.c", "found == 0 || found == format ||", "true ||", KEPT),
    # --- which is next
    ("large ones wait without end", WAITS_C,
     "octets_of(waits) + mail->octets <= INBOX_WAITS_OCTETS", "true", WAITS),
    ("none of half the room waits", WAITS_C,
     "octets_of(waits) + mail->octets <= INBOX_WAITS_OCTETS",
     "octets_of(waits) + mail->octets < INBOX_WAITS_OCTETS", WAITS),
    ("one that waits does not go on", WAITS_C, "if (wait == NULL && !fits)",
     "if (!fits)", WAITS),
    ("retries take all places", WAITS_C, "work->again += is_again;", "(void)is_again;", WAITS),
    ("new ones are taken for retries", WAITS_C, "work->again += is_again;", "work->again++;", WAITS),
    ("retries take one place more", WAITS_C, "work->again >= INBOX_WORK_AGAIN_MAX",
     "work->again > INBOX_WORK_AGAIN_MAX", WAITS),
    ("what is under way begins again", INBOX_C,
     "\t\t\tinbox_work_add(&work, inbox->items[i].mail.name,\n\t\t\t    inbox->items[i].is_again);",
     "\t\t\t;", MAIL + "begun_once"),
    # --- reading it
    ("one that cannot be opened stops all", READ_C,
     "else if (number == EMFILE || number == ENFILE || number == ENOMEM)", "else if (true)", READER),
    ("one that is not confined reads", READER_C, "reader_limit() < 0 || reader_filter() < 0",
     "reader_limit() < 0", FILTER),
    ("without seccomp nobody is told", READ_C, "if (status == READER_UNCONFINED)\n\t\tinbox_trouble",
     "if (false)\n\t\tinbox_trouble", READER),
    ("without seccomp all are set aside", READ_C, "else if (status == READER_UNCONFINED)",
     "else if (false)", READER),
    ("what it may not is a signal", READ_C, "else if (signum == SIGSYS)", "else if (false)", READER),
    ("it is not filtered", FILTER_C, "seccomp_load(filter) == 0", "filter != NULL", FILTER),
    ("all is allowed", FILTER_C, "seccomp_init(SCMP_ACT_ERRNO(EPERM))",
     "seccomp_init(SCMP_ACT_ALLOW)", FILTER),
    ("memory may be run", FILTER_C, "SCMP_SYS(mmap), 2, PROT_EXEC, 0", "SCMP_SYS(mmap), 2, 0, 0",
     FILTER),
    ("memory may be run later", FILTER_C, "SCMP_SYS(mprotect), 2, PROT_EXEC, 0",
     "SCMP_SYS(mprotect), 2, 0, 0", FILTER),
    ("any file is looked at", FILTER_C, "SCMP_SYS(newfstatat), 3, UINT32_MAX, AT_EMPTY_PATH",
     "SCMP_SYS(newfstatat), 3, 0, 0", FILTER),
    ("any file is written", FILTER_C, "SCMP_SYS(write), 0, UINT32_MAX, READER_FD_RESULT",
     "SCMP_SYS(write), 0, 0, 0", FILTER),
    ("it may wait", FILTER_C, "(uint32_t)FUTEX_CMD_MASK,\n\t\tFUTEX_WAKE)", "0, 0)", FILTER),
    ("it may stop", FILTER_C, "UINT32_MAX, SIGABRT)", "0, 0)", FILTER),
    ("it may signal others", FILTER_C, "UINT32_MAX, (uint32_t)getpid())", "0, 0)", FILTER),
    ("it may not abort", FILTER_C, "UINT32_MAX, SIGABRT)", "UINT32_MAX, SIGTERM)", FILTER),
    ("it has no memory", FILTER_C, "SCMP_SYS(mmap), 2, PROT_EXEC, 0",
     "SCMP_SYS(mmap), 2, PROT_EXEC, PROT_EXEC", FILTER),
    ("hostility is an error", FILTER_C, "SCMP_ACT_KILL_PROCESS", "SCMP_ACT_ERRNO(EPERM)", FILTER),
    # --- what it says
    ("C1 is no control", WIRE_C, "||\n\t\t    is_c1(span_from(text, i))", "", WIRE),
    ("times have no end", WIRE_C, "*ret <= REPORT_TIME_MOST", "true", WIRE),
    ("times have no beginning", WIRE_C, "*ret >= REPORT_TIME_LEAST", "true", WIRE),
    ("whom it is about need not be signed", INGEST_C,
     '\tif (!dkim_verifier_covers(\n\t\tingest->verifier, signature, "TLS-Report-Domain"))\n',
     "\tif (false)\n", INGEST),
    ("whom it is about is never said", INGEST_C,
     '\tif (!dkim_verifier_covers(\n\t\tingest->verifier, signature, "TLS-Report-Domain"))\n', "",
     INGEST),
    ("another signature is asked", INGEST_C, "*ret_signature = judged.signature;",
     "*ret_signature = 0;", INGEST),
    # --- what is kept
    ("the file is full for good", ADD_C, "pages - unused > most - most / 16", "false", KEPT),
    ("what was let go of takes room", ADD_C, "pages - unused > most", "pages > most", KEPT),
    ("kinds have no end", ADD_C, "if (writing->kinds++ < INBOX_KINDS)", "if (true)", KEPT),
    ("what is beyond is lost", ADD_C, "*ret_left = sum(*ret_left, count->sessions);", ";", KEPT),
    ("each policy has as many kinds", ADD_C, "*ret_left = 0;",
     "*ret_left = 0;\n\twriting->kinds = 0;", KEPT),
    ("each address is a kind", ADD_C, "by_kind(&details[i], &details[i + 1]) == 0", "false", KEPT),
    ("kinds are results", ADD_C, "if (order == 0)\n\t\torder = strcmp(", "if (false)\n\t\torder = strcmp(",
     STORE),
    ("long texts are kept", ADD_C, "substr(?3, 1, \" TEXT \"), ?4, ?5, ?6", "?3, ?4, ?5, ?6", KEPT),
    ("long hosts are kept", ADD_C, "substr(?3, 1, \" TEXT \"),\"\n    \" substr(?4",
     "?3,\"\n    \" substr(?4", KEPT),
    ("sums end in an error", STORE_C, "CAST(total(c.sessions) AS INTEGER)", "sum(c.sessions)", KEPT),
    # --- what it comes to
    ("sums begin anew", SUM_C, "a > UINT64_MAX - b ? UINT64_MAX : a + b", "a + b", SUMMARY),
    ("sums are negative in JSON", SUM_C, "sum > INT64_MAX ? (uint64_t)INT64_MAX : sum", "sum",
     SUMMARY),
    ("policies are as many rows", ROWS_C, "if (add_to_last(rows, count, name))", "if (false)",
     ROWS),
    ("days are one", ROWS_C, "last->day != count->day ||", "", ROWS),
    ("types are one", ROWS_C, "last->policy != count->type ||", "", ROWS),
    ("reporters are one", ROWS_C, "strcmp(last->reporter, name) != 0 ||", "",
     ROWS),
    ("domains are one", ROWS_C, "strcmp(last->reporter, name) != 0 ||\n"
     "\t    strcmp(last->domain, count->domain) != 0)",
     "strcmp(last->reporter, name) != 0)", ROWS),
    ("the last of them is not counted", ROWS_C,
     "last->successes = summary_plus(last->successes, count->sessions);", "", ROWS),
    ("nor are its failures", ROWS_C,
     "last->failures = summary_plus(last->failures, count->failures);", "", ROWS),
    ("too many kinds are no summary", ROWS_C, "\t\tsay_over(rows);", "\t\trows->full = true;",
     ROWS),
]

if __name__ == "__main__":
    sys.exit(mutation.main(MUTANTS, *sys.argv[1:2]))
