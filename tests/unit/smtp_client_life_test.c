/* How the client session ends, is kept in bounds, and what it waits for. */
#include <string.h>

#include "tests/support/smtp_script.h"
#include "tests/support/test.h"

#define LONG_NAME \
	"0123456789012345678901234567890123456789012345678901234567890123"

#define LOST "lost"

static const uint16_t which[] = {0};

static struct client *
ready_client(const char *ehlo)
{
	struct client_setup setup = {.helo = "me.example"};
	struct client *client = client_new(&setup);

	client_feed(client, SPAN("220 mx\r\n"));
	assert_int_equal(client_next(client), CLIENT_IDLE);
	client_feed(client, span_of(ehlo));
	assert_int_equal(client_next(client), CLIENT_GREETED);
	client_proceed(client);
	assert_int_equal(client_next(client), CLIENT_READY);
	client_sent(client, client_output(client).n);
	return client;
}

static void
give_up(struct client *client)
{
	struct err err;

	(void)err_set(&err, ERR_TEMP, "4.4.2", LOST);
	client_broken(client, &err);
}

/* RFC 5321 4.1.1.10 */
static void
quit_is_said_where_it_can_be(void **state)
{
	struct client_setup setup = {.helo = "me.example"};
	struct client *client = client_new(&setup);

	(void)state;
	client_quit(client); /* nobody has greeted yet */
	assert_int_equal(client_next(client), CLIENT_CLOSED);
	assert_int_equal(client_output(client).n, 0);
	client_quit(client);
	assert_int_equal(client_next(client), CLIENT_CLOSED);
	client_free(&client);

	client = ready_client("250 mx\r\n");
	client_quit(client);
	assert_true(span_eq(client_output(client), SPAN("QUIT\r\n")));
	client_quit(client);
	assert_true(span_eq(client_output(client), SPAN("QUIT\r\n")));
	assert_int_equal(client_next(client), CLIENT_IDLE);
	assert_int_equal(client_waiting(client), CLIENT_WAIT_QUIT);
	give_up(client);
	assert_int_equal(client_next(client), CLIENT_CLOSED);
	client_free(&client);

	client = ready_client("250 mx\r\n");
	give_up(client);
	client_quit(client);
	assert_int_equal(client_next(client), CLIENT_CLOSED);
	client_free(&client);
	assert_null(client);
	client_free(&client);
}

static void
a_broken_client_stays_broken(void **state)
{
	struct client *client = ready_client("250 mx\r\n");
	struct err other;

	(void)state;
	give_up(client);
	assert_int_equal(client_next(client), CLIENT_FAILED);
	assert_string_equal(client_error(client)->text, LOST);
	(void)err_set(&other, ERR_PERM, "5.0.0", "other");
	client_broken(client, &other);
	client_feed(client, SPAN("250 ok\r\n"));
	client_starttls(client);
	client_proceed(client);
	client_tls_done(client);
	client_body(client, SPAN("x\r\n"), true);
	assert_int_equal(client_next(client), CLIENT_FAILED);
	assert_int_equal(client_output(client).n, 0);
	assert_string_equal(client_error(client)->text, LOST);
	client_free(&client);
}

/* RFC 3207 4.2, RFC 9422 3.6: what was said in the clear was not said. */
static void
offers_end_with_starttls(void **state)
{
	struct client_setup setup = {.helo = "me.example"};
	struct client *client = client_new(&setup);

	(void)state;
	client_feed(client, SPAN("220 mx\r\n"));
	assert_int_equal(client_next(client), CLIENT_IDLE);
	client_feed(client, SPAN("250-mx\r\n250-LIMITS RCPTMAX=1 MAILMAX=2\r\n"
				 "250-SIZE 9\r\n250 STARTTLS\r\n"));
	assert_int_equal(client_next(client), CLIENT_GREETED);
	assert_int_equal(client_limits(client)->rcpt_max, 1);
	client_starttls(client);
	client_feed(client, SPAN("220 go\r\n"));
	assert_int_equal(client_next(client), CLIENT_STARTTLS);
	client_tls_done(client);
	assert_int_equal(client_next(client), CLIENT_IDLE);
	client_feed(client, SPAN("250 mx\r\n"));
	assert_int_equal(client_next(client), CLIENT_READY);
	assert_int_equal(client_offers(client), 0);
	assert_int_equal(client_limits(client)->rcpt_max, 0);
	assert_int_equal(client_limits(client)->mail_max, 0);
	client_free(&client);
}

