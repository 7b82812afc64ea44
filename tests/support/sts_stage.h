/*
 * A finder of policies with DNS from a table, a store in a folder of its own
 * and no policy host: every fetch fails.
 */
#pragma once
#include "mta/config.h"
#include "mta/sts/finder.h"

#include "tests/support/fake_dns.h"
#include "tests/support/sts_place.h"

#define STAGE_ZONE 24

struct fixture {
	struct place *place;
	struct config config;
	struct loop *loop;
	struct dns *dns;
	struct fake_record zone[STAGE_ZONE]; /* may be changed */
	struct watch *watch;
	struct timer *guard;
	struct sts_finder *finder; /* NULL until stage_open() */
	unsigned found;            /* answers so far, and the last one: */
	struct sts_answer answer;
	struct sts_record record;
	char trouble[400];
	const char *trouble_type;
	bool policy;        /* there is one; not that it applies */
	enum sts_mode mode; /* of that */
	int64_t fetched_at; /* and when it was fetched */
	uint32_t ttl;
};

int stage_set_up(void **state);
int stage_tear_down(void **state);
void stage_open(struct fixture *f, bool only_look);
/* The answer of DNS from now on; NULL: no record.  The text is borrowed. */
void stage_record(
    struct fixture *f, const char *name, uint16_t type, const char *data);
/* The record of a domain that has an id: "a". */
#define STAGE_ID_A "#0e763d53545376313b2069643d613b" /* "v=STSv1; id=a;" */
#define STAGE_ID_B "#0e763d53545376313b2069643d623b"
/* A policy of id "a", fetched so many seconds ago. */
void stage_put(struct fixture *f, const char *domain, int64_t ago);
struct sts_entry stage_stored(struct fixture *f, const char *domain);
/* Turns of the loop; one that has nothing to do takes 20 ms. */
void stage_turn(struct fixture *f, int turns);
/* So much time. */
void stage_pass(struct fixture *f, unsigned ms);
/* Until there were so many answers, or all that DNS was asked; or it fails. */
void stage_wait(struct fixture *f, unsigned n);
void stage_answer(struct fixture *f);
sts_found_fn stage_on_found; /* arg is the fixture */
/* sts_find(), and what it comes to. */
enum sts_step stage_ask(struct fixture *f, const char *domain, bool insist);
