/* From where the sessions came of which reports of others tell. */
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "reporting/inbox_store_senders.h"

#include "tests/support/inbox_room.h"
#include "tests/support/test.h"

static void
see(const struct inbox_sender *sender, void *arg)
{
	struct room_seen *seen = arg;
	size_t n = strlen(seen->text);
	char address[INBOUND_ADDRESS_TEXT];

	inbound_address_write(sender->address, address);
	(void)snprintf(seen->text + n, sizeof(seen->text) - n,
	    "%s %s %s %d-%d %s %s %s %u;", sender->domain, sender->result_type,
	    sender->reporter, (int)(NOW / DAY - sender->first_day),
	    (int)(NOW / DAY - sender->last_day), address, sender->mx,
	    sender->receiver, (unsigned)sender->sessions);
	seen->n++;
}

static struct room_seen
senders(struct room *room, int64_t since_day)
{
	struct room_seen seen = {.text = ""};
	struct err err;

	assert_int_equal(
	    inbox_store_senders(&room->store, since_day, see, &seen, &err), 0);
	return seen;
}

static void
senders_come_back_by_kind(void **state)
{
	struct room *room = *state;
	struct report report = room_report("Reporter", "id-1", 1);

	assert_int_equal(senders(room, 0).n, 0);
	assert_int_equal(room_add(room, &report), INBOX_ADDED);
	assert_string_equal(senders(room, 0).text,
	    "example.org certificate-expired reporter.example 1-1 192.0.2.2 "
	    "mx1.example.org  4;"
	    "example.org certificate-expired reporter.example 1-1 192.0.2.1 "
	    "mx1.example.org  3;"
	    "example.org starttls-not-supported reporter.example 1-1 "
	    "192.0.2.1 mx2.example.org  5;"
	    "example.org starttls-not-supported reporter.example 1-1 "
	    "192.0.2.1 mx3.example.org  1;");
	/* It counts once. */
	assert_int_equal(room_add(room, &report), INBOX_KNOWN);
	assert_int_equal(senders(room, 0).n, 4);
	assert_int_equal(senders(room, NOW / DAY - 1).n, 4);
	assert_int_equal(senders(room, NOW / DAY).n, 0);
}

static void
add_with(struct room *room, const struct report_failure *details, size_t n,
    int64_t start, int64_t end)
{
	const struct report_policy policy = {.type = POLICY_TYPE_STS,
	    .type_text = "sts",
	    .domain = "example.org",
	    .details = details,
	    .ndetails = n};
	struct report report = room_report("Reporter", "id-1", 1);
	struct inbox_origin origin = room_origin;

	origin.signer = "";
	report.policies = &policy;
	report.npolicies = 1;
	report.start = start;
	report.end = end;
	assert_int_equal(room_add_from(room, &report, &origin), INBOX_ADDED);
}

/* All one address, but for the last two, which are none. */
static void
an_address_is_one_however_it_is_written(void **state)
{
	static const struct report_failure details[] = {
	    {RESULT_CERTIFICATE_EXPIRED, "certificate-expired", "2001:DB8::7",
		"mx1.example.org", "", "198.51.100.1", 3, "", ""},
	    {RESULT_CERTIFICATE_EXPIRED, "certificate-expired",
		"[IPv6:2001:db8:0:0::7]", "mx1.example.org", "", "198.51.100.1",
		4, "", "another"},
	    {RESULT_CERTIFICATE_EXPIRED, "certificate-expired", "no address",
		"mx1.example.org", "", "", 4, "", ""},
	    {RESULT_CERTIFICATE_EXPIRED, "certificate-expired", "",
		"mx1.example.org", "", "", 4, "", ""},
	};
	struct room *room = *state;

	add_with(room, details, ROWS(details), NOW - DAY, NOW);
	assert_string_equal(senders(room, 0).text,
	    "example.org certificate-expired Reporter 1-0 2001:db8::7 "
	    "mx1.example.org 198.51.100.1 7;");
}

