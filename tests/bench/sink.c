/*
 * smtp_sink: takes every message and drops it.
 *
 *     smtp_sink --on ADDRESS:PORT [--count N] [--tick MS] [--chain F --key F]
 *
 * Prints lines of JSON: at SIGUSR1, every MS milliseconds in which messages
 * have come (--tick), and at its end, which is SIGTERM or the Nth message
 * (--count).  "first" and "last" are moments of the monotonic clock.
 * --chain and --key are PEM files; with them STARTTLS is offered.
 */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "mta/net/conn.h"
#include "mta/net/loop.h"
#include "mta/net/tls.h"
#include "mta/net/tls_ticket.h"
#include "mta/smtp/session.h"

#include "tests/bench/kit.h"

#define BACKLOG  1024
#define FILE_MAX 65536

struct sink {
	struct loop *loop;
	struct tls_server *tls;
	struct tls_tickets *tickets;
	struct net_address on;
	const char *chain;
	const char *key;
	uint32_t count; /* end after so many */
	uint32_t tick;  /* milliseconds */
	struct timer *timer;
	uint64_t messages;
	uint64_t octets;
	uint64_t connections;
	uint64_t told; /* messages of the last line */
	uint64_t first, last;
	struct guest *guests;
};

struct guest {
	struct guest *next;
	struct guest **at; /* where we stand in the list */
	struct sink *sink;
	struct conn *conn;
	struct session *session;
};

static const struct option longs[] = {
    {"on", required_argument, NULL, 'o'},
    {"count", required_argument, NULL, 'c'},
    {"tick", required_argument, NULL, 't'},
    {"chain", required_argument, NULL, 'C'},
    {"key", required_argument, NULL, 'K'},
    {NULL, 0, NULL, 0},
};

static void
report(struct sink *sink)
{
	struct kit_cpu cpu = kit_cpu();
	double s = (double)(sink->last - sink->first) / 1e6;

	sink->told = sink->messages;
	(void)printf("{\"messages\":%llu,\"octets\":%llu,\"connections\":%llu,"
		     "\"first\":%.6f,\"last\":%.6f,\"rate\":%.1f,"
		     "\"cpu_user\":%.3f,\"cpu_system\":%.3f}\n",
	    (unsigned long long)sink->messages,
	    (unsigned long long)sink->octets,
	    (unsigned long long)sink->connections, (double)sink->first / 1e6,
	    (double)sink->last / 1e6, s > 0 ? (double)sink->messages / s : 0,
	    cpu.user, cpu.system);
	(void)fflush(stdout);
}

static void
guest_end(struct guest *guest)
{
	*guest->at = guest->next;
	if (guest->next != NULL)
		guest->next->at = guest->at;
	conn_close(&guest->conn);
	session_free(&guest->session);
	mem_free(guest);
}

static void
guest_flush(struct guest *guest)
{
	struct span out = session_output(guest->session);

	if (out.n == 0)
		return;
	conn_write(guest->conn, out);
	session_sent(guest->session, out.n);
}

static void
count_message(struct guest *guest)
{
	struct sink *sink = guest->sink;

	session_accepted(guest->session, "dropped");
	sink->last = kit_now_us();
	if (sink->messages++ == 0)
		sink->first = sink->last;
	if (sink->messages == sink->count)
		loop_stop(sink->loop);
}

/* One event; false when nothing more is to be done for now. */
static bool
guest_step(struct guest *guest)
{
	switch (session_next(guest->session)) {
	case SESSION_MAIL:
	case SESSION_RCPT:
	case SESSION_DATA:
		session_answer(guest->session, NULL);
		return true;
	case SESSION_BODY:
		guest->sink->octets += session_body(guest->session).n;
		return true;
	case SESSION_END:
		count_message(guest);
		return true;
	case SESSION_ABORT:
		return true;
	case SESSION_STARTTLS:
		guest_flush(guest);
		conn_tls_accept(guest->conn, guest->sink->tls);
		return false;
	case SESSION_CLOSE:
		guest_flush(guest);
		guest_end(guest);
		return false;
	case SESSION_IDLE:
	case SESSION_WAIT:
		break;
	}
	guest_flush(guest);
	return false;
}

static void
guest_run(struct guest *guest)
{
	while (guest_step(guest))
		;
}

static void
on_data(void *arg, struct span bytes)
{
	struct guest *guest = arg;

	session_feed(guest->session, bytes);
	guest_run(guest);
}

static void
on_tls(void *arg, const struct tls_facts *facts)
{
	struct guest *guest = arg;
	struct session_tls tls = {facts->version, facts->cipher, facts->sni};

	if (!facts->up) {
		(void)fprintf(stderr, "smtp_sink: TLS: %s\n", facts->failure);
		guest_end(guest);
		return;
	}
	session_tls_done(guest->session, &tls);
	guest_run(guest);
}

static void
on_deadline(void *arg)
{
	(void)arg; /* none is ever set */
}

