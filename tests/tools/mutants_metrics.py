#!/usr/bin/python3
"""Are the counts and their way to monitoring guarded?  See mutation.py.

    mutants_metrics.py [WORDS]
"""
import sys

import mutation

UNIT = "unit:metrics_test"
WEB = "tests/integration/test_metrics.py"
HAPPENS, OUTLIVE, HEALTH = WEB + " happens", WEB + " outlive", WEB + " health"
FLOOD, TRICKLE, WORDS = WEB + " without_end", WEB + " trickles", "unit:web_words_test"
SAME, REFUSED, WAITING = WEB + " the_same", WEB + " is_refused", WEB + " client_waiting"

FILTERS, RENEWALS, REASON = WEB + " filters_are", WEB + " renewals_are", WEB + " reason"
PROOF = "tests/integration/test_lab_sts.py counted_so"

# what is broken, where, what stands there, what instead, who has to notice
MUTANTS = [
    # --- the page
    ("a count is set", "mta/metrics.c",
     "atomic_load_explicit(value, memory_order_relaxed) + n", "n", UNIT),
    ("a level outlives its process", "mta/metrics.c", "if (alive ||", "if (1 ||", UNIT),
    ("a page may shrink", "mta/metrics.c", "F_SEAL_SHRINK | ", "", UNIT),
    ("a page may be sealed by a role", "mta/metrics.c", " | F_SEAL_SEAL", "", UNIT),
    ("a short page is used", "mta/metrics.c",
     "st.st_size == sizeof(*page)", "st.st_size > 0", UNIT),
    # --- the text
    ("each sample is a family", "mta/metrics_text.c",
     "*last = sample->family;", "", UNIT),
    ("a quotation mark ends a label", "mta/metrics_text.c",
     "if (*value == '\\\\' || *value == '\"')", "if (*value == '\\\\')", UNIT),
    ("a label is cut in the middle", "mta/metrics_text.c",
     "if (at + 3 >= size || ", "if (", UNIT),
    # --- the roles
    ("a session is never closed", "mta/receive/inbound.c",
     "metrics_set(METRIC_SESSIONS_OPEN, in->receive->nsessions - 1);", "", HAPPENS),
    ("refusals of recipients are not counted", "mta/receive/recipient.c",
     "metrics_add(err->kind == ERR_PERM", "metrics_add(err->kind != ERR_PERM", HAPPENS),
    ("deliveries into a mailbox have a hop", "mta/deliver/job.c",
     "way->host[0] == '\\0' ? METRIC_HOPS_LOCAL", "0 ? METRIC_HOPS_LOCAL", HAPPENS),
    ("what was verified is encrypted", "mta/deliver/link_tls.c",
     "switch (policy_got(&link->setup.plan, &link->seen))", "switch (link->seen.got)", PROOF),
    ("who was verified by WebPKI had records", "mta/deliver/link_tls.c",
     "return link->setup.plan.wanted == TLS_AUTH_PKIX", "return false", PROOF),
    ("what was settled is not counted", "mta/queue/settle.c",
     "metrics_add(METRIC_SETTLED_DELIVERED, fate == FATE_DELIVERED);", "", HAPPENS),
    # --- the supervisor
    ("a process takes its counts with it", "mta/supervisor/meter.c",
     "metrics_page_sum(child->page, false, meter->gone);", "", OUTLIVE),
    ("restarts are not counted", "mta/supervisor/children.c",
     "child->supervisor->meter.restarts[child->kind]++;", "", OUTLIVE),
    ("a refused reload does not show", "mta/supervisor/meter.c",
     "sup->reload_problem[0] != '\\0'", "0", REFUSED),
    ("degraded is not well", "mta/web_words.c", "SPAN(\"degraded\")", "SPAN(\"x\")",
     REFUSED),
    ("refusals have no reason", "mta/supervisor/meter.c",
     "(int64_t)out->sup->refusals.counts[k]", "0", REASON),
    ("what was not refused has a reason", "mta/supervisor/meter.c",
     "k = REFUSAL_NONE + 1;", "k = REFUSAL_NONE;", REASON),
    ("a certificate that is refused does not show", "mta/supervisor/meter.c",
     "name, renewal_alarms(out->sup->renewal, name)", "name, 0", RENEWALS),
    ("a refused renewal is not counted", "mta/supervisor/renewal_case.c",
     "counts->refused++;", ";", RENEWALS),
    ("a renewal is not counted", "mta/supervisor/renewal_look.c",
     "sup->renewal->counts.taken++;", "", RENEWALS),
    ("one that waits is refused", "mta/supervisor/renewal_case.c",
     "counts->waited++;", "counts->refused++;",
     "tests/integration/test_renewal.py key_swap"),
    # --- filters
    ("an answer has failed", "mta/receive/filter.c", "count(filter, METRIC_FILTER_ANSWERED);",
     "count(filter, METRIC_FILTER_FAILED);", FILTERS),
    ("a failure is an answer", "mta/receive/filter.c", "count(filter, METRIC_FILTER_FAILED);",
     "count(filter, METRIC_FILTER_ANSWERED);", FILTERS),
    ("who is down is asked", "mta/receive/filter.c",
     "metrics_add(METRIC_FILTER_NOT_ASKED, 1);", "", FILTERS),
    ("nobody waits for filters", "mta/receive/filter.c",
     "METRIC_FILTER_WAIT_MS, loop_now", "METRIC_FILTER_WAIT_MS, 0 * loop_now", FILTERS),
    ("a refusal of a filter is not counted", "mta/receive/chain.c",
     "metrics_add(metric_of(answer), 1);", "", FILTERS),
    ("a filter that is down does not show", "mta/receive/filters.c",
     "\tcount_down(filters);\n\tfor", "\tfor", FILTERS),
    # --- HTTP
    ("anything is metrics", "mta/web_words.c", "if (strcmp(path, pages[i].path) == 0)",
     "if (1)", HEALTH),
    ("a long path is copied", "mta/net/http_server.c",
     "if (strlen(path) >= sizeof(request->path)) {", "if (0) {", HEALTH),
    ("POST is GET", "mta/net/http_server.c",
     "refuse_method(request);", "ask(request, url);", HEALTH),
    ("an answer at once is forgotten", "mta/net/http_server.c",
     "timer_start(server->timer, 0);", "(void)0;", HEALTH),
    ("who asks without end has the loop", "mta/net/http_server.c",
     "(void)MHD_run(server->daemon);",
     "do { (void)MHD_run(server->daemon); tell_owner(server); } while "
     "(server->requests != NULL && server->requests->status != 0);", FLOOD),
    ("nobody loses patience", "mta/web/web.c",
     "timer_start(web->patience, first > now ? first - now : 0);", "(void)0;", WAITING),
    ("who waits shortly waits no longer", "mta/web/web.c", " || asked->until > now)", ")",
     WEB + " as_long_as"),
    ("slow ones keep their places", "mta/net/http_server.c",
     "if (server->nclients > HTTP_CONNECTIONS)", "if (0)", TRICKLE),
    ("who has asked is cut for others", "mta/net/http_server.c",
     "client_of(request->connection)->waits = true;", "", WEB + " has_asked_is_not_cut"),
    ("slow ones have no end", "mta/net/http_server.c",
     "client->since + HTTP_WHOLE_MS <= now)", "0)", TRICKLE),
    ("a connection ends, whatever it asks", "mta/net/http_server.c",
     "\tif (unlist(server, client))\n\t\tlist_last(", "\tif (0)\n\t\tlist_last(",
     WEB + " keeps_the_connection"),
    ("any name is ours", "mta/net/http_server.c", "if (!server->ops->is_host(",
     "if (0 && !server->ops->is_host(", WEB + " strangers_name"),
    ("any name of ours is an address", "mta/web_words.c",
     "inet_pton(AF_INET, text, &address) == 1)", "1)", WORDS),
    ("all in brackets is an address", "mta/web_words.c",
     "inet_pton(AF_INET6, text, &address) == 1", "1", WORDS),
    ("a bracket need not end", "mta/web_words.c", "host[1 + n] == ']' &&", "", WORDS),
    ("no page is a page", "mta/web_words.c", "\tif (text.n == 0)\n\t\treturn 500;\n", "", WORDS),
    ("what cannot be made is not told", "mta/supervisor/meter.c",
     "\tipc_put_ask(&out, &answer);\n\tchannel_send(",
     "\tipc_put_ask(&out, &answer);\n\tif (text.n > 0)\n\t\tchannel_send(", "unit:meter_test"),
    ("what came back is not counted", "mta/report/returns.c",
     "metrics_add(METRIC_REPORTS_RETURNED, 1);", "",
     "tests/integration/test_report_bounce.py left_alone"),
    ("the command names no family", "mta/ctl/metrics.c",
     "sample.family == METRIC_FAMILIES", "1", SAME),
]


if __name__ == "__main__":
    sys.exit(mutation.main(MUTANTS, *sys.argv[1:2]))
