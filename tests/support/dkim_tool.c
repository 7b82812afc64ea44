/*
 * Sign a message, or verify one, for tests against other programs.
 *
 *     dkim_tool sign -d DOMAIN [-c HEADER/BODY] [-t NOW] [-x SECONDS]
 *             [-f FIELD]... [-o FIELD]... SELECTOR=KEYFILE...
 *     dkim_tool verify [-t NOW] [-s SERVICE] [-r REPORTER] NAME=RECORD...
 *
 * The message comes from standard input, its lines end with CRLF.  `sign`
 * writes the message with its signatures; `verify` a line for each signature:
 * verdict, d=, s=, a= and why.  A name without a record is asked in vain,
 * "NAME" without "=" fails.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/text.h"
#include "reporting/dkim_report.h"
#include "reporting/dkim_sign.h"
#include "reporting/dkim_verify.h"

#define MESSAGE_MAX ((size_t)64 << 20)
#define LIST_MAX    40

struct options {
	const char *domain, *canon, *service, *reporter;
	int64_t now;
	uint32_t lifetime;
	const char *fields[LIST_MAX + 1], *oversigned[LIST_MAX + 1];
	size_t nfields, noversigned;
};

static void
die(const char *why)
{
	(void)fprintf(stderr, "dkim_tool: %s\n", why);
	exit(2);
}

static void
read_all(FILE *from, struct buf *to)
{
	char piece[4096];
	size_t n;

	buf_init(to, MESSAGE_MAX);
	while ((n = fread(piece, 1, sizeof(piece), from)) > 0)
		if (buf_add(to, (struct span){piece, n}) < 0)
			die("too long");
}

/* In pieces that no line end respects. */
static struct span
next_piece(struct span *rest)
{
	struct span piece = span_first(*rest, 61);

	*rest = span_from(*rest, piece.n);
	return piece;
}

static struct dkim_key *
read_key(const char *path)
{
	FILE *f = fopen(path, "rbe");
	struct dkim_key *key = NULL;
	struct err err;
	struct buf pem;

	if (f == NULL)
		die(path);
	read_all(f, &pem);
	(void)fclose(f);
	if (dkim_key_read(buf_span(&pem), &key, &err) < 0)
		die(err.text);
	buf_free(&pem);
	return key;
}

static enum dkim_canon
canon_of(const char *word)
{
	return span_starts_nocase(span_of(word), SPAN("simple")) ? DKIM_SIMPLE
	                                                         : DKIM_RELAXED;
}

static int
sign(const struct options *options, char **keys, size_t nkeys)
{
	const char *slash = options->canon == NULL
	                        ? "/relaxed"
	                        : strchr(options->canon, '/');
	struct dkim_sign_key list[DKIM_SIGN_KEYS_MAX];
	struct dkim_key *owned[DKIM_SIGN_KEYS_MAX];
	struct dkim_sign_setup setup = {.domain = options->domain,
	    .keys = list,
	    .nkeys = nkeys,
	    .header = options->canon == NULL ? DKIM_RELAXED
	                                     : canon_of(options->canon),
	    .body = slash == NULL ? DKIM_SIMPLE : canon_of(slash + 1),
	    .fields = options->fields,
	    .oversigned = options->noversigned > 0 ? options->oversigned
	                                           : dkim_report_fields,
	    .now = options->now,
	    .lifetime = options->lifetime};
	struct dkim_signer *signer = NULL;
	struct buf message, out;
	struct span rest;
	struct err err;

	for (size_t i = 0; i < nkeys && i < DKIM_SIGN_KEYS_MAX; i++) {
		char *equals = strchr(keys[i], '=');

		if (equals == NULL)
			die("no SELECTOR=KEYFILE");
		*equals = '\0';
		owned[i] = read_key(equals + 1);
		list[i] = (struct dkim_sign_key){owned[i], keys[i]};
	}
	read_all(stdin, &message);
	buf_init(&out, (size_t)1 << 20);
	rest = buf_span(&message);
	if (dkim_signer_new(&setup, &signer, &err) < 0)
		die(err.text);
	while (rest.n > 0)
		if (dkim_signer_feed(signer, next_piece(&rest), &err) < 0)
			die(err.text);
	if (dkim_signer_end(signer, &out, &err) < 0)
		die(err.text);
	(void)fwrite(out.p, 1, out.n, stdout);
	(void)fwrite(message.p, 1, message.n, stdout);
	dkim_signer_free(&signer);
	for (size_t i = 0; i < nkeys; i++)
		dkim_key_free(&owned[i]);
	buf_free(&message);
	buf_free(&out);
	return 0;
}

