/* Whom a reply is about, and when a message may have arrived without one. */
#include <string.h>

#include "mta/smtp/client.h"

#include "tests/support/smtp_script.h"
#include "tests/support/test.h"

#define MANY 3
static const uint16_t all[MANY] = {0, 1, 2};

static struct client *
ready_client(const char *greeting)
{
	struct client_setup setup = {.helo = "me.example", .chunking = true};
	struct client *client = client_new(&setup);

	client_feed(client, SPAN("220 mx\r\n"));
	assert_int_equal(client_next(client), CLIENT_IDLE);
	client_sent(client, client_output(client).n);
	client_feed(client, span_of(greeting));
	assert_int_equal(client_next(client), CLIENT_GREETED);
	client_proceed(client);
	assert_int_equal(client_next(client), CLIENT_READY);
	return client;
}

static void
lose(struct client *client)
{
	struct err err;

	(void)err_set(&err, ERR_TEMP, "4.4.2", "gone");
	client_broken(client, &err);
	assert_int_equal(client_next(client), CLIENT_DONE);
}

struct about_row {
	const char *name;
	const char *replies; /* to MAIL, three RCPT, DATA */
	const char *end;     /* behind the message; NULL: the connection goes */
	enum client_about about[MANY];
};

static const struct about_row abouts[] = {
    {"MAIL refused", "550 not you\r\n", NULL,
	{ABOUT_ALL, ABOUT_ALL, ABOUT_ALL}},
    {"RFC 5321 4.2.1: RCPT is one's own",
	"250 ok\r\n550 5.1.1 who?\r\n452 4.2.2 full\r\n250 ok\r\n354 go\r\n",
	"250 kept\r\n", {ABOUT_RCPT, ABOUT_RCPT, ABOUT_RCPT}},
    {"RFC 5321 4.5.3.1.10: too many",
	"250 ok\r\n250 ok\r\n452 4.5.3 no more\r\n250 ok\r\n354 go\r\n",
	"250 kept\r\n", {ABOUT_RCPT, ABOUT_COUNT, ABOUT_RCPT}},
    {"DATA refused",
	"250 ok\r\n250 ok\r\n550 5.1.1 who?\r\n250 ok\r\n451 no\r\n", NULL,
	{ABOUT_ALL, ABOUT_RCPT, ABOUT_ALL}},
    {"the end refused", "250 ok\r\n250 ok\r\n250 ok\r\n250 ok\r\n354 go\r\n",
	"554 spam\r\n", {ABOUT_RCPT, ABOUT_RCPT, ABOUT_RCPT}},
    {"no reply to the end",
	"250 ok\r\n250 ok\r\n550 5.1.1 who?\r\n250 ok\r\n354 go\r\n", NULL,
	{ABOUT_ALL, ABOUT_RCPT, ABOUT_ALL}},
};

static void
a_reply_has_whom_it_is_about(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(abouts) / sizeof(abouts[0]); i++) {
		const struct about_row *row = &abouts[i];
		struct script script = script_new(MANY);
		struct client *client = ready_client(
		    "250-mx\r\n250 PIPELINING\r\n");

		client_send(client, &script.envelope, all, MANY, 4, false);
		assert_int_equal(client_next(client), CLIENT_IDLE);
		client_sent(client, client_output(client).n);
		client_feed(client, span_of(row->replies));
		if (client_next(client) == CLIENT_BODY) {
			client_body(client, SPAN("hi\r\n"), true);
			client_sent(client, client_output(client).n);
			if (row->end != NULL)
				client_feed(client, span_of(row->end));
			assert_int_equal(client_next(client),
			    row->end != NULL ? CLIENT_DONE : CLIENT_IDLE);
			if (row->end == NULL)
				lose(client);
		}
		for (size_t r = 0; r < MANY; r++)
			if (client_result(client, r)->about != row->about[r])
				fail_msg("%s: recipient %zu: %d", row->name, r,
				    (int)client_result(client, r)->about);
		client_free(&client);
	}
}

struct doubt_row {
	const char *name;
	const char *replies; /* that come before the connection goes */
	size_t unsent;       /* octets of ours that never went out */
	bool in_doubt;
};

/* RFC 3030 4.2: MAIL, RCPT and the whole message are out before any reply. */
static const struct doubt_row doubts[] = {
    {"nothing was said", "", 0, true},
    {"an octet is missing", "", 1, false},
    {"some recipients were not mentioned", "250 ok\r\n550 who?\r\n", 0, true},
    {"one was taken", "250 ok\r\n250 ok\r\n550 no\r\n550 no\r\n", 0, true},
    {"nobody was taken", "250 ok\r\n550 no\r\n550 no\r\n550 no\r\n", 0, false},
    {"the sender was refused", "550 no\r\n", 0, false},
};

static void
a_message_behind_its_envelope_is_in_doubt(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(doubts) / sizeof(doubts[0]); i++) {
		const struct doubt_row *row = &doubts[i];
		struct script script = script_new(MANY);
		struct client *client = ready_client(
		    "250-mx\r\n250-CHUNKING\r\n250 PIPELINING\r\n");

		client_send(client, &script.envelope, all, MANY, 4, false);
		assert_int_equal(client_next(client), CLIENT_BODY);
		client_body(client, SPAN("hi\r\n"), true);
		client_sent(client, client_output(client).n - row->unsent);
		client_feed(client, span_of(row->replies));
		lose(client);
		if (client_in_doubt(client) != row->in_doubt)
			fail_msg("%s", row->name);
		client_free(&client);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_reply_has_whom_it_is_about),
	    cmocka_unit_test(a_message_behind_its_envelope_is_in_doubt),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
