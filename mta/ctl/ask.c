/* See ask.h. */
#include "mta/ctl/ask.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "mta/ctl/daemon.h"
#include "mta/ctl/setup.h"
#include "mta/ctl/table.h"
#include "mta/decision_json.h"

#define PAGE 1000

struct asking {
	const struct options *options;
	struct daemon *daemon;
	struct control_request *request;
	enum ask_show show;
	struct table *table;
	int64_t now;
	uint32_t shown; /* items so far */
	int64_t count;  /* what the pages before said */
	bool wanting;   /* the answer says that something is wrong */
};

int
ask_open(const struct options *options, struct daemon **ret)
{
	char path[CONTROL_WORD_MAX];
	struct err err;

	if (options->socket != NULL)
		(void)text_copy(path, sizeof(path), options->socket);
	else if (setup_socket(options->file, path, sizeof(path)) < 0)
		return ASK_NO_CONFIG;
	if (daemon_open(path, ret, &err) == 0)
		return 0;
	(void)fprintf(stderr, "danelaw: %s\n", err.text);
	return ASK_NO_DAEMON;
}

/* What is kept of a decision, taken apart. */
static void
add_decisions(json_t *item)
{
	json_t *attempt;
	size_t i;

	json_array_foreach(json_object_get(item, "history"), i, attempt)
	{
		const char *tls = json_string_value(
		    json_object_get(attempt, "tls"));

		if (tls != NULL)
			(void)json_object_set_new(
			    attempt, "decision", decision_brief_json(tls));
	}
}

static void
write_summary(const struct asking *asking, json_t *done)
{
	static const char *const ours[] = {"ok", "after", NULL};

	if (asking->options->json)
		table_json(stdout, json_incref(done));
	else
		table_record(stdout, done, ours, asking->now);
}

static void
write_item(const struct asking *asking, json_t *item)
{
	static const char *const nothing[] = {NULL};

	if (asking->options->json) {
		add_decisions(item);
		table_json(stdout, json_incref(item));
	} else if (asking->show != ASK_RECORDS) {
		table_add(asking->table, item);
	} else {
		if (asking->shown > 1)
			(void)putchar('\n');
		table_record(stdout, item, nothing, asking->now);
	}
}

static bool
is_enough(const struct asking *asking)
{
	uint32_t limit = asking->options->limit;

	/* A summary's limit is that of each of its tables. */
	return limit != 0 && asking->show != ASK_SUMMARY &&
	       asking->shown >= limit;
}

/* The answer to one request; DONE with its last line in *ret_done. */
static enum daemon_line
read_page(struct asking *asking, json_t **ret_done, struct err *err)
{
	enum daemon_line line;

	while ((line = daemon_answer(asking->daemon, ret_done, err)) ==
	       DAEMON_ITEM) {
		if (is_enough(asking))
			continue;
		asking->shown++;
		write_item(asking, *ret_done);
	}
	return line;
}

/* Whether there is another page to ask for. */
static bool
next_page(struct asking *asking, const json_t *done)
{
	const char *after = json_string_value(json_object_get(done, "after"));

	return after != NULL && after[0] != '\0' && !is_enough(asking) &&
	       text_copy(asking->request->after, sizeof(asking->request->after),
		   after);
}

static uint32_t
page_limit(const struct asking *asking)
{
	uint32_t limit = asking->options->limit;

	if (asking->show == ASK_SUMMARY)
		return limit == 0 || limit > PAGE ? PAGE : limit;
	if (limit == 0 || limit - asking->shown > PAGE)
		return PAGE;
	return limit - asking->shown;
}

/* How many there were on all pages. */
static void
add_count(struct asking *asking, json_t *done)
{
	json_t *count = json_object_get(done, "count");

	if (!json_is_integer(count))
		return;
	asking->count += json_integer_value(count);
	(void)json_integer_set(count, asking->count);
}

/* "degraded" is found wanting; what has no state is fine. */
static bool
is_wanting(const json_t *done)
{
	const char *state = json_string_value(json_object_get(done, "state"));

	return state != NULL && strcmp(state, "running") != 0;
}

static int
show_pages(struct asking *asking, struct err *err)
{
	json_t *done;
	bool more;

	do {
		asking->request->limit = page_limit(asking);
		if (daemon_ask(asking->daemon, asking->request, err) < 0 ||
		    read_page(asking, &done, err) != DAEMON_DONE)
			return -1;
		more = next_page(asking, done);
		add_count(asking, done);
		if (!more && asking->show == ASK_SUMMARY)
			write_summary(asking, done);
		asking->wanting = is_wanting(done);
		table_page(asking->table);
	} while (more);
	return 0;
}

int
ask_show(const struct options *options, struct daemon *daemon,
    struct control_request *request, enum ask_show show)
{
	struct asking asking = {
	    options, daemon, request, show, .now = clock_wall()};
	struct err err;
	int rc;

	asking.table = table_new(stdout, asking.now);
	rc = show_pages(&asking, &err);
	if (rc < 0)
		(void)fprintf(stderr, "danelaw: %s\n", err.text);
	else if (show == ASK_TABLE && asking.shown == 0)
		command_nothing(options, "in the queue is to be listed");
	table_free(&asking.table);
	return rc == 0 && !asking.wanting ? EXIT_FINE : EXIT_WANTED;
}
