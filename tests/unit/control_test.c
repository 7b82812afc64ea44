#include <stdio.h>
#include <string.h>

#include "mta/ctl/control.h"

#include "tests/support/test.h"

static void
requests_are_read(void **state)
{
	static const struct {
		const char *line;
		struct control_request request;
	} rows[] = {
	    {"{\"command\":\"status\"}", {.command = CONTROL_STATUS,
					     .limit = 100,
					     .id = "",
					     .target = "",
					     .after = ""}},
	    {" {\"command\" : \"queue-stats\"}\r\n",
		{.command = CONTROL_QUEUE_STATS,
		    .limit = 100,
		    .id = "",
		    .target = "",
		    .after = ""}},
	    {"{\"command\":\"queue-list\",\"limit\":10000,\"after\":\"x\"}\n",
		{.command = CONTROL_QUEUE_LIST,
		    .limit = 10000,
		    .id = "",
		    .target = "",
		    .after = "x"}},
	    {"{\"after\":\"\",\"target\":\"mx:a\",\"command\":\"queue-flush\"}",
		{.command = CONTROL_QUEUE_FLUSH,
		    .limit = 100,
		    .id = "",
		    .target = "mx:a",
		    .after = ""}},
	    {"{\"command\":\"reload\",\"force\":true}",
		{.command = CONTROL_RELOAD, .limit = 100, .force = true}},
	    {"{\"command\":\"sts-changed\"}",
		{.command = CONTROL_STS_CHANGED, .limit = 100}},
	    {"{\"command\":\"sts-changed\",\"domain\":\"a.example\"}",
		{.command = CONTROL_STS_CHANGED,
		    .limit = 100,
		    .domain = "a.example"}},
	    {"{\"command\":\"queue-show\",\"id\":\"k\"}",
		{.command = CONTROL_QUEUE_SHOW,
		    .limit = 100,
		    .id = "k",
		    .target = "",
		    .after = ""}},
	};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		struct control_request got = {0};
		struct err err;

		if (control_read_request(span_of(rows[i].line), &got, &err) < 0)
			fail_msg("%s: %s", rows[i].line, err.text);
		assert_int_equal(got.command, rows[i].request.command);
		assert_int_equal(got.limit, rows[i].request.limit);
		assert_string_equal(got.id, rows[i].request.id);
		assert_string_equal(got.target, rows[i].request.target);
		assert_string_equal(got.after, rows[i].request.after);
		assert_string_equal(got.domain, rows[i].request.domain);
	}
}

