/*
 * The worst that can be sent, each in a process of its own that is measured:
 * set aside, or read, within a second and 64 MiB.
 */
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "reporting/mime_bounds.h"
#include "reporting/report_read.h"
#include "reporting/report_read_json.h"

#include "tests/support/gzip_kit.h"
#include "tests/support/test.h"

#define MIB ((size_t)1 << 20)

#define MEMORY_MAX (64 * MIB)
#define MS_MAX     1000

/* For a build with sanitizers: what is freed is gone, as without them. */
const char *__asan_default_options(void);
const char *
__asan_default_options(void)
{
	return "quarantine_size_mb=1:thread_local_quarantine_size_kb=64";
}

#define READ NULL

struct bomb {
	const char *name;
	void (*make)(struct buf *to);
	bool body;       /* as posted, not a mail */
	const char *why; /* it is set aside; READ: it is not */
};

static void
add(struct buf *to, const char *text)
{
	assert_int_equal(buf_add_str(to, text), 0);
}

/* Until there are so many octets, but for what is to follow. */
static void
fill(struct buf *to, size_t until, const char *text)
{
	struct span piece = span_of(text);

	while (to->n + piece.n <= until)
		assert_int_equal(buf_add(to, piece), 0);
}

static void
repeat(struct buf *to, size_t times, const char *text)
{
	while (times-- > 0)
		add(to, text);
}

static void
add_gzip(struct buf *to, const struct buf *text)
{
	gzip_add(to, buf_span(text), NULL);
}

#define TOP "From: a@example.com\r\nTLS-Report-Domain: example.net\r\n"
#define GZIP_MAIL                                       \
	TOP "Content-Type: application/tlsrpt+gzip\r\n" \
	    "Content-Transfer-Encoding: binary\r\n\r\n"
#define JSON_MAIL TOP "Content-Type: application/tlsrpt+json\r\n\r\n"
#define MIXED(b)  TOP "Content-Type: multipart/mixed; boundary=" b "\r\n\r\n"

/* --- gzip */

static void
ten_gigabytes(struct buf *to)
{
	add(to, GZIP_MAIL);
	gzip_bomb(to, UINT64_C(10000000000), ' ');
}

static void
ten_gigabytes_posted(struct buf *to)
{
	gzip_bomb(to, UINT64_C(10000000000), '[');
}

static void
cut_gzip(struct buf *to)
{
	struct buf text;

	buf_init(&text, MIB);
	fill(&text, MIB / 2, "{\"policies\": []}\n");
	add(to, GZIP_MAIL);
	add_gzip(to, &text);
	to->n -= 9;
	buf_free(&text);
}

/* As large as may be, and as dense: blanks before an empty report. */
static void
dense_gzip(struct buf *to)
{
	struct buf text;
	struct buf more;

	buf_init(&text, REPORT_JSON_MAX);
	buf_init(&more, MIB);
	fill(&text, REPORT_JSON_MAX, " ");
	add_gzip(to, &text);
	buf_free(&text);
	buf_free(&more);
}

/* --- JSON */

static void
deep(struct buf *to)
{
	add(to, "{\"policies\":");
	repeat(to, 100000, "[");
	repeat(to, 100000, "]");
	add(to, "}");
}

static void
deep_in_gzip(struct buf *to)
{
	struct buf text;

	buf_init(&text, 4 * MIB);
	deep(&text);
	add_gzip(to, &text);
	buf_free(&text);
}

/* A list in a text is a second parse. */
static void
deep_in_text(struct buf *to)
{
	add(to, "{\"policies\":[{\"policy\":{\"policy-string\":\"");
	repeat(to, 60000, "[");
	add(to, "\"}}]}");
}

static void
wide(struct buf *to)
{
	add(to, "{\"policies\":[{}");
	fill(to, 10 * MIB - 2, ",{}");
	add(to, "]}");
}

static void
numbers(struct buf *to)
{
	add(to, "{\"report-id\":1,\"a\":[1");
	fill(to, 10 * MIB - 2, ",1");
	add(to, "]}");
}

static void
names(struct buf *to)
{
	add(to, "{\"report-id\":1");
	for (unsigned i = 0; to->n < 9 * MIB; i++) {
		char name[32];

		(void)snprintf(name, sizeof(name), ",\"%x\":1", i);
		add(to, name);
	}
	add(to, "}");
}

/* What is nearly too much for the tree, and is read. */
static void
some_objects(struct buf *to)
{
	add(to, "{\"policies\":[],\"a\":[{}");
	repeat(to, 80000, ",{}");
	add(to, "]}");
}

