/* The bundle, and which role gets which private keys. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "mta/report/keys.h"
#include "mta/supervisor/generation.h"

#include "tests/support/config.h"
#include "tests/support/dkim_kit.h"
#include "tests/support/test.h"

/* Who has TLS keys, and who has DKIM keys. */
#define BOTH ((enum bundle_secrets)99)

static const struct {
	const char *kind, *name, *bytes;
	enum bundle_secrets secret;
} entries[] = {
    {"config", "", "hostname = x", BUNDLE_NO_SECRETS},
    {"chain", "mx1", "a chain", BUNDLE_NO_SECRETS},
    {"key", "mx1", "a key", BUNDLE_TLS_KEYS},
    {"key", "dkim:mx1", "another", BUNDLE_TLS_KEYS},
    {"dkim", "tlsrpt", "a signer", BUNDLE_DKIM_KEYS},
    {"dkim", "key:x", "another", BUNDLE_DKIM_KEYS},
    {"reverse-path", "tlsrpt", "a secret", BOTH},
    {"recipients", "key:x", "nobody", BUNDLE_NO_SECRETS},
    {"recipients", "example.org", "", BUNDLE_NO_SECRETS},
};

static struct bundle *
fill(void)
{
	struct bundle *bundle = bundle_new();

	for (size_t i = 0; i < ROWS(entries); i++)
		bundle_add(bundle, entries[i].kind, entries[i].name,
		    span_of(entries[i].bytes));
	return bundle;
}

/* Through a memory file, as to a role. */
static struct bundle *
hand_over(const struct bundle *bundle, enum bundle_secrets secrets)
{
	struct bundle *got = NULL;
	struct err err;
	int fd = bundle_write(bundle, secrets, &err);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, "x", 1), -1);
	assert_int_equal(errno, EPERM);
	assert_int_equal(bundle_read(fd, &got, &err), 0);
	return got;
}

static void
expect_for_each_role(const struct bundle *bundle)
{
	for (unsigned s = BUNDLE_NO_SECRETS; s <= BUNDLE_DKIM_KEYS; s++) {
		struct bundle *got = hand_over(bundle, (enum bundle_secrets)s);

		for (size_t i = 0; i < ROWS(entries); i++) {
			struct span found = bundle_find(
			    got, entries[i].kind, entries[i].name);
			bool wanted = entries[i].secret == BUNDLE_NO_SECRETS ||
			              (entries[i].secret == BOTH && s > 0) ||
			              (unsigned)entries[i].secret == s;

			if ((found.p != NULL) != wanted)
				fail_msg("%s:%s with %u", entries[i].kind,
				    entries[i].name, s);
			if (wanted)
				assert_true(
				    span_eq(found, span_of(entries[i].bytes)));
		}
		bundle_free(&got);
	}
}

static void
secrets_are_for_those_who_use_them(void **state)
{
	struct bundle *bundle = fill();

	(void)state;
	expect_for_each_role(bundle);
	bundle_free(&bundle);
}

/* As the supervisor has it: others find in it what they would have found. */
static void
sealed_secrets_are_handed_on_and_not_here(void **state)
{
	struct bundle *bundle = fill(), *copy;
	struct err err;

	(void)state;
	assert_int_equal(bundle_seal(bundle, &err), 0);
	assert_int_equal(bundle_seal(bundle, &err), 0);
	copy = bundle_copy(bundle);
	expect_for_each_role(bundle);
	for (size_t i = 0; i < ROWS(entries); i++) {
		struct span found = bundle_find(
		    bundle, entries[i].kind, entries[i].name);

		assert_int_equal(
		    found.p != NULL, entries[i].secret == BUNDLE_NO_SECRETS);
		assert_true(bundle_same(
		    bundle, copy, entries[i].kind, entries[i].name));
	}
	bundle_free(&bundle);
	expect_for_each_role(copy);
	bundle_forget(copy, "key");
	bundle = hand_over(copy, BUNDLE_TLS_KEYS);
	assert_null(bundle_find(bundle, "key", "mx1").p);
	bundle_free(&bundle);
	bundle_free(&copy);
}

#define LONG_KEY 3000

/* One with a key of that many octets, the last of which is that. */
static struct bundle *
sealed_key(size_t n, char last)
{
	struct bundle *bundle = bundle_new();
	char key[LONG_KEY + 1];
	struct err err;

	memset(key, 'k', sizeof(key));
	key[n - 1] = last;
	bundle_add(bundle, "key", "mx", (struct span){key, n});
	assert_int_equal(bundle_seal(bundle, &err), 0);
	return bundle;
}

