#!/usr/bin/python3
"""Is the gate of renewed certificates guarded?  Break one place at a time.

    mutants_renewal.py [WORDS]

See mutation.py for how it is done.
"""
import sys

import mutation

TABLE, READ = "unit:renewal_test", "unit:renew_test"
SWAP = "tests/integration/test_renewal.py key_swap"
RELOAD = "tests/integration/test_renewal.py held_to_it"
UNKNOWN = "tests/integration/test_renewal_unknown.py no_permission"
HALF = "tests/integration/test_renewal.py half_a_renewal"
START = "tests/integration/test_renewal.py at_the_start"
NEW = "tests/integration/test_renewal.py no_configuration"
KINDS = "tests/integration/test_renewal.py two_kinds"
POLICY = "tests/integration/test_renewal_policy.py policy"
BEFORE = "tests/integration/test_renewal_policy.py policy_of_before"
UNTOLD = "tests/integration/test_renewal_policy.py nobody_tells"
FORCE = "tests/integration/test_renewal.py as_a_command"
DIES = "tests/integration/test_renewal_unknown.py nobody_answers"
SILENT = "tests/integration/test_renewal_unknown.py before_any_lookup"
DOWN = "tests/integration/test_renewal_unknown.py resolver_is_down"
SAME = "tests/integration/test_renewal.py the_same_key"

RULES, LOAD = "policy/renewal.c", "mta/load.c"
JUDGE, LOOK = "mta/gate/judge.c", "mta/gate/look.c"
FLOW, FILES = "mta/supervisor/renewal.c", "mta/supervisor/renewal_files.c"
CASE, LATER = "mta/supervisor/renewal_case.c", "mta/supervisor/renewal_look.c"

