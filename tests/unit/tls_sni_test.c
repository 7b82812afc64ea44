/* The name in a ClientHello, as bytes. */
#include <string.h>

#include "mta/net/tls_hello.h"

#include "tests/support/test.h"

#define BYTES(s)                 \
	{                        \
		s, sizeof(s) - 1 \
	}

static const struct {
	const char *rule;
	struct span bytes;
	const char *name; /* NULL: none */
} rows[] = {
    {"RFC 6066 3: one name",
	BYTES("\0\x0c\0\0\x09"
	      "a.example"),
	"a.example"},
    {"in lower case",
	BYTES("\0\x0c\0\0\x09"
	      "A.eXample"),
	"a.example"},
    {"behind one of another type",
	BYTES("\0\x11\x07\0\x02xy\0\0\x09"
	      "a.example"),
	"a.example"},
    {"nothing", BYTES(""), NULL},
    {"half a length", BYTES("\0"), NULL},
    {"an empty list", BYTES("\0\0"), NULL},
    {"an empty name", BYTES("\0\x03\0\0\0"), NULL},
    {"a list that is longer than it says",
	BYTES("\0\x0b\0\0\x09"
	      "a.example"),
	NULL},
    {"a list that is shorter than it says",
	BYTES("\0\x0d\0\0\x09"
	      "a.example"),
	NULL},
    {"a name that is longer than the list",
	BYTES("\0\x0c\0\0\x0a"
	      "a.example"),
	NULL},
    {"a NUL in it",
	BYTES("\0\x0c\0\0\x09"
	      "a\0example"),
	NULL},
    {"no host name", BYTES("\0\x05\x07\0\x02xy"), NULL},
    {"another type, cut off", BYTES("\0\x05\x07\0\x09xy"), NULL},
};

static void
names_are_found(void **state)
{
	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		char name[TLS_HELLO_NAME] = "before";
		bool found = tls_hello_name(rows[i].bytes, name);

		if (found != (rows[i].name != NULL) ||
		    strcmp(name, found ? rows[i].name : "") != 0)
			fail_msg("%s: \"%s\"", rows[i].rule, name);
	}
}

/* RFC 6066 3 has room for 65535; a host name is not longer than 255. */
static void
long_names_are_none(void **state)
{
	char bytes[5 + 300], name[TLS_HELLO_NAME];

	(void)state;
	memset(bytes, 'a', sizeof(bytes));
	for (size_t n = 254; n < 258; n++) {
		bytes[0] = (char)((n + 3) >> 8);
		bytes[1] = (char)(n + 3);
		bytes[2] = 0;
		bytes[3] = (char)(n >> 8);
		bytes[4] = (char)n;
		assert_int_equal(
		    tls_hello_name((struct span){bytes, n + 5}, name),
		    n <= 255);
		assert_int_equal(strlen(name), n <= 255 ? n : 0);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(names_are_found),
	    cmocka_unit_test(long_names_are_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
