#!/usr/bin/python3
"""Are notifications, status codes and parameters held?  Break one place at a time, and see
a test fail.

    mutants_dsn.py [WORDS]

See mutation.py for how it is done.
"""
import sys

import mutation

DSN_C, FIELDS_C, PARAMS_C = ("mta/message/dsn.c", "mta/message/dsn_fields.c",
                             "mta/smtp/session_params.c")
EXPAND_C, GRAMMAR_C, REPLY_C = ("mta/locals_expand.c", "mta/smtp/grammar_param.c",
                                "mta/smtp/session_reply.c")
FORM, FACTS, RULES, LOCALS, PARAMS, STATUS, SESSION, ENVELOPE = (
    f"unit:{name}_test" for name in (
        "dsn_form", "dsn", "dsn_rules", "locals", "smtp_dsn", "smtp_status", "smtp_session",
        "queue_envelope"))
CLIENT, LIVE = "unit:smtp_client_test", "tests/integration/test_dsn.py"
RELAY = "tests/integration/test_relay.py"

# what is broken, where, what stands there, what instead, who has to notice
MUTANTS = [
    # --- the form of a notification
    ("report-type is left out", DSN_C, " report-type=delivery-status;", "", FORM),
    ("it goes to somebody else", DSN_C, "dsn_put_clean(out, span_of(dsn->envelope->sender));",
     "dsn_put(out, \"nobody@example.org\");", FORM),
    ("it comes from nobody", DSN_C, "From: Mail Delivery System <postmaster@%s>",
     "From: Mail Delivery System <noreply@%s>", FORM),
    ("fields come before words", DSN_C,
     "put_words(dsn, boundary, &whole);\n\tput_fields(dsn, boundary, utf8, &whole);",
     "put_fields(dsn, boundary, utf8, &whole);\n\tput_words(dsn, boundary, &whole);", FORM),
    ("fields are said to be 8bit", DSN_C, 'utf8 ? "8bit" : "7bit");\n\tout->utf8', '"8bit");\n\tout->utf8',
     FORM),
    ("the header alone is a message", DSN_C, '"message/rfc822" : "text/rfc822-headers"',
     '"message/rfc822" : "message/rfc822"', FORM),
    ("a message is its header", DSN_C, '"message/rfc822" : "text/rfc822-headers"',
     '"text/rfc822-headers" : "text/rfc822-headers"', FORM),
    ("only some of the header comes back", DSN_C, "dsn_put_span(out, body);",
     "dsn_put_span(out, span_first(body, 40));", FORM),
    ("one recipient is named", FIELDS_C, "i < dsn->nrcpts; i++)\n\t\tput_recipient",
     "i < dsn->nrcpts && i < 1; i++)\n\t\tput_recipient", FORM),
    ("no line between the groups", FIELDS_C, 'dsn_put(out, "\\r\\n");\n\tput_original_recipient',
     "put_original_recipient", FORM),
    ("the MTA that tried is not named", FIELDS_C,
     'put_typed(out, "Reporting-MTA", "dns", span_of(dsn->hostname));', "", FORM),
    ("who sent it to us is not named", FIELDS_C, "put_received_from(dsn->envelope, out);", "", FORM),
    ("its arrival is not told", FIELDS_C, 'put_date(out, "Arrival-Date", dsn->envelope->arrived);',
     "", FORM),
    ("the server is not named", FIELDS_C,
     'if (remote)\n\t\tput_typed(out, "Remote-MTA", "dns", span_of(rcpt->remote_mta));', "", FORM),
    ("words of ours are a reply", FIELDS_C, 'remote ? "smtp" : "x-danelaw"', '"smtp"', FORM),
    ("a failure is a delay", FIELDS_C, 'return "failed";', 'return "delayed";', FORM),
    ("an octet of xtext has either case", "mta/message/encode.c", "return c >= 'a' ? -1 :",
     "return false ? -1 :", "unit:encode_test"),
    ("hexadecimal digits have one case", "base/text.c",
     "\tc = text_lower(c);\n\treturn c >= 'a' && c <= 'f'", "\treturn c >= 'a' && c <= 'f'",
     "unit:base_test"),
    ("a delay is told of what has arrived", "mta/queue/bounce.c", "\tbounce_forget_settled(b);",
     "", f"{LIVE} meanwhile"),
    ("what is removed is told of all the same", "mta/queue/bounce.c",
     "\tbounce_forget_settled(b);",
     "\tif (b->action == DSN_DELAYED)\n\t\tbounce_forget_settled(b);", f"{LIVE} in_the_way"),
    ("what awaits its word is under way", "queue/line.c",
     "\tjob->marks |= JOB_AWAITS;", "\tjob->to->running++;", "unit:queue_await_test"),
    ("what awaits its word is counted when it ends", "queue/line.c",
     "-= (job->marks & JOB_AWAITS) == 0", "-= 1", "unit:queue_await_test"),
    ("a success is under way until it is told", "queue/work.c",
     "picked.job != before && owner == 0", "false", "unit:queue_await_test"),
    ("who waits for a bounce cannot be removed", "queue/operator.c",
     "job->state != JOB_LEASED || (job->marks & JOB_AWAITS) != 0", "job->state != JOB_LEASED",
     "unit:queue_await_test"),
    ("some of those who wait for a bounce are removed", "queue/operator.c",
     "if (job->state != JOB_LEASED)\n\t\treturn 1;", "return 1;", "unit:queue_await_test"),
    ("where a socket lies is told", "mta/queue/bounce.c",
     "return remote.n > 0 && remote.p[0] == '/'", "return false", f"{LIVE} socket_is"),
    ("where a socket lies is told in words", "mta/queue/bounce.c",
     "= hide_path(span_of(from->err.text));", "= span_of(from->err.text);", f"{LIVE} socket_is"),
    ("where a Maildir lies is told", "mta/deliver/maildir.c",
     '"Maildir: %s: %s", what,', '"Maildir /var/mail: %s: %s", what,', "unit:maildir_test"),
    ("a success waits for its word beyond the end", "mta/queue/queue.c",
     "if (bounces_settle(q))", "if (false)", f"{LIVE} not_delivered_twice"),
    ("a part of a success stays with who delivered it", "mta/queue/bounce.c",
     "q->queue, result->message, rcpts, result->nrcpts, 0);",
     "q->queue, result->message, rcpts, 1, 0);", f"{LIVE} has_parted"),
    # --- aliases of several
    ("each of several answers for a success", EXPAND_C,
     "rcpt->notify &= (uint8_t)~NOTIFY_SUCCESS;", "", LOCALS),
    ("SUCCESS alone becomes silence about it", EXPAND_C,
     "if (rcpt->notify == NOTIFY_DEFAULT)\n\t\trcpt->notify = NOTIFY_NEVER;", "", LOCALS),
    ("nobody is told that it was expanded", EXPAND_C, "return put_rcpt(x, &alias, address);",
     "(void)alias;\n\treturn LOCALS_FINE;", LOCALS),
    ("to be told is one too many", EXPAND_C, "told ? x->ntold : x->out->nrcpts - x->ntold",
     "x->out->nrcpts", LOCALS),
    ("an alias of one is expanded", EXPAND_C, "targets[0] != NULL && targets[1] != NULL &&",
     "targets[0] != NULL &&", LOCALS),
    ("the alias stands for the mailbox behind it", EXPAND_C,
     "(!told && !remember(x, to->address))", "!remember(x, to->address)", LOCALS),
    ("an expanded alias is mailed to", "mta/route.c", "if ((rcpt->notify & NOTIFY_EXPANDED) != 0)",
     "if (0)", f"{LIVE} expanded"),
    ("an expanded alias is delivered", "mta/queue/bounce.c",
     "is_expanded(b, r->ordinal) ? DSN_EXPANDED", "false ? DSN_EXPANDED", f"{LIVE} expanded"),
    ("an expanded alias cannot be read back", "queue/envelope.c", "<= NOTIFY_ALL;", "<= 15;",
     ENVELOPE),
    ("expansions are told unasked", DSN_C, "case DSN_EXPANDED:\n\tcase DSN_DELIVERED:\n\t\t/*",
     "case DSN_EXPANDED:\n\t\treturn true;\n\tcase DSN_DELIVERED:\n\t\t/*", RULES),
    ("what is discarded is told of unasked", "mta/deliver/job.c",
     "? job_success(job, i, outcome)", "? outcome", f"{LIVE} discarded"),
    ("what is discarded is told to nobody", "mta/deliver/job.c",
     "? job_success(job, i, outcome)", "? OUTCOME_DELIVERED", f"{LIVE} discarded"),
    # --- what RFC 3461 allows
    ("RET may be anything", PARAMS_C,
     "session->envelope.ret = RET_HDRS;\n\telse\n\t\treturn REPLY_BAD_PARAM;",
     "session->envelope.ret = RET_HDRS;", PARAMS),
    ("RET has its case", PARAMS_C, 'span_eq_nocase(value, SPAN("HDRS"))',
     'span_eq(value, SPAN("HDRS"))', PARAMS),
    ("an ENVID may be longer", GRAMMAR_C, "s.n <= GRAMMAR_ENVID_MAX && ", "", PARAMS),
    ("an ENVID may hide a line end", GRAMMAR_C,
     "if (high > '7' || (high < '2' && (high != '0' || low != '9')) ||", "if (high > '7' ||",
     PARAMS),
    ("an ENVID may hide what is no ASCII", GRAMMAR_C, "if (high > '7' || (high", "if ((high", PARAMS),
    ("parameters may be said twice", PARAMS_C, "if ((*seen & 1u << i) != 0)", "if (0)", PARAMS),
    ("NEVER has company", GRAMMAR_C, "all != NOTIFY_NEVER)", "0)", PARAMS),
    ("an ORCPT may hide a line end", GRAMMAR_C, ": is_printable_xtext(address)",
     ": grammar_is_xtext(address)", PARAMS),
    ("an ORCPT of UTF-8 may hide a line end", GRAMMAR_C, "value >= ' ' && value", "value", PARAMS),
    ("an ORCPT may be longer", GRAMMAR_C, "|| s.n > GRAMMAR_ORCPT_MAX", "", PARAMS),
    ("an ENVID is forgotten", PARAMS_C, "return keep(session, value, &session->envelope.envid);",
     "return REPLY_NONE;", PARAMS),
    # --- status codes
    ("a status of another class", REPLY_C, "enhanced[0] = temporary ? '4' : '5';", "", STATUS),
    ("no status at all", REPLY_C, '"%u %s%s%s", code, enhanced,\n\t    enhanced[0] == \'\\0\'',
     '"%u %s%s%s", code, "",\n\t    true', STATUS),
    ("354 has a status", REPLY_C, '"354 End data', '"354 2.0.0 End data', STATUS),
    ("a reply of the table has none", REPLY_C, '"221 2.0.0 Bye', '"221 Bye', STATUS),
    ("a reply of the table has another's", REPLY_C, '"552 5.3.4 Message too big',
     '"552 4.3.4 Message too big', STATUS),
    ("what others say may be UTF-8", REPLY_C, "text_make_printable(line);", "", STATUS),
    ("5.6.7 is always 550", REPLY_C, 'strcmp(enhanced, "5.6.7") == 0)', "0)", STATUS),
    ("5.1.10 is 550", REPLY_C, '{"5.1.10", 556},', '{"5.1.10", 550},', STATUS),
    ("EHLO has a status", REPLY_C, '"250-%s\\r\\n250-PIPELINING', '"250-2.0.0 %s\\r\\n250-PIPELINING',
     STATUS),
    # --- SMTPUTF8 of the client
    ("SMTPUTF8 goes on as it came", "mta/smtp/client_send.c",
     "(t->envelope->smtputf8 && t->eight_bit))", "t->envelope->smtputf8)", CLIENT),
    ("SMTPUTF8 is for addresses alone", "mta/smtp/client_send.c",
     " ||\n\t    (t->envelope->smtputf8 && t->eight_bit))", ")", CLIENT),
    ("an ORCPT in UTF-8 goes to anybody", "mta/smtp/client_send.c",
     " ||\n\t\t    !text_is_ascii(span_of(t->rcpts[i].to->orcpt)))", ")", CLIENT),
    ("nobody looks for octets beyond ASCII", "mta/deliver/link_use.c",
     "bool matters = job->envelope->smtputf8 ||", "bool matters =", f"{RELAY} smtputf8_is_asked"),
    # --- what EHLO lists
    ("RCPTMAX is not told", REPLY_C, "if (session->setup.rcpts_max > 0)", "if (0)", SESSION),
    ("RCPTMAX is another", REPLY_C, 'RCPTMAX=%u\\r\\n", session->setup.rcpts_max);',
     'RCPTMAX=%u\\r\\n", session->setup.rcpts_max + 1);', SESSION),
    ("a limit that is not registered", REPLY_C, "250-LIMITS RCPTMAX=", "250-LIMITS RECIPIENTS=",
     SESSION),
    ("8BITMIME is missing", REPLY_C, "250-8BITMIME\\r\\n", "", SESSION),
    ("SMTPUTF8 has a parameter", REPLY_C, "250-SMTPUTF8\\r\\n", "250-SMTPUTF8 1\\r\\n", SESSION),
]


if __name__ == "__main__":
    sys.exit(mutation.main(MUTANTS, *sys.argv[1:2]))
