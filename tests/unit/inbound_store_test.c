/* Sessions with us, kept: within bounds, and with what is not known. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "reporting/inbound_store.h"

#include "tests/support/test.h"

#define TODAY 20786
#define DAY   INT64_C(86400)
#define NOON  (TODAY * DAY + DAY / 2)
#define ROOM  100 /* rows a day, of either sort */

struct place {
	char folder[64];
	struct inbound_store store;
};

static void
path_of(const struct place *place, const char *name, char to[128])
{
	(void)snprintf(to, 128, "%s/%s", place->folder, name);
}

static int
set_up(void **state)
{
	struct place *place = calloc(1, sizeof(*place));

	assert_non_null(place);
	(void)snprintf(place->folder, sizeof(place->folder),
	    "/tmp/danelaw-inbound-XXXXXX");
	assert_non_null(mkdtemp(place->folder));
	place->store = (struct inbound_store){
	    .folder = place->folder, .wait_ms = 1000, .rows = ROOM};
	*state = place;
	return 0;
}

static int
tear_down(void **state)
{
	static const char *const names[] = {"inbound.db", "inbound.db-journal",
	    "inbound.lock", "inbound.db.damaged"};
	struct place *place = *state;
	char path[128];

	for (size_t i = 0; i < ROWS(names); i++) {
		path_of(place, names[i], path);
		(void)unlink(path);
	}
	assert_int_equal(rmdir(place->folder), 0);
	free(place);
	return 0;
}

/* --- to write and to look ------------------------------------------------- */

static struct inbound_seen
seen_of(int64_t day, const char *address, enum inbound_outcome outcome)
{
	struct inbound_seen seen = {
	    .day = day, .outcome = outcome, .sessions = 1};

	assert_true(inbound_address_read(address, seen.address));
	return seen;
}

/* That was counted since noon, of the day and the time of the batch. */
static void
add_at(struct place *place, const struct inbound_seen *seen, size_t n,
    int64_t from, int64_t to)
{
	const struct inbound_batch batch = {
	    .seen = seen, .n = n, .from = from, .to = to, .days = 35};
	struct err err;

	assert_int_equal(inbound_store_add(&place->store, &batch, &err), 0);
}

static void
add(struct place *place, const struct inbound_seen *seen, size_t n)
{
	add_at(place, seen, n, NOON, NOON + 1);
}

static void
add_one(struct place *place, int64_t day, const char *address,
    enum inbound_outcome outcome)
{
	struct inbound_seen seen = seen_of(day, address, outcome);

	add(place, &seen, 1);
}

struct text {
	char is[1024];
};

static void
tell(const struct inbound_seen *seen, void *arg)
{
	struct text *text = arg;
	size_t n = strlen(text->is);

	(void)snprintf(text->is + n, sizeof(text->is) - n, "%s %u %u;",
	    inbound_outcome_name(seen->outcome), (unsigned)seen->alert,
	    (unsigned)seen->sessions);
}

static struct text
look(struct place *place, int64_t day, const char *address)
{
	struct text text = {""};
	struct inbound_view *view;
	uint8_t octets[INBOUND_ADDRESS];
	int64_t first;
	struct err err;

	assert_true(inbound_address_read(address, octets));
	assert_int_equal(
	    inbound_view_open(&place->store, &view, &first, &err), 0);
	assert_int_equal(
	    inbound_view_look(view, day, octets, tell, &text, &err), 0);
	inbound_view_close(&view);
	return text;
}

static struct inbound_day
day_of(struct place *place, int64_t day, int64_t *ret_first)
{
	struct inbound_view *view;
	struct inbound_day is;
	struct err err;

	assert_int_equal(
	    inbound_view_open(&place->store, &view, ret_first, &err), 0);
	assert_int_equal(inbound_view_day(view, day, &is, &err), 0);
	inbound_view_close(&view);
	return is;
}

static struct inbound_day
today_of(struct place *place)
{
	int64_t first;

	return day_of(place, TODAY, &first);
}

/* --- tests ---------------------------------------------------------------- */

static void
without_a_file_nothing_is_known(void **state)
{
	struct place *place = *state;
	int64_t first = 1;

	assert_int_equal(day_of(place, TODAY, &first).last, 0);
	assert_int_equal(first, 0);
	assert_string_equal(look(place, TODAY, "192.0.2.7").is, "");
}

