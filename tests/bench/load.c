/*
 * smtp_load: mail as fast as somebody takes it.
 *
 *     smtp_load --to ADDRESS:PORT [--sessions N] [--messages N] [--length N]
 *               [--per-connection N] [--tls] [--from A] [--rcpt A]
 *     smtp_load --to ADDRESS:PORT --idle N
 *
 * Prints one line of JSON: what was taken, in what time, how long the 250
 * took to come, and how much of a processor the sending itself has used.
 * With --idle it opens so many STARTTLS sessions, prints the line when all are
 * up, and keeps them until its standard input ends.
 */
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "mta/net/loop.h"
#include "mta/net/tls.h"

#include "tests/bench/load_client.h"

#define LINE_N       76u
#define IDLE_AT_ONCE 100u

static const struct option longs[] = {
    {"to", required_argument, NULL, 't'},
    {"sessions", required_argument, NULL, 's'},
    {"messages", required_argument, NULL, 'm'},
    {"length", required_argument, NULL, 'l'},
    {"per-connection", required_argument, NULL, 'p'},
    {"idle", required_argument, NULL, 'i'},
    {"tls", no_argument, NULL, 'T'},
    {"from", required_argument, NULL, 'f'},
    {"rcpt", required_argument, NULL, 'r'},
    {NULL, 0, NULL, 0},
};

static _Noreturn void
usage(void)
{
	(void)fputs("usage: smtp_load --to ADDRESS:PORT [--sessions N] "
		    "[--messages N] [--length N]\n"
		    "       [--per-connection N] [--tls] [--from A] "
		    "[--rcpt A] [--idle N]\n",
	    stderr);
	exit(2);
}

static void
take_option(struct load_options *o, int c)
{
	switch (c) {
	case 't':
		o->to = kit_address(optarg);
		break;
	case 's':
		o->sessions = kit_number("--sessions", optarg, 1);
		break;
	case 'm':
		o->messages = kit_number("--messages", optarg, 1);
		break;
	case 'l':
		o->length = kit_number("--length", optarg, 100);
		break;
	case 'p':
		o->per_connection = kit_number("--per-connection", optarg, 0);
		break;
	case 'i':
		o->idle = kit_number("--idle", optarg, 1);
		o->tls = true;
		break;
	case 'T':
		o->tls = true;
		break;
	case 'f':
		o->from = optarg;
		break;
	case 'r':
		o->rcpt = optarg;
		break;
	default:
		usage();
	}
}

static struct load_options
take_options(int argc, char **argv)
{
	struct load_options o = {
	    .sessions = 100,
	    .messages = 1000,
	    .length = 4096,
	    .from = "load@bench.example",
	    .rcpt = "sink@bench.example",
	};
	int c;

	while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1)
		take_option(&o, c);
	if (o.to.family == 0 || optind != argc)
		usage();
	if (o.sessions > o.messages)
		o.sessions = o.messages;
	return o;
}

/* Headers, then lines, `n` octets together. */
static void
make_body(struct buf *body, const struct load_options *o)
{
	char line[LINE_N + 2];

	buf_init(body, o->length + 4096u);
	if (buf_printf(body, "From: <%s>\r\nTo: <%s>\r\nSubject: load\r\n\r\n",
		o->from, o->rcpt) < 0)
		abort();
	memset(line, 'x', LINE_N);
	memcpy(line + LINE_N, "\r\n", 2);
	while (body->n + 2 < o->length) {
		size_t left = o->length - body->n;
		size_t n = left < sizeof(line) ? left : sizeof(line);

		if (buf_add(body, (struct span){line, n - 2}) < 0 ||
		    buf_add(body, SPAN("\r\n")) < 0)
			abort();
	}
}

static void
report(const struct load *load, uint64_t us)
{
	double s = (double)us / 1e6;
	struct kit_cpu cpu = kit_cpu();

	(void)printf("{\"messages\":%u,\"idle\":%u,\"seconds\":%.3f,"
		     "\"rate\":%.1f,\"errors\":%u,\"connections\":%u,"
		     "\"p50_ms\":%.3f,\"p99_ms\":%.3f,\"cpu_user\":%.3f,"
		     "\"cpu_system\":%.3f}\n",
	    (unsigned)load->taken, (unsigned)load->resting, s,
	    s > 0 ? (double)load->taken / s : 0, (unsigned)load->errors,
	    (unsigned)load->connections,
	    (double)spread_at(&load->spread, 50) / 1e3,
	    (double)spread_at(&load->spread, 99) / 1e3, cpu.user, cpu.system);
	(void)fflush(stdout);
	if (load->errors > 0)
		(void)fprintf(stderr, "smtp_load: %u errors, the first: %s\n",
		    (unsigned)load->errors, load->error);
}

static void
stop(struct load *load)
{
	loop_stop(load->loop);
}

/* Until whoever started us closes our standard input. */
static void
on_input(void *arg)
{
	char drop[256];

	if (read(STDIN_FILENO, drop, sizeof(drop)) <= 0)
		loop_stop(arg);
}

static void
keep_idle(struct load *load)
{
	struct watch *input = watch_new(
	    load->loop, STDIN_FILENO, on_input, load->loop);

	loop_run(load->loop);
	watch_free(&input);
}

static int
run(struct load *load)
{
	const struct load_options *o = &load->options;
	uint32_t slots = o->idle > 0 ? o->idle : o->sessions;
	uint32_t first = o->idle > 0 ? IDLE_AT_ONCE : o->sessions;
	uint64_t began = kit_now_us();

	load->slots = mem_array(slots, sizeof(struct slot *));
	while (load->nslots < slots && load->nslots < first)
		slot_open(load);
	loop_run(load->loop);
	report(load, kit_now_us() - began);
	if (o->idle > 0 && load->errors == 0)
		keep_idle(load);
	slots_free(load);
	return load->errors > 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

int
main(int argc, char **argv)
{
	struct load *load = mem_new(sizeof(*load));
	struct err err = {0};
	int status = EXIT_FAILURE;

	(void)signal(SIGPIPE, SIG_IGN);
	kit_raise_limits();
	load->options = take_options(argc, argv);
	load->loop = loop_new();
	load->on_end = stop;
	load->to = (struct envelope_rcpt){
	    .address = load->options.rcpt, .orcpt = ""};
	load->envelope = (struct envelope){
	    .sender = load->options.from,
	    .envid = "",
	    .rcpts = &load->to,
	    .nrcpts = 1,
	};
	make_body(&load->body, &load->options);
	if (tls_client_new(&(struct tls_client_setup){0}, &load->tls, &err) ==
	    0)
		status = run(load);
	else
		(void)fprintf(stderr, "smtp_load: %s\n", err.text);
	loop_free(&load->loop);
	tls_client_free(&load->tls);
	buf_free(&load->body);
	mem_free(load);
	return status;
}
