/* See inbox_waits.h. */
#include "mta/report/inbox_waits.h"

#include <string.h>

#include "base/text.h"

/* "": a free place.  INBOX_WAITS_MAX: there is none. */
static size_t
place_of(const struct inbox_waits *waits, const char *name)
{
	size_t i = 0;

	while (i < INBOX_WAITS_MAX && strcmp(waits->list[i].name, name) != 0)
		i++;
	return i;
}

static struct inbox_wait *
find(struct inbox_waits *waits, const char *name)
{
	size_t i = place_of(waits, name);

	return i < INBOX_WAITS_MAX ? &waits->list[i] : NULL;
}

bool
inbox_wait_is_known(const struct inbox_waits *waits, const char *name)
{
	return name[0] != '\0' && place_of(waits, name) < INBOX_WAITS_MAX;
}

static uint64_t
back_off(unsigned tries)
{
	uint64_t ms = INBOX_WAIT_FIRST_MS;

	while (tries-- > 0 && ms < INBOX_WAIT_LAST_MS)
		ms *= 2;
	return ms < INBOX_WAIT_LAST_MS ? ms : INBOX_WAIT_LAST_MS;
}

static uint64_t
octets_of(const struct inbox_waits *waits)
{
	uint64_t octets = 0;

	for (size_t i = 0; i < INBOX_WAITS_MAX; i++)
		octets += waits->list[i].octets;
	return octets;
}

/* Few large ones must not fill the folder for days, either. */
uint64_t
inbox_wait_again(
    struct inbox_waits *waits, const struct report_mail *mail, uint64_t now)
{
	bool fits = octets_of(waits) + mail->octets <= INBOX_WAITS_OCTETS;
	struct inbox_wait *wait = find(waits, mail->name);
	uint64_t ms;

	if (wait == NULL && !fits)
		return 0;
	if (wait == NULL)
		wait = find(waits, "");
	if (wait == NULL)
		return 0;
	(void)text_copy(wait->name, sizeof(wait->name), mail->name);
	wait->octets = mail->octets;
	ms = back_off(wait->tries++);
	wait->due = now + ms;
	return ms;
}

static void
clear(struct inbox_wait *wait)
{
	*wait = (struct inbox_wait){.name = ""};
}

void
inbox_wait_over(struct inbox_waits *waits, const char *name)
{
	struct inbox_wait *wait = name[0] == '\0' ? NULL : find(waits, name);

	if (wait != NULL)
		clear(wait);
}

static bool
is_there(const struct report_mails *mails, const char *name)
{
	for (size_t i = 0; i < mails->n; i++)
		if (strcmp(mails->list[i].name, name) == 0)
			return true;
	return false;
}

static void
forget_gone(struct inbox_waits *waits, const struct report_mails *mails)
{
	for (size_t i = 0; i < INBOX_WAITS_MAX; i++)
		if (waits->list[i].name[0] != '\0' &&
		    !is_there(mails, waits->list[i].name))
			clear(&waits->list[i]);
}

void
inbox_work_add(struct inbox_work *work, const char *name, bool is_again)
{
	work->names[work->n++] = name;
	work->again += is_again;
	work->is_full_of_again |= work->again >= INBOX_WORK_AGAIN_MAX;
}

static bool
is_under_way(const struct inbox_work *work, const char *name)
{
	for (size_t i = 0; i < work->n; i++)
		if (strcmp(work->names[i], name) == 0)
			return true;
	return false;
}

const struct report_mail *
inbox_wait_next(struct inbox_waits *waits, const struct report_mails *mails,
    const struct inbox_work *work, uint64_t now, uint64_t *ret_ms)
{
	const struct report_mail *due = NULL;

	*ret_ms = UINT64_MAX;
	forget_gone(waits, mails);
	for (size_t i = 0; i < mails->n; i++) {
		const struct report_mail *mail = &mails->list[i];
		const struct inbox_wait *wait = find(waits, mail->name);

		if (is_under_way(work, mail->name))
			continue;
		if (wait == NULL)
			return mail;
		if (due == NULL && wait->due <= now && !work->is_full_of_again)
			due = mail;
		if (wait->due > now && wait->due - now < *ret_ms)
			*ret_ms = wait->due - now;
	}
	return due;
}
