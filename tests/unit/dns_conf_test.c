#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "dnssec/conf.h"

#include "tests/support/test.h"

static const char *const good[] = {"192.0.2.1", "2001:db8::1@5353", NULL};
static const char *const here[] = {"127.0.0.1@5353", NULL};
static const char *const here6[] = {"::1", NULL};
static const char *const words[] = {"ns.example", NULL};
static const char *const port0[] = {"192.0.2.1@0", NULL};
static const char *const port_big[] = {"192.0.2.1@65536", NULL};
static const char *const port_none[] = {"192.0.2.1@", NULL};
static const char *const injected[] = {"192.0.2.1\n\tforward-first: yes", NULL};
static const char *const empty[] = {NULL};

static void
zones_are_checked(void **state)
{
	static const struct {
		struct dns_zone zone;
		const char *says; /* part of the text, or of the error */
		int result;
	} rows[] = {
	    {{"Example.", good, false},
		"name: \"example\"\n\tstub-addr: 192.0.2.1\n"
		"\tstub-addr: 2001:db8::1@5353\n",
		0},
	    {{".", here, false}, "do-not-query-localhost: no", 0},
	    {{".", here6, false}, "do-not-query-localhost: no", 0},
	    {{"lab.test", here, true}, "domain-insecure: \"lab.test\"", 0},
	    {{"lab.test", empty, true}, "domain-insecure: \"lab.test\"", 0},
	    {{"lab.test", NULL, false}, "no server", -1},
	    {{"lab.test", empty, false}, "no server", -1},
	    {{"a..b", good, false}, "not a domain name", -1},
	    {{"", good, false}, "not a domain name", -1},
	    {{".", words, false}, "ADDRESS@PORT", -1},
	    {{".", port0, false}, "port from 1 to 65535", -1},
	    {{".", port_big, false}, "port from 1 to 65535", -1},
	    {{".", port_none, false}, "port from 1 to 65535", -1},
	    {{".", injected, false}, "ADDRESS@PORT", -1},
	    {{"a\"b", good, false}, "name: \"a\\034b\"", 0},
	};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		struct dns_setup setup = {.stubs = &rows[i].zone, .nstubs = 1};
		struct err err = {0};
		struct buf conf;
		int result;

		buf_init(&conf, 65536);
		result = dns_conf_write(&setup, &conf, &err);
		assert_int_equal(buf_add(&conf, SPAN("\0")), 0);
		if (result != rows[i].result ||
		    strstr(result == 0 ? conf.p : err.text, rows[i].says) ==
			NULL)
			fail_msg("row %zu: %d %s", i, result,
			    result == 0 ? conf.p : err.text);
		buf_free(&conf);
	}
}

static void
defaults_are_strict(void **state)
{
	static const char *const lines[] = {
	    "\tharden-dnssec-stripped: yes\n",
	    "\tval-permissive-mode: no\n",
	    "\tdo-not-query-localhost: yes\n",
	    "\tqname-minimisation: yes\n",
	    /* RFC 6761 6.2: laboratories are in "test" */
	    "\tlocal-zone: \"test.\" nodefault\n",
	    "\tnum-queries-per-thread: 2000\n",
	    "\tcache-max-ttl: 86400\n",
	};
	struct dns_setup setup = {0};
	struct err err = {0};
	struct buf conf;

	(void)state;
	buf_init(&conf, 65536);
	assert_int_equal(dns_conf_write(&setup, &conf, &err), 0);
	assert_int_equal(buf_add(&conf, SPAN("\0")), 0);
	for (size_t i = 0; i < ROWS(lines); i++)
		if (strstr(conf.p, lines[i]) == NULL)
			fail_msg("%s", lines[i]);
	assert_null(strstr(conf.p, "localhost: no"));
	buf_free(&conf);
	buf_init(&conf, 100);
	assert_int_equal(dns_conf_write(&setup, &conf, &err), -1);
	buf_free(&conf);
}

#define SHA256_DIGEST \
	"E06D44B80B8F1D39A95C0B0D7C65D08458E880409BBC683457104237C7F8EC8D"
#define P256_KEY                                                               \
	"mdsswUyr3DPW132mOi8V9xESWE8jTo0dxCjjnopKl+GqJxpVXckHAeF+KkxLbxILfDLU" \
	"T0rAK9iUzy1L53eKGQ=="

