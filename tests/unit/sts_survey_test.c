/* What explain says of a domain's MTA-STS policy, without connecting. */
#include <string.h>

#include "base/clock.h"
#include "dnssec/rdata.h"
#include "mta/explain/survey.h"
#include "mta/net/loop.h"

#include "tests/support/fake_https.h"
#include "tests/support/sts_stage.h"
#include "tests/support/test.h"

static int
set_up(void **state)
{
	struct fixture *f;

	(void)stage_set_up(state);
	f = *state;
	f->config.mx_port = 25;
	f->config.hostname = "us.test";
	stage_record(f, "a.test", RR_MX, "10 mx0.example.net");
	stage_record(f, "none.test", RR_MX, "10 mx0.example.net");
	stage_record(f, "b.test", RR_MX, "10 other.example.net");
	stage_record(f, "refused.test", RR_MX, "10 mx0.example.net");
	stage_record(f, "mx0.example.net", RR_A, "192.0.2.1");
	stage_record(f, "mx0.example.net", RR_AAAA, NULL);
	stage_record(f, "other.example.net", RR_A, "192.0.2.2");
	stage_record(f, "other.example.net", RR_AAAA, NULL);
	fake_https_serve(NULL, 0);
	return 0;
}

static void
on_done(struct survey *survey, void *arg)
{
	struct fixture *f = arg;

	(void)survey;
	f->found++;
}

/* The whole survey of mail for user@DOMAIN. */
static struct survey *
look(struct fixture *f, const char *address)
{
	struct survey *survey = survey_new(
	    f->dns, &f->config, address, clock_wall());
	unsigned before = f->found;

	survey->finder = f->finder;
	survey_start(survey, on_done, f);
	stage_wait(f, before + 1);
	return survey;
}

static void
the_policy_is_a_fact_of_each_host(void **state)
{
	static const struct {
		const char *address;
		enum sts_step step;
		enum sts_state fact;
		enum tls_need need;
	} rows[] = {
	    {"user@a.test", STS_STEP_USE, STS_MATCH, TLS_AUTH_PKIX},
	    /* RFC 8461 3.3: without a policy mail goes as without MTA-STS. */
	    {"user@none.test", STS_STEP_NONE, STS_NONE, TLS_MAY},
	    {"user@refused.test", STS_STEP_NONE, STS_NOT_OBTAINED, TLS_MAY},
	    /* RFC 8461 4.1: a host the policy does not name */
	    {"user@b.test", STS_STEP_USE, STS_NO_MATCH, TLS_DEFER},
	};
	struct fixture *f = *state;

	stage_put(f, "a.test", 3600);
	stage_put(f, "b.test", 3600);
	stage_open(f, true);
	for (size_t i = 0; i < ROWS(rows); i++) {
		struct survey *survey = look(f, rows[i].address);
		struct decision *decision = &survey->hosts[0].decision;

		assert_int_equal(survey->n, 1);
		assert_true(survey->sts.asked);
		if (survey->sts.answer.step != rows[i].step ||
		    decision->facts.sts != rows[i].fact ||
		    decision->plan.need != rows[i].need)
			fail_msg("%s: %s %d %d", rows[i].address,
			    sts_step_name(survey->sts.answer.step),
			    (int)decision->facts.sts, (int)decision->plan.need);
		assert_int_equal(
		    survey->sts.known != NULL, rows[i].step == STS_STEP_USE);
		survey_free(&survey);
	}
	/* Of the last fetch it is told what it came to. */
	assert_int_equal(fake_https_asked()->n, 1);
}

static void
what_a_fetch_came_to_is_told(void **state)
{
	struct fixture *f = *state;
	struct survey *survey;

	stage_open(f, true);
	survey = look(f, "user@refused.test");
	assert_string_equal(survey->sts.trouble, "no-connection");
	assert_string_equal(survey->sts.trouble_type, "sts-policy-fetch-error");
	survey_free(&survey);
}

/* RFC 8461 5.1: a cache that cannot be read is not "no policy". */
static void
what_is_not_known_defers(void **state)
{
	struct fixture *f = *state;
	struct survey *survey;

	place_write(f->place, "this is no database, not at all");
	stage_open(f, true);
	survey = look(f, "user@a.test");
	assert_int_equal(survey->sts.answer.step, STS_STEP_DEFER);
	assert_null(survey->sts.known);
	assert_int_equal(survey->hosts[0].decision.facts.sts, STS_UNKNOWN);
	assert_int_equal(survey->hosts[0].decision.plan.need, TLS_DEFER);
	survey_free(&survey);
}

static void
who_is_not_asked_for_is_said(void **state)
{
	struct fixture *f = *state;
	struct survey *survey;

	stage_open(f, true);
	f->config.mta_sts.enabled = false;
	survey = look(f, "user@a.test");
	assert_false(survey->sts.asked);
	assert_string_not_equal(survey->sts.why_not, "");
	assert_int_equal(
	    survey->hosts[0].decision.facts.sts, STS_NOT_EVALUATED);
	survey_free(&survey);
}

/* The policy is the survey's until it ends. */
static void
it_can_end_at_any_time(void **state)
{
	struct fixture *f = *state;

	stage_put(f, "a.test", 3600);
	for (int turns = 0; turns < 8; turns++) {
		struct survey *survey;

		stage_open(f, true);
		survey = survey_new(
		    f->dns, &f->config, "user@a.test", clock_wall());
		survey->finder = f->finder;
		survey_start(survey, on_done, f);
		stage_turn(f, turns);
		survey_free(&survey);
		assert_null(survey);
		stage_turn(f, 5);
		sts_finder_free(&f->finder);
	}
}

int
main(void)
{
#define CASE(name) \
	cmocka_unit_test_setup_teardown(name, set_up, stage_tear_down)
	const struct CMUnitTest tests[] = {
	    CASE(the_policy_is_a_fact_of_each_host),
	    CASE(what_a_fetch_came_to_is_told),
	    CASE(what_is_not_known_defers),
	    CASE(who_is_not_asked_for_is_said),
	    CASE(it_can_end_at_any_time),
	};

	return cmocka_run_group_tests_name("sts_survey", tests, NULL, NULL);
}
