/* Why a session is over, by what the peer has sent. */
#include <string.h>

#include "mta/net/tls.h"

#include "tests/support/make_cert.h"
#include "tests/support/test.h"

/* A ClientHello of this version (0x03, minor) with one cipher suite. */
#define HELLO(minor, suite)                              \
	"\x16\x03\x01\x00\x2d\x01\x00\x00\x29\x03" minor \
	"01234567890123456789012345678901\x00\x00\x02" suite "\x01\x00"

/* RFC 8446 6: a fatal one, before there are keys. */
#define OCTETS(literal) literal, sizeof(literal) - 1
#define ALERT(number)   OCTETS("\x15\x03\x03\x00\x02\x02" number)

static const struct {
	const char *what;
	bool is_greeted; /* by a client of ours, before */
	const char *octets;
	size_t n;
	enum tls_break broken;
	uint8_t alert;
} rows[] = {
    {"bad_certificate", true, ALERT("\x2a"), TLS_BREAK_ALERT, 42},
    {"certificate_expired", true, ALERT("\x2d"), TLS_BREAK_ALERT, 45},
    {"certificate_unknown", true, ALERT("\x2e"), TLS_BREAK_ALERT, 46},
    {"unknown_ca", true, ALERT("\x30"), TLS_BREAK_ALERT, 48},
    {"one that nobody knows", true, ALERT("\xfe"), TLS_BREAK_ALERT, 254},
    {"TLS 1.0", false, OCTETS(HELLO("\x01", "\xc0\x13")), TLS_BREAK_VERSION, 0},
    {"no cipher", false, OCTETS(HELLO("\x03", "\x00\x01")), TLS_BREAK_CIPHER,
	0},
    {"SMTP", false, OCTETS("MAIL FROM:<a@b.example>\r\n"), TLS_BREAK_OTHER, 0},
    {"half a record", false, OCTETS("\x16\x03\x01"), TLS_BREAK_NONE, 0},
    {"half a handshake", true, OCTETS(""), TLS_BREAK_NONE, 0},
};

static void
greet(struct tls *server)
{
	const struct tls_client_setup setup = {0};
	const struct tls_demand demand = {.sni = "mx.example"};
	struct tls_client *client;
	struct buf hello, plain;
	struct tls *tls;
	struct err err;

	assert_int_equal(tls_client_new(&setup, &client, &err), 0);
	tls = tls_connect(client, &demand);
	assert_int_equal(tls_start(tls), TLS_SHAKING);
	buf_init(&hello, 65536);
	buf_init(&plain, 65536);
	assert_int_equal(tls_output(tls, &hello), 0);
	assert_int_equal(
	    tls_feed(server, buf_span(&hello), &plain), TLS_SHAKING);
	buf_free(&hello);
	buf_free(&plain);
	tls_free(&tls);
	tls_client_free(&client);
}

static void
it_is_known_why_it_is_over(void **state)
{
	struct made_cert cert = make_cert("DNS:mx.example", 30);
	struct tls_pair pair = {"one", span_of(cert.chain), span_of(cert.key)};
	struct tls_server_setup setup = {.pairs = &pair, .npairs = 1};
	struct tls_server *server;
	struct err err;

	(void)state;
	assert_int_equal(tls_server_new(&setup, &server, &err), 0);
	for (size_t i = 0; i < ROWS(rows); i++) {
		struct tls *tls = tls_accept(server, "");
		uint8_t alert = 1;
		struct buf plain;

		if (rows[i].is_greeted)
			greet(tls);
		buf_init(&plain, 65536);
		(void)tls_feed(
		    tls, (struct span){rows[i].octets, rows[i].n}, &plain);
		if (tls_broken(tls, &alert) != rows[i].broken ||
		    alert != rows[i].alert)
			fail_msg("%s: %d, %u", rows[i].what,
			    (int)tls_broken(tls, &alert), (unsigned)alert);
		buf_free(&plain);
		tls_free(&tls);
	}
	tls_server_free(&server);
	made_cert_free(&cert);
}

static void
without_a_session_none_is_over(void **state)
{
	uint8_t alert = 1;

	(void)state;
	assert_int_equal(tls_broken(NULL, &alert), TLS_BREAK_NONE);
	assert_int_equal(alert, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(it_is_known_why_it_is_over),
	    cmocka_unit_test(without_a_session_none_is_over),
	};

	return cmocka_run_group_tests_name("tls_break", tests, NULL, NULL);
}
