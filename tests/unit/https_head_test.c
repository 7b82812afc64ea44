/* What stands before a body, line by line. */
#include <string.h>

#include "mta/net/https_head.h"

#include "tests/support/test.h"

#define HEAD "HTTP/1.1 200 OK\r\n"
#define TYPE "Content-Type: text/plain\r\n"

/* One line of `text` after the other, until something is decided. */
static enum https_kind
feed(struct https_head *head, const char *text)
{
	enum https_kind kind = HTTPS_FINE;

	while (kind == HTTPS_FINE && *text != '\0') {
		const char *end = strchr(text, '\n') + 1;

		kind = https_head_add(
		    head, (struct span){text, (size_t)(end - text)});
		text = end;
	}
	return kind;
}

struct row {
	const char *text;
	enum https_kind kind;
};

static void
run_rows(const struct row *rows, size_t n, bool is_post)
{
	for (size_t i = 0; i < n; i++) {
		struct https_head head = {.is_post = is_post};
		enum https_kind kind = feed(&head, rows[i].text);

		if (kind != rows[i].kind || !head.over)
			fail_msg(
			    "%s is %s", rows[i].text, https_kind_name(kind));
	}
}

/* RFC 9112 4, RFC 8461 3.2, 3.3: 200 and text/plain, and nothing done to the body. */
static void
heads(void **state)
{
	static const struct row rows[] = {
	    {HEAD TYPE "\r\n", HTTPS_FINE},
	    {"HTTP/1.0 200\r\n" TYPE "\r\n", HTTPS_FINE},
	    {"HTTP/1.1 200 OK\n" TYPE "\n", HTTPS_FINE},
	    {HEAD "CONTENT-TYPE:TEXT/PLAIN\r\n\r\n", HTTPS_FINE},
	    {HEAD "Content-Type:\t text/plain ;charset=x\r\n\r\n", HTTPS_FINE},
	    {HEAD TYPE "Content-Length: 65536\r\n\r\n", HTTPS_FINE},
	    {HEAD TYPE "Content-Encoding: identity\r\n\r\n", HTTPS_FINE},
	    {HEAD TYPE "Transfer-Encoding: Chunked\r\n\r\n", HTTPS_FINE},
	    {HEAD TYPE "nonsense\r\n: x\r\n\r\n", HTTPS_FINE},
	    /* statuses */
	    {"HTTP/1.1 201 OK\r\n" TYPE "\r\n", HTTPS_STATUS},
	    {"HTTP/1.1 206 OK\r\n" TYPE "\r\n", HTTPS_STATUS},
	    {"HTTP/1.1 299 OK\r\n" TYPE "\r\n", HTTPS_STATUS},
	    {"HTTP/1.1 300 OK\r\n" TYPE "\r\n", HTTPS_REDIRECT},
	    {"HTTP/1.1 399 OK\r\n" TYPE "\r\n", HTTPS_REDIRECT},
	    {"HTTP/1.1 400 OK\r\n" TYPE "\r\n", HTTPS_STATUS},
	    {"HTTP/1.1 500 OK\r\n" TYPE "\r\n", HTTPS_STATUS},
	    {"HTTP/1.1 999 OK\r\n" TYPE "\r\n", HTTPS_STATUS},
	    {"HTTP/1.1 2000 OK\r\n" TYPE "\r\n", HTTPS_BROKEN},
	    {"HTTP/1.1 20 OK\r\n" TYPE "\r\n", HTTPS_BROKEN},
	    {"HTTP/1.1 020 OK\r\n" TYPE "\r\n", HTTPS_BROKEN},
	    {"HTTP/1.1 OK\r\n" TYPE "\r\n", HTTPS_BROKEN},
	    {"HTTP/1.1\r\n" TYPE "\r\n", HTTPS_BROKEN},
	    {TYPE "\r\n", HTTPS_BROKEN},
	    /* types */
	    {HEAD "\r\n", HTTPS_WRONG_TYPE},
	    {HEAD "Content-Type: text/html\r\n\r\n", HTTPS_WRONG_TYPE},
	    {HEAD "Content-Type: text/plainer\r\n\r\n", HTTPS_WRONG_TYPE},
	    {HEAD "Content-Type: text/plain x\r\n\r\n", HTTPS_WRONG_TYPE},
	    {HEAD "Content-Type:\r\n text/plain\r\n\r\n", HTTPS_WRONG_TYPE},
	    {HEAD "X-Content-Type: text/plain\r\n\r\n", HTTPS_WRONG_TYPE},
	    {HEAD TYPE "Content-Type: a/b\r\n\r\n", HTTPS_WRONG_TYPE},
	    {HEAD TYPE "Content-Encoding: gzip\r\n\r\n", HTTPS_WRONG_TYPE},
	    {HEAD TYPE "Transfer-Encoding: gzip, chunked\r\n\r\n",
		HTTPS_WRONG_TYPE},
	};

	(void)state;
	run_rows(rows, ROWS(rows), false);
}

