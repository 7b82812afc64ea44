/* danelaw tlsa: options, files and servers for make and check. */
#include "mta/ctl/tlsa.h"

#include <errno.h>
#include <getopt.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "dnssec/name.h"
#include "mta/ctl/lookup.h"
#include "mta/net/address.h"

static void
write_usage(FILE *to)
{
	(void)fputs(
	    "usage: danelaw tlsa make [OPTION...] FILE...\n"
	    "       danelaw tlsa make [OPTION...] --connect HOST[:PORT]\n"
	    "       danelaw tlsa check [OPTION...] --host NAME [RECORD...]\n"
	    "\n"
	    "make prints the TLSA records for certificates and keys (PEM; "
	    "\"-\" is standard\n"
	    "input) or for what a server shows.  check says which records "
	    "let a server's\n"
	    "chain through; without RECORD or --records it looks them up, "
	    "without --chain it\n"
	    "connects.\n"
	    "  A RECORD is \"3 1 1 DATA\" or a line of a zone.\n"
	    "\n"
	    "  --host NAME        the TLSA base domain: the name of the "
	    "server\n"
	    "  --port N           its port (that of --connect where it names "
	    "one by name, or 25)\n"
	    "  --connect HOST[:PORT]\n"
	    "                     connect to this one instead\n"
	    "  --wait TIME        for DNS, at most (20s)\n"
	    "  --json             one JSON object a line\n"
	    "make:\n"
	    "  --usage N, --selector N, --matching N\n"
	    "                     instead of 3 1 1\n"
	    "  --ta               2 0 1, of the last certificate of the "
	    "chain\n"
	    "  --ttl SECONDS      (3600)\n"
	    "check:\n"
	    "  --chain FILE       the chain, own certificate first\n"
	    "  --records FILE     the records, as in a zone\n"
	    "  --name NAME        for usage 2 also this name (the next hop); "
	    "up to 8\n"
	    "\n"
	    "Exit status: 0 made, or authenticated; 1 not; 2 usage.\n",
	    to);
}

enum {
	OPTION_HELP = 256,
	OPTION_JSON,
	OPTION_TA,
	OPTION_HOST,
	OPTION_PORT,
	OPTION_TTL,
	OPTION_CONNECT,
	OPTION_CHAIN,
	OPTION_RECORDS,
	OPTION_NAME,
	OPTION_USAGE,
	OPTION_SELECTOR,
	OPTION_MATCHING,
	OPTION_WAIT,
};

static const struct option longs[] = {
    {"help", no_argument, NULL, OPTION_HELP},
    {"json", no_argument, NULL, OPTION_JSON},
    {"ta", no_argument, NULL, OPTION_TA},
    {"host", required_argument, NULL, OPTION_HOST},
    {"port", required_argument, NULL, OPTION_PORT},
    {"ttl", required_argument, NULL, OPTION_TTL},
    {"connect", required_argument, NULL, OPTION_CONNECT},
    {"chain", required_argument, NULL, OPTION_CHAIN},
    {"records", required_argument, NULL, OPTION_RECORDS},
    {"name", required_argument, NULL, OPTION_NAME},
    {"usage", required_argument, NULL, OPTION_USAGE},
    {"selector", required_argument, NULL, OPTION_SELECTOR},
    {"matching", required_argument, NULL, OPTION_MATCHING},
    {"wait", required_argument, NULL, OPTION_WAIT},
    {NULL, 0, NULL, 0},
};

static bool
read_number(const char *text, uint32_t least, uint32_t most, uint32_t *ret)
{
	return text_parse_u32(span_of(text), ret) && *ret >= least &&
	       *ret <= most;
}

static bool
read_octet(const char *text, int *ret)
{
	uint32_t number;

	if (!read_number(text, 0, 255, &number))
		return false;
	*ret = (int)number;
	return true;
}

static bool
read_port(const char *text, uint16_t *ret)
{
	uint32_t number;

	if (!read_number(text, 1, 65535, &number))
		return false;
	*ret = (uint16_t)number;
	return true;
}

static bool
read_connect(const char *text, struct target *ret)
{
	struct err err;

	*ret = (struct target){.kind = TARGET_SMTP};
	return target_endpoint(span_of(text), 0, ret, &err) == 0;
}

/* A name, which may be of any alphabet. */
static bool
read_host(const char *text, char ret[1024])
{
	struct err err;

	return dns_name_from_domain(text, ret, &err) == 0;
}

static bool
add_name(struct tlsa_options *options, const char *name)
{
	if (options->nnames == TLSA_NAMES_MAX || name[0] == '\0')
		return false;
	options->names[options->nnames++] = name;
	return true;
}

/* False: it cannot be taken as it stands. */
static bool
take_option(struct tlsa_options *options, int c, const char *value)
{
	switch (c) {
	case OPTION_HOST:
		return read_host(value, options->host);
	case OPTION_PORT:
		return read_port(value, &options->port);
	case OPTION_TTL:
		return read_number(value, 0, INT32_MAX, &options->ttl);
	case OPTION_CONNECT:
		return read_connect(value, &options->connect);
	case OPTION_CHAIN:
		options->chain = value;
		return true;
	case OPTION_RECORDS:
		options->records = value;
		return true;
	case OPTION_NAME:
		return add_name(options, value);
	case OPTION_USAGE:
		return read_octet(value, &options->usage);
	case OPTION_SELECTOR:
		return read_octet(value, &options->selector);
	case OPTION_MATCHING:
		return read_octet(value, &options->matching);
	case OPTION_WAIT:
		return lookup_read_wait(value, &options->wait_s);
	default:
		break;
	}
	options->json |= c == OPTION_JSON;
	options->ta |= c == OPTION_TA;
	return c == OPTION_JSON || c == OPTION_TA;
}

