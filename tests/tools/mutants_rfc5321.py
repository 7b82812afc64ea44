#!/usr/bin/python3
"""Do we speak SMTP as the RFCs ask?  Break one place at a time, and see a test fail.

    mutants_rfc5321.py [WORDS]

What the rows of RFC 5321, 1870, 2920, 3030, 3848 and 6152 in
docs/conformance.tsv name.  See mutation.py for how it is done.
"""
import sys

import mutation

RECEIVER = "unit:smtp_receiver_test"
REPLIES = "unit:smtp_replies_test"
SENDER = "unit:smtp_sender_test"
ADDRESS = "unit:smtp_address_test"
DATA = "unit:smtp_data_test"
TRACE = "unit:smtp_trace_test"
PROBLEMS = "unit:config_problems_test"
ACCEPT = "tests/integration/test_accept.py"
RELAY = "tests/integration/test_relay.py"
DNS = "tests/integration/test_dns.py"

COMMANDS = "mta/smtp/session_commands.c"
WORDS = "mta/smtp/session_reply.c"
PARAMS = "mta/smtp/session_params.c"
BODY = "mta/smtp/session_data.c"
SEND = "mta/smtp/client_send.c"
OUTCOME = "mta/smtp/client_transaction.c"
LOCALS, LISTS = "mta/locals.c", "tests/integration/test_recipients.py too_many"

