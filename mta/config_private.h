/*
 * The stations of config_parse(), in their order:
 *
 *   config_scan.c   text       -> text without comments, one token safe for
 *                                 libConfuse's scanner after the other
 *   config_parse.c  that text  -> blocks of (key, value, line); libConfuse
 *   config_build.c  the blocks -> struct config, by the tables below
 *   config_check.c, config_report.c  the rules between keys
 *
 * config_keys.c is the one list of keys: what libConfuse accepts, how a value
 * is read, its bounds and its default all come from there, and the manual
 * page is tested against it.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/span.h"
#include "mta/config.h"
#include "mta/domain.h"

#define CONFIG_TEXT_MAX  (8u << 20) /* octets of a configuration */
#define CONFIG_VALUE_MAX 1024       /* octets of one value */
#define CONFIG_DEPTH     4          /* blocks in blocks */

/* Memory that dies with the configuration. */
struct config_memory {
	void **owned;
	size_t n;
	size_t cap;
};

void *config_new(struct config_memory *memory, size_t size);
char *config_string(struct config_memory *memory, struct span text);
/*
 * Room for one more element behind `count` of `size` octets; the new one is
 * zeroed.  `array` is NULL or came from here.
 */
void *config_append(
    struct config_memory *memory, void *array, size_t count, size_t size);
void config_memory_free(struct config_memory *memory);

/* Where complaints go: "FILE:LINE: text", one a line. */
struct config_report {
	const char *file;
	struct buf *problems;
	size_t count;
};

void config_problem(struct config_report *report, unsigned line,
    const char *fmt, ...) __attribute__((format(printf, 3, 4)));

enum config_block_kind {
	BLOCK_ROOT = 0,
	BLOCK_LISTEN,
	BLOCK_CERTIFICATE,
	BLOCK_DOMAIN,
	BLOCK_LOOKUP,
	BLOCK_RELAY,
	BLOCK_MILTER,
	BLOCK_ROUTE,
	BLOCK_TLS,
	BLOCK_TLS_SERVER,
	BLOCK_MTA_STS,
	BLOCK_RENEWAL,
	BLOCK_REPORTING,
	BLOCK_DKIM,
	BLOCK_RESOLVER,
	BLOCK_STUB,
	BLOCK_FORWARD,
	BLOCK_LIMITS,
	BLOCK_DEFENCE,
	BLOCK_DNSBL,
	BLOCK_GREYLIST,
	BLOCK_TIMEOUTS,
	BLOCK_RETRY,
	BLOCK_WEB,
	BLOCK_KINDS,
};

struct config_block_type {
	const char *name; /* "" for the file itself */
	enum config_block_kind parent;
	const char *title; /* what its name means; NULL: it has none */
	size_t offset;     /* where a block without a name lives in config */
};

const struct config_block_type *config_block_type(enum config_block_kind kind);

/* How a value is read. */
enum config_value_kind {
	VALUE_HOSTNAME = 0,
	VALUE_PATH,
	VALUE_PATH_OR_NONE, /* "": NULL */
	VALUE_NAME_OR_NONE, /* a domain or ".", or "": NULL */
	VALUE_SOCKET,
	VALUE_WORD,
	VALUE_MAILBOX,
	VALUE_CHOICE, /* bool: the second of two words? */
	VALUE_FLAG,   /* bool: yes or no */
	VALUE_COUNT,  /* uint32_t */
	VALUE_PORT,   /* uint16_t */
	VALUE_SIZE,   /* uint64_t, octets */
	VALUE_SIZE32, /* uint32_t, octets */
	VALUE_MILLISECONDS,
	VALUE_SECONDS,
	VALUE_TARGET,
	VALUE_NEXT_HOP, /* a target, or "" for the MX */
	VALUE_SOURCE,
	VALUE_DELIMITER,
	VALUE_LOOKUP,
	VALUE_QUERY,
	VALUE_LEVEL,
	VALUE_ENFORCEMENT,
	VALUE_REQUIRETLS,
	VALUE_SANDBOX,
	VALUE_DATE, /* int64_t, the second after it, UTC */
	VALUE_REMARK,
	VALUE_MILTER,
	VALUE_FAILURE,
	VALUE_LISTENERS, /* lists from here on */
	VALUE_SOURCES,
	VALUE_PREFIXES,
	VALUE_SERVERS,
	VALUE_NAMES,
	VALUE_DOMAINS,
	VALUE_COPIES,
	VALUE_LOCALS,
	VALUE_HOSTS,
};

