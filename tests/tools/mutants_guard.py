#!/usr/bin/python3
"""Is port 25 defended?  Break one place at a time, and see a test fail.

    mutants_guard.py [WORDS]

See mutation.py for how it is done.
"""
import sys

import mutation

GUARD_C, NET_C, PROXY_C = "mta/receive/guard.c", "mta/receive/networks.c", "mta/receive/proxy.c"
IN_C, DOORS_C = "mta/receive/inbound_guard.c", "mta/receive/doors.c"
LIST_C, SCREEN_C, GREY_C = ("mta/receive/dnsbl.c", "mta/receive/screen.c",
                            "mta/receive/greylist.c")
REPLY_C, SESSION_C = "mta/smtp/session_reply.c", "mta/smtp/session.c"
GUARD, LIMITS, PROXY, DNSBL, GREY, CIDR = (
    f"unit:{name}_test"
    for name in ("guard", "smtp_limits", "proxy", "dnsbl", "greylist", "cidr"))
BROKEN = "tests/integration/test_mutations.py"
HELD = "unit:smtp_session_memory_test"
LIVE, SCREEN = "tests/integration/test_guard.py", "tests/integration/test_screen.py"

# what is broken, where, what stands there, what instead, who has to notice
MUTANTS = [
    # --- what is refused takes no room
    ("refused recipients are kept", "mta/smtp/session_params.c",
     "arena_rewind(session->arena, session->granted);", "", HELD),
    ("accepted recipients are not kept", SESSION_C,
     "session->pending;\n\tsession->granted = arena_mark(session->arena);",
     "session->pending;", HELD),
    ("what was sent at once is held for good", "mta/smtp/session_hold.c",
     "buf_rest(&session->in, SESSION_REST);", "", HELD),
    ("what was said at once is held for good", SESSION_C,
     "buf_rest(&session->out, SESSION_REST);", "", HELD),
    # --- networks and their pace
    ("an IPv6 client is its address", "mta/cidr.c", "#define NETWORK_BITS 64",
     "#define NETWORK_BITS 128", CIDR),
    ("nothing is forgotten", NET_C, "if (row->sessions == 0) {", "if (0) {", GUARD),
    ("sessions are forgotten", NET_C, "if (row->sessions == 0) {", "if (1) {", GUARD),
    ("what is refused counts", NET_C,
     "if (due + period_ms > (now + period_ms) * most)\n\t\treturn false;",
     "if (due + period_ms > (now + period_ms) * most) {\n\t\trate->due = due + period_ms;\n"
     "\t\treturn false;\n\t}", GUARD),
    ("a pace is never made up", NET_C, "rate->due > now * most ? rate->due : now * most",
     "rate->due", GUARD),
    ("a session is not given back", GUARD_C, "pass->network->sessions--;", ";", GUARD),
    ("who may relay is counted", GUARD_C, "config_may_relay(config, client) ||", "", GUARD),
    ("who is allowed is counted", GUARD_C,
     "config_in_networks(&config->defence.allow, client)", "false", GUARD),
    ("slow ones may save up", GUARD_C, "if (pace->until > most)", "if (0)", GUARD),
    ("octets buy no time", GUARD_C, "pace->until += (uint64_t)octets", "pace->until += 0", GUARD),
    ("refusals are told twice", GUARD_C, "guard->refusals = (struct refusals){0};", "", GUARD),
    # --- the session's own limits
    ("unknown recipients do not count", REPLY_C, "if (strcmp(err->enhanced, \"5.1.1\") == 0)",
     "if (0)", LIMITS),
    ("every refusal is an unknown recipient", REPLY_C,
     "if (strcmp(err->enhanced, \"5.1.1\") == 0)", "if (1)", LIMITS),
    ("recipients are idle talk", SESSION_C, "\tsession->commands--;\n", "", LIMITS),
    ("messages make up for nothing", SESSION_C, "session->commands = 0;", "", LIMITS),
    ("chunks are idle talk", "mta/smtp/session_commands.c",
     "if (chunk.left >= CHUNK_COUNTS_BELOW)", "if (0)", LIMITS),
    ("a held session takes commands", SESSION_C, " || session->held)", ")", LIMITS),
    # --- the greylist's file
    ("a busy file is waited for", GREY_C,
     "if (greylist->patience == 0)\n\t\treturn 0;\n\tgreylist->patience--;",
     "if (tries > 50)\n\t\treturn 0;", GREY),
    ("a busy file is never waited for", GREY_C, "if (greylist->patience == 0)", "if (1)", GREY),
    # --- waits
    ("the greeting does not wait", IN_C, "if (in->pass.exempt || ms == 0)", "if (1)", LIVE),
    ("all wait for the greeting", IN_C, "if (in->pass.exempt || ms == 0)", "if (ms == 0)",
     f"{LIVE} exempt"),
    ("early talkers are served", "mta/receive/inbound.c",
     "if (in->state == INBOUND_GREETING) {", "if (0) {", f"{LIVE} early"),
    ("replies are not held", IN_C, "if (!session_held(in->session))", "if (1)",
     f"{LIVE} held_back"),
    ("slow ones are not cut", GUARD_C, "return pace->until != 0 && now >= pace->until;",
     "return false;", f"{LIVE} slow"),
    ("nobody is told", "mta/supervisor/status.c",
     "sup->refusals.counts[k] += more.counts[k];", ";", f"{LIVE} commands"),
    # --- PROXY
    ("a TLV may be longer than all", PROXY_C, "if (n > rest.n)\n\t\t\treturn false;",
     "if (n > rest.n)\n\t\t\treturn true;", PROXY),
    ("half a TLV is none", PROXY_C, "return rest.n == 0;", "return true;", PROXY),
    ("a line needs no CR", PROXY_C, "line.p[line.n - 1] != '\\r'", "false", PROXY),
    ("everybody is a proxy", DOORS_C,
     "door->proxy != NULL && config_in_networks(door->proxy, client)",
     "door->proxy != NULL && door->proxy->n > 0", f"{SCREEN} only_listed"),
    ("nobody is a proxy", DOORS_C,
     "door->proxy != NULL && config_in_networks(door->proxy, client)", "false",
     f"{SCREEN} client_is"),
    # --- block lists
    ("an error code is a listing", LIST_C, "&& !dnsbl_denies(rdata)", "", DNSBL),
    ("every answer is a listing", LIST_C, "rdata.p[0] == 127 && ", "", DNSBL),
    ("nibbles stand the other way", LIST_C, "i % 2 == 0 ? byte & 15 : byte >> 4",
     "i % 2 != 0 ? byte & 15 : byte >> 4", DNSBL),
    ("postmaster is out of reach", IN_C,
     "verdict->score < most || locals_is_postmaster(address)", "verdict->score < most",
     f"{SCREEN} postmaster"),
    ("weights are not heeded", SCREEN_C, "verdict->score += asked->zone->weight;",
     "verdict->score++;", f"{SCREEN} weights"),
    ("nobody is tagged", IN_C, "if (least == 0 || in->verdict.score < least)", "if (1)",
     f"{SCREEN} weights"),
    ("lists are waited for", SCREEN_C, "screening->waiting == 0 ? 0 : defence->dnsbl_ms",
     "600000", f"{SCREEN} bounded"),
    # --- greylisting
    ("who comes at once is taken", GREY_C, "if (age >= config->delay)", "if (1)", GREY),
    ("who comes too late is taken", GREY_C, "if (age > config->window)", "if (0)", GREY),
    ("neighbours are strangers", GREY_C, "network.bits = 24;", ";", GREY),
    ("a network is never known", GREY_C, "put(db, count_sql, key, 1, now, 0);", ";", GREY),
    ("there is always room", GREY_C,
     "row.first == 0 && greylist->rows >= greylist->config->rows", "false", GREY),
    ("old ones are kept", GREY_C, "forget(db, forget_sql, now - config->window);", "", GREY),
    ("a damaged file stays", GREY_C, "db_is_damaged(greylist->db.rc) &&", "false &&", GREY),
    # --- broken sessions, by the thousand
    ("a session leaves its memory behind", "mta/receive/inbound.c",
     "\tsession_free(&in->session);\n\tarena_free(&in->arena);\n\tmem_free(in);\n\treceive_session_ended",
     "\treceive_session_ended", BROKEN),
    ("a broken handshake ends the process", "mta/receive/inbound.c",
     "\tlook_at_tls(in);\n\tconn_close(&in->conn);\n",
     "\tlook_at_tls(in);\n\tif (in->seen.broken != 0)\n\t\t__builtin_trap();\n\tconn_close(&in->conn);\n", BROKEN),
]


if __name__ == "__main__":
    sys.exit(mutation.main(MUTANTS, *sys.argv[1:2]))
