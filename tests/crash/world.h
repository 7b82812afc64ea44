/*
 * A small mail system around a queue on a disk that fails: one receiver, one
 * queue, a peer that takes, puts off or refuses mail by its local part:
 *
 *     ok...     delivered
 *     late...   refused for now until world_relent(), then delivered
 *     bad...    refused for good, bounces
 *
 * It keeps the account that the disk is checked against: what was
 * acknowledged, what was delivered or bounced, what the journal had synced.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "queue/large.h"

#include "tests/support/fake_disk.h"
#include "tests/support/spool_kit.h"

enum {
	LETTERS = 256,
	RCPTS = 4,
	OVERDUE = 64
};

struct letter {
	uint64_t id;
	uint64_t size;
	unsigned nrcpts;
	char kind[RCPTS]; /* 'o', 'l', 'b' */
	bool acked;
	bool done[RCPTS];   /* delivered, bounced or removed */
	bool synced[RCPTS]; /* the journal's record of it is durable */
	bool noted[RCPTS];  /* the journal has it, not yet durable */
	bool queued[RCPTS]; /* as the check found */
};

struct world {
	struct fake_disk *fake;
	struct kit kit;
	struct queue *queue;
	struct segment *receiving;
	struct segment *bouncing;
	struct large *larges[8]; /* until their batch is durable */
	size_t nlarges;
	struct letter letters[LETTERS];
	size_t n;
	size_t collected; /* letters from here on are in the batch */
	int64_t now;
	bool relents;
	bool faulty; /* calls fail: damage is no surprise */
	unsigned deliveries;
};

void world_init(struct world *world, struct fake_disk *fake);
/* The processes end; the disk stays. */
void world_end(struct world *world);

/* What a day is made of; each carries on after errors. */
void world_accept(struct world *world, const char *rcpts, size_t size);
void world_accept_large(struct world *world, const char *rcpts, size_t size);
/* The batch that collects, and its 250s. */
void world_receive(struct world *world);
/* So many jobs, each to its end. */
void world_work(struct world *world, unsigned jobs);
void world_journal(struct world *world);
void world_remove(struct world *world, size_t number);
/* The queue role dies and comes back. */
void world_restart(struct world *world);

/* story.c: everything that happens, in order. */
void world_run(struct world *world);

/* The processes start; false: the disk does not let them. */
bool world_start(struct world *world);
/* Compare the queue with the account; fails the test with `where`. */
void world_check(struct world *world, const char *where);
/* All that is queued goes out; nothing is left. */
void world_finish(struct world *world, const char *where);
