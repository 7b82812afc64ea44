#!/usr/bin/python3
"""Is what MTA-STS and WebPKI ask of a host guarded?  Break one place at a time.

    mutants_policy.py [WORDS]

See mutation.py for how it is done.
"""
import sys

import mutation

CELLS, TRUTH = "unit:policy_cells_test", "unit:policy_truth_test"
NAMES, SEEN = "unit:policy_sts_test", "unit:tls_seen_test"
WEBPKI, RESUME = "unit:tls_webpki_test", "unit:tls_resume_test"
STATE, BRIEF = "unit:sts_policy_test", "unit:decision_json_test"
START = "tests/integration/test_start.py authorities"
EXPLAIN = "tests/integration/test_explain.py trusts"
RTLS = "tests/integration/test_lab_requiretls.py"
QUEUE = "tests/integration/test_queue_command.py tried"
AUDIT = "tests/integration/test_lab_audit.py what_enforcement"
RULES = "unit:config_tls_test"

PLAN, NAME, JUDGE, KEY = (f"policy/{f}.c" for f in ("plan", "names", "judge", "key"))
VERIFY, CLIENT = "mta/net/tls_verify.c", "mta/net/tls_client.c"
DEMAND, WEB, LOAD = "mta/net/tls_demand.c", "mta/net/tls_web.c", "mta/load.c"

