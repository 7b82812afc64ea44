/* danelaw tlsa check */
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "mta/ctl/lookup.h"
#include "mta/ctl/table.h"
#include "mta/ctl/tlsa.h"
#include "mta/net/tls_offline.h"
#include "tlsa/advice.h"
#include "tlsa/zone.h"

struct checker {
	const struct tlsa_options *options;
	struct arena *arena;
	struct tls_client *client;
	enum tlsa_state state;
	struct tlsa_set set;
	const char *why; /* of the state, when it was looked up */
	size_t foreign;  /* records of other owners, left out */
	struct buf chain;
	struct tls_cert certs[TLS_CHAIN_MAX];
	size_t ncerts;
	struct tls_facts facts; /* of the whole set */
};

/* --- the records ---------------------------------------------------------- */

/* RFC 2181 5.2: one set has one TTL. */
static void
take_entry(const struct tlsa_entry *entry, struct span rdata[TLSA_RECORDS_MAX],
    struct dns_answer *answer)
{
	rdata[answer->nrdata++] = entry->rdata;
	if (entry->ttl > answer->ttl)
		answer->ttl = entry->ttl;
}

/* What was given is taken for secure: it is what will be published. */
static int
use_entries(struct checker *checker, const struct tlsa_entry *entries, size_t n)
{
	struct span rdata[TLSA_RECORDS_MAX];
	struct dns_answer answer = {.trust = DNS_SECURE, .rdata = rdata};
	char owner[TLSA_OWNER_SIZE];

	if (!tlsa_owner(checker->options->host, checker->options->port, owner))
		return tlsa_sorry("--host is too long a name");
	for (size_t i = 0; i < n; i++) {
		if (entries[i].owner[0] != '\0' &&
		    strcmp(entries[i].owner, owner) != 0)
			checker->foreign++;
		else
			take_entry(&entries[i], rdata, &answer);
	}
	answer.exists = answer.nrdata > 0;
	checker->state = tlsa_read(
	    &answer, checker->options->host, checker->arena, &checker->set);
	checker->why = "the records are too short to be any, or too many";
	return EXIT_FINE;
}

static int
read_text(struct checker *checker, struct span text, const char *name)
{
	struct tlsa_entry entries[TLSA_RECORDS_MAX];
	struct err err;
	size_t n = 0;

	if (tlsa_zone_read(
		text, checker->arena, entries, TLSA_RECORDS_MAX, &n, &err) == 0)
		return use_entries(checker, entries, n);
	(void)err_wrap(&err, name);
	return tlsa_sorry(err.text);
}

/* A record is one operand; typed without quotes, "3 1 1 DATA" is four. */
static int
read_operands(struct checker *checker)
{
	struct buf text;
	int status = EXIT_FINE;
	size_t more = 0; /* words of the record that is not complete */

	buf_init(&text, TLSA_FILE_MAX);
	for (int i = 0; i < checker->options->argc; i++) {
		const char *operand = checker->options->argv[i];
		const char *between = more > 0 ? " " : "\n";

		if (more > 0)
			more--;
		else if (strpbrk(operand, " \t") == NULL)
			more = 3;
		if (buf_printf(&text, "%s%s", between, operand) < 0)
			status = tlsa_sorry("too much text");
	}
	if (status == EXIT_FINE)
		status = read_text(checker, buf_span(&text), "record");
	buf_free(&text);
	return status;
}

static int
look_up(struct checker *checker)
{
	struct lookup *lookup = tlsa_lookup(checker->options);
	struct host_dns host;
	struct tlsa_found found;

	if (lookup == NULL)
		return EXIT_WANTED;
	lookup_host(lookup, checker->options->host, &host);
	lookup_tlsa(
	    lookup, &host, checker->options->port, checker->arena, &found);
	checker->state = found.state;
	checker->set = found.set;
	checker->why = found.why;
	return EXIT_FINE;
}

static int
find_records(struct checker *checker)
{
	struct buf text;
	int status = EXIT_WANTED;

	if (checker->options->argc > 0)
		return read_operands(checker);
	if (checker->options->records == NULL)
		return look_up(checker);
	if (tlsa_read_file(checker->options->records, &text) == 0)
		status = read_text(
		    checker, buf_span(&text), checker->options->records);
	buf_free(&text);
	return status;
}

/* --- the chain ------------------------------------------------------------ */

static struct tls_demand
demand_of(const struct checker *checker, const struct tlsa_set *set)
{
	return (struct tls_demand){.set = set,
	    .names = checker->options->names,
	    .nnames = checker->options->nnames};
}

static int
read_certs(struct checker *checker, const char *file)
{
	struct err err;

	if (tls_cert_read(buf_span(&checker->chain), checker->certs,
		TLS_CHAIN_MAX, &checker->ncerts, &err) == 0)
		return EXIT_FINE;
	if (file != NULL)
		(void)err_wrap(&err, file);
	return tlsa_sorry(err.text);
}

