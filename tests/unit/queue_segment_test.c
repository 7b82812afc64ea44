/* Segments: what is written, what a crash or a bad disk leaves of it. */
#include <stdio.h>
#include <string.h>

#include "queue/checksum.h"
#include "queue/large.h"
#include "queue/listing.h"
#include "queue/reader.h"
#include "queue/record.h"

#include "tests/support/spool_bench.h"
#include "tests/support/test.h"

enum {
	NOW = 1000000
};

static const char segment_one[] = "spool/segment/0000000000000001.seg";

static void
ids_are_unique_and_numbers_rise(void **state)
{
	struct bench bench;
	struct segment *other;
	struct err err;
	uint64_t id;

	(void)state;
	bench_open(&bench);
	assert_int_equal(segment_number(bench.segment), 1);
	id = segment_new_id(bench.segment);
	assert_int_equal(segment_new_id(bench.segment), id + 1);
	assert_int_equal(segment_create(&bench.kit.spool, &other, &err), 0);
	assert_int_equal(segment_number(other), 2);
	assert_true(segment_new_id(other) > id + 1);
	segment_close(&other);
	/* A closed one keeps its number. */
	assert_int_equal(segment_create(&bench.kit.spool, &other, &err), 0);
	assert_int_equal(segment_number(other), 3);
	segment_close(&other);
	bench_close(&bench);
}

static void
room_says_what_to_do(void **state)
{
	struct bench bench;
	struct kit_envelope made;
	const struct envelope *envelope = kit_envelope(&made, "b@a", NOW);
	struct segment *segment;
	static char body[16 * 1024];
	struct segment_message message = {
	    .envelope = envelope, .body = {body, sizeof(body)}};
	struct err err;
	unsigned n = 0;

	(void)state;
	bench_open(&bench);
	segment = bench.segment;
	bench.kit.spool.batch_max = 50 * 1024;
	while (segment_room(segment, envelope, sizeof(body)) == ROOM_NOW) {
		assert_int_equal(segment_append(segment, &message, &err), 0);
		n++;
	}
	assert_int_equal(n, 3);
	assert_int_equal(
	    segment_room(segment, envelope, sizeof(body)), ROOM_LATER);
	for (; segment_room(segment, envelope, sizeof(body)) != ROOM_NONE;) {
		if (segment_room(segment, envelope, sizeof(body)) == ROOM_LATER)
			assert_int_not_equal(kit_sync(segment), 0);
		assert_int_equal(segment_append(segment, &message, &err), 0);
		n++;
	}
	assert_int_equal(n, (256 * 1024 - SEGMENT_HEADER) / (sizeof(body)));
	assert_int_equal(segment_append(segment, &message, &err), -1);
	assert_string_equal(err.enhanced, "4.3.1");
	assert_int_not_equal(kit_sync(segment), 0);
	bench_close(&bench);
}

static void
what_never_fits_is_refused_for_good(void **state)
{
	struct bench bench;
	struct kit_envelope made;
	static struct envelope_rcpt many[60000];
	struct envelope envelope = *kit_envelope(&made, "b@a", NOW);
	struct segment_message message = {.envelope = &envelope};
	struct err err;

	(void)state;
	bench_open(&bench);
	for (size_t i = 0; i < ROWS(many); i++)
		many[i] = (struct envelope_rcpt){"b@a", "", 0};
	envelope.rcpts = many;
	envelope.nrcpts = ROWS(many);
	assert_int_equal(segment_room(bench.segment, &envelope, 0), ROOM_NOW);
	assert_int_equal(segment_append(bench.segment, &message, &err), -1);
	assert_int_equal(err.kind, ERR_PERM);
	assert_string_equal(err.enhanced, "5.3.4");
	bench_close(&bench);
}

/* How many messages a queue finds; *ret_found as queue_open() said it. */
static unsigned
find(struct bench *bench, struct queue_found *ret_found)
{
	struct queue *queue = kit_queue(&bench->kit, NOW);

	*ret_found = bench->kit.found;
	queue_close(&queue);
	return (unsigned)ret_found->messages;
}

