/* OpenSSL's own DANE cases and two real chains, through our code. */
#include <openssl/pem.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "mta/net/tls_offline.h"

#include "tests/support/corpus.h"
#include "tests/support/test.h"
#include "tests/support/tls_kit.h"

#define RECORDS           8
#define HOSTNAME_MISMATCH 62

/* One block: records, certificates and what OpenSSL made of them. */
struct sample {
	size_t nrecords, ncerts, nonames;
	long want, depth;
	struct buf rdata[RECORDS];
	struct buf pem;
	bool pkix; /* a usage that SMTP has not */
};

struct tally {
	unsigned cases, passed, failed, unusable;
};

static struct span
take_line(struct span *rest)
{
	const char *end = memchr(rest->p, '\n', rest->n);
	size_t n = end == NULL ? rest->n : (size_t)(end - rest->p);
	struct span line = span_first(*rest, n);

	*rest = span_from(*rest, n + 1);
	return line;
}

static unsigned
digit(char c)
{
	return text_is_digit(c) ? (unsigned)(c - '0')
	                        : (unsigned)(text_lower(c) - 'a') + 10;
}

static void
add_hex(struct buf *out, const char *hex)
{
	for (; hex[0] != '\0' && hex[1] != '\0'; hex += 2) {
		char c = (char)(digit(hex[0]) << 4 | digit(hex[1]));

		assert_int_equal(buf_add(out, (struct span){&c, 1}), 0);
	}
}

/* The next number of a line; -1 stands for itself. */
static long
take_number(const char **line)
{
	uint32_t number = 0;
	bool minus;
	size_t n;

	*line += strspn(*line, " ");
	minus = **line == '-';
	*line += minus;
	n = strspn(*line, "0123456789");
	assert_true(text_parse_u32((struct span){*line, n}, &number));
	*line += n;
	return minus ? -(long)number : (long)number;
}

/* "3 1 1 hex" */
static void
read_record(struct sample *sample, struct buf *rdata, const char *line)
{
	buf_init(rdata, 70000);
	for (int i = 0; i < 3; i++) {
		long number = take_number(&line);
		char c = (char)number;

		sample->pkix |= i == 0 && number < 2;
		assert_int_equal(buf_add(rdata, (struct span){&c, 1}), 0);
	}
	add_hex(rdata, line + strspn(line, " "));
}

static void
read_head(struct sample *sample, const char *line)
{
	sample->nrecords = (size_t)take_number(&line);
	sample->ncerts = (size_t)take_number(&line);
	sample->nonames = (size_t)take_number(&line);
	sample->want = take_number(&line);
	sample->depth = take_number(&line);
	assert_in_range(sample->nrecords, 1, RECORDS);
}

static bool
next_text(struct span *rest, char *to, size_t size)
{
	while (rest->n > 0) {
		struct span line = take_line(rest);

		if (line.n == 0 || line.p[0] == '#')
			continue;
		assert_true(line.n < size);
		memcpy(to, line.p, line.n);
		to[line.n] = '\0';
		return true;
	}
	return false;
}

static void
read_certificates(struct sample *sample, struct span *rest)
{
	size_t n = 0;

	while (rest->n > 0 && n < sample->ncerts) {
		struct span line = take_line(rest);

		assert_int_equal(buf_add(&sample->pem, line), 0);
		assert_int_equal(buf_add(&sample->pem, SPAN("\n")), 0);
		n += span_starts_nocase(line, SPAN("-----END CERT"));
	}
	assert_int_equal(n, sample->ncerts);
}

/* False at the end of the file. */
static bool
read_sample(struct span *rest, struct sample *sample)
{
	char *line = malloc(100000);
	bool any = next_text(rest, line, 100000);

	*sample = (struct sample){0};
	buf_init(&sample->pem, 100000);
	if (any) {
		read_head(sample, line);
		for (size_t i = 0; i < sample->nrecords; i++) {
			assert_true(next_text(rest, line, 100000));
			read_record(sample, &sample->rdata[i], line);
		}
		read_certificates(sample, rest);
	}
	free(line);
	return any;
}

static enum tlsa_state
set_of_rdata(const struct buf *bytes, size_t n, const char *base,
    struct arena *arena, struct tlsa_set *set)
{
	struct span rdata[RECORDS];
	struct dns_answer answer = {
	    .trust = DNS_SECURE, .exists = true, .rdata = rdata, .nrdata = n};

	for (size_t i = 0; i < n; i++)
		rdata[i] = buf_span(&bytes[i]);
	return tlsa_read(&answer, base, arena, set);
}

/* What SMTP makes of a verdict of OpenSSL's. */
static bool
is_as_wanted(const struct sample *sample, const struct tls_facts *facts)
{
	/* RFC 7672 3.1.1: names never count with usage 3. */
	bool named = sample->want == HOSTNAME_MISMATCH &&
	             (unsigned char)sample->rdata[0].p[0] == 3;

	if (sample->want != 0 && !named)
		return facts->dane.check == TLS_CHECK_FAILED;
	return facts->dane.check == TLS_CHECK_PASSED &&
	       facts->depth == sample->depth;
}

static void
run_sample(struct sample *sample, const char *base, struct tls_client *client,
    struct tally *tally)
{
	struct arena *arena = arena_new(1000000);
	struct tls_demand demand = {.sni = base};
	struct tls_facts facts = {0};
	struct tlsa_set set;
	struct err err;
	enum tlsa_state state = set_of_rdata(
	    sample->rdata, sample->nrecords, base, arena, &set);

