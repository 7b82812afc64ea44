/* See audit.h. */
#include <inttypes.h>
#include <jansson.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "mta/ctl/audit.h"
#include "mta/ctl/table.h"
#include "mta/decision_json.h"

struct audit_print {
	FILE *to;
	bool json;
	int64_t since;
	char *destination; /* of the rows that come, or NULL */
	json_t *item;      /* its object, or NULL */
	uint64_t counts[AUDIT_ENDS];
	uint64_t destinations;
	uint64_t bad; /* destinations that something was refused of */
	bool others;  /* some were too many to be told apart */
};

struct audit_print *
audit_print_new(FILE *to, bool json, int64_t since)
{
	struct audit_print *print = mem_new(sizeof(*print));

	print->to = to;
	print->json = json;
	print->since = since;
	return print;
}

static uint64_t
refused(const uint64_t counts[AUDIT_ENDS])
{
	return counts[AUDIT_REFUSED] + counts[AUDIT_WOULD_REFUSE];
}

static uint64_t
all(const uint64_t counts[AUDIT_ENDS])
{
	return refused(counts) + counts[AUDIT_ALLOWED];
}

/* --- for people ----------------------------------------------------------- */

/* "2026-11-29 09:53" */
#define MINUTE_SIZE 20
static void
write_minute(int64_t wall, char to[MINUTE_SIZE])
{
	char text[CLOCK_RFC3339_SIZE];

	clock_rfc3339(wall * 1000000, text);
	(void)snprintf(to, MINUTE_SIZE, "%.10s %.5s", text, text + 11);
}

static void
print_destination(
    struct audit_print *print, const char *name, const struct audit_sums *sums)
{
	uint64_t n = all(sums->counts), bad = refused(sums->counts);
	char minute[MINUTE_SIZE], shown[600];

	if (print->destination == NULL)
		(void)fprintf(print->to, "%-32s %10s %16s  %s\n", "destination",
		    "deliveries", "would be refused", "last seen (UTC)");
	if (name[0] == '\0')
		name = "(others)";
	else if (strncmp(name, "mx:", 3) == 0)
		name += 3;
	text_escape(span_of(name), shown, sizeof(shown));
	write_minute(sums->last, minute);
	(void)fprintf(
	    print->to, "%-32s %10" PRIu64 " %8" PRIu64, shown, n, bad);
	if (bad > 0)
		(void)fprintf(
		    print->to, " %5.1f %%", 100.0 * (double)bad / (double)n);
	else
		(void)fprintf(print->to, "%8s", "");
	(void)fprintf(print->to, "  %s\n", minute);
}

/* One line for each way in which they ended, where one was a bad one. */
static void
print_reason(struct audit_print *print, const struct audit_row *row)
{
	uint64_t really = row->counts[AUDIT_REFUSED];
	char host[300], reason[400], tls[200];

	text_escape(span_of(row->key.host), host, sizeof(host));
	text_escape(span_of(row->key.reason), reason, sizeof(reason));
	text_escape(span_of(row->key.tls), tls, sizeof(tls));
	(void)fprintf(print->to, "%8" PRIu64 "  %s: ", all(row->counts), host);
	if (row->key.reason[0] == '\0')
		(void)fprintf(print->to, "fine (%s)\n", tls);
	else if (really == 0)
		(void)fprintf(print->to, "%s\n", reason);
	else
		(void)fprintf(print->to,
		    "%s; %" PRIu64 " refused, being enforced\n", reason,
		    really);
}

/* --- for programs --------------------------------------------------------- */

static void
put_number(json_t *object, const char *name, uint64_t number)
{
	(void)json_object_set_new(
	    object, name, json_integer((json_int_t)number));
}

static void
put_text(json_t *object, const char *name, const char *text)
{
	char shown[1100];

	if (!text_is_utf8(span_of(text))) {
		text_escape(span_of(text), shown, sizeof(shown));
		text = shown;
	}
	(void)json_object_set_new(object, name, json_string(text));
}

static void
put_counts(json_t *object, const uint64_t counts[AUDIT_ENDS])
{
	put_number(object, "deliveries", all(counts));
	put_number(object, "allowed", counts[AUDIT_ALLOWED]);
	put_number(object, "would_refuse", counts[AUDIT_WOULD_REFUSE]);
	put_number(object, "refused", counts[AUDIT_REFUSED]);
}

