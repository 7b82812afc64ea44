#include "reporting/dkim_signature.h"

#include "base/text.h"
#include "dnssec/name.h"
#include "reporting/dkim_tags.h"

/* RFC 6376 3.5: t= and x= have 12 digits at most, l= has 76. */
#define TIME_DIGITS   12
#define LENGTH_DIGITS 76

#define FINE ((struct dkim_finding){DKIM_PASS, ""})

/* What is being read, and what comes of it. */
struct reader {
	struct dkim_tags tags;
	int64_t now;
	struct dkim_signature *to;
};

/* The rules run in their order; the first that speaks against it, decides. */
typedef struct dkim_finding rule(struct reader *reader);

static struct dkim_finding
broken(const char *why)
{
	return (struct dkim_finding){DKIM_PERMERROR, why};
}

static struct dkim_finding
unknown(const char *why)
{
	return (struct dkim_finding){DKIM_NEUTRAL, why};
}

/* An empty span when it is not there. */
static struct span
value_of(const struct reader *reader, const char *name)
{
	const struct dkim_tag *tag = dkim_tags_find(&reader->tags, name);

	return tag == NULL ? (struct span){"", 0} : tag->value;
}

bool
dkim_name_read(struct span text, char ret[DKIM_NAME_SIZE])
{
	char given[DKIM_NAME_SIZE];
	char normal[DNS_NAME_SIZE];

	if (text.n == 0 || text.n >= sizeof(given) || text.p[text.n - 1] == '.')
		return false;
	for (size_t i = 0; i < text.n; i++)
		if (!text_is_alnum(text.p[i]) && text.p[i] != '-' &&
		    text.p[i] != '_' && text.p[i] != '.')
			return false;
	memcpy(given, text.p, text.n);
	given[text.n] = '\0';
	return dns_name_normal(given, normal) && dns_name_is_host(normal) &&
	       text_copy(ret, DKIM_NAME_SIZE, normal);
}

/* Names first: of a signature that is wrong they are said, too. */
static struct dkim_finding
by_names(struct reader *reader)
{
	struct dkim_signature *to = reader->to;
	bool selector = dkim_name_read(value_of(reader, "s"), to->selector);

	/* RFC 6376 3.5: domain-name has a dot; U-labels are no names */
	if (!dkim_name_read(value_of(reader, "d"), to->domain) ||
	    strchr(to->domain, '.') == NULL) {
		to->domain[0] = '\0';
		return broken("d= is missing, or no domain (RFC 6376 3.5)");
	}
	return selector
	           ? FINE
	           : broken("s= is missing, or no selector (RFC 6376 3.5)");
}

static struct dkim_finding
by_version(struct reader *reader)
{
	return span_eq(value_of(reader, "v"), SPAN("1"))
	           ? FINE
	           : broken("v= is not 1 (RFC 6376 6.1.1)");
}

/* RFC 6376 3.3.4: those we do not know are ignored */
static struct dkim_finding
by_algorithm(struct reader *reader)
{
	struct span a = value_of(reader, "a");

	if (a.n == 0)
		return broken("there is no a= (RFC 6376 6.1.1)");
	/* RFC 8301 3.1: "have permanently failed evaluation" */
	if (span_eq(a, SPAN("rsa-sha1")))
		return (struct dkim_finding){
		    DKIM_FAIL, "rsa-sha1 is not to be used (RFC 8301 3.1)"};
	if (span_eq(a, SPAN("rsa-sha256")))
		reader->to->algorithm = DKIM_RSA_SHA256;
	else if (span_eq(a, SPAN("ed25519-sha256")))
		reader->to->algorithm = DKIM_ED25519_SHA256;
	else
		return unknown("a= is unknown (RFC 6376 3.3.4)");
	return FINE;
}

static bool
read_canon(struct span word, enum dkim_canon *ret)
{
	if (span_eq(word, SPAN("simple")))
		*ret = DKIM_SIMPLE;
	else if (span_eq(word, SPAN("relaxed")))
		*ret = DKIM_RELAXED;
	else
		return false;
	return true;
}

/* RFC 6376 3.5: simple is what is not said, of the body or of both */
static struct dkim_finding
by_canon(struct reader *reader)
{
	const struct dkim_tag *c = dkim_tags_find(&reader->tags, "c");
	struct span header, body = SPAN("simple");
	const char *slash;

	reader->to->header = DKIM_SIMPLE;
	reader->to->body = DKIM_SIMPLE;
	if (c == NULL)
		return FINE;
	header = c->value;
	slash = memchr(header.p, '/', header.n);
	if (slash != NULL) {
		header.n = (size_t)(slash - header.p);
		body = span_from(c->value, header.n + 1);
	}
	return read_canon(header, &reader->to->header) &&
	               read_canon(body, &reader->to->body)
	           ? FINE
	           : unknown("c= is unknown (RFC 6376 3.4)");
}

/* RFC 6376 3.5: of the ways to a key, those we do not know are ignored */
static struct dkim_finding
by_query(struct reader *reader)
{
	const struct dkim_tag *q = dkim_tags_find(&reader->tags, "q");

	return q == NULL || dkim_list_has(q->value, "dns/txt")
	           ? FINE
	           : unknown("q= is unknown (RFC 6376 3.5)");
}

static struct dkim_finding
by_hashes(struct reader *reader)
{
	struct dkim_signature *to = reader->to;
	size_t n = 0;

	if (dkim_base64_read(value_of(reader, "bh"), to->body_hash,
		sizeof(to->body_hash), &n) < 0 ||
	    n != sizeof(to->body_hash))
		return broken("bh= is missing, or no hash (RFC 6376 3.5)");
	return dkim_base64_read(value_of(reader, "b"), to->bytes,
		   sizeof(to->bytes), &to->nbytes) == 0
	           ? FINE
	           : broken("b= is missing, or no signature (RFC 6376 3.5)");
}

