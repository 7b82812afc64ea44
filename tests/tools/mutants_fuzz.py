#!/usr/bin/python3
"""Do the fuzz targets that know a protocol notice what is wrong?  Break one
place at a time, and see the replay of a corpus fail by an assertion of theirs.

    mutants_fuzz.py [WORDS]

See mutation.py for how it is done.
"""
import sys

import mutation

SESSION_C, COMMANDS_C, DATA_C = (
    "mta/smtp/session.c", "mta/smtp/session_commands.c", "mta/smtp/session_data.c")
REPLY_C, SCAN_C = "mta/smtp/session_reply.c", "mta/smtp/scan.c"
CLIENT_C, SEND_C, WORK_C = (
    "mta/smtp/client.c", "mta/smtp/client_send.c", "mta/smtp/client_transaction.c")
HEADER_C, IPC_C = "mta/milter/header.c", "mta/ipc.c"
SERVER, CLIENT, HEADER, IPC = (
    "fuzz:session_steps", "fuzz:client_steps", "fuzz:header", "fuzz:ipc")

# what is broken, where, what stands there, what instead, who has to notice
MUTANTS = [
    # --- the server session
    ("a refused chunk is taken for commands", SESSION_C,
     "\t\tsession->step = &step_drop;\n", "\t\t;\n", SERVER),
    ("a chunk without MAIL is taken for commands", COMMANDS_C,
     "\t\tsession->step = &step_drop;\n", "\t\t;\n", SERVER),
    ("what is behind STARTTLS counts", COMMANDS_C,
     "if (session_unread(session).n > 0) {", "if (0) {", SERVER),
    ("EHLO is remembered over TLS", SESSION_C, "session->hello = HELLO_NONE;", ";", SERVER),
    ("RSET forgets nothing", COMMANDS_C,
     "(void)argument;\n\tsession_end_transaction(session);\n\treturn replied(session, REPLY_RESET);",
     "(void)argument;\n\treturn replied(session, REPLY_RESET);", SERVER),
    ("DATA amid chunks", COMMANDS_C,
     "if (session->stage == STAGE_OPEN)\n\t\treturn complained(session, REPLY_IN_CHUNKS);\n"
     "\treturn session_ask", "return session_ask", SERVER),
    ("a bare LF ends a line", SCAN_C, "if (!crlf)\n\t\tfault(scan, SCAN_BARE_LF);\n\telse if",
     "if", SERVER),
    ("a bare CR passes", SCAN_C, "fault(scan, SCAN_BARE_CR);\n\t\tcr = ", "cr = ", SERVER),
    ("a CR at the end passes", SCAN_C, "if (scan->cr)\n\t\tfault(scan, SCAN_BARE_CR);", "", SERVER),
    ("dots stay stuffed", SCAN_C, "{.skip = 1, .found = SCAN_DOT}",
     "{.skip = 0, .found = SCAN_DOT}", SERVER),
    ("too large is fine", SCAN_C, "fault(scan, SCAN_SIZE);", ";", SERVER),
    ("a message in chunks need not end its line", DATA_C,
     "if (session->chunk.last && scan->middle && !scan->cr &&", "if (0 &&", SERVER),
    ("behind a bare LF things go on", DATA_C, "if (session->scan.fault >= SCAN_BARE_LF)",
     "if (0)", SERVER),
    ("421 instead of the word that it is durable", SESSION_C,
     "if (session->asked != SESSION_END)", "if (1)", SERVER),
    ("commands are taken for whoever reads nothing", SESSION_C,
     "if (session->out.n >= SESSION_OUTPUT_FULL || session->held)", "if (session->held)", SERVER),
    ("one recipient too many", COMMANDS_C, ".nrcpts >= session->setup.rcpts_max",
     ".nrcpts > session->setup.rcpts_max", SERVER),
    # --- the client session
    ("pipelining is not asked for", SEND_C,
     "(is_pipelining(client) || client->head == client->tail) &&", "", CLIENT),
    ("DATA for nobody", WORK_C, "} else if (alive) {", "} else if (1) {", CLIENT),
    ("one reply is for all of LMTP", WORK_C,
     "\t\tif (client->lmtp)\n\t\t\tbreak;\n", "", CLIENT),
    ("no RSET behind a refusal", SEND_C, "\t\tt->sending = SEND_RSET;", "\t\t;", CLIENT),
    ("dots are not stuffed", SEND_C, "if (line_start && bytes.n > 0 && bytes.p[0] == '.')",
     "if (0)", CLIENT),
    ("a chunk is an octet longer than it says", SEND_C,
     "size_t octets = bytes.n + (held ? 1 : 0);", "size_t octets = bytes.n + (held ? 1 : 0) - last;",
     CLIENT),
    ("no doubt about a lost reply", WORK_C, "client->marks |= MARK_DOUBT;", ";", CLIENT),
    ("DSN is always offered", SEND_C, "if ((client->offers & OFFER_DSN) != 0) {", "if (1) {", CLIENT),
    ("the reply to a recipient is for the next", WORK_C,
     "&client->t.rcpts[expect->rcpt]", "&client->t.rcpts[(expect->rcpt + 1) % client->t.n]", CLIENT),
    ("421 is a reply like others", CLIENT_C, "if (client->reply.code == 421 &&", "if (0 &&", CLIENT),
    # --- header fields
    ("our own field can be changed", HEADER_C, "if (!milter_header_is_own(header, i) &&",
     "if (", HEADER),
    ("a fold is a field", HEADER_C, "while (rest->n > 0 && is_blank(rest->p[0])) {", "while (0) {",
     HEADER),
    ("a filter's line ends stay", HEADER_C, "*to++ = '\\r';\n", "", HEADER),
    # --- between processes
    ("a target is cut", IPC_C, "must(put_blob(out, job->target));",
     "must(put_blob(out, span_first(job->target, 3)));", IPC),
    ("a reason is cut at a NUL", IPC_C, "take_chars(in, sizeof(r.err.text) - 1, &text)",
     "take_blob(in, sizeof(r.err.text) - 1, &text)", IPC),
    ("a held job's last word is lost", IPC_C, "put_ordinals(out, held->rcpts, held->nrcpts);", "", IPC),
]

if __name__ == "__main__":
    sys.exit(mutation.main(MUTANTS, *sys.argv[1:2]))
