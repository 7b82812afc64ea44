/* The envelope alone: what listings read of a message. */
#include <stdio.h>
#include <string.h>

#include "queue/reader.h"

#include "tests/support/fake_disk.h"
#include "tests/support/spool_kit.h"
#include "tests/support/test.h"

struct place {
	struct fake_disk *fake;
	struct kit kit;
	struct segment *segment;
	struct reader *reader;
	struct arena *arena;
	struct envelope envelope;
	struct err err;
};

static int
peek(struct place *p, uint64_t id, uint64_t segment, uint32_t offset)
{
	struct location at = {segment, offset};

	return message_peek(p->reader, id, at, p->arena, &p->envelope, &p->err);
}

static void
envelopes_are_peeked_at(void **state)
{
	struct place p = {.fake = fake_disk_new(), .arena = arena_new(1 << 20)};
	char many[64 * 32] = "";
	uint64_t id, other, number;
	uint32_t second;

	(void)state;
	for (int i = 0; i < 60; i++)
		(void)snprintf(many + strlen(many), sizeof(many) - strlen(many),
		    "%sr%d@somewhere.far.example", i == 0 ? "" : " ", i);
	kit_open_on(&p.kit, fake_disk_of(p.fake));
	assert_int_equal(segment_create(&p.kit.spool, &p.segment, &p.err), 0);
	number = segment_number(p.segment);
	id = kit_append(p.segment, "a@b.example", "a body", 1000);
	second = (uint32_t)segment_end(p.segment);
	other = kit_append(p.segment, many, "", 1000);
	assert_true(kit_sync(p.segment) > 0);
	p.reader = reader_new(&p.kit.spool);
	assert_int_equal(peek(&p, id, number, 8192), 0);
	assert_string_equal(p.envelope.rcpts[0].address, "a@b.example");
	/* Longer than what one read brings. */
	assert_int_equal(peek(&p, other, number, second), 0);
	assert_int_equal(p.envelope.nrcpts, 60);
	assert_string_equal(
	    p.envelope.rcpts[59].address, "r59@somewhere.far.example");
	/* Another message, no message, no segment. */
	assert_int_equal(peek(&p, id, number, second), -1);
	assert_int_equal(p.err.kind, ERR_BUG);
	assert_int_equal(peek(&p, id, number, 8200), -1);
	assert_int_equal(p.err.kind, ERR_BUG);
	assert_int_equal(peek(&p, id, number + 7, 8192), -1);
	assert_int_equal(p.err.kind, ERR_TEMP);
	reader_free(&p.reader);
	arena_free(&p.arena);
	segment_close(&p.segment);
	fake_disk_free(&p.fake);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(envelopes_are_peeked_at),
	};

	return cmocka_run_group_tests_name("peek", tests, NULL, NULL);
}
