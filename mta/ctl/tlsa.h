/* Private to mta/ctl/tlsa*.c: danelaw tlsa make and check. */
#pragma once
#include "base/arena.h"
#include "base/buf.h"
#include "mta/ctl/command.h"
#include "mta/net/tls.h"
#include "mta/target.h"
#include "tlsa/tlsa.h"

struct lookup;

#define TLSA_NAMES_MAX 8
#define TLSA_TTL       3600
/* Most octets of a file, and of what is made of it. */
#define TLSA_FILE_MAX  (1u << 20)
#define TLSA_ARENA_MAX (8u << 20)

struct tlsa_options {
	const struct options *common;
	bool json;
	bool ta;
	int usage, selector, matching; /* -1: not given */
	char host[1024];               /* normal form; "": not given */
	uint16_t port;
	uint32_t ttl;
	struct target connect; /* host "": not given; port 0: nor that */
	const char *chain;     /* NULL: not given, as below */
	const char *records;
	const char *names[TLSA_NAMES_MAX];
	size_t nnames;
	uint32_t wait_s;       /* for DNS */
	struct lookup *lookup; /* see tlsa_lookup() */
	int argc;
	char **argv;
};

int tlsa_make_run(const struct tlsa_options *options);
int tlsa_check_run(const struct tlsa_options *options);

/* "danelaw: TEXT" and where to read on, to stderr; EXIT_USAGE. */
int tlsa_misused(const char *text);
/* "danelaw: TEXT" to stderr; EXIT_WANTED. */
int tlsa_sorry(const char *text);
/* For all that is looked up, opened once; NULL: complained. */
struct lookup *tlsa_lookup(const struct tlsa_options *options);
/* A file, or "-" for standard input.  -1: complained. */
int tlsa_read_file(const char *path, struct buf *ret);
/*
 * The chain a live server shows: --connect, or --host and --port.  -1:
 * complained.  The facts are those of a session with this set (or NULL).
 */
int tlsa_live(const struct tlsa_options *options, const struct tlsa_set *set,
    struct tls_client *client, struct tls_facts *ret_facts, struct buf *chain);

struct json_t;
/* usage, selector, matching and data as JSON. */
struct json_t *tlsa_record_json(const struct tlsa_record *record);
