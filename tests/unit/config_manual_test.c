/* danelaw.conf(5), the example beside it and the parser say the same. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "mta/config_private.h"

#include "tests/support/config.h"
#include "tests/support/test.h"

#define PAGE    "docs/man/danelaw.conf.5"
#define EXAMPLE "docs/examples/danelaw.conf"

/* A file of the source tree as a string, or the test is skipped. */
static char *
read_source(const char *name)
{
	const char *root = getenv("DANELAW_ROOT");
	size_t size = 1 << 20;
	char path[4096], *text;
	FILE *f;

	if (root == NULL) {
		print_message("DANELAW_ROOT does not name the source tree\n");
		skip();
	}
	(void)snprintf(path, sizeof(path), "%s/%s", root, name);
	f = fopen(path, "re");
	if (f == NULL)
		fail_msg("%s cannot be read", path);
	text = mem_new(size);
	assert_true(fread(text, 1, size - 1, f) > 0);
	(void)fclose(f);
	return text;
}

/* The next line of a text, without its end; false behind the last. */
static bool
next_line(struct span *rest, struct span *ret)
{
	const char *end = rest->n == 0 ? NULL : memchr(rest->p, '\n', rest->n);

	if (end == NULL)
		return false;
	*ret = span_first(*rest, (size_t)(end - rest->p));
	*rest = span_from(*rest, ret->n + 1);
	return true;
}

static bool
starts(struct span line, struct span prefix)
{
	return line.n >= prefix.n &&
	       span_eq(span_first(line, prefix.n), prefix);
}

/* `.Ss listen "NAME"` -> the kind of block; the file itself otherwise. */
static enum config_block_kind
block_of(struct span heading)
{
	struct span name = span_from(heading, 4);
	const char *blank = memchr(name.p, ' ', name.n);

	if (blank != NULL)
		name = span_first(name, (size_t)(blank - name.p));
	for (unsigned k = BLOCK_ROOT + 1; k < BLOCK_KINDS; k++) {
		enum config_block_kind kind = (enum config_block_kind)k;

		if (span_eq(name, span_of(config_block_type(kind)->name)))
			return kind;
	}
	return BLOCK_ROOT;
}

/* `.It Ic hostname No = Ar domain` -> the key, or NULL. */
static const struct config_key *
key_of(struct span line, enum config_block_kind block)
{
	struct span name = span_from(line, 7);
	const char *blank = memchr(name.p, ' ', name.n);
	size_t n;
	const struct config_key *keys = config_keys(&n);

	if (blank != NULL)
		name = span_first(name, (size_t)(blank - name.p));
	for (size_t i = 0; i < n; i++)
		if (keys[i].block == block &&
		    span_eq(name, span_of(keys[i].name)))
			return &keys[i];
	return NULL;
}

/* What the page says about one key, up to the next key or section. */
static struct span
about(struct span rest)
{
	const char *p = rest.p;
	struct span line;

	while (next_line(&rest, &line))
		if (starts(line, SPAN(".It ")) || starts(line, SPAN(".El")))
			break;
	return (struct span){p, (size_t)(rest.p - p)};
}

static void
check_key(const struct config_key *key, struct span said)
{
	char wanted[128], *text = mem_strndup(said.p, said.n);

	if (key->initial != NULL && key->initial[0] != '\0') {
		/* A dot alone is punctuation to mdoc(7). */
		(void)snprintf(wanted, sizeof(wanted),
		    "The default is\n.Ql %s%s .\n",
		    key->initial[0] == '.' ? "\\&" : "", key->initial);
		if (strstr(text, wanted) == NULL)
			fail_msg("%s: no \"The default is %s\"", key->name,
			    key->initial);
	}
	if ((strstr(text, "Required.") != NULL) != key->required)
		fail_msg("%s: required or not?", key->name);
	mem_free(text);
}

static void
the_page_has_every_key(void **state)
{
	size_t nkeys, found = 0;
	const struct config_key *keys = config_keys(&nkeys);
	bool *seen = mem_array(nkeys, sizeof(seen[0]));
	char *page = read_source(PAGE);
	struct span rest = span_of(page), line;
	enum config_block_kind block = BLOCK_ROOT;

	(void)state;
	while (next_line(&rest, &line)) {
		const struct config_key *key;

		if (starts(line, SPAN(".Ss ")))
			block = block_of(line);
		if (starts(line, SPAN(".Sh TARGETS")))
			break;
		if (!starts(line, SPAN(".It Ic ")))
			continue;
		key = key_of(line, block);
		if (key == NULL)
			fail_msg("unknown: %.*s", (int)line.n, line.p);
		if (seen[key - keys])
			fail_msg("twice: %.*s", (int)line.n, line.p);
		seen[key - keys] = true;
		found++;
		check_key(key, about(rest));
	}
	for (size_t i = 0; i < nkeys; i++)
		if (!seen[i])
			fail_msg("%s is not in the page", keys[i].name);
	assert_int_equal(found, nkeys);
	mem_free(seen);
	mem_free(page);
}