static void
other_requests_are_refused(void **state)
{
	static const struct {
		const char *line, *says;
	} rows[] = {
	    {"", "expected one JSON object"},
	    {"\n", "expected one JSON object"},
	    {"status", "expected one JSON object"},
	    {"[]", "expected one JSON object"},
	    {"{", "expected one JSON object"},
	    {"{} {}", "expected one JSON object"},
	    {"{\"command\":\"status\",\"command\":\"status\"}", "JSON object"},
	    {"{\"command\":\"\\u0000\"}", "expected one JSON object"},
	    {"{\"command\":\"\xff\"}", "expected one JSON object"},
	    {"{}", "\"command\" is missing"},
	    {"{\"command\":\"none\"}", "\"command\": unknown"},
	    {"{\"command\":\"reboot\"}", "\"command\": unknown"},
	    {"{\"command\":1}", "\"command\": unknown"},
	    {"{\"command\":null}", "\"command\": unknown"},
	    {"{\"command\":\"status\",\"x\\n\":1}", "\"x\\x0a\": unknown"},
	    {"{\"command\":\"queue-hold\"}", "\"id\" is missing"},
	    {"{\"command\":\"queue-hold\",\"id\":\"\"}", "\"id\" is missing"},
	    {"{\"command\":\"queue-hold\",\"id\":7}", "\"id\": unknown"},
	    {"{\"command\":\"queue-remove\",\"limit\":5}", "\"id\" is missing"},
	    {"{\"command\":\"queue-remove\",\"sender\":\"\"}", "\"id\" is"},
	    {"{\"command\":\"queue-show\",\"state\":\"held\"}", "\"id\" is"},
	    {"{\"command\":\"queue-list\",\"older\":0}", "\"older\": unknown"},
	    {"{\"command\":\"queue-list\",\"newer\":-5}", "\"newer\": unk"},
	    {"{\"command\":\"queue-list\",\"dry_run\":1}", "\"dry_run\": u"},
	    {"{\"command\":\"queue-list\",\"state\":\"a very long state\"}",
		"\"state\": unknown"},
	    {"{\"command\":\"sts-changed\",\"domain\":1}", "\"domain\": u"},
	    {"{\"command\":\"queue-list\",\"limit\":0}", "\"limit\": unknown"},
	    {"{\"command\":\"queue-list\",\"limit\":10001}", "\"limit\""},
	    {"{\"command\":\"queue-list\",\"limit\":-1}", "\"limit\""},
	    {"{\"command\":\"queue-list\",\"limit\":1e3}", "\"limit\""},
	    {"{\"command\":\"queue-list\",\"limit\":99999999999999999999}",
		"JSON object"},
	};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		struct control_request got = {0};
		struct err err = {0};

		if (control_read_request(span_of(rows[i].line), &got, &err) ==
		    0)
			fail_msg("%s was taken", rows[i].line);
		if (strstr(err.text, rows[i].says) == NULL)
			fail_msg("%s: %s", rows[i].line, err.text);
		assert_int_equal(got.command, CONTROL_NONE);
	}
}

static void
long_requests_are_refused(void **state)
{
	static char line[CONTROL_LINE_MAX + 1];
	struct control_request got;
	struct err err;
	int n;

	(void)state;
	n = snprintf(line, sizeof(line),
	    "{\"command\":\"queue-show\",\"id\":\"%0600d\"}", 0);
	assert_int_equal(
	    control_read_request((struct span){line, (size_t)n}, &got, &err),
	    -1);
	memset(line, ' ', sizeof(line));
	memcpy(line, "{\"command\":\"status\"}", 20);
	assert_int_equal(
	    control_read_request((struct span){line, sizeof(line)}, &got, &err),
	    -1);
	assert_int_equal(control_read_request(
			     (struct span){line, sizeof(line) - 1}, &got, &err),
	    0);
}

/* Off without an end is not to be had. */
static void
dane_is_off_for_a_time_only(void **state)
{
	static const char *const wrong[] = {"{\"command\":\"dane-off\"}",
	    "{\"command\":\"dane-off\",\"seconds\":0}",
	    "{\"command\":\"dane-off\",\"seconds\":604801}",
	    "{\"command\":\"dane-off\",\"seconds\":\"1\"}",
	    "{\"command\":\"report-send\",\"domain\":\"a.example\"}",
	    "{\"command\":\"report-send\",\"day\":20785}",
	    "{\"command\":\"report-send\",\"domain\":\"a.example\",\"day\":-"
	    "1}"};
	struct control_request got;
	struct err err;

	(void)state;
	for (size_t i = 0; i < ROWS(wrong); i++)
		assert_int_equal(
		    control_read_request(span_of(wrong[i]), &got, &err), -1);
	assert_int_equal(
	    control_read_request(
		SPAN("{\"command\":\"dane-off\",\"seconds\":604800,"
		     "\"reason\":\"why\"}"),
		&got, &err),
	    0);
	assert_int_equal(got.command, CONTROL_DANE_OFF);
	assert_int_equal(got.seconds, CONTROL_DANE_MAX);
	assert_string_equal(got.filter.reason, "why");
}