/* RFC 9112 6.3: those that are too large, are none, or differ. */
static void
lengths_that_do_not_do(void **state)
{
	static const struct row rows[] = {
	    {HEAD TYPE "Content-Length: 65537\r\n\r\n", HTTPS_TOO_LARGE},
	    {HEAD TYPE "Content-Length: 18446744073709551615\r\n\r\n",
		HTTPS_TOO_LARGE},
	    {HEAD TYPE "Content-Length: 18446744073709551616\r\n\r\n",
		HTTPS_BROKEN},
	    {HEAD TYPE "Content-Length: -1\r\n\r\n", HTTPS_BROKEN},
	    {HEAD TYPE "Content-Length:\r\n\r\n", HTTPS_BROKEN},
	    {HEAD TYPE "Content-Length: 5, 6\r\n\r\n", HTTPS_BROKEN},
	    {HEAD TYPE "Content-Length: 5\r\ncontent-length: 6\r\n\r\n",
		HTTPS_BROKEN},
	    {HEAD TYPE "Content-Length: 5\r\nContent-Length: 5\r\n\r\n",
		HTTPS_FINE},
	};

	(void)state;
	run_rows(rows, ROWS(rows), false);
}

/* RFC 8460 5.4: 2xx, and whatever stands beside. */
static void
answers_to_posts(void **state)
{
	static const struct row rows[] = {
	    {HEAD TYPE "\r\n", HTTPS_FINE},
	    {HEAD "\r\n", HTTPS_FINE},
	    {"HTTP/1.1 201 Created\r\n\r\n", HTTPS_FINE},
	    {"HTTP/1.1 204 No Content\r\n\r\n", HTTPS_FINE},
	    {"HTTP/1.1 299 x\r\n\r\n", HTTPS_FINE},
	    {HEAD "Content-Type: a/b\r\nContent-Encoding: gzip\r\n\r\n",
		HTTPS_FINE},
	    {HEAD "Transfer-Encoding: x\r\n\r\n", HTTPS_FINE},
	    {HEAD "Content-Length: 65537\r\n\r\n", HTTPS_FINE},
	    {HEAD "Content-Length: x\r\n\r\n", HTTPS_FINE},
	    {"HTTP/1.1 100 Continue\r\n\r\n" HEAD "\r\n", HTTPS_FINE},
	    {"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 404 x\r\n\r\n",
		HTTPS_STATUS},
	    {"HTTP/1.1 300 x\r\n\r\n", HTTPS_STATUS},
	    {"HTTP/1.1 301 x\r\n\r\n", HTTPS_STATUS},
	    {"HTTP/1.1 304 x\r\n\r\n", HTTPS_STATUS},
	    {"HTTP/1.1 400 x\r\n\r\n", HTTPS_STATUS},
	    {"HTTP/1.1 500 x\r\n\r\n", HTTPS_STATUS},
	    {"HTTP/1.1 999 x\r\n\r\n", HTTPS_STATUS},
	    {"HTTP/1.1 2000 x\r\n\r\n", HTTPS_BROKEN},
	    {"HTTP/1.1 20\r\n\r\n", HTTPS_BROKEN},
	    {TYPE "\r\n", HTTPS_BROKEN},
	};

	(void)state;
	run_rows(rows, ROWS(rows), true);
}

/* RFC 9112 6.3, RFC 9112 7.1: where a body ends. */
static void
lengths(void **state)
{
	static const struct {
		const char *text;
		enum https_length length;
	} rows[] = {
	    {HEAD TYPE "\r\n", HTTPS_LENGTH_UNSAID},
	    {HEAD TYPE "Content-Length: 0\r\n\r\n", HTTPS_LENGTH_SAID},
	    {HEAD TYPE "Transfer-Encoding: chunked\r\n\r\n",
		HTTPS_LENGTH_CHUNKED},
	    {HEAD TYPE "Content-Length: 5\r\n"
		       "Transfer-Encoding: chunked\r\n\r\n",
		HTTPS_LENGTH_SAID},
	    {HEAD TYPE "Transfer-Encoding: chunked\r\n"
		       "Content-Length: 0\r\n\r\n",
		HTTPS_LENGTH_SAID},
	    {HEAD TYPE "Transfer-Encoding: x\r\n\r\n", HTTPS_LENGTH_UNSAID},
	    {HEAD TYPE "Content-Length: 65537\r\nContent-Length: 65537\r\n\r\n",
		HTTPS_LENGTH_LARGE},
	    {HEAD TYPE "Content-Length: 65537\r\nContent-Length: 1\r\n\r\n",
		HTTPS_LENGTH_UNCLEAR},
	    {HEAD TYPE "Content-Length: 1\r\nContent-Length: 65537\r\n\r\n",
		HTTPS_LENGTH_UNCLEAR},
	    {HEAD TYPE "Content-Length: 1\r\nContent-Length: 2\r\n"
		       "Content-Length: 2\r\n\r\n",
		HTTPS_LENGTH_UNCLEAR},
	    {HEAD TYPE "Content-Length: x\r\n"
		       "Transfer-Encoding: chunked\r\n\r\n",
		HTTPS_LENGTH_UNCLEAR},
	};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		struct https_head head = {0};

		(void)feed(&head, rows[i].text);
		if (head.length != rows[i].length)
			fail_msg("%s", rows[i].text);
	}
}