/* RFC 5321 4.2: it is a stranger's, and goes into reports of others. */
static void
a_server_says_who_it_is(void **state)
{
	static const char long_name[] = "220 " LONG_NAME LONG_NAME LONG_NAME
	    LONG_NAME "\r\n";
	static const struct {
		const char *greeting, *name;
	} rows[] = {
	    {"220 MX1.example.org ESMTP Postfix\r\n", "mx1.example.org"},
	    {"220-mx_1.example\r\n220 busy\r\n", "mx_1.example"},
	    {"220 [IPv6:2001:db8::1] hello\r\n", "[ipv6:2001:db8::1]"},
	    {"220\r\n", ""},
	    {"220 ***********\r\n", ""},
	    {"220 mx\x01.example ESMTP\r\n", ""},
	    {"220 m\xc3\xbcller.example ESMTP\r\n", ""},
	    {"220 <script> ESMTP\r\n", ""},
	    {long_name, ""},
	    {"554 mx.example go away\r\n", ""},
	};
	struct client_setup setup = {.helo = "me.example"};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		struct client *client = client_new(&setup);

		assert_string_equal(client_peer(client), "");
		client_feed(client, span_of(rows[i].greeting));
		(void)client_next(client);
		if (strcmp(client_peer(client), rows[i].name) != 0)
			fail_msg(
			    "%s: %s", rows[i].greeting, client_peer(client));
		client_free(&client);
	}
}

/* Lost between READY and client_send(): DONE comes all the same. */
static void
a_lost_race_settles_all(void **state)
{
	for (unsigned seen = 0; seen < 2; seen++) {
		struct script script = script_new(1);
		struct client *client = ready_client("250 mx\r\n");

		(void)state;
		give_up(client);
		if (seen == 1)
			assert_int_equal(client_next(client), CLIENT_FAILED);
		client_send(client, &script.envelope, which, 1, 4, false);
		assert_int_equal(client_next(client), CLIENT_DONE);
		assert_string_equal(client_result(client, 0)->err.text, LOST);
		assert_int_equal(client_next(client), CLIENT_FAILED);
		assert_int_equal(client_output(client).n, 0);
		client_free(&client);
	}
}

/* RFC 5321 4.5.3.2: each wait has its name. */
static void
waits_are_told(void **state)
{
	struct script script = script_new(1);
	struct client *client;

	(void)state;
	client = client_new(&script.setup);
	assert_int_equal(client_waiting(client), CLIENT_WAIT_GREETING);
	client_free(&client);
	client = ready_client("250 mx\r\n");
	assert_int_equal(client_waiting(client), CLIENT_WAIT_NONE);
	client_send(client, &script.envelope, which, 1, 4, false);
	assert_int_equal(client_next(client), CLIENT_IDLE);
	assert_int_equal(client_waiting(client), CLIENT_WAIT_MAIL);
	client_feed(client, SPAN("250 ok\r\n"));
	assert_int_equal(client_next(client), CLIENT_IDLE);
	assert_int_equal(client_waiting(client), CLIENT_WAIT_RCPT);
	client_feed(client, SPAN("250 ok\r\n"));
	assert_int_equal(client_next(client), CLIENT_IDLE);
	assert_int_equal(client_waiting(client), CLIENT_WAIT_DATA);
	client_feed(client, SPAN("354 go\r\n"));
	assert_int_equal(client_next(client), CLIENT_BODY);
	assert_int_equal(client_waiting(client), CLIENT_WAIT_BLOCK);
	client_body(client, SPAN("hi\r\n"), true);
	assert_int_equal(client_next(client), CLIENT_IDLE);
	assert_int_equal(client_waiting(client), CLIENT_WAIT_BLOCK);
	client_sent(client, client_output(client).n - 1);
	assert_int_equal(client_waiting(client), CLIENT_WAIT_BLOCK);
	client_sent(client, 1);
	assert_int_equal(client_waiting(client), CLIENT_WAIT_END);
	assert_string_equal(
	    client_wait_name(client_waiting(client)), "end-of-data");
	client_free(&client);
}

/* Without its last octet the server cannot have taken the message. */
static void
doubt_begins_with_the_last_octet(void **state)
{
	for (size_t kept = 0; kept < 2; kept++) {
		struct script script = script_new(1);
		struct client *client = ready_client(
		    "250-mx\r\n250 PIPELINING\r\n");

		(void)state;
		client_send(client, &script.envelope, which, 1, 4, false);
		assert_int_equal(client_next(client), CLIENT_IDLE);
		client_feed(client, SPAN("250 ok\r\n250 ok\r\n354 go\r\n"));
		assert_int_equal(client_next(client), CLIENT_BODY);
		client_body(client, SPAN("hi\r\n"), true);
		client_sent(client, client_output(client).n - kept);
		give_up(client);
		assert_int_equal(client_next(client), CLIENT_DONE);
		assert_int_equal(client_result(client, 0)->err.kind, ERR_TEMP);
		assert_int_equal(client_next(client), CLIENT_FAILED);
		assert_int_equal(client_in_doubt(client), kept == 0);
		client_free(&client);
	}
}

