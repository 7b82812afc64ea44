/* See control.h. */
#include "mta/ctl/control.h"

#include <jansson.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"

enum need {
	NEED_NOTHING = 0,
	NEED_ID,
	NEED_CHOICE, /* an id or a filter */
	NEED_TIME,
	NEED_DAY /* and a domain */
};

static const struct {
	const char *name;
	enum need need;
} commands[] = {
    [CONTROL_NONE] = {"none", NEED_NOTHING},
    [CONTROL_STATUS] = {"status", NEED_NOTHING},
    [CONTROL_METRICS] = {"metrics", NEED_NOTHING},
    [CONTROL_DANE_OFF] = {"dane-off", NEED_TIME},
    [CONTROL_DANE_ON] = {"dane-on", NEED_NOTHING},
    [CONTROL_STS_CHANGED] = {"sts-changed", NEED_NOTHING},
    [CONTROL_RELOAD] = {"reload", NEED_NOTHING},
    [CONTROL_REPORT_SEND] = {"report-send", NEED_DAY},
    [CONTROL_QUEUE_LIST] = {"queue-list", NEED_NOTHING},
    [CONTROL_QUEUE_SHOW] = {"queue-show", NEED_ID},
    [CONTROL_QUEUE_FLUSH] = {"queue-flush", NEED_NOTHING},
    [CONTROL_QUEUE_HOLD] = {"queue-hold", NEED_CHOICE},
    [CONTROL_QUEUE_RELEASE] = {"queue-release", NEED_CHOICE},
    [CONTROL_QUEUE_REMOVE] = {"queue-remove", NEED_CHOICE},
    [CONTROL_QUEUE_REQUEUE] = {"queue-requeue", NEED_CHOICE},
    [CONTROL_QUEUE_STATS] = {"queue-stats", NEED_NOTHING},
};

#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

const char *
control_command_name(enum control_command command)
{
	return commands[command].name;
}

bool
control_is_for_queue(enum control_command command)
{
	return command >= CONTROL_QUEUE_LIST;
}

bool
control_is_for_report(enum control_command command)
{
	return command == CONTROL_REPORT_SEND;
}

bool
control_is_choosy(const struct control_request *request)
{
	const struct control_filter *f = &request->filter;

	return request->target[0] != '\0' || f->sender[0] != '\0' ||
	       f->recipient[0] != '\0' || f->reason[0] != '\0' ||
	       f->state[0] != '\0' || f->older != 0 || f->newer != 0;
}

/* --- Requests ---------------------------------------------------------- */

static int
fail(struct err *err, const char *text)
{
	return err_set(err, ERR_PERM, "5.5.4", "%s", text);
}

static int
read_command(const json_t *value, struct control_request *request)
{
	const char *name = json_string_value(value);

	for (size_t i = CONTROL_STATUS; name != NULL && i < COMMANDS; i++) {
		if (strcmp(name, commands[i].name) != 0)
			continue;
		request->command = (enum control_command)i;
		return 0;
	}
	return -1;
}

static int
read_limit(const json_t *value, struct control_request *request)
{
	json_int_t number = json_integer_value(value);

	if (number < 1 || number > CONTROL_LIMIT_MAX)
		return -1;
	request->limit = (uint32_t)number;
	return 0;
}

static int
read_text(const json_t *value, char *to, size_t size)
{
	const char *text = json_string_value(value);

	return text != NULL && text_copy(to, size, text) ? 0 : -1;
}

static int
read_seconds(const json_t *value, uint32_t *ret)
{
	json_int_t number = json_integer_value(value);

	if (number < 1 || number > UINT32_MAX)
		return -1;
	*ret = (uint32_t)number;
	return 0;
}

static int
read_flag(const json_t *value, bool *ret)
{
	*ret = json_is_true(value);
	return json_is_boolean(value) ? 0 : -1;
}

