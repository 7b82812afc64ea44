/*
 * https_get [--ca FILE] [--timeout MS] [--at-once N] [--waiting N]
 *     [--source ADDRESS] [--cancel MS] [--without files|ca]
 *     [--then begin|cancel] [--path PATH] [--port PORT]
 *     [--post FILE] [--post-max N] [--posts-max N]
 *     [HOST ADDRESS:PORT[,...]]...
 *
 * Fetches the policy of each HOST, all at once, and prints what came of each
 * as one line of JSON.  The last line says by how much the process has grown
 * meanwhile.
 *
 * --post     sends the file to each HOST instead, as a report
 * --cancel   gives up what has not come by then
 * --without  has no descriptors left, or no file of --ca, when they begin
 * --then     the callback of the first that comes fetches the last HOST once
 *            more, or cancels all others but that
 */
#include <assert.h>
#include <getopt.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "mta/net/https.h"
#include "mta/net/loop.h"

#define FETCHES_MAX 65
#define POST_MAX    ((size_t)32 << 20)

struct program;

struct one {
	struct program *program;
	const char *host;
	struct https_fetch *fetch;
	uint64_t since_ms;
};

struct program {
	struct https *https;
	struct timer *timer;
	uint32_t cancel_ms;
	const char *without, *then, *path, *post;
	uint16_t port;
	struct buf content;
	char *addresses; /* of the last HOST */
	size_t open;
	bool inside; /* https_get() */
	struct one ones[FETCHES_MAX];
};

static void
print(json_t *object)
{
	(void)json_dumpf(object, stdout, JSON_COMPACT);
	(void)putchar('\n');
	json_decref(object);
}

static void
close_when_done(struct program *p)
{
	if (p->open > 0)
		return;
	https_free(&p->https);
	timer_free(&p->timer);
}

static void
on_end(void *arg)
{
	close_when_done(arg);
}

static void get(
    struct program *p, struct one *one, const char *host, char *addresses);

/* From inside a callback, and only the first. */
static void
do_then(struct program *p)
{
	const char *then = p->then;
	size_t n = 0;

	p->then = NULL;
	while (n < FETCHES_MAX && p->ones[n].host != NULL)
		n++;
	if (then == NULL)
		return;
	if (strcmp(then, "begin") == 0)
		get(p, &p->ones[n], p->ones[n - 1].host, p->addresses);
	for (size_t i = 0; i + 1 < n && strcmp(then, "cancel") == 0; i++)
		if (p->ones[i].fetch != NULL) {
			https_cancel(&p->ones[i].fetch);
			p->open--;
		}
}

static void
on_done(void *arg, const struct https_result *result)
{
	struct one *one = arg;

	assert(!one->program->inside);
	print(json_pack("{s:s,s:s,s:i,s:s,s:s#,s:I}", "host", one->host, "kind",
	    https_kind_name(result->kind), "status", (int)result->status,
	    "text", result->text, "body",
	    result->body.p == NULL ? "" : result->body.p, (int)result->body.n,
	    "ms", (json_int_t)(clock_mono_ms() - one->since_ms)));
	one->fetch = NULL;
	do_then(one->program);
	/* Not from here: see https_free(). */
	if (--one->program->open == 0)
		timer_start(one->program->timer, 0);
}

/* Every other one by itself, the others with all they stand on. */
static void
on_cancel(void *arg)
{
	struct program *p = arg;

	for (size_t i = 0; i < FETCHES_MAX; i += 2)
		https_cancel(&p->ones[i].fetch);
	p->open = 0;
	close_when_done(p);
}

static uint32_t
number(const char *text)
{
	uint32_t n = 0;

	if (!text_parse_u32(span_of(text), &n))
		exit(2);
	return n;
}

/* "127.0.0.1:443", "[::1]:443" */
static struct net_address
address(char *text)
{
	struct net_address a = {0};
	char *colon = strrchr(text, ':');

	if (colon == NULL)
		exit(2);
	*colon = '\0';
	if (text[0] == '[' && colon > text)
		text++, colon[-1] = '\0';
	if (!net_address_ip(text, (uint16_t)number(colon + 1), &a))
		exit(2);
	return a;
}

static void
get(struct program *p, struct one *one, const char *host, char *addresses)
{
	struct net_address list[HTTPS_ADDRESSES_MAX + 1];
	struct https_request request = {
	    .host = host, .port = p->port, .path = p->path, .addresses = list};
	struct https_content content = {
	    "application/tlsrpt+gzip", buf_span(&p->content)};
	char *next;

	for (char *text = addresses; text != NULL; text = next) {
		next = strchr(text, ',');
		if (next != NULL)
			*next++ = '\0';
		if (text[0] != '\0' &&
		    request.naddresses <= HTTPS_ADDRESSES_MAX)
			list[request.naddresses++] = address(text);
	}
	*one = (struct one){
	    .program = p, .host = host, .since_ms = clock_mono_ms()};
	p->open++;
	p->inside = true;
	one->fetch = p->post == NULL
	                 ? https_get(p->https, &request, on_done, one)
	                 : https_post(
			       p->https, &request, &content, on_done, one);
	p->inside = false;
}