static void
answer(struct dkim_verifier *v, const char *name, char **records, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		size_t length = strlen(name);

		if (strncmp(records[i], name, length) != 0)
			continue;
		if (records[i][length] == '=') {
			dkim_verifier_answer_text(
			    v, span_of(records[i] + length + 1));
			return;
		}
		if (records[i][length] == '\0') {
			dkim_verifier_answer(v, &(struct dns_answer){0});
			return;
		}
	}
	dkim_verifier_answer_text(v, (struct span){NULL, 0});
}

static void
print(const struct dkim_verifier *v, size_t i)
{
	const struct dkim_result *result = dkim_verifier_result(v, i);

	(void)printf("%s d=%s s=%s a=%s bits=%u l=%s names=%d why=%s\n",
	    dkim_verdict_name(result->verdict), result->domain,
	    result->selector, dkim_algorithm_name(result->algorithm),
	    result->key_bits, result->has_length ? "yes" : "no",
	    dkim_verifier_covers(v, i, "TLS-Report-Domain") &&
		dkim_verifier_covers(v, i, "TLS-Report-Submitter"),
	    result->why);
}

static int
verify(const struct options *options, char **records, size_t n)
{
	struct dkim_verifier *v = dkim_verifier_new(
	    &(struct dkim_verify_setup){options->now, options->service});
	struct buf message;
	struct span rest;
	const char *name;
	struct err err;

	read_all(stdin, &message);
	rest = buf_span(&message);
	while (rest.n > 0)
		if (dkim_verifier_feed(v, next_piece(&rest), &err) < 0)
			die(err.text);
	if (dkim_verifier_end(v, &err) < 0)
		die(err.text);
	while ((name = dkim_verifier_question(v)) != NULL)
		answer(v, name, records, n);
	for (size_t i = 0; i < dkim_verifier_count(v); i++)
		print(v, i);
	if (options->reporter != NULL) {
		struct dkim_report report = dkim_report_judge(
		    v, options->reporter);

		(void)printf("report %s %s\n",
		    report.vouched ? "vouched" : "ignored", report.why);
	}
	buf_free(&message);
	dkim_verifier_free(&v);
	return 0;
}

static void
take_option(struct options *to, int option, const char *value)
{
	uint64_t number = 0;

	if ((option == 't' || option == 'x') &&
	    !text_parse_u64(span_of(value), &number))
		die(value);
	if (to->nfields == LIST_MAX || to->noversigned == LIST_MAX)
		die("too many fields");
	if (option == 'd')
		to->domain = value;
	else if (option == 'c')
		to->canon = value;
	else if (option == 's')
		to->service = value;
	else if (option == 'r')
		to->reporter = value;
	else if (option == 't')
		to->now = (int64_t)number;
	else if (option == 'x')
		to->lifetime = (uint32_t)number;
	else if (option == 'f')
		to->fields[to->nfields++] = value;
	else if (option == 'o')
		to->oversigned[to->noversigned++] = value;
	else
		die("what?");
}

int
main(int argc, char **argv)
{
	struct options options = {.now = clock_wall(), .domain = ""};
	int option;

	if (argc < 2)
		die("sign or verify?");
	/* NOLINTNEXTLINE(concurrency-mt-unsafe): there is one thread */
	while ((option = getopt(argc - 1, argv + 1, "d:c:s:r:t:x:f:o:")) != -1)
		take_option(&options, option, optarg);
	argv += 1 + optind;
	argc -= 1 + optind;
	if (strcmp(argv[-optind], "sign") == 0)
		return sign(&options, argv, (size_t)argc);
	if (strcmp(argv[-optind], "verify") == 0)
		return verify(&options, argv, (size_t)argc);
	die("sign or verify?");
	return 2;
}