/* Every member that is a string, and its place. */
static const struct {
	const char *key;
	size_t at;
	size_t size;
} texts[] = {
    {"id", offsetof(struct control_request, id), CONTROL_WORD_MAX},
    {"target", offsetof(struct control_request, target), CONTROL_WORD_MAX},
    {"after", offsetof(struct control_request, after), CONTROL_WORD_MAX},
    {"domain", offsetof(struct control_request, domain), CONTROL_WORD_MAX},
    {"sender", offsetof(struct control_request, filter.sender),
	CONTROL_WORD_MAX},
    {"recipient", offsetof(struct control_request, filter.recipient),
	CONTROL_WORD_MAX},
    {"reason", offsetof(struct control_request, filter.reason),
	CONTROL_WORD_MAX},
    {"state", offsetof(struct control_request, filter.state), 16},
};

#define TEXTS (sizeof(texts) / sizeof(texts[0]))

static int
read_any_text(
    const char *key, const json_t *value, struct control_request *request)
{
	for (size_t i = 0; i < TEXTS; i++)
		if (strcmp(key, texts[i].key) == 0)
			return read_text(value, (char *)request + texts[i].at,
			    texts[i].size);
	return -1;
}

static int
read_member(const char *key, const json_t *value,
    struct control_request *request, struct err *err)
{
	char shown[64];
	int rc = -1;

	if (strcmp(key, "command") == 0)
		rc = read_command(value, request);
	else if (strcmp(key, "limit") == 0)
		rc = read_limit(value, request);
	else if (strcmp(key, "older") == 0)
		rc = read_seconds(value, &request->filter.older);
	else if (strcmp(key, "newer") == 0)
		rc = read_seconds(value, &request->filter.newer);
	else if (strcmp(key, "seconds") == 0)
		rc = read_seconds(value, &request->seconds);
	else if (strcmp(key, "day") == 0)
		rc = read_seconds(value, &request->day);
	else if (strcmp(key, "dry_run") == 0)
		rc = read_flag(value, &request->dry_run);
	else if (strcmp(key, "force") == 0)
		rc = read_flag(value, &request->force);
	else
		rc = read_any_text(key, value, request);
	if (rc == 0)
		return 0;
	text_escape(span_of(key), shown, sizeof(shown));
	return err_set(err, ERR_PERM, "5.5.4",
	    "\"%s\": unknown, or its value is not what was expected", shown);
}

static int
read_members(json_t *object, struct control_request *request, struct err *err)
{
	const char *key;
	json_t *value;

	json_object_foreach(object, key,
	    value) if (read_member(key, value, request, err) < 0) return -1;
	if (request->command == CONTROL_NONE)
		return fail(err, "\"command\" is missing");
	if (commands[request->command].need == NEED_DAY)
		return request->day != 0 && request->domain[0] != '\0'
		           ? 0
		           : fail(err, "\"day\" or \"domain\" is missing");
	if (commands[request->command].need == NEED_TIME)
		return request->seconds >= 1 &&
		               request->seconds <= CONTROL_DANE_MAX
		           ? 0
		           : fail(err, "\"seconds\": expected a time of at "
				       "most 7 days");
	if (request->id[0] != '\0' ||
	    commands[request->command].need == NEED_NOTHING ||
	    (commands[request->command].need == NEED_CHOICE &&
		control_is_choosy(request)))
		return 0;
	return fail(err, "\"id\" is missing");
}

int
control_read_request(
    struct span line, struct control_request *ret, struct err *err)
{
	struct control_request request = {.limit = CONTROL_LIMIT};
	json_error_t why;
	json_t *object;
	int rc;

	if (line.n > CONTROL_LINE_MAX)
		return fail(err, "the request is too long");
	object = json_loadb(
	    line.n == 0 ? "" : line.p, line.n, JSON_REJECT_DUPLICATES, &why);
	if (!json_is_object(object)) {
		json_decref(object);
		return fail(err, "expected one JSON object in a line");
	}
	rc = read_members(object, &request, err);
	json_decref(object);
	if (rc == 0)
		*ret = request;
	return rc;
}

