/* One fetch: where it asks, and what comes of each answer. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "dnssec/rdata.h"
#include "mta/net/loop.h"
#include "mta/sts/fetch.h"

#include "tests/support/fake_dns.h"
#include "tests/support/fake_https.h"
#include "tests/support/test.h"

#define POLICY "version: STSv1\nmode: enforce\nmax_age: 60\nmx: mx.a.test\n"
#define ERROR  "sts-policy-fetch-error"

static const struct fake_record zone[] = {
    {"mta-sts.a.test", RR_A, DNS_INSECURE, "192.0.2.1", NULL},
    {"mta-sts.a.test", RR_A, DNS_INSECURE, "192.0.2.2", NULL},
    {"mta-sts.a.test", RR_AAAA, DNS_INSECURE, "2001:db8::1", NULL},
    {"mta-sts.empty.test", RR_A, DNS_INSECURE, NULL, NULL},
    {"mta-sts.empty.test", RR_AAAA, DNS_INSECURE, NULL, NULL},
    {"mta-sts.failed.test", RR_A, DNS_FAILED, NULL, NULL},
    {"mta-sts.failed.test", RR_AAAA, DNS_FAILED, NULL, NULL},
    {"mta-sts.half.test", RR_A, DNS_INSECURE, "192.0.2.3", NULL},
    {"mta-sts.half.test", RR_AAAA, DNS_FAILED, "?", NULL},
    {"mta-sts.other-half.test", RR_A, DNS_FAILED, NULL, NULL},
    {"mta-sts.other-half.test", RR_AAAA, DNS_FAILED, "?", NULL},
    {"mta-sts.bogus.test", RR_A, DNS_BOGUS, NULL, NULL},
    {"mta-sts.bogus.test", RR_AAAA, DNS_INSECURE, "2001:db8::2", NULL},
};

struct scene {
	struct loop *loop;
	struct dns *dns;
	struct https *https;
	unsigned ends;
	struct sts_fetch_end end; /* but for its arena */
	char mx[64];
};

static void
on_end(const struct sts_fetch_end *end, void *arg)
{
	struct scene *scene = arg;
	struct arena *arena = end->arena;

	scene->ends++;
	scene->end = *end;
	scene->mx[0] = '\0';
	if (end->fetched == STS_FETCHED_POLICY)
		(void)text_copy(
		    scene->mx, sizeof(scene->mx), end->policy.mx[0]);
	assert_int_equal(arena != NULL, end->fetched == STS_FETCHED_POLICY);
	arena_free(&arena);
}

static int
set_up(void **state)
{
	struct scene *scene = calloc(1, sizeof(*scene));
	struct https_setup setup = {0};
	struct err err;

	assert_non_null(scene);
	scene->loop = loop_new();
	scene->dns = fake_dns_new(zone, ROWS(zone));
	setup.loop = scene->loop;
	fake_https_serve(NULL, 0);
	assert_int_equal(https_new(&setup, &scene->https, &err), 0);
	*state = scene;
	return 0;
}

static int
tear_down(void **state)
{
	struct scene *scene = *state;

	https_free(&scene->https);
	dns_free(&scene->dns);
	loop_free(&scene->loop);
	free(scene);
	return 0;
}

static struct sts_fetch_run *
begin(struct scene *scene, const char *domain)
{
	return sts_fetch_begin(
	    scene->dns, scene->https, 443, domain, on_end, scene);
}

static void
turn(struct scene *scene, int turns)
{
	dns_process(scene->dns);
	for (int i = 0; i < turns; i++)
		loop_run_once(scene->loop);
}

static void
fetch(struct scene *scene, const char *domain)
{
	unsigned before = scene->ends;

	(void)begin(scene, domain);
	assert_int_equal(scene->ends, before); /* never from inside */
	turn(scene, 10);
	assert_int_equal(scene->ends, before + 1);
}