static void
sealed_keys_are_told_apart(void **state)
{
	struct bundle *one = sealed_key(LONG_KEY, 'x');
	struct bundle *alike = sealed_key(LONG_KEY, 'x');
	struct bundle *other = sealed_key(LONG_KEY, 'y');
	struct bundle *longer = sealed_key(LONG_KEY + 1, 'k');
	struct bundle *none = bundle_new(), *open = bundle_new(), *got;

	(void)state;
	assert_true(bundle_same(one, one, "key", "mx"));
	assert_true(bundle_same(one, alike, "key", "mx"));
	assert_false(bundle_same(one, other, "key", "mx"));
	assert_false(bundle_same(one, longer, "key", "mx"));
	assert_false(bundle_same(one, none, "key", "mx"));
	assert_true(bundle_same(none, open, "key", "mx"));
	bundle_add(open, "key", "mx", SPAN("x"));
	assert_false(bundle_same(one, open, "key", "mx"));
	bundle_take(open, one, "key", "mx");
	bundle_take(one, none, "key", "mx");
	assert_true(bundle_same(one, none, "key", "mx"));
	assert_true(bundle_same(open, alike, "key", "mx"));
	got = hand_over(open, BUNDLE_TLS_KEYS);
	assert_int_equal(bundle_find(got, "key", "mx").n, LONG_KEY);
	assert_int_equal(bundle_find(got, "key", "mx").p[LONG_KEY - 1], 'x');
	bundle_free(&got);
	bundle_free(&one);
	bundle_free(&alike);
	bundle_free(&other);
	bundle_free(&longer);
	bundle_free(&none);
	bundle_free(&open);
}

static void
what_has_been_used_is_forgotten(void **state)
{
	struct bundle *bundle = fill();

	(void)state;
	bundle_forget(bundle, "key");
	bundle_forget(bundle, "rec"); /* of no entry */
	for (size_t i = 0; i < ROWS(entries); i++) {
		struct span found = bundle_find(
		    bundle, entries[i].kind, entries[i].name);

		assert_int_equal(
		    found.p == NULL, strcmp(entries[i].kind, "key") == 0);
	}
	bundle_free(&bundle);
}

static void
a_role_gets_its_own_bundle(void **state)
{
	static const struct generation generation = {
	    .fd_public = 10, .fd_tls = 11, .fd_dkim = 12};
	static const struct {
		enum role_kind kind;
		int fd;
	} rows[] = {{ROLE_NONE, 10}, {ROLE_QUEUE, 10}, {ROLE_DELIVER, 10},
	    {ROLE_RECEIVE, 11}, {ROLE_REPORT, 12}};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++)
		assert_int_equal(
		    generation_bundle(&generation, rows[i].kind), rows[i].fd);
}

/* --- the report role's keys ----------------------------------------------- */

#define REPORTING                                                          \
	LEAST "reporting { collect = yes send = yes dkim \"Rsa\" { key = " \
	      "/r }\ndkim ed { key = /e } }\n"

static void
keys_come_out_of_the_bundle(void **state)
{
	struct config *config = parse_good(REPORTING);
	struct bundle *bundle = bundle_new(), *got;
	struct report_keys keys;
	struct err err;

	(void)state;
	bundle_add(bundle, "dkim", "rsa", span_of(kit_rsa_pem));
	bundle_add(bundle, "dkim", "ed", span_of(kit_ed25519_pem));
	got = hand_over(bundle, BUNDLE_DKIM_KEYS);
	assert_int_equal(report_keys_load(config, got, &keys, &err), 0);
	bundle_free(&got);
	bundle_free(&bundle);
	assert_int_equal(keys.n, 2);
	assert_string_equal(keys.domain, "mx1.example.org");
	assert_string_equal(keys.list[0].selector, "rsa");
	assert_string_equal(keys.list[1].selector, "ed");
	assert_int_equal(dkim_key_algorithm(keys.list[0].key), DKIM_RSA_SHA256);
	assert_int_equal(
	    dkim_key_algorithm(keys.list[1].key), DKIM_ED25519_SHA256);
	report_keys_free(&keys);
	assert_int_equal(keys.n, 0);
	report_keys_free(&keys);
	config_free(&config);
}

static void
without_a_key_there_are_none(void **state)
{
	static const struct {
		const char *second;
		const char *why;
	} rows[] = {{NULL, "ed: there is no private key"},
	    {"text", "ed: there is no private key"}};
	struct config *config = parse_good(REPORTING);

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		struct bundle *bundle = bundle_new();
		struct report_keys keys = {.n = 7};
		struct err err;

		bundle_add(bundle, "dkim", "rsa", span_of(kit_rsa_pem));
		if (rows[i].second != NULL)
			bundle_add(
			    bundle, "dkim", "ed", span_of(rows[i].second));
		assert_int_equal(
		    report_keys_load(config, bundle, &keys, &err), -1);
		assert_non_null(strstr(err.text, rows[i].why));
		assert_int_equal(keys.n, 0);
		assert_null(keys.domain);
		bundle_free(&bundle);
	}
	config_free(&config);
}

static void
none_are_asked_for(void **state)
{
	struct config *config = parse_good(LEAST);
	struct bundle *bundle = bundle_new();
	struct report_keys keys = {.n = 7};
	struct err err;

	(void)state;
	assert_int_equal(report_keys_load(config, bundle, &keys, &err), 0);
	assert_int_equal(keys.n, 0);
	assert_null(keys.domain);
	bundle_free(&bundle);
	config_free(&config);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(secrets_are_for_those_who_use_them),
	    cmocka_unit_test(sealed_secrets_are_handed_on_and_not_here),
	    cmocka_unit_test(sealed_keys_are_told_apart),
	    cmocka_unit_test(what_has_been_used_is_forgotten),
	    cmocka_unit_test(a_role_gets_its_own_bundle),
	    cmocka_unit_test(keys_come_out_of_the_bundle),
	    cmocka_unit_test(without_a_key_there_are_none),
	    cmocka_unit_test(none_are_asked_for),
	};

	return cmocka_run_group_tests_name("bundle", tests, NULL, NULL);
}