/* What was in doubt, or chunked, in one transaction is not in the next. */
static void
transactions_do_not_share_marks(void **state)
{
	struct script script = script_new(1);
	struct client *client = ready_client("250-mx\r\n250 PIPELINING\r\n");

	(void)state;
	client_send(client, &script.envelope, which, 1, 4, false);
	assert_int_equal(client_next(client), CLIENT_IDLE);
	client_feed(client, SPAN("250 ok\r\n250 ok\r\n354 go\r\n"));
	assert_int_equal(client_next(client), CLIENT_BODY);
	client_body(client, SPAN("hi\r\n"), true);
	client_feed(client, SPAN("250 2.0.0 took it\r\n"));
	assert_int_equal(client_next(client), CLIENT_DONE);
	assert_string_equal(
	    client_result(client, 0)->reply, "250 2.0.0 took it");
	assert_int_equal(client_next(client), CLIENT_READY);
	client_send(client, &script.envelope, which, 1, 4, false);
	assert_int_equal(client_next(client), CLIENT_IDLE);
	client_feed(client, SPAN("250 ok\r\n250 ok\r\n"));
	assert_int_equal(client_next(client), CLIENT_IDLE);
	client_sent(client, client_output(client).n);
	give_up(client);
	assert_int_equal(client_next(client), CLIENT_DONE);
	assert_int_equal(client_next(client), CLIENT_FAILED);
	assert_false(client_in_doubt(client));
	client_free(&client);
}

static void
input_and_output_are_bounded(void **state)
{
	struct script script = script_new(1);
	struct client *client = ready_client("250-mx\r\n250 PIPELINING\r\n");
	static char noise[CLIENT_BODY_MAX];

	(void)state;
	memset(noise, '.', sizeof(noise));
	for (size_t i = 0; i + 3 < sizeof(noise); i += 4)
		memcpy(noise + i + 1, "x\r\n", 3);
	client_send(client, &script.envelope, which, 1, 4, false);
	assert_int_equal(client_next(client), CLIENT_IDLE);
	client_feed(client, SPAN("250 ok\r\n250 ok\r\n354 go\r\n"));
	assert_int_equal(client_next(client), CLIENT_BODY);
	client_body(client, (struct span){noise, sizeof(noise)}, false);
	assert_int_equal(client_next(client), CLIENT_IDLE);
	client_body(client, (struct span){noise, sizeof(noise)}, false);
	assert_int_equal(client_next(client), CLIENT_DONE);
	assert_int_equal(client_result(client, 0)->err.kind, ERR_BUG);
	assert_int_equal(client_next(client), CLIENT_FAILED);
	client_free(&client);

	client = ready_client("250 mx\r\n");
	for (unsigned i = 0; i < 3; i++)
		client_feed(client, (struct span){noise, 65536});
	assert_int_equal(client_next(client), CLIENT_FAILED);
	assert_string_equal(client_error(client)->enhanced, "4.5.0");
	client_free(&client);
}

/* RFC 5321 3.8: its words are everybody's who has no others. */
static void
leaving_servers_are_quoted(void **state)
{
	struct script script = script_new(2);
	static const uint16_t both[] = {0, 1};
	struct client *client = ready_client("250-mx\r\n250 PIPELINING\r\n");

	(void)state;
	client_send(client, &script.envelope, both, 2, 4, false);
	assert_int_equal(client_next(client), CLIENT_IDLE);
	client_feed(
	    client, SPAN("250 ok\r\n550 5.1.1 who?\r\n421 4.3.2 leaving\r\n"));
	assert_int_equal(client_next(client), CLIENT_DONE);
	assert_string_equal(client_result(client, 0)->reply, "550 5.1.1 who?");
	assert_string_equal(
	    client_result(client, 1)->reply, "421 4.3.2 leaving");
	assert_int_equal(client_next(client), CLIENT_FAILED);
	client_free(&client);
}