static void
some_numbers(struct buf *to)
{
	add(to, "{\"policies\":[],\"a\":[1");
	repeat(to, 380000, ",1");
	add(to, "]}");
}

static void
some_names(struct buf *to)
{
	add(to, "{\"policies\":[]");
	for (unsigned i = 0; i < 150000; i++) {
		char name[32];

		(void)snprintf(name, sizeof(name), ",\"%x\":1", i);
		add(to, name);
	}
	add(to, "}");
}

static void
one_text(struct buf *to)
{
	add(to, "{\"report-id\":\"");
	fill(to, 10 * MIB - 3, "\\u00e9");
	add(to, "\"}");
}

static void
lines(struct buf *to)
{
	add(to, "{\"policies\":[{\"policy\":{\"policy-string\":\"");
	fill(to, MIB, "a;");
	add(to, "\"}}]}");
}

/* As many as there may be, of each policy that there may be. */
static void
many_lines(struct buf *to)
{
	add(to, "{\"policies\":[{}");
	for (int i = 1; i < REPORT_POLICIES_MAX; i++) {
		add(to, ",{\"policy\":{\"policy-string\":\"");
		repeat(to, REPORT_LINES_MAX, "a;");
		add(to, "\",\"mx-host\":\"");
		repeat(to, REPORT_LINES_MAX, "a;");
		add(to, "\"}}");
	}
	add(to, "]}");
}

#define DETAIL                                                              \
	"{\"result-type\":\"certificate-expired\",\"sending-mta-ip\":"      \
	"\"2001:db8:abcd:0012::1\",\"receiving-mx-hostname\":"              \
	"\"mx1.mail.company-y.example\",\"receiving-ip\":\"203.0.113.56\"," \
	"\"failed-session-count\":100,\"failure-reason-code\":"             \
	"\"X509_V_ERR_CERT_HAS_EXPIRED\"}"

/* The largest of the usual shape that is read. */
static void
largest(struct buf *to)
{
	add(to, "{\"policies\":[{\"failure-details\":[" DETAIL);
	repeat(to, 17000, "," DETAIL);
	add(to, "]}]}");
}

static void
too_large(struct buf *to)
{
	add(to, "{\"policies\":[{\"failure-details\":[" DETAIL);
	repeat(to, 19900, "," DETAIL);
	add(to, "]}]}");
}

/* --- mail */

static void
too_large_mail(struct buf *to)
{
	add(to, JSON_MAIL);
	fill(to, MIME_MAIL_MAX + 1, " ");
}

static void
fields(struct buf *to)
{
	add(to, TOP);
	fill(to, 10 * MIB, "a:\n");
}

static void
odd_fields(struct buf *to)
{
	add(to, TOP);
	fill(to, 10 * MIB, "1:\n");
}

static void
long_field(struct buf *to)
{
	add(to, TOP "1:");
	fill(to, 10 * MIB, "a");
}

static void
addresses(struct buf *to)
{
	add(to, "From: a@b");
	fill(to, 10 * MIB, ",a@b");
}

static void
some_addresses(struct buf *to)
{
	add(to, "From: a@b");
	fill(to, 250 << 10, ",a@b");
	add(to, "\r\n\r\n{}");
}

static void
parameters(struct buf *to)
{
	add(to, "Content-Type: text/plain");
	fill(to, 250 << 10, ";a=b");
	add(to, "\r\n\r\n{}");
}

static void
parts(struct buf *to)
{
	add(to, MIXED("a"));
	fill(to, 10 * MIB, "--a\n\n");
}

static void
some_parts(struct buf *to)
{
	add(to, MIXED("a"));
	repeat(to, MIME_PARTS_MAX, "--a\n\nx\n");
	add(to, "--a\nContent-Type: application/tlsrpt+json\n\n{}\n--a--\n");
}

static void
nested(struct buf *to)
{
	add(to, MIXED("a0"));
	for (int i = 0; i < 400; i++) {
		char text[100];

		(void)snprintf(text, sizeof(text),
		    "--a%d\nContent-Type: multipart/mixed; boundary=a%d\n\n", i,
		    i + 1);
		add(to, text);
	}
	fill(to, 10 * MIB, "- -\n");
}

static void
messages(struct buf *to)
{
	add(to, TOP);
	fill(to, 10 * MIB, "Content-Type: message/rfc822\n\n");
}

static void
some_messages(struct buf *to)
{
	add(to, TOP);
	repeat(to, MIME_LINES_MAX / 2 - 10, "Content-Type: message/rfc822\n\n");
	add(to, "{}");
}

static void
digest(struct buf *to)
{
	add(to, TOP "Content-Type: multipart/digest; boundary=a\n\n--a\n\n");
	fill(to, 10 * MIB, "a:\n");
}

