#!/usr/bin/python3
"""Are mail filters kept within their bounds?  See mutation.py.

    mutants_milter.py [WORDS]
"""
import sys

import mutation

DIALOG, HEADER = "unit:milter_test", "unit:milter_header_test"
ENVELOPE = "unit:queue_envelope_test"
FILTER, END = "tests/integration/test_filter.py", "tests/integration/test_filter_end.py"
PROGRAMS = "tests/integration/test_filter_programs.py"
STORE_C, PICKUP_C = "mta/receive/chain_store.c", "mta/receive/pickup_filter.c"

# what is broken, where, what stands there, what instead, who has to notice
MUTANTS = [
    # --- what a reply may be
    ("a value brings another field along", "mta/milter/wire.c",
     "if ((c == '\\r' || c == '\\n') && !folded)", "if (0)", DIALOG),
    ("a value has control characters", "mta/milter/wire.c",
     "if (((unsigned char)c < ' ' || c == 0x7f) &&", "if (0 &&", DIALOG),
    ("a name is empty", "mta/milter/wire.c",
     "return name.n > 0 && name.n <= 255;", "return name.n <= 255;", DIALOG),
    ("a name has a blank", "mta/milter/wire.c",
     "if (name.p[i] <= ' ' ||", "if (name.p[i] < ' ' ||", DIALOG),
    ("a name has a colon", "mta/milter/wire.c",
     "name.p[i] == ':')", "name.p[i] == ';')", DIALOG),
    ("a refusal succeeds", "mta/milter/wire.c",
     "(text.p[0] == '4' || text.p[0] == '5')", "text_is_digit(text.p[0])", DIALOG),
    ("a status of another class", "mta/milter/wire.c",
     "text.p[0] != class ||", "", DIALOG),
    ("lines of a reply have other codes", "mta/milter/wire.c",
     "memcmp(line.p, code, 3) != 0", "0", DIALOG),
    ("a reply brings control characters along", "mta/milter/wire.c",
     "text_escape(line, shown, sizeof(shown));",
     "(void)text_copy_span(shown, sizeof(shown), line);", DIALOG),
    ("octets behind a reply are no fault", "mta/milter/wire.c",
     "read(&in, &reply) && cursor_done(&in)", "read(&in, &reply)", DIALOG),
    ("an address brings a line along", "mta/milter/wire.c",
     "return is_printable(reply->name) &&", "return", DIALOG),
    # --- what it may say when
    ("options are whatever it says", "mta/milter/milter_hear.c",
     "(options->actions & ~(uint32_t)MILTER_ACTIONS) != 0", "0", DIALOG),
    ("flags are whatever it says", "mta/milter/milter_hear.c",
     "(options->flags & ~(uint32_t)MILTER_FLAGS) != 0", "0", DIALOG),
    ("changes come at any time", "mta/milter/milter_hear.c",
     "if (m->waiting != MILTER_END)\n\t\treturn refuse(m, \"the filter changes before",
     "if (0)\n\t\treturn refuse(m, \"the filter changes before", DIALOG),
    ("changes nobody agreed on", "mta/milter/milter_hear.c",
     "if ((m->options.actions & action_of(reply)) == 0)", "if (0)", DIALOG),
    ("connect is discarded", "mta/milter/milter_hear.c",
     "if (m->waiting == MILTER_CONNECT || m->waiting == MILTER_HELO)", "if (0)", DIALOG),
    ("a refused session is forgotten", "mta/milter/milter_hear.c",
     "if (session)\n\t\tm->standing = m->answer;", "", DIALOG),
    ("skip at any time", "mta/milter/milter_hear.c",
     "if (m->waiting != MILTER_BODY ||", "if (", DIALOG),
    ("what nobody asked is an answer", "mta/milter/milter.c",
     "if (m->used < m->in.n)", "if (0)", DIALOG),
    ("a question is given up in the middle", "mta/milter/milter.c",
     "if (m->waiting != 0)\n\t\tmilter_fail(m, \"given up in the middle\");", "", DIALOG),
    ("a message is not aborted", "mta/milter/milter.c",
     "if (m->in_mail && m->err.kind == ERR_NONE &&", "if (0 &&", DIALOG),
    # --- the header
    ("our field is theirs", "mta/milter/header.c",
     "if (!milter_header_is_own(header, i) &&", "if (", HEADER),
    ("fields without end", "mta/milter/header.c",
     "if (header->n >= MILTER_FIELDS_MAX)", "if (0)", HEADER),
    ("a field grows together with the body", "mta/milter/header.c",
     "if (header->separated || (body && header->changed))", "if (header->separated)",
     HEADER),
    ("LF alone ends a fold", "mta/milter/header.c",
     "*to++ = '\\r';\n\t\t\tc = '\\n';", "c = '\\n';", HEADER),
    # --- the message
    ("held mail is not", "queue/envelope.c",
     "e->held = (flags & FLAG_HELD) != 0;", "", ENVELOPE),
    ("held mail goes out", "queue/intake.c",
     "if (job_message(job)->marks & MESSAGE_HELD)", "if (0)", f"{FILTER} quarantine"),
    ("a filter that breaks off has changed", "mta/receive/chain.c",
     "keep_clear(&chain->fresh);", "", f"{FILTER} half_a_body"),
    ("a new body has any line ends", "mta/receive/keep.c",
     "if (c == '\\n' && !keep->cr)", "if (0)", f"{FILTER} new_body"),
    ("discarded mail is delivered", "mta/receive/chain_store.c",
     "if (chain->discarded != NULL || chain->envelope.nrcpts == 0)",
     "if (chain->envelope.nrcpts == 0)", f"{FILTER} discarded"),
    ("who is down is asked each time", "mta/receive/filter.c",
     "filter->since < filter->state->until)", "0)", f"{FILTER} delays_nobody"),
    ("nobody looks whether it is back", "mta/receive/filters.c",
     "timer_start(state->try, retry);", "", f"{FILTER} comes_back"),
    ("who was added need not exist", STORE_C,
     "if (chain_find_rcpt(said, address) < said->nrcpts) {", "if (1) {", f"{END} must_exist"),
    ("nobody is asked about who was added", STORE_C,
     "if (receive->askers == NULL)\n\t\treturn false;", "return false;", f"{END} is_asked"),
    ("who is unknown takes the message along", STORE_C,
     "if (chain->envelope.nrcpts == 0)\n\t\trefuse(chain, &err);\n\telse if", "if",
     f"{END} nobody_left"),
    ("the second piece is never written", STORE_C, "timer_start(chain->turn, 0);", "",
     f"{END} large"),
    ("a map that fails holds up all programs", "mta/receive/pickup_file.c",
     "return PICKUP_PUT_OFF;", "return PICKUP_LATER;",
     "tests/integration/test_lookups.py holds_up_only"),
    ("programs pass without", "mta/receive/chain.c",
     "return !state->config->skip_programs;", "return false;", f"{PROGRAMS} told_all"),
    ("programs cannot pass without", "mta/receive/chain.c",
     "return !state->config->skip_programs;", "return true;", f"{PROGRAMS} left_out"),
    ("what a filter puts off for programs comes back", PICKUP_C,
     "filter->err.kind != ERR_PERM && !is_too_old(file)", "0", f"{PROGRAMS} holds_up_nobody"),
    ("what a filter puts off for programs waits for ever", PICKUP_C,
     "filter->err.kind != ERR_PERM && !is_too_old(file)", "filter->err.kind != ERR_PERM",
     f"{PROGRAMS} too_long"),
    ("nobody hears of a program's refused recipient", PICKUP_C,
     "refuse_one(file, filter->rcpt);", "file->envelope.nrcpts--;",
     f"{PROGRAMS} refuses_comes"),
    ("a program's discarded mail goes out", PICKUP_C,
     "(void)id;\n\tfile->envelope.nrcpts = 0;", "(void)id;", f"{PROGRAMS} discarded"),
    ("nobody hears of a program's refused message", PICKUP_C,
     "if (!is_refused(file, &file->said.rcpts[i]))", "if (0)",
     f"{PROGRAMS} message_that_is_refused"),
    ("the code is ours", "mta/smtp/session.c",
     "session->code = code;", "(void)code;", f"{FILTER} refuses"),
]

if __name__ == "__main__":
    sys.exit(mutation.main(MUTANTS, *sys.argv[1:2]))
