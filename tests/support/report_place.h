/* A folder with a store of report counts in it, for one test. */
#pragma once
#include "reporting/store.h"

#define REPORT_DAY INT64_C(20785) /* 2026-11-28 */

struct report_place {
	char folder[64];
	struct report_store_setup setup;
	struct report_store *store;
	struct arena *arena;
};

int report_place_set_up(void **state);
int report_place_tear_down(void **state);

/* FOLDER/NAME, until the next call. */
const char *report_place_path(
    const struct report_place *place, const char *name);
/* Close it, and open it again; the reason when a file was damaged. */
struct err report_place_open(struct report_place *place);

/* Each fails the test if it cannot; sessions of which nothing was kept. */
uint64_t report_place_add(
    struct report_place *place, const struct report_event *events, size_t n);
/* One session of a domain. */
void report_place_count(
    struct report_place *place, int64_t day, const char *domain);
void report_place_plan(struct report_place *place, int64_t day,
    const char *domain, const char *const *rua, size_t n, int64_t first);
/* True: something was counted. */
bool report_place_load(struct report_place *place, int64_t day,
    const char *domain, struct report *ret);
/* What is of the days before this one goes: two visits, a day apart. */
void report_place_forget(struct report_place *place, int64_t day);
/* By another connection: the number that it says, or 0. */
int64_t report_place_sql(const struct report_place *place, const char *sql);