/* RFC 8461 3.2, 3.3; RFC 8460 4.3.2.2 */
static void
each_answer_has_its_result_type(void **state)
{
	static const struct {
		const char *rule;
		enum https_kind kind;
		const char *body;
		enum sts_fetched fetched;
		const char *type;
	} rows[] = {
	    {"a policy", HTTPS_FINE, POLICY, STS_FETCHED_POLICY, NULL},
	    {"RFC 8461 3.2: no policy", HTTPS_FINE, "<html>",
		STS_FETCHED_INVALID, "sts-policy-invalid"},
	    {"nothing", HTTPS_FINE, "", STS_FETCHED_INVALID,
		"sts-policy-invalid"},
	    {"RFC 8461 3.3: expired", HTTPS_EXPIRED, NULL, STS_FETCHED_NOTHING,
		"sts-webpki-invalid"},
	    {"RFC 8461 3.3: another name", HTTPS_WRONG_NAME, NULL,
		STS_FETCHED_NOTHING, "sts-webpki-invalid"},
	    {"RFC 8461 3.3: not trusted", HTTPS_NOT_TRUSTED, NULL,
		STS_FETCHED_NOTHING, "sts-webpki-invalid"},
	    {"no connection", HTTPS_NO_CONNECTION, NULL, STS_FETCHED_NOTHING,
		ERROR},
	    {"no handshake", HTTPS_TLS_FAILED, NULL, STS_FETCHED_NOTHING,
		ERROR},
	    {"cut", HTTPS_BROKEN, NULL, STS_FETCHED_NOTHING, ERROR},
	    {"RFC 8461 3.3: a redirect", HTTPS_REDIRECT, NULL,
		STS_FETCHED_NOTHING, ERROR},
	    {"RFC 8461 3.3: another status", HTTPS_STATUS, NULL,
		STS_FETCHED_NOTHING, ERROR},
	    {"RFC 8461 3.2: another type", HTTPS_WRONG_TYPE, NULL,
		STS_FETCHED_NOTHING, ERROR},
	    {"too large", HTTPS_TOO_LARGE, NULL, STS_FETCHED_NOTHING, ERROR},
	    {"too slow", HTTPS_TOO_SLOW, NULL, STS_FETCHED_NOTHING, ERROR},
	    /* Of the host nothing was learnt. */
	    {"too many at once", HTTPS_BUSY, NULL, STS_FETCHED_NOT_TRIED, ""},
	    {"ours", HTTPS_OURS, NULL, STS_FETCHED_NOT_TRIED, ""},
	};
	struct scene *scene = *state;

	for (size_t i = 0; i < ROWS(rows); i++) {
		struct fake_site site = {
		    "mta-sts.a.test", rows[i].kind, rows[i].body};
		const struct sts_fetch_end *end = &scene->end;

		fake_https_serve(&site, 1);
		fetch(scene, "a.test");
		if (end->fetched != rows[i].fetched)
			fail_msg("%s: %d", rows[i].rule, (int)end->fetched);
		if (rows[i].type == NULL) {
			assert_string_equal(scene->mx, "mx.a.test");
			continue;
		}
		if (strcmp(end->result_type, rows[i].type) != 0)
			fail_msg("%s: %s", rows[i].rule, end->result_type);
		if (end->why[0] == '\0')
			fail_msg("%s: not a word", rows[i].rule);
	}
}

/* RFC 8461 3.3: that host and that path, at its addresses and our port */
static void
where_it_is_asked(void **state)
{
	const struct fake_asked *asked = fake_https_asked();
	struct scene *scene = *state;

	fetch(scene, "a.test");
	assert_int_equal(asked->n, 1);
	assert_string_equal(asked->host, "mta-sts.a.test");
	assert_string_equal(asked->path, "/.well-known/mta-sts.txt");
	assert_string_equal(
	    asked->to, "[2001:db8::1]:443 192.0.2.1:443 192.0.2.2:443");
}

static void
without_an_address_nobody_is_asked(void **state)
{
	static const struct {
		const char *domain, *why;
	} rows[] = {
	    {"empty.test", "mta-sts.empty.test: it has no address"},
	    {"nxdomain.test", "mta-sts.nxdomain.test: it does not exist"},
	    {"failed.test", "mta-sts.failed.test: "},
	    /* Half an answer is none. */
	    {"bogus.test", "mta-sts.bogus.test: "},
	};
	struct scene *scene = *state;

	for (size_t i = 0; i < ROWS(rows); i++) {
		fetch(scene, rows[i].domain);
		assert_int_equal(scene->end.fetched, STS_FETCHED_NOTHING);
		assert_string_equal(scene->end.result_type, ERROR);
		if (strstr(scene->end.why, rows[i].why) == NULL)
			fail_msg("%s: %s", rows[i].domain, scene->end.why);
	}
	assert_int_equal(fake_https_asked()->n, 0);
}

/* We had too much to do: that is no failure of the host. */
static void
what_was_not_looked_up_is_not_tried(void **state)
{
	static const char *const domains[] = {"half.test", "other-half.test"};
	struct scene *scene = *state;

	for (size_t i = 0; i < ROWS(domains); i++) {
		fetch(scene, domains[i]);
		assert_int_equal(scene->end.fetched, STS_FETCHED_NOT_TRIED);
		assert_string_equal(scene->end.result_type, "");
		assert_non_null(strstr(scene->end.why, domains[i]));
	}
	assert_int_equal(fake_https_asked()->n, 0);
}

/* Names of DNS have an end, and "mta-sts." has to fit. */
static void
a_long_name_has_no_policy(void **state)
{
	struct scene *scene = *state;
	char label[64], name[256];

	memset(label, 'a', 63);
	label[63] = '\0';
	(void)snprintf(
	    name, sizeof(name), "%s.%s.%s.%.56s", label, label, label, label);
	fetch(scene, name);
	assert_int_equal(scene->end.fetched, STS_FETCHED_NOTHING);
	assert_int_equal(fake_https_asked()->n, 0);
}

static void
what_is_cancelled_says_nothing(void **state)
{
	struct scene *scene = *state;
	struct sts_fetch_run *run;

	run = begin(scene, "a.test");
	sts_fetch_cancel(&run); /* at its addresses */
	assert_null(run);
	turn(scene, 10);
	fake_https_hold(true);
	run = begin(scene, "a.test");
	turn(scene, 3);
	assert_int_equal(fake_https_asked()->waiting, 1);
	sts_fetch_cancel(&run); /* at its file */
	assert_int_equal(fake_https_asked()->waiting, 0);
	fake_https_hold(false);
	turn(scene, 10);
	assert_int_equal(scene->ends, 0);
	sts_fetch_cancel(&run);
}

int
main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
	    CASE(each_answer_has_its_result_type),
	    CASE(where_it_is_asked),
	    CASE(without_an_address_nobody_is_asked),
	    CASE(what_was_not_looked_up_is_not_tried),
	    CASE(a_long_name_has_no_policy),
	    CASE(what_is_cancelled_says_nothing),
	};

	return cmocka_run_group_tests_name("sts_fetch", tests, NULL, NULL);
}
