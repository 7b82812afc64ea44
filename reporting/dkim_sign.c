#include "reporting/dkim_sign.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/mem.h"
#include "base/text.h"
#include "reporting/dkim_canon.h"
#include "reporting/dkim_header.h"
#include "reporting/dkim_signature.h"

/* RFC 6376 3.5: t= and x= have 12 digits at most. */
#define TIME_MOST INT64_C(999999999999)

struct dkim_signer {
	struct dkim_sign_setup setup;
	char domain[DKIM_NAME_SIZE];
	struct dkim_header header;
	struct dkim_body body;
	struct dkim_hash *hash;
	bool cr;     /* the last octet; LF has to follow */
	bool bare;   /* there was a CR or LF alone */
	bool failed; /* the header is beyond every measure */
};

/* --- before the message --------------------------------------------------- */

/* RFC 6376 5.4: fields that a way may change are not signed. */
static bool
may_sign(struct span name)
{
	static const char *const never[] = {
	    "DKIM-Signature", "Return-Path", "Received"};

	for (size_t i = 0; i < sizeof(never) / sizeof(never[0]); i++)
		if (span_eq_nocase(name, span_of(never[i])))
			return false;
	for (size_t i = 0; i < name.n; i++)
		if (name.p[i] <= ' ' || name.p[i] >= 0x7f || name.p[i] == ':' ||
		    name.p[i] == ';')
			return false;
	return name.n > 0;
}

static int
check_fields(const char *const *fields, struct err *err)
{
	for (; fields != NULL && *fields != NULL; fields++)
		if (!may_sign(span_of(*fields)))
			return err_set(err, ERR_PERM, "5.3.5",
			    "a field \"%s\" is not to be signed", *fields);
	return 0;
}

static int
check_setup(const struct dkim_sign_setup *setup, struct err *err)
{
	char name[DKIM_NAME_SIZE];

	if (setup->nkeys == 0 || setup->nkeys > DKIM_SIGN_KEYS_MAX)
		return err_set(err, ERR_PERM, "5.3.5",
		    "a message is signed with 1 to %d keys",
		    DKIM_SIGN_KEYS_MAX);
	if (setup->now <= 0 || setup->now > TIME_MOST - UINT32_MAX)
		return err_set(
		    err, ERR_TEMP, "4.3.0", "nobody said what time it is");
	for (size_t i = 0; i < setup->nkeys; i++) {
		const char *selector = setup->keys[i].selector;

		if (!dkim_name_read(span_of(selector), name))
			return err_set(err, ERR_PERM, "5.3.5",
			    "\"%s\" is no selector",
			    selector == NULL ? "" : selector);
	}
	if (check_fields(setup->fields, err) < 0)
		return -1;
	return check_fields(setup->oversigned, err);
}

static void
take_body(struct span bytes, void *arg)
{
	dkim_hash_add(arg, bytes);
}

int
dkim_signer_new(const struct dkim_sign_setup *setup, struct dkim_signer **ret,
    struct err *err)
{
	char domain[DKIM_NAME_SIZE];
	struct dkim_signer *s;

	/* RFC 6376 3.5: domain-name has a dot */
	if (!dkim_name_read(span_of(setup->domain), domain) ||
	    strchr(domain, '.') == NULL)
		return err_set(err, ERR_PERM, "5.3.5",
		    "\"%s\" is no domain that can sign",
		    setup->domain == NULL ? "" : setup->domain);
	if (check_setup(setup, err) < 0)
		return -1;
	s = mem_new(sizeof(*s));
	s->setup = *setup;
	(void)text_copy(s->domain, sizeof(s->domain), domain);
	dkim_header_init(&s->header);
	s->hash = dkim_hash_new();
	dkim_body_init(&s->body, setup->body, take_body, s->hash);
	*ret = s;
	return 0;
}

void
dkim_signer_free(struct dkim_signer **signer)
{
	if (*signer == NULL)
		return;
	dkim_hash_free(&(*signer)->hash);
	dkim_header_free(&(*signer)->header);
	mem_free(*signer);
	*signer = NULL;
}

/* --- the message ---------------------------------------------------------- */

static void
look_for_bare(struct dkim_signer *s, struct span piece)
{
	for (size_t i = 0; i < piece.n; i++) {
		s->bare |= s->cr != (piece.p[i] == '\n');
		s->cr = piece.p[i] == '\r';
	}
}