static void
on_down(void *arg, const struct err *err)
{
	(void)err;
	guest_end(arg);
}

static const struct conn_ops guest_ops = {
    .on_tls = on_tls,
    .on_data = on_data,
    .on_deadline = on_deadline,
    .on_down = on_down,
};

static void
on_accept(void *owner, struct conn *conn)
{
	struct sink *sink = owner;
	struct session_setup setup = {
	    .hostname = "sink.bench.example",
	    .client = "127.0.0.1",
	    .id = "sink",
	    .rcpts_max = 10000,
	    .text_line_max = 1u << 20,
	    .errors_max = 20,
	    .hops_max = 1000,
	    .starttls = sink->tls != NULL,
	};
	struct guest *guest = mem_new(sizeof(*guest));

	guest->sink = sink;
	guest->next = sink->guests;
	guest->at = &sink->guests;
	if (guest->next != NULL)
		guest->next->at = &guest->next;
	sink->guests = guest;
	guest->conn = conn;
	guest->session = session_new(&setup);
	sink->connections++;
	conn_adopt(conn, &guest_ops, guest);
	guest_run(guest);
}

static void
on_tick(void *arg)
{
	struct sink *sink = arg;

	timer_start(sink->timer, sink->tick);
	if (sink->messages != sink->told)
		report(sink);
}

static void
on_ask(void *arg)
{
	report(arg);
}

static void
on_term(void *arg)
{
	struct sink *sink = arg;

	loop_stop(sink->loop);
}

static _Noreturn void
die(const char *what, const char *why)
{
	(void)fprintf(stderr, "smtp_sink: %s: %s\n", what, why);
	exit(2);
}

static struct span
read_pem(const char *path)
{
	FILE *file = fopen(path, "re");
	char *bytes = mem_new(FILE_MAX);
	size_t n = file == NULL ? 0 : fread(bytes, 1, FILE_MAX, file);

	if (n == 0)
		die(path, strerror(errno));
	(void)fclose(file);
	return (struct span){bytes, n};
}

static void
make_tickets(struct sink *sink)
{
	struct tls_ticket_seed seed;

	if (tls_ticket_seed_new(&seed, clock_mono_ms() / 1000) < 0)
		die("tickets", "no randomness");
	sink->tickets = tls_tickets_new(3600, NULL);
	tls_tickets_seed(sink->tickets, &seed);
}

static void
take_certificate(struct sink *sink)
{
	struct tls_pair pair = {.name = "sink"};
	struct tls_server_setup setup = {.pairs = &pair, .npairs = 1};
	struct err err;

	if (sink->chain == NULL || sink->key == NULL)
		return;
	make_tickets(sink);
	setup.tickets = sink->tickets;
	pair.chain = read_pem(sink->chain);
	pair.key = read_pem(sink->key);
	if (tls_server_new(&setup, &sink->tls, &err) < 0)
		die(sink->chain, err.text);
	mem_free((char *)(uintptr_t)pair.chain.p);
	mem_free((char *)(uintptr_t)pair.key.p);
}

static void
take_options(struct sink *sink, int argc, char **argv)
{
	int c;

	while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1)
		if (c == 'o')
			sink->on = kit_address(optarg);
		else if (c == 'c')
			sink->count = kit_number("--count", optarg, 1);
		else if (c == 't')
			sink->tick = kit_number("--tick", optarg, 1);
		else if (c == 'C')
			sink->chain = optarg;
		else if (c == 'K')
			sink->key = optarg;
		else
			die("usage", "--on ADDRESS:PORT [--count N] [--tick "
				     "MS] [--chain FILE --key FILE]");
	if (sink->on.family == 0 || optind != argc)
		die("usage", "--on ADDRESS:PORT");
}

static void
run(struct sink *sink, int fd)
{
	struct listener *listener = listener_new(
	    sink->loop, fd, on_accept, sink);
	struct watch *ask = signal_new(sink->loop, SIGUSR1, on_ask, sink);
	struct watch *term = signal_new(sink->loop, SIGTERM, on_term, sink);

	sink->timer = timer_new(sink->loop, on_tick, sink);
	if (sink->tick > 0)
		timer_start(sink->timer, sink->tick);
	loop_run(sink->loop);
	report(sink);
	while (sink->guests != NULL)
		guest_end(sink->guests);
	listener_close(&listener);
	watch_free(&ask);
	watch_free(&term);
	timer_free(&sink->timer);
}

int
main(int argc, char **argv)
{
	struct sink sink = {0};
	struct err err;
	int fd;

	(void)signal(SIGPIPE, SIG_IGN);
	kit_raise_limits();
	take_options(&sink, argc, argv);
	take_certificate(&sink);
	fd = net_listen(&sink.on, BACKLOG, &err);
	if (fd < 0)
		die("listen", err.text);
	sink.loop = loop_new();
	run(&sink, fd);
	loop_free(&sink.loop);
	tls_server_free(&sink.tls);
	tls_tickets_free(&sink.tickets);
	return EXIT_SUCCESS;
}
