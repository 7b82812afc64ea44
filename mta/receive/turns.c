/* See turns.h. */
#include "mta/receive/turns.h"

#include <string.h>

#include "base/text.h"

/* --- places ---------------------------------------------------------------- */

static size_t
waiting_of(const struct turns *turns, uid_t uid)
{
	size_t same = 0;

	for (size_t i = 0; i < turns->n; i++)
		same += turns->waiting[i].uid == uid;
	return same;
}

bool
turns_has(const uid_t *reading, size_t n, uid_t uid)
{
	size_t same = 0;

	for (size_t i = 0; i < n; i++)
		same += reading[i] == uid;
	return n < TURNS_PLACES && same < TURNS_PLACES - n;
}

void
turns_wait(struct turns *turns, const char *name, uid_t uid)
{
	struct turn *turn = &turns->waiting[turns->n];

	if (waiting_of(turns, uid) >= TURNS_WAITING - turns->n ||
	    !text_copy(turn->name, sizeof(turn->name), name)) {
		turns->more = true;
		return;
	}
	turn->uid = uid;
	turns->n++;
}

/* Whatever their endings. */
static bool
is_same(const char *a, const char *b)
{
	return strncmp(a, b, DROP_NAME_SIZE - 1) == 0;
}

bool
turns_knows(const struct turns *turns, const char *name)
{
	for (size_t i = 0; i < turns->n; i++)
		if (is_same(turns->waiting[i].name, name))
			return true;
	return false;
}

/* turns->n: none. */
static size_t
find_next(const struct turns *turns, const uid_t *reading, size_t n)
{
	size_t i = 0;

	while (i < turns->n && !turns_has(reading, n, turns->waiting[i].uid))
		i++;
	return i;
}

bool
turns_waits(const struct turns *turns, const uid_t *reading, size_t n)
{
	return find_next(turns, reading, n) < turns->n;
}

bool
turns_next(struct turns *turns, const uid_t *reading, size_t n,
    char to[TURNS_NAME_SIZE], bool *ret_look)
{
	size_t at = find_next(turns, reading, n);
	struct turn *turn = &turns->waiting[at];
	uid_t uid;

	*ret_look = false;
	if (at == turns->n)
		return false;
	uid = turn->uid;
	memcpy(to, turn->name, TURNS_NAME_SIZE);
	turns->n--;
	memmove(turn, turn + 1, (turns->n - at) * sizeof(*turn));
	*ret_look = turns->more && waiting_of(turns, uid) == 0;
	if (*ret_look)
		turns->more = false;
	return true;
}

void
turns_forget(struct turns *turns)
{
	turns->n = 0;
	turns->more = false;
}

/* --- what is put off ------------------------------------------------------- */

static uint64_t
patience(int64_t age)
{
	if (age < 2 * TURNS_PUT_OFF_MS / 1000)
		return TURNS_PUT_OFF_MS;
	return age > 2 * TURNS_PUT_OFF_MOST / 1000 ? TURNS_PUT_OFF_MOST
	                                           : (uint64_t)age * 1000 / 2;
}

void
turns_put_off(
    struct turns *turns, const char *name, uint64_t now_ms, int64_t age)
{
	struct turn_put_off
	    *slot = &turns->put_off[turns->nput_off++ % TURNS_PUT_OFF];

	(void)text_copy(slot->name, sizeof(slot->name), name);
	slot->until = now_ms + patience(age);
}

bool
turns_is_put_off(const struct turns *turns, const char *name, uint64_t now_ms)
{
	for (size_t i = 0; i < TURNS_PUT_OFF; i++)
		if (turns->put_off[i].until > now_ms &&
		    is_same(turns->put_off[i].name, name))
			return true;
	return false;
}
