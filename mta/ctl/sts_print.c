/* See sts_print.h. */
#include "mta/ctl/sts_print.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "mta/ctl/table.h"

#define PAGE  1000
#define SHOWN 1000 /* of a line of a policy */

static void
put_text(json_t *object, const char *name, struct span text)
{
	(void)json_object_set_new(object, name, json_stringn(text.p, text.n));
}

static void
put_number(json_t *object, const char *name, int64_t number)
{
	(void)json_object_set_new(object, name, json_integer(number));
}

static const char *
mode_of(const struct sts_entry *entry)
{
	return entry->state == STS_ENTRY_POLICY
	           ? sts_mode_name(entry->policy.mode)
	           : "";
}

/* What a row has beside its policy. */
static void
put_rest(json_t *object, const struct sts_entry *entry)
{
	put_number(object, "fetched", entry->fetched_at);
	put_number(object, "expires", entry->expires_at);
	put_text(object, "id", span_of(entry->id));
	put_number(object, "last_used", entry->last_used);
}

static void
put_tries(json_t *object, const struct sts_entry *entry)
{
	put_number(object, "last_try", entry->last_try);
	put_text(object, "tried_id", span_of(entry->tried_id));
	put_number(object, "failures", entry->failures);
}

/* --- for programs --------------------------------------------------------- */

void
sts_print_json(
    const char *domain, const struct sts_entry *entry, bool with_text)
{
	json_t *object = json_object(), *mx = json_array();

	for (size_t i = 0; i < entry->policy.nmx; i++)
		(void)json_array_append_new(
		    mx, json_string(entry->policy.mx[i]));
	put_text(object, "domain", span_of(domain));
	put_text(object, "state", span_of(sts_entry_state_name(entry->state)));
	put_text(object, "mode", span_of(mode_of(entry)));
	(void)json_object_set_new(object, "mx", mx);
	put_number(object, "max_age", entry->policy.max_age);
	put_rest(object, entry);
	put_tries(object, entry);
	if (with_text && entry->state == STS_ENTRY_POLICY)
		put_text(object, "policy", entry->policy.text);
	table_json(stdout, object);
}

/* --- for people ----------------------------------------------------------- */

/* Whoever serves it chose the text: nothing in it moves a terminal. */
static void
print_line(struct span line)
{
	char shown[SHOWN];

	if (line.n > 0 && line.p[line.n - 1] == '\r')
		line.n--;
	text_escape(line, shown, sizeof(shown));
	(void)printf("  %s\n", shown);
}

static void
print_text(struct span text)
{
	(void)puts("policy:");
	while (text.n > 0) {
		const char *end = memchr(text.p, '\n', text.n);
		size_t n = end == NULL ? text.n : (size_t)(end - text.p);

		print_line(span_first(text, n));
		text = span_from(text, n + 1);
	}
}

void
sts_print_record(const char *domain, const struct sts_entry *entry, int64_t now)
{
	static const char *const nothing[] = {NULL};
	json_t *object = json_object();

	put_text(object, "domain", span_of(domain));
	put_text(object, "mode", span_of(mode_of(entry)));
	if (entry->state == STS_ENTRY_POLICY)
		put_number(object, "max_age", entry->policy.max_age);
	put_rest(object, entry);
	put_tries(object, entry);
	table_record(stdout, object, nothing, now);
	json_decref(object);
	if (entry->state == STS_ENTRY_POLICY)
		print_text(entry->policy.text);
}

struct sts_list {
	struct table *table;
	size_t n; /* of the page */
	bool any;
};

struct sts_list *
sts_list_new(int64_t now)
{
	struct sts_list *list = mem_new(sizeof(*list));

	list->table = table_new(stdout, now);
	return list;
}

/* "mail.example.com +2" */
static void
put_mx(json_t *object, const struct sts_policy *policy)
{
	char text[300] = "";

	if (policy->nmx == 1)
		(void)text_copy(text, sizeof(text), policy->mx[0]);
	else if (policy->nmx > 1)
		(void)snprintf(text, sizeof(text), "%s +%zu", policy->mx[0],
		    policy->nmx - 1);
	put_text(object, "mx", span_of(text));
}

void
sts_list_add(
    struct sts_list *list, const char *domain, const struct sts_entry *entry)
{
	json_t *object = json_object();

	put_text(object, "domain", span_of(domain));
	put_text(object, "mode", span_of(mode_of(entry)));
	put_mx(object, &entry->policy);
	put_rest(object, entry);
	put_number(object, "failures", entry->failures);
	table_add(list->table, object);
	json_decref(object);
	list->any = true;
	if (++list->n < PAGE)
		return;
	table_page(list->table);
	list->n = 0;
}

bool
sts_list_end(struct sts_list **list)
{
	bool any = (*list)->any;

	table_page((*list)->table);
	table_free(&(*list)->table);
	mem_free(*list);
	*list = NULL;
	return any;
}
