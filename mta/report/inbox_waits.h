/*
 * Mails that could not be read for now: when each is tried again.  Pure.
 *
 * Nothing of it is on disk: after a start each is tried at once.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mta/report_mails.h"

/* Half of those there is room for: the rest is for those that come. */
#define INBOX_WAITS_MAX     (REPORT_IN_FILES / 2)
#define INBOX_WAITS_OCTETS  (REPORT_IN_OCTETS / 2)
#define INBOX_WAIT_FIRST_MS UINT64_C(10000)
#define INBOX_WAIT_LAST_MS  UINT64_C(3600000)
#define INBOX_WAIT_DAYS     3
/* Mails under way at once, most of them waiting for a key. */
#define INBOX_WORK_MAX 32
/* As many of these may have been tried before: the rest is for new ones. */
#define INBOX_WORK_AGAIN_MAX (INBOX_WORK_MAX / 2)

struct inbox_wait {
	char name[REPORT_NAME_SIZE]; /* "": a free place */
	unsigned tries;
	uint64_t octets;
	uint64_t due; /* loop_now() */
};

struct inbox_waits {
	struct inbox_wait list[INBOX_WAITS_MAX];
};

/* What is under way, and not to be begun once more. */
struct inbox_work {
	const char *names[INBOX_WORK_MAX];
	size_t n;
	size_t again;          /* of these were tried before */
	bool is_full_of_again; /* only what was never tried may come */
};

void inbox_work_add(struct inbox_work *work, const char *name, bool is_again);

/* Again after twice as long as before; 0: too many wait, or too large ones. */
uint64_t inbox_wait_again(
    struct inbox_waits *waits, const struct report_mail *mail, uint64_t now);
void inbox_wait_over(struct inbox_waits *waits, const char *name);
/* It has been tried before. */
bool inbox_wait_is_known(const struct inbox_waits *waits, const char *name);
/*
 * Which comes now: the oldest that was never tried, else the oldest that is
 * due; NULL: none, and *ret_ms is how long until one is, or UINT64_MAX.  Waits
 * for what is no longer there are forgotten.
 */
const struct report_mail *inbox_wait_next(struct inbox_waits *waits,
    const struct report_mails *mails, const struct inbox_work *work,
    uint64_t now, uint64_t *ret_ms);
