/* See advice.h: one rule a function. */
#include "tlsa/advice.h"

#include <stdbool.h>
#include <string.h>

/* RFC 1035 4.1: header and question, and what stands before a record's data. */
#define ANSWER_HEAD   12u
#define QUESTION_TAIL 4u
#define RECORD_HEAD   12u
#define RDATA_HEAD    3u

static bool
is_for_smtp(const struct tlsa_record *record)
{
	return record->use >= TLSA_OUTRANKED;
}

static size_t
count(const struct tlsa_set *set, unsigned usage, unsigned selector,
    unsigned matching)
{
	size_t n = 0;

	for (size_t i = 0; i < set->n; i++)
		n += is_for_smtp(&set->records[i]) &&
		     set->records[i].usage == usage &&
		     set->records[i].selector == selector &&
		     set->records[i].matching == matching;
	return n;
}

/* RFC 7671 2: "SHOULD NOT publish [...] only with digests other than SHA2-256" */
static int
by_digest(const struct tlsa_set *set, struct buf *out)
{
	bool any = false;

	for (size_t i = 0; i < set->n; i++) {
		if (!is_for_smtp(&set->records[i]))
			continue;
		if (set->records[i].matching != TLSA_SHA512)
			return 0;
		any = true;
	}
	return any ? buf_add_str(out,
			 "all digests are of matching type 2: 1 is the one "
			 "that everybody knows (RFC 7671 2)\n")
	           : 0;
}

/* RFC 7671 5.2.1, RFC 7671 10.1.2 */
static int
by_object(const struct tlsa_set *set, struct buf *out)
{
	for (unsigned usage = TLSA_DANE_TA; usage <= TLSA_DANE_EE; usage++)
		for (unsigned selector = 0; selector <= 1; selector++)
			if (count(set, usage, selector, TLSA_FULL) > 0 &&
			    buf_printf(out,
				"%u %u 0 makes big answers: a digest is "
				"better, %u %u 1 (RFC 7671 10.1.2)\n",
				usage, selector, usage, selector) < 0)
				return -1;
	return 0;
}

/* RFC 7671 5.2.1, RFC 7672 3.1.2 */
static int
by_anchor(const struct tlsa_set *set, struct buf *out)
{
	for (unsigned matching = 0; matching <= TLSA_SHA512; matching++)
		if (count(set, TLSA_DANE_TA, TLSA_SPKI, matching) > 0 &&
		    buf_printf(out,
			"2 1 %u: usage 2 is best with selector 0, the "
			"certificate (RFC 7671 5.2.1)\n",
			matching) < 0)
			return -1;
	return 0;
}

/* RFC 7671 8.3: who knows the stronger digest looks at no other. */
static int
by_agility(const struct tlsa_set *set, struct buf *out)
{
	for (unsigned usage = TLSA_DANE_TA; usage <= TLSA_DANE_EE; usage++)
		for (unsigned selector = 0; selector <= 1; selector++) {
			size_t weak = count(set, usage, selector, TLSA_SHA256);
			size_t strong = count(
			    set, usage, selector, TLSA_SHA512);

			if (weak > 0 && strong > 0 && weak != strong &&
			    buf_printf(out,
				"%zu of %u %u 1, but %zu of %u %u 2: each key "
				"wants all digests in use (RFC 7671 8.3)\n",
				weak, usage, selector, strong, usage,
				selector) < 0)
				return -1;
		}
	return 0;
}

/* RFC 7671 10.1.1; what signs it comes on top. */
static int
by_size(const struct tlsa_set *set, struct buf *out)
{
	char owner[TLSA_OWNER_SIZE];
	size_t octets = ANSWER_HEAD + QUESTION_TAIL;

	if (set->n == 0 || !tlsa_owner(set->base, 25, owner))
		return 0;
	octets += strlen(owner) + 2;
	for (size_t i = 0; i < set->n; i++)
		octets += RECORD_HEAD + RDATA_HEAD + set->records[i].data.n;
	if (octets <= TLSA_ANSWER_GOOD)
		return 0;
	return buf_printf(out,
	    "an answer has %zu octets without its signatures: above %u it may "
	    "get lost (RFC 7671 10.1.1)\n",
	    octets, TLSA_ANSWER_GOOD);
}

/* RFC 7671 13 */
static int
by_ttl(const struct tlsa_set *set, struct buf *out)
{
	if (set->ttl <= TLSA_TTL_GOOD)
		return 0;
	return buf_printf(out,
	    "their TTL is %u seconds: so long would a key that is lost stay "
	    "(RFC 7671 13)\n",
	    set->ttl);
}

typedef int advice_rule(const struct tlsa_set *set, struct buf *out);

static advice_rule *const rules[] = {
    by_digest, by_object, by_anchor, by_agility, by_size, by_ttl};

int
tlsa_advise(const struct tlsa_set *set, struct buf *out)
{
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
		if (rules[i](set, out) < 0)
			return -1;
	return 0;
}