/* RFC 8460 4.1: a UTC day; its end is not of the next one. */
static void
a_report_is_of_its_days(void **state)
{
	static const struct report_failure details[] = {
	    {RESULT_CERTIFICATE_EXPIRED, "certificate-expired", "192.0.2.7", "",
		"", "", 1, "", ""},
	};
	static const struct {
		int64_t start, end;
		const char *days;
	} rows[] = {
	    {-DAY, 0, " 1-1 "},
	    {-DAY, 1, " 1-0 "},
	    {-DAY, -1, " 1-1 "},
	    {-DAY, -DAY, " 1-1 "},
	    {-DAY, -3 * DAY, " 1-1 "},
	    {0, 0, " 0-0 "},
	};
	struct room *room = *state;
	int64_t midnight = NOW / DAY * DAY;

	for (size_t i = 0; i < ROWS(rows); i++) {
		struct inbox_forgotten forgotten;
		struct room_seen seen;
		struct err err;

		add_with(room, details, 1, midnight + rows[i].start,
		    midnight + rows[i].end);
		seen = senders(room, 0);
		assert_int_equal(seen.n, 1);
		assert_non_null(strstr(seen.text, rows[i].days));
		/* And goes with its report. */
		assert_int_equal(inbox_store_forget(
				     &room->store, INBOX_ALL, &forgotten, &err),
		    0);
		assert_int_equal(senders(room, 0).n, 0);
	}
}

/* And their kind is that of their counts; of older files, too. */
static void
those_of_no_kind_are_told(void **state)
{
	static const struct report_failure details[] = {
	    {RESULT_OTHER, "", "192.0.2.7", "", "", "", 3, "", ""},
	};
	static const char
	    *const want = "example.org unspecified Reporter 1-0 192.0.2.7   3;";
	struct room *room = *state;
	sqlite3 *db;
	char path[128];

	add_with(room, details, 1, NOW - DAY, NOW);
	assert_string_equal(senders(room, 0).text, want);
	room_path(room, "inbox.db", path);
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "UPDATE senders SET result = ''",
			     NULL, NULL, NULL),
	    SQLITE_OK);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
	assert_string_equal(senders(room, 0).text, want);
}

static void
count_only(const struct inbox_sender *sender, void *arg)
{
	size_t *n = arg;

	assert_true(strlen(sender->mx) <= INBOX_TEXT);
	(*n)++;
}

/* Whoever signs may name any number of addresses, and hosts of any length. */
static void
a_report_has_so_many(void **state)
{
	static struct report_failure details[INBOX_KINDS + 1];
	static char addresses[INBOX_KINDS + 1][16], host[1000];
	struct room *room = *state;
	struct err err;
	size_t n = 0;

	memset(host, 'a', sizeof(host) - 1);
	for (size_t i = 0; i < ROWS(details); i++) {
		(void)snprintf(addresses[i], sizeof(addresses[i]), "10.0.%u.%u",
		    (unsigned)i >> 8, (unsigned)i & 0xff);
		details[i] = (struct report_failure){RESULT_CERTIFICATE_EXPIRED,
		    "certificate-expired", addresses[i], host, "", "", 1, "",
		    ""};
	}
	add_with(room, details, ROWS(details), NOW - DAY, NOW);
	assert_int_equal(
	    inbox_store_senders(&room->store, 0, count_only, &n, &err), 0);
	assert_int_equal(n, INBOX_KINDS);
}

/* Of a file that knows nothing of senders. */
static void
an_older_file_has_none(void **state)
{
	struct room *room = *state;
	struct report report = room_report("Reporter", "id-1", 1);
	struct report later = room_report("Reporter", "id-2", 1);
	sqlite3 *db;
	char path[128];

	(void)room_add(room, &report);
	room_path(room, "inbox.db", path);
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(
	    sqlite3_exec(db, "DROP TABLE senders", NULL, NULL, NULL),
	    SQLITE_OK);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
	assert_int_equal(senders(room, 0).n, 0);
	assert_int_equal(room_add(room, &later), INBOX_ADDED);
	assert_int_equal(senders(room, 0).n, 4);
}

int
main(void)
{
#define CASE(name) \
	cmocka_unit_test_setup_teardown(name, room_set_up, room_tear_down)
	const struct CMUnitTest tests[] = {
	    CASE(senders_come_back_by_kind),
	    CASE(an_address_is_one_however_it_is_written),
	    CASE(a_report_is_of_its_days),
	    CASE(a_report_has_so_many),
	    CASE(an_older_file_has_none),
	    CASE(those_of_no_kind_are_told),
	};

	return cmocka_run_group_tests_name("inbox_senders", tests, NULL, NULL);
}
