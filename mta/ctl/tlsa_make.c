/* danelaw tlsa make */
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "mta/ctl/table.h"
#include "mta/ctl/tlsa.h"
#include "tlsa/object.h"
#include "tlsa/zone.h"

#define OBJECTS_MAX 64

struct maker {
	const struct tlsa_options *options;
	struct arena *arena;
	uint8_t usage, selector, matching;
	char owner[TLSA_OWNER_SIZE]; /* "": the data alone is printed */
};

/* The parameters, each from its option or from what is best. */
static void
set_parameters(struct maker *maker)
{
	const struct tlsa_options *options = maker->options;
	bool ta = options->ta || options->usage == TLSA_DANE_TA;

	/* RFC 7672 3.1: 3 1 1 first, 2 0 1 second */
	maker->usage = ta ? TLSA_DANE_TA : TLSA_DANE_EE;
	maker->selector = ta ? TLSA_CERT : TLSA_SPKI;
	maker->matching = TLSA_SHA256;
	if (options->usage >= 0)
		maker->usage = (uint8_t)options->usage;
	if (options->selector >= 0)
		maker->selector = (uint8_t)options->selector;
	if (options->matching >= 0)
		maker->matching = (uint8_t)options->matching;
}

/*
 * Usage 3 takes the first that has what the selector wants, usage 2 the last:
 * files are written own certificate first.
 */
static const struct tlsa_object *
choose(const struct maker *maker, const struct tlsa_object *objects, size_t n)
{
	const struct tlsa_object *last = NULL;

	for (size_t i = 0; i < n; i++) {
		if (maker->selector == TLSA_CERT && objects[i].cert.n == 0)
			continue;
		if (maker->usage == TLSA_DANE_EE)
			return &objects[i];
		last = &objects[i];
	}
	return last == NULL ? &objects[0] : last;
}

/* A line of a zone, or without a name the data alone. */
static int
write_line(const struct maker *maker, const struct tlsa_record *record,
    const char *hex, struct buf *line)
{
	if (maker->owner[0] != '\0')
		return tlsa_zone_print(
		    maker->owner, maker->options->ttl, record, line);
	return buf_printf(line, "%u %u %u %s\n", record->usage,
	    record->selector, record->matching, hex);
}

static int
print_record(const struct maker *maker, const struct tlsa_record *record)
{
	json_t *object = tlsa_record_json(record);
	struct buf line;
	int status = EXIT_FINE;

	buf_init(&line, TLSA_FILE_MAX);
	if (write_line(maker, record,
		json_string_value(json_object_get(object, "data")),
		&line) < 0) {
		status = tlsa_sorry("the record is too long to be printed");
	} else if (maker->options->json) {
		(void)json_object_set_new(
		    object, "owner", json_string(maker->owner));
		(void)json_object_set_new(
		    object, "zone", json_stringn(line.p, line.n - 1));
		table_json(stdout, json_incref(object));
	} else {
		(void)fwrite(line.p, 1, line.n, stdout);
	}
	json_decref(object);
	buf_free(&line);
	return status;
}

static int
make_of(const struct maker *maker, struct span pem, const char *name)
{
	struct tlsa_object objects[OBJECTS_MAX];
	struct tlsa_record record;
	struct err err;
	size_t n = 0;

	if (tlsa_objects_read(
		pem, maker->arena, objects, OBJECTS_MAX, &n, &err) < 0 ||
	    tlsa_object_record(choose(maker, objects, n), maker->usage,
		maker->selector, maker->matching, maker->arena, &record,
		&err) < 0) {
		(void)err_wrap(&err, name);
		return tlsa_sorry(err.text);
	}
	/* RFC 7671 10.1.2 */
	if (maker->matching == TLSA_FULL)
		(void)fputs("danelaw: matching type 0 makes big answers; 1 is "
			    "better\n",
		    stderr);
	return print_record(maker, &record);
}

static int
make_of_server(const struct maker *maker)
{
	static const struct tls_client_setup setup = {0};
	struct tls_client *client = NULL;
	struct tls_facts facts;
	struct buf chain;
	struct err err;
	int status = EXIT_WANTED;

	if (tls_client_new(&setup, &client, &err) < 0)
		return tlsa_sorry(err.text);
	if (tlsa_live(maker->options, NULL, client, &facts, &chain) == 0) {
		status = make_of(
		    maker, buf_span(&chain), maker->options->connect.host);
		buf_free(&chain);
	}
	tls_client_free(&client);
	return status;
}

static int
make_of_files(const struct maker *maker)
{
	int status = EXIT_FINE;

	for (int i = 0; i < maker->options->argc; i++) {
		const char *path = maker->options->argv[i];
		struct buf pem;

		if (tlsa_read_file(path, &pem) < 0 ||
		    make_of(maker, buf_span(&pem), path) != EXIT_FINE)
			status = EXIT_WANTED;
		/* There may be a private key in it. */
		if (pem.p != NULL)
			explicit_bzero(pem.p, pem.n);
		buf_free(&pem);
	}
	return status;
}

int
tlsa_make_run(const struct tlsa_options *options)
{
	struct maker maker = {.options = options};
	int status;

	if ((options->argc > 0) == (options->connect.host[0] != '\0'))
		return tlsa_misused("tlsa make wants either FILE or --connect");
	if (options->chain != NULL || options->records != NULL ||
	    options->nnames > 0)
		return tlsa_misused(
		    "--chain, --records and --name are for tlsa check");
	if (options->host[0] != '\0' &&
	    !tlsa_owner(options->host, options->port, maker.owner))
		return tlsa_misused("--host is too long a name");
	set_parameters(&maker);
	maker.arena = arena_new(TLSA_ARENA_MAX);
	status = options->connect.host[0] == '\0' ? make_of_files(&maker)
	                                          : make_of_server(&maker);
	arena_free(&maker.arena);
	return status;
}