# what is broken, where, what stands there, what instead, who has to notice
MUTANTS = [
    # --- the rules
    ("a chain that matches nothing is fine", RULES,
     "host->tlsa == TLSA_USABLE && !host->matches;", "false && host->tlsa == TLSA_USABLE;", TABLE),
    ("unknown records are none", RULES,
     "if (host->tlsa != TLSA_LOOKUP_FAILED)", "if (host->tlsa != TLSA_NOT_EVALUATED)", TABLE),
    ("an enforced policy does not count", RULES,
     "facts, STS_MODE_ENFORCE);", "facts, STS_MODE_NONE + 9);", TABLE),
    ("an unknown policy is none", RULES,
     "facts, STS_MODE_UNKNOWN);", "facts, STS_MODE_NONE + 9);", TABLE),
    ("testing never counts", RULES, "!domain->old_valid)\n\t\t\tcontinue;",
     "true)\n\t\t\tcontinue;", TABLE),
    ("caches are not waited for", RULES,
     "\tif (wait == 0)\n", "\tif (true)\n", TABLE),
    ("policies are not waited for", RULES, "memory->max_age > wait", "false", TABLE),
    ("who has no policy now had none", RULES, "\tremember_policies(facts, &ret->memory);\n", "",
     TABLE),
    ("an enforced policy that is back leaves the clock running", RULES,
     "\t\tmemory->until = 0;\n\t\tif (domain", "\t\tif (domain", TABLE),
    ("the shorter max_age counts", RULES,
     "if (domain->max_age > memory->max_age)", "if (true)", TABLE),
    ("a policy is waited out for a chain that is no better", RULES,
     "facts->domains[i].old_valid)\n\t\t\treturn true;", "true)\n\t\t\treturn true;", TABLE),
    ("one TTL is enough", RULES, "#define TTLS 2", "#define TTLS 1", TABLE),
    ("the last TTL counts", RULES, "if (ttl > memory->absent_ttl)", "if (true)", TABLE),
    ("a TTL that is over is none", RULES, "#define TTL_LEAST 1", "#define TTL_LEAST 0", TABLE),
    ("what is left at the refusal counts alone", RULES,
     "else if (memory->absent_ttl == 0)", "else", TABLE),
    ("whoever matches waits", RULES, "else if (memory->absent_ttl == 0)", "else if (false)",
     TABLE),
    ("a TTL of a week is a day", "mta/gate/gate.c", "setup.dns.ttl_max = DNS_TTL_MAX;", "",
     "tests/integration/test_renewal.py of_a_week"),
    ("a clock makes it longer", RULES,
     "return until > facts->now + wait ? facts->now + wait : until;", "return until;", TABLE),
    ("a greater TTL counts no more once time runs", RULES,
     "\tif (wait > before)\n\t\tuntil += wait - before;\n", "\t(void)before;\n", TABLE),
    ("an old one that is over is waited for", RULES,
     "return facts->has_old && !facts->old_expired;", "return facts->has_old;", TABLE),
    ("kinds of records are not told apart", RULES,
     "host->astray[0] == '\\0')", "true)", TABLE),
    # --- what is read
    ("keys go to every role", LOAD, "\tif (has_key)\n", "\tif (false && has_key)\n", READ),
    # --- the process that looks
    ("the chain in use is judged in its place", JUDGE,
     "ret->matches = passes(gate, chain->new,", "ret->matches = passes(gate, chain->old,", SWAP),
    ("a kind of record is looked at with the others", JUDGE,
     "!is_alike(&all->records[i], kind))", "false)", KINDS),
    ("policies are not looked for", LOOK,
     "\tif (gate->config->renewal.mta_sts)\n", "\tif (false)\n", POLICY),
    ("mode none names no hosts", JUDGE, "domain->mode != STS_MODE_NONE &&", "", BEFORE),
    ("the max_age is not told", "mta/ipc_gate.c", "must(put_u32(out, memory->max_age));",
     "must(put_u32(out, 0));", READ),
    ("what was not fetched is no policy", LOOK,
     "(void)text_copy(domain->why, sizeof(domain->why), end->why);",
     "domain->mode = STS_MODE_NONE;", POLICY),
    ("whose MX nobody tells has none", LOOK, "\tcase MX_FAILED:\n\t\tbreak;",
     "\tcase MX_FAILED:\n\t\tdomain->has_mx = true;\n\t\treturn;", UNTOLD),
    ("whose MX nobody tells has no policy", LOOK,
     "\t\tif (!domain->has_mx)\n\t\t\tcontinue;\n", "", UNTOLD),
    ("none of our names is a host of theirs", JUDGE,
     "\t\t\tjudge_all_hosts(gate, chain, whys[i], ret);\n", "", UNTOLD),
    ("a name with a star is none", "mta/gate/names.c",
     'text.n > 2 && memcmp(text.p, "*.", 2) == 0;', "false;", UNTOLD),
    # --- what becomes of it
    ("the refused chain comes along", FLOW,
     "renew_take(renewal->bundle, current, one->name);", "(void)current;", SWAP),
    ("a reload is not held to it", FLOW,
     "if (renewal->cause == RENEWAL_FORCED ||", "if (renewal->cause >= RENEWAL_OF_RELOAD ||",
     RELOAD),
    ("force is a reload", FLOW, "if (renewal->cause == RENEWAL_FORCED ||", "if (", FORCE),
    ("what nobody answered may pass", FLOW,
     "verdict->rule = RENEWAL_BY_TLSA_UNKNOWN;", "verdict->step = RENEWAL_LOAD;", DIES),
    ("a new one that contradicts is taken", FLOW,
     "\tif (unfit != NULL) {", "\tif (false && unfit != NULL) {", NEW),
    ("nothing is tried again", FLOW,
     "timer_start(renewal->timer, pause_of(renewal));", "timer_stop(renewal->timer);", SWAP),
    ("files are read at once", FILES,
     "\tif (have_changed(files))\n\t\twait_until_settled(files);\n\telse",
     "\tif (true)\n\t\twait_until_settled(files);\n\telse", SAME),
    ("nobody sees a change", FILES, "\twatch_folders(files);\n\tif (have_changed(files))",
     "\tif (false)", SAME),
    ("a refused one is no alarm", CASE,
     "if (one->verdict.step != RENEWAL_KEEP)", "if (true)", SWAP),
    ("a name outlives its case", CASE,
     "\t\treturn; /* the name may have been its own */\n", "",
     "tests/integration/test_renewal.py several_certificates"),
    ("what is in use is not looked at", LATER,
     "\tif (old == NULL)\n\t\trenewal->check_use = true;", "\tif (old == NULL)\n\t\t;", START),
    ("a gate that is cancelled is an alarm", "mta/role.c", "if (role->kind == ROLE_GATE)",
     "if (false)", "tests/integration/test_renewal_unknown.py cancelled"),
    ("DNS that was down is not asked again", FLOW,
     "timer_start(renewal->timer, pause_of(renewal));", "timer_stop(renewal->timer);", DOWN),
    ("what is not known contradicts", CASE,
     "return renewal_rule_contradicts(one->verdict.rule)\n", "return true\n", DOWN),
    ("certs has no remedy", "mta/ctl/certs.c", '"%s: %s; %s", state, reason, remedy',
     '"%s: %s; %s", state, reason, ""', DOWN),
    ("an unknown policy loads", RULES,
     "decide(verdict, RENEWAL_KEEP, RENEWAL_BY_STS_UNKNOWN)",
     "decide(verdict, RENEWAL_LOAD, RENEWAL_BY_STS_UNKNOWN)", DOWN),
    ("half a file is no case", LATER,
     "\tone->is_heard = true;\n\tmemset", "\tmemset", HALF),
    ("a look at what is in use comes first", LATER,
     "renewal->run != NULL && renewal->cause != RENEWAL_OF_USE;", "renewal->run != NULL;", SILENT),
]

if __name__ == "__main__":
    sys.exit(mutation.main(MUTANTS, *sys.argv[1:2]))
