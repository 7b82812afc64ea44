/* See inbound.h. */
#include "reporting/inbound.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "base/span.h"
#include "base/text.h"

/* --- addresses ------------------------------------------------------------ */

static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

/* RFC 5321 4.1.3: [192.0.2.1], [IPv6:2001:db8::1]; the tag alone, too. */
static struct span
without_dress(struct span text)
{
	text = text_trim(text, " \t\r\n");
	if (text.n >= 2 && text.p[0] == '[' && text.p[text.n - 1] == ']')
		text = (struct span){text.p + 1, text.n - 2};
	if (span_starts_nocase(text, SPAN("IPv6:")))
		text = span_from(text, strlen("IPv6:"));
	return text;
}

bool
inbound_address_read(const char *text, uint8_t ret[INBOUND_ADDRESS])
{
	struct span bare = without_dress(span_of(text));
	char copy[INBOUND_ADDRESS_TEXT];
	uint8_t found[INBOUND_ADDRESS];

	if (bare.n == 0 || bare.n >= sizeof(copy) ||
	    memchr(bare.p, '\0', bare.n) != NULL)
		return false;
	memcpy(copy, bare.p, bare.n);
	copy[bare.n] = '\0';
	if (inet_pton(AF_INET6, copy, found) != 1) {
		memcpy(found, mapped, sizeof(mapped));
		if (inet_pton(AF_INET, copy, found + sizeof(mapped)) != 1)
			return false;
	}
	memcpy(ret, found, sizeof(found));
	return true;
}

bool
inbound_address_is_v4(const uint8_t address[INBOUND_ADDRESS])
{
	return memcmp(address, mapped, sizeof(mapped)) == 0;
}

void
inbound_address_write(
    const uint8_t address[INBOUND_ADDRESS], char to[INBOUND_ADDRESS_TEXT])
{
	bool four = inbound_address_is_v4(address);

	if (inet_ntop(four ? AF_INET : AF_INET6,
		four ? address + sizeof(mapped) : address, to,
		INBOUND_ADDRESS_TEXT) == NULL)
		to[0] = '\0';
}

/* --- words ---------------------------------------------------------------- */

static const struct {
	const char *name, *words;
} outcomes[INBOUND_OUTCOMES] = {
    [INBOUND_BROKEN] = {"broken", "with a TLS handshake that failed"},
    [INBOUND_MAIL_TLS] = {"tls-with-mail", "with TLS and mail"},
    [INBOUND_TLS] = {"tls", "with TLS, left without mail"},
    [INBOUND_MAIL_PLAIN] = {"plain-with-mail", "with mail in the clear"},
    [INBOUND_PLAIN] = {"plain", "that did not ask for STARTTLS"},
    [INBOUND_NOT_OFFERED] = {"not-offered",
	"without STARTTLS, which we did not offer"},
    [INBOUND_TURNED_AWAY] = {"turned-away", "that we turned away"},
    [INBOUND_ALERT] = {"alert", "ended by its TLS alert"},
    [INBOUND_VERSION] = {"version", "without a TLS version in common"},
    [INBOUND_CIPHER] = {"cipher",
	"without a cipher, group or signature in common"},
    [INBOUND_DROPPED] = {"dropped", "cut off in the TLS handshake"},
    [INBOUND_SLOW] = {"slow", "with a TLS handshake that took too long"},
};

const char *
inbound_outcome_name(enum inbound_outcome outcome)
{
	return outcome < INBOUND_OUTCOMES ? outcomes[outcome].name : "?";
}

const char *
inbound_outcome_words(enum inbound_outcome outcome)
{
	return outcome < INBOUND_OUTCOMES ? outcomes[outcome].words : "?";
}

/* The registry of RFC 8446 6 and 11. */
static const char *const alerts[] = {
    [0] = "close_notify",
    [10] = "unexpected_message",
    [20] = "bad_record_mac",
    [21] = "decryption_failed",
    [22] = "record_overflow",
    [30] = "decompression_failure",
    [40] = "handshake_failure",
    [41] = "no_certificate",
    [42] = "bad_certificate",
    [43] = "unsupported_certificate",
    [44] = "certificate_revoked",
    [45] = "certificate_expired",
    [46] = "certificate_unknown",
    [47] = "illegal_parameter",
    [48] = "unknown_ca",
    [49] = "access_denied",
    [50] = "decode_error",
    [51] = "decrypt_error",
    [60] = "export_restriction",
    [70] = "protocol_version",
    [71] = "insufficient_security",
    [80] = "internal_error",
    [86] = "inappropriate_fallback",
    [90] = "user_canceled",
    [100] = "no_renegotiation",
    [109] = "missing_extension",
    [110] = "unsupported_extension",
    [111] = "certificate_unobtainable",
    [112] = "unrecognized_name",
    [113] = "bad_certificate_status_response",
    [114] = "bad_certificate_hash_value",
    [115] = "unknown_psk_identity",
    [116] = "certificate_required",
    [120] = "no_application_protocol",
};

const char *
inbound_alert_name(uint8_t alert)
{
	const char *name = alert < sizeof(alerts) / sizeof(alerts[0])
	                       ? alerts[alert]
	                       : NULL;

	return name == NULL ? "unassigned" : name;
}

/* --- many ----------------------------------------------------------------- */

static int
by_kind(const void *a, const void *b)
{
	const struct inbound_seen *x = a, *y = b;
	int order = memcmp(x->address, y->address, sizeof(x->address));

	if (x->day != y->day)
		return x->day < y->day ? -1 : 1;
	if (order != 0)
		return order;
	if (x->outcome != y->outcome)
		return x->outcome < y->outcome ? -1 : 1;
	return (x->alert > y->alert) - (x->alert < y->alert);
}

size_t
inbound_merge(struct inbound_seen *list, size_t n)
{
	size_t left = 0;

	if (n == 0)
		return 0;
	qsort(list, n, sizeof(list[0]), by_kind);
	for (size_t i = 1; i < n; i++) {
		struct inbound_seen *last = &list[left];

		if (by_kind(last, &list[i]) != 0)
			list[++left] = list[i];
		else if (list[i].sessions > UINT32_MAX - last->sessions)
			last->sessions = UINT32_MAX;
		else
			last->sessions += list[i].sessions;
	}
	return left + 1;
}
