#!/usr/bin/python3
"""Are the counts of audited deliveries guarded?  See mutation.py.

    mutants_audit.py [WORDS]
"""
import sys

import mutation

TABLE, STORE = "unit:audit_test", "unit:audit_store_test"
LAB = "tests/integration/test_lab_audit.py"
REFUSE, SOME = LAB + " would_refuse", LAB + " some_destinations"
OTHER = "tests/integration/test_audit.py other_reasons"
USAGE, OUTLIVES = LAB + " usage", LAB + " outlives"

# what is broken, where, what stands there, what instead, who has to notice
MUTANTS = [
    # --- in memory
    ("hosts are one", "mta/audit.c",
     "order = strcmp(x->key.host, y->key.host);", "order = 0;", TABLE),
    ("decisions are one", "mta/audit.c",
     "order = strcmp(x->key.tls, y->key.tls);", "order = 0;", TABLE),
    ("reasons are one", "mta/audit.c",
     "order = strcmp(x->key.reason, y->key.reason);", "order = 0;", TABLE),
    ("days are one", "mta/audit.c",
     "x->day < y->day ? -1 : x->day > y->day;", "0;", TABLE),
    ("a table has no limit", "mta/audit.c",
     "if (!audit_has_room(key, table->n, table->max))", "if (0)", TABLE),
    ("what is allowed takes all of the room", "mta/audit.c",
     "max - max / 4", "max", TABLE),
    ("texts are borrowed", "mta/audit.c",
     "row->key.destination = put(&at, key->destination);",
     "row->key.destination = key->destination;", TABLE),
    ("a merged row counts once", "mta/audit.c",
     "row->counts[i] += from->counts[i];", "row->counts[i] += from->counts[i] > 0;",
     TABLE),
    ("the first is the last", "mta/audit.c",
     "from->first < row->first", "from->first > row->first", TABLE),
    # --- on disk
    ("anybody may read it", "base/db.c",
     "O_EXCL | O_CLOEXEC, 0600);", "O_EXCL | O_CLOEXEC, 0644);", STORE),
    ("the last count stands", "mta/audit_store.c",
     "SET refused = refused + ?6,", "SET refused = ?6,", STORE),
    ("days are not forgotten", "mta/audit_store.c",
     "WHERE day <= ?1\"", "WHERE day <= ?1 - 1\"", STORE),
    ("days are forgotten too soon", "mta/audit_store.c",
     "today - AUDIT_DAYS", "today - AUDIT_DAYS + 1", STORE),
    ("a day has no limit", "mta/audit_store.c",
     "if (has_room(visit, row)) {", "if (1) {", STORE),
    ("rows of all days fill one", "mta/audit_store.c",
     "SELECT count(*) FROM deliveries WHERE day = ?1", "SELECT count(*) FROM deliveries"
     " WHERE day > ?1 - 9", STORE),
    ("the first of the others hides the rest", "mta/audit_store.c",
     "if (run_with(db, visit->update, &others) == 0)",
     "if (run_with(db, visit->insert, &others) == 0)", STORE),
    ("nothing is damaged", "mta/audit_store.c",
     "if (rc == 0 || !db_is_damaged(why))", "if (1)", STORE),
    ("tables of others are ours", "base/db.c",
     "case SQLITE_ERROR:\n", "", STORE),
    ("formats of others are ours", "base/db.c",
     "return found == 0 || found == format ||", "return 1 ||", STORE),
    ("nobody is told of damage", "mta/audit_store.c",
     "*ret_damaged = *err;\n", "", STORE),
    ("a lock holds nobody", "base/db.c",
     "while (flock(fd, LOCK_EX | LOCK_NB) < 0) {", "while (0) {", STORE),
    ("a write is many", "mta/audit_store.c",
     "struct audit_row others = *row;\n", "struct audit_row others = *row;\n"
     '\tdb_run(db, "COMMIT; BEGIN");\n', STORE),
    ("the best come first", "mta/audit_store.c",
     "ORDER BY w.refused + w.would_refuse DESC", "ORDER BY w.refused + w.would_refuse",
     STORE),
    ("any day is read", "mta/audit_store.c",
     "WHERE day >= ?1", "WHERE day >= ?1 - 9", STORE),
    ("a reset leaves it", "mta/audit_store.c",
     "rc = db_remove(&db, err);", "rc = 0;", STORE),
    # --- by the deliver process
    ("what was only audited is allowed", "mta/deliver/audit.c",
     "way->audit[0] == '\\0' ? AUDIT_ALLOWED : AUDIT_WOULD_REFUSE", "AUDIT_ALLOWED",
     REFUSE),
    ("what is enforced does not count", "mta/deliver/audit.c",
     "count(d->deliver->audit, &key, AUDIT_REFUSED);", "(void)key;", REFUSE),
    ("the reason is the host before's", "mta/deliver/audit.c",
     "d->refusal.why, sizeof(d->refusal.why), why)",
     "d->refusal.why, sizeof(d->refusal.why), d->decision.plan.rule)", REFUSE),
    ("a host that was not reached is refused", "mta/deliver/audit.c",
     "seen->got == TLS_GOT_NOTHING)", "false)", OTHER),
    ("what waits for other reasons counts", "mta/deliver/audit.c",
     "if (target_is_smtp(&d->job->target) && is_over_for_one(d))", "if (target_is_smtp(&d->job->target))", OTHER),
    ("LMTP counts", "mta/deliver/audit.c",
     "if (target_is_smtp(&d->job->target) && is_over", "if (is_over", OTHER),
    ("the end writes nothing", "mta/deliver/audit.c",
     "if (audit_rows(audit->writing) > 0) {", "if (0) {", OUTLIVES),
    ("nothing is written before the end", "mta/deliver/audit.c",
     "work_run(audit->loop, work_write, on_written, audit);",
     "(void)work_write, (void)on_written;", LAB + " killed"),
    ("what could not be written is gone", "mta/deliver/audit.c",
     "audit_each(audit->writing, keep_row, audit->counting);", "(void)keep_row;",
     LAB + " cannot_be_written"),
    ("damage is not told", "mta/deliver/audit.c",
     "if (audit->damaged.kind != ERR_NONE)", "if (0)", LAB + " damaged"),
    # --- by the command
    ("all is fine", "mta/ctl/audit.c",
     "status = refused ? EXIT_WANTED : status;", "", REFUSE),
    ("nothing is fine", "mta/ctl/audit.c",
     "status = refused ? EXIT_WANTED : status;", "status = EXIT_WANTED;", SOME),
    ("names are ignored", "mta/ctl/audit.c",
     "bool named = wanted->nnames == 0;", "bool named = true;", SOME),
    ("a slip is fine", "mta/ctl/audit.c", "status = name_unknown(&wanted);", "status = EXIT_FINE;",
     "tests/integration/test_audit.py other_reasons"),
    ("one name is enough", "mta/ctl/audit.c", "wanted->known[i] = true;",
     "memset(wanted->known, 1, (size_t)wanted->nnames);",
     "tests/integration/test_audit.py other_reasons"),
    ("since is ignored", "mta/ctl/time.c",
     "*ret_day = timegm(&tm) / DAY;", "", SOME),
    ("words behind a day are ignored", "mta/ctl/time.c",
     "end != NULL && *end == '\\0'", "end != NULL", USAGE),
    ("root stays root", "mta/ctl/audit.c",
     "if (setup_become(config) == 0)", "if (1)", "tests/integration/test_audit.py account"),
    ("destinations that are fine would be refused", "mta/ctl/audit_print.c",
     "print->bad += name[0] != '\\0' && refused(sums->counts) > 0;",
     "print->bad += 1;", REFUSE),
]


if __name__ == "__main__":
    sys.exit(mutation.main(MUTANTS, *sys.argv[1:2]))
