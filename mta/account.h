/* The account the roles run as. */
#pragma once
#include <sys/types.h>

#include "base/err.h"

struct account {
	uid_t uid; /* 0: we are not root, and stay who we are */
	gid_t gid;
};

/*
 * Look up `user` of the configuration, which may be NULL, for a daemon started
 * as we are.  Refused are an account that does not exist, one that is root or
 * of its group, and, started as root, none.
 */
int account_find(const char *user, struct account *ret, struct err *err);

/*
 * May the account read the file, as far as its owner, group and mode say?
 * -1 with errno set.  Further groups and the folders above are not looked at.
 */
int account_may_read(const struct account *account, const char *path);