static void
sessions_are_counted_by_day_address_and_outcome(void **state)
{
	struct place *place = *state;
	struct inbound_seen alert = seen_of(TODAY, "192.0.2.7", INBOUND_ALERT);
	int64_t first;

	alert.alert = 46;
	alert.sessions = 12;
	add(place, &alert, 1);
	add_one(place, TODAY, "::ffff:192.0.2.7", INBOUND_ALERT);
	alert.alert = 48;
	alert.sessions = 3;
	add(place, &alert, 1);
	alert.sessions = 2;
	add(place, &alert, 1);
	add_one(place, TODAY, "192.0.2.8", INBOUND_TLS);
	add_one(place, TODAY - 1, "192.0.2.7", INBOUND_MAIL_TLS);
	assert_string_equal(look(place, TODAY, "192.0.2.7").is,
	    "alert 46 12;alert 48 5;alert 0 1;");
	assert_string_equal(look(place, TODAY, "192.0.2.8").is, "tls 0 1;");
	assert_string_equal(
	    look(place, TODAY - 1, "192.0.2.7").is, "tls-with-mail 0 1;");
	assert_string_equal(look(place, TODAY, "192.0.2.9").is, "");
	assert_int_equal(day_of(place, TODAY, &first).untold, 0);
	assert_int_equal(first, TODAY);
}

/* One of many addresses of different networks. */
static const char *
host(unsigned i, char to[32])
{
	(void)snprintf(to, 32, "10.%u.%u.7", i & 0xff, i >> 8);
	return to;
}

static void
fill(struct place *place, unsigned from, unsigned n,
    enum inbound_outcome outcome)
{
	struct inbound_seen *list = calloc(n, sizeof(*list));
	char text[32];

	assert_non_null(list);
	for (unsigned i = 0; i < n; i++)
		list[i] = seen_of(TODAY, host(from + i, text), outcome);
	add(place, list, n);
	free(list);
}

static void
a_day_has_an_end(void **state)
{
	struct place *place = *state;
	char text[32];

	fill(place, 0, ROOM + 20, INBOUND_TLS);
	assert_string_equal(
	    look(place, TODAY, host(ROOM * 3 / 4 - 1, text)).is, "tls 0 1;");
	assert_string_equal(
	    look(place, TODAY, host(ROOM * 3 / 4, text)).is, "");
	assert_int_equal(today_of(place).untold, ROOM / 4 + 20);
	/* Who has a row keeps it. */
	add_one(place, TODAY, host(0, text), INBOUND_TLS);
	assert_string_equal(look(place, TODAY, host(0, text)).is, "tls 0 2;");
	assert_int_equal(today_of(place).untold, ROOM / 4 + 20);
	/* And the next day has room of its own. */
	add_one(place, TODAY + 1, host(ROOM, text), INBOUND_TLS);
	assert_string_equal(
	    look(place, TODAY + 1, host(ROOM, text)).is, "tls 0 1;");
}

static void
a_scan_of_ports_takes_no_room_of_tls(void **state)
{
	struct place *place = *state;
	static const enum inbound_outcome plain[] = {INBOUND_PLAIN,
	    INBOUND_MAIL_PLAIN, INBOUND_NOT_OFFERED, INBOUND_TURNED_AWAY};

	for (unsigned i = 0; i < ROWS(plain); i++)
		fill(place, i * ROOM, ROOM, plain[i]);
	for (int i = 0; i < INBOUND_OUTCOMES; i++) {
		bool is_plain = false;

		for (size_t j = 0; j < ROWS(plain); j++)
			is_plain |= plain[j] == (enum inbound_outcome)i;
		add_one(place, TODAY, "192.0.2.7", (enum inbound_outcome)i);
		assert_int_equal(
		    strstr(look(place, TODAY, "192.0.2.7").is,
			inbound_outcome_name((enum inbound_outcome)i)) != NULL,
		    !is_plain);
	}
}

/* Of many networks, but for the first octets. */
static void
one_network(void **state)
{
	static const struct {
		const char *head, *tail, *other;
	} rows[] = {
	    {"192.0.", ".7", "192.1.0.7"},
	    {"2001:db8:", "::1", "2001:db9::1"},
	};
	struct place *place = *state;

	for (size_t i = 0; i < ROWS(rows); i++) {
		char text[64];

		for (unsigned j = 0; j < ROOM / 10 + 5; j++) {
			(void)snprintf(text, sizeof(text), "%s%u%s",
			    rows[i].head, j, rows[i].tail);
			add_one(place, TODAY, text, INBOUND_TLS);
			assert_int_equal(
			    look(place, TODAY, text).is[0] != 0, j < ROOM / 10);
		}
		add_one(place, TODAY, rows[i].other, INBOUND_TLS);
		assert_string_equal(
		    look(place, TODAY, rows[i].other).is, "tls 0 1;");
		assert_int_equal(today_of(place).untold, 5 * (i + 1));
	}
}

