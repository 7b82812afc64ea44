/*
 * A finder of policies with DNS from a table, a store in a folder of its own
 * and no policy host: every fetch fails.
 */
#pragma once
#include "mta/config.h"
#include "mta/sts/finder.h"

#include "tests/support/sts_place.h"

struct fixture {
	struct place *place;
	struct config config;
	struct loop *loop;
	struct dns *dns;
	struct watch *watch;
	struct timer *guard;
	struct sts_finder *finder; /* NULL until stage_open() */
	unsigned found;            /* answers so far, and the last one: */
	struct sts_answer answer;
	struct sts_record record;
	char trouble[400];
	bool policy;
	enum sts_mode mode; /* of that */
};

int stage_set_up(void **state);
int stage_tear_down(void **state);
void stage_open(struct fixture *f, bool only_look);
/* A policy of id "a", fetched so many seconds ago. */
void stage_put(struct fixture *f, const char *domain, int64_t ago);
struct sts_entry stage_stored(struct fixture *f, const char *domain);
/* Turns of the loop; one that has nothing to do takes 20 ms. */
void stage_turn(struct fixture *f, int turns);
/* Until there were so many answers. */
void stage_wait(struct fixture *f, unsigned n);
sts_found_fn stage_on_found; /* arg is the fixture */
/* sts_find(), and what it comes to. */
enum sts_step stage_ask(struct fixture *f, const char *domain, bool insist);
