/* The form of a notification (RFC 3464, RFC 6522): its header, its parts and
 * their order, a group of fields for each recipient. */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "mta/message/dsn.h"

#include "tests/support/test.h"

#define OUT_MAX 400000
#define ORIGINAL                                           \
	"Received: from x by y;\r\n\tMon, 12 Jan 1970\r\n" \
	"X-Odd:\r\nSubject: x\r\nX-Last: y\r\n"

struct scene {
	struct envelope envelope;
	struct envelope_rcpt to[3];
	struct dsn_rcpt results[3];
	struct dsn dsn;
	char text[OUT_MAX];
};

static void
set_scene(struct scene *s)
{
	static const char *const names[] = {
	    "MiXed@Case.example", "two@example.net", "three@example.net"};

	memset(s, 0, sizeof(*s));
	s->envelope = (struct envelope){.sender = "Alice.X@example.org",
	    .envid = "",
	    .helo = "foo.example",
	    .client = "192.0.2.9",
	    .arrived = 900000};
	for (size_t i = 0; i < 3; i++) {
		s->to[i] = (struct envelope_rcpt){names[i], "", 0};
		s->results[i] = (struct dsn_rcpt){.rcpt = &s->to[i],
		    .status = "5.1.1",
		    .remote_mta = "mx.example.net",
		    .diagnostic = SPAN("550 5.1.1 n\xc3\xb6 such user"),
		    .last_attempt = 950000,
		    .retry_until = 990000};
	}
	s->dsn = (struct dsn){.envelope = &s->envelope,
	    .hostname = "mx1.example.org",
	    .id = "4fa3c1",
	    .queue_id = "1-2",
	    .boundary = "b0undary",
	    .now = 1000000,
	    .rcpts = s->results,
	    .nrcpts = 3,
	    .original = SPAN(ORIGINAL)};
}

static void
build(struct scene *s)
{
	struct dsn_needs needs;
	struct err err;
	struct buf out;

	buf_init(&out, OUT_MAX - 1);
	if (dsn_build(&s->dsn, &out, &needs, &err) < 0)
		fail_msg("%s", err.text);
	memcpy(s->text, out.p, out.n);
	s->text[out.n] = '\0';
	buf_free(&out);
}

/* Part `i` from its header on, cut off behind it; NULL: there is none. */
static char *
part(struct scene *s, unsigned i)
{
	static const char line[] = "\r\n--b0undary";
	char *at = s->text, *end;

	for (unsigned n = 0; n <= i; n++) {
		at = strstr(at, line);
		if (at == NULL || strncmp(at + strlen(line), "--", 2) == 0)
			return NULL;
		at += strlen(line) + 2;
	}
	end = strstr(at, line);
	assert_non_null(end);
	*end = '\0';
	return at;
}

static bool
has(const char *text, const char *field)
{
	char line[200];

	(void)snprintf(line, sizeof(line), "\r\n%s\r\n", field);
	return strstr(text, line) != NULL ||
	       strncmp(text, line + 2, strlen(line + 2)) == 0;
}

/* RFC 3464 2: to the return path, from a person, read by programs. */
static void
its_header_says_to_whom_and_what(void **state)
{
	static const char *const fields[] = {
	    "From: Mail Delivery System <postmaster@mx1.example.org>",
	    "To: <Alice.X@example.org>",
	    /* RFC 6522 3: the second part's subtype */
	    "Content-Type: multipart/report; report-type=delivery-status;",
	    "MIME-Version: 1.0",
	};
	static struct scene s;

	(void)state;
	set_scene(&s);
	build(&s);
	*strstr(s.text, "\r\n\r\n") = '\0';
	for (size_t i = 0; i < ROWS(fields); i++)
		if (!has(s.text, fields[i]))
			fail_msg("no %s in\n%s", fields[i], s.text);
}

/* RFC 3464 2, RFC 6522 3: words, fields, and what it is about. */
static void
three_parts_in_their_order(void **state)
{
	static const struct {
		bool whole;
		const char *third;
	} rows[] = {
	    {true, "Content-Type: message/rfc822"},
	    /* RFC 6522 4 */
	    {false, "Content-Type: text/rfc822-headers"},
	};
	static struct scene s;

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		set_scene(&s);
		s.dsn.whole = rows[i].whole;
		build(&s);
		assert_true(has(
		    part(&s, 0), "Content-Type: text/plain; charset=utf-8"));
		build(&s);
		assert_true(
		    has(part(&s, 1), "Content-Type: message/delivery-status"));
		build(&s);
		assert_true(has(part(&s, 2), rows[i].third));
		build(&s);
		assert_null(part(&s, 3));
	}
}

