/* Is everything that was promised there, and nothing else? */
#include <stdio.h>
#include <string.h>

#include "queue/listing.h"
#include "queue/reader.h"

#include "tests/crash/world.h"
#include "tests/support/test.h"

struct check {
	struct world *world;
	const char *where;
	struct reader *reader;
	struct arena *arena;
};

static size_t
number_of(const struct check *check, uint64_t id)
{
	size_t i = 0;

	while (i < check->world->n && check->world->letters[i].id != id)
		i++;
	return i;
}

/* The octets of write_body(). */
static bool
is_body(const char *p, size_t n, uint64_t at, size_t number)
{
	for (size_t i = 0; i < n; i++)
		if (p[i] !=
		    (char)('a' + (at + i + number * 7 + (at + i) / 251) % 26))
			return false;
	return true;
}

static void
check_body(struct check *check, const struct queue_job *job, size_t number)
{
	struct message_in *message;
	struct err err;
	char bytes[3000];
	uint64_t at = 0;
	size_t n;

	arena_reset(check->arena);
	if (message_open(check->reader, job->id, job->at, check->arena,
		&message, &err) < 0)
		fail_msg("%s: letter %zu: %s", check->where, number, err.text);
	do {
		if (message_read(message, bytes, sizeof(bytes), &n, &err) < 0)
			fail_msg("%s: letter %zu: %s", check->where, number,
			    err.text);
		if (!is_body(bytes, n, at, number))
			fail_msg("%s: letter %zu: other octets", check->where,
			    number);
		at += n;
	} while (n > 0);
	if (at != check->world->letters[number].size)
		fail_msg("%s: letter %zu: cut", check->where, number);
	message_close(&message);
}

static void
on_entry(void *arg, const struct queue_entry *entry)
{
	struct check *check = arg;
	size_t number = number_of(check, entry->job.id);
	struct letter *letter = &check->world->letters[number];

	if (number == check->world->n)
		fail_msg("%s: a letter nobody sent", check->where);
	for (size_t i = 0; i < entry->job.nrcpts; i++) {
		uint16_t r = entry->job.rcpts[i];

		if (r >= letter->nrcpts || letter->queued[r])
			fail_msg("%s: letter %zu: recipient %u twice",
			    check->where, number, r);
		letter->queued[r] = true;
	}
	check_body(check, &entry->job, number);
}

static void
check_letter(struct check *check, size_t number)
{
	const struct letter *letter = &check->world->letters[number];

	for (unsigned r = 0; r < letter->nrcpts; r++) {
		if (letter->acked && !letter->done[r] && !letter->queued[r])
			fail_msg("%s: letter %zu to %u is lost", check->where,
			    number, r);
		if (letter->synced[r] && letter->queued[r])
			fail_msg("%s: letter %zu to %u: its end is forgotten",
			    check->where, number, r);
	}
}

void
world_check(struct world *world, const char *where)
{
	struct check check = {
	    .world = world,
	    .where = where,
	    .reader = reader_new(&world->kit.spool),
	    .arena = arena_new(1 << 20),
	};
	uint64_t position = 0;

	for (size_t i = 0; i < world->n; i++)
		memset(world->letters[i].queued, 0,
		    sizeof(world->letters[i].queued));
	while (queue_list(world->queue, &position, on_entry, &check))
		continue;
	for (size_t i = 0; i < world->n; i++)
		check_letter(&check, i);
	if (!world->faulty &&
	    (world->kit.found.damaged > 0 || world->kit.found.journal_damaged))
		fail_msg("%s: says that something is damaged", where);
	reader_free(&check.reader);
	arena_free(&check.arena);
}

static void
take(struct world *world, const struct queue_job *job)
{
	struct queue_result results[RCPTS] = {0};
	size_t number = 0;

	while (world->letters[number].id != job->id)
		number++;
	for (size_t i = 0; i < job->nrcpts; i++) {
		results[i].rcpt = job->rcpts[i];
		results[i].settle = SETTLE_DELIVERED;
		world->letters[number].done[job->rcpts[i]] = true;
		world->letters[number].noted[job->rcpts[i]] = true;
	}
	queue_settle(world->queue, job->id, results, job->nrcpts, world->now);
}

static void
take_all(struct world *world)
{
	struct queue_job job;

	for (size_t i = 0; i < world->n; i++)
		(void)queue_hold(world->queue, world->letters[i].id, false);
	world->now += 86400 * 30;
	while (kit_next(world->queue, world->now, &job) != 0)
		take(world, &job);
	(void)kit_journal(world->queue);
	kit_chores(world->queue);
	for (size_t i = 0; i < world->n; i++)
		for (unsigned r = 0; r < RCPTS; r++)
			world->letters[i].synced[r] = world->letters[i]
			                                  .noted[r];
}

/* The newest segment, one without a header, one being finished. */
enum {
	LEFT_BYTES = 3 * 64 * 1024,
	LEFT_SEGMENTS = 3
};

static void
check_left(const struct fake_disk *fake, const char *where)
{
	if (fake_disk_bytes(fake) > LEFT_BYTES)
		fail_msg("%s: %u bytes are left", where,
		    (unsigned)fake_disk_bytes(fake));
	/* The journal and its lock. */
	if (fake_disk_count(fake, "spool/large") > 0 ||
	    fake_disk_count(fake, "spool/journal") > 2 ||
	    fake_disk_count(fake, "spool/segment") > LEFT_SEGMENTS)
		fail_msg("%s: %u segments, %u journals, %u large files left",
		    where, fake_disk_count(fake, "spool/segment"),
		    fake_disk_count(fake, "spool/journal") - 1,
		    fake_disk_count(fake, "spool/large"));
}

void
world_finish(struct world *world, const char *where)
{
	struct queue_counts counts;

	take_all(world);
	queue_close(&world->queue);
	if (!world_start(world))
		fail_msg("%s: does not start again", where);
	world_check(world, where);
	queue_count(world->queue, &counts);
	if (counts.messages != 0)
		fail_msg("%s: %u messages are left", where,
		    (unsigned)counts.messages);
	(void)kit_journal(world->queue);
	kit_chores(world->queue);
	check_left(world->fake, where);
}
