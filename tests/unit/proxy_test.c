/* What a proxy says of its client, and what it may not say. */
#include <string.h>

#include "mta/receive/proxy.h"

#include "tests/support/test.h"

#define V2  "\r\n\r\n\0\r\nQUIT\n"
#define IP4 "\xc0\x00\x02\x01\xc0\x00\x02\x02\x12\x34\x00\x19"
#define NET "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0"

static const struct {
	const char *rule;
	struct span bytes;
	enum proxy_result result;
	size_t length;
	const char *client;
} rows[] = {
#define ROW(rule, bytes, result, length, client)                          \
	{                                                                 \
		rule, {bytes, sizeof(bytes) - 1}, PROXY_##result, length, \
		    client                                                \
	}
    ROW("2.1 TCP4", "PROXY TCP4 192.0.2.1 192.0.2.2 56324 25\r\nEHLO", CLIENT,
	41, "192.0.2.1"),
    ROW("2.1 TCP6", "PROXY TCP6 2001:DB8::1 2001:db8::2 0 65535\r\n", CLIENT,
	44, "2001:db8::1"),
    ROW("2.1 longest",
	"PROXY UNKNOWN ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff "
	"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n",
	LOCAL, 107, ""),
    ROW("2.1 UNKNOWN", "PROXY UNKNOWN\r\n", LOCAL, 15, ""),
    ROW("2.1 UNKNOWN with more", "PROXY UNKNOWN what ever\r\n", LOCAL, 25, ""),
    ROW("2.1 too long",
	"PROXY UNKNOWN ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff "
	"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 655350\r\n",
	BAD, 0, ""),
    ROW("2.1 no CR", "PROXY TCP4 192.0.2.1 192.0.2.2 1 25\n", BAD, 0, ""),
    ROW("2.1 wrong family", "PROXY TCP6 192.0.2.1 192.0.2.2 1 25\r\n", BAD, 0,
	""),
    ROW("2.1 no destination", "PROXY TCP4 192.0.2.1\r\n", BAD, 0, ""),
    ROW("2.1 bad destination", "PROXY TCP4 192.0.2.1 x 1 25\r\n", BAD, 0, ""),
    ROW("2.1 port", "PROXY TCP4 192.0.2.1 192.0.2.2 65536 25\r\n", BAD, 0, ""),
    ROW("2.1 two spaces", "PROXY TCP4  192.0.2.1 192.0.2.2 1 25\r\n", BAD, 0,
	""),
    ROW("2.1 a word more", "PROXY TCP4 192.0.2.1 192.0.2.2 1 25 x\r\n", BAD, 0,
	""),
    ROW("2.1 other kind", "PROXY UDP4 192.0.2.1 192.0.2.2 1 25\r\n", BAD, 0,
	""),
    ROW("2.1 a NUL", "PROXY TCP4 192.0.2.1\0 192.0.2.2 1 25\r\n", BAD, 0, ""),
    ROW("2.2 LOCAL",
	V2 "\x20\x00\x00\x00"
	   "EHLO",
	LOCAL, 16, ""),
    ROW("2.2 LOCAL with a body", V2 "\x20\x11\x00\x02xy", LOCAL, 18, ""),
    ROW("2.2 unspecified", V2 "\x21\x00\x00\x01x", LOCAL, 17, ""),
    ROW("2.2 IPv4", V2 "\x21\x11\x00\x0c" IP4 "EHLO", CLIENT, 28, "192.0.2.1"),
    ROW("2.2 IPv6",
	V2 "\x21\x21\x00\x24" NET "\x01" NET "\x02"
	   "\0\1\0\2",
	CLIENT, 52, "2001:db8::1"),
    ROW("2.2.7 TLVs",
	V2 "\x21\x11\x00\x13" IP4 "\x04\0\0"
	   "\x02\0\1a",
	CLIENT, 35, "192.0.2.1"),
    ROW("2.2.7 longer than all", V2 "\x21\x11\x00\x10" IP4 "\x02\0\2a", BAD, 0,
	""),
    ROW("2.2.7 half a TLV", V2 "\x21\x11\x00\x0e" IP4 "\x02\0", BAD, 0, ""),
    ROW("2.2 too short for IPv4", V2 "\x21\x11\x00\x0b" IP4, BAD, 0, ""),
    ROW("2.2 too short for IPv6", V2 "\x21\x21\x00\x0c" IP4, BAD, 0, ""),
    ROW("2.2 a datagram", V2 "\x21\x12\x00\x0c" IP4, BAD, 0, ""),
    ROW("2.2 a UNIX socket", V2 "\x21\x31\x00\x0c" IP4, BAD, 0, ""),
    ROW("2.2 other version", V2 "\x11\x11\x00\x0c" IP4, BAD, 0, ""),
    ROW("2.2 other command", V2 "\x22\x11\x00\x0c" IP4, BAD, 0, ""),
    ROW("2.2 too long", V2 "\x21\x11\x10\x01", BAD, 0, ""),
    ROW("none", "EHLO client.example\r\n", BAD, 0, ""),
    ROW("lower case", "proxy TCP4 192.0.2.1 192.0.2.2 1 25\r\n", BAD, 0, ""),
    ROW("nearly", "\r\n\r\n\0\r\nQUIT\r", BAD, 0, ""),
#undef ROW
};

static void
headers_are_read(void **state)
{
	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		struct proxy_header header = {.client = ""};
		enum proxy_result result = proxy_read(rows[i].bytes, &header);

		if (result != rows[i].result ||
		    header.length != rows[i].length ||
		    strcmp(header.client, rows[i].client) != 0)
			fail_msg("%s: %d %zu %s", rows[i].rule, (int)result,
			    header.length, header.client);
	}
}

/* Of a good header each beginning asks for more. */
static void
beginnings_ask_for_more(void **state)
{
	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++)
		for (size_t n = 0; n < rows[i].length; n++) {
			struct proxy_header header = {.length = 7};

			if (proxy_read(span_first(rows[i].bytes, n), &header) !=
				PROXY_MORE ||
			    header.length != 7)
				fail_msg("%s: %zu octets", rows[i].rule, n);
		}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(headers_are_read),
	    cmocka_unit_test(beginnings_ask_for_more),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