static const struct {
	int option;
	const char *expected;
} values[] = {
    {OPTION_HOST, "the name of a server"},
    {OPTION_PORT, "a number of 1 to 65535"},
    {OPTION_TTL, "seconds, at most 2147483647"},
    {OPTION_CONNECT, "HOST or HOST:PORT, an IPv6 address in brackets"},
    {OPTION_NAME, "a name, at most 8 times"},
    {OPTION_USAGE, "a number of 0 to 255"},
    {OPTION_SELECTOR, "a number of 0 to 255"},
    {OPTION_MATCHING, "a number of 0 to 255"},
    {OPTION_WAIT, "a time as 20s or 5m, at most 1h"},
};

static const char *
expected(int c)
{
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++)
		if (values[i].option == c)
			return values[i].expected;
	return "something else";
}

static int
refuse_value(int c, const char *name, const char *value)
{
	char shown[64], text[200];

	text_escape(span_of(value), shown, sizeof(shown));
	(void)snprintf(text, sizeof(text), "--%s \"%s\": expected %s", name,
	    shown, expected(c));
	return tlsa_misused(text);
}

/* -1: go on; otherwise the exit status. */
static int
read_options(int argc, char **argv, struct tlsa_options *options)
{
	char problem[OPTION_PROBLEM_SIZE];
	int c, which = 0;

	/* The words before were read by another table. */
	optind = 0;
	opterr = 0;
	/* NOLINTNEXTLINE(concurrency-mt-unsafe): one thread */
	while ((c = getopt_long(argc, argv, ":h", longs, &which)) != -1) {
		if (c == 'h' || c == OPTION_HELP) {
			write_usage(stdout);
			return EXIT_FINE;
		}
		if (c == '?' || c == ':') {
			command_option_problem(c, argv, problem);
			return tlsa_misused(problem);
		}
		if (!take_option(options, c, optarg))
			return refuse_value(c, longs[which].name, optarg);
	}
	options->argc = argc - optind;
	options->argv = argv + optind;
	return -1;
}

/* A server that is connected to by its name needs no --host, no --port. */
static void
host_from_connect(struct tlsa_options *options)
{
	const struct target *connect = &options->connect;
	struct net_address address;

	/* An address is a way around, to the server that --host names. */
	if (connect->host[0] == '\0' ||
	    net_address_ip(connect->host, 0, &address))
		return;
	if (options->host[0] == '\0')
		(void)read_host(connect->host, options->host);
	if (options->port == 0)
		options->port = connect->port;
}

struct lookup *
tlsa_lookup(const struct tlsa_options *options)
{
	if (options->lookup->dns == NULL &&
	    lookup_open(options->common, options->wait_s, options->lookup) < 0)
		return NULL;
	return options->lookup;
}

static int
run_verb(struct tlsa_options *options)
{
	const char *verb = options->argc > 0 ? options->argv[0] : "";

	options->argc--;
	options->argv++;
	if (strcmp(verb, "make") == 0)
		return tlsa_make_run(options);
	if (strcmp(verb, "check") == 0)
		return tlsa_check_run(options);
	write_usage(stderr);
	return EXIT_USAGE;
}

int
tlsa_main(int argc, char **argv, struct options *options)
{
	struct lookup lookup = {.told = false};
	struct tlsa_options own = {.common = options,
	    .json = options->json,
	    .wait_s = LOOKUP_WAIT_S,
	    .lookup = &lookup,
	    .usage = -1,
	    .selector = -1,
	    .matching = -1,
	    .ttl = TLSA_TTL};
	int status = read_options(argc, argv, &own);

	if (status >= 0)
		return status;
	host_from_connect(&own);
	if (own.port == 0)
		own.port = 25;
	status = run_verb(&own);
	lookup_close(&lookup);
	return status;
}

int
tlsa_misused(const char *text)
{
	(void)fprintf(
	    stderr, "danelaw: %s; see \"danelaw tlsa --help\"\n", text);
	return EXIT_USAGE;
}

int
tlsa_sorry(const char *text)
{
	(void)fprintf(stderr, "danelaw: %s\n", text);
	return EXIT_WANTED;
}

int
tlsa_read_file(const char *path, struct buf *ret)
{
	bool is_stdin = strcmp(path, "-") == 0;
	FILE *f;
	char piece[4096];
	bool ok;
	size_t n;

	errno = 0;
	f = is_stdin ? stdin : fopen(path, "rbe");
	ok = f != NULL;
	buf_init(ret, TLSA_FILE_MAX);
	while (ok && (n = fread(piece, 1, sizeof(piece), f)) > 0)
		ok = buf_add(ret, (struct span){piece, n}) == 0;
	ok = ok && ferror(f) == 0;
	if (!ok)
		(void)fprintf(stderr, "danelaw: %s: %s\n", path,
		    errno == 0 ? "too big" : strerrordesc_np(errno));
	if (f != NULL && !is_stdin)
		(void)fclose(f);
	return ok ? 0 : -1;
}

/* --- JSON ----------------------------------------------------------------- */

json_t *
tlsa_record_json(const struct tlsa_record *record)
{
	char *hex = mem_new(2 * record->data.n + 1);
	json_t *object;

	text_hex(record->data.p, record->data.n, hex);
	object = json_pack("{s:i, s:i, s:i, s:s}", "usage", record->usage,
	    "selector", record->selector, "matching", record->matching, "data",
	    hex);
	mem_free(hex);
	return object;
}
