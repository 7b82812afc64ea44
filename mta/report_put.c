/* A mail on its way into the folder; see report_mails.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/text.h"
#include "mta/report_mails.h"

struct report_put {
	enum report_folder which;
	int folder;
	int file; /* -1: closed */
	char name[REPORT_NAME_SIZE];
	/* Its name until it is whole; "": nothing is to be removed. */
	char begun[REPORT_NAME_SIZE + 32];
};

/* As many may put the same message at once: each job of it, and more. */
#define PUTS_MAX 64

static int
fail(const struct report_put *put, struct err *err)
{
	return err_set(err, ERR_TEMP, "4.3.0", "%s/%s: %s",
	    report_folder_name(put->which), put->name, strerrordesc_np(errno));
}

static int
check_room(const char *state, enum report_folder which, uint64_t octets,
    struct err *err)
{
	struct report_mails there;
	bool full;

	if (report_mails_list(state, which, &there, err) < 0)
		return -1;
	full = there.n >= REPORT_IN_FILES ||
	       there.octets + octets > REPORT_IN_OCTETS;
	report_mails_free(&there);
	return full ? err_set(err, ERR_TEMP, "4.3.1",
			  "too many wait in %s to be read",
			  report_folder_name(which))
	            : 0;
}

/*
 * Jobs of one message, for two of our domains say, put it at the same time and
 * from the same process: each has a file of its own.  -1: errno.
 */
static int
create(struct report_put *put)
{
	int fd = -1;

	for (int i = 0; fd < 0 && i < PUTS_MAX; i++) {
		(void)snprintf(put->begun, sizeof(put->begun), ".%s.%ld.%d",
		    put->name, (long)getpid(), i);
		fd = openat(put->folder, put->begun,
		    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
		if (fd < 0 && errno != EEXIST)
			break;
	}
	if (fd < 0)
		put->begun[0] = '\0';
	return fd;
}

int
report_put_begin(const char *state, enum report_folder which, const char *name,
    uint64_t octets, struct report_put **ret, struct err *err)
{
	struct report_put *put;
	int folder;

	if (octets > REPORT_IN_OCTETS)
		return err_set(err, ERR_PERM, "5.3.4", "it is too large");
	if (check_room(state, which, octets, err) < 0)
		return -1;
	folder = report_folder_open(state, which, err);
	if (folder < 0)
		return -1;
	put = mem_new(sizeof(*put));
	put->which = which;
	put->folder = folder;
	(void)text_copy(put->name, sizeof(put->name), name);
	put->file = create(put);
	if (put->file < 0) {
		(void)fail(put, err);
		report_put_abort(&put);
		return -1;
	}
	*ret = put;
	return 0;
}

int
report_put_write(struct report_put *put, struct span bytes, struct err *err)
{
	while (bytes.n > 0) {
		ssize_t n = write(put->file, bytes.p, bytes.n);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return fail(put, err);
		bytes = span_from(bytes, (size_t)n);
	}
	return 0;
}

int
report_put_commit(struct report_put **putp, struct err *err)
{
	struct report_put *put = *putp;
	int rc = 0;

	if (fsync(put->file) < 0 ||
	    renameat(put->folder, put->begun, put->folder, put->name) < 0) {
		rc = fail(put, err);
	} else {
		/* From now on that name may be another's. */
		put->begun[0] = '\0';
		/* If this fails, it is whole all the same, and will be read. */
		if (fsync(put->folder) < 0)
			rc = fail(put, err);
	}
	report_put_abort(putp);
	return rc;
}

void
report_put_abort(struct report_put **putp)
{
	struct report_put *put = *putp;

	*putp = NULL;
	if (put == NULL)
		return;
	if (put->file >= 0)
		(void)close(put->file);
	if (put->begun[0] != '\0')
		(void)unlinkat(put->folder, put->begun, 0);
	(void)close(put->folder);
	mem_free(put);
}
