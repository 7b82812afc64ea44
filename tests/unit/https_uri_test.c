/* Where an https URI leads to. */
#include <stdio.h>
#include <string.h>

#include "reporting/https_uri.h"

#include "tests/support/test.h"

#define L10  "abcdefghij"
#define L60  L10 L10 L10 L10 L10 L10
#define L63  L60 "abc"
#define N250 L63 "." L63 "." L63 "." L10 L10 L10 L10 L10 "abcdefgh"

static const struct {
	const char *uri;
	const char *want; /* "host port path"; NULL: none */
} rows[] = {
    /* RFC 8460 3.1.2 */
    {"https://reporting.example.com/v1/tlsrpt",
	"reporting.example.com 443 /v1/tlsrpt"},
    {"https://example.com/", "example.com 443 /"}, /* RFC 9110 4.2.2 */
    /* RFC 9110 4.2.3: scheme and host in any case; the path as it is */
    {"HTTPS://Example.COM/A%2fb", "example.com 443 /A%2fb"},
    {"https://a_b.example-c.com/", "a_b.example-c.com 443 /"},
    {"https://xn--bcher-kva.example/", "xn--bcher-kva.example 443 /"},
    {"https://example.com./", "example.com 443 /"},
    {"https://1.2.3.example/", "1.2.3.example 443 /"},
    {"https://localhost/", "localhost 443 /"},
    /* RFC 9112 3.2.1: never an empty path */
    {"https://example.com", "example.com 443 /"},
    {"https://example.com?a=b", "example.com 443 /?a=b"},
    {"https://example.com#x", "example.com 443 /"},
    {"https://example.com:8443?a=b#x", "example.com 8443 /?a=b"},
    {"https://example.com/?", "example.com 443 /?"},
    {"https://example.com//x/../y", "example.com 443 //x/../y"},
    {"https://example.com/a?b/c?d@e:f", "example.com 443 /a?b/c?d@e:f"},
    {"https://example.com/@x:1", "example.com 443 /@x:1"},
    /* RFC 9110 4.2.5: the fragment is not sent */
    {"https://example.com/a#b", "example.com 443 /a"},
    {"https://example.com/a?b#c?d#e", "example.com 443 /a?b"},
    /* RFC 3986 3.2.3, 6.2.3 */
    {"https://example.com:443/", "example.com 443 /"},
    {"https://example.com:/", "example.com 443 /"},
    {"https://example.com:1/", "example.com 1 /"},
    {"https://example.com:08443/", "example.com 8443 /"},
    {"https://example.com:65535/", "example.com 65535 /"},
    {"https://example.com:65536/", NULL},
    {"https://example.com:65979/", NULL}, /* 443, and 16 bits more */
    {"https://example.com:4294967739/", NULL},
    {"https://example.com:0/", NULL},
    {"https://example.com:+443/", NULL},
    {"https://example.com:-1/", NULL},
    {"https://example.com:443x/", NULL},
    {"https://example.com:443:443/", NULL},
    {"https://example.com:%34/", NULL},
    /* no name */
    {"https://", NULL},
    {"https:///x", NULL},
    {"https://?x", NULL},
    {"https://#x", NULL},
    {"https://:443/", NULL},
    {"https://./", NULL},
    {"https://.example.com/", NULL},
    {"https://example..com/", NULL},
    {"https://example.com../", NULL},
    {"https://-example.com/", NULL},
    {"https://example-.com/", NULL},
    {"https://ex%61mple.com/", NULL},
    {"https://ex\\097mple.com/", NULL},
    {"https://example.com\\@example.net/", NULL},
    {"https://exa*mple.com/", NULL},
    {"https://*.example.com/", NULL},
    {"https://b\xc3\xbc"
     "cher.example/",
	NULL},
    {"https://" L63 ".example/", L63 ".example 443 /"},
    {"https://" L63 "x.example/", NULL},
    {"https://" N250 ".ab/", N250 ".ab 443 /"},
    {"https://" N250 ".abc/", NULL},
    /* RFC 9110 4.2.4 */
    {"https://user@example.com/", NULL},
    {"https://user:secret@example.com/", NULL},
    {"https://@example.com/", NULL},
    {"https://example.com@/", NULL},
    {"https://example.com:443@example.net/", NULL},
    /* addresses, and what libraries take for one (RFC 1123 2.1) */
    {"https://192.0.2.1/", NULL},
    {"https://192.0.2.1./", NULL},
    {"https://127.1/", NULL},
    {"https://2130706433/", NULL},
    {"https://0x7f000001/", NULL},
    {"https://0x7f.0x1/", NULL},
    {"https://example.0x1/", NULL},
    {"https://[2001:db8::1]/", NULL},
    {"https://[::1]:443/", NULL},
    {"https://[v1.x]/", NULL},
    {"https://2001:db8::1/", NULL},
    /* no such URI */
    {"", NULL},
    {"https", NULL},
    {"https:", NULL},
    {"https:/example.com", NULL},
    {"https:example.com", NULL},
    {"http://example.com/", NULL},
    {"httpsx://example.com/", NULL},
    {" https://example.com/", NULL},
    {"//example.com/", NULL},
    /* what would not stay in its line */
    {"https://example.com/ x", NULL},
    {"https://example.com/ HTTP/1.1", NULL},
    {"https://example.com/\r\nX: y", NULL},
    {"https://example.com/\t", NULL},
    {"https://example.com/\x7f", NULL},
    {"https://example.com/\xc3\xbc", NULL},
    {"https://example.com/#\n", NULL},
    {"https://example.com\n/", NULL},
};