# what is broken, where, what stands there, what instead, who has to notice
RECEIVING = [
    # --- aliases that stand for many
    ("two lists are told of behind DATA", "mta/receive/recipient.c",
     "fits(in, &inquiry, err) == 0)", "true)", LISTS),
    ("a program's two lists are no message", "mta/receive/pickup_judge.c",
     "fits(file, &inquiry, rcpt, &no->err) == 0) {", "true) {", LISTS),
    ("a list is one recipient", LOCALS,
     "inquiry->weight == 0 ? 1 : inquiry->weight;", "1;", "unit:locals_room_test"),
    ("it is counted anew for ever", "mta/locals.c", "if (room->tries >= EXPANSIONS_MAX)",
     "if (false)", "unit:locals_room_test"),
    ("many lists are judged in one go", "mta/receive/recipient.c", "else if (in->heavy)",
     "else if (false)", "tests/integration/test_recipients.py one_clients"),
    ("a program's lists are judged in one go", "mta/receive/pickup_file.c",
     "\t\t\treturn pickup_not_judged(file, &err);\n\t\tif (clock_mono_ms() != begun)",
     "\t\t\treturn pickup_not_judged(file, &err);\n\t\tif (false)",
     "tests/integration/test_recipients.py programs_lists"),
    ("a program's lists are asked about in one go", "mta/receive/pickup_file.c",
     "\t\t\treturn PICKUP_ASKING;\n\t\tif (clock_mono_ms() != begun)",
     "\t\t\treturn PICKUP_ASKING;\n\t\tif (false)",
     "tests/integration/test_recipients.py programs_lists"),
    ("who is in two lists counts twice", LOCALS,
     "if (try_with(locals, inquiry, envelope, rcpt, err) != LOCALS_FINE)", "if (true)",
     "unit:locals_room_test"),
    ("who comes last does not count", LOCALS, "all.nrcpts = n + 1;", "all.nrcpts = n;",
     "unit:locals_room_test"),
    # --- commands
    ("EHLO is unknown", COMMANDS, "{\"EHLO\",", "{\"EHL\",", RECEIVER),
    ("HELO is unknown", COMMANDS, "{\"HELO\",", "{\"HEL\",", RECEIVER),
    ("HELO lists what EHLO does", WORDS, "if (!extended) {", "if (0) {",
     "unit:smtp_session_test"),
    ("VRFY has verified", WORDS, "\"252 2.5.0 Not", "\"250 2.5.0 Not", RECEIVER),
    ("EXPN is as good as VRFY", COMMANDS, "{\"EXPN\", verb_not_offered", "{\"EXPN\", verb_vrfy",
     RECEIVER),
    ("EXPN is listed", WORDS, "250-CHUNKING", "250-EXPN\\r\\n250-CHUNKING",
     "unit:smtp_session_test"),
    ("mail may be sent to terminals", COMMANDS, "{\"MAIL\", verb_mail, false},",
     "{\"MAIL\", verb_mail, false}, {\"SEND\", verb_mail, false},", RECEIVER),
    ("RSET closes", COMMANDS, "return replied(session, REPLY_RESET);",
     "session_leave(session); return replied(session, REPLY_RESET);", RECEIVER),
    ("RSET leaves it open", COMMANDS,
     "session_end_transaction(session);\n\treturn replied(session, REPLY_RESET);",
     "return replied(session, REPLY_RESET);", "unit:smtp_session_test"),
    ("RSET wants a greeting", COMMANDS,
     "session_end_transaction(session);\n\treturn replied(session, REPLY_RESET);",
     "return replied(session, session->hello ? REPLY_RESET : REPLY_NEED_HELLO);", RECEIVER),
    ("QUIT does not close", COMMANDS,
     "session_reply(session, REPLY_BYE);\n\tsession_leave(session);",
     "session_reply(session, REPLY_BYE);", RECEIVER),
    ("any name will do", COMMANDS, "if (!session->setup.any_hello &&", "if (0 &&", RECEIVER),
    ("no name but the strictest will do", COMMANDS, "return grammar_is_literal(name);",
     "return false;", RECEIVER),
    ("names that will not do never do", COMMANDS, "if (!session->setup.any_hello &&", "if (",
     RECEIVER),
    ("EHLO ends all, taken or not", COMMANDS,
     "/* RFC 5321 4.1.4: the name need not be true, but be one word. */",
     "session_end_transaction(session);", RECEIVER),
    ("EHLO ends nothing", COMMANDS,
     "session_end_transaction(session);\n\tmemcpy(session->helo", "memcpy(session->helo",
     RECEIVER),
    ("UTF-8 needs no extension", COMMANDS,
     "if (address->utf8 && !session->envelope.smtputf8)\n\t\treturn REPLY_NEED_UTF8_FROM;\n"
     "\tsession->envelope.sender", "session->envelope.sender", RECEIVER),
    ("a refusal for now is one for good", WORDS, "return temporary ? 450 : 550;", "return 550;",
     RECEIVER),
    ("a message without a body is refused", BODY, "session->stage = STAGE_END;",
     "if (session->scan.place == SCAN_HEADER) { session->scan.fault = SCAN_LINE;"
     " return refuse_message(session); } session->stage = STAGE_END;", RECEIVER),
    ("a field that is none is refused", "mta/smtp/scan.c", "scan->line += n;",
     "if (scan->place == SCAN_HEADER && text > 1 && memchr(bytes.p, ':', text) == NULL)"
     " fault(scan, SCAN_LINE); scan->line += n;", RECEIVER),
    ("Resent- fields are looked at", "mta/smtp/scan.c", "scan->line += n;",
     "if (span_starts_nocase(bytes, SPAN(\"Resent-Sender\"))) fault(scan, SCAN_LINE);"
     " scan->line += n;", RECEIVER),
    ("trace fields are looked at", "mta/smtp/scan.c", "scan->line += n;",
     "if (span_eq(bytes, SPAN(\"Received:\\r\\n\")) ||"
     " span_starts_nocase(bytes, SPAN(\"Received:\\r\"))) fault(scan, SCAN_HOPS);"
     " scan->line += n;", RECEIVER),
    ("labels are believed", "mta/smtp/scan.c", "scan->line += n;",
     "if (span_starts_nocase(bytes, SPAN(\"Content-Transfer-Encoding: b\")))"
     " fault(scan, SCAN_LINE); scan->line += n;", RECEIVER),
    ("the eighth bit is cleared", BODY, "session->body = bytes;",
     "session->body = bytes; for (size_t i = 0; i < bytes.n; i++)"
     " ((char *)bytes.p)[i] &= 0x7f;", RECEIVER),
    ("a local part of 64 is too long", "mta/smtp/grammar.c", "if (local.n > GRAMMAR_LOCAL_MAX)",
     "if (local.n >= GRAMMAR_LOCAL_MAX)", RECEIVER),
    ("a path of 256 is too long", "mta/smtp/grammar.c", "if (path.n + 2 > GRAMMAR_PATH_MAX)",
     "if (path.n + 2 >= GRAMMAR_PATH_MAX)", RECEIVER),
    ("a command of 512 is too long", "mta/smtp/session.c",
     "struct span line = span_first(in, SESSION_LINE_MAX);",
     "struct span line = span_first(in, 511);", RECEIVER),
    ("a message of 64K need not be taken", "mta/config_keys.c", "64 * KIB, 4 * GIB",
     "16 * KIB, 4 * GIB", PROBLEMS),
    ("a line of 1000 need not be taken", "mta/config_keys.c", "1000, 64 * MIB, \"1M\"",
     "100, 64 * MIB, \"1M\"", PROBLEMS),
    ("clients have a minute", "mta/config_keys.c", "100, 24 * HOUR, \"5m\"),\n    NUMBER(TIMEOUTS, \"session\"",
     "100, 24 * HOUR, \"1m\"),\n    NUMBER(TIMEOUTS, \"session\"", "unit:config_test"),
    # --- replies
    ("a command gets two", COMMANDS, "return replied(session, REPLY_RESET);",
     "session_reply(session, REPLY_RESET); return replied(session, REPLY_RESET);", REPLIES),
    ("a command gets none", COMMANDS, "(void)argument;\n\treturn replied(session, REPLY_OK);",
     "(void)argument;\n\treturn true;", REPLIES),
    ("a code nobody knows", WORDS, "\"500 5.5.1 Unknown command", "\"599 5.5.1 Unknown command",
     REPLIES),
    ("a code of another command", WORDS, "\"503 5.5.1 MAIL first", "\"251 2.5.1 MAIL first",
     REPLIES),
    ("a status of another class", WORDS, "\"554 5.5.1 No valid", "\"554 4.5.1 No valid", REPLIES),
    ("the last line has a hyphen", WORDS, "%s250 HELP", "%s250-HELP", REPLIES),
    ("the lines of a reply differ", WORDS, "250-PIPELINING", "251-PIPELINING", REPLIES),
    ("a keyword nobody has registered", WORDS, "250-CHUNKING", "250-CHUNKED", REPLIES),
    ("a bad argument closes", COMMANDS, "session_complain(session, reply);\n\treturn true;",
     "session_complain(session, reply); if (reply == REPLY_BAD_ARGUMENT)"
     " session_leave(session);\n\treturn true;", REPLIES),
    ("RSET is answered as NOOP is", WORDS, "\"250 2.0.0 Reset", "\"250 2.0.0 Ok", REPLIES),
    ("replies wait for the next", "mta/smtp/session.c", "return buf_span(&session->out);",
     "return session->asked ? (struct span){0} : buf_span(&session->out);", REPLIES),
    ("nobody learns the version", WORDS, "session->setup.version[0] == '\\0' ? \"\" : \" \",\n\t    session->setup.version",
     "\"\", \"\"", REPLIES),
    # --- SIZE, PIPELINING, BODY
    ("twenty digits are too many", PARAMS, "session->size = UINT64_MAX;",
     "return REPLY_BAD_PARAM;", RECEIVER),
    ("twenty-one are not", PARAMS, "value.n > 20", "value.n > 40", RECEIVER),
    ("the size said ends a message", BODY, ".size_max = session->setup.message_max",
     ".size_max = session->size ? session->size : session->setup.message_max", RECEIVER),
    ("what was accepted is too big", BODY, ".size_max = session->setup.message_max",
     ".size_max = session->setup.message_max - 1", RECEIVER),
    ("354 for nobody", COMMANDS, "if (session->envelope.nrcpts == 0)", "if (0)", RECEIVER),
    ("BODY twice", PARAMS, "if ((*seen & 1u << i) != 0)", "if (0)", RECEIVER),
    ("any BODY", PARAMS, "session->envelope.body = BODY_8BITMIME;\n\telse\n\t\treturn REPLY_BAD_PARAM;",
     "session->envelope.body = BODY_8BITMIME;", RECEIVER),
    # --- trace
    ("behind HELO stands ESMTP", "mta/smtp/trace.c",
     "if (session->hello != HELLO_EHLO)\n\t\treturn \"SMTP\";", "", TRACE),
    ("TLS is not told", "mta/smtp/trace.c", "return tls ? \"ESMTPS\" : \"ESMTP\";",
     "return \"ESMTP\";", TRACE),
    ("TLS is told where there is none", "mta/smtp/trace.c",
     "return tls ? \"ESMTPS\" : \"ESMTP\";", "return \"ESMTPS\";", TRACE),
    ("one of several is named", "mta/smtp/trace.c", "if (envelope->nrcpts == 1)",
     "if (envelope->nrcpts >= 1)", f"{RELAY} adds_one"),
    # --- the process
    ("half an end is one", "mta/smtp/scan.c", "if (n == 1 || (n == 2 && p[1] == '\\r'))\n"
     "\t\treturn (struct scan_piece){0};",
     "if (n == 1)\n\t\treturn (struct scan_piece){0};\n"
     "\tif (n == 2 && p[1] == '\\r')\n"
     "\t\treturn (struct scan_piece){.skip = 2, .found = SCAN_END};", f"{ACCEPT} hangs_up"),
    ("what the operator bears we do not", "mta/receive/inbound.c",
     ".any_hello = defence->any_hello,", "", f"{ACCEPT} odd_names"),
    ("nobody is told the version", "mta/receive/inbound.c",
     ".version = DANELAW_VERSION,", "", f"{ACCEPT} odd_names"),
    ("fifty sessions will do", "mta/config_keys.c", "1, 1000000, \"5000\"", "1, 1000000, \"50\"",
     f"{ACCEPT} many_sessions"),
]