static void
set_text(json_t *object, const char *name, const char *text)
{
	if (text[0] != '\0')
		json_object_set_new(object, name, json_string(text));
}

/* The object as a line; takes it. */
static int
write_line(json_t *object, struct buf *out)
{
	size_t n = json_dumpb(object, NULL, 0, JSON_COMPACT);
	char *to = n == 0 || n >= CONTROL_LINE_MAX ? NULL
	                                           : buf_reserve(out, n + 1);

	if (to != NULL) {
		(void)json_dumpb(object, to, n, JSON_COMPACT);
		to[n] = '\n';
		out->n += n + 1;
	}
	json_decref(object);
	return to == NULL ? -1 : 0;
}

int
control_write_request(const struct control_request *request, struct buf *out)
{
	json_t *object = json_object();

	set_text(object, "command", control_command_name(request->command));
	if (request->limit != 0)
		json_object_set_new(
		    object, "limit", json_integer(request->limit));
	for (size_t i = 0; i < TEXTS; i++)
		set_text(
		    object, texts[i].key, (const char *)request + texts[i].at);
	if (request->filter.older != 0)
		json_object_set_new(
		    object, "older", json_integer(request->filter.older));
	if (request->filter.newer != 0)
		json_object_set_new(
		    object, "newer", json_integer(request->filter.newer));
	if (request->seconds != 0)
		json_object_set_new(
		    object, "seconds", json_integer(request->seconds));
	if (request->day != 0)
		json_object_set_new(object, "day", json_integer(request->day));
	if (request->dry_run)
		json_object_set_new(object, "dry_run", json_true());
	if (request->force)
		json_object_set_new(object, "force", json_true());
	return write_line(object, out);
}

/* --- Answers ----------------------------------------------------------- */

struct control_item {
	json_t *object;
};

struct control_item *
control_item_new(void)
{
	struct control_item *item = mem_new(sizeof(*item));

	item->object = json_object();
	return item;
}

void
control_item_free(struct control_item **item)
{
	if (*item == NULL)
		return;
	json_decref((*item)->object);
	mem_free(*item);
	*item = NULL;
}

void
control_put_text(struct control_item *item, const char *name, const char *text)
{
	char escaped[1024];

	if (text == NULL)
		return;
	if (!text_is_utf8(span_of(text))) {
		text_escape(span_of(text), escaped, sizeof(escaped));
		text = escaped;
	}
	json_object_set_new(item->object, name, json_string(text));
}

void
control_put_number(struct control_item *item, const char *name, int64_t number)
{
	json_object_set_new(item->object, name, json_integer(number));
}

void
control_put_flag(struct control_item *item, const char *name, bool flag)
{
	json_object_set_new(item->object, name, json_boolean(flag));
}

void
control_put_member(
    struct control_item *item, const char *name, struct control_item **member)
{
	json_t *list = json_object_get(item->object, name);

	if (list == NULL) {
		list = json_array();
		json_object_set_new(item->object, name, list);
	}
	json_array_append(list, (*member)->object);
	control_item_free(member);
}

void
control_drop(struct control_item *item, const char *name)
{
	(void)json_object_del(item->object, name);
}

int
control_write_item(const struct control_item *item, struct buf *out)
{
	json_t *line = json_object();

	json_object_set(line, "item", item->object);
	return write_line(line, out);
}

int
control_write_done(const struct control_item *more, struct buf *out)
{
	json_t *line = json_object();

	json_object_set_new(line, "ok", json_true());
	if (more != NULL)
		json_object_update_missing(line, more->object);
	return write_line(line, out);
}

int
control_write_error(const char *text, struct buf *out)
{
	struct control_item *item = control_item_new();
	int rc;

	control_put_flag(item, "ok", false);
	control_put_text(item, "error", text);
	rc = write_line(json_incref(item->object), out);
	control_item_free(&item);
	return rc;
}