/* RFC 9110 15.2: any number of interim answers, none of which counts. */
static void
interim_answers(void **state)
{
	struct https_head head = {0};

	(void)state;
	assert_int_equal(feed(&head, "HTTP/1.1 103 Early Hints\r\n" TYPE
				     "Content-Encoding: gzip\r\n\r\n"),
	    HTTPS_FINE);
	assert_false(head.over);
	assert_int_equal(feed(&head, "HTTP/1.1 199 x\r\n\r\n"), HTTPS_FINE);
	assert_false(head.over);
	assert_int_equal(feed(&head, HEAD "\r\n"), HTTPS_WRONG_TYPE);
	head = (struct https_head){0};
	assert_int_equal(
	    feed(&head, "HTTP/1.1 103 x\r\n"
			"Content-Encoding: gzip\r\n\r\n" HEAD TYPE "\r\n"),
	    HTTPS_FINE);
	assert_true(head.over);
	assert_int_equal(head.status, 200);
}

/* A trailer is no head. */
static void
trailers_change_nothing(void **state)
{
	struct https_head head = {0};

	(void)state;
	assert_int_equal(feed(&head, HEAD TYPE "\r\n"), HTTPS_FINE);
	assert_int_equal(
	    feed(&head, "Content-Type: a/b\r\nHTTP/1.1 404 x\r\n\r\n"),
	    HTTPS_FINE);
	assert_int_equal(head.status, 200);
	assert_true(head.is_plain);
}

static enum https_kind
feed_line(struct https_head *head, size_t n)
{
	static const char line[HTTPS_HEAD_MAX + 1] = "X-Long: ";

	return https_head_add(head, (struct span){line, n});
}

/* All of it together: lines, interim answers, trailers. */
static void
the_size_is_limited(void **state)
{
	struct https_head head = {0};

	(void)state;
	assert_int_equal(feed_line(&head, HTTPS_HEAD_MAX), HTTPS_FINE);
	assert_int_equal(feed_line(&head, 1), HTTPS_TOO_LARGE);
	head = (struct https_head){0};
	assert_int_equal(feed_line(&head, HTTPS_HEAD_MAX + 1), HTTPS_TOO_LARGE);
	head = (struct https_head){0};
	assert_int_equal(feed(&head, HEAD TYPE "\r\n"), HTTPS_FINE);
	assert_int_equal(
	    feed_line(&head, HTTPS_HEAD_MAX - 40), HTTPS_TOO_LARGE);
	head = (struct https_head){0};
	for (size_t i = 0; i < HTTPS_HEAD_MAX / 18; i++)
		assert_int_equal(
		    feed(&head, "HTTP/1.1 100 x\r\n\r\n"), HTTPS_FINE);
	assert_int_equal(
	    feed(&head, "HTTP/1.1 100 x\r\n\r\n"), HTTPS_TOO_LARGE);
}

/* What says nothing of the host, and a name for each. */
static void
kinds(void **state)
{
	(void)state;
	for (int kind = 0; kind <= HTTPS_FINE; kind++) {
		assert_int_equal(https_is_ours((enum https_kind)kind),
		    kind == HTTPS_BUSY || kind == HTTPS_OURS);
		assert_non_null(https_kind_name((enum https_kind)kind));
	}
	assert_string_equal(https_kind_name(HTTPS_OURS), "ours");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(heads),
	    cmocka_unit_test(lengths_that_do_not_do),
	    cmocka_unit_test(answers_to_posts),
	    cmocka_unit_test(lengths),
	    cmocka_unit_test(interim_answers),
	    cmocka_unit_test(trailers_change_nothing),
	    cmocka_unit_test(the_size_is_limited),
	    cmocka_unit_test(kinds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
