/* What is said of one certificate { }. */
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "mta/ctl/control.h"
#include "mta/supervisor/renewal.h"

struct renewal_case *
renewal_case_find(struct renewal_case *cases, const char *name)
{
	while (cases != NULL && strcmp(cases->name, name) != 0)
		cases = cases->next;
	return cases;
}

struct renewal_case *
renewal_case_get(struct renewal_case **cases, const char *name)
{
	struct renewal_case *one = renewal_case_find(*cases, name);

	if (one != NULL)
		return one;
	one = mem_new(sizeof(*one));
	(void)text_copy(one->name, sizeof(one->name), name);
	one->since = clock_wall();
	one->next = *cases;
	*cases = one;
	return one;
}

void
renewal_case_drop(struct renewal_case **cases, const char *name)
{
	while (*cases != NULL) {
		struct renewal_case *one = *cases;

		if (strcmp(one->name, name) != 0) {
			cases = &one->next;
			continue;
		}
		*cases = one->next;
		mem_free(one);
		return; /* the name may have been its own */
	}
}

void
renewal_cases_free(struct renewal_case **cases)
{
	while (*cases != NULL)
		renewal_case_drop(cases, (*cases)->name);
}

bool
renewal_case_alarms(const struct renewal_case *one)
{
	if (one->verdict.step != RENEWAL_KEEP)
		return false;
	/* What is not known of one that is in use anyway changes nothing. */
	return !one->in_use || renewal_rule_contradicts(one->verdict.rule);
}

const char *
renewal_case_state(const struct renewal_case *one)
{
	if (one->in_use)
		return "in use";
	return one->verdict.step == RENEWAL_LATER ? "waits" : "refused";
}

static const char *
event_of(const struct renewal_case *one)
{
	if (one->in_use)
		return renewal_rule_contradicts(one->verdict.rule)
		           ? "certificate-contradicts"
		           : "certificate-unknown";
	return one->verdict.step == RENEWAL_LATER ? "certificate-waits"
	                                          : "certificate-refused";
}

/* One in use was not written anew. */
static void
count(const struct renewal_case *one, struct renewal_counts *counts)
{
	if (one->in_use)
		return;
	if (one->verdict.step == RENEWAL_LATER)
		counts->waited++;
	else
		counts->refused++;
}

void
renewal_case_tell(const struct renewal_case *one, struct renewal_counts *counts)
{
	struct log_line line;

	count(one, counts);
	log_begin(&line,
	    renewal_case_alarms(one) ? LOG_LEVEL_ERROR : LOG_LEVEL_WARN,
	    event_of(one));
	log_str(&line, "certificate", one->name);
	log_str(&line, "rule", renewal_rule_name(one->verdict.rule));
	log_str(&line, "reason", one->verdict.reason);
	log_str(&line, "remedy", one->verdict.remedy);
	log_end(&line);
}

void
renewal_case_put(const struct renewal_case *one, struct control_item *item)
{
	control_put_text(item, "certificate", one->name);
	control_put_text(item, "state", renewal_case_state(one));
	control_put_text(item, "rule", renewal_rule_name(one->verdict.rule));
	control_put_text(item, "reason", one->verdict.reason);
	control_put_text(item, "remedy", one->verdict.remedy);
	control_put_number(item, "since", one->since);
}
