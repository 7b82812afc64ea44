/* See inbox_room.h. */
#include "tests/support/inbox_room.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/support/test.h"

int
room_set_up(void **state)
{
	struct room *room = calloc(1, sizeof(*room));

	assert_non_null(room);
	(void)snprintf(
	    room->folder, sizeof(room->folder), "/tmp/danelaw-inbox-XXXXXX");
	assert_non_null(mkdtemp(room->folder));
	room->store = (struct inbox_store){
	    .folder = room->folder, .wait_ms = 1000};
	*state = room;
	return 0;
}

void
room_path(const struct room *room, const char *name, char to[128])
{
	(void)snprintf(to, 128, "%s/%s", room->folder, name);
}

int
room_tear_down(void **state)
{
	static const char *const names[] = {
	    "inbox.db", "inbox.db-journal", "inbox.lock", "inbox.db.damaged"};
	struct room *room = *state;
	char path[128];

	for (size_t i = 0; i < ROWS(names); i++) {
		room_path(room, names[i], path);
		(void)unlink(path);
	}
	assert_int_equal(rmdir(room->folder), 0);
	free(room);
	return 0;
}

/* --- reports -------------------------------------------------------------- */

static const struct report_failure details[] = {
    {RESULT_CERTIFICATE_EXPIRED, "certificate-expired", "192.0.2.1",
	"mx1.example.org", "", "", 3, "", "X509_V_ERR_CERT_HAS_EXPIRED"},
    {RESULT_CERTIFICATE_EXPIRED, "certificate-expired", "192.0.2.2",
	"mx1.example.org", "", "", 4, "", "X509_V_ERR_CERT_HAS_EXPIRED"},
    {RESULT_STARTTLS_NOT_SUPPORTED, "starttls-not-supported", "192.0.2.1",
	"mx2.example.org", "", "", 5, "", ""},
    {RESULT_STARTTLS_NOT_SUPPORTED, "starttls-not-supported", "192.0.2.1",
	"mx3.example.org", "", "", 1, "", ""},
};

static const struct report_policy policies[] = {
    {.type = POLICY_TYPE_STS,
	.type_text = "sts",
	.domain = "example.org",
	.successes = 100,
	.failures = 21, /* of which 8 have no detail */
	.details = details,
	.ndetails = ROWS(details)},
    {.type = POLICY_TYPE_TLSA,
	.type_text = "tlsa",
	.domain = "mx1.example.org",
	.successes = 7},
};

struct report
room_report(const char *organization, const char *id, int64_t days_ago)
{
	int64_t start = NOW / DAY * DAY - days_ago * DAY;

	return (struct report){.organization = organization,
	    .contact = "tls@reporter.example",
	    .id = id,
	    .start = start,
	    .end = start + DAY - 1,
	    .policies = policies,
	    .npolicies = ROWS(policies)};
}

const struct inbox_origin room_origin = {
    "example.org", "reporter.example", NOW, ""};

enum inbox_added
room_add_from(struct room *room, const struct report *report,
    const struct inbox_origin *from)
{
	enum inbox_added added = INBOX_NOT;
	struct err err = {0};

	if (inbox_store_add(&room->store, report, from, &added, &err) < 0)
		fail_msg("%s", err.text);
	return added;
}

enum inbox_added
room_add(struct room *room, const struct report *report)
{
	return room_add_from(room, report, &room_origin);
}

/* --- what comes back ------------------------------------------------------ */

static void
see_report(const struct inbox_report *report, void *arg)
{
	struct room_seen *seen = arg;
	size_t at = strlen(seen->text);

	seen->n++;
	(void)snprintf(seen->text + at, sizeof(seen->text) - at,
	    "%s %s %s %s %d/%d;", report->organization, report->id,
	    report->origin.domain, report->origin.signer,
	    (int)report->successes, (int)report->failures);
}

static void
see_count(const struct inbox_count *count, void *arg)
{
	struct room_seen *seen = arg;
	size_t at = strlen(seen->text);

	seen->n++;
	(void)snprintf(seen->text + at, sizeof(seen->text) - at,
	    "%s %s %d %s %s %s %d/%d;", count->signer, count->organization,
	    (int)(NOW / DAY - count->day), count->policy_domain,
	    count->result_type, count->mx, (int)count->sessions,
	    (int)count->failures);
}

struct room_seen
room_reports(struct room *room, int64_t since)
{
	struct room_seen seen = {0};
	struct err err = {0};

	if (inbox_store_reports(&room->store, since, see_report, &seen, &err) <
	    0)
		fail_msg("%s", err.text);
	return seen;
}

struct room_seen
room_counts(struct room *room, int64_t since_day)
{
	struct room_seen seen = {0};
	struct err err = {0};

	if (inbox_store_counts(
		&room->store, since_day, see_count, &seen, &err) < 0)
		fail_msg("%s", err.text);
	return seen;
}
