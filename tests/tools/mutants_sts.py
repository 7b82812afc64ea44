#!/usr/bin/python3
"""Is the cache of MTA-STS policies guarded?  See mutation.py.

    mutants_sts.py [WORDS]
"""
import sys

import mutation

STORE, FAULT = "unit:sts_store_test", "unit:sts_store_fault_test"
MANY = "unit:sts_store_many_test"

# what is broken, where, what stands there, what instead, who has to notice
MUTANTS = [
    # --- the file
    ("anybody may read it", "mta/db.c",
     "O_EXCL | O_CLOEXEC, 0600);", "O_EXCL | O_CLOEXEC, 0644);", STORE),
    ("a lock holds nobody", "mta/db.c",
     "while (flock(fd, LOCK_EX | LOCK_NB) < 0) {", "while (0) {", MANY),
    ("triggers are run", "mta/db.c",
     "SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL", "SQLITE_DBCONFIG_ENABLE_TRIGGER, 1, NULL",
     FAULT),
    ("views are tables", "mta/db.c",
     "SQLITE_DBCONFIG_ENABLE_VIEW, 0, NULL", "SQLITE_DBCONFIG_ENABLE_VIEW, 1, NULL", FAULT),
    ("another's format is ours", "mta/sts/store.c",
     "if (format == FORMAT)", "if (1)", FAULT),
    ("a link is followed", "mta/sts/store.c",
     "if (!S_ISREG(st.st_mode))", "if (0)", FAULT),
    ("a folder that is away has no policies", "mta/sts/store.c",
     "if (access(store->folder, W_OK | X_OK) < 0)", "if (0)", FAULT),
    ("a file stays open when another is there", "mta/sts/store.c",
     "store->ino == st.st_ino)", "true)", FAULT),
    ("what cannot be opened has no policies", "mta/sts/store.c",
     "if (open_file(store, path, err) < 0)\n\t\treturn -1;",
     "if (open_file(store, path, err) < 0)\n\t\treturn 0;", FAULT),
    # --- one domain
    ("an answer of before is kept", "mta/sts/store.c",
     "*ret = (struct sts_entry){.state = STS_ENTRY_UNKNOWN};", "", FAULT),
    ("a try wipes the policy", "mta/sts/store.c",
     "(fetched_at <= ?10 OR ?3 IS NULL)", "?3 IS NOT NULL", STORE),
    ("a try wipes a policy of a day to come", "mta/sts/store.c",
     "(fetched_at <= ?10 OR ?3 IS NULL)", "(fetched_at <= ?10)", STORE),
    ("a policy of a day to come stays", "mta/sts/store.c",
     "(fetched_at <= ?10 OR ?3 IS NULL)", "?10 > 0", STORE),
    ("an older policy replaces a newer", "mta/sts/store.c",
     "AND fetched_at >= ?4 AND", "AND", STORE),
    ("the same policy is a newer one", "mta/sts/store.c",
     "fetched_at >= ?4", "fetched_at > ?4", STORE),
    ("tries are not noted", "mta/sts/store.c",
     " tried_id = ?8, failures = ?9 WHERE", " tried_id = ?8 WHERE", STORE),
    ("nothing is committed", "mta/sts/store.c",
     'if (changed > 0 && db_run(db, "COMMIT"))',
     'if (changed > 0 && db_run(db, "ROLLBACK"))', STORE),
    ("what is said to be kept is not yet", "mta/sts/store.c",
     'if (changed > 0 && db_run(db, "COMMIT"))',
     'if (changed > 0 && (store->dev % 2 == 0 || clock_wall() % 2 || db_run(db, "COMMIT")))',
     MANY),
    ("anything is put", "mta/sts/store.c",
     "if (why != NULL)\n\t\treturn err_set(", "if (0)\n\t\treturn err_set(", STORE),
    ("any text is put", "mta/sts/store.c",
     "return rc < 0 ? err_wrap(", "return 0 ? err_wrap(", STORE),
    ("one is forgotten, and all", "mta/sts/store.c",
     '"DELETE FROM policies WHERE domain = ?1"', '"DELETE FROM policies WHERE ?1 = ?1"',
     STORE),
    # --- forgetting
    ("what is damaged is thrown away", "mta/sts/store.c",
     "return db_set_aside(&store->db, err) < 0 ? -1 : 1;",
     "return db_remove(&store->db, err) < 0 ? -1 : 1;", FAULT),
    ("a reset looks at no row", "mta/sts/store.c",
     "rc = sts_store_each(store, look_at, NULL, err);", "rc = 0;", FAULT),
    ("a reset leaves it", "mta/sts/store.c",
     '"DELETE FROM policies"', '"DELETE FROM policies WHERE 0"', FAULT),
    # --- a row
    ("domains can be anything", "mta/sts/store_row.c",
     "return dns_name_normal(domain, normal) && strcmp(domain, normal) == 0;",
     "(void)normal; return true;", STORE),
    ("ids can be anything", "mta/sts/store_row.c",
     "!text_is_alnum(id[i])", "false", FAULT),
    ("an id has no length", "mta/sts/store_row.c",
     "return text != NULL && text_copy(to, STS_ID_MAX + 1, text);",
     "return text != NULL && (text_copy(to, STS_ID_MAX + 1, text), true);", FAULT),
    ("a text ends at its NUL", "mta/sts/store_row.c",
     "strlen((const char *)text) !=", "0 *", FAULT),
    ("a time can be negative", "mta/sts/store_row.c",
     "return wall >= 0 && wall <= TIME_MAX;", "return wall <= TIME_MAX;", FAULT),
    ("a time can be any", "mta/sts/store_row.c",
     "return wall >= 0 && wall <= TIME_MAX;", "return wall >= 0;", FAULT),
    ("a life can be longer than a year", "mta/sts/store_row.c",
     "entry->expires_at - entry->fetched_at <= STS_MAX_AGE;", "true;", FAULT),
    ("a life ends before it begins", "mta/sts/store_row.c",
     "entry->expires_at >= entry->fetched_at &&", "", FAULT),
    ("a policy without a text is none", "mta/sts/store_row.c",
     "return entry->fetched_at == 0 && entry->expires_at == 0 &&", "return true ||", FAULT),
    ("failures have no bound", "mta/sts/store_row.c",
     "if (failures < 0 || failures > UINT32_MAX)", "if (0)", FAULT),
    ("a text that is no policy is one", "mta/sts/store_row.c",
     "*ret = (struct sts_entry){0};\n\t\treturn fail(*ret_domain, why.text, err);",
     "return 0;", FAULT),
    # --- many
    ("the first of them is all", "mta/sts/store_walk.c",
     "batch->more = n == BATCH;", "batch->more = false;", STORE),
    ("an unreadable row is not told", "mta/sts/store_walk.c",
     "batch->rc = -1;", "", FAULT),
    ("an unreadable row ends it", "mta/sts/store_walk.c",
     "batch->rc = -1;\n}", "batch->rc = -1;\n\tbatch->n = 0;\n}", FAULT),
    ("a sweep takes what is tried still", "mta/sts/store_walk.c",
     "return sql == SQL_MAYBE_OVER ? sts_cache_is_over(entry, now)",
     "return sql == SQL_MAYBE_OVER ? true", STORE),
    ("a sweep knows no most", "mta/sts/store_walk.c",
     "names->n < most &&", "", STORE),
    ("a sweep takes what is unreadable", "mta/sts/store_walk.c",
     "if (rc < 0 || !sts_cache_is_over(&entry, now))", "if (0)", FAULT),
    ("a sweep keeps nothing of it", "mta/sts/store_walk.c",
     'if (!db_run(db, "COMMIT"))', 'if (!db_run(db, "ROLLBACK"))', STORE),
    ("what expires last comes first", "mta/sts/store.c",
     'ORDER BY expires_at, domain"', 'ORDER BY expires_at DESC, domain"', STORE),
    ("those that are not due come, too", "mta/sts/store_walk.c",
     "                             : sts_cache_is_due(entry, now, 0);",
     "                             : true;", STORE),
]


if __name__ == "__main__":
    sys.exit(mutation.main(MUTANTS, *sys.argv[1:2]))