/* For good: what was left of the header would be signed for the whole. */
static int
give_up(struct dkim_signer *s, struct err *err)
{
	s->failed = true;
	return err_set(err, ERR_PERM, "5.6.0",
	    "the header is longer than %zu octets or has more than %d fields",
	    DKIM_HEADER_MAX, DKIM_FIELDS_MAX);
}

int
dkim_signer_feed(struct dkim_signer *signer, struct span piece, struct err *err)
{
	if (signer->failed)
		return give_up(signer, err);
	look_for_bare(signer, piece);
	if (!signer->header.complete &&
	    dkim_header_feed(&signer->header, &piece) < 0)
		return give_up(signer, err);
	dkim_body_feed(&signer->body, piece);
	return 0;
}

/* --- which fields --------------------------------------------------------- */

/* h= while it is being made; a name is in it as often as it has to be. */
struct listing {
	const struct dkim_header *header;
	struct buf *out;
	size_t n;
};

static bool
is_listed(const struct buf *out, struct span name)
{
	struct span rest = buf_span(out);

	while (rest.n > 0) {
		const char *colon = memchr(rest.p, ':', rest.n);
		size_t n = colon == NULL ? rest.n : (size_t)(colon - rest.p);

		if (span_eq_nocase(span_first(rest, n), name))
			return true;
		rest = span_from(rest, n + 1);
	}
	return false;
}

/*
 * RFC 6376 5.4.2: once for each field, from the last up; once more, and none
 * can be added.
 */
static int
list_name(struct listing *listing, const char *name, size_t more)
{
	size_t n = dkim_header_count(listing->header, span_of(name)) + more;

	if (is_listed(listing->out, span_of(name)))
		return 0;
	for (; n > 0; n--)
		if (listing->n++ == DKIM_NAMES_MAX ||
		    (listing->out->n > 0 &&
			buf_add_str(listing->out, ":") < 0) ||
		    buf_add_str(listing->out, name) < 0)
			return -1;
	return 0;
}

static int
list_fields(const struct dkim_signer *s, struct buf *out)
{
	struct listing listing = {.header = &s->header, .out = out};
	int rc = list_name(&listing, "From", 1);

	for (const char *const *p = s->setup.oversigned;
	     rc == 0 && p != NULL && *p != NULL; p++)
		rc = list_name(&listing, *p, 1);
	for (const char *const *p = s->setup.fields;
	     rc == 0 && p != NULL && *p != NULL; p++)
		rc = list_name(&listing, *p, 0);
	return rc;
}

/* --- the field ------------------------------------------------------------ */

/* A field that is folded while it is written.  Over the limit it is broken. */
struct folding {
	struct buf *out;
	size_t column;
	bool broken;
};

static void
add(struct folding *to, struct span text)
{
	to->broken |= buf_add(to->out, text) < 0;
	to->column += text.n;
}

/* Begin a line when `n` octets would not fit on this one. */
static void
fold(struct folding *to, size_t n)
{
	if (to->column + n <= DKIM_LINE_MAX)
		return;
	add(to, SPAN("\r\n"));
	to->column = 0;
	add(to, SPAN(" "));
}

/* "; name=value": room for it and the next semicolon, or a new line. */
static void
add_tag(struct folding *to, const char *name, const char *value)
{
	size_t n = strlen(name) + 1 + strlen(value);

	add(to, SPAN(";"));
	if (to->column + 1 + n + 1 > DKIM_LINE_MAX)
		fold(to, DKIM_LINE_MAX);
	else
		add(to, SPAN(" "));
	add(to, span_of(name));
	add(to, SPAN("="));
	add(to, span_of(value));
}

static void
add_time(struct folding *to, const char *name, int64_t time)
{
	char text[24];

	(void)snprintf(text, sizeof(text), "%" PRId64, time);
	add_tag(to, name, text);
}

/* RFC 6376 3.5: blanks may stand at the colons */
static void
add_names(struct folding *to, struct span names)
{
	add_tag(to, "h", "");
	while (names.n > 0) {
		const char *colon = memchr(names.p, ':', names.n);
		size_t n = colon == NULL ? names.n
		                         : (size_t)(colon - names.p) + 1;

		fold(to, n + 1);
		add(to, span_first(names, n));
		names = span_from(names, n);
	}
}

/* RFC 6376 3.5: blanks may stand anywhere in b= */
static void
add_signature(struct folding *to, struct span base64)
{
	while (base64.n > 0) {
		size_t room;

		fold(to, 1);
		room = DKIM_LINE_MAX - to->column;
		add(to, span_first(base64, room));
		base64 = span_from(base64, room);
	}
}