/* A flood takes three quarters; who came yesterday, too, has the rest. */
static void
who_comes_every_day_is_not_pushed_out(void **state)
{
	struct place *place = *state;

	add_one(place, TODAY - 1, "192.0.2.7", INBOUND_MAIL_TLS);
	add_one(place, TODAY - 2, "192.1.2.8", INBOUND_MAIL_TLS);
	fill(place, 0, ROOM, INBOUND_TLS);
	add_one(place, TODAY, "192.0.2.7", INBOUND_ALERT);
	add_one(place, TODAY, "192.1.2.8", INBOUND_ALERT);
	assert_string_equal(look(place, TODAY, "192.0.2.7").is, "alert 0 1;");
	assert_string_equal(look(place, TODAY, "192.1.2.8").is, "");
}

static void
the_rest_has_an_end_too(void **state)
{
	struct place *place = *state;
	char text[32];

	for (unsigned i = 0; i < ROOM; i++)
		add_one(place, TODAY - 1, host(1000 + i, text), INBOUND_PLAIN);
	fill(place, 0, ROOM, INBOUND_TLS);
	fill(place, 1000, ROOM / 4 + 1, INBOUND_TLS);
	assert_string_equal(
	    look(place, TODAY, host(1000 + ROOM / 4 - 1, text)).is, "tls 0 1;");
	assert_string_equal(
	    look(place, TODAY, host(1000 + ROOM / 4, text)).is, "");
}

static void
what_was_not_told_apart_is_a_number(void **state)
{
	struct place *place = *state;
	const struct inbound_batch batch = {
	    .untold = 7, .from = NOON, .to = NOON + 1};
	struct err err;

	add(place, NULL, 0);
	assert_int_equal(inbound_store_add(&place->store, &batch, &err), 0);
	assert_int_equal(inbound_store_add(&place->store, &batch, &err), 0);
	assert_int_equal(today_of(place).untold, 14);
}

static void
a_day_knows_when_it_was_counted(void **state)
{
	struct place *place = *state;
	struct inbound_day is;
	int64_t first;

	add_at(place, NULL, 0, NOON, NOON + 60);
	is = today_of(place);
	assert_int_equal(is.first, NOON);
	assert_int_equal(is.last, NOON + 60);
	/* Another process, a moment later. */
	add_at(place, NULL, 0, NOON + 60 + INBOUND_GAP, NOON + 2000);
	assert_int_equal(today_of(place).gap, 0);
	assert_int_equal(today_of(place).last, NOON + 2000);
	/* And one that was away for longer. */
	add_at(place, NULL, 0, NOON + 2001 + INBOUND_GAP, NOON + 4000);
	assert_int_equal(today_of(place).gap, INBOUND_GAP + 1);
	assert_int_equal(today_of(place).last, NOON + 4000);
	/* What was known before is known still. */
	add_at(place, NULL, 0, NOON + 10, NOON + 20);
	assert_int_equal(today_of(place).last, NOON + 4000);
	assert_int_equal(today_of(place).gap, INBOUND_GAP + 1);
	/* Over midnight. */
	add_at(place, NULL, 0, NOON + 4000, NOON + DAY);
	assert_int_equal(today_of(place).last, (TODAY + 1) * DAY - 1);
	is = day_of(place, TODAY + 1, &first);
	assert_int_equal(is.first, (TODAY + 1) * DAY);
	assert_int_equal(is.last, NOON + DAY);
	assert_int_equal(first, TODAY);
}

/* Whatever it says now, it does not say that all the time was counted. */
static void
a_clock_may_be_set(void **state)
{
	struct place *place = *state;
	int64_t first;

	add_at(place, NULL, 0, NOON, NOON + 10 * DAY);
	assert_int_equal(day_of(place, TODAY, &first).last, 0);
	assert_int_equal(first, TODAY + 10);
	assert_int_equal(
	    day_of(place, TODAY + 10, &first).first, NOON + 10 * DAY);
	add_at(place, NULL, 0, NOON + 10 * DAY, NOON);
	assert_int_equal(today_of(place).first, NOON);
	assert_int_equal(today_of(place).last, NOON);
}

