/* The Received field. */
#include <stdio.h>
#include <string.h>

#include "tests/support/smtp_play.h"
#include "tests/support/test.h"

#define DATE "; Sun, 22 Nov 2026 09:06:00 +0000\r\n"
#define BY   "\tby mx.example.org (Danelaw) with "
#define MAIL "MAIL FROM:<>\r\n"
#define RCPT "RCPT TO:<b@example.net>\r\n"
#define FOR  "\tfor <b@example.net>" DATE
#define TLS                                                                   \
	"\t(using TLSv1.3 cipher TLS_AES_256_GCM_SHA384, sni mx.example.org)" \
	"\r\n"

struct row {
	const char *rule;
	const char *client;
	const char *send;
	const char *trace;
};

static const struct row rows[] = {
    {"RFC 5321 4.4: the usual", "192.0.2.1",
	"EHLO me.example\r\n" MAIL RCPT "DATA\r\n",
	"Received: from me.example ([192.0.2.1])\r\n" BY "ESMTP id Q1\r\n" FOR},
    {"RFC 5321 4.1.3: IPv6", "2001:db8::1",
	"EHLO me.example\r\n" MAIL RCPT "DATA\r\n",
	"Received: from me.example ([IPv6:2001:db8::1])\r\n" BY
	"ESMTP id Q1\r\n" FOR},
    {"RFC 5321 4.4: no address known", "",
	"EHLO me.example\r\n" MAIL RCPT "DATA\r\n",
	"Received: from me.example (unknown)\r\n" BY "ESMTP id Q1\r\n" FOR},
    {"RFC 5321 4.4: a literal as a name", "192.0.2.1",
	"EHLO [127.0.0.1]\r\n" MAIL RCPT "DATA\r\n",
	"Received: from [127.0.0.1] ([192.0.2.1])\r\n" BY
	"ESMTP id Q1\r\n" FOR},
    {"RFC 3848: SMTP behind HELO", "192.0.2.1",
	"HELO me.example\r\n" MAIL RCPT "DATA\r\n",
	"Received: from me.example ([192.0.2.1])\r\n" BY "SMTP id Q1\r\n" FOR},
    {"RFC 3848: SMTP behind HELO, TLS or not", "192.0.2.1",
	"STARTTLS\r\nHELO me.example\r\n" MAIL RCPT "DATA\r\n",
	"Received: from me.example ([192.0.2.1])\r\n" BY
	"SMTP id Q1\r\n" TLS FOR},
    {"RFC 3848: ESMTPS", "192.0.2.1",
	"STARTTLS\r\nEHLO me.example\r\n" MAIL RCPT "BDAT 0 LAST\r\n",
	"Received: from me.example ([192.0.2.1])\r\n" BY
	"ESMTPS id Q1\r\n" TLS FOR},
    {"RFC 6531 4.3: UTF8SMTP", "192.0.2.1",
	"EHLO me.example\r\nMAIL FROM:<> SMTPUTF8\r\n"
	"RCPT TO:<\xc3\xa9@b>\r\nDATA\r\n",
	"Received: from me.example ([192.0.2.1])\r\n" BY
	"UTF8SMTP id Q1\r\n\tfor <\xc3\xa9@b>" DATE},
    {"RFC 6531 4.3: UTF8SMTPS", "192.0.2.1",
	"STARTTLS\r\nEHLO me.example\r\nMAIL FROM:<> SMTPUTF8\r\n" RCPT
	"DATA\r\n",
	"Received: from me.example ([192.0.2.1])\r\n" BY
	"UTF8SMTPS id Q1\r\n" TLS FOR},
    {"RFC 5321 7.2: several recipients are not named", "192.0.2.1",
	"EHLO me.example\r\n" MAIL RCPT RCPT "DATA\r\n",
	"Received: from me.example ([192.0.2.1])\r\n" BY
	"ESMTP id Q1;\r\n\tSun, 22 Nov 2026 09:06:00 +0000\r\n"},
    {"RFC 5321 4.4: a hostile name", "192.0.2.1",
	"EHLO x)(\"\\;:<a@b>,\r\n" MAIL RCPT "DATA\r\n",
	"Received: from [192.0.2.1] (helo x?????:?a@b?\?)\r\n" BY
	"ESMTP id Q1\r\n" FOR},
};

static void
trace_tells_who_when_and_how(void **state)
{
	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		struct session_setup setup = play_setup();
		struct play play = {0};
		struct span got;
		size_t step = strncmp(rows[i].send, "STARTTLS", 8) == 0;

		setup.client = rows[i].client;
		setup.any_hello = true;
		play_begin(&play, &setup);
		play_feed(&play, span_of(rows[i].send), step);
		got = buf_span(&play.trace);
		if (!span_eq(got, span_of(rows[i].trace)))
			fail_msg("%s\n%.*s%s", rows[i].rule, (int)got.n, got.p,
			    rows[i].trace);
		play_end(&play);
	}
}

/* RFC 5322 2.1.1: no line may pass 998, whatever the client calls itself. */
static void
lines_are_folded(void **state)
{
	struct session_setup setup = play_setup();
	struct play play = {0};
	char hello[300];
	size_t line = 0, longest = 0, tail;

	(void)state;
	tail = (size_t)snprintf(hello, sizeof(hello), "EHLO %0250d\r\n", 0);
	setup.client = "2001:db8:1111:2222:3333:4444:5555:6666";
	play_begin(&play, &setup);
	play_feed(&play, (struct span){hello, tail}, 0);
	play_feed(&play, SPAN("MAIL FROM:<>\r\n" RCPT "DATA\r\n"), 0);
	for (size_t i = 0; i < play.trace.n; i++) {
		line = play.trace.p[i] == '\n' ? 0 : line + 1;
		longest = line > longest ? line : longest;
	}
	assert_int_equal(line, 0);
	assert_true(longest > 200 && longest < 300);
	play_end(&play);
}

static void
trace_keeps_the_limit_of_its_buffer(void **state)
{
	struct session_setup setup = play_setup();
	struct play play = {0};
	struct buf small;

	(void)state;
	play_begin(&play, &setup);
	buf_init(&small, 60);
	assert_int_equal(session_trace(play.session, "Q1", 0, &small), -1);
	buf_free(&small);
	play_end(&play);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(trace_tells_who_when_and_how),
	    cmocka_unit_test(lines_are_folded),
	    cmocka_unit_test(trace_keeps_the_limit_of_its_buffer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