/* A file is there or not, before anybody is asked for records. */
static int
read_chain(struct checker *checker)
{
	const char *file = checker->options->chain;

	if (file == NULL)
		return EXIT_FINE;
	if (tlsa_read_file(file, &checker->chain) < 0)
		return EXIT_WANTED;
	return read_certs(checker, file);
}

/* What a server shows, or the file had, against the records. */
static int
try_chain(struct checker *checker)
{
	const char *file = checker->options->chain;
	const struct tlsa_set *set = checker->state == TLSA_USABLE
	                                 ? &checker->set
	                                 : NULL;
	struct tls_demand demand = demand_of(checker, set);
	struct err err;

	if (file == NULL)
		return tlsa_live(checker->options, set, checker->client,
			   &checker->facts, &checker->chain) < 0
		           ? EXIT_WANTED
		           : read_certs(checker, NULL);
	if (set == NULL ||
	    tls_verify_offline(checker->client, buf_span(&checker->chain),
		&demand, 0, &checker->facts, &err) == 0)
		return EXIT_FINE;
	(void)err_wrap(&err, file);
	return tlsa_sorry(err.text);
}

/* --- each record by itself ------------------------------------------------ */

static void
check_record(struct checker *checker, const struct tlsa_record *record,
    struct tls_facts *ret)
{
	struct tlsa_record alone = *record;
	struct tlsa_set set = {
	    .base = checker->set.base, .records = &alone, .n = 1, .nused = 1};
	struct tls_demand demand = demand_of(checker, &set);
	struct err err;

	*ret = (struct tls_facts){0};
	if (record->use < TLSA_OUTRANKED)
		return;
	alone.use = TLSA_IN_USE;
	if (tls_verify_offline(checker->client, buf_span(&checker->chain),
		&demand, 0, ret, &err) < 0)
		(void)text_copy(ret->dane.why, sizeof(ret->dane.why), err.text);
}

static const char *
use_words(enum tlsa_use use)
{
	switch (use) {
	case TLSA_MALFORMED:
		return "unusable: malformed";
	case TLSA_UNSUPPORTED:
		return "unusable: not for SMTP, or unknown";
	case TLSA_OUTRANKED:
		return "not looked at: a stronger digest stands beside it";
	case TLSA_IN_USE:
		break;
	}
	return "";
}

static void
print_record(const struct tlsa_record *record, const struct tls_facts *facts)
{
	bool matches = facts->dane.check == TLS_CHECK_PASSED;
	char hex[2 * 8 + 1];

	text_hex(record->data.p, record->data.n < 8 ? record->data.n : 8, hex);
	(void)printf("  %u %u %u %s%s  ", record->usage, record->selector,
	    record->matching, hex, record->data.n > 8 ? "..." : "");
	if (record->use != TLSA_IN_USE)
		(void)printf("%s%s\n", use_words(record->use),
		    matches ? " (it would match)" : "");
	else if (matches)
		(void)printf("matches at depth %d\n", facts->depth);
	else
		(void)printf("does not match: %s\n", facts->dane.why);
}

static json_t *
record_json(const struct tlsa_record *record, const struct tls_facts *facts)
{
	bool matches = facts->dane.check == TLS_CHECK_PASSED;
	json_t *object = tlsa_record_json(record);

	(void)json_object_set_new(
	    object, "use", json_string(tlsa_use_name(record->use)));
	(void)json_object_set_new(object, "matches", json_boolean(matches));
	if (matches)
		(void)json_object_set_new(
		    object, "depth", json_integer(facts->depth));
	else if (facts->dane.why[0] != '\0')
		(void)json_object_set_new(
		    object, "why", json_string(facts->dane.why));
	return object;
}

/* --- the end -------------------------------------------------------------- */

static bool
authenticated(const struct checker *checker)
{
	return checker->state == TLSA_USABLE &&
	       checker->facts.dane.check == TLS_CHECK_PASSED;
}

static const char *
verdict_why(const struct checker *checker)
{
	switch (checker->state) {
	case TLSA_USABLE:
		return checker->facts.dane.why;
	case TLSA_UNUSABLE:
		return "no record is usable";
	case TLSA_NONE:
		return checker->foreign > 0 ? "no record is this server's"
		                            : "there are no secure records";
	case TLSA_LOOKUP_FAILED:
	case TLSA_NOT_EVALUATED:
		break;
	}
	return checker->why;
}

static void
print_chain(const struct checker *checker)
{
	for (size_t i = 0; i < checker->ncerts; i++) {
		const struct tls_cert *cert = &checker->certs[i];
		char until[CLOCK_RFC5322_SIZE];

		clock_rfc5322(cert->not_after, until);
		(void)printf("  %zu %s, %s %d bits, until %s%s%s\n", i,
		    cert->subject[0] == '\0' ? "(no subject)" : cert->subject,
		    cert->key, cert->bits, until,
		    cert->names[0] == '\0' ? "" : ", for ", cert->names);
	}
}

static bool
take_note(struct span *rest, struct span *ret)
{
	const char *end = rest->n == 0 ? NULL : memchr(rest->p, '\n', rest->n);

	if (end == NULL)
		return false;
	*ret = span_first(*rest, (size_t)(end - rest->p));
	*rest = span_from(*rest, ret->n + 1);
	return true;
}

