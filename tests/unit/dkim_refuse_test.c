/* A message that the signer has refused is never signed, however it goes on. */
#include "reporting/dkim_header.h"
#include "reporting/dkim_sign.h"

#include "tests/support/dkim_kit.h"
#include "tests/support/test.h"

struct place {
	struct dkim_key *key;
	struct dkim_sign_key keys[1];
	struct dkim_signer *signer;
	struct buf out;
	struct err err;
};

static int
set_up(void **state)
{
	static struct place place;
	const struct dkim_sign_setup setup = {.domain = "example.org",
	    .keys = place.keys,
	    .nkeys = ROWS(place.keys),
	    .now = 1700000000};

	assert_int_equal(
	    dkim_key_read(span_of(kit_ed25519_pem), &place.key, &place.err), 0);
	place.keys[0] = (struct dkim_sign_key){place.key, "ed"};
	buf_init(&place.out, 10000);
	assert_int_equal(dkim_signer_new(&setup, &place.signer, &place.err), 0);
	*state = &place;
	return 0;
}

static int
tear_down(void **state)
{
	struct place *place = *state;

	dkim_signer_free(&place->signer);
	dkim_key_free(&place->key);
	buf_free(&place->out);
	return 0;
}

/* As often as that, or until it fails. */
static int
feed(struct place *place, const char *piece, size_t times)
{
	int rc = 0;

	place->err = (struct err){0};
	while (rc == 0 && times-- > 0)
		rc = dkim_signer_feed(
		    place->signer, span_of(piece), &place->err);
	return rc;
}

static int
end(struct place *place)
{
	place->err = (struct err){0};
	return dkim_signer_end(place->signer, &place->out, &place->err);
}

static void
stays_refused(struct place *place)
{
	assert_int_equal(place->err.kind, ERR_PERM);
	assert_int_equal(feed(place, "\r\n\r\nmore\r\n", 1), -1);
	assert_int_equal(place->err.kind, ERR_PERM);
	assert_int_equal(end(place), -1);
	assert_int_equal(place->err.kind, ERR_PERM);
	assert_non_null(strstr(place->err.text, "the header is longer"));
	assert_int_equal(place->out.n, 0);
}

static void
a_header_that_is_too_long(void **state)
{
	assert_int_equal(feed(*state, "From: x\r\n", 1), 0);
	assert_int_equal(feed(*state, " 23456789", DKIM_HEADER_MAX / 9), -1);
	stays_refused(*state);
}

static void
a_header_of_too_many_fields(void **state)
{
	assert_int_equal(feed(*state, "From: x\r\n", 1), 0);
	assert_int_equal(feed(*state, "X: y\r\n", DKIM_FIELDS_MAX), 0);
	assert_int_equal(feed(*state, "\r\nbody\r\n", 1), -1);
	stays_refused(*state);
}

static void
one_that_is_too_much_when_it_ends(void **state)
{
	assert_int_equal(feed(*state, "From: x\r\n", 1), 0);
	assert_int_equal(feed(*state, "X: y\r\n", DKIM_FIELDS_MAX), 0);
	assert_int_equal(end(*state), -1);
	stays_refused(*state);
}

/* The same with one field less is signed. */
static void
one_that_is_not_too_much(void **state)
{
	struct place *place = *state;

	assert_int_equal(feed(place, "From: x\r\n", 1), 0);
	assert_int_equal(feed(place, "X: y\r\n", DKIM_FIELDS_MAX - 1), 0);
	assert_int_equal(feed(place, "\r\nbody\r\n", 1), 0);
	assert_int_equal(end(place), 0);
	assert_true(place->out.n > 0);
}

int
main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
	    CASE(a_header_that_is_too_long),
	    CASE(a_header_of_too_many_fields),
	    CASE(one_that_is_too_much_when_it_ends),
	    CASE(one_that_is_not_too_much),
	};

	return cmocka_run_group_tests_name("dkim_refuse", tests, NULL, NULL);
}