static void
one_batch_on_its_way(void **state)
{
	struct bench bench;
	struct batch *batch;
	struct queue_found found;
	struct err err;
	uint64_t end;

	(void)state;
	bench_open(&bench);
	assert_null(segment_take(bench.segment));
	(void)kit_append(bench.segment, "b@a", "first", NOW);
	batch = segment_take(bench.segment);
	assert_non_null(batch);
	(void)kit_append(bench.segment, "b@a", "second", NOW);
	assert_null(segment_take(bench.segment));
	assert_int_equal(batch_commit(batch, &err), 0);
	end = segment_committed(bench.segment, &batch, true);
	assert_null(batch);
	assert_true(segment_collecting(bench.segment));
	assert_true(kit_sync(bench.segment) > end);
	assert_false(segment_collecting(bench.segment));
	assert_int_equal(find(&bench, &found), 2);
	bench_close(&bench);
}

static void
a_failed_segment_is_never_trusted(void **state)
{
	struct bench bench;
	struct kit_envelope made;
	struct queue_found found;
	struct segment_message message = {
	    .envelope = kit_envelope(&made, "b@a", NOW), .body = SPAN("x")};
	struct err err;

	(void)state;
	bench_open(&bench);
	(void)kit_append(bench.segment, "b@a", "kept", NOW);
	assert_int_not_equal(kit_sync(bench.segment), 0);
	(void)kit_append(bench.segment, "b@a", "lost", NOW);
	/* pwrite, then fdatasync */
	fake_disk_fail_at(
	    bench.fake, fake_disk_calls(bench.fake) + 2, FAKE_EIO);
	assert_int_equal(kit_sync(bench.segment), 0);
	assert_true(segment_broken(bench.segment));
	assert_int_equal(
	    segment_room(bench.segment, message.envelope, 1), ROOM_NONE);
	assert_int_equal(segment_append(bench.segment, &message, &err), -1);
	assert_null(segment_take(bench.segment));
	segment_close(&bench.segment);
	/* What failed was cut off: the client will send it again. */
	assert_int_equal(find(&bench, &found), 1);
	bench_close(&bench);
}

/* A disk with the first `n` bytes of segment 1, the rest zero to its end. */
static struct fake_disk *
cut_at(struct fake_disk *fake, uint64_t n, uint64_t end)
{
	struct fake_disk *copy = fake_disk_copy(fake);
	struct disk disk;
	struct err err;
	static const char zeros[8192];
	int fd;

	fake_disk_crash(copy, FAKE_KEEP, 0);
	disk = fake_disk_of(copy);
	assert_int_equal(disk_open(&disk, segment_one, 2, &fd, &err), 1);
	assert_int_equal(disk_write(&disk, fd, zeros, end - n, n, &err), 0);
	disk_close(&disk, &fd);
	return copy;
}

static void
torn_at_every_byte(void **state)
{
	static const char last[] = "two, of the last batch";
	struct bench bench;
	struct kit_envelope made;
	uint64_t before, end, whole;

	(void)state;
	bench_open(&bench);
	(void)kit_append(bench.segment, "b@a", "one", NOW);
	before = kit_sync(bench.segment);
	(void)kit_append(bench.segment, "b@a", last, NOW);
	end = kit_sync(bench.segment);
	whole = before + RECORD_HEAD +
	        envelope_size(kit_envelope(&made, "b@a", NOW)) + strlen(last);
	assert_true(whole <= end && whole + RECORD_ALIGN > end);
	for (uint64_t n = before; n <= end; n++) {
		struct bench cut = {.fake = cut_at(bench.fake, n, end)};
		struct queue_found found;

		kit_open_on(&cut.kit, fake_disk_of(cut.fake));
		if (find(&cut, &found) != (n < whole ? 1 : 2))
			fail_msg("cut at %u", (unsigned)n);
		assert_int_equal(found.damaged, 0);
		assert_int_equal(found.torn, n > before && n < whole);
		fake_disk_free(&cut.fake);
	}
	bench_close(&bench);
}

static void
damage_before_the_last_batch_is_told(void **state)
{
	struct bench bench;
	struct queue_found found;
	uint64_t first;

	(void)state;
	bench_open(&bench);
	(void)kit_append(bench.segment, "b@a", "one", NOW);
	first = kit_sync(bench.segment);
	(void)kit_append(bench.segment, "b@a", "two", NOW);
	assert_int_not_equal(kit_sync(bench.segment), 0);
	(void)kit_append(bench.segment, "b@a", "three", NOW);
	assert_int_not_equal(kit_sync(bench.segment), 0);
	segment_close(&bench.segment);
	/* In the envelope of the second: its head does not check any more. */
	fake_disk_rot(bench.fake, segment_one, first + RECORD_HEAD + 10);
	assert_int_equal(find(&bench, &found), 2);
	assert_int_equal(found.damaged, 1);
	assert_int_equal(found.torn, 0);
	bench_close(&bench);
}