SENDING = [
    ("EHLO before the greeting", "mta/smtp/client.c",
     "client_expect(client, VERB_GREETING, 0);",
     "client_expect(client, VERB_GREETING, 0); client_put(client, SPAN(\"EHLO x\\r\\n\"));",
     SENDER),
    ("HELO is never tried", "mta/smtp/client.c",
     "if (err.kind == ERR_PERM && verb == VERB_EHLO && !client->lmtp)", "if (0)", SENDER),
    ("HELO comes first", "mta/smtp/client.c", "say_hello(client, VERB_EHLO);\n\t} else if",
     "say_hello(client, VERB_HELO);\n\t} else if", SENDER),
    ("keywords have their case", "mta/smtp/client_offers.c",
     "if (span_eq_nocase(keyword, span_of(keywords[i].keyword)))",
     "if (span_eq(keyword, span_of(keywords[i].keyword)))", SENDER),
    ("SIZE where nobody offers it", SEND, "if ((client->offers & OFFER_SIZE) != 0)", "if (1)",
     SENDER),
    ("HELO offers something", "mta/smtp/client.c",
     "if (verb == VERB_EHLO)\n\t\tclient_read_offers(client);", "client_read_offers(client);",
     SENDER),
    ("no reply is waited for", SEND,
     "(is_pipelining(client) || client->head == client->tail) &&", "", SENDER),
    ("the message before 354", SEND, "t->sending = SEND_NOTHING;\n\t\treturn true;",
     "t->sending = SEND_BODY;\n\t\treturn true;", SENDER),
    ("QUIT in the group", SEND, "client_put(client, SPAN(\"DATA\\r\\n\"));",
     "client_put(client, SPAN(\"DATA\\r\\nQUIT\\r\\n\"));", SENDER),
    ("DATA has an argument", SEND, "client_put(client, SPAN(\"DATA\\r\\n\"));",
     "client_put(client, SPAN(\"DATA x\\r\\n\"));", SENDER),
    ("an empty line before the dot", SEND, "client_put(client, SPAN(\".\\r\\n\"));",
     "client_put(client, SPAN(\"\\r\\n.\\r\\n\"));", SENDER),
    ("MAIL in what is open", OUTCOME, "client->marks |= MARK_DIRTY;\n\t\treturn;", "return;",
     SENDER),
    ("a status of another class counts", "mta/smtp/reply.c",
     "s.p[0] != (char)('0' + reply->code / 100) ||", "", SENDER),
    ("1yz is a reply", "mta/smtp/reply.c", "code >= 200 &&", "code >= 100 &&", SENDER),
    ("6yz is a reply", "mta/smtp/reply.c", "code <= 599", "code <= 699", SENDER),
    ("only the codes of the RFC count", OUTCOME, "return client->reply.code / 100 == 2;",
     "return client->reply.code >= 250 && client->reply.code < 252;", SENDER),
    ("SIZE is another", SEND, "(unsigned long long)client->t.size", "(unsigned long long)7",
     SENDER),
    ("SIZE twice", SEND, "out, \" SIZE=%llu\",", "out, \" SIZE=1 SIZE=%llu\",", SENDER),
    ("what does not fit is tried", SEND, "else if (client->size_limit > 0 &&", "else if (0 &&",
     SENDER),
    ("what just fits is not", SEND, "t->size > client->size_limit",
     "t->size >= client->size_limit", SENDER),
    ("no RSET behind 452 to MAIL", OUTCOME, "if (client->reply.code == 452 ||",
     "if (", SENDER),
    ("no RSET behind 552 to MAIL", OUTCOME, " || client->reply.code == 552)", ")", SENDER),
    ("552 to a recipient is for now", OUTCOME, "strcmp(err->enhanced, \"5.5.3\") == 0 ||",
     "strcmp(err->enhanced, \"5.3.4\") == 0 ||", SENDER),
    ("the last reply is the first's", "mta/smtp/client.c",
     "expect = client->expects[client->head++];",
     "expect = client->expects[client->tail - 1 - client->head]; client->head++;", SENDER),
    ("each line is a reply", "mta/smtp/reply.c", "reply->more = line.n > 3 && line.p[3] == '-';",
     "reply->more = false;", SENDER),
    ("one octet more by BDAT", SEND, "size_t octets = bytes.n + (held ? 1 : 0);",
     "size_t octets = bytes.n + 1;", SENDER),
    ("no RSET behind a chunk", OUTCOME,
     "if (is_ok(client) || (client->marks & MARK_CHUNKING) == 0)", "if (1)", SENDER),
    ("BDAT where nobody offers it", SEND, "(client->offers & OFFER_CHUNKING) != 0)", "true)",
     SENDER),
    ("all with 8 bits is MIME", SEND, "(client->t.utf8 && client->t.eight_bit)",
     "client->t.eight_bit", SENDER),
    ("MIME is not said to be", SEND, "bad |= buf_add_str(out, \" BODY=8BITMIME\");", "", SENDER),
    ("8 bits go to anybody", SEND, "else if (t->eight_bit &&", "else if (0 &&", SENDER),
    ("quotes stay", "mta/smtp/grammar.c",
     "if (local.n > 0 && grammar_dot_string(local) == local.n) {", "if (0) {", SENDER),
    ("quotes go where they may not", "mta/smtp/grammar.c",
     "if (local.n > 0 && grammar_dot_string(local) == local.n) {", "if (local.n > 0) {", SENDER),
    ("local parts are folded", "mta/smtp/grammar.c", "text_fold(address.text + local + 1);",
     "text_fold(address.text);", ADDRESS),
    ("routes stay", "mta/smtp/grammar.c",
     "if (path.p[0] == '@' && drop_route(&path, kind, err) < 0)\n\t\treturn -1;", "", ADDRESS),
    # --- the process
    ("SIZE forgets the trace", "mta/deliver/link_use.c", "job->size, eight);",
     "job->size - 20, eight);", f"{RELAY} adds_one"),
    ("the domain is a host beside its MX", "mta/deliver/delivery_hosts.c",
     "d->step = judge_mx(d, state, answer->why);", "d->step = judge_mx(d, MX_NONE, answer->why);",
     f"{DNS} no_host_itself"),
]

MUTANTS = RECEIVING + SENDING


if __name__ == "__main__":
    sys.exit(mutation.main(MUTANTS, *sys.argv[1:2]))