# what is broken, where, what stands there, what instead, who has to notice
MUTANTS = [
    # --- the plan
    ("testing is enforce", "policy/sts_policy.c",
     "? STS_TESTING_MATCH\n", "? STS_MATCH\n", STATE),
    ("testing without the host is enforce", "policy/sts_policy.c",
     ": STS_TESTING_NO_MATCH;", ": STS_NO_MATCH;", STATE),
    ("a policy in testing mode is in force", PLAN,
     "\tif (facts->sts != STS_MATCH)\n\t\treturn false;\n\tplan->host_counts = true;\n"
     "\treturn decide(plan, TLS_AUTH_PKIX, SOURCE_STS,",
     "\tif (facts->sts != STS_MATCH && facts->sts != STS_TESTING_MATCH)\n\t\treturn false;\n"
     "\tplan->host_counts = true;\n\treturn decide(plan, TLS_AUTH_PKIX, SOURCE_STS,", CELLS),
    ("testing keeps hosts out", PLAN, "if (facts->sts != STS_NO_MATCH)",
     "if (facts->sts != STS_NO_MATCH && facts->sts != STS_TESTING_NO_MATCH)", CELLS),
    ("testing is good enough for REQUIRETLS", PLAN,
     "facts->sender != SENDER_REQUIRES_TLS || facts->sts == STS_MATCH",
     "facts->sender != SENDER_REQUIRES_TLS || facts->sts == STS_MATCH ||"
     " facts->sts == STS_TESTING_MATCH", CELLS),
    ("REQUIRETLS waits for no answer about a policy", PLAN,
     "if (facts->sts == STS_NOT_OBTAINED)", "if (0)", CELLS),
    ("REQUIRETLS waits for a policy nobody has", PLAN,
     "if (facts->sts == STS_NOT_OBTAINED)", "if (facts->sts <= STS_NONE)", CELLS),
    ("a policy never counts", PLAN, "plan->sts_counts = true;", "", CELLS),
    ("unusable records come before a policy", PLAN,
     "    by_sts,\n    by_unusable_tlsa,", "    by_unusable_tlsa,\n    by_sts,", CELLS),
    ("a policy comes before DANE", PLAN,
     "    by_secure_dane,\n    by_sts_filter,", "    by_sts_filter,\n    by_secure_dane,", CELLS),
    ("a policy is content with an operator's names", PLAN,
     "plan->host_counts = true;\n\treturn decide(plan, TLS_AUTH_PKIX, SOURCE_STS,",
     "return decide(plan, TLS_AUTH_PKIX, SOURCE_STS,", NAMES),
    ("so it is beside DANE", PLAN,
     "plan->host_counts = true;\n\treturn decide(plan, TLS_AUTH_BOTH,",
     "return decide(plan, TLS_AUTH_BOTH,", NAMES),
    ("so is REQUIRETLS", PLAN, "plan->host_counts = facts->hop != HOP_CONFIGURED;", "", NAMES),
    ("REQUIRETLS wants a name of what is configured", PLAN,
     "plan->host_counts = facts->hop != HOP_CONFIGURED;", "plan->host_counts = true;", NAMES),
    ("REQUIRETLS is said to any name", "policy/onward.c",
     "is_by_its_name(facts, plan) &&", "", NAMES),
    ("and to none that is configured", "policy/onward.c",
     "facts->hop == HOP_CONFIGURED ||", "", NAMES),
    ("the host's name is looked at for enforce alone", NAME,
     "facts->sts == STS_MATCH || facts->sts == STS_TESTING_MATCH", "facts->sts == STS_MATCH", NAMES),
    ("another name by SNI says something", NAME,
     "(plan->sts_counts || strcmp(plan->sni, host) == 0)", "true", NAMES),
    ("under an insecure MX it says nothing", NAME,
     "(plan->sts_counts || strcmp(plan->sni, host) == 0)", "strcmp(plan->sni, host) == 0", NAMES),
    # --- the verdict
    ("the host's name does not count", JUDGE, "(seen->host || !plan->host_counts)", "true", NAMES),
    ("it always counts", JUDGE, "(seen->host || !plan->host_counts)", "seen->host", TRUTH),
    ("what was not seen has failed", JUDGE, "if (seen->host_failure != NULL)", "if (1)", CELLS),
    ("a broken handshake says nothing of a policy", JUDGE,
     "\tcase TLS_GOT_BROKEN:\n\t\treturn STS_VERDICT_NO_TLS;",
     "\t\treturn STS_VERDICT_NO_TLS;\n\tcase TLS_GOT_BROKEN:\n\t\tbreak;", CELLS),
    ("testing would refuse where DANE decides", JUDGE, "testing && plan->sts_counts &&", "testing &&", CELLS),
    ("what is in force is in testing mode", JUDGE, "return testing && plan->sts_counts &&",
     "return plan->sts_counts &&", TRUTH),
    ("a host without TLS is waited for", JUDGE,
     "return plan->onward == ONWARD_NEEDED && seen->got == TLS_GOT_NO_OFFER;", "return false;", CELLS),
    ("any refusal is for good", JUDGE, "plan->enhanced[0] == '5'", "true", CELLS),
    # --- what is shared
    ("a connection is for any host's name", KEY,
     "add_dane(plan, to) < 0 || add_host(plan, to) < 0", "add_dane(plan, to) < 0", NAMES),
    ("what was only looked at had to pass", KEY,
     'plan->host_counts ? "host" : "host-seen"', '"host"', NAMES),
    ("of a host without a name nothing is asked", "policy/key.c",
     "!plan->host_counts && plan->host[0]", "plan->host[0]", TRUTH),
    ("a session is for any host's name", CLIENT, "verify->host = tls->kept.host;", "(void)0;", RESUME),
    ("a session whose host failed is kept", VERIFY,
     "verify->host.check != TLS_CHECK_PASSED);", "false);", RESUME),
    # --- WebPKI
    ("the host's name is not asked for", DEMAND, "\n\t    .host = plan->host,", "", RTLS),
    ("it fails for nobody", DEMAND, "failed_type(true, &facts->host)", "NULL", SEEN),
    ("it fails whoever wants it", DEMAND, "plan->host_counts && ", "", SEEN),
    ("a suffix is a host", VERIFY, "if (!is_plain_name(demand->host))", "if (0)", WEBPKI),
    ("the operator's names are the host's", VERIFY,
     "strcmp(demand->pkix_names[0], demand->host) != 0", "false", WEBPKI),
    ("the first of several names is the host's", VERIFY, "demand->npkix_names != 1 ||",
     "demand->npkix_names == 0 ||", WEBPKI),
    ("a certificate is for any purpose", VERIFY,
     'X509_STORE_CTX_set_default(ctx, "ssl_server") != 1', "false", WEBPKI),
    ("keys may be weak", VERIFY, "X509_VERIFY_PARAM_set_auth_level(param, AUTH_LEVEL);", "", WEBPKI),
    ("common names are names", VERIFY, "X509_CHECK_FLAG_NEVER_CHECK_SUBJECT |", "", WEBPKI),
    ("the environment says who is trusted", CLIENT,
     "return store == NULL && ca_file == NULL ? X509_STORE_new() : store;",
     "if (ca_file == NULL) (void)X509_STORE_set_default_paths(store);"
     " return store == NULL && ca_file == NULL ? X509_STORE_new() : store;", WEBPKI),
    ("deliveries trust the system's", "mta/deliver/deliver.c",
     ".ca_file = deliver->config->ca_file", ".ca_file = NULL", f"{RTLS} proves"),
    ("probe trusts the system's", "mta/ctl/explain.c",
     "tls.ca_file = explain->config->ca_file;", "", EXPLAIN),
    ("authorities that do not load are fine", LOAD,
     "if (check_authorities(config->ca_file, problems) < 0)", "if (0)", START),
    ("a folder of authorities is fine", WEB, "!S_ISREG(st.st_mode)", "false", START),
    # --- what is told
    ("a decision has three words", "mta/decision_json.c", "n == 4 && json", "n >= 3 && json", BRIEF),
    ("or more than four", "mta/decision_json.c", "(n == 3) != (at == NULL) ||", "", BRIEF),
    ("a word may be empty", "mta/decision_json.c", "|| length == 0)", ")", BRIEF),
    ("any state is one", "mta/ctl/queue.c", "if (has_odd_state(options))", "if (0)",
     "tests/integration/test_queue_command.py usage"),
    ("filters are for all", "mta/ctl/queue.c", "if (reads && !list)", "if (0)",
     "tests/integration/test_queue_command.py usage"),
    ("an empty list says nothing", "mta/ctl/ask.c", "else if (show == ASK_TABLE && asking.shown == 0)",
     "else if (0)", "tests/integration/test_queue_command.py empty_list"),
    ("JSON has a word for nothing", "mta/ctl/main.c", "if (!options->json)\n\t\t(void)fprintf(stderr, \"danelaw: nothing",
     "if (1)\n\t\t(void)fprintf(stderr, \"danelaw: nothing", "tests/integration/test_queue_command.py empty_list"),
    ("who asks waits for ever", "mta/supervisor/control.c", "client->waited_enough = true;", "",
     "tests/integration/test_life.py does_not_wait"),
    ("who asks does not wait", "mta/supervisor/control.c", "timer_start(client->patience, ROLE_MS);",
     "timer_start(client->patience, 100);", "tests/integration/test_life.py does_not_wait"),
    ("who has waited once never waits", "mta/supervisor/control.c",
     "\tclient->waited_enough = false;\n\tif (role == NULL) {", "\tif (role == NULL) {",
     "tests/integration/test_life.py does_not_wait"),
    ("queue show tells it as text alone", "mta/ctl/ask.c", "\t\tadd_decisions(item);\n", "", QUEUE),
    ("so does audit summary", "mta/ctl/audit_print.c",
     'object, "decision", decision_brief_json(row->key.tls)', 'object, "decision", NULL', AUDIT),    # --- the operator's rules
    ("a narrower rule lifts a floor", "mta/config_tls.c",
     "return rule->level != OPERATOR_NO_RULE;", "return rule->pattern != NULL;", RULES),
    ("a narrower rule has no enforcement of its own", "mta/config_tls.c",
     "return rule->enforcement != ENFORCEMENT_INHERIT;", "return rule->pattern != NULL;", RULES),
    ("a narrower rule lifts the grade", "mta/config_tls.c",
     "return rule->requiretls != REQUIRETLS_UNSAID;", "return rule->pattern != NULL;", RULES),
    ("the last end counts", "mta/config_tls.c", "found->until < ret->until))",
     "found->until > ret->until))", RULES),
    ("for good is the first end", "mta/config_tls.c", "found->until != 0 &&", "", RULES),
]

if __name__ == "__main__":
    sys.exit(mutation.main(MUTANTS, *sys.argv[1:2]))
