/*
 * Whose turn it is when a few are read at a time: no user has more of the
 * places than are left to the others, so of eight the first has four, the
 * next two, and two more have one each.  Pure.
 *
 * Those whose turn it is not wait here by name, each user with no more of the
 * room than is left; what there is no room for is still in the folder.
 *
 * And which are put off, because somebody could not say what becomes of them.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "mta/drop.h"

#define TURNS_PLACES  8
#define TURNS_WAITING 256
#define TURNS_PUT_OFF 256 /* of those there may be more; then too early */
/* Half its age, between these: */
#define TURNS_PUT_OFF_MS   5000
#define TURNS_PUT_OFF_MOST 300000
#define TURNS_NAME_SIZE    (DROP_NAME_SIZE + sizeof(DROP_BEGUN))

struct turn {
	char name[TURNS_NAME_SIZE];
	uid_t uid;
};

struct turn_put_off {
	char name[DROP_NAME_SIZE]; /* without its ending */
	uint64_t until;            /* ms */
};

/* Zeroed is empty. */
struct turns {
	struct turn waiting[TURNS_WAITING]; /* the first one came first */
	size_t n;
	bool more; /* there was no room for all */
	struct turn_put_off put_off[TURNS_PUT_OFF]; /* a ring */
	size_t nput_off;
};

/* May one of this user be read beside those n that are? */
bool turns_has(const uid_t *reading, size_t n, uid_t uid);

void turns_wait(struct turns *turns, const char *name, uid_t uid);
/* Does it wait, begun or not? */
bool turns_knows(const struct turns *turns, const char *name);
bool turns_waits(const struct turns *turns, const uid_t *reading, size_t n);
/*
 * The first of those that wait and whose turn it is; false: none.
 * *ret_look: of its user no more wait here, and there may be some elsewhere.
 */
bool turns_next(struct turns *turns, const uid_t *reading, size_t n,
    char to[TURNS_NAME_SIZE], bool *ret_look);
/* Nobody waits; what is put off still is. */
void turns_forget(struct turns *turns);

/* For the longer, the older it is. */
void turns_put_off(
    struct turns *turns, const char *name, uint64_t now_ms, int64_t age);
/* Begun or not. */
bool turns_is_put_off(
    const struct turns *turns, const char *name, uint64_t now_ms);
