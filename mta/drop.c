#include "mta/drop.h"

#include <string.h>

#include "base/text.h"
#include "base/wire.h"
#include "mta/smtp/grammar.h"
#include "queue/checksum.h"

#define MAGIC   "DANELAWd"
#define MAGIC_N (sizeof(MAGIC) - 1)
#define VERSION 1

/* In the header. */
enum {
	AT_VERSION = 8,
	AT_ENVELOPE = 12,
	AT_MESSAGE = 16,
	AT_SUM = 24,
	AT_CHECK = 32,
};

static uint64_t
check_of(struct span header, struct span envelope)
{
	return checksum(
	    envelope, checksum(span_first(header, AT_CHECK), DROP_SEED));
}

void
drop_put_header(
    struct drop_header *header, struct span envelope, uint8_t to[DROP_HEADER])
{
	header->envelope = (uint32_t)envelope.n;
	memcpy(to, MAGIC, MAGIC_N);
	wire_store_u32(to + AT_VERSION, VERSION);
	wire_store_u32(to + AT_ENVELOPE, header->envelope);
	wire_store_u64(to + AT_MESSAGE, header->message);
	wire_store_u64(to + AT_SUM, header->sum);
	header->check = check_of(
	    (struct span){(const char *)to, DROP_HEADER}, envelope);
	wire_store_u64(to + AT_CHECK, header->check);
}

bool
drop_take_header(struct span bytes, uint64_t size, struct drop_header *ret)
{
	struct cursor in = cursor_of(span_first(bytes, DROP_HEADER));
	struct drop_header header = {0};
	struct span magic;
	uint32_t version;

	if (!take_bytes(&in, MAGIC_N, &magic) || !take_u32(&in, &version) ||
	    !take_u32(&in, &header.envelope) ||
	    !take_u64(&in, &header.message) || !take_u64(&in, &header.sum) ||
	    !take_u64(&in, &header.check))
		return false;
	if (!span_eq(magic, SPAN(MAGIC)) || version != VERSION ||
	    header.envelope > DROP_ENVELOPE_MAX ||
	    size < DROP_HEADER + (uint64_t)header.envelope ||
	    header.message != size - DROP_HEADER - header.envelope)
		return false;
	*ret = header;
	return true;
}

/* --- The envelope ------------------------------------------------------ */

static int
refuse(struct err *err, const char *why)
{
	return err_set(err, ERR_PERM, "5.5.4", "%s", why);
}

static int
take_address(const char *text, enum path_kind kind, struct arena *arena,
    const char **ret, bool *utf8, struct err *err)
{
	struct address address;

	if (grammar_mailbox(span_of(text), kind, &address, err) < 0)
		return -1;
	*utf8 |= address.utf8;
	*ret = arena_strndup(arena, address.text, strlen(address.text));
	return *ret == NULL ? refuse(err, "the envelope is too large") : 0;
}

static int
take_rcpt(struct envelope_rcpt *rcpt, struct arena *arena, bool *utf8,
    struct err *err)
{
	bool never = (rcpt->notify & NOTIFY_NEVER) != 0;

	/* What nobody but us may say of an entry. */
	if ((rcpt->notify & NOTIFY_EXPANDED) != 0)
		return refuse(err, "NOTIFY has a mark of our own");
	/* RFC 3461 4.1: NEVER stands alone. */
	if (never && rcpt->notify != NOTIFY_NEVER)
		return refuse(err, "NOTIFY contradicts itself");
	if (rcpt->orcpt[0] != '\0' && !grammar_is_orcpt(span_of(rcpt->orcpt)))
		return refuse(err, "ORCPT is none");
	/* RFC 5321 4.5.1: the one name that needs no domain. */
	if (span_eq_nocase(span_of(rcpt->address), SPAN("postmaster")))
		return 0;
	return take_address(
	    rcpt->address, PATH_FORWARD, arena, &rcpt->address, utf8, err);
}

static int
check_envid(const char *envid, struct err *err)
{
	struct span text = span_of(envid);

	if (text.n == 0 || grammar_is_envid(text))
		return 0;
	return refuse(err, "ENVID is none");
}

int
drop_take_envelope(const struct drop_header *header, struct span bytes,
    struct arena *arena, struct envelope *ret, struct err *err)
{
	uint8_t again[DROP_HEADER];
	struct drop_header copy = *header;
	struct envelope said, kept;
	bool utf8 = false;

	drop_put_header(&copy, bytes, again);
	if (copy.check != header->check)
		return refuse(err, "the checksum of the envelope is wrong");
	if (envelope_decode(bytes, arena, &said, err) < 0)
		return refuse(err, "the envelope cannot be read");
	kept = (struct envelope){
	    .sender = said.sender,
	    .envid = said.envid,
	    .helo = "",
	    .client = "",
	    .session = "",
	    .ret = said.ret,
	    .body = said.body,
	    .rcpts = said.rcpts,
	    .nrcpts = said.nrcpts,
	};
	if (check_envid(said.envid, err) < 0)
		return -1;
	if (said.sender[0] != '\0' && take_address(said.sender, PATH_REVERSE,
					  arena, &kept.sender, &utf8, err) < 0)
		return -1;
	for (size_t i = 0; i < kept.nrcpts; i++)
		if (take_rcpt(&kept.rcpts[i], arena, &utf8, err) < 0)
			return -1;
	kept.smtputf8 = utf8 || said.smtputf8;
	*ret = kept;
	return 0;
}

/* --- Names ------------------------------------------------------------- */

static bool
is_random(const char *name, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!text_is_digit(name[i]) && (name[i] < 'a' || name[i] > 'f'))
			return false;
	return n == DROP_NAME_SIZE - 1;
}

bool
drop_is_begun(const char *name)
{
	size_t n = strlen(name), suffix = sizeof(DROP_BEGUN) - 1;

	return n > suffix && strcmp(name + n - suffix, DROP_BEGUN) == 0 &&
	       is_random(name, n - suffix);
}

bool
drop_is_name(const char *name)
{
	return is_random(name, strlen(name)) || drop_is_begun(name);
}

bool
drop_is_temporary(const char *name)
{
	size_t n = sizeof(DROP_TEMPORARY) - 1;

	return strncmp(name, DROP_TEMPORARY, n) == 0;
}