	tally->cases++;
	demand.set = &set;
	if (sample->pkix) {
		/* RFC 7672 3.1.3, RFC 7671 4.1 */
		assert_int_equal(state, TLSA_UNUSABLE);
		tally->unusable++;
	} else {
		assert_int_equal(state, TLSA_USABLE);
		assert_int_equal(
		    tls_verify_offline(client, buf_span(&sample->pem), &demand,
			0, &facts, &err),
		    0);
		if (!is_as_wanted(sample, &facts))
			fail_msg("case %u: %s at %d, not %ld at %ld: %s",
			    tally->cases, tls_check_name(facts.dane.check),
			    facts.depth, sample->want, sample->depth,
			    facts.dane.why);
		tally->passed += facts.dane.check == TLS_CHECK_PASSED;
		tally->failed += facts.dane.check == TLS_CHECK_FAILED;
	}
	arena_free(&arena);
}

static bool
run_file(const char *name, const char *base, struct tally *tally)
{
	struct tls_client_setup setup = {0};
	struct tls_client *client;
	struct sample sample;
	struct span rest;
	struct buf file;
	struct err err;

	if (corpus_read(name, &file) < 0)
		return false;
	assert_int_equal(tls_client_new(&setup, &client, &err), 0);
	rest = buf_span(&file);
	while (read_sample(&rest, &sample)) {
		run_sample(&sample, base, client, tally);
		for (size_t i = 0; i < sample.nrecords; i++)
			buf_free(&sample.rdata[i]);
		buf_free(&sample.pem);
	}
	buf_free(&sample.pem);
	buf_free(&file);
	tls_client_free(&client);
	return true;
}

static void
openssl_cases(void **state)
{
	struct tally tally = {0};

	(void)state;
	if (!run_file("dane/openssl/danetest.in", "example.com", &tally))
		skip();
	assert_int_equal(tally.cases, 54);
	assert_int_equal(tally.unusable, 20);
	assert_int_equal(tally.failed, 6);
	assert_int_equal(tally.passed, 28);
}

static void
openssl_cross_certificates(void **state)
{
	struct tally tally = {0};

	(void)state;
	if (!run_file("dane/openssl/dane-cross.in", "server.example", &tally))
		skip();
	assert_int_equal(tally.cases, 1);
	assert_int_equal(tally.passed, 1);
}

#define CHAINS "dane/stalwart-real-chains/"

/* DER files NAME.0.cert.der and so on, as PEM. */
static bool
read_chain(const char *name, struct buf *pem)
{
	buf_init(pem, 100000);
	for (int i = 0; i < 8; i++) {
		char path[100];
		struct buf der;
		struct issued one = {0};
		const unsigned char *p;

		(void)snprintf(
		    path, sizeof(path), CHAINS "%s.%d.cert.der", name, i);
		if (corpus_read(path, &der) < 0) {
			buf_free(&der);
			return i > 0;
		}
		p = (const unsigned char *)der.p;
		one.cert = d2i_X509(NULL, &p, (long)der.n);
		add_cert_pem(pem, &one);
		issued_free(&one);
		buf_free(&der);
	}
	return true;
}

static const struct {
	const char *host, *record, *matched;
} real[] = {
    {"internet.nl",
	"2 1 1 E1AE9C3DE848ECE1BA72E0D991AE4D0D9EC547C6BAD1DDDAB9D6BEB0"
	"A7E0E0D8",
	"2 1 1"},
    {"internet.nl",
	"3 1 1 D6FEA64D4E68CAEAB7CBB2E0F905D7F3CA3308B12FD88C5B469F08AD"
	"7E05C7C7",
	"3 1 1"},
    {"mail.ietf.org",
	"3 1 1 0C72AC70B745AC19998811B131D662C9AC69DBDBE7CB23E5B514B566"
	"64C5D3D6",
	"3 1 1"},
    {"mail.ietf.org",
	"3 1 1 D6FEA64D4E68CAEAB7CBB2E0F905D7F3CA3308B12FD88C5B469F08AD"
	"7E05C7C7",
	NULL},
};

/* They have expired since; usage 2 wants a time they lived. */
static void
run_real(struct tls_client *client, size_t at, struct buf *pem)
{
	struct arena *arena = arena_new(100000);
	struct sample sample = {0};
	struct tls_facts facts = {0};
	struct tls_cert leaf;
	struct tlsa_set set;
	struct tls_demand demand = {.set = &set};
	struct err err;
	size_t n;

	read_record(&sample, &sample.rdata[0], real[at].record);
	assert_int_equal(
	    set_of_rdata(sample.rdata, 1, real[at].host, arena, &set),
	    TLSA_USABLE);
	assert_int_equal(tls_cert_read(buf_span(pem), &leaf, 1, &n, &err), 0);
	assert_int_equal(tls_verify_offline(client, buf_span(pem), &demand,
			     leaf.not_before + 86400, &facts, &err),
	    0);
	assert_string_equal(
	    facts.matched, real[at].matched == NULL ? "" : real[at].matched);
	buf_free(&sample.rdata[0]);
	arena_free(&arena);
}

static void
real_chains_match_their_records(void **state)
{
	struct tls_client_setup setup = {0};
	struct tls_client *client;
	size_t there = 0;
	struct err err;

	(void)state;
	assert_int_equal(tls_client_new(&setup, &client, &err), 0);
	for (size_t i = 0; i < ROWS(real); i++) {
		struct buf pem;

		if (read_chain(real[i].host, &pem)) {
			run_real(client, i, &pem);
			there++;
		}
		buf_free(&pem);
	}
	tls_client_free(&client);
	if (there == 0)
		skip();
	assert_int_equal(there, ROWS(real));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(openssl_cases),
	    cmocka_unit_test(openssl_cross_certificates),
	    cmocka_unit_test(real_chains_match_their_records),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
