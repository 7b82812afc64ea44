/* A folder for Maildirs, a letter for them, and what lies in them, for one test. */
#pragma once
#include "mta/deliver/maildir.h"

/* cmocka's setup and teardown: *state is the folder's path. */
int maildir_kit_make(void **state);
int maildir_kit_remove(void **state);
#define MAILDIR_KIT_TEST(test)           \
	cmocka_unit_test_setup_teardown( \
	    test, maildir_kit_make, maildir_kit_remove)

/* Of a Maildir in that folder; `path` is returned. */
const char *maildir_kit_path(
    const char *folder, const char *name, char path[256]);
struct maildir_letter maildir_kit_letter(const char *path);

/* How many files; the name of the last of them, unless `name` is NULL. */
unsigned maildir_kit_count(
    const char *maildir, const char *part, char name[300]);