static void
old_days_are_forgotten(void **state)
{
	struct place *place = *state;
	int64_t first;

	add_at(place, NULL, 0, NOON - 36 * DAY, NOON - 36 * DAY + 1);
	add_at(place, NULL, 0, NOON - 35 * DAY, NOON - 35 * DAY + 1);
	add_one(place, TODAY - 36, "192.0.2.7", INBOUND_TLS);
	add_one(place, TODAY - 35, "192.0.2.7", INBOUND_TLS);
	add_at(place, NULL, 0, NOON + DAY, NOON + DAY + 1);
	assert_string_equal(look(place, TODAY - 36, "192.0.2.7").is, "");
	assert_string_equal(
	    look(place, TODAY - 35, "192.0.2.7").is, "tls 0 1;");
	assert_int_equal(day_of(place, TODAY - 36, &first).last, 0);
	assert_int_equal(first, TODAY - 35);
}

/* For hours, in which it counts; whatever it says then. */
static void
a_clock_that_is_ahead_forgets_nothing(void **state)
{
	static const int64_t hours[] = {0, 1, 2400, 2401, 2423, 2, 9600, 3, 20};
	struct place *place = *state;

	add_one(place, TODAY - 35, "192.0.2.7", INBOUND_TLS);
	for (size_t i = 0; i < ROWS(hours); i++) {
		int64_t now = NOON + hours[i] * 3600;

		add_at(place, NULL, 0, now, now + 1);
		add_at(place, NULL, 0, now + 1, now + 2);
	}
	assert_string_equal(
	    look(place, TODAY - 35, "192.0.2.7").is, "tls 0 1;");
	assert_int_equal(today_of(place).first, NOON);
}

static void
write_text(struct place *place, const char *name, const char *what)
{
	char path[128];
	FILE *file;

	path_of(place, name, path);
	file = fopen(path, "w");
	assert_non_null(file);
	assert_true(fputs(what, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static void
a_damaged_file_is_set_aside(void **state)
{
	struct place *place = *state;
	const struct inbound_batch batch = {.from = NOON, .to = NOON + 1};
	struct inbound_view *view;
	int64_t first;
	struct err err;
	char path[128];

	write_text(place, "inbound.db",
	    "this is no database, and is longer than its header would be, "
	    "which is a hundred octets and one more");
	assert_int_equal(
	    inbound_view_open(&place->store, &view, &first, &err), -1);
	assert_null(view);
	assert_int_equal(inbound_store_add(&place->store, &batch, &err), -1);
	assert_int_equal(err.kind, ERR_TEMP);
	path_of(place, "inbound.db.damaged", path);
	assert_int_equal(access(path, F_OK), 0);
	assert_int_equal(inbound_store_add(&place->store, &batch, &err), 0);
	assert_int_equal(today_of(place).first, NOON);
}

static void
the_file_is_ours_alone_and_can_go(void **state)
{
	struct place *place = *state;
	struct stat file;
	char path[128];
	struct err err;

	assert_int_equal(inbound_store_remove(&place->store, &err), 0);
	path_of(place, "inbound.lock", path);
	assert_int_equal(access(path, F_OK), -1);
	add_one(place, TODAY, "192.0.2.7", INBOUND_TLS);
	path_of(place, "inbound.db", path);
	assert_int_equal(stat(path, &file), 0);
	assert_int_equal(file.st_mode & 0777, 0600);
	assert_int_equal(inbound_store_remove(&place->store, &err), 0);
	assert_int_equal(access(path, F_OK), -1);
}

int
main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
	    CASE(without_a_file_nothing_is_known),
	    CASE(sessions_are_counted_by_day_address_and_outcome),
	    CASE(a_day_has_an_end),
	    CASE(a_scan_of_ports_takes_no_room_of_tls),
	    CASE(one_network),
	    CASE(who_comes_every_day_is_not_pushed_out),
	    CASE(the_rest_has_an_end_too),
	    CASE(what_was_not_told_apart_is_a_number),
	    CASE(a_day_knows_when_it_was_counted),
	    CASE(a_clock_may_be_set),
	    CASE(old_days_are_forgotten),
	    CASE(a_clock_that_is_ahead_forgets_nothing),
	    CASE(a_damaged_file_is_set_aside),
	    CASE(the_file_is_ours_alone_and_can_go),
	};

	return cmocka_run_group_tests_name("inbound_store", tests, NULL, NULL);
}