static void
a_second_header_stands_by(void **state)
{
	struct bench bench;
	struct queue_found found;

	(void)state;
	bench_open(&bench);
	(void)kit_append(bench.segment, "b@a", "one", NOW);
	assert_int_not_equal(kit_sync(bench.segment), 0);
	segment_close(&bench.segment);
	fake_disk_rot(bench.fake, segment_one, 17);
	assert_int_equal(find(&bench, &found), 1);
	fake_disk_rot(bench.fake, segment_one, 4096 + 17);
	assert_int_equal(find(&bench, &found), 0);
	assert_int_equal(fake_disk_count(bench.fake, "spool/segment"), 1);
	bench_close(&bench);
}

static void
reads_what_was_written(
    struct bench *bench, uint64_t id, uint32_t offset, const char *body)
{
	struct reader *reader = reader_new(&bench->kit.spool);
	struct arena *arena = arena_new(10000);
	struct message_in *message;
	struct err err;
	char bytes[100];
	size_t n = 0;

	assert_int_equal(message_open(reader, id, (struct location){1, offset},
			     arena, &message, &err),
	    0);
	assert_int_equal(
	    message_read(message, bytes, sizeof(bytes), &n, &err), 0);
	assert_true(span_eq((struct span){bytes, n}, span_of(body)));
	assert_int_equal(
	    message_read(message, bytes, sizeof(bytes), &n, &err), 0);
	assert_int_equal(n, 0);
	message_rewind(message);
	assert_int_equal(message_read(message, bytes, 2, &n, &err), 0);
	assert_true(
	    span_eq((struct span){bytes, n}, span_first(span_of(body), 2)));
	message_close(&message);
	arena_free(&arena);
	reader_free(&reader);
}

static void
a_short_read_is_gone_on_with(void **state)
{
	struct bench bench;
	uint64_t id;

	(void)state;
	bench_open(&bench);
	id = kit_append(bench.segment, "b@a", "text", NOW);
	assert_true(kit_sync(bench.segment) > 0);
	for (unsigned call = 2; call < 5; call++) { /* 1 opens it */
		fake_disk_fail_at(
		    bench.fake, fake_disk_calls(bench.fake) + call, FAKE_SHORT);
		reads_what_was_written(&bench, id, SEGMENT_HEADER, "text");
		assert_string_equal(fake_disk_failed(bench.fake), "pread");
	}
	bench_close(&bench);
}

static void
a_rotten_body_is_not_handed_out(void **state)
{
	struct bench bench;
	struct reader *reader;
	struct arena *arena = arena_new(10000);
	struct message_in *message;
	struct err err;
	uint64_t id, end;

	(void)state;
	bench_open(&bench);
	id = kit_append(bench.segment, "b@a", "the body of it", NOW);
	end = kit_sync(bench.segment);
	reads_what_was_written(&bench, id, SEGMENT_HEADER, "the body of it");
	reader = reader_new(&bench.kit.spool);
	assert_int_equal(
	    message_open(reader, id + 1, (struct location){1, SEGMENT_HEADER},
		arena, &message, &err),
	    -1);
	assert_int_equal(message_open(reader, id, (struct location){9, 8192},
			     arena, &message, &err),
	    -1);
	assert_int_equal(err.kind, ERR_TEMP);
	fake_disk_rot(bench.fake, segment_one, end - 8);
	assert_int_equal(
	    message_open(reader, id, (struct location){1, SEGMENT_HEADER},
		arena, &message, &err),
	    -1);
	assert_int_equal(err.kind, ERR_BUG);
	reader_free(&reader);
	arena_free(&arena);
	bench_close(&bench);
}

/* A whole segment with one record in it, as somebody else might make it. */
static size_t
forge(char *to, uint32_t offset, struct file_header header, uint64_t id)
{
	struct kit_envelope made;
	struct record record = {.id = id,
	    .offset = offset,
	    .base = offset,
	    .body_checksum = checksum((struct span){0}, header.salt)};
	struct buf envelope;

	buf_init(&envelope, 1000);
	assert_int_equal(
	    envelope_encode(kit_envelope(&made, "victim@a", NOW), &envelope),
	    0);
	record.envelope_size = (uint32_t)envelope.n;
	record_store(to, &record, header, buf_span(&envelope));
	memcpy(to + RECORD_HEAD, envelope.p, envelope.n);
	buf_free(&envelope);
	return RECORD_HEAD + record.envelope_size;
}

