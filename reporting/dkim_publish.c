#include "reporting/dkim_publish.h"

int
dkim_publish_record(const struct dkim_key *key, struct buf *out)
{
	bool rsa = dkim_key_algorithm(key) == DKIM_RSA_SHA256;

	if (buf_printf(out, "v=DKIM1; k=%s; p=", rsa ? "rsa" : "ed25519") < 0)
		return -1;
	return dkim_key_public(key, out);
}

/* RFC 6376 3.6.2.2: "concatenated together [...] with no intervening space" */
int
dkim_publish_line(const char *selector, const char *domain, struct span record,
    struct buf *out)
{
	if (buf_printf(out, "%s._domainkey.%s. TXT", selector, domain) < 0)
		return -1;
	while (record.n > 0) {
		struct span part = span_first(record, DKIM_STRING_MAX);

		if (buf_printf(out, " \"%.*s\"", (int)part.n, part.p) < 0)
			return -1;
		record = span_from(record, part.n);
	}
	return buf_add_str(out, "\n");
}
