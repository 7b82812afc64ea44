/* One host's TLSA records: the base domains in turn, until one has some. */
#include "tlsa/find.h"

#include <stdio.h>

#include "base/mem.h"
#include "base/text.h"

struct tlsa_find {
	struct dns *dns;
	struct host_dns host; /* the bases point into it */
	const char *bases[2];
	size_t nbases;
	uint16_t port;
	struct arena *arena;
	tlsa_found_fn *done;
	void *arg;
	struct dns_query *query;
	struct tlsa_found found;
};

static dns_done on_answer, on_nothing_to_ask;

static void
finish(struct tlsa_find *find, enum tlsa_state state, const char *why)
{
	find->found.state = state;
	find->found.why = why;
	find->done(&find->found, find->arg);
	mem_free(find);
}

/* False: no name is left to ask. */
static bool
ask_next(struct tlsa_find *find)
{
	while (find->found.ntries < find->nbases) {
		struct tlsa_try *try = &find->found.tries[find->found.ntries];
		const char *base = find->bases[find->found.ntries++];

		/* A name too long for DNS has no records. */
		if (tlsa_owner(base, find->port, try->owner)) {
			find->query = dns_lookup(
			    find->dns, try->owner, RR_TLSA, on_answer, find);
			return true;
		}
		(void)text_copy(try->owner, sizeof(try->owner), base);
		try->trust = find->host.trust;
		(void)text_copy(try->why, sizeof(try->why),
		    "the name is too long to have TLSA records");
	}
	return false;
}

static void
note_answer(struct tlsa_try *try, const struct dns_answer *answer,
    enum tlsa_state state)
{
	try->trust = answer->trust;
	try->exists = answer->exists;
	if (answer->canonical != NULL &&
	    strcmp(answer->canonical, try->owner) != 0)
		(void)text_copy(
		    try->alias, sizeof(try->alias), answer->canonical);
	if (answer->why != NULL)
		text_escape(span_of(answer->why), try->why, sizeof(try->why));
	else if (state == TLSA_LOOKUP_FAILED)
		(void)text_copy(try->why, sizeof(try->why),
		    "the answer is malformed or too long");
}

/* What proves that there is nothing may come without a time of its own. */
static void
note_ttl(struct tlsa_found *found, const struct dns_answer *answer)
{
	if ((answer->exists || answer->ttl > 0) && answer->ttl < found->ttl)
		found->ttl = answer->ttl;
}

static const char *
reason(enum tlsa_state state)
{
	switch (state) {
	case TLSA_USABLE:
		return "secure TLSA records";
	case TLSA_UNUSABLE:
		return "secure TLSA records, none of them usable";
	case TLSA_NONE:
		return "no secure TLSA records";
	case TLSA_LOOKUP_FAILED:
	case TLSA_NOT_EVALUATED:
		break;
	}
	return "the TLSA lookup failed";
}

static void
on_answer(const struct dns_answer *answer, void *arg)
{
	struct tlsa_find *find = arg;
	size_t at = find->found.ntries - 1;
	enum tlsa_state state;

	find->query = NULL;
	/*
	 * RFC 7672 2.2.3: an alias at the TLSA name leads to the records and
	 * changes nothing else; the base domain stays the host's name.
	 */
	state = tlsa_read(
	    answer, find->bases[at], find->arena, &find->found.set);
	note_answer(&find->found.tries[at], answer, state);
	note_ttl(&find->found, answer);
	find->found.not_asked = answer->not_asked;
	/* RFC 7672 2.2.3: nothing secure here, so the other name is tried */
	if (state == TLSA_NONE && ask_next(find))
		return;
	finish(find, state, reason(state));
}

static void
on_nothing_to_ask(const struct dns_answer *answer, void *arg)
{
	struct tlsa_find *find = arg;

	(void)answer;
	find->query = NULL;
	find->found.not_asked = find->host.not_asked;
	if (find->found.state == TLSA_LOOKUP_FAILED)
		finish(find, TLSA_LOOKUP_FAILED,
		    "the lookup of the host's addresses failed");
	else
		finish(find, TLSA_NONE,
		    find->nbases == 0 ? "the host's addresses are not secure"
				      : "no secure TLSA records");
}

struct tlsa_find *
tlsa_find(struct dns *dns, const struct host_dns *host, uint16_t port,
    struct arena *arena, tlsa_found_fn *done, void *arg)
{
	struct tlsa_find *find = mem_new(sizeof(*find));

	find->dns = dns;
	find->host = *host;
	find->port = port;
	find->arena = arena;
	find->done = done;
	find->arg = arg;
	find->found.set.base = "";
	find->found.ttl = UINT32_MAX;
	/* RFC 7672 2.2.2: no secure addresses, no question for TLSA */
	if (host_tlsa_bases(&find->host, find->bases, &find->nbases)) {
		find->found.state = TLSA_NONE;
		if (ask_next(find))
			return find;
	}
	/* Not a name: answered by dns_process() without a question. */
	find->query = dns_lookup(dns, "", RR_TLSA, on_nothing_to_ask, find);
	return find;
}

void
tlsa_find_cancel(struct tlsa_find **find)
{
	struct tlsa_find *gone = *find;

	*find = NULL;
	/* No question open: its callback is running, and it ends there. */
	if (gone == NULL || gone->query == NULL)
		return;
	dns_cancel(&gone->query);
	mem_free(gone);
}