static void
preamble(struct buf *to)
{
	add(to, MIXED("a"));
	fill(to, 10 * MIB, "a\n");
}

static void
epilogue(struct buf *to)
{
	add(to, MIXED("a") "--a--\n\n");
	fill(to, 10 * MIB, "a\n");
}

static void
many_large_parts(struct buf *to)
{
	add(to, MIXED("a"));
	for (int i = 1; i < MIME_PARTS_MAX; i++) {
		add(to, "--a\nContent-Type: application/tlsrpt+gzip\n"
			"Content-Transfer-Encoding: base64\n\n");
		fill(to, (size_t)i * (100 << 10), "AAAA\n");
	}
	add(to, "--a--\n");
}

static const struct bomb bombs[] = {
    {"10 GB of gzip", ten_gigabytes, false, "more than 200 times"},
    {"10 GB of gzip, posted", ten_gigabytes_posted, true,
	"more than 200 times"},
    {"gzip that ends early", cut_gzip, false, "it ends too early"},
    {"gzip of blanks", dense_gzip, true, "more than 200 times"},
    {"100,000 brackets", deep, true, "nested more than 32 deep"},
    {"100,000 brackets in gzip", deep_in_gzip, true,
	"nested more than 32 deep"},
    {"60,000 brackets in a text", deep_in_text, true, READ},
    {"objects", wide, true, "as a tree"},
    {"numbers", numbers, true, "as a tree"},
    {"names", names, true, "as a tree"},
    {"some objects", some_objects, true, READ},
    {"some numbers", some_numbers, true, READ},
    {"some names", some_names, true, READ},
    {"one text", one_text, true, READ},
    {"lines of a policy", lines, true, READ},
    {"lines of all policies", many_lines, true, READ},
    {"the largest that is read", largest, true, READ},
    {"larger than that", too_large, true, "as a tree"},
    {"a large mail", too_large_mail, false, "more than 10485760 octets"},
    {"fields", fields, false, "lines in headers"},
    {"fields of odd names", odd_fields, false, "lines in headers"},
    {"a long field", long_field, false, "octets in headers"},
    {"addresses", addresses, false, "octets in headers"},
    {"some addresses", some_addresses, false, "no report"},
    {"parameters", parameters, false, "no report"},
    {"parts", parts, false, "lines"},
    {"some parts", some_parts, false, "too many parts"},
    {"nested parts", nested, false, "nested too deep"},
    {"messages in messages", messages, false, "lines in headers"},
    {"some messages in messages", some_messages, false, "nested too deep"},
    {"a digest", digest, false, "lines in headers"},
    {"a preamble", preamble, false, "no part"},
    {"an epilogue", epilogue, false, "no part"},
    {"many large parts", many_large_parts, false, "no part"},
};

/* In the child: 0 when it went as told. */
static int
explode(const struct bomb *bomb, struct span bytes)
{
	struct arena *arena = arena_new(REPORT_ARENA);
	struct report_read read;
	struct err err = {0};
	int rc = bomb->body ? report_read_body(bytes, arena, &read, &err)
	                    : report_read_mail(bytes, arena, &read, &err);

	arena_free(&arena);
	if (rc == 0 && bomb->why == READ)
		return 0;
	if (rc < 0 && bomb->why != READ && err.kind == ERR_PERM &&
	    strstr(err.text, bomb->why) != NULL)
		return 0;
	(void)fprintf(stderr, "%s: %d, \"%s\"\n", bomb->name, rc, err.text);
	return 1;
}

static void
light(const struct bomb *bomb)
{
	struct rusage usage;
	struct buf bytes;
	int status;
	long ms;
	pid_t pid;

	buf_init(&bytes, MIME_MAIL_MAX + 1);
	bomb->make(&bytes);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		_exit(explode(bomb, buf_span(&bytes)));
	assert_int_equal(wait4(pid, &status, 0, &usage), pid);
	buf_free(&bytes);
	ms = (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000 +
	     (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1000;
	print_message("# %-28s %5ld ms %4ld MiB\n", bomb->name, ms,
	    usage.ru_maxrss / 1024);
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		fail_msg("%s: status %x", bomb->name, (unsigned)status);
	assert_in_range(ms, 0, MS_MAX);
	assert_in_range(usage.ru_maxrss, 0, MEMORY_MAX / 1024);
}

/* RFC 8460 7 */
static void
bombs_go_off_in_the_open(void **state)
{
	(void)state;
	for (size_t i = 0; i < ROWS(bombs); i++)
		light(&bombs[i]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(bombs_go_off_in_the_open),
	};

	return cmocka_run_group_tests_name("report_bomb", tests, NULL, NULL);
}
