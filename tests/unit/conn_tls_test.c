/* A connection whose peer speaks TLS and is up to no good. */
#include <fcntl.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "mta/net/conn.h"
#include "mta/net/loop.h"
#include "mta/net/tls.h"

#include "tests/support/make_cert.h"
#include "tests/support/test.h"

#define UPDATES_MAX 25000 /* answers of 27 octets each, 675,000 in all */

/* Our end, in a loop; the peer's is a socket that is pushed from outside. */
struct talk {
	struct loop *loop;
	struct listener *listener;
	struct timer *limit;
	struct tls_server *server;
	struct conn *ours;
	bool up, down;
	int peer;
	SSL_CTX *ctx;
	SSL *ssl;
};

static void
on_tls(void *owner, const struct tls_facts *facts)
{
	struct talk *t = owner;

	assert_true(facts->up);
	t->up = true;
}

static void
on_data(void *owner, struct span bytes)
{
	(void)owner;
	(void)bytes;
}

static void
on_nothing(void *owner)
{
	(void)owner;
}

static void
on_down(void *owner, const struct err *err)
{
	struct talk *t = owner;

	assert_int_equal(err->kind, ERR_TEMP);
	t->down = true;
}

static void
on_accept(void *owner, struct conn *conn)
{
	static const struct conn_ops ops = {
	    .on_tls = on_tls,
	    .on_data = on_data,
	    .on_deadline = on_nothing,
	    .on_down = on_down,
	};
	struct talk *t = owner;

	t->ours = conn;
	conn_adopt(conn, &ops, t);
	conn_tls_accept(conn, t->server);
}

static void
on_limit(void *arg)
{
	(void)arg;
	fail_msg("nothing happened for a minute");
}

/* A small send buffer is inherited from here: the kernel hides little. */
static int
listen_here(struct sockaddr_storage *ss, socklen_t *n)
{
	const int little = 4096;
	struct net_address address;
	struct err err;
	int fd;

	assert_true(net_address_ip("127.0.0.1", 0, &address));
	fd = net_listen(&address, 8, &err);
	assert_true(fd >= 0);
	assert_int_equal(
	    setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &little, sizeof(little)), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)ss, n), 0);
	return fd;
}

static void
connect_peer(struct talk *t, const struct sockaddr *to, socklen_t n)
{
	const int little = 4096;

	t->peer = socket(to->sa_family, SOCK_STREAM, 0);
	assert_true(t->peer >= 0);
	assert_int_equal(
	    setsockopt(t->peer, SOL_SOCKET, SO_RCVBUF, &little, sizeof(little)),
	    0);
	assert_int_equal(connect(t->peer, to, n), 0);
	assert_int_equal(fcntl(t->peer, F_SETFL, O_NONBLOCK), 0);
	t->ctx = SSL_CTX_new(TLS_client_method());
	t->ssl = SSL_new(t->ctx);
	assert_int_equal(SSL_set_fd(t->ssl, t->peer), 1);
	SSL_set_connect_state(t->ssl);
}

static int
setup(void **state)
{
	struct talk *t = mem_new(sizeof(*t));
	struct made_cert cert = make_cert("DNS:mx.example", 30);
	struct tls_pair pair = {"it", span_of(cert.chain), span_of(cert.key)};
	struct tls_server_setup chains = {.pairs = &pair, .npairs = 1};
	struct sockaddr_storage ss = {0};
	socklen_t n = sizeof(ss);
	struct err err;

	assert_int_equal(tls_server_new(&chains, &t->server, &err), 0);
	made_cert_free(&cert);
	t->loop = loop_new();
	t->limit = timer_new(t->loop, on_limit, t);
	timer_start(t->limit, 60000);
	t->listener = listener_new(t->loop, listen_here(&ss, &n), on_accept, t);
	connect_peer(t, (struct sockaddr *)&ss, n);
	while (SSL_do_handshake(t->ssl) != 1)
		loop_run_once(t->loop);
	*state = t;
	return 0;
}

static int
teardown(void **state)
{
	struct talk *t = *state;

	SSL_free(t->ssl);
	SSL_CTX_free(t->ctx);
	(void)close(t->peer);
	conn_abort(&t->ours);
	listener_close(&t->listener);
	timer_free(&t->limit);
	loop_free(&t->loop);
	tls_server_free(&t->server);
	mem_free(t);
	return 0;
}

/* RFC 8446 4.6.3: each of these has to be answered with one of our own. */
static void
ask_for_updates(struct talk *t, bool reads)
{
	char answers[8192];

	for (unsigned i = 0; i < UPDATES_MAX && !t->down; i++) {
		(void)SSL_key_update(t->ssl, SSL_KEY_UPDATE_REQUESTED);
		(void)SSL_do_handshake(t->ssl);
		if (i % 100 != 99)
			continue;
		loop_run_once(t->loop);
		while (reads && read(t->peer, answers, sizeof(answers)) > 0)
			;
	}
}

static void
a_peer_that_does_not_read_is_cut_off(void **state)
{
	struct talk *t = *state;

	ask_for_updates(t, false);
	assert_true(t->down);
	assert_in_range(conn_backlog(t->ours), 500000, 600000);
}

static void
one_that_reads_may_ask_for_more(void **state)
{
	struct talk *t = *state;

	ask_for_updates(t, true);
	assert_false(t->down);
}

/* It reads late what we say by ourselves: that is the owner's affair. */
static void
what_the_owner_sends_does_not_count(void **state)
{
	static const char ours[1u << 20];
	struct talk *t = *state;

	while (!t->up)
		loop_run_once(t->loop);
	conn_write(t->ours, (struct span){ours, sizeof(ours)});
	for (int i = 0; i < 10; i++) {
		assert_int_equal(SSL_write(t->ssl, "250 ok\r\n", 8), 8);
		loop_run_once(t->loop);
	}
	assert_false(t->down);
	assert_true(conn_backlog(t->ours) > 900000);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(
		a_peer_that_does_not_read_is_cut_off, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		one_that_reads_may_ask_for_more, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		what_the_owner_sends_does_not_count, setup, teardown),
	};

	(void)signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