static void
the_page_s_examples_are_taken(void **state)
{
	char *page = read_source(PAGE);
	char *at = strstr(page, ".Sh EXAMPLES");
	unsigned count = 0;

	(void)state;
	assert_non_null(at);
	while ((at = strstr(at, ".Bd -literal")) != NULL) {
		char *begin = strchr(at, '\n') + 1;
		char *end = strstr(begin, ".Ed");
		struct config *config;

		assert_non_null(end);
		*end = '\0';
		config = parse_good(begin);
		config_free(&config);
		at = end + 1;
		count++;
	}
	assert_int_equal(count, 2);
	mem_free(page);
}

static void
the_example_is_taken(void **state)
{
	char *text = read_source(EXAMPLE);
	struct config *config = parse_good(text);

	(void)state;
	assert_string_equal(config->hostname, "mx1.example.org");
	assert_int_equal(config->ndomains, 2);
	assert_int_equal(config->nroutes, 2);
	config_free(&config);
	mem_free(text);
}

/* Who signs is who is to be asked, who is the postmaster, who is the host. */
static void
reports_are_signed_by_the_contact_s_domain(void **state)
{
	static const struct {
		const char *text, *domain;
	} rows[] = {
	    {LEAST "reporting { dkim x { key = /k } }", "mx1.example.org"},
	    {LEAST "postmaster = \"a@B.example\" reporting { dkim x { key = "
		   "/k } }",
		"b.example"},
	    {LEAST "reporting { dkim x { key = /k } contact = "
		   "\"a@C.example\" }",
		"c.example"},
	};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		struct config *config = parse_good(rows[i].text);

		assert_int_equal(config->reporting.ndkim, 1);
		assert_string_equal(
		    config->reporting.dkim[0].domain, rows[i].domain);
		config_free(&config);
	}
}

static void
filters_keep_their_order(void **state)
{
	struct config *config = parse_good(LEAST
	    "milter z { address = \"unix:/run/z\" relay_clients = skip "
	    "programs = skip }\n"
	    "milter a { address = \"inet:[::1]:8891\" on_failure = accept\n"
	    " connect_timeout = 1s reply_timeout = 2s end_timeout = 3s "
	    "retry = 4s }\n"
	    "milter b { address = \"inet:127.0.0.1:1\" on_failure = reject }");
	const struct config_milter *m = config->milters;

	(void)state;
	assert_int_equal(config->nmilters, 3);
	assert_string_equal(m[0].name, "z");
	assert_string_equal(m[0].path, "/run/z");
	assert_int_equal(m[0].on_failure, FAILURE_TEMPFAIL);
	assert_true(m[0].skip_relay);
	assert_true(m[0].skip_programs);
	assert_int_equal(m[0].connect_ms, 10000);
	assert_int_equal(m[0].reply_ms, 30000);
	assert_int_equal(m[0].end_ms, 300000);
	assert_int_equal(m[0].retry_ms, 10000);
	assert_string_equal(m[1].name, "a");
	assert_null(m[1].path);
	assert_string_equal(m[1].inet.ip, "::1");
	assert_int_equal(m[1].inet.port, 8891);
	assert_int_equal(m[1].on_failure, FAILURE_ACCEPT);
	assert_false(m[1].skip_relay);
	assert_false(m[1].skip_programs);
	assert_int_equal(m[1].connect_ms, 1000);
	assert_int_equal(m[1].reply_ms, 2000);
	assert_int_equal(m[1].end_ms, 3000);
	assert_int_equal(m[1].retry_ms, 4000);
	assert_int_equal(m[2].on_failure, FAILURE_REJECT);
	config_free(&config);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(reports_are_signed_by_the_contact_s_domain),
	    cmocka_unit_test(the_page_has_every_key),
	    cmocka_unit_test(the_page_s_examples_are_taken),
	    cmocka_unit_test(the_example_is_taken),
	    cmocka_unit_test(filters_keep_their_order),
	};

	return cmocka_run_group_tests_name("config_manual", tests, NULL, NULL);
}
