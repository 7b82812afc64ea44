/* danelaw metrics: as /metrics of the web role, for cron and for people. */
#include "mta/metrics.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "mta/ctl/ask.h"
#include "mta/ctl/daemon.h"
#include "mta/ctl/table.h"

/* METRIC_FAMILIES: a daemon of another version has it. */
static enum metric_family
find_family(const char *name)
{
	unsigned i = 0;

	while (i < METRIC_FAMILIES &&
	       strcmp(metric_family((enum metric_family)i)->name, name) != 0)
		i++;
	return (enum metric_family)i;
}

struct text_out {
	struct buf out;
	enum metric_family last;
};

static int
put_text(struct text_out *to, const json_t *item)
{
	const char *name = json_string_value(json_object_get(item, "name"));
	const char *labels = json_string_value(json_object_get(item, "labels"));
	struct metric_sample sample = {.labels = labels};

	if (name == NULL || labels == NULL)
		return 0;
	sample.family = find_family(name);
	sample.value = json_integer_value(json_object_get(item, "value"));
	return sample.family == METRIC_FAMILIES
	           ? 0
	           : metrics_write(&sample, &to->last, &to->out);
}

static int
show(const struct options *options, struct daemon *daemon)
{
	struct text_out to = {.last = METRIC_FAMILIES};
	enum daemon_line line;
	struct err err;
	json_t *said;
	int rc = 0;

	buf_init(&to.out, (size_t)CONTROL_LINE_MAX * 16);
	while ((line = daemon_answer(daemon, &said, &err)) == DAEMON_ITEM)
		if (options->json)
			table_json(stdout, json_incref(said));
		else
			rc |= put_text(&to, said);
	if (to.out.n > 0)
		(void)fwrite(to.out.p, 1, to.out.n, stdout);
	buf_free(&to.out);
	if (line == DAEMON_FAILED)
		return command_complain("metrics", err.text);
	return rc == 0 ? EXIT_FINE
	               : command_complain("metrics", "there are too many");
}

int
metrics_run(const struct options *options)
{
	struct control_request request = {.command = CONTROL_METRICS};
	struct daemon *daemon = NULL;
	struct err err;
	int rc;

	if (options->argc > 0)
		return command_misused("metrics takes no arguments");
	if (ask_open(options, &daemon) < 0)
		return EXIT_WANTED;
	rc = daemon_ask(daemon, &request, &err) < 0
	         ? command_complain("metrics", err.text)
	         : show(options, daemon);
	daemon_close(&daemon);
	return rc;
}