struct file_row {
	const char *text;
	const char *says; /* NULL: fine */
};

static void
check_files(const struct file_row *rows, size_t n, bool anchors)
{
	for (size_t i = 0; i < n; i++) {
		char path[] = "/tmp/danelaw-file-XXXXXX";
		int fd = mkstemp(path);
		size_t length = strlen(rows[i].text);
		struct err err = {0};
		int result;

		assert_true(fd >= 0);
		assert_int_equal(write(fd, rows[i].text, length), length);
		(void)close(fd);
		result = anchors ? dns_check_anchor(path, &err)
		                 : dns_check_hints(path, &err);
		if ((result == 0) != (rows[i].says == NULL) ||
		    (result < 0 && strstr(err.text, rows[i].says) == NULL))
			fail_msg("row %zu: %s", i, err.text);
		(void)unlink(path);
	}
}

/* RFC 4035 4.3: a file without an anchor would make everything insecure. */
static void
anchors_are_checked(void **state)
{
	static const struct file_row rows[] = {
	    {". IN DS 20326 8 2 " SHA256_DIGEST "\n", NULL},
	    {"; comment\n\n. 172800 IN DNSKEY 257 3 13 " P256_KEY "\n", NULL},
	    {"", "no DS or DNSKEY"},
	    {"; only a comment\n", "no DS or DNSKEY"},
	    {". IN NS a.example.\n", "no DS or DNSKEY"},
	    {". IN DS 20326 8\n", "line 1: not a DNS record"},
	    {"; fine\n<html>\n", "line 2: not a DNS record"},
	    /* RFC 8624 3.1 */
	    {". IN DS 20326 99 2 " SHA256_DIGEST "\n", "unknown algorithm"},
	    /* RFC 4509 2.2, RFC 6605 2 */
	    {". IN DS 20326 8 2 ABCD\n", "wrong length"},
	    {". IN DS 20326 8 4 " SHA256_DIGEST "\n", "wrong length"},
	    {". IN DS 20326 8 3 " SHA256_DIGEST "\n", "unknown algorithm"},
	    /* RFC 4034 2.1.1: no zone key; revoked */
	    {". IN DNSKEY 1 3 13 " P256_KEY "\n", "unknown algorithm"},
	    {". IN DNSKEY 385 3 13 " P256_KEY "\n", "unknown algorithm"},
	    {". IN DS 1 99 2 " SHA256_DIGEST "\n. IN DS 2 8 2 " SHA256_DIGEST
	     "\n",
		NULL},
	    {"a. IN DS 1 99 2 " SHA256_DIGEST "\n. IN DS 2 8 2 " SHA256_DIGEST
	     "\n",
		"unknown algorithm"},
	};

	(void)state;
	check_files(rows, ROWS(rows), true);
}

static void
hints_are_checked(void **state)
{
	static const struct file_row rows[] = {
	    {". NS a.example.\na.example. A 192.0.2.1\n", NULL},
	    {". NS a.example.\na.example. AAAA 2001:db8::1\n", NULL},
	    {". NS a.example.\n", "no NS record with an address"},
	    {"a.example. A 192.0.2.1\n", "no NS record with an address"},
	    {"", "no NS record with an address"},
	    {"a.example. A here\n", "line 1: not a DNS record"},
	};

	(void)state;
	check_files(rows, ROWS(rows), false);
}

static void
files_are_checked(void **state)
{
	struct dns_setup setups[] = {{.trust_anchor = "/nonexistent/root.key"},
	    {.trust_anchor = "/dev/null"},
	    {.root_hints = "/nonexistent/root.hints"},
	    {.root_hints = "/tmp/a\"b"}};

	(void)state;
	for (size_t i = 0; i < ROWS(setups); i++) {
		struct err err = {0};
		struct dns *dns = dns_new(&setups[i], &err);

		assert_null(dns);
		assert_int_equal(err.kind, ERR_PERM);
		assert_string_equal(err.enhanced, "5.3.5");
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(zones_are_checked),
	    cmocka_unit_test(defaults_are_strict),
	    cmocka_unit_test(anchors_are_checked),
	    cmocka_unit_test(hints_are_checked),
	    cmocka_unit_test(files_are_checked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
