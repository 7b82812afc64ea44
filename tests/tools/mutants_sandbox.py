#!/usr/bin/python3
"""Is it guarded what our processes may do?  See mutation.py.

    mutants_sandbox.py [WORDS]
"""
import sys

import mutation

RENEW = "unit:renew_test"
TRIES, BUNDLE, IPC = "unit:sandbox_test", "unit:bundle_test", "unit:ipc_test"
RUNS = "tests/integration/test_sandbox.py "
CALLS, FILTER = "mta/sandbox/filter_calls.c", "mta/sandbox/filter.c"
GRANTS, LANDLOCK = "mta/sandbox/grants.c", "mta/sandbox/landlock.c"

# what is broken, where, what stands there, what instead, who has to notice
MUTANTS = [
    # --- calls
    ("code may be made", FILTER, "SCMP_SYS(mprotect), 2, PROT_EXEC, 0)",
     "SCMP_SYS(mprotect), 2, 0, 0)", TRIES),
    ("the queue talks to others", FILTER, "[ROLE_QUEUE] = {0}",
     "[ROLE_QUEUE] = {.connects = true}", TRIES),
    ("who delivers starts processes", FILTER, "[ROLE_DELIVER] = {.connects = true}",
     "[ROLE_DELIVER] = {.connects = true, .starts = true}", TRIES),
    ("receive cannot listen", FILTER, "[ROLE_RECEIVE] = {.serves = true}",
     "[ROLE_RECEIVE] = {0}", TRIES),
    ("nothing ends a process", FILTER,
     "return add_group(filter, SCMP_ACT_KILL_PROCESS, FILTER_NEVER);", "return 0;", TRIES),
    ("what is not listed is done", FILTER, "SCMP_ACT_ERRNO(EPERM)", "SCMP_ACT_ALLOW", TRIES),
    ("a log refuses", FILTER, "logs ? SCMP_ACT_LOG : SCMP_ACT_ERRNO(EPERM)",
     "SCMP_ACT_ERRNO(EPERM)", TRIES),
    ("sockets of any kind", FILTER, "SCMP_SYS(socket), 0, UINT32_MAX, AF_UNIX)",
     "SCMP_SYS(socket), 0, 0, 0)", TRIES),
    ("links may be made", CALLS, "    SCMP_SYS(rmdir),\n",
     "    SCMP_SYS(rmdir),\n    SCMP_SYS(symlink),\n", TRIES),
    ("BPF does not end it", CALLS, "    SCMP_SYS(bpf),\n", "", TRIES),
    # --- places
    ("who delivers writes segments", GRANTS,
     "add_below(grants, GRANT_READ, config->spool, \"segment\");",
     "add_below(grants, GRANT_WRITE, config->spool, \"segment\");", TRIES),
    ("receive has the whole spool", GRANTS,
     "add_below(grants, GRANT_WRITE, config->spool, \"large\");",
     "add(grants, GRANT_WRITE, config->spool);", TRIES),
    ("the queue has the state", GRANTS,
     "add_below(grants, GRANT_WRITE, config->spool, \"history\");",
     "add_below(grants, GRANT_WRITE, config->spool, \"history\");\n"
     "\tadd(grants, GRANT_GROW, config->state);", TRIES),
    ("a file that was replaced is lost", GRANTS,
     "\tif (!is_crowded(folder))\n\t\tadd_there(grants, GRANT_READ, folder);",
     "\treturn;", TRIES),
    ("a Maildir's folder comes too late", GRANTS,
     "while (path[1] != '\\0' && access(path, F_OK) < 0)", "while (0)",
     RUNS + "comes_later"),
    ("links in the drop folder stay", GRANTS,
     "add(grants, GRANT_TAKE, config->drop);", "add(grants, GRANT_WRITE, config->drop);",
     TRIES),
    ("any port", GRANTS, "\tadd_ports(grants, config);\n",
     "\tadd_ports(grants, config);\n\tgrants->any_port = true;\n", TRIES),
    ("ports of routes are no ports", GRANTS,
     "add_target_port(grants, &config->routes[i].via);", ";", TRIES),
    ("signals go anywhere", LANDLOCK, "SCOPE_SOCKET | SCOPE_SIGNAL", "SCOPE_SOCKET", TRIES),
    ("a port may be taken", LANDLOCK, "all.net = any_port ? NET_BIND_TCP",
     "all.net = any_port ? 0", TRIES),
    # --- in force
    ("no folders", "mta/sandbox/sandbox.c", "how != SANDBOX_LOG &&", "0 &&", TRIES),
    ("required is wished", "mta/sandbox/sandbox.c", "if (how == SANDBOX_REQUIRED)",
     "if (0)", TRIES),
    ("who is refused goes on", "mta/sandbox/sandbox.c", "case SANDBOX_FAILED:\n\t\tbreak;",
     "case SANDBOX_FAILED:\n\t\treturn 0;", TRIES),
    ("core files", "mta/sandbox/sandbox.c", "(void)setrlimit(RLIMIT_CORE, &none);",
     "(void)none;", TRIES),
    ("others may look", "mta/sandbox/sandbox.c",
     "(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);", "", TRIES),
    ("roles are not confined", "mta/role.c",
     "if (sandbox_confine(role->kind, role->config, &role->sandbox, &err) ==",
     "if (0 ==", RUNS + "every_process"),
    ("status does not hear", "mta/role.c", "\ttell_sandbox(role);\n", "",
     RUNS + "status_says"),
    ("any word comes back", "mta/ipc_sandbox.c", "seccomp >= SECCOMP_KINDS", "false", IPC),
    ("off is the default", "mta/config_keys.c",
     "AT(config, sandbox), \"on\")", "AT(config, sandbox), \"off\")", RUNS + "on_unless"),
    # --- keys
    ("a key stays where it was read", "mta/bundle.c",
     "\tmem_wipe_free(entry->bytes, entry->n);\n\tentry->bytes = NULL;", "", BUNDLE),
    ("nothing is sealed at a start", "mta/load.c", "rc = bundle_seal(bundle, &err);", "rc = 0;",
     RUNS + "where_they"),
    ("nothing is sealed at a renewal", "mta/renew.c", "if (bundle_seal(files, &err) == 0)",
     "if (true)", RENEW),
    ("sealed keys are alike", "mta/bundle.c",
     "return sealed_same(one->sealed, other->sealed);", "return true;", BUNDLE),
    ("a part of a key is a key", "mta/sealed.c", "at < a->n; at += PIECE", "at < 1; at += PIECE",
     BUNDLE),
    ("keys of one length are alike", "mta/sealed.c", "bool same = n > 0 && n == m &&",
     "bool same = n > 0 && n == m;\n\t(void)", BUNDLE),
    ("OpenSSL wipes nothing", "mta/main.c", "if (!tls_wipe_memory())", "if (0)", RUNS + "where_they"),
    ("nothing is forgotten", "mta/bundle.c", "if (!is_of_kind(entry, kind)) {", "if (true) {",
     BUNDLE),
    ("receive keeps the text", "mta/receive/receive.c",
     "\tbundle_forget(receive->role->bundle, \"key\");\n", "", RUNS + "where_they"),
    ("report keeps the text", "mta/report/send.c",
     "\tbundle_forget(role->bundle, \"dkim\");\n", "", RUNS + "where_they"),
    ("everybody gets the keys", "mta/bundle.c", "return secrets == BUNDLE_TLS_KEYS;",
     "return true;", RUNS + "where_they"),
]


if __name__ == "__main__":
    sys.exit(mutation.main(MUTANTS, *sys.argv[1:2]))