/* What says nothing about this chain, but about the next: to `say`, each. */
static void
advise(const struct tlsa_set *set, void (*say)(struct span note, void *arg),
    void *arg)
{
	struct span rest, note;
	struct buf lines;

	buf_init(&lines, TLSA_FILE_MAX);
	(void)tlsa_advise(set, &lines);
	rest = buf_span(&lines);
	while (take_note(&rest, &note))
		say(note, arg);
	buf_free(&lines);
}

static void
print_note(struct span note, void *arg)
{
	(void)arg;
	(void)printf("note: %.*s\n", (int)note.n, note.p);
}

static void
print_all(struct checker *checker)
{
	struct tls_facts facts;

	(void)printf("records of %s, port %u: %s\n",
	    checker->set.base[0] == '\0' ? checker->options->host
					 : checker->set.base,
	    checker->options->port, tlsa_state_name(checker->state));
	for (size_t i = 0; i < checker->set.n; i++) {
		check_record(checker, &checker->set.records[i], &facts);
		print_record(&checker->set.records[i], &facts);
	}
	if (checker->foreign > 0)
		(void)printf(
		    "  (%zu of other names left out)\n", checker->foreign);
	(void)puts("chain:");
	print_chain(checker);
	if (authenticated(checker))
		(void)printf("authenticated by %s at depth %d\n",
		    checker->facts.matched, checker->facts.depth);
	else
		(void)printf("not authenticated: %s\n", verdict_why(checker));
	advise(&checker->set, print_note, NULL);
}

static json_t *
cert_json(const struct tls_cert *cert)
{
	char sha256[65], spki[65];

	text_hex(cert->sha256, sizeof(cert->sha256), sha256);
	text_hex(cert->spki_sha256, sizeof(cert->spki_sha256), spki);
	return json_pack("{s:s, s:s, s:s, s:I, s:I, s:s, s:i, s:s, s:s}",
	    "subject", cert->subject, "issuer", cert->issuer, "names",
	    cert->names, "not_before", (json_int_t)cert->not_before,
	    "not_after", (json_int_t)cert->not_after, "key", cert->key, "bits",
	    cert->bits, "sha256", sha256, "spki_sha256", spki);
}

static void
add_note(struct span note, void *arg)
{
	(void)json_array_append_new(arg, json_stringn(note.p, note.n));
}

static json_t *
advice_json(const struct tlsa_set *set)
{
	json_t *notes = json_array();

	advise(set, add_note, notes);
	return notes;
}

static void
print_json(struct checker *checker)
{
	bool ok = authenticated(checker);
	json_t *records = json_array(), *chain = json_array();
	struct tls_facts facts;

	for (size_t i = 0; i < checker->set.n; i++) {
		check_record(checker, &checker->set.records[i], &facts);
		(void)json_array_append_new(
		    records, record_json(&checker->set.records[i], &facts));
	}
	for (size_t i = 0; i < checker->ncerts; i++)
		(void)json_array_append_new(
		    chain, cert_json(&checker->certs[i]));
	table_json(stdout,
	    json_pack("{s:s, s:s, s:i, s:s, s:b, s:s, s:i, s:s, s:o, s:o, s:o}",
		"host", checker->options->host, "base", checker->set.base,
		"port", checker->options->port, "state",
		tlsa_state_name(checker->state), "authenticated", ok, "matched",
		checker->facts.matched, "depth", ok ? checker->facts.depth : -1,
		"why", ok ? "" : verdict_why(checker), "records", records,
		"chain", chain, "notes", advice_json(&checker->set)));
}

static int
check(struct checker *checker)
{
	static const struct tls_client_setup setup = {0};
	struct err err;

	if (tls_client_new(&setup, &checker->client, &err) < 0)
		return tlsa_sorry(err.text);
	if (read_chain(checker) != EXIT_FINE ||
	    find_records(checker) != EXIT_FINE ||
	    try_chain(checker) != EXIT_FINE)
		return EXIT_WANTED;
	if (checker->options->json)
		print_json(checker);
	else
		print_all(checker);
	return authenticated(checker) ? EXIT_FINE : EXIT_WANTED;
}

int
tlsa_check_run(const struct tlsa_options *options)
{
	struct checker checker = {.options = options, .set.base = ""};
	int status;

	if (options->host[0] == '\0')
		return tlsa_misused("tlsa check wants --host NAME");
	if (options->ta || options->usage >= 0 || options->selector >= 0 ||
	    options->matching >= 0)
		return tlsa_misused(
		    "--ta, --usage and the like are for tlsa make");
	if ((options->records != NULL && options->argc > 0) ||
	    (options->chain != NULL && options->connect.host[0] != '\0'))
		return tlsa_misused(
		    "tlsa check wants one source of records and one chain");
	checker.arena = arena_new(TLSA_ARENA_MAX);
	status = check(&checker);
	buf_free(&checker.chain);
	tls_client_free(&checker.client);
	arena_free(&checker.arena);
	return status;
}
