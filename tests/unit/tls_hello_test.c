/* The first flight of an outbound session, octet by octet. */
#include <string.h>

#include "mta/net/tls.h"

#include "tests/support/test.h"
#include "tests/support/tls_kit.h"

#define BASE "mx.example.org"

static const struct shape root = {.cn = "Root", .basic = "critical,CA:TRUE"};
static const struct shape inter = {.cn = "Inter", .basic = "critical,CA:TRUE"};
static const struct shape leaf = {.names = "DNS:" BASE};

/* Big endian, from the front. */
struct reader {
	const unsigned char *p;
	size_t n;
};

static unsigned
take(struct reader *in, size_t octets)
{
	unsigned value = 0;

	assert_true(in->n >= octets);
	for (size_t i = 0; i < octets; i++)
		value = value << 8 | in->p[i];
	in->p += octets;
	in->n -= octets;
	return value;
}

/* What a length of that many octets says. */
static struct reader
take_part(struct reader *in, size_t octets)
{
	size_t n = take(in, octets);
	struct reader part = {in->p, n};

	assert_true(in->n >= n);
	in->p += n;
	in->n -= n;
	return part;
}

struct hello {
	struct buf wire;
	struct reader suites, extensions;
};

/* RFC 8446 4.1.2, RFC 5246 7.4.1.2 */
static void
read_hello(struct hello *hello)
{
	struct reader in = {
	    (const unsigned char *)hello->wire.p, hello->wire.n};
	struct reader body;

	/* RFC 7672 8.1: a TLS record, never an SSLv2 hello */
	assert_int_equal(take(&in, 1), 0x16);
	assert_int_equal(take(&in, 1), 3);
	(void)take(&in, 1);
	in = take_part(&in, 2);
	assert_int_equal(take(&in, 1), 1); /* client_hello */
	body = take_part(&in, 3);
	/* RFC 8996 4, 5: never the version of TLS 1.0 or 1.1 */
	assert_int_equal(take(&body, 2), 0x0303);
	body.p += 32;
	body.n -= 32;
	(void)take_part(&body, 1);
	hello->suites = take_part(&body, 2);
	(void)take_part(&body, 1);
	hello->extensions = take_part(&body, 2);
}

/* The extension of this number; false when it is not there. */
static bool
find_extension(const struct hello *hello, unsigned type, struct reader *ret)
{
	struct reader in = hello->extensions;

	while (in.n > 0) {
		unsigned found = take(&in, 2);
		struct reader data = take_part(&in, 2);

		if (found != type)
			continue;
		*ret = data;
		return true;
	}
	return false;
}

static bool
offers_suite(const struct hello *hello, unsigned suite)
{
	struct reader in = hello->suites;

	while (in.n > 0)
		if (take(&in, 2) == suite)
			return true;
	return false;
}

enum kind {
	OPPORTUNISTIC = 0,
	DANE,
	WEBPKI,
	RESUMING,
	KINDS
};

static void
say_hello(enum kind kind, struct hello *hello)
{
	static const struct record_of records[RECORDS_OF_MAX] = {
	    {2, 0, 1, 'R'}};
	static const char *const names[] = {BASE};
	struct arena *arena = arena_new(10000);
	struct tls_demand demand = {.sni = BASE};
	struct authority authority;
	struct tls_server *server;
	struct tls_client *client;
	struct tls_facts facts;
	struct tlsa_set set;
	struct tls *tls;

	authority_new(&authority, &root, &inter, &leaf);
	server = server_of(&authority, "LIR");
	client = client_of(&authority.root);
	(void)set_of(&authority, records, BASE, arena, &set);
	if (kind == DANE)
		demand.set = &set;
	if (kind == WEBPKI) {
		demand.pkix_names = names;
		demand.npkix_names = 1;
	}
	if (kind == RESUMING) {
		demand.session_key = "a";
		shake(client, tls_accept(server, ""), &demand, &facts);
	}
	tls = tls_connect(client, &demand);
	assert_int_equal(tls_start(tls), TLS_SHAKING);
	buf_init(&hello->wire, 100000);
	assert_int_equal(tls_output(tls, &hello->wire), 0);
	read_hello(hello);
	tls_free(&tls);
	tls_client_free(&client);
	tls_server_free(&server);
	authority_free(&authority);
	arena_free(&arena);
}

static void
check_suites(const struct hello *hello)
{
	/* RFC 5246 A.5, RFC 5288 3, RFC 5932, RFC 4492 6: without a key */
	static const unsigned anonymous[] = {0x0018, 0x001a, 0x001b, 0x0034,
	    0x003a, 0x0046, 0x006c, 0x006d, 0x0089, 0x009b, 0x00a6, 0x00a7,
	    0x00bf, 0x00c5, 0xc015, 0xc016, 0xc017, 0xc018, 0xc019};
	static const unsigned null_or_weak[] = {0x0000, 0x0001, 0x0002, 0x0004,
	    0x0005, 0x000a, 0x003b, 0xc001, 0xc006, 0xc00b, 0xc010, 0xc012};

	/* RFC 7672 8.2: the ordinary ones, and no anonymous one */
	assert_true(offers_suite(hello, 0x1301));
	assert_true(offers_suite(hello, 0xc02f));
	assert_true(offers_suite(hello, 0xc02b));
	for (size_t i = 0; i < ROWS(anonymous); i++)
		assert_false(offers_suite(hello, anonymous[i]));
	/* RFC 9325 4.1: nor NULL, RC4, export or triple DES */
	for (size_t i = 0; i < ROWS(null_or_weak); i++)
		assert_false(offers_suite(hello, null_or_weak[i]));
}

static void
check_extensions(const struct hello *hello)
{
	static const unsigned absent[] = {
	    16,     /* RFC 9325 3.8: there is no ALPN name for SMTP */
	    19, 20, /* RFC 7671 5.1: no raw public keys */
	    42,     /* RFC 9325 3.10: no early data */
	};
	struct reader data;

	for (size_t i = 0; i < ROWS(absent); i++)
		assert_false(find_extension(hello, absent[i], &data));
	/* RFC 9325 3.5 */
	assert_true(find_extension(hello, 23, &data));
	assert_true(find_extension(hello, 0xff01, &data) ||
		    offers_suite(hello, 0x00ff));
	/* RFC 7671 3, RFC 7672 8.1: server_name, one host_name */
	assert_true(find_extension(hello, 0, &data));
	data = take_part(&data, 2);
	assert_int_equal(take(&data, 1), 0);
	data = take_part(&data, 2);
	assert_int_equal(data.n, strlen(BASE));
	assert_memory_equal(data.p, BASE, strlen(BASE));
	/* RFC 9325 3.1.1: 1.3 and 1.2 */
	assert_true(find_extension(hello, 43, &data));
	data = take_part(&data, 1);
	assert_int_equal(take(&data, 2), 0x0304);
	assert_int_equal(take(&data, 2), 0x0303);
	assert_int_equal(data.n, 0);
}

static void
the_client_hello_is_what_the_rfcs_want(void **state)
{
	(void)state;
	for (unsigned kind = 0; kind < KINDS; kind++) {
		struct hello hello = {0};
		struct reader ticket;

		say_hello((enum kind)kind, &hello);
		check_suites(&hello);
		check_extensions(&hello);
		/* pre_shared_key */
		assert_int_equal(
		    find_extension(&hello, 41, &ticket), kind == RESUMING);
		buf_free(&hello.wire);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_client_hello_is_what_the_rfcs_want),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
