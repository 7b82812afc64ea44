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

/*
 * May the account do so (W_OK, X_OK) with the folder, and come there?  As far
 * as owner, group and mode say, of it and of those above; where there is an
 * ACL, or we may not look ourselves, yes.  -1 with errno set.
 */
int account_may_use(const struct account *account, const char *folder, int how);
