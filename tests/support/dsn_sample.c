/*
 * Print a delivery report of each kind, for tests/unit/dsn_parse.py:
 *
 *     dsn_sample NAME
 */
#include <stdio.h>
#include <stdlib.h>

#include "mta/message/dsn.h"

#define HEADER                              \
	"Received: from x by y\r\n"         \
	"Message-ID: <one@example.org>\r\n" \
	"Subject: hello\r\n"

struct sample {
	const char *name;
	const char *sender;
	const char *envid;
	bool smtputf8;
	bool whole;
	struct dsn_rcpt rcpts[3];
	struct span original;
};

static const struct envelope_rcpt bob = {
    .address = "Bob@example.net", .orcpt = "rfc822;b+2Bo+3Db@example.net"};
static const struct envelope_rcpt carol = {
    .address = "carol@example.com", .orcpt = ""};
static const struct envelope_rcpt juergen = {
    .address = "j\xc3\xbcrgen@b\xc3\xbc"
	       "cher.example",
    .orcpt = "utf-8;j\\x{FC}rgen@b\xc3\xbc"
	     "cher.example"};

static const struct sample samples[] = {
    {.name = "failed",
	.sender = "alice@example.org",
	.envid = "QQ+2B1",
	.whole = true,
	.rcpts = {{.rcpt = &bob,
		      .status = "5.1.1",
		      .remote_mta = "mx.example.net",
		      .diagnostic = {"550-5.1.1 No such user here\r\n"
				     "550 5.1.1 ask \x1b[31m your postmaster",
			  60},
		      .last_attempt = 1000000},
	    {.rcpt = &carol,
		.status = "4.4.7",
		.remote_mta = "",
		.diagnostic = {"connection timed out", 20}}},
	.original = {HEADER "\r\nbody\r\n--bounds\r\nno end",
	    sizeof(HEADER "\r\nbody\r\n--bounds\r\nno end") - 1}},
    {.name = "delayed",
	.sender = "alice@example.org",
	.envid = "",
	.rcpts = {{.rcpt = &carol,
	    .action = DSN_DELAYED,
	    .status = "4.4.1",
	    .remote_mta = "",
	    .diagnostic = {"connection refused", 18},
	    .retry_until = 2000000}},
	.original = {HEADER, sizeof(HEADER) - 1}},
    {.name = "success",
	.sender = "alice@example.org",
	.envid = "",
	.rcpts = {{.rcpt = &bob,
		      .action = DSN_RELAYED,
		      .status = "",
		      .remote_mta = "mx.example.net",
		      .diagnostic = {"250 ok", 6}},
	    {.rcpt = &carol,
		.action = DSN_DELIVERED,
		.status = "2.1.5",
		.remote_mta = ""}},
	.original = {HEADER, sizeof(HEADER) - 1}},
    {.name = "utf8-rcpt",
	.sender = "alice@example.org",
	.envid = "",
	.smtputf8 = true,
	.whole = true,
	.rcpts = {{.rcpt = &juergen,
	    .status = "5.6.7",
	    .remote_mta = "mx.example.net",
	    .diagnostic = {"550 5.6.7 no \xc3\xbc", 15}}},
	.original = {"Subject: \xc3\xa9\r\n\r\nb\xc3\xb6"
		     "dy\r\n",
	    23}},
    {.name = "utf8-sender",
	.sender = "\xc3\xa5sa@example.org",
	.envid = "",
	.smtputf8 = true,
	.rcpts = {{.rcpt = &juergen,
	    .status = "5.1.1",
	    .remote_mta = "mx.example.net",
	    .diagnostic = {"550 5.1.1 no \xc3\xbc", 15}}},
	.original = {"Subject: \xc3\xa9\r\n", 13}},
    {.name = "eight-bit",
	.sender = "alice@example.org",
	.envid = "",
	.whole = true,
	.rcpts = {{.rcpt = &carol,
	    .status = "5.2.2",
	    .remote_mta = "mx.example.com",
	    .diagnostic = {"552 full", 8}}},
	.original = {"Subject: x\r\n\r\nb\xf6"
		     "dy\r\n",
	    20}},
};

static int
print_sample(const struct sample *sample)
{
	struct envelope envelope = {.sender = sample->sender,
	    .envid = sample->envid,
	    .helo = "client.example.org",
	    .client = "192.0.2.7",
	    .smtputf8 = sample->smtputf8,
	    .arrived = 900000};
	struct dsn dsn = {.envelope = &envelope,
	    .hostname = "mx1.example.org",
	    .id = "4fa3c1.dsn",
	    .queue_id = "4fa3c1",
	    .boundary = "bounds",
	    .now = 1000000,
	    .rcpts = sample->rcpts,
	    .original = sample->original,
	    .whole = sample->whole};
	struct dsn_needs needs;
	struct err err;
	struct buf out;

	while (dsn.nrcpts < 3 && dsn.rcpts[dsn.nrcpts].rcpt != NULL)
		dsn.nrcpts++;
	buf_init(&out, 100000);
	if (dsn_build(&dsn, &out, &needs, &err) < 0) {
		fprintf(stderr, "%s\n", err.text);
		return EXIT_FAILURE;
	}
	printf("X-Needs: %s%s\r\n", needs.eight_bit ? "8bitmime " : "",
	    needs.smtputf8 ? "smtputf8" : "");
	(void)fwrite(out.p, 1, out.n, stdout);
	buf_free(&out);
	return EXIT_SUCCESS;
}

int
main(int argc, char **argv)
{
	for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++)
		if (argc == 2 && strcmp(argv[1], samples[i].name) == 0)
			return print_sample(&samples[i]);
	return EXIT_FAILURE;
}
