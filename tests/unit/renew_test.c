/* Certificates read anew, and the way of verdicts about them. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "mta/ipc_gate.h"
#include "mta/load.h"
#include "mta/renew.h"

#include "tests/support/config.h"
#include "tests/support/make_chain.h"
#include "tests/support/test.h"

#define CERTIFICATE "certificate mx { chain = /a key = /b }\n"

/* The files are here, wherever that is. */
static struct config *
make_config(void)
{
	struct config *config = parse_good(LEAST CERTIFICATE);

	config->certificates[0].chain = "renew.chain";
	config->certificates[0].key = "renew.key";
	return config;
}

static void
write_file(const char *name, const struct buf *bytes)
{
	FILE *file = fopen(name, "we");

	assert_non_null(file);
	assert_int_equal(fwrite(bytes->p, 1, bytes->n, file), (size_t)bytes->n);
	assert_int_equal(fclose(file), 0);
}

/* The chain and its key in one file, twice. */
static void
write_pair(const char *cn)
{
	const struct shape shape = {.cn = cn, .names = "DNS:mx1.example.org"};
	struct issued issued = issue(&shape, NULL);
	struct buf both;

	buf_init(&both, 1 << 16);
	add_key_pem(&both, &issued);
	add_cert_pem(&both, &issued);
	write_file("renew.chain", &both);
	write_file("renew.key", &both);
	buf_free(&both);
	issued_free(&issued);
}

static void
count_problem(void *arg, const char *name, const char *why)
{
	unsigned *count = arg;

	assert_string_equal(name, "mx");
	assert_true(why[0] != '\0');
	(*count)++;
}

static void
one_that_is_good_takes_the_place(void **state)
{
	struct config *config = make_config();
	struct bundle *none = bundle_new(), *first, *second, *third;
	unsigned problems = 0;

	(void)state;
	bundle_add(none, "config", "", SPAN("text"));
	write_pair("first");
	first = renew_bundle(config, none, count_problem, &problems);
	write_pair("second");
	second = renew_bundle(config, first, count_problem, &problems);
	assert_int_equal(problems, 0);
	assert_true(span_eq(bundle_find(second, "config", ""), SPAN("text")));
	assert_false(renew_all_same(config, first, second));
	assert_int_equal(unlink("renew.key"), 0);
	third = renew_bundle(config, second, count_problem, &problems);
	assert_int_equal(problems, 1);
	assert_true(renew_all_same(config, second, third));
	renew_take(third, first, "mx");
	assert_true(renew_all_same(config, first, third));
	assert_null(bundle_find(third, "key", "mx").p);
	renew_take(third, none, "mx");
	assert_true(bundle_same(third, none, "key", "mx"));
	assert_true(bundle_same(third, none, "chain", "mx"));
	assert_int_equal(unlink("renew.chain"), 0);
	bundle_free(&none);
	bundle_free(&first);
	bundle_free(&second);
	bundle_free(&third);
	config_free(&config);
}

/* Chains go to every role. */
static void
a_key_in_the_chain_is_left_out(void **state)
{
	struct config *config = make_config();
	struct bundle *bundle = bundle_new();
	struct buf problems;
	struct span chain, key;

	(void)state;
	write_pair("one");
	buf_init(&problems, 1 << 16);
	assert_int_equal(load_certificate(config, &config->certificates[0],
			     bundle, &problems),
	    0);
	chain = bundle_find(bundle, "chain", "mx");
	key = bundle_find(bundle, "key", "mx");
	assert_non_null(memmem(key.p, key.n, "PRIVATE KEY", 11));
	assert_non_null(memmem(chain.p, chain.n, "BEGIN CERTIFICATE", 17));
	assert_null(memmem(chain.p, chain.n, "PRIVATE KEY", 11));
	assert_int_equal(unlink("renew.chain"), 0);
	assert_int_equal(unlink("renew.key"), 0);
	buf_free(&problems);
	bundle_free(&bundle);
	config_free(&config);
}

static void
verdicts_come_as_they_were_sent(void **state)
{
	static const struct ipc_gate sent = {.name = "mx",
	    .verdict = {.step = RENEWAL_LATER,
		.rule = RENEWAL_BY_CACHES,
		.reason = "why",
		.remedy = "what",
		.warning = "careful",
		.memory = {60, 70, 1234567890123}}};
	struct ipc_gate got;
	struct buf out;

	(void)state;
	buf_init(&out, 1 << 16);
	ipc_put_gate(&out, &sent);
	assert_true(ipc_take_gate(buf_span(&out), &got));
	assert_string_equal(got.name, "mx");
	assert_int_equal(got.verdict.step, RENEWAL_LATER);
	assert_int_equal(got.verdict.rule, RENEWAL_BY_CACHES);
	assert_string_equal(got.verdict.reason, "why");
	assert_string_equal(got.verdict.remedy, "what");
	assert_string_equal(got.verdict.warning, "careful");
	assert_int_equal(got.verdict.memory.absent_ttl, 60);
	assert_int_equal(got.verdict.memory.max_age, 70);
	assert_int_equal(got.verdict.memory.until, 1234567890123);
	for (size_t n = 0; n < out.n; n++)
		assert_false(
		    ipc_take_gate(span_first(buf_span(&out), n), &got));
	/* Steps and rules that there are not: behind the name's 6 octets. */
	out.p[6] = RENEWAL_LOAD + 1;
	assert_false(ipc_take_gate(buf_span(&out), &got));
	out.p[6] = RENEWAL_KEEP;
	out.p[7] = (char)RENEWAL_RULES;
	assert_false(ipc_take_gate(buf_span(&out), &got));
	out.p[7] = RENEWAL_BY_TLSA;
	assert_int_equal(buf_add_str(&out, "x"), 0);
	assert_false(ipc_take_gate(buf_span(&out), &got));
	buf_free(&out);
}

static void
a_memory_is_strict(void **state)
{
	const struct renewal_memory sent = {7, 8, -1};
	struct renewal_memory got = {0};
	struct buf out;

	(void)state;
	buf_init(&out, 64);
	ipc_put_gate_memory(&out, &sent);
	assert_false(ipc_take_gate_memory((struct span){NULL, 0}, &got));
	assert_false(
	    ipc_take_gate_memory(span_first(buf_span(&out), 15), &got));
	assert_true(ipc_take_gate_memory(buf_span(&out), &got));
	assert_int_equal(got.absent_ttl, 7);
	assert_int_equal(got.max_age, 8);
	assert_int_equal(got.until, -1);
	buf_free(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(one_that_is_good_takes_the_place),
	    cmocka_unit_test(a_key_in_the_chain_is_left_out),
	    cmocka_unit_test(verdicts_come_as_they_were_sent),
	    cmocka_unit_test(a_memory_is_strict),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
