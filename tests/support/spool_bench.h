/* A spool on a fake disk with one segment, as most tests of the queue begin. */
#pragma once
#include "tests/support/fake_disk.h"
#include "tests/support/spool_kit.h"

struct bench {
	struct fake_disk *fake;
	struct kit kit;
	struct segment *segment;
	struct queue *queue; /* NULL: not started */
	uint64_t id;         /* the test's: of its one message */
};

/* No queue yet: settings may be changed before it is started. */
void bench_open(struct bench *bench);
/* One that runs with its journal at `now`, `most` at once to a destination. */
void bench_begin(struct bench *bench, uint32_t most, int64_t now);
/* `n` messages for these; the id of the last. */
uint64_t bench_accept(
    struct bench *bench, const char *rcpts, unsigned n, int64_t now);
void bench_close(struct bench *bench);
