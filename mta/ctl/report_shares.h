/*
 * Who gets room where there is not enough for all: each zone has one turn, then
 * each that wants more a second, and so on.  Whoever has many names has the
 * room of one, and what one does not want is for the others.
 *
 * A zone is the last two labels of a name; all whom nobody vouches for are one.
 * In a zone it is who comes first.
 *
 *     each says, in any order, how much it wants, one by one;
 *     then each asks as often, and no more than `most` in all get one.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>

struct shares;

struct shares_zone {
	char *name;
	size_t wants, has;
};

struct shares *shares_new(size_t most);
void shares_free(struct shares **shares);

/* The name of the zone of who signs; NULL: of those nobody vouches for. */
const char *shares_name(const char *signer);
/* By that name, which is copied; lent until shares_free(). */
struct shares_zone *shares_zone(struct shares *shares, const char *name);

void shares_want(struct shares *shares, struct shares_zone *zone);
bool shares_take(struct shares *shares, struct shares_zone *zone);
