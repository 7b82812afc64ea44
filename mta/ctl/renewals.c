/* See renewals.h. */
#include "mta/ctl/renewals.h"

#include <jansson.h>
#include <string.h>

#include "base/text.h"
#include "mta/ctl/daemon.h"
#include "mta/ctl/setup.h"

static json_t *
read_status(struct daemon *daemon)
{
	const struct control_request request = {.command = CONTROL_STATUS};
	enum daemon_line line;
	json_t *said = NULL;
	struct err err;

	if (daemon_ask(daemon, &request, &err) < 0)
		return NULL;
	do
		line = daemon_answer(daemon, &said, &err);
	while (line == DAEMON_ITEM);
	return line == DAEMON_DONE
	           ? json_incref(json_object_get(said, "renewals"))
	           : NULL;
}

json_t *
renewals_ask(const struct options *options)
{
	struct daemon *daemon = NULL;
	char path[CONTROL_WORD_MAX];
	json_t *renewals;
	struct err err;

	if (options->socket != NULL)
		(void)text_copy(path, sizeof(path), options->socket);
	else if (setup_socket(options->file, path, sizeof(path)) < 0)
		return NULL;
	if (daemon_open(path, &daemon, &err) < 0)
		return NULL;
	renewals = read_status(daemon);
	daemon_close(&daemon);
	return renewals;
}

json_t *
renewals_find(json_t *renewals, const char *name)
{
	json_t *one;
	size_t i;

	json_array_foreach(renewals, i, one)
	{
		const char *whose = json_string_value(
		    json_object_get(one, "certificate"));

		if (whose != NULL && strcmp(whose, name) == 0)
			return one;
	}
	return NULL;
}
