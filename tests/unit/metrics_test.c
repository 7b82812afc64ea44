/* What processes count: the tables, pages, and the text. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "mta/metrics.h"

#include "tests/support/test.h"

/* A family's samples stand together in the text, and counters end so. */
static void
families_stand_together(void **state)
{
	bool seen[METRIC_FAMILIES] = {false};

	(void)state;
	for (unsigned i = 0; i < METRICS; i++) {
		enum metric_family family = metric_family_of((enum metric)i);

		if (i > 0 && family == metric_family_of((enum metric)(i - 1))) {
			assert_string_not_equal(metric_labels((enum metric)i),
			    metric_labels((enum metric)(i - 1)));
			continue;
		}
		assert_false(seen[family]);
		seen[family] = true;
	}
	for (unsigned f = 0; f < METRIC_FAMILIES; f++) {
		const struct metric_family_type *is = metric_family(
		    (enum metric_family)f);
		size_t n = strlen(is->name);

		assert_int_equal(strncmp(is->name, "danelaw_", 8), 0);
		assert_int_equal(strcmp(is->name + n - 6, "_total") == 0,
		    is->kind == METRIC_COUNTER);
		assert_true(is->help[0] != '\0');
		assert_null(strchr(is->help, '\n'));
	}
}

static void
what_a_role_counts_its_supervisor_reads(void **state)
{
	struct metrics_page *page;
	uint64_t sum[METRICS] = {[METRIC_BOUNCES] = 5};
	struct err err;
	int fd;

	(void)state;
	metrics_add(METRIC_BOUNCES, 100); /* nobody looks yet */
	assert_int_equal(metrics_page_new(&page, &fd, &err), 0);
	assert_true(metrics_use(fd));
	metrics_add(METRIC_BOUNCES, 2);
	metrics_add(METRIC_BOUNCES, 1);
	metrics_set(METRIC_QUEUE_MESSAGES, 9);
	metrics_set(METRIC_QUEUE_MESSAGES, 7);
	metrics_page_sum(page, true, sum);
	assert_int_equal(sum[METRIC_BOUNCES], 8);
	assert_int_equal(sum[METRIC_QUEUE_MESSAGES], 7);
	/* Of a process that has ended the level is gone. */
	metrics_page_sum(page, false, sum);
	assert_int_equal(sum[METRIC_BOUNCES], 11);
	assert_int_equal(sum[METRIC_QUEUE_MESSAGES], 7);
	metrics_page_sum(NULL, true, sum);
	assert_int_equal(sum[METRIC_BOUNCES], 11);
	metrics_page_free(&page);
}

/* A role that may write there must not end the supervisor by that. */
static void
a_page_keeps_its_size(void **state)
{
	struct metrics_page *page;
	struct err err;
	int fd;

	(void)state;
	assert_int_equal(metrics_page_new(&page, &fd, &err), 0);
	assert_int_equal(ftruncate(fd, 0), -1);
	assert_int_equal(ftruncate(fd, 1 << 20), -1);
	assert_int_equal(fcntl(fd, F_ADD_SEALS, F_SEAL_GROW), -1);
	assert_int_equal(errno, EPERM);
	(void)close(fd);
	metrics_page_free(&page);
	fd = memfd_create("short", MFD_CLOEXEC);
	assert_int_equal(ftruncate(fd, 16), 0);
	assert_false(metrics_use(fd));
	assert_int_equal(fcntl(fd, F_GETFD), -1);
}

static void
labels_are_escaped(void **state)
{
	static const struct {
		size_t size;
		const char *value, *wanted;
	} rows[] = {
	    {64, "mx", "a=\"b\",name=\"mx\""},
	    {64, "", "a=\"b\",name=\"\""},
	    {64, "q\"\\\n", "a=\"b\",name=\"q\\\"\\\\\\n\""},
	    /* What does not fit is cut between characters, or left out. */
	    {17, "0123456789", "a=\"b\",name=\"01\""},
	    {16, "0\"", "a=\"b\",name=\"0\""},
	    {14, "0123456789", "a=\"b\",name=\"\""},
	    {12, "0123456789", "a=\"b\""},
	    {7, "0123456789", "a=\"b\""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char labels[64] = "";

		metrics_label(labels, rows[i].size, "a", "b");
		metrics_label(labels, rows[i].size, "name", rows[i].value);
		assert_string_equal(labels, rows[i].wanted);
	}
}

static void
a_family_is_named_once(void **state)
{
	static const struct metric_sample samples[] = {
	    {FAMILY_QUEUE_JOBS, "state=\"held\"", 0},
	    {FAMILY_QUEUE_JOBS, "state=\"ready\"", 12},
	    {FAMILY_BOUNCES, "", -1},
	};
	enum metric_family last = METRIC_FAMILIES;
	struct buf out;

	(void)state;
	buf_init(&out, 4096);
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(metrics_write(&samples[i], &last, &out), 0);
	assert_int_equal(buf_add(&out, (struct span){"", 1}), 0);
	assert_string_equal(out.p,
	    "# HELP danelaw_queue_jobs Jobs, a message for one destination, "
	    "by state.\n"
	    "# TYPE danelaw_queue_jobs gauge\n"
	    "danelaw_queue_jobs{state=\"held\"} 0\n"
	    "danelaw_queue_jobs{state=\"ready\"} 12\n"
	    "# HELP danelaw_notifications_total Delivery status notifications "
	    "made for senders.\n"
	    "# TYPE danelaw_notifications_total counter\n"
	    "danelaw_notifications_total -1\n");
	buf_free(&out);
	buf_init(&out, 16);
	assert_int_equal(metrics_write(&samples[1], &last, &out), -1);
	buf_free(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(families_stand_together),
	    cmocka_unit_test(what_a_role_counts_its_supervisor_reads),
	    cmocka_unit_test(a_page_keeps_its_size),
	    cmocka_unit_test(labels_are_escaped),
	    cmocka_unit_test(a_family_is_named_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