/* RFC 3030 4.2: behind a refused chunk no other is sent. */
static void
a_refused_chunk_is_the_last(void **state)
{
	struct script script = script_new(1);
	struct client_setup setup = {.helo = "me.example", .chunking = true};
	struct client *client = client_new(&setup);

	(void)state;
	client_feed(client, SPAN("220 mx\r\n"));
	(void)client_next(client);
	client_feed(
	    client, SPAN("250-mx\r\n250-CHUNKING\r\n250 PIPELINING\r\n"));
	assert_int_equal(client_next(client), CLIENT_GREETED);
	client_proceed(client);
	assert_int_equal(client_next(client), CLIENT_READY);
	client_send(client, &script.envelope, which, 1, 8, false);
	assert_int_equal(client_next(client), CLIENT_BODY);
	client_body(client, SPAN("hi\r\n"), false);
	assert_int_equal(client_next(client), CLIENT_BODY);
	client_sent(client, client_output(client).n);
	client_feed(client, SPAN("250 ok\r\n250 ok\r\n452 4.3.1 full\r\n"));
	assert_int_equal(client_next(client), CLIENT_DONE);
	assert_string_equal(client_result(client, 0)->err.enhanced, "4.3.1");
	client_body(client, SPAN("ho\r\n"), true);
	assert_int_equal(client_next(client), CLIENT_READY);
	assert_int_equal(client_output(client).n, 0);
	client_free(&client);
}

/* RFC 5321 2.3.7: no address may carry a second command. */
static void
hostile_envelopes_stay_here(void **state)
{
	static const struct {
		const char *sender, *envid, *address, *orcpt;
	} cases[] = {
	    {"a@b\r\nRSET", "", "c@d", ""},
	    {"a@b", "x\ny", "c@d", ""},
	    {"a@b", "x y", "c@d", ""},
	    {"a@b", "", "c@d\rx", ""},
	    {"a@b", "", "c@d", "rfc822;x y"},
	    {"a@b", "", "c@d", "rfc822;\x7f"},
	};

	(void)state;
	for (size_t i = 0; i < ROWS(cases); i++) {
		struct client *client = ready_client("250-mx\r\n250 DSN\r\n");
		struct envelope_rcpt rcpt = {
		    cases[i].address, cases[i].orcpt, 0};
		struct envelope envelope = {.sender = cases[i].sender,
		    .envid = cases[i].envid,
		    .rcpts = &rcpt,
		    .nrcpts = 1};

		client_send(client, &envelope, which, 1, 4, false);
		assert_int_equal(client_next(client), CLIENT_DONE);
		assert_int_equal(client_result(client, 0)->err.kind, ERR_PERM);
		assert_int_equal(client_output(client).n, 0);
		assert_int_equal(client_next(client), CLIENT_READY);
		client_free(&client);
	}
}

static void
nobody_to_send_to(void **state)
{
	struct script script = script_new(1);
	struct client *client = ready_client("250 mx\r\n");

	(void)state;
	client_send(client, &script.envelope, which, 0, 4, false);
	assert_int_equal(client_next(client), CLIENT_DONE);
	assert_int_equal(client_next(client), CLIENT_READY);
	assert_int_equal(client_output(client).n, 0);
	client_free(&client);
}

/* Many recipients go out as the output drains, not all at once. */
static void
long_envelopes_are_pumped(void **state)
{
	enum {
		MANY = 20000
	};
	static struct envelope_rcpt rcpts[MANY];
	static uint16_t all[MANY];
	struct envelope envelope = {
	    .sender = "a@b", .envid = "", .rcpts = rcpts, .nrcpts = MANY};
	struct client *client = ready_client("250-mx\r\n250 PIPELINING\r\n");
	size_t commands = 0;

	(void)state;
	for (uint16_t i = 0; i < MANY; i++) {
		rcpts[i] = (struct envelope_rcpt){"somebody@x.org", "", 0};
		all[i] = i;
	}
	client_send(client, &envelope, all, MANY, 4, false);
	for (;;) {
		struct span out;

		assert_int_equal(client_next(client), CLIENT_IDLE);
		out = client_output(client);
		assert_true(out.n < 70000);
		for (size_t i = 0; i < out.n; i++)
			commands += out.p[i] == '\n';
		if (out.n == 0)
			break;
		client_sent(client, out.n);
	}
	assert_int_equal(commands, 1 + MANY + 1);
	client_free(&client);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(quit_is_said_where_it_can_be),
	    cmocka_unit_test(a_broken_client_stays_broken),
	    cmocka_unit_test(offers_end_with_starttls),
	    cmocka_unit_test(a_server_says_who_it_is),
	    cmocka_unit_test(a_lost_race_settles_all),
	    cmocka_unit_test(waits_are_told),
	    cmocka_unit_test(doubt_begins_with_the_last_octet),
	    cmocka_unit_test(transactions_do_not_share_marks),
	    cmocka_unit_test(input_and_output_are_bounded),
	    cmocka_unit_test(leaving_servers_are_quoted),
	    cmocka_unit_test(a_refused_chunk_is_the_last),
	    cmocka_unit_test(hostile_envelopes_stay_here),
	    cmocka_unit_test(nobody_to_send_to),
	    cmocka_unit_test(long_envelopes_are_pumped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