/* RFC 3464 2.1: "in the 7bit encoding", whatever a server has said. */
static void
its_fields_have_seven_bits(void **state)
{
	static struct scene s;
	const char *fields;

	(void)state;
	set_scene(&s);
	build(&s);
	fields = part(&s, 1);
	assert_true(has(fields, "Content-Transfer-Encoding: 7bit"));
	assert_true(text_is_ascii(span_of(fields)));
	assert_true(has(fields, "Diagnostic-Code: smtp; 550 5.1.1 n?? such "
				"user"));
}

/* The next group behind *at, cut off; NULL: there is none. */
static char *
group(char **at)
{
	char *from = *at, *end = strstr(from, "\r\n\r\n");

	if (*from == '\0')
		return NULL;
	if (end == NULL) {
		*at = from + strlen(from);
		return from;
	}
	end[2] = '\0';
	*at = end + 4;
	return from;
}

/* RFC 3464 2.1, RFC 3461 6.3: of the message, then one of each recipient. */
static void
a_group_for_each_recipient(void **state)
{
	static const char *const of_message[] = {
	    "Reporting-MTA: dns; mx1.example.org",
	    /* RFC 3464 2.2.4 */
	    "Received-From-MTA: dns; foo.example (192.0.2.9)",
	    /* RFC 3464 2.2.5: numeric zones */
	    "Arrival-Date: Sun, 11 Jan 1970 10:00:00 +0000",
	};
	static const char *const finals[] = {
	    /* RFC 3464 2.3.2: as in the envelope */
	    "Final-Recipient: rfc822; MiXed@Case.example",
	    "Final-Recipient: rfc822; two@example.net",
	    "Final-Recipient: rfc822; three@example.net",
	};
	static struct scene s;
	char *at, *fields;

	(void)state;
	set_scene(&s);
	s.to[1].orcpt = "rfc822;first+40example.net";
	build(&s);
	at = part(&s, 1);
	(void)group(&at); /* of MIME */
	fields = group(&at);
	for (size_t i = 0; i < ROWS(of_message); i++)
		if (!has(fields, of_message[i]))
			fail_msg("no %s in\n%s", of_message[i], fields);
	for (size_t i = 0; i < ROWS(finals); i++) {
		fields = group(&at);
		assert_true(has(fields, finals[i]));
		assert_true(has(fields, "Action: failed"));
		assert_true(has(fields, "Remote-MTA: dns; mx.example.net"));
		assert_true(has(fields,
		    "Last-Attempt-Date: Sun, 11 Jan 1970 23:53:20 +0000"));
		/* RFC 3461 6.3 (b): if and only if there was an ORCPT */
		assert_int_equal(
		    has(fields,
			"Original-Recipient: rfc822; first@example.net"),
		    i == 1);
		assert_int_equal(
		    strstr(fields, "Original-Recipient") != NULL, i == 1);
	}
	assert_null(group(&at));
}

/* RFC 3464 2.3.3 */
static void
actions_are_the_five(void **state)
{
	static const char *const names[] = {
	    [DSN_FAILED] = "Action: failed",
	    [DSN_DELAYED] = "Action: delayed",
	    [DSN_RELAYED] = "Action: relayed",
	    [DSN_EXPANDED] = "Action: expanded",
	    [DSN_DELIVERED] = "Action: delivered",
	};
	static struct scene s;

	(void)state;
	for (size_t i = 0; i < ROWS(names); i++) {
		set_scene(&s);
		s.results[0].action = (enum dsn_action)i;
		s.dsn.nrcpts = 1;
		build(&s);
		if (!has(part(&s, 1), names[i]))
			fail_msg("%s", names[i]);
	}
}

/* RFC 3464 2.3.6: what was wrong with TLS is no server's reply. */
static void
words_of_ours_are_told_as_such(void **state)
{
	static struct scene s;
	const char *fields;

	(void)state;
	set_scene(&s);
	s.results[0].remote_mta = "";
	s.results[0].status = "4.7.5";
	s.results[0].diagnostic = SPAN(
	    "mx: no TLSA record matches (required by DANE)");
	s.dsn.nrcpts = 1;
	build(&s);
	fields = part(&s, 1);
	assert_true(has(fields, "Diagnostic-Code: x-danelaw; mx: no TLSA "
				"record matches (required by DANE)"));
	assert_null(strstr(fields, "Remote-MTA"));
}

/* RFC 6522 4: "all of the RFC 822 header lines". */
static void
the_header_comes_back_whole(void **state)
{
	static struct scene s;
	const char *returned;

	(void)state;
	set_scene(&s);
	build(&s);
	returned = strstr(part(&s, 2), "\r\n\r\n");
	assert_non_null(returned);
	assert_string_equal(returned + 4, ORIGINAL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(its_header_says_to_whom_and_what),
	    cmocka_unit_test(three_parts_in_their_order),
	    cmocka_unit_test(its_fields_have_seven_bits),
	    cmocka_unit_test(a_group_for_each_recipient),
	    cmocka_unit_test(actions_are_the_five),
	    cmocka_unit_test(words_of_ours_are_told_as_such),
	    cmocka_unit_test(the_header_comes_back_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
