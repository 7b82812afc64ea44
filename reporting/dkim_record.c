#include "reporting/dkim_record.h"

#include "reporting/dkim_tags.h"

/* NULL, or what is wrong; RFC 6376 6.1.2 is the order in which they run. */
typedef const char *rule(const struct dkim_tags *tags, struct dkim_record *ret);

/* RFC 6376 3.6.1: "If specified, [...] MUST be the first tag" */
static const char *
by_version(const struct dkim_tags *tags, struct dkim_record *ret)
{
	const struct dkim_tag *v = dkim_tags_find(tags, "v");

	(void)ret;
	if (v == NULL)
		return NULL;
	if (v != &tags->list[0])
		return "v= of the key is not its first tag (RFC 6376 3.6.1)";
	return span_eq(v->value, SPAN("DKIM1"))
	           ? NULL
	           : "v= of the key is not DKIM1 (RFC 6376 3.6.1)";
}

/* RFC 6376 3.6.1: those we do not know are ignored */
static const char *
by_flags(const struct dkim_tags *tags, struct dkim_record *ret)
{
	const struct dkim_tag *t = dkim_tags_find(tags, "t");

	if (t != NULL && dkim_list_has(t->value, "y"))
		ret->flags |= DKIM_FLAG_TESTING;
	if (t != NULL && dkim_list_has(t->value, "s"))
		ret->flags |= DKIM_FLAG_STRICT;
	return NULL;
}

/*
 * RFC 6376 3.6.1: "MUST ignore this record if the appropriate type is not
 * listed"
 */
static const char *
by_service(const struct dkim_tags *tags, struct dkim_record *ret)
{
	(void)tags;
	return (ret->flags &
		   (DKIM_FLAG_ANY_SERVICE | DKIM_FLAG_NAMED_SERVICE)) != 0
	           ? NULL
	           : "the key is not for this service (RFC 6376 3.6.1)";
}

/* RFC 6376 6.1.2: h= without our hash */
static const char *
by_hash(const struct dkim_tags *tags, struct dkim_record *ret)
{
	const struct dkim_tag *h = dkim_tags_find(tags, "h");

	(void)ret;
	return h == NULL || dkim_list_has(h->value, "sha256")
	           ? NULL
	           : "the key is not for sha256 (RFC 6376 6.1.2)";
}

static const char *
by_key(const struct dkim_tags *tags, struct dkim_record *ret)
{
	const struct dkim_tag *p = dkim_tags_find(tags, "p");

	if (p == NULL)
		return "the key has no p= (RFC 6376 3.6.1)";
	/* RFC 6376 3.6.1: "An empty value means that [it] has been revoked" */
	if (p->value.n == 0) {
		ret->flags |= DKIM_FLAG_REVOKED;
		return "the key is revoked (RFC 6376 6.1.2)";
	}
	return dkim_base64_read(
		   p->value, ret->key, sizeof(ret->key), &ret->nkey) == 0
	           ? NULL
	           : "p= of the key is no base64 (RFC 6376 3.6.1)";
}

/* RFC 6376 6.1.2: k= has to be what a= asks for */
static const char *
by_type(const struct dkim_tags *tags, struct dkim_record *ret)
{
	const struct dkim_tag *k = dkim_tags_find(tags, "k");
	enum dkim_algorithm type = DKIM_ALGORITHM_OTHER;

	if (k == NULL || span_eq(k->value, SPAN("rsa")))
		type = DKIM_RSA_SHA256;
	else if (span_eq(k->value, SPAN("ed25519")))
		/* RFC 8463 4.2 */
		type = DKIM_ED25519_SHA256;
	return type != DKIM_ALGORITHM_OTHER && type == ret->algorithm
	           ? NULL
	           : "the key is of another type than a= (RFC 6376 6.1.2)";
}

static unsigned
services(const struct dkim_tags *tags, const char *service)
{
	const struct dkim_tag *s = dkim_tags_find(tags, "s");

	if (s == NULL)
		return DKIM_FLAG_ANY_SERVICE;
	return (dkim_list_has(s->value, "*") ? DKIM_FLAG_ANY_SERVICE : 0u) |
	       (dkim_list_has(s->value, service) ? DKIM_FLAG_NAMED_SERVICE
						 : 0u);
}

static rule *const rules[] = {
    by_version, by_flags, by_service, by_hash, by_key, by_type};

struct dkim_finding
dkim_record_read(struct span text, const char *service,
    enum dkim_algorithm algorithm, struct dkim_record *ret)
{
	struct dkim_tags tags;
	const char *wrong = dkim_tags_read(text, &tags);

	*ret = (struct dkim_record){.algorithm = algorithm};
	if (wrong == NULL)
		ret->flags = services(&tags, service);
	for (size_t i = 0;
	     wrong == NULL && i < sizeof(rules) / sizeof(rules[0]); i++)
		wrong = rules[i](&tags, ret);
	if (wrong == NULL)
		return (struct dkim_finding){DKIM_PASS, ""};
	ret->nkey = 0;
	return (struct dkim_finding){DKIM_PERMERROR, wrong};
}
