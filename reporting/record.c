#include "reporting/record.h"

#include "base/text.h"
#include "policy/txt.h"

/* RFC 8460 3: records that do not begin with this are discarded. */
#define VERSION SPAN("v=TLSRPTv1;")

/* The places that are found. */
struct places {
	struct arena *arena;
	struct tlsrpt_rua *list; /* TLSRPT_RUA_MAX */
	size_t n;
};

static bool
is_known(const struct places *places, const char *to)
{
	for (size_t i = 0; i < places->n; i++)
		if (strcmp(places->list[i].to, to) == 0)
			return true;
	return false;
}

static void
add_place(struct places *places, struct span uri)
{
	struct tlsrpt_rua rua;

	if (places->n == TLSRPT_RUA_MAX ||
	    !tlsrpt_rua_read(uri, places->arena, &rua) ||
	    is_known(places, rua.to))
		return;
	places->list[places->n++] = rua;
}

/*
 * RFC 8460 3: URIs with commas between them.  One that we cannot send to is
 * no reason not to send to the others.
 */
static void
take_rua(struct places *places, struct span list)
{
	while (list.n > 0) {
		const char *comma = memchr(list.p, ',', list.n);
		size_t n = comma == NULL ? list.n : (size_t)(comma - list.p);

		add_place(places, text_trim(span_first(list, n), TXT_WSP));
		list = span_from(list, n + 1);
	}
}

/* RFC 8460 3: unknown fields are ignored, if they have the form of one. */
static const char *
read_fields(struct places *places, struct span rest)
{
	struct txt_field field;
	const char *wrong;
	bool rua = false;

	while (txt_next(&rest, &field, &wrong)) {
		bool is_rua = wrong == NULL && span_eq(field.name, SPAN("rua"));

		if (is_rua)
			take_rua(places, field.value);
		else if (wrong == NULL)
			wrong = txt_check_unknown(&field);
		if (wrong != NULL)
			return wrong;
		rua |= is_rua;
	}
	if (places->n > 0)
		return NULL;
	return rua ? "there is no rua that reports can be sent to"
	           : "there is no rua";
}

static struct tlsrpt_record
without_rua(enum tlsrpt_record_state state, const char *why)
{
	return (struct tlsrpt_record){.state = state, .why = why};
}

static struct tlsrpt_record
read_record(struct span text, struct arena *arena)
{
	struct places places = {.arena = arena};
	const char *wrong;

	places.list = arena_alloc(arena, TLSRPT_RUA_MAX * sizeof(*places.list));
	if (places.list == NULL)
		return without_rua(
		    TLSRPT_RECORD_FAILED, "there is no room for the record");
	wrong = read_fields(&places, text);
	if (wrong != NULL)
		return without_rua(TLSRPT_RECORD_MALFORMED, wrong);
	return (struct tlsrpt_record){.state = TLSRPT_RECORD_FOUND,
	    .rua = places.list,
	    .nrua = places.n,
	    .why = ""};
}

/* RFC 8460 3: "If the number of resulting records is not one" */
static struct tlsrpt_record
read_found(enum txt_found found, struct span text, struct arena *arena)
{
	switch (found) {
	case TXT_ONE:
		return read_record(text, arena);
	case TXT_NONE:
		return without_rua(TLSRPT_RECORD_NONE, "there is no record");
	case TXT_SEVERAL:
		return without_rua(
		    TLSRPT_RECORD_NONE, "there is more than one record");
	case TXT_FAILED:
		break;
	}
	return without_rua(TLSRPT_RECORD_FAILED, "the lookup failed");
}

struct tlsrpt_record
tlsrpt_record_read(const struct dns_answer *answer, struct arena *arena)
{
	struct tlsrpt_record record;
	enum txt_found found;
	struct buf text;

	buf_init(&text, TXT_TEXT_MAX);
	found = txt_find(answer, VERSION, &text);
	record = read_found(found, buf_span(&text), arena);
	buf_free(&text);
	return record;
}

const char *
tlsrpt_record_state_name(enum tlsrpt_record_state state)
{
	switch (state) {
	case TLSRPT_RECORD_UNKNOWN:
		return "unknown";
	case TLSRPT_RECORD_FAILED:
		return "failed";
	case TLSRPT_RECORD_NONE:
		return "none";
	case TLSRPT_RECORD_MALFORMED:
		return "malformed";
	case TLSRPT_RECORD_FOUND:
		return "found";
	}
	return "?";
}
