#!/usr/bin/python3
"""Is what danelaw(8) says of itself guarded?  See mutation.py.

    mutants_command.py [WORDS]
"""
import sys

import mutation

HELP = "tests/integration/test_command.py help"
KEYS = "tests/integration/test_report_keys.py what_it_waits_for"
DRY = "tests/integration/test_report_dry.py how_it_is_called"
LMTP = "tests/integration/test_failures.py lmtp_is_down"
TOOLS = "tests/tools/test_tools.py run_alone or lean_files"

# what is broken, where, what stands there, what instead, who has to notice
MUTANTS = [
    # --- help
    ("help of a verb is that of the command", "mta/ctl/usage.c",
     "if (some && !is_about(&first[i], verb))", "if (0)", HELP),
    ("an unknown verb has no help", "mta/ctl/usage.c",
     "if (some && !is_about(&first[i], verb))", "if (!is_about(&first[i], verb))", HELP),
    ("a verb is known by its beginning", "mta/ctl/usage.c",
     "span_eq((struct span){line->operands, n}, span_of(verb))",
     "strncmp(line->operands, verb, 1) == 0", HELP),
    ("options of others are named", "mta/ctl/usage.c",
     "if ((takes & lines[i].takes) != 0)", "", HELP),
    ("options are not named", "mta/ctl/usage.c",
     "if ((takes & lines[i].takes) != 0)", "if (0)", HELP),
    ("a verb has the options of its group", "mta/ctl/usage.c",
     "\twrite_options(to, takes, some);", "\twrite_options(to, usage_takes(first, n), some);", HELP),
    ("a verb is told of others", "mta/ctl/usage.c", "of_verb ? \"\" : lines[i].of", "lines[i].of", HELP),
    ("a group has the options of its first line", "mta/ctl/usage.c",
     "\t\ttakes |= first[i].takes;\n\t}", "\t\ttakes |= i == 0 ? first[i].takes : 0;\n\t}", HELP),
    ("a verb loses an option", "mta/ctl/main.c",
     "\tTAKES_UNSIGNED | TAKES_JSON},", "\tTAKES_JSON},", HELP),
    ("a verb gains an option", "mta/ctl/main.c",
     "\"keep those that are about us\",\n\tTAKES_UNSIGNED},",
     "\"keep those that are about us\",\n\tTAKES_UNSIGNED | TAKES_ALL},", HELP),
    ("help goes on behind its command", "mta/ctl/usage.c",
     "while (lines_of < n && first[lines_of].name[0] == '\\0')",
     "while (lines_of < n)", HELP),
    # --- what is too long for a table
    ("a problem is a column", "mta/ctl/table.c",
     "(table->below != NULL && is_among(table->below, key))", "false",
     "tests/integration/test_certs.py cut"),
    ("one problem is enough", "mta/ctl/table.c",
     "json_array_foreach(value, i, member) write_below(table, key, member);",
     "(void)i, (void)member;\n\twrite_below(table, key, json_array_get(value, 0));",
     "tests/integration/test_certs.py cut"),
    ("a problem is cut", "mta/ctl/table.c",
     "\tconst char *said = json_string_value(value);\n\tchar text[RECORD];",
     "\tconst char *said = json_string_value(value);\n\tchar text[CELL];",
     "tests/integration/test_certs.py cut"),
    ("why a mail does not count is a column", "mta/ctl/report_aside.c",
     '{"reason", "file", NULL}', '{"file", NULL}',
     "tests/integration/test_report_mail.py the_rest_is_set_aside"),
    # --- what is waited for
    ("nobody is told", "mta/ctl/lookup.c",
     "if (passed >= SILENT_MS && !lookup->told)", "if (0)", KEYS),
    ("it is told at once", "mta/ctl/lookup.c", "#define SILENT_MS 3000", "#define SILENT_MS 0",
     KEYS),
    ("it is told over and over", "mta/ctl/lookup.c", "\tlookup->told = true;\n", "",
     "tests/integration/test_tlsa_command.py what_it_waits"),
    ("it waits as long as the configuration says", "mta/ctl/lookup.c",
     "resolver_open_for(config, wait_s * 1000, &err)", "resolver_open(config, &err)", KEYS),
    ("all lookups have no end", "dnssec/resolver.c",
     "if (dns->until != 0 && query->deadline > dns->until)", "if (0)", "unit:resolver_wait_test"),
    ("the end is told as another", "dnssec/resolver.c",
     "query->deadline == dns->until ? dns->total_ms", "0 ? dns->total_ms",
     "unit:resolver_wait_test"),
    ("one key waits for the other", "mta/ctl/report_dkim_check.c",
     "checked->all->done = --checked->all->pending == 0;",
     "checked->all->done = true;", KEYS),
    ("a server that is slow is not told of", "mta/explain/reach.c",
     "timer_start(timer, SLOW_MS);", "", "tests/integration/test_tlsa_command.py what_it_waits"),
    # --- nothing
    ("a day without reports is silent", "mta/ctl/report_dry.c",
     "if (rc == 0 && after[0] == '\\0')", "if (0)", DRY),
    ("a domain without reports is fine", "mta/ctl/report_dry.c",
     "return rc < 0 ? command_complain(domain, err.text) : EXIT_FINE;",
     "return EXIT_FINE;", DRY),
    ("that nothing is sent is not said", "mta/ctl/report_dry.c",
     "if (!work->config->reporting.send)", "if (0)", DRY),
    # --- the queue
    ("a list has no reasons", "queue/listing.c",
     "job->reason == NULL ? \"\" : job->reason->text", "\"\"", LMTP),
    # --- the runner of tests
    ("what runs alone runs beside others, too", "tests/tools/suite.py",
     "[INTEGRATION, *others], at_once)", "[INTEGRATION], at_once)", TOOLS),
    ("what runs alone has others beside it", "tests/tools/suite.py",
     "files_of(ALONE))\n", "files_of(ALONE), at_once)\n", TOOLS),
    ("two files do not run at once", "tests/tools/suite.py",
     "[INTEGRATION, *others], at_once)", "[INTEGRATION, *others])", TOOLS),
]

if __name__ == "__main__":
    sys.exit(mutation.main(MUTANTS, *sys.argv[1:2]))