static void
set_source(struct https_setup *setup, const char *ip)
{
	struct net_address from;

	if (!net_address_ip(ip, 0, &from))
		exit(2);
	if (from.family == AF_INET6)
		setup->source6 = from;
	else
		setup->source4 = from;
}

static void
read_post_option(
    struct program *p, struct https_setup *setup, int c, const char *text)
{
	if (c == 'p')
		p->path = text;
	else if (c == 'P')
		p->port = (uint16_t)number(text);
	else if (c == 'f')
		p->post = text;
	else if (c == 'm')
		setup->post_max = number(text);
	else if (c == 'M')
		setup->posts_max = number(text);
	else
		exit(2);
}

static void
read_options(
    struct program *p, struct https_setup *setup, int argc, char **argv)
{
	static const struct option options[] = {
	    {"ca", required_argument, NULL, 'c'},
	    {"timeout", required_argument, NULL, 't'},
	    {"at-once", required_argument, NULL, 'a'},
	    {"waiting", required_argument, NULL, 'w'},
	    {"source", required_argument, NULL, 's'},
	    {"cancel", required_argument, NULL, 'x'},
	    {"without", required_argument, NULL, 'o'},
	    {"then", required_argument, NULL, 'n'},
	    {"path", required_argument, NULL, 'p'},
	    {"port", required_argument, NULL, 'P'},
	    {"post", required_argument, NULL, 'f'},
	    {"post-max", required_argument, NULL, 'm'},
	    {"posts-max", required_argument, NULL, 'M'},
	    {0},
	};
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c == 'c')
			setup->ca_file = optarg;
		else if (c == 't')
			setup->timeout_ms = number(optarg);
		else if (c == 'a')
			setup->at_once = number(optarg);
		else if (c == 'w')
			setup->waiting_max = number(optarg);
		else if (c == 's')
			set_source(setup, optarg);
		else if (c == 'x')
			p->cancel_ms = number(optarg);
		else if (c == 'o')
			p->without = optarg;
		else if (c == 'n')
			p->then = optarg;
		else
			read_post_option(p, setup, c, optarg);
	}
}

/* What was there at the start is there no more; or it is again. */
static void
take_away(const char *what, const char *ca_file, bool back)
{
	struct rlimit files = {0};

	if (what == NULL)
		return;
	(void)getrlimit(RLIMIT_NOFILE, &files);
	files.rlim_cur = back ? files.rlim_max : 3;
	if (strcmp(what, "files") == 0)
		(void)setrlimit(RLIMIT_NOFILE, &files);
	else if (!back)
		(void)unlink(ca_file);
}

static void
read_content(struct program *p)
{
	FILE *file = p->post == NULL ? NULL : fopen(p->post, "re");
	char bytes[65536];
	size_t n = 1;

	buf_init(&p->content, POST_MAX);
	while (file != NULL && n > 0) {
		n = fread(bytes, 1, sizeof(bytes), file);
		if (buf_add(&p->content, (struct span){bytes, n}) != 0)
			exit(2);
	}
	if (file != NULL)
		(void)fclose(file);
}

static long
peak_kb(void)
{
	struct rusage usage = {0};

	(void)getrusage(RUSAGE_SELF, &usage);
	return usage.ru_maxrss;
}

static void
run(struct program *p, struct loop *loop, int argc, char **argv)
{
	long before;

	read_content(p);
	before = peak_kb();
	p->timer = timer_new(loop, p->cancel_ms > 0 ? on_cancel : on_end, p);
	if (argc > 1)
		p->addresses = mem_strdup(argv[argc - 1]);
	for (int i = 0; i + 1 < argc && i / 2 < FETCHES_MAX; i += 2)
		get(p, &p->ones[i / 2], argv[i], argv[i + 1]);
	if (p->cancel_ms > 0)
		timer_start(p->timer, p->cancel_ms);
	close_when_done(p);
	loop_run(loop);
	mem_free(p->addresses);
	buf_free(&p->content);
	print(json_pack("{s:I}", "grown_kb", (json_int_t)(peak_kb() - before)));
}

int
main(int argc, char **argv)
{
	struct program *p = mem_new(sizeof(*p));
	struct loop *loop = loop_new();
	struct https_setup setup = {.loop = loop};
	struct err err = {0};
	int rc = EXIT_FAILURE;

	p->path = "/.well-known/mta-sts.txt";
	(void)signal(SIGPIPE, SIG_IGN);
	read_options(p, &setup, argc, argv);
	if (https_new(&setup, &p->https, &err) != 0) {
		(void)fprintf(stderr, "%s\n", err.text);
	} else {
		take_away(p->without, setup.ca_file, false);
		run(p, loop, argc - optind, argv + optind);
		take_away(p->without, setup.ca_file, true);
		rc = EXIT_SUCCESS;
	}
	loop_free(&loop);
	mem_free(p);
	return rc;
}