/*
 * Mail may hold the bytes of a record for the very place where it will
 * stand.  When the record around it is torn, it must not be found there.
 */
static void
mail_cannot_forge_mail(void **state)
{
	struct bench bench;
	struct queue_found found;
	struct kit_envelope made;
	char body[1024] = {0};
	size_t at = RECORD_HEAD +
	            envelope_size(kit_envelope(&made, "b@a", NOW));
	size_t shift = -at & 7;
	struct segment_message message = {
	    .envelope = &made.envelope, .body = {body, sizeof(body)}};
	struct err err;

	(void)state;
	bench_open(&bench);
	message.id = segment_new_id(bench.segment);
	(void)forge(body + shift, (uint32_t)(SEGMENT_HEADER + at + shift),
	    (struct file_header){1, 0}, 77);
	assert_int_equal(segment_append(bench.segment, &message, &err), 0);
	assert_int_not_equal(kit_sync(bench.segment), 0);
	segment_close(&bench.segment);
	fake_disk_rot(bench.fake, segment_one, SEGMENT_HEADER + RECORD_HEAD);
	assert_int_equal(find(&bench, &found), 0);
	bench_close(&bench);
}

/* Blocks may come from a file that was a segment before. */
static void
stale_records_are_not_found(void **state)
{
	struct bench bench;
	struct queue_found found;
	struct disk disk;
	char stale[512] = {0};
	struct err err;
	uint64_t end;
	size_t n;
	int fd;

	(void)state;
	bench_open(&bench);
	disk = bench.kit.spool.disk;
	(void)kit_append(bench.segment, "b@a", "one", NOW);
	end = kit_sync(bench.segment);
	segment_close(&bench.segment);
	n = forge(stale, (uint32_t)end, (struct file_header){7, 12345}, 78);
	assert_int_equal(disk_open(&disk, segment_one, 2, &fd, &err), 1);
	assert_int_equal(disk_write(&disk, fd, stale, n, end, &err), 0);
	disk_close(&disk, &fd);
	assert_int_equal(find(&bench, &found), 1);
	bench_close(&bench);
}

static void
large_orphans_go(void **state)
{
	struct bench bench;
	struct large *large;
	struct queue *queue;
	struct err err;

	(void)state;
	bench_open(&bench);
	assert_int_equal(large_begin(&bench.kit.spool, 5, &large, &err), 0);
	assert_int_equal(large_write(large, SPAN("text"), &err), 0);
	/* Its writer lives. */
	queue = kit_queue(&bench.kit, NOW);
	queue_close(&queue);
	assert_int_equal(bench.kit.found.orphans, 0);
	assert_int_equal(fake_disk_count(bench.fake, "spool/large"), 1);
	large_close(&large);
	queue = kit_queue(&bench.kit, NOW);
	queue_close(&queue);
	assert_int_equal(bench.kit.found.orphans, 1);
	assert_int_equal(fake_disk_count(bench.fake, "spool/large"), 0);
	assert_int_equal(large_begin(&bench.kit.spool, 6, &large, &err), 0);
	large_abort(&large);
	assert_int_equal(fake_disk_count(bench.fake, "spool/large"), 0);
	bench_close(&bench);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(ids_are_unique_and_numbers_rise),
	    cmocka_unit_test(room_says_what_to_do),
	    cmocka_unit_test(what_never_fits_is_refused_for_good),
	    cmocka_unit_test(one_batch_on_its_way),
	    cmocka_unit_test(a_failed_segment_is_never_trusted),
	    cmocka_unit_test(torn_at_every_byte),
	    cmocka_unit_test(damage_before_the_last_batch_is_told),
	    cmocka_unit_test(a_second_header_stands_by),
	    cmocka_unit_test(a_short_read_is_gone_on_with),
	    cmocka_unit_test(a_rotten_body_is_not_handed_out),
	    cmocka_unit_test(mail_cannot_forge_mail),
	    cmocka_unit_test(stale_records_are_not_found),
	    cmocka_unit_test(large_orphans_go),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
