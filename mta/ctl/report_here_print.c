/* See report_here.h: for people, and for programs. */
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "mta/ctl/report_here.h"
#include "reporting/advice.h"
#include "reporting/result.h"

static const char *
known_name(enum here_known known)
{
	switch (known) {
	case HERE_NOT_RECORDED:
		return "no";
	case HERE_IN_PART:
		return "part";
	case HERE_RECORDED:
		return "yes";
	}
	return "?";
}

/* --- people --------------------------------------------------------------- */

static void
print_kinds(const struct here_sender *one)
{
	uint64_t told = 0;

	for (size_t i = 0; i < one->nkinds; i++) {
		const struct inbound_seen *kind = &one->kinds[i];

		told += kind->sessions;
		(void)printf("%s%" PRIu32 "%s%s %s", i == 0 ? "" : ", ",
		    kind->sessions, i == 0 ? " session" : "",
		    i == 0 ? report_plural(kind->sessions) : "",
		    inbound_outcome_words(kind->outcome));
		if (kind->outcome == INBOUND_ALERT)
			(void)printf(" %u (%s)", (unsigned)kind->alert,
			    inbound_alert_name(kind->alert));
	}
	if (told < one->sessions)
		(void)printf(", %" PRIu64 " others", one->sessions - told);
	if (one->known != HERE_RECORDED)
		(void)printf("; %s", one->why);
}

/* It never came, so where it went is the question. */
static void
print_where(const struct here_sender *one)
{
	char mx[REPORT_SHOWN_SIZE], receiver[REPORT_SHOWN_SIZE];

	if (one->mx[0] == '\0' && one->receiver[0] == '\0')
		return;
	(void)printf("; by the report it went to %s",
	    report_shown(one->mx[0] == '\0' ? one->receiver : one->mx, mx));
	if (one->mx[0] != '\0' && one->receiver[0] != '\0')
		(void)printf(" [%s]", report_shown(one->receiver, receiver));
}

static void
print_nothing(const struct here_sender *one)
{
	switch (one->known) {
	case HERE_NOT_RECORDED:
		(void)printf("not recorded: %s", one->why);
		return;
	case HERE_IN_PART:
		(void)printf("nothing recorded, but %s", one->why);
		break;
	case HERE_RECORDED:
		(void)printf("it did not connect to us%s",
		    one->last_day > one->first_day ? "" : " that day");
		break;
	}
	print_where(one);
}

static void
print_one(const struct here_sender *one)
{
	char address[INBOUND_ADDRESS_TEXT];
	char day[REPORT_DAY_SIZE];

	inbound_address_write(one->address, address);
	report_day(one->first_day, day);
	(void)printf("        %s on %s", address, day);
	if (one->last_day > one->first_day) {
		report_day(one->last_day, day);
		(void)printf(" and %s", day);
	}
	(void)printf(": ");
	if (one->sessions > 0)
		print_kinds(one);
	else
		print_nothing(one);
	(void)putchar('\n');
}

void
report_here_print(
    struct report_here *here, const char *domain, const char *result)
{
	struct here_group group = report_here_find(
	    here, domain, result, HERE_SHOWN);

	if (group.senders == 0) {
		(void)printf("      here:   the reports %s\n",
		    group.cut ? "name more senders than can be looked at"
			      : "do not say from which addresses");
		return;
	}
	(void)printf("      here:   we saw %zu of %zu sender%s%s\n", group.seen,
	    group.senders, report_plural(group.senders),
	    group.cut ? "; reports name more than were looked at" : "");
	for (size_t i = 0; i < group.n; i++)
		print_one(&group.list[i]);
	if (group.n < group.senders)
		(void)printf("        and %zu more\n", group.senders - group.n);
}

void
report_here_explain(
    struct report_here *here, const char *domain, const char *result)
{
	const struct advice *advice = advice_for(
	    tls_result_of(span_of(result)));

	(void)printf("      means:  %s\n      check:  %s\n"
		     "      remedy: %s (%s)\n",
	    advice->means, advice->check, advice->remedy, advice->rfc);
	report_here_print(here, domain, result);
}

/* --- programs ------------------------------------------------------------- */

static json_t *
kinds_json(const struct here_sender *one)
{
	json_t *list = json_array();

	for (size_t i = 0; i < one->nkinds; i++) {
		const struct inbound_seen *kind = &one->kinds[i];
		bool alert = kind->outcome == INBOUND_ALERT;
		json_t *object = json_pack("{s:s,s:I}", "outcome",
		    inbound_outcome_name(kind->outcome), "sessions",
		    (json_int_t)kind->sessions);

		if (alert) {
			(void)json_object_set_new(
			    object, "alert", json_integer(kind->alert));
			(void)json_object_set_new(object, "alert_name",
			    json_string(inbound_alert_name(kind->alert)));
		}
		(void)json_array_append_new(list, object);
	}
	return list;
}

static json_t *
one_json(const struct here_sender *one)
{
	char address[INBOUND_ADDRESS_TEXT];
	char first[REPORT_DAY_SIZE], last[REPORT_DAY_SIZE];

	inbound_address_write(one->address, address);
	report_day(one->first_day, first);
	report_day(one->last_day, last);
	return json_pack("{s:s,s:s,s:s,s:I,s:s,s:s,s:s,s:s,s:I,s:o}",
	    "sending_mta_ip", address, "first_day", first, "last_day", last,
	    "reported", (json_int_t)one->reported, "receiving_mx_hostname",
	    one->mx, "receiving_ip", one->receiver, "recorded",
	    known_name(one->known), "why", one->why, "sessions",
	    (json_int_t)one->sessions, "outcomes", kinds_json(one));
}

void
report_here_json(struct report_here *here, const char *domain,
    const char *result, json_t *object)
{
	struct here_group group = report_here_find(
	    here, domain, result, HERE_LIST);
	json_t *list = json_array();

	for (size_t i = 0; i < group.n; i++)
		(void)json_array_append_new(list, one_json(&group.list[i]));
	(void)json_object_set_new(
	    object, "senders", json_integer((json_int_t)group.senders));
	(void)json_object_set_new(
	    object, "senders_seen", json_integer((json_int_t)group.seen));
	(void)json_object_set_new(
	    object, "senders_cut", json_boolean(group.cut));
	(void)json_object_set_new(object, "here", list);
}