static void
requests_come_back_as_they_were_written(void **state)
{
	(void)state;
	for (unsigned c = CONTROL_STATUS; c <= CONTROL_QUEUE_STATS; c++) {
		struct control_request given = {
		    .command = (enum control_command)c,
		    .limit = 7,
		    .id = "id \"\\",
		    .target = "mx:\xc3\xa4",
		    .after = "after",
		    .domain = "xn--p1ai",
		    .seconds = 90,
		    .day = 20785,
		    .filter = {"<>", "@b", "4.4.1", "held", 60, 3600},
		    .dry_run = true,
		};
		struct control_request got = {0};
		struct buf out;
		struct err err;

		buf_init(&out, CONTROL_LINE_MAX);
		assert_int_equal(control_write_request(&given, &out), 0);
		assert_int_equal(out.p[out.n - 1], '\n');
		assert_int_equal(
		    control_read_request(buf_span(&out), &got, &err), 0);
		assert_int_equal(got.command, given.command);
		assert_int_equal(got.limit, 7);
		assert_string_equal(got.id, given.id);
		assert_string_equal(got.target, given.target);
		assert_string_equal(got.after, given.after);
		assert_string_equal(got.domain, given.domain);
		assert_memory_equal(
		    &got.filter, &given.filter, sizeof(got.filter));
		assert_true(got.dry_run);
		assert_int_equal(got.seconds, 90);
		assert_int_equal(got.day, given.day);
		assert_int_equal(control_is_for_report(got.command),
		    c == CONTROL_REPORT_SEND);
		assert_int_equal(
		    control_is_for_queue(got.command), c >= CONTROL_QUEUE_LIST);
		buf_free(&out);
	}
}

static void
answers_are_lines(void **state)
{
	struct control_item *item = control_item_new();
	struct buf out;

	(void)state;
	buf_init(&out, 4096);
	control_put_text(item, "id", "0h8k");
	control_put_text(item, "none", NULL);
	control_put_number(item, "size", -5);
	control_put_flag(item, "held", true);
	control_put_text(item, "bytes", "a\xff\n");
	assert_int_equal(control_write_item(item, &out), 0);
	assert_int_equal(control_write_done(NULL, &out), 0);
	assert_int_equal(control_write_done(item, &out), 0);
	assert_int_equal(control_write_error("no \"such\" message", &out), 0);
	assert_true(span_eq(buf_span(&out),
	    SPAN("{\"item\":{\"id\":\"0h8k\",\"size\":-5,\"held\":true,"
		 "\"bytes\":\"a\\\\xff\\\\x0a\"}}\n"
		 "{\"ok\":true}\n"
		 "{\"ok\":true,\"id\":\"0h8k\",\"size\":-5,\"held\":true,"
		 "\"bytes\":\"a\\\\xff\\\\x0a\"}\n"
		 "{\"ok\":false,\"error\":\"no \\\"such\\\" message\"}\n")));
	control_item_free(&item);
	assert_null(item);
	control_item_free(&item);
	buf_free(&out);
}

static void
what_does_not_fit_is_not_begun(void **state)
{
	static char text[CONTROL_LINE_MAX + 1];
	struct control_item *item = control_item_new();
	struct buf out;

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	control_put_text(item, "x", text);
	buf_init(&out, 1 << 20);
	assert_int_equal(control_write_item(item, &out), -1);
	assert_int_equal(out.n, 0);
	buf_free(&out);
	buf_init(&out, 8);
	assert_int_equal(control_write_done(NULL, &out), -1);
	assert_int_equal(out.n, 0);
	buf_free(&out);
	control_item_free(&item);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(requests_are_read),
	    cmocka_unit_test(other_requests_are_refused),
	    cmocka_unit_test(long_requests_are_refused),
	    cmocka_unit_test(dane_is_off_for_a_time_only),
	    cmocka_unit_test(requests_come_back_as_they_were_written),
	    cmocka_unit_test(answers_are_lines),
	    cmocka_unit_test(what_does_not_fit_is_not_begun),
	};

	return cmocka_run_group_tests_name("control", tests, NULL, NULL);
}