struct config_key {
	enum config_block_kind block;
	const char *name;
	enum config_value_kind kind;
	size_t offset;
	uint64_t least,
	    most;            /* numbers; sizes in octets, times in their unit */
	const char *initial; /* the default as it would be written, or NULL */
	bool required;
	const char *choice[2];
};

/* All keys, those of one block together. */
const struct config_key *config_keys(size_t *ret_count);
/* What may stand in a block: "address, ..." */
void config_list_keys(enum config_block_kind kind, char *to, size_t size);
bool config_key_is_list(const struct config_key *key);

struct config_entry { /* one value; a list has one for each element */
	const struct config_key *key;
	const char *text;
	unsigned line; /* 0: a default */
};

struct config_block {
	enum config_block_kind kind;
	const char *title; /* "" when it has none */
	unsigned line;     /* of its opening brace */
	struct config_entry *entries;
	size_t nentries;
};

/* `listen "mx": `; empty for the file itself. */
void config_block_say(const struct config_block *block, char *to, size_t size);

struct config_tree {
	struct config_block *blocks; /* as they close in the file; root last */
	size_t nblocks;
	struct config_memory memory;
};

/*
 * What libConfuse would misread is reported here: open strings and comments,
 * NUL, variables of the environment, quoted keys, escapes.  *ret_clean gets
 * the text with comments blanked, NUL-terminated, lines where they were;
 * ret_lines the line of the opening brace of each block in the order of the
 * closing braces.  -1 when libConfuse must not see it.  An unknown key is
 * reported and blanked with its value, and everything behind it is still read.
 */
int config_scan(struct span text, struct config_report *report,
    struct config_memory *memory, char **ret_clean, unsigned **ret_lines);

/* -1 when the shape is wrong or a key unknown; reported. */
int config_read(const char *clean, const unsigned *lines,
    struct config_report *report, struct config_tree *tree);

/* Everything that is wrong goes to the report. */
void config_build(const struct config_tree *tree, struct config_report *report,
    struct config *config, struct config_memory *memory);
void config_check(const struct config_tree *tree, struct config_report *report,
    const struct config *config);

/*
 * One value into the struct of its block.  -1 with the value and what was
 * expected in its place: "12Q": expected a size of 64K to 4G.
 */
int config_value(const struct config_entry *entry, void *block,
    struct config_memory *memory, struct err *err);

struct value { /* being read: config_value.c, config_tls.c */
	const struct config_key *key;
	struct span text;
	unsigned line;
	void *to; /* the key's place in its block */
	struct config_memory *memory;
};

typedef bool read_value(const struct value *value);

read_value read_level, read_enforcement, read_requiretls, read_date,
    read_remark, read_name, read_mailbox, read_excluded, read_copy, read_host,
    read_source_of, read_delimiter, read_lookup, read_query, read_milter,
    read_failure;

/* One certificate is the default at most: a rule of config_check(). */
void config_check_certificates(const struct config_tree *tree,
    struct config_report *report, const struct config *config);
/* What reporting { } says has to fit together: a rule of config_check(). */
void config_check_reporting(const struct config_tree *tree,
    struct config_report *report, const struct config *config);
/* The contact's domain, folded; false: it has none. */
bool config_contact_domain(const struct config *config, char to[DOMAIN_MAX]);

/* Where a key was set; where its block or the file begins when it was not. */
unsigned config_line_of(const struct config_tree *tree,
    enum config_block_kind kind, const char *name);

/* Sorted elements whose first member is a pattern, as of a route. */
struct config_patterns {
	const void *array;
	size_t n, size;
	bool (*accept)(const void *element, const void *arg); /* or NULL: all */
	const void *arg;
};

/* The name itself, then what it is below of, nearest first, then "*". */
const void *config_match(const struct config_patterns *in, const char *name);

/* Digits and a unit within the key's bounds, and those bounds in words. */
bool config_number(
    const struct config_key *key, struct span text, uint64_t *ret);
void config_number_expected(
    const struct config_key *key, char *to, size_t size);
