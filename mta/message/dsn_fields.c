/* The part for programs: message/delivery-status. */
#include "base/clock.h"
#include "base/text.h"
#include "mta/message/dsn_private.h"
#include "mta/message/encode.h"

#define INDENT    "    "
#define VALUE_MAX 2048

const char *
dsn_action_name(enum dsn_action action)
{
	switch (action) {
	case DSN_FAILED:
		return "failed";
	case DSN_DELAYED:
		return "delayed";
	case DSN_RELAYED:
		return "relayed";
	case DSN_EXPANDED:
		return "expanded";
	case DSN_DELIVERED:
		return "delivered";
	}
	return "?";
}

static void
put_date(struct dsn_out *out, const char *name, int64_t when)
{
	char date[CLOCK_RFC5322_SIZE];

	if (when == 0)
		return;
	/* RFC 3464 2.2.5: with a numeric zone */
	clock_rfc5322(when, date);
	dsn_put(out, "%s: %s\r\n", name, date);
}

/* "Name: type; value" */
static void
put_typed(
    struct dsn_out *out, const char *name, const char *type, struct span value)
{
	size_t from = out->buf->n;

	dsn_put(out, "%s: %s; ", name, type);
	dsn_put_wrapped(out, value, out->buf->n - from, INDENT);
	dsn_put(out, "\r\n");
}

/* RFC 6533 3: in a part of seven bits as \x{HEX}. */
static void
put_utf8_address(struct dsn_out *out, const char *name, struct span address)
{
	struct buf seven;

	if (out->utf8) {
		put_typed(out, name, "utf-8", address);
		return;
	}
	buf_init(&seven, VALUE_MAX);
	if (unitext_encode(address, &seven) == 0)
		put_typed(out, name, "utf-8", buf_span(&seven));
	else
		put_typed(out, name, "unknown", address);
	buf_free(&seven);
}

/* RFC 3464 2.3.2: as it was in the envelope, case and all. */
static void
put_final_recipient(struct dsn_out *out, const char *address)
{
	if (text_is_ascii(span_of(address)))
		put_typed(out, "Final-Recipient", "rfc822", span_of(address));
	else
		put_utf8_address(out, "Final-Recipient", span_of(address));
}

/* RFC 6533 3: ORCPT=utf-8 comes in three forms; two of them are decoded. */
static void
put_utf8_orcpt(struct dsn_out *out, struct span value)
{
	struct buf plain;

	buf_init(&plain, VALUE_MAX);
	if (text_is_utf8(value) && unitext_decode(value, &plain) == 0)
		put_utf8_address(out, "Original-Recipient", buf_span(&plain));
	else
		/* RFC 6533 3: not of that syntax: without alteration */
		put_typed(out, "Original-Recipient", "utf-8", value);
	buf_free(&plain);
}

static void
put_xtext_orcpt(struct dsn_out *out, struct span type, struct span value)
{
	struct buf plain;

	buf_init(&plain, VALUE_MAX);
	dsn_put(out, "Original-Recipient: ");
	dsn_put_clean(out, type);
	dsn_put(out, "; ");
	/* RFC 3461 6.3 (d): what the sender wrote, so without the xtext */
	if (xtext_decode(value, &plain) == 0)
		value = buf_span(&plain);
	dsn_put_wrapped(out, value, 0, INDENT);
	dsn_put(out, "\r\n");
	buf_free(&plain);
}

/* RFC 3464 3: only when the envelope gave one. */
static void
put_original_recipient(struct dsn_out *out, const char *orcpt)
{
	size_t n = strcspn(orcpt, ";");
	struct span type = {orcpt, n};
	struct span value = span_from(span_of(orcpt), n + 1);

	if (orcpt[0] == '\0')
		return;
	if (orcpt[n] == '\0' || n == 0 || n > 40)
		put_xtext_orcpt(out, SPAN("unknown"), span_of(orcpt));
	else if (span_eq_nocase(type, SPAN("utf-8")))
		put_utf8_orcpt(out, value);
	else
		put_xtext_orcpt(out, type, value);
}

