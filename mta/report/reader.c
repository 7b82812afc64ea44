/* See reader.h. */
#include "mta/report/reader.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/text.h"
#include "mta/report/reader_filter.h"
#include "mta/report/reader_wire.h"
#include "reporting/ingest.h"
#include "reporting/report_read_json.h"

#if defined(__SANITIZE_ADDRESS__)
#define HAS_MEMORY_LIMIT false /* its shadow is the larger part */
#else
#define HAS_MEMORY_LIMIT true
#endif

/* --- limits --------------------------------------------------------------- */

static int
limit(enum __rlimit_resource what, uint64_t to)
{
	struct rlimit value;

	if (getrlimit(what, &value) < 0)
		return -1;
	if (value.rlim_max > to)
		value.rlim_max = to;
	value.rlim_cur = value.rlim_max;
	return setrlimit(what, &value);
}

/* Pages that are ours alone, in octets: libraries bring some. */
static uint64_t
used_memory(void)
{
	FILE *file = fopen("/proc/self/status", "re");
	char line[256];
	static const char key[] = "VmData:";
	size_t at = sizeof(key) - 1;
	uint64_t kib = 0;

	if (file == NULL)
		return 0;
	while (fgets(line, sizeof(line), file) != NULL)
		if (strncmp(line, key, at) == 0)
			(void)text_parse_u64(
			    text_trim(span_of(line + at), " \tkB\n"), &kib);
	(void)fclose(file);
	return kib << 10;
}

int
reader_limit(void)
{
	uint64_t memory = used_memory() + READER_MEMORY;

	(void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	if (limit(RLIMIT_CORE, 0) < 0 ||
	    limit(RLIMIT_CPU, READER_SECONDS) < 0 ||
	    limit(RLIMIT_FSIZE, READER_RESULT_MAX) < 0 ||
	    limit(RLIMIT_NPROC, 0) < 0 || limit(RLIMIT_NOFILE, 0) < 0)
		return -1;
	return HAS_MEMORY_LIMIT ? limit(RLIMIT_DATA, memory) : 0;
}

/* --- files ---------------------------------------------------------------- */

static int
load(int fd, struct buf *to)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -1;
	while (true) {
		char *room = buf_reserve(to, (size_t)st.st_size - to->n + 1);
		ssize_t n;

		if (room == NULL)
			return -1;
		n = pread(
		    fd, room, (size_t)st.st_size - to->n + 1, (off_t)to->n);
		if (n <= 0)
			return (int)n;
		to->n += (size_t)n;
		if (to->n > (size_t)st.st_size)
			return -1; /* it grows: nobody's to do */
	}
}

static int
store(int fd, struct span bytes)
{
	while (bytes.n > 0) {
		ssize_t n = write(fd, bytes.p, bytes.n);

		if (n < 0)
			return -1;
		bytes = span_from(bytes, (size_t)n);
	}
	return 0;
}

/* --- one mail ------------------------------------------------------------- */

/* Its name, or NULL: all that was asked for has been answered. */
static const char *
first_open(struct ingest *ingest, struct span answers, struct arena *arena)
{
	struct dns_answer answer;
	const char *name;

	while ((name = ingest_question(ingest)) != NULL &&
	       reader_take_answer(&answers, arena, &answer))
		ingest_answer(ingest, &answer);
	return name;
}

static int
read_mail(struct span mail, struct span answers, int64_t now, struct buf *out)
{
	struct arena *arena = arena_new(REPORT_ARENA + READER_ANSWERS_MAX);
	struct ingest ingest = {.signer = ""};
	const char *name = NULL;
	struct err err;
	int rc = ingest_begin(&ingest, mail, arena, now, &err);

	if (rc == 0)
		name = first_open(&ingest, answers, arena);
	if (rc == 0 && name == NULL)
		rc = ingest_end(&ingest, &err);
	if (rc < 0)
		rc = reader_put_failure(out, &err, ingest_from(&ingest));
	else if (name != NULL)
		rc = reader_put_question(out, name);
	else
		rc = reader_put_report(out, &ingest);
	ingest_free(&ingest);
	arena_free(&arena);
	return rc;
}

int
reader_main(int64_t now)
{
	struct buf mail, answers, out;
	int rc;

	(void)prctl(PR_SET_NAME, "report-reader", 0, 0, 0);
	/* Who started us is to have the result, or nobody. */
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	/* What a library of theirs has left open is not for us. */
	(void)close_range(READER_FD_RESULT + 1, ~0u, 0);
	if (reader_limit() < 0 || reader_filter() < 0)
		return READER_UNCONFINED;
	buf_init(&mail, MIME_MAIL_MAX + 1);
	buf_init(&answers, READER_ANSWERS_MAX + 1);
	buf_init(&out, READER_RESULT_MAX);
	rc = load(READER_FD_MAIL, &mail);
	if (rc == 0)
		rc = load(READER_FD_ANSWERS, &answers);
	if (rc == 0)
		rc = read_mail(buf_span(&mail), buf_span(&answers), now, &out);
	buf_free(&mail);
	if (rc == 0)
		rc = store(READER_FD_RESULT, buf_span(&out));
	buf_free(&answers);
	buf_free(&out);
	return rc < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
