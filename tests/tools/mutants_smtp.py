#!/usr/bin/python3
"""Is the way to the next hop guarded?  Break one place at a time, and see a test fail.

    mutants_smtp.py [WORDS]

See mutation.py for how it is done.
"""
import sys

import mutation

CLIENT = "unit:smtp_client_test"
LIFE = "unit:smtp_client_life_test"
RELAY = "tests/integration/test_relay.py"
LAB = "tests/integration/test_lab_dane.py"
RTLS = "tests/integration/test_lab_requiretls.py"
SESSION = "unit:smtp_session_test"
WAIVER = "unit:smtp_waiver_test"
FACTS = "unit:facts_test"
PLAN = "unit:policy_test"
ONWARD = "unit:policy_requiretls_test"
REPLY = "mta/smtp/session_reply.c"

# what is broken, where, what stands there, what instead, who has to notice
MUTANTS = [
    # --- the greeting
    ("any word is a name", "mta/smtp/client_offers.c",
     "strchr(\".-_:[]\", c) != NULL)", "c > ' ')", LIFE),
    ("half a word is a name", "mta/smtp/client_offers.c",
     "(n < text.n && text.p[n] != ' ' && text.p[n] != '\\n'))", "0)", LIFE),
    ("a name has its case", "mta/smtp/client_offers.c", "text_fold(client->peer);", "", LIFE),
    # --- BDAT
    ("BDAT is never used", "mta/deliver/link_use.c",
     ".chunking = true,", ".chunking = false,", f"{RELAY} chunks"),
    ("BDAT is used where nobody offers it", "mta/smtp/client_send.c",
     "(client->offers & OFFER_CHUNKING) != 0)", "true)", CLIENT),
    ("BDAT is used without pipelining", "mta/smtp/client_send.c",
     "client->chunking && is_pipelining(client)", "client->chunking", CLIENT),
    ("behind BDAT stands DATA, too", "mta/smtp/client_send.c",
     "if ((client->marks & MARK_CHUNKING) == 0) {\n\t\tclient_put(client, SPAN(\"DATA",
     "if (1) {\n\t\tclient_put(client, SPAN(\"DATA", CLIENT),
    ("what BDAT sends is stuffed", "mta/smtp/client_send.c",
     "if ((client->marks & MARK_CHUNKING) != 0) {\n\t\tput_chunk", "if (0) {\n\t\tput_chunk",
     CLIENT),
    ("a refused chunk needs no RSET", "mta/smtp/client_transaction.c",
     "if (is_ok(client) || (client->marks & MARK_CHUNKING) == 0)", "if (1)", CLIENT),
    ("a message is sent behind a RSET that may be refused", "mta/smtp/client_send.c",
     "if ((client->marks & MARK_DIRTY) != 0)\n\t\t\treturn false;", "", "fuzz:client_steps"),
    ("a literal's bracket ends the path", "mta/smtp/grammar.c",
     "literal = s.p[i] == '[';", "literal = false;", "unit:smtp_address_test"),
    # --- RFC 9422
    ("RCPTMAX is not heeded", "mta/deliver/delivery_transfer.c",
     "if (limits->rcpt_max > 0 && n > limits->rcpt_max)", "if (0)", f"{RELAY} max"),
    ("RCPTMAX is one too few", "mta/deliver/delivery_transfer.c",
     "n = limits->rcpt_max;", "n = limits->rcpt_max - 1;", f"{RELAY} max"),
    ("RCPTDOMAINMAX is not heeded", "mta/deliver/delivery_transfer.c",
     "if (domains > limits->rcpt_domain_max)", "if (0)", f"{RELAY} max"),
    ("MAILMAX is not heeded", "mta/deliver/link_use.c",
     "(peer->mail_max == 0 || link->uses < peer->mail_max)", "true", f"{RELAY} max"),
    ("limits of the clear count under TLS", "mta/smtp/client.c",
     "client->limits = (struct client_limits){0};", "", LIFE),
    # --- 452 behind others
    ("452 behind others is a failure of that mailbox", "mta/deliver/delivery_transfer.c",
     "r == NULL || (again && r->about == ABOUT_COUNT)", "r == NULL", f"{RELAY} parts"),
    ("each of those beyond is tried", "mta/smtp/client_transaction.c",
     "if (too_many && t->sending == SEND_RCPT) {", "if (0) {", CLIENT),
    ("552 5.5.3 is for good", "mta/smtp/client_transaction.c",
     "if (too_many) {\n\t\tresult.err.kind = ERR_TEMP;", "if (too_many) {", CLIENT),
    # --- links that rest
    ("a link that died at rest fails its message", "mta/deliver/delivery_transfer.c",
     "if (!alive && may_start_over(d))", "if (0)", f"{RELAY} rest"),
    ("a message in doubt is sent again elsewhere", "mta/deliver/delivery_transfer.c",
     "link_in_doubt(d->link) ||\n\t    ", "", f"{LAB} in-doubt"),
    # --- REQUIRETLS: taken
    ("REQUIRETLS is taken in the clear", "mta/smtp/session_params.c",
     "if (session->tls.version == NULL)\n\t\treturn REPLY_NEED_TLS;", "", SESSION),
    ("REQUIRETLS may have a value", "mta/smtp/session_params.c",
     "if (value.p != NULL)\n\t\treturn REPLY_BAD_PARAM;\n\tif (session->tls", "if (session->tls",
     SESSION),
    ("REQUIRETLS is taken and forgotten", "mta/smtp/session_params.c",
     "session->envelope.tls_wish = TLS_WISH_REQUIRED;", "", SESSION),
    ("REQUIRETLS is offered in the clear", "mta/smtp/session_reply.c",
     "session->setup.requiretls && tls ?", "session->setup.requiretls ?", SESSION),
    ("REQUIRETLS cannot be switched off", "mta/smtp/session_params.c",
     "if (!session->setup.requiretls)\n\t\treturn REPLY_UNKNOWN_PARAM;", "", SESSION),
    # --- TLS-Required: No
    ("the header goes before the parameter", "mta/smtp/session_data.c",
     "session->envelope.tls_wish == TLS_WISH_NONE &&", "true &&", WAIVER),
    ("two fields waive as one does", "mta/smtp/scan.c",
     "scan->waiver.fields == 1 && ", "", WAIVER),
    ("whatever is in the field waives", "mta/smtp/scan.c",
     " && scan->waiver.value == 2", "", WAIVER),
    ("the body waives, too", "mta/smtp/scan.c",
     "if (scan->place == SCAN_HEADER &&\n\t    (scan->line == 0", "if ((scan->line == 0", WAIVER),
    ("a word may go on in the next line", "mta/smtp/scan.c",
     "else if (!blank || waiver->value == 1)", "else if (!blank)", WAIVER),
    ("a folded field ends with its first line", "mta/smtp/scan.c",
     "line.n > 0 && line.p[0] != ' ' &&\n\t    line.p[0] != '\\t')", "line.n > 0)", WAIVER),
    ("waivers are honoured whatever the operator says", "mta/facts.c",
     "config->ignore_waivers ? SENDER_DEFAULT", "false ? SENDER_DEFAULT", FACTS),
    ("sendmail's mail waives nothing", "mta/receive/pickup_file.c",
     "if (scan_waives_tls(&file->scan))", "if (0)", f"{RTLS} sendmail"),
    # --- REQUIRETLS: kept
    ("insecure MX records will do", "policy/plan.c",
     "if (hop_trust(facts) == DNS_SECURE)\n\t\treturn decide(plan, TLS_AUTH_PKIX",
     "if (true)\n\t\treturn decide(plan, TLS_AUTH_PKIX", PLAN),
    ("exemptions bind REQUIRETLS", "policy/plan.c",
     "if (policy_requires_tls(facts))\n\t\treturn false;", "", PLAN),
    ("audit relaxes REQUIRETLS", "policy/audit.c",
     " || policy_requires_tls(facts)", "", ONWARD),
    ("REQUIRETLS is said to whom nobody vouches for", "policy/onward.c",
     "is_worthy(facts, plan) ? ONWARD_OFFERED", "true ? ONWARD_OFFERED", ONWARD),
    ("a host need not offer REQUIRETLS", "mta/deliver/link.c",
     "return link_keeps_promise(link);", "return true;", f"{RTLS} refused"),
    ("what rests need not have offered it", "mta/deliver/destination.c",
     "(link_offers((*at)->link) & offers) != offers", "false", f"{RTLS} rests"),
    ("what rests is good for REQUIRETLS", "mta/deliver/delivery.c",
     "if (d->job->envelope->tls_wish != TLS_WISH_REQUIRED)", "if (true)", f"{RTLS} rests"),
    ("what one waived serves all", "mta/deliver/delivery_plan.c",
     "if (d->decision.facts.sender != SENDER_DEFAULT)\n\t\treturn 0;", "", f"{RTLS} serve"),
    ("a host that falls short is left without QUIT", "mta/deliver/link.c",
     "link->state = LINK_READY;\n\tconn_deadline", "link->state = LINK_FAILED;\n\tconn_deadline",
     f"{RTLS} quit"),
    ("no STARTTLS is waited for", "mta/deliver/link_tls.c",
     "bool never = policy_is_hopeless(plan, &link->seen);", "bool never = false;",
     f"{RTLS} refused"),
    ("a bounce needs REQUIRETLS", "mta/facts.c",
     "if (envelope->sender[0] == '\\0' && wish != SENDER_DEFAULT)", "if (0)", FACTS),
    ("a bounce has no REQUIRETLS", "mta/queue/bounce_address.c",
     ".tls_wish = dsn_wish(b->original),", "", f"{RTLS} refused"),
    ("a bounce waives what the message waived", "mta/message/dsn.c",
     "return envelope->tls_wish == TLS_WISH_REQUIRED ? TLS_WISH_REQUIRED\n\t                                               : TLS_WISH_NONE;",
     "return envelope->tls_wish;", "unit:dsn_rules_test"),
    ("a bounce of it returns the body", "mta/message/dsn.c",
     "if (envelope->tls_wish == TLS_WISH_REQUIRED)", "if (0)", "unit:dsn_rules_test"),
    ("the grade encrypt asks for nothing", "policy/floor.c",
     "if (facts->sender == SENDER_ENCRYPTS && plan->need < TLS_ENCRYPT)", "if (0)", PLAN),
    ("the grade of a next hop does not count", "mta/config_tls.c",
     "return sets_requiretls(rule) ? rule->requiretls : config->requiretls;",
     "return config->requiretls;", "unit:config_tls_test"),
    ("REQUIRETLS is said onward to all", "mta/deliver/link_use.c",
     "link->setup.plan.onward != ONWARD_NOT", "true", f"{RTLS} grades"),
    ("a wish speaks for its destination", "mta/deliver/delivery_transfer.c",
     "envelope->tls_wish == TLS_WISH_NONE;", "true;", f"{RTLS} wish_says"),
    ("our own mailboxes need REQUIRETLS", "mta/facts.c",
     "if (!target_is_smtp(target))\n\t\treturn SENDER_DEFAULT;", "", FACTS),
    ("it is forgotten in the spool", "queue/envelope.c",
     "return FLAG_REQUIRETLS;", "return 0;",
     "unit:queue_envelope_test"),
    ("a waiver is forgotten in the spool", "queue/envelope.c",
     "return FLAG_WAIVED;", "return 0;", "unit:queue_envelope_test"),
    ("a report is forgotten in the spool", "queue/envelope.c",
     "return FLAG_REPORT;", "return 0;", "unit:queue_envelope_test"),
    # --- TLS that is asked for
    ("what falls short gets the mail", "mta/deliver/link.c", "if (!may_send(link)) {", "if (0) {",
     f"{RELAY} asked_for_of_a_host"),
    ("STARTTLS has company", "mta/smtp/client.c", 'SPAN("STARTTLS\\r\\n")',
     'SPAN("STARTTLS\\r\\nNOOP\\r\\n")', CLIENT),
    ("STARTTLS is said twice", "mta/smtp/client.c", "client->marks |= MARK_TLS;\n\tsay_hello",
     "say_hello", CLIENT),
    ("STARTTLS is hidden from who is new", REPLY, "session->setup.starttls && !tls ?", "0 ?",
     "tests/integration/test_screen.py leaves_starttls"),
    # --- whom a reply is about
    ("nobody has a turn behind one who was put off", "mta/deliver/delivery_transfer.c",
     "progress = alive && any_own(d);", "progress = alive && any_final(d);",
     "tests/integration/test_limits.py one_is_nobody_elses"),
    ("what one was told is told to the rest", "mta/deliver/delivery_transfer.c",
     "last != NULL && last->about != ABOUT_RCPT", "last != NULL",
     "tests/integration/test_limits.py was_not_asked"),
    ("a refused message is refused for those who were not sent", "mta/smtp/client_transaction.c",
     "struct client_rcpt *rcpt;\n\n\tresult.about = ABOUT_RCPT;\n", "struct client_rcpt *rcpt;\n\n",
     "tests/integration/test_limits.py one_is_nobody_elses"),
    ("one too many is one who was put off", "mta/smtp/client_transaction.c",
     "too_many ? ABOUT_COUNT : ABOUT_RCPT", "ABOUT_RCPT", "unit:smtp_client_word_test"),
    ("what went out before any reply is in no doubt", "mta/smtp/client_transaction.c",
     "(is_alive(t) || is_unheard(t))", "is_alive(t)", "unit:smtp_client_word_test"),
    ("what was refused is in doubt", "mta/smtp/client_transaction.c",
     "return t->answered < t->n && t->failed.err.kind == ERR_NONE;", "return true;",
     "unit:smtp_client_word_test"),
]


if __name__ == "__main__":
    sys.exit(mutation.main(MUTANTS, *sys.argv[1:2]))