/* RFC 3463 2: class 2, 4 or 5, two numbers without leading zeros. */
bool
dsn_is_status(const char *status)
{
	const char *at = status;

	if (strspn(at, "245") == 0)
		return false;
	at++;
	for (int i = 0; i < 2; i++) {
		size_t n;

		if (*at++ != '.')
			return false;
		n = strspn(at, "0123456789");
		if (n < 1 || n > 3 || (n > 1 && *at == '0'))
			return false;
		at += n;
	}
	return *at == '\0';
}

/* RFC 3461 6.3 (g): X.0.0 when there is no better one. */
static const char *
status_of(const struct dsn_rcpt *rcpt)
{
	if (dsn_is_status(rcpt->status))
		return rcpt->status;
	switch (rcpt->action) {
	case DSN_DELAYED:
		return "4.0.0";
	case DSN_RELAYED:
	case DSN_EXPANDED:
	case DSN_DELIVERED:
		return "2.0.0";
	case DSN_FAILED:
		break;
	}
	return "5.0.0";
}

static void
put_recipient(const struct dsn_rcpt *rcpt, struct dsn_out *out)
{
	bool remote = rcpt->remote_mta[0] != '\0';

	dsn_put(out, "\r\n");
	put_original_recipient(out, rcpt->rcpt->orcpt);
	put_final_recipient(out, rcpt->rcpt->address);
	dsn_put(out, "Action: %s\r\n", dsn_action_name(rcpt->action));
	dsn_put(out, "Status: %s\r\n", status_of(rcpt));
	/* RFC 3464 2.3.5: only when a server was involved */
	if (remote)
		put_typed(out, "Remote-MTA", "dns", span_of(rcpt->remote_mta));
	if (rcpt->diagnostic.n > 0)
		put_typed(out, "Diagnostic-Code", remote ? "smtp" : "x-danelaw",
		    span_first(rcpt->diagnostic, DSN_REPLY_MAX));
	put_date(out, "Last-Attempt-Date", rcpt->last_attempt);
	/* RFC 3464 2.3.9: of a delayed message only */
	if (rcpt->action == DSN_DELAYED)
		put_date(out, "Will-Retry-Until", rcpt->retry_until);
}

/* RFC 3464 2.2.1: if and only if the envelope had one. */
static void
put_envelope_id(struct dsn_out *out, const char *envid)
{
	struct span value = span_of(envid);
	struct buf plain;

	if (value.n == 0)
		return;
	buf_init(&plain, VALUE_MAX);
	/* RFC 3461 6.3 (a): decoded */
	if (xtext_decode(value, &plain) == 0)
		value = buf_span(&plain);
	dsn_put(out, "Original-Envelope-Id: ");
	dsn_put_wrapped(out, value, 22, INDENT);
	dsn_put(out, "\r\n");
	buf_free(&plain);
}

/* RFC 3464 2.2.4: the HELO name, the address as a comment. */
static void
put_received_from(const struct envelope *envelope, struct dsn_out *out)
{
	if (envelope->helo[0] == '\0')
		return;
	dsn_put(out, "Received-From-MTA: dns; ");
	dsn_put_wrapped(
	    out, span_first(span_of(envelope->helo), DSN_NAME_MAX), 24, INDENT);
	if (envelope->client[0] != '\0') {
		dsn_put(out, " (");
		dsn_put_clean(out, span_first(span_of(envelope->client), 64));
		dsn_put(out, ")");
	}
	dsn_put(out, "\r\n");
}

void
dsn_fields(const struct dsn *dsn, struct dsn_out *out)
{
	put_envelope_id(out, dsn->envelope->envid);
	put_typed(out, "Reporting-MTA", "dns", span_of(dsn->hostname));
	put_received_from(dsn->envelope, out);
	put_date(out, "Arrival-Date", dsn->envelope->arrived);
	if (dsn->queue_id[0] != '\0')
		dsn_put(out, "X-Danelaw-Queue-Id: %s\r\n", dsn->queue_id);
	for (size_t i = 0; i < dsn->nrcpts; i++)
		put_recipient(&dsn->rcpts[i], out);
}