/* All of the field up to "b=". */
static void
add_claims(const struct dkim_signer *s, const struct dkim_sign_key *key,
    const char *body_hash, struct span names, struct folding *to)
{
	char canon[32];

	(void)snprintf(canon, sizeof(canon), "%s/%s",
	    dkim_canon_name(s->setup.header), dkim_canon_name(s->setup.body));
	add(to, SPAN("DKIM-Signature: v=1"));
	add_tag(to, "a", dkim_algorithm_name(dkim_key_algorithm(key->key)));
	add_tag(to, "c", canon);
	add_tag(to, "d", s->domain);
	add_tag(to, "s", key->selector);
	add_time(to, "t", s->setup.now);
	if (s->setup.lifetime > 0)
		add_time(to, "x", s->setup.now + s->setup.lifetime);
	add_names(to, names);
	add_tag(to, "bh", body_hash);
	add_tag(to, "b", "");
}

/* What all signatures of a message have in common. */
struct common {
	struct buf names;     /* h= */
	struct buf body_hash; /* bh=, a C string */
};

static int
sign(const struct dkim_signer *s, const struct dkim_sign_key *key,
    const struct common *common, struct buf *out, struct err *err)
{
	unsigned char hash[DKIM_HASH_SIZE];
	struct folding to = {.out = out};
	size_t from = out->n;
	struct dkim_cover cover = {.canon = s->setup.header,
	    .names = buf_span(&common->names),
	    .own = DKIM_NO_FIELD};
	struct buf base64;
	int rc = -1;

	add_claims(s, key, common->body_hash.p, cover.names, &to);
	cover.field = span_from(buf_span(out), from);
	if (to.broken || dkim_header_hash(&s->header, &cover, hash) < 0)
		return err_set(
		    err, ERR_TEMP, "4.3.0", "the header cannot be hashed");
	buf_init(&base64, (size_t)2 * DKIM_SIGNATURE_SIZE);
	if (dkim_key_sign(key->key, hash, &base64, err) == 0) {
		add_signature(&to, buf_span(&base64));
		add(&to, SPAN("\r\n"));
		rc = !to.broken ? 0
		                : err_set(err, ERR_TEMP, "4.3.0",
				      "there is no room for a signature");
	}
	buf_free(&base64);
	return rc;
}

static int
sign_all(struct dkim_signer *s, struct common *common, struct buf *out,
    struct err *err)
{
	unsigned char hash[DKIM_HASH_SIZE];
	size_t from = out->n;

	if (list_fields(s, &common->names) < 0)
		return err_set(err, ERR_PERM, "5.6.0",
		    "there are too many fields to sign");
	dkim_body_end(&s->body);
	if (dkim_hash_end(s->hash, hash) < 0 ||
	    dkim_base64_write((struct span){(const char *)hash, sizeof(hash)},
		&common->body_hash) < 0 ||
	    buf_add(&common->body_hash, (struct span){"", 1}) < 0)
		return err_set(
		    err, ERR_TEMP, "4.3.0", "the body cannot be hashed");
	for (size_t i = 0; i < s->setup.nkeys; i++)
		if (sign(s, &s->setup.keys[i], common, out, err) < 0) {
			out->n = from;
			return -1;
		}
	return 0;
}

int
dkim_signer_end(struct dkim_signer *signer, struct buf *out, struct err *err)
{
	struct common common;
	int rc;

	if (signer->failed)
		return give_up(signer, err);
	/* RFC 6376 5.3: what is signed is what will arrive */
	if (signer->bare || signer->cr)
		return err_set(
		    err, ERR_PERM, "5.6.0", "a bare CR or LF cannot be signed");
	if (!signer->header.complete && dkim_header_end(&signer->header) < 0)
		return give_up(signer, err);
	/* It would become a part of the signature in front of it. */
	if (signer->header.bytes.n > 0 &&
	    (signer->header.bytes.p[0] == ' ' ||
		signer->header.bytes.p[0] == '\t'))
		return err_set(
		    err, ERR_PERM, "5.6.0", "the header begins with a blank");
	/* RFC 6376 5.4: "The From header field MUST be signed" */
	if (dkim_header_count(&signer->header, SPAN("From")) == 0)
		return err_set(
		    err, ERR_PERM, "5.6.0", "the message has no From field");
	buf_init(&common.names, DKIM_FIELD_MAX / 2);
	buf_init(&common.body_hash, (size_t)2 * DKIM_HASH_SIZE);
	rc = sign_all(signer, &common, out, err);
	buf_free(&common.names);
	buf_free(&common.body_hash);
	return rc;
}
