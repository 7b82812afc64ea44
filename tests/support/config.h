/* Configurations in tests. */
#pragma once
#include <string.h>

#include "base/buf.h"
#include "mta/config.h"

#include "tests/support/test.h"

#define HOST   "hostname = \"mx1.example.org\"\n"
#define SPOOL  "spool = \"/var/spool/danelaw\"\n"
#define LISTEN "listen \"mx\" { address = {\"0.0.0.0:25\", \"[::]:25\"} }\n"
#define LEAST  HOST SPOOL LISTEN

/* The configuration, or NULL with the problems in `problems`. */
static inline struct config *
parse(const char *text, char *problems, size_t size)
{
	struct config *config = NULL;
	struct buf buf;

	buf_init(&buf, 64 * 1024);
	problems[0] = '\0';
	if (config_parse(span_of(text), "danelaw.conf", &config, &buf) == 0)
		assert_int_equal(buf.n, 0);
	else
		assert_null(config);
	assert_true(buf.n < size);
	if (buf.n > 0)
		memcpy(problems, buf.p, buf.n);
	problems[buf.n] = '\0';
	buf_free(&buf);
	return config;
}

static inline struct config *
parse_good(const char *text)
{
	char problems[4096];
	struct config *config = parse(text, problems, sizeof(problems));

	if (config == NULL)
		fail_msg("%s", problems);
	return config;
}