/* RFC 6376 3.5: hdr-name, without a colon */
static bool
is_field_name(struct span name)
{
	for (size_t i = 0; i < name.n; i++)
		if (name.p[i] <= ' ' || name.p[i] >= 0x7f)
			return false;
	return name.n > 0;
}

static struct dkim_finding
by_fields(struct reader *reader)
{
	struct dkim_list names = {.rest = value_of(reader, "h")};
	bool from = false;
	struct span name;
	size_t n = 0;

	reader->to->names = names.rest;
	while (dkim_list_next(&names, &name)) {
		if (!is_field_name(name) || ++n > DKIM_NAMES_MAX)
			return broken("h= is missing, or no list of names "
				      "(RFC 6376 3.5)");
		from |= span_eq_nocase(name, SPAN("From"));
	}
	/* RFC 6376 6.1.1: "From field not signed" */
	return from ? FINE : broken("h= is without From (RFC 6376 6.1.1)");
}

/* RFC 6376 2.11: blanks in it are no part of it */
static bool
read_identity(struct span text, char ret[DKIM_NAME_SIZE])
{
	const char *at = memrchr(text.p, '@', text.n);
	char domain[DKIM_NAME_SIZE];
	size_t n = 0;

	if (at == NULL)
		return false;
	for (const char *p = at + 1; p < text.p + text.n; p++) {
		if (memchr(DKIM_FWS, *p, sizeof(DKIM_FWS) - 1) != NULL)
			continue;
		if (n == sizeof(domain))
			return false;
		domain[n++] = *p;
	}
	return dkim_name_read((struct span){domain, n}, ret);
}

/* RFC 6376 6.1.1: the domain of i= is that of d=, or below it */
static struct dkim_finding
by_identity(struct reader *reader)
{
	const struct dkim_tag *i = dkim_tags_find(&reader->tags, "i");
	struct dkim_signature *to = reader->to;

	(void)text_copy(to->identity, sizeof(to->identity), to->domain);
	if (i == NULL)
		return FINE;
	return read_identity(i->value, to->identity) &&
	               dns_name_in(to->identity, to->domain)
	           ? FINE
	           : broken("i= is not in d= (RFC 6376 6.1.1)");
}

static bool
read_number(struct span text, size_t most, uint64_t *ret)
{
	if (text.n == 0 || text.n > most)
		return false;
	for (size_t i = 0; i < text.n; i++)
		if (!text_is_digit(text.p[i]))
			return false;
	if (!text_parse_u64(text, ret))
		*ret = UINT64_MAX;
	return true;
}

static struct dkim_finding
by_length(struct reader *reader)
{
	const struct dkim_tag *l = dkim_tags_find(&reader->tags, "l");

	reader->to->has_length = l != NULL;
	return l == NULL ||
	               read_number(l->value, LENGTH_DIGITS, &reader->to->length)
	           ? FINE
	           : broken("l= is no number (RFC 6376 3.5)");
}

static struct dkim_finding
by_time(struct reader *reader)
{
	const struct dkim_tag *t = dkim_tags_find(&reader->tags, "t");
	const struct dkim_tag *x = dkim_tags_find(&reader->tags, "x");
	uint64_t expires = 0;

	if (t != NULL &&
	    !read_number(t->value, TIME_DIGITS, &reader->to->signed_at))
		return broken("t= is no time (RFC 6376 3.5)");
	if (x == NULL)
		return FINE;
	if (!read_number(x->value, TIME_DIGITS, &expires))
		return broken("x= is no time (RFC 6376 3.5)");
	/* RFC 6376 3.5: "MUST be greater than the value of the "t=" tag" */
	if (t != NULL && expires <= reader->to->signed_at)
		return broken("x= is not after t= (RFC 6376 3.5)");
	/* RFC 6376 6.1.1: "signature expired" */
	if (reader->now <= 0 || (uint64_t)reader->now > expires)
		return (struct dkim_finding){
		    DKIM_POLICY, "the signature has expired (RFC 6376 6.1.1)"};
	return FINE;
}

static rule *const rules[] = {by_names, by_version, by_algorithm, by_canon,
    by_query, by_hashes, by_fields, by_identity, by_length, by_time};

/* RFC 6376 3.7: with the blanks around it b= is the empty string */
static void
cut_b_out(struct span field, struct reader *reader)
{
	const struct dkim_tag *b = dkim_tags_find(&reader->tags, "b");

	if (b == NULL)
		return;
	reader->to->before_b = span_first(
	    field, (size_t)(b->whole.p - field.p));
	reader->to->after_b = span_from(
	    field, reader->to->before_b.n + b->whole.n);
}

struct dkim_finding
dkim_signature_read(struct span field, int64_t now, struct dkim_signature *ret)
{
	const char *colon = field.n == 0 ? NULL : memchr(field.p, ':', field.n);
	struct reader reader = {.now = now, .to = ret};
	struct dkim_finding finding = FINE;
	const char *wrong;

	*ret = (struct dkim_signature){0};
	if (colon == NULL || field.n > DKIM_FIELD_MAX)
		return broken("the field is too long");
	wrong = dkim_tags_read(
	    span_from(field, (size_t)(colon - field.p) + 1), &reader.tags);
	if (wrong != NULL)
		return broken(wrong);
	cut_b_out(field, &reader);
	for (size_t i = 0; finding.verdict == DKIM_PASS &&
			   i < sizeof(rules) / sizeof(rules[0]);
	     i++)
		finding = rules[i](&reader);
	return finding;
}
