#!/usr/bin/python3
"""Is what we saw of those whom reports name guarded?  See mutation.py.

    mutants_report_here.py [WORDS]

From a session's end to the store, and from there to the summary of reports.
"""
import sys

import mutation

WORDS_C, STORE_C, VIEW_C, SENDERS_C = (
    f"reporting/{name}.c" for name in (
        "inbound", "inbound_store", "inbound_store_view", "inbox_store_senders"))
WIRE_C, SEEN_C, ROLE_C, BREAK_C, HERE_C, PRINT_C = (
    "mta/ipc_inbound.c", "mta/receive/seen.c", "mta/report/inbound.c", "mta/net/tls_break.c",
    "mta/ctl/report_here.c", "mta/ctl/report_here_print.c")
WORDS, STORE, SENDERS, FLOW, BREAK = (
    f"unit:{name}_test" for name in (
        "inbound", "inbound_store", "inbox_senders", "inbound_flow", "tls_break"))
HERE = "tests/integration/test_report_here.py"
SHARES_C, SHARES = "mta/ctl/report_shares.c", "unit:report_shares_test"

# what is broken, where, what stands there, what instead, who has to notice
MUTANTS = [
    # --- addresses and words
    ("blanks are part of an address", WORDS_C, 'text = text_trim(text, " \\t\\r\\n");', "", WORDS),
    ("brackets are part of an address", WORDS_C, "text.n >= 2 && text.p[0] == '['", "false",
     WORDS),
    ("the tag is part of an address", WORDS_C, 'span_starts_nocase(text, SPAN("IPv6:"))', "false",
     WORDS),
    ("IPv4 is something else", WORDS_C, "memcpy(found, mapped, sizeof(mapped));",
     "memset(found, 0, sizeof(mapped));", WORDS),
    ("junk is an address", WORDS_C,
     "if (inet_pton(AF_INET, copy, found + sizeof(mapped)) != 1)\n\t\t\treturn false;",
     "(void)inet_pton(AF_INET, copy, found + sizeof(mapped));", WORDS),
    ("each stays by itself", WORDS_C, "by_kind(last, &list[i]) != 0", "true", WORDS),
    ("alerts are all one", WORDS_C, "return (x->alert > y->alert) - (x->alert < y->alert);",
     "return 0;", WORDS),
    ("days are all one", WORDS_C, "if (x->day != y->day)", "if (false)", WORDS),
    ("a sum runs over", WORDS_C, "list[i].sessions > UINT32_MAX - last->sessions", "false", WORDS),
    ("an alert is the one before", WORDS_C, "? alerts[alert]", "? alerts[alert - (alert > 0)]",
     WORDS),
    ("what is no alert has no name", WORDS_C, 'return name == NULL ? "unassigned" : name;',
     'return name == NULL ? "" : name;', WORDS),
    ("two outcomes are one", WORDS_C, '{"dropped", "cut off', '{"slow", "cut off', WORDS),
    ("two outcomes read alike", WORDS_C, '"with TLS, left without mail"', '"with mail in the clear"',
     WORDS),
    # --- the store
    ("a day has any room", STORE_C, "has_room(adding, seen, 0, adding->rows - adding->rows / 4)",
     "true", STORE),
    ("a network has any room", STORE_C,
     "if (!has_room(adding, seen, network_of(seen->address), share))", "if (false)", STORE),
    ("strangers have all the room", STORE_C, "adding->rows - adding->rows / 4", "adding->rows",
     STORE),
    ("those of yesterday have any room", STORE_C,
     "(has_room(adding, seen, 0, adding->rows) &&", "(true &&", STORE),
    ("anybody was here yesterday", STORE_C, "return found != 0;", "return true;", STORE),
    ("nobody was here yesterday", STORE_C, "return found != 0;", "return false;", STORE),
    ("scans take the room of handshakes", STORE_C, "\t\treturn 0;\n\tcase INBOUND_BROKEN:",
     "\t\treturn 1;\n\tcase INBOUND_BROKEN:", STORE),
    ("all of IPv4 is one network", STORE_C, "? INBOUND_ADDRESS - 2", "? INBOUND_ADDRESS - 4", STORE),
    ("a network of IPv6 is a /64", STORE_C, ": 4;", ": 8;", STORE),
    ("what has no room is not told", STORE_C, "adding->untold += seen->sessions;", "", STORE),
    ("what was lost on the way is not told", STORE_C, "adding->untold = batch->untold;", "", STORE),
    ("nothing is missing", STORE_C, "THEN excluded.first - last ELSE 0 END", "THEN 0 ELSE 0 END",
     STORE),
    ("a moment is a gap", STORE_C, "excluded.first - last > ?4", "excluded.first > last", STORE),
    ("the day before was not counted", STORE_C, "if (from / DAY_S < day)", "if (false)", STORE),
    ("a clock that jumps counted it all", STORE_C, "batch->to - batch->from > DAY_S", "false",
     STORE),
    ("old days stay", STORE_C, "\tforget(db, batch->to, batch->days);\n", "", STORE),
    ("days go by a clock that is ahead", STORE_C, "then / DAY_S - days", "now / DAY_S - days", STORE),
    ("damage stays", STORE_C, "rc < 0 && db_is_damaged(db.rc)", "false", STORE),
    ("damage is no error", VIEW_C, "if (rc < 0)\n\t\tinbound_view_close(&view);", "rc = 0;",
     STORE),
    # --- senders of reports
    ("a report has one day", SENDERS_C, "end > start ? end - 1 : start", "start", SENDERS),
    ("midnight is of the next day", SENDERS_C, "end > start ? end - 1", "end > start ? end",
     SENDERS),
    ("all senders are one", SENDERS_C, "PRIMARY KEY (report, result, address, mx, receiver)",
     "PRIMARY KEY (report, result)", SENDERS),
    ("junk stops the report", SENDERS_C,
     "\t\t\tcontinue;\n\t\t(*n)++;", "\t\t\treturn false;\n\t\t(*n)++;", SENDERS),
    ("a report names any number", SENDERS_C, "*n == INBOX_KINDS ||", "", SENDERS),
    ("a host has any length", SENDERS_C, "?3, substr(?4, 1, \" TEXT \"),\"", "?3, ?4,\"",
     SENDERS),
    ("an older file is damaged", SENDERS_C, "if (tables == 0)", "if (false)", SENDERS),
    # --- on the way
    ("any outcome is one", WIRE_C, "outcome < INBOUND_OUTCOMES &&", "true &&", FLOW),
    ("no session is one", WIRE_C, "ret->sessions > 0", "true", FLOW),
    ("there may be fewer", WIRE_C, "n > IPC_INBOUND_MAX", "n >= IPC_INBOUND_MAX", FLOW),
    ("more may follow", WIRE_C, "return cursor_done(&in);", "return true;", FLOW),
    ("sockets are addresses", SEEN_C, "!inbound_address_read(session->client, one.address)",
     "(inbound_address_read(session->client, one.address), false)", FLOW),
    ("it is counted where nobody wants it", SEEN_C, "if (!config_counts_inbound(receive->config))",
     "if (0)", FLOW),
    ("who takes no reports counts", "mta/config.c",
     "return config->reporting.inbound_days > 0 &&\n\t       config_takes_reports(config);",
     "return config->reporting.inbound_days > 0;", FLOW),
    ("nobody is a sender", PRINT_C, "if (group.senders == 0) {", "if (0) {",
     f"{HERE} without_addresses"),
    ("mail is no matter", SEEN_C, "if (session->messages > 0)", "if (false)", FLOW),
    ("an alert behind the handshake is none", SEEN_C, "session->broken == TLS_BREAK_ALERT",
     "session->tls == SEEN_SHAKING && session->broken == TLS_BREAK_ALERT", FLOW),
    ("whoever was turned away went", SEEN_C, "if (session->turned_away)", "if (false)", FLOW),
    ("slow is dropped", SEEN_C, "session->slow ? INBOUND_SLOW : INBOUND_DROPPED",
     "INBOUND_DROPPED", FLOW),
    ("what cannot be told is no number", SEEN_C, "waiting->untold++;", ";", FLOW),
    ("it is told again", SEEN_C, "\twaiting->n = 0;\n", "", FLOW),
    ("a day is that of the end", SEEN_C, "session->began / DAY_S", "0", FLOW),
    ("what is too much is no number", ROLE_C, "counting->untold += heard->seen[i].sessions;", "",
     FLOW),
    ("those alike take room", ROLE_C,
     "\tcounting->n = inbound_merge(counting->seen, counting->n);\n\tif", "\tif", FLOW),
    ("turned off, it stays", ROLE_C, "\t\tforget_all(role);\n", "", FLOW),
    ("the last ones are not written", ROLE_C, "\t(void)write_now(counting);\n\ttimer_free",
     "\ttimer_free", FLOW),
    # --- a handshake, and what is made of it
    ("no alert is one", BREAK_C, "return reason > SSL_AD_REASON_OFFSET &&",
     "return false && reason > SSL_AD_REASON_OFFSET &&", BREAK),
    ("alerts have other numbers", BREAK_C, "(uint8_t)(reason - SSL_AD_REASON_OFFSET)",
     "(uint8_t)reason", BREAK),
    ("a version is something else", BREAK_C, "return TLS_BREAK_VERSION;",
     "return TLS_BREAK_OTHER;", BREAK),
    ("a cipher is something else", BREAK_C, "return TLS_BREAK_CIPHER;",
     "return TLS_BREAK_OTHER;", BREAK),
    ("what SMTP says is nothing", BREAK_C,
     "default:\n\t\treturn TLS_BREAK_OTHER;", "default:\n\t\treturn TLS_BREAK_NONE;", BREAK),
    ("it is not said where it went", PRINT_C, "\tprint_where(one);\n", "", f"{HERE} elsewhere"),
    ("a part is the whole day", HERE_C, "is->first > start + INBOUND_GAP", "false",
     f"{HERE} not_known"),
    ("gaps are no matter", HERE_C, "is->gap > 0 ||", "", f"{HERE} not_known"),
    ("what is not told apart is no matter", HERE_C, "else if (is->untold > 0)", "else if (false)",
     f"{HERE} not_known"),
    ("the first day fills the list", HERE_C, "if (list->n < SEEN_MAX)", "if (list->n < HERE_KINDS)",
     f"{HERE} two_days"),
    ("any kinds are told", HERE_C, "\t\tqsort(\n\t\t    list->kinds, list->n, sizeof(list->kinds[0]), "
     "by_sessions);\n", "\t\t;\n", f"{HERE} two_days"),
    ("no day is a day", HERE_C, "if (is->last == 0)", "if (false)", f"{HERE} not_known"),
    ("any day is the last failure's", HERE_C, "sender->first_day <= here->ask.last_day &&", "",
     f"{HERE} advice"),
    ("an older day is, too", "mta/ctl/report_advise.c", "told.is.last_failure, told.is.last_failure,",
     "0, told.is.last_failure,", f"{HERE} advice"),
    ("who is trusted is not told", HERE_C, "(sender->vouched || here->ask.trusting)",
     "sender->vouched", f"{HERE} advice"),
    ("those seen come last", HERE_C, "if (seen != 0)\n\t\treturn seen;",
     "if (seen != 0)\n\t\treturn -seen;", f"{HERE} long_list"),
    ("one reporter fills the list", HERE_C, "#define SHARE_MAX 500u", "#define SHARE_MAX 200000u",
     f"{HERE} hide_the_others"),
    ("one zone fills the list", HERE_C, "shares_want(shares, shares_zone(shares, from[i].zone));", "",
     f"{HERE} one_zone"),
    ("one zone fills all lists", HERE_C, "shares_want(here->shares, here->now.zone);", ";",
     f"{HERE} nor_what"),
    ("what is cut is not told", HERE_C, "\tgroup->cut |= kind->n > GROUP_MAX;\n", "", f"{HERE} one_zone"),
    ("whom a share cuts is not told", HERE_C, ".cut = here->now.is_cut}", "}", f"{HERE} hide_the_others"),
    ("each name is a zone", SHARES_C, "last > signer && last[-1] != '.'", "last > signer", SHARES),
    ("turns are first come", SHARES_C, "zone->has > shares->each ||\n", "false ||\n", SHARES),
    ("what one does not want is lost", SHARES_C, "left -= shares->turns[shares->each++];",
     "{ left -= shares->turns[0]; shares->each++; }", SHARES),
    ("shares have no end", SHARES_C, "shares->taken == shares->most || ", "", SHARES),
    # --- failures of no kind
    ("an old sender of no kind is nobody", SENDERS_C,
     "CASE s.result WHEN '' THEN '\" INBOX_UNSPECIFIED\n    \"' ELSE s.result END,", "s.result,", SENDERS),
    ("a sender of no kind is nobody's", SENDERS_C, "inbox_result_type(failure)", "\"none\"", SENDERS),
    ("hosts are one", HERE_C, 'last->mx = "";', "", f"{HERE} elsewhere"),
]

if __name__ == "__main__":
    sys.exit(mutation.main(MUTANTS, *sys.argv[1:2]))
