/* What a handshake showed, in the words of the decision and of reports. */
#include "mta/net/tls.h"

#include "tests/support/test.h"

/* RFC 8460 4.3.1: why there is no session at all. */
static void
test_without_a_session(void **state)
{
	static const struct {
		enum tls_got got;
		const char *failure;
	} rows[] = {
	    {TLS_GOT_NOTHING, NULL},
	    {TLS_GOT_NOT_ASKED, NULL},
	    {TLS_GOT_NO_OFFER, "starttls-not-supported"},
	    {TLS_GOT_REFUSED, "starttls-not-supported"},
	    {TLS_GOT_BROKEN, "validation-failure"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct tls_seen seen = tls_seen_without(rows[i].got);

		assert_int_equal(seen.got, rows[i].got);
		assert_false(seen.dane || seen.pkix || seen.host);
		assert_null(seen.host_failure);
		if (rows[i].failure == NULL)
			assert_null(seen.failure);
		else
			assert_string_equal(seen.failure, rows[i].failure);
	}
}

static struct tls_proof
proof(char how)
{
	struct tls_proof proof = {.check = TLS_UNCHECKED, .result_type = ""};

	if (how == '+')
		proof.check = TLS_CHECK_PASSED;
	if (how == '-')
		proof = (struct tls_proof){TLS_CHECK_FAILED, "?", "no"};
	return proof;
}

/* '+' passed, '-' failed, ' ' not checked: DANE, WebPKI, the host's name. */
struct row {
	enum tls_need wanted;
	const char *proofs;
	const char *failure; /* NULL, "dane", "pkix" or "host" */
	bool host_counts;
};

static const struct row rows[] = {
    {TLS_MAY, "   ", NULL, false},
    {TLS_MAY, "-- ", NULL, false},
    {TLS_ENCRYPT, "-- ", NULL, false},
    {TLS_AUTH_DANE, "+  ", NULL, false},
    {TLS_AUTH_DANE, "-  ", "dane", false},
    {TLS_AUTH_DANE, "+- ", NULL, false},
    {TLS_AUTH_PKIX, " + ", NULL, false},
    {TLS_AUTH_PKIX, " - ", "pkix", false},
    {TLS_AUTH_PKIX, "-+ ", NULL, false},
    {TLS_AUTH_BOTH, "++ ", NULL, false},
    {TLS_AUTH_BOTH, "+- ", "pkix", false},
    {TLS_AUTH_BOTH, "-+ ", "dane", false},
    {TLS_AUTH_BOTH, "-- ", "dane", false},
    {TLS_MAY, "  -", NULL, false},
    {TLS_AUTH_PKIX, " +-", NULL, false},
    {TLS_AUTH_PKIX, " +-", "host", true},
    {TLS_AUTH_PKIX, " --", "pkix", true},
    {TLS_AUTH_PKIX, " ++", NULL, true},
    {TLS_AUTH_BOTH, "-+-", "dane", true},
    {TLS_AUTH_DANE, "+ -", NULL, false},
    {TLS_MAY, "  -", NULL, true},
};

/* Only what the plan wants can fail, and DANE is named first. */
static void
test_of_a_session(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct row *row = &rows[i];
		struct tls_plan plan = {.need = TLS_MAY,
		    .wanted = row->wanted,
		    .host_counts = row->host_counts};
		struct tls_facts facts = {.up = true,
		    .dane = proof(row->proofs[0]),
		    .pkix = proof(row->proofs[1]),
		    .host = proof(row->proofs[2])};
		struct tls_seen seen;

		facts.dane.result_type = "dane";
		facts.pkix.result_type = "pkix";
		facts.host.result_type = "host";
		seen = tls_seen_of(&plan, &facts);
		assert_int_equal(seen.got, TLS_GOT_ENCRYPTED);
		assert_int_equal(seen.dane, row->proofs[0] == '+');
		assert_int_equal(seen.pkix, row->proofs[1] == '+');
		assert_int_equal(seen.host, row->proofs[2] == '+');
		assert_int_equal(
		    seen.host_failure != NULL, row->proofs[2] == '-');
		if (row->failure == NULL)
			assert_null(seen.failure);
		else
			assert_string_equal(seen.failure, row->failure);
	}
}

static void
test_of_a_broken_handshake(void **state)
{
	struct tls_plan plan = {.need = TLS_AUTH_DANE, .wanted = TLS_AUTH_DANE};
	struct tls_facts facts = {.dane = proof('+'), .pkix = proof('+')};
	struct tls_seen seen = tls_seen_of(&plan, &facts);

	(void)state;
	assert_int_equal(seen.got, TLS_GOT_BROKEN);
	assert_false(seen.dane || seen.pkix);
	assert_string_equal(seen.failure, "validation-failure");
}

static void
test_without_a_plan(void **state)
{
	struct tls_facts facts = {
	    .up = true, .dane = proof('-'), .pkix = proof('-')};
	struct tls_seen seen = tls_seen_of(NULL, &facts);

	(void)state;
	assert_int_equal(seen.got, TLS_GOT_ENCRYPTED);
	assert_null(seen.failure);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_without_a_session),
	    cmocka_unit_test(test_of_a_session),
	    cmocka_unit_test(test_of_a_broken_handshake),
	    cmocka_unit_test(test_without_a_plan),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
