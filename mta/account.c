#include "mta/account.h"

#include <errno.h>
#include <limits.h>
#include <pwd.h>
#include <stddef.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/text.h"

int
account_find(const char *user, struct account *ret, struct err *err)
{
	struct passwd pw, *found = NULL;
	char strings[4096];
	int rc;

	*ret = (struct account){0};
	if (user == NULL)
		return geteuid() != 0
		           ? 0
		           : err_set(err, ERR_PERM, "4.3.5",
				 "started as root the daemon needs an account "
				 "for its roles");
	rc = getpwnam_r(user, &pw, strings, sizeof(strings), &found);
	if (found == NULL)
		return err_set(err, ERR_PERM, "4.3.5", "%s",
		    rc == 0 ? "there is no such account" : strerrordesc_np(rc));
	if (pw.pw_uid == 0 || pw.pw_gid == 0)
		return err_set(
		    err, ERR_PERM, "4.3.5", "the roles must not run as root");
	if (geteuid() == 0)
		*ret = (struct account){pw.pw_uid, pw.pw_gid};
	return 0;
}

int
account_may_read(const struct account *account, const char *path)
{
	struct stat file;
	mode_t bit = S_IROTH;

	if (account->uid == 0)
		return access(path, R_OK);
	if (stat(path, &file) < 0)
		return -1;
	if (file.st_uid == account->uid)
		bit = S_IRUSR;
	else if (file.st_gid == account->gid)
		bit = S_IRGRP;
	if ((file.st_mode & bit) != 0)
		return 0;
	errno = EACCES;
	return -1;
}

/* One folder of a path. */
static int
may_use_one(const struct account *account, const char *folder, int how)
{
	struct stat st;
	unsigned shift = 0;

	if (stat(folder, &st) < 0)
		return errno == EACCES ? 0 : -1;
	if (!S_ISDIR(st.st_mode)) {
		errno = ENOTDIR;
		return -1;
	}
	if (st.st_uid == account->uid)
		shift = 6;
	else if (st.st_gid == account->gid)
		shift = 3;
	/* The bits of a mode are those of access(2). */
	if ((st.st_mode >> shift & (unsigned)how) == (unsigned)how ||
	    getxattr(folder, "system.posix_acl_access", NULL, 0) > 0)
		return 0;
	errno = EACCES;
	return -1;
}

int
account_may_use(const struct account *account, const char *folder, int how)
{
	char path[PATH_MAX];
	struct stat st;

	if (account->uid == 0) {
		if (access(folder, how) < 0 || stat(folder, &st) < 0)
			return -1;
		errno = ENOTDIR;
		return S_ISDIR(st.st_mode) ? 0 : -1;
	}
	if (!text_copy(path, sizeof(path), folder))
		return 0;
	for (char *c = path + 1; *path != '\0' && *c != '\0'; c++) {
		if (*c != '/')
			continue;
		*c = '\0';
		if (may_use_one(account, path, X_OK) < 0)
			return -1;
		*c = '/';
	}
	return may_use_one(account, folder, how);
}
