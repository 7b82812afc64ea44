/*
 * A folder with a store of reports of others in it, for one test, and reports
 * to put there.
 */
#pragma once
#include "reporting/inbox_store.h"

#define NOW INT64_C(1795953600) /* 2026-11-29, noon or so */
#define DAY INT64_C(86400)

struct room {
	char folder[64];
	struct inbox_store store;
};

int room_set_up(void **state);
int room_tear_down(void **state);

/* FOLDER/NAME */
void room_path(const struct room *room, const char *name, char to[128]);

/* Of a day: 107 sessions that were fine and 21 that failed, in six counts. */
struct report room_report(
    const char *organization, const char *id, int64_t days_ago);
/* It came now, signed by reporter.example. */
extern const struct inbox_origin room_origin;

/* Each fails the test if it cannot. */
enum inbox_added room_add_from(struct room *room, const struct report *report,
    const struct inbox_origin *from);
enum inbox_added room_add(struct room *room, const struct report *report);

/* What comes back: how many, and a text of all of them. */
struct room_seen {
	size_t n;
	char text[8192];
};

struct room_seen room_reports(struct room *room, int64_t since);
struct room_seen room_counts(struct room *room, int64_t since_day);
