/* Domain names between text, wire and the international form. */
#include "dnssec/name.h"

#include <idn2.h>

#include "base/text.h"

/* One octet of a label to text; the room is known to suffice. */
static size_t
put_octet(char *to, char octet)
{
	unsigned char value = (unsigned char)octet;

	octet = text_lower(octet);
	if (text_is_alnum(octet) || octet == '-' || octet == '_') {
		to[0] = octet;
		return 1;
	}
	to[0] = '\\';
	to[1] = (char)('0' + value / 100);
	to[2] = (char)('0' + value / 10 % 10);
	to[3] = (char)('0' + value % 10);
	return 4;
}

static size_t
put_label(char *to, struct span label)
{
	size_t n = 0;

	for (size_t i = 0; i < label.n; i++)
		n += put_octet(to + n, label.p[i]);
	return n;
}

bool
dns_name_read(struct span *in, char ret_text[DNS_NAME_SIZE])
{
	char text[DNS_NAME_SIZE];
	size_t at = 0;
	size_t n = 0;

	while (at < in->n && at < DNS_WIRE_MAX) {
		size_t length = (unsigned char)in->p[at++];

		if (length == 0) {
			/* RFC 1035 3.1: the null label of the root ends it */
			if (n == 0)
				text[n++] = '.';
			text[n] = '\0';
			memcpy(ret_text, text, n + 1);
			*in = span_from(*in, at);
			return true;
		}
		/* RFC 1035 4.1.4: two high bits set are a pointer */
		if (length > DNS_LABEL_MAX || length > in->n - at ||
		    at + length >= DNS_WIRE_MAX)
			return false;
		if (n > 0)
			text[n++] = '.';
		n += put_label(text + n, (struct span){in->p + at, length});
		at += length;
	}
	return false;
}

/* RFC 1035 5.1: \DDD is an octet, \X is X.  Steps over what it took. */
static bool
take_octet(const char **text, uint8_t *ret)
{
	const char *at = *text;
	int value = 0;

	if (*at != '\\') {
		*ret = (uint8_t)*at;
		*text = at + 1;
		return true;
	}
	at++;
	if (!text_is_digit(*at)) {
		*ret = (uint8_t)*at;
		*text = at + 1;
		return *at != '\0';
	}
	for (int i = 0; i < 3; i++, at++) {
		if (!text_is_digit(*at))
			return false;
		value = value * 10 + (*at - '0');
	}
	*ret = (uint8_t)value;
	*text = at;
	return value <= 255;
}

/* The label at *text, up to its dot or the end. */
static bool
take_label(const char **text, uint8_t label[DNS_LABEL_MAX], size_t *ret_n)
{
	size_t n = 0;

	while (**text != '\0' && **text != '.')
		if (n == DNS_LABEL_MAX || !take_octet(text, &label[n++]))
			return false;
	if (**text == '.')
		(*text)++;
	*ret_n = n;
	return n > 0;
}

bool
dns_name_wire(const char *text, uint8_t ret_wire[DNS_WIRE_MAX], size_t *ret_n)
{
	uint8_t wire[DNS_WIRE_MAX];
	uint8_t label[DNS_LABEL_MAX];
	size_t length;
	size_t n = 0;

	if (text[0] == '.' && text[1] == '\0')
		text++;
	else if (text[0] == '\0')
		return false;
	while (*text != '\0') {
		if (!take_label(&text, label, &length) ||
		    n + 1 + length + 1 > DNS_WIRE_MAX)
			return false;
		wire[n++] = (uint8_t)length;
		memcpy(wire + n, label, length);
		n += length;
	}
	wire[n++] = 0;
	memcpy(ret_wire, wire, n);
	*ret_n = n;
	return true;
}

bool
dns_name_normal(const char *text, char ret_text[DNS_NAME_SIZE])
{
	uint8_t wire[DNS_WIRE_MAX];
	struct span in;
	size_t n;

	if (!dns_name_wire(text, wire, &n))
		return false;
	in = (struct span){(const char *)wire, n};
	return dns_name_read(&in, ret_text);
}

static bool
is_host_label(struct span label)
{
	if (label.n == 0 || label.p[0] == '-' || label.p[label.n - 1] == '-')
		return false;
	for (size_t i = 0; i < label.n; i++)
		if (!text_is_alnum(label.p[i]) && label.p[i] != '-' &&
		    label.p[i] != '_')
			return false;
	return true;
}

bool
dns_name_is_host(const char *normal)
{
	size_t from = 0;
	size_t at = 0;

	do {
		at = from + strcspn(normal + from, ".");
		if (!is_host_label((struct span){normal + from, at - from}))
			return false;
		from = at + 1;
	} while (normal[at] != '\0');
	return true;
}

bool
dns_name_in(const char *name, const char *zone)
{
	size_t n = strlen(name);
	size_t nzone = strlen(zone);

	if (span_eq(span_of(zone), SPAN(".")))
		return true;
	if (n < nzone || memcmp(name + n - nzone, zone, nzone) != 0)
		return false;
	return n == nzone || name[n - nzone - 1] == '.';
}

static int
not_a_host(const char *domain, const char *why, struct err *err)
{
	char shown[128];

	text_escape(span_of(domain), shown, sizeof(shown));
	/* RFC 3463 3.2: X.1.2 bad destination system address */
	return err_set(err, ERR_PERM, "5.1.2",
	    "\"%s\" is not a domain name: %s", shown, why);
}

/*
 * RFC 5891 5: to A-labels; nontransitional, so that sharp s stays itself.
 * NULL, or why not.
 */
static const char *
to_a_labels(const char *domain, char ret_text[DNS_NAME_SIZE])
{
	char *ascii = NULL;
	int code;
	bool fits;

	if (!text_is_utf8(span_of(domain)))
		return "not UTF-8";
	code = idn2_to_ascii_8z(
	    domain, &ascii, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL);
	if (code != IDN2_OK)
		return idn2_strerror(code);
	fits = dns_name_normal(ascii, ret_text);
	idn2_free(ascii);
	return fits ? NULL : "too long";
}

static const char *
to_name(const char *domain, char ret_text[DNS_NAME_SIZE])
{
	if (!text_is_ascii(span_of(domain)))
		return to_a_labels(domain, ret_text);
	if (!dns_name_normal(domain, ret_text))
		return "an empty or overlong label";
	return NULL;
}

int
dns_name_from_domain(
    const char *domain, char ret_text[DNS_NAME_SIZE], struct err *err)
{
	char text[DNS_NAME_SIZE] = "";
	const char *why = to_name(domain, text);

	if (why == NULL && !dns_name_is_host(text))
		why = "a character that host names do not have";
	if (why != NULL)
		return not_a_host(domain, why, err);
	memcpy(ret_text, text, strlen(text) + 1);
	return 0;
}