static void
put_times(json_t *object, int64_t first, int64_t last)
{
	(void)json_object_set_new(object, "first", json_integer(first));
	(void)json_object_set_new(object, "last", json_integer(last));
}

static void
begin_item(
    struct audit_print *print, const char *name, const struct audit_sums *sums)
{
	print->item = json_object();
	put_text(print->item, "destination", name);
	put_counts(print->item, sums->counts);
	put_times(print->item, sums->first, sums->last);
	(void)json_object_set_new(print->item, "reasons", json_array());
}

static void
add_reason(struct audit_print *print, const struct audit_row *row)
{
	json_t *object = json_object();

	put_text(object, "host", row->key.host);
	put_text(object, "tls", row->key.tls);
	(void)json_object_set_new(
	    object, "decision", decision_brief_json(row->key.tls));
	put_text(object, "reason", row->key.reason);
	put_counts(object, row->counts);
	put_times(object, row->first, row->last);
	(void)json_array_append_new(
	    json_object_get(print->item, "reasons"), object);
}

/* --- both ----------------------------------------------------------------- */

static void
end_item(struct audit_print *print)
{
	if (print->item != NULL)
		table_json(print->to, print->item);
	print->item = NULL;
}

static void
begin_destination(
    struct audit_print *print, const char *name, const struct audit_sums *sums)
{
	end_item(print);
	if (print->json)
		begin_item(print, name, sums);
	else
		print_destination(print, name, sums);
	mem_free(print->destination);
	print->destination = mem_strdup(name);
	for (size_t i = 0; i < AUDIT_ENDS; i++)
		print->counts[i] += sums->counts[i];
	print->others |= name[0] == '\0';
	print->destinations += name[0] != '\0';
	print->bad += name[0] != '\0' && refused(sums->counts) > 0;
}

void
audit_print_row(struct audit_print *print, const struct audit_row *row,
    const struct audit_sums *sums)
{
	const char *name = row->key.destination;

	if (print->destination == NULL || strcmp(print->destination, name) != 0)
		begin_destination(print, name, sums);
	if (print->json)
		add_reason(print, row);
	else if (refused(sums->counts) > 0 && name[0] != '\0')
		print_reason(print, row);
}

static void
write_end(struct audit_print *print)
{
	char minute[MINUTE_SIZE];

	write_minute(print->since * AUDIT_DAY_S, minute);
	if (print->destinations > 0 || print->others)
		(void)fputc('\n', print->to);
	if (print->others)
		(void)fputs("others: destinations that were too many in one "
			    "day to be told apart\n",
		    print->to);
	if (print->counts[AUDIT_REFUSED] > 0)
		(void)fprintf(print->to,
		    "%" PRIu64 " of them were refused, as enforcement was on; "
		    "each attempt counts\n",
		    print->counts[AUDIT_REFUSED]);
	(void)fprintf(print->to, "since %s UTC\n", minute);
	(void)fprintf(print->to,
	    "enforced, %" PRIu64 " of %" PRIu64 " deliveries to %" PRIu64
	    " of %" PRIu64 " destinations would be refused\n",
	    refused(print->counts), all(print->counts), print->bad,
	    print->destinations);
}

static void
write_json_end(struct audit_print *print)
{
	json_t *object = json_object();

	(void)json_object_set_new(
	    object, "since", json_integer(print->since * AUDIT_DAY_S));
	put_counts(object, print->counts);
	put_number(object, "destinations", print->destinations);
	put_number(object, "destinations_refused", print->bad);
	(void)json_object_set_new(
	    object, "others", json_boolean(print->others));
	table_json(print->to, object);
}

void
audit_print_free(struct audit_print **printp)
{
	struct audit_print *print = *printp;

	*printp = NULL;
	if (print == NULL)
		return;
	json_decref(print->item);
	mem_free(print->destination);
	mem_free(print);
}

bool
audit_print_end(struct audit_print **print)
{
	bool found = refused((*print)->counts) > 0;

	end_item(*print);
	if ((*print)->json)
		write_json_end(*print);
	else
		write_end(*print);
	audit_print_free(print);
	return found;
}
