#!/usr/bin/python3
"""Is what check-config and a start say of a configuration guarded?

    mutants_check_config.py [WORDS]

See mutation.py for how it is done.
"""
import sys

import mutation

FILES, AROUND = "unit:recipients_test", "unit:locals_test"
TARGETS, LOG = "unit:target_test", "unit:log_test"
BOXES = "tests/integration/test_check_config.py maildirs"
PEERS = "tests/integration/test_check_config.py socket"
SECRET = "tests/integration/test_check_config.py anybody_may_read"
HEARD = "tests/integration/test_check_config.py nobody_hears"
WEAK = "tests/integration/test_check_config.py wider_one"

ACCOUNT, MAILBOXES = "mta/account.c", "mta/mailboxes.c"
CHECK = "mta/locals_check.c"

# what is broken, where, what stands there, what instead, who has to notice
MUTANTS = [
    # --- recipients and aliases
    ("a mistake is told for each domain", "mta/locals.c",
     "if (was_read(config, domain, source))", "if (0)", AROUND),
    ("mistakes of one file hide those of another", "mta/locals.c",
     "if (was_read(config, domain, source))", "if (1)", AROUND),
    ("a warning is told for each domain", CHECK,
     "if (stands_in(ours, span_from(all, at)))", "if (0)", AROUND),
    ("a comma is not named", "mta/recipients.c",
     "if (is_target(first, reader->to->how, key) &&", "if (0 &&", FILES),
    ("a comma is named where the first is no target", "mta/recipients.c",
     "if (is_target(first, reader->to->how, key) &&", "if (", FILES),
    ("a domain is a user", CHECK,
     "} else if (domain_is_qualified(local) && domain_fold(local, name) &&",
     "} else if (0 && domain_fold(local, name) &&", AROUND),
    ("all with a dot are domains", CHECK,
     "config_domain(config, name) != NULL) {", "true) {", AROUND),
    ("an entry for another file is fine", CHECK,
     "if (domain != NULL && uses_file(domain, walk->report->file))", "if (domain != NULL)", AROUND),
    ("an entry in a foreign domain is fine", CHECK,
     "if (domain != NULL && uses_file(domain, walk->report->file))",
     "if (domain == NULL || uses_file(domain, walk->report->file))", AROUND),
    # --- targets
    ("a path is no host, and that is all", "mta/target.c",
     "if (rest.n > 1 && rest.p[0] == '/' && rest.p[1] != '/')", "if (0)", TARGETS),
    ("a URL is a path", "mta/target.c",
     "if (rest.n > 1 && rest.p[0] == '/' && rest.p[1] != '/')",
     "if (rest.n > 1 && rest.p[0] == '/')", TARGETS),
    # --- rules about TLS
    ("a level that nobody enforces is fine", "mta/load.c",
     "config_enforcement(config, all) > config->enforcement)", "false)", WEAK),
    ("who enforces itself is warned", "mta/load.c",
     "if (rule->enforcement == ENFORCEMENT_INHERIT &&", "if (", WEAK),
    ("an audit for all is worth a warning", "mta/load.c",
     "config_enforcement(config, all) > config->enforcement)",
     "config_enforcement(config, all) == ENFORCEMENT_AUDIT)", WEAK),
    ("a lesser requiretls is fine", "mta/load.c",
     "grade <= config->requiretls)", "true)", WEAK),
    ("who says its own requiretls is warned", "mta/load.c",
     "if (rule->requiretls != REQUIRETLS_UNSAID ||\n\t    grade", "if (grade", WEAK),
    ("an exemption is worth a warning", "mta/load.c",
     "if (rule->level < OPERATOR_ENCRYPT)", "if (0)", WEAK),
    # --- Maildirs
    ("the folders above are not looked at", ACCOUNT,
     "if (may_use_one(account, path, X_OK) < 0)", "if (0)", BOXES),
    ("a file is a folder", ACCOUNT,
     "\tif (!S_ISDIR(st.st_mode)) {\n\t\terrno = ENOTDIR;\n\t\treturn -1;\n\t}\n", "", BOXES),
    ("the owner is one of the others", ACCOUNT, "\t\tshift = 6;", "\t\tshift = 0;", BOXES),
    ("it is enough to come there", MAILBOXES,
     "\tint how = W_OK | X_OK;", "\tint how = X_OK;", BOXES),
    ("all folders have to be written to", MAILBOXES, "\t\thow = X_OK;\n", "", BOXES),
    ("the domain is not known", MAILBOXES,
     "else if (*at == 'd' && domain != NULL)", "else if (0)", BOXES),
    ("a Maildir that is there is made", MAILBOXES,
     "if (stat(template->folder, &st) < 0 && errno == ENOENT)", "if (1)", BOXES),
    ("a start waits for them", "mta/main.c", "if (test)", "if (true)", BOXES),
    ("a test of the configuration does not look", "mta/main.c",
     "if (test)", "if (false)", BOXES),
    # --- sockets of others
    ("a start tells who is not yet there", "mta/main.c", "if (test)", "if (true)", PEERS),
    ("a test of the configuration asks for no socket", "mta/main.c",
     "\t\tpeers_check(config, problems);\n", "", PEERS),
    ("check-config asks for no socket", "mta/ctl/setup.c",
     "\t\tpeers_check(config, &problems);\n", "", PEERS),
    ("a reload asks for no socket", "mta/supervisor/supervisor.c",
     "\tpeers_check(config, &problems);\n", "", PEERS),
    ("any file is a socket", "mta/peers.c", "S_ISSOCK(st.st_mode)", "true", PEERS),
    ("where one may not look is none", "mta/peers.c", "if (errno == EACCES)", "if (0)", PEERS),
    ("a folder is always there", "mta/peers.c", "return stat(folder, &st) == 0;", "return true;",
     PEERS),
    ("one server is told for each domain", "mta/peers.c", "!was_told(config, i))", "true)", PEERS),
    ("a route's is not looked at", "mta/peers.c",
     "if (route->via.kind == TARGET_LMTP_UNIX)", "if (0)", PEERS),
    ("a lookup's is not looked at", "mta/peers.c",
     "lookup->kind == LOOKUP_SOCKETMAP && lookup->path != NULL", "false", PEERS),
    ("a filter's is not looked at", "mta/peers.c", "if (milter->path != NULL)", "if (0)", PEERS),
    ("who cannot know tells", MAILBOXES,
     "(pw == NULL || pw->pw_uid != geteuid()))\n\t\treturn false;",
     "(pw == NULL || pw->pw_uid != geteuid()))\n\t\treturn true;", BOXES),
    ("one path is told for each domain", MAILBOXES,
     "!was_told(config, i))", "true)", BOXES),
    # --- private keys
    ("nobody hears whose key a certificate's is", "mta/secrets.c",
     "i < config->ncertificates", "i < 0", SECRET),
    ("nobody hears who signs reports", "mta/secrets.c", "i < config->reporting.ndkim", "i < 0",
     SECRET),
    ("a group is everybody", "mta/secrets.c", "(st.st_mode & S_IROTH)",
     "(st.st_mode & (S_IROTH | S_IRGRP))", SECRET),
    ("a link is where its key is", "mta/secrets.c", "realpath(path, real) == NULL",
     "stpcpy(real, path) < real", SECRET),
    ("who may list a folder comes there", "mta/secrets.c", "(st.st_mode & S_IXOTH)",
     "(st.st_mode & S_IROTH)", SECRET),
    ("the folders above a key are open", "mta/secrets.c", "end > real)", "end == NULL)", SECRET),
    ("certs does not look who may read", "mta/ctl/certs.c",
     "\tsecrets_warn(cert->key, &problems);\n", "", SECRET),
    # --- syslog
    ("a line that nobody hears is lost", "base/log.c",
     "sink.away = !log_syslog_listens();", "(void)log_syslog_listens();", LOG),
    ("what is heard is told twice", "base/log.c", "\tif (line->syslog) {", "\tif (0) {", LOG),
    ("a line says why it could be heard", "base/log.c", "\terrno = saved;\n",
     "\t(void)saved;\n", LOG),
    ("that for streams is none", "base/log.c", "errno != EPROTOTYPE)", "true)", LOG),
    ("check-config does not ask", "mta/load.c",
     "if (syslog && !log_syslog_listens())", "if (0)", HEARD),
    ("nobody hears that no client can use TLS", "mta/load.c",
     "if (config->ncertificates == 0 && config->nlistens > 0)", "if (false)",
     "tests/integration/test_dnssec.py worth"),
    ("a reload keeps its warnings to itself", "mta/supervisor/supervisor.c",
     "\tproblems_log_warnings(&problems);\n", "",
     "tests/integration/test_life.py warnings_of_a_reload"),
]

if __name__ == "__main__":
    sys.exit(mutation.main(MUTANTS, *sys.argv[1:2]))
