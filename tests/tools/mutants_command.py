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
     "if (!some || is_about(&first[i], verb))", "", HELP),
    ("an unknown verb has no help", "mta/ctl/usage.c",
     "if (!some || is_about(&first[i], verb))", "if (is_about(&first[i], verb))", HELP),
    ("a verb is known by its beginning", "mta/ctl/usage.c",
     "span_eq((struct span){line->operands, n}, span_of(verb))",
     "strncmp(line->operands, verb, 1) == 0", HELP),
    ("options of others are named", "mta/ctl/usage.c",
     "if ((first->takes & lines[i].takes) != 0)", "", HELP),
    ("options are not named", "mta/ctl/usage.c",
     "if ((first->takes & lines[i].takes) != 0)", "if (0)", HELP),
    ("help goes on behind its command", "mta/ctl/usage.c",
     "while (lines_of < n && first[lines_of].name[0] == '\\0')",
     "while (lines_of < n)", HELP),
    # --- what is waited for
    ("a terminal is not told", "mta/ctl/lookup.c",
     "bool told = isatty(STDERR_FILENO) == 0;", "bool told = true;", KEYS),
    ("a script is told, too", "mta/ctl/lookup.c",
     "bool told = isatty(STDERR_FILENO) == 0;", "bool told = false;", KEYS),
    ("it is told over and over", "mta/ctl/lookup.c", "\t\ttold = true;\n", "", KEYS),
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