static void
uris_are_read(void **state)
{
	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		char text[DNS_NAME_SIZE + TLSRPT_URI_MAX + 16];
		struct https_uri uri;
		bool good = https_uri_read(span_of(rows[i].uri), &uri);

		(void)snprintf(text, sizeof(text), "%s %u %s", uri.host,
		    (unsigned)uri.port, uri.path);
		if (good != (rows[i].want != NULL) ||
		    (good && strcmp(text, rows[i].want) != 0))
			fail_msg("%s: %s", rows[i].uri, good ? text : "none");
	}
}

/* So that who publishes one hears that nothing is sent there. */
static void
an_address_is_seen(void **state)
{
	static const struct {
		const char *uri;
		bool want;
	} texts[] = {
	    {"https://192.0.2.1/", true},
	    {"https://192.0.2.1./x?y", true},
	    {"https://127.1", true},
	    {"https://2130706433/", true},
	    {"https://0x7f.0x1:8443/", true},
	    {"HTTPS://[2001:db8::1]/", true},
	    {"https://[::1]:443/", true},
	    {"https://2001:db8::1/", true},
	    {"https://example.com/", false},
	    {"https://1.example.com/", false},
	    {"https://user@192.0.2.1/", false},
	    {"https:///", false},
	    {"https://", false},
	    {"http://192.0.2.1/", false},
	    {"https://192.0.2.1/ x", false},
	    {"", false},
	};

	(void)state;
	for (size_t i = 0; i < ROWS(texts); i++)
		if (https_uri_has_address(span_of(texts[i].uri)) !=
		    texts[i].want)
			fail_msg("%s", texts[i].uri);
}

/* RFC 3986 has no NUL: nothing may end before its end. */
static void
a_nul_is_no_end(void **state)
{
	static const struct span texts[] = {
	    {"https://example.com\0/x", 22},
	    {"https://example.com/x\0", 22},
	    {"https://\0example.com/", 21},
	    {"https://example.com:443\0/", 25},
	};
	struct https_uri uri;

	(void)state;
	for (size_t i = 0; i < ROWS(texts); i++)
		assert_false(https_uri_read(texts[i], &uri));
}

/* The longest one is read whole, also where it has no "/"; none beyond. */
static void
uris_have_an_end(void **state)
{
	static const char *const starts[] = {"https://a.b/", "https://a.b?"};
	char text[TLSRPT_URI_MAX + 1];
	struct https_uri uri;

	(void)state;
	for (size_t i = 0; i < ROWS(starts); i++) {
		size_t n = strlen(starts[i]);
		size_t from = n - 1;

		memset(text, 'x', sizeof(text));
		memcpy(text, starts[i], n);
		assert_true(
		    https_uri_read((struct span){text, TLSRPT_URI_MAX}, &uri));
		assert_int_equal(strlen(uri.path), TLSRPT_URI_MAX - from + i);
		assert_memory_equal(
		    uri.path + i, text + from, TLSRPT_URI_MAX - from);
		assert_false(https_uri_read(
		    (struct span){text, TLSRPT_URI_MAX + 1}, &uri));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(uris_are_read),
	    cmocka_unit_test(an_address_is_seen),
	    cmocka_unit_test(a_nul_is_no_end),
	    cmocka_unit_test(uris_have_an_end),
	};

	return cmocka_run_group_tests_name("https_uri", tests, NULL, NULL);
}
