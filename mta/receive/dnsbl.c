/* See dnsbl.h. */
#include "mta/receive/dnsbl.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

#define NIBBLES 32

/* "1.2.0.192." */
static size_t
reverse4(const uint8_t bytes[4], char *to, size_t size)
{
	return (size_t)snprintf(
	    to, size, "%u.%u.%u.%u.", bytes[3], bytes[2], bytes[1], bytes[0]);
}

/* RFC 5782 2.4: "1.0.0.0. ... .8.b.d.0.1.0.0.2." */
static size_t
reverse6(const uint8_t bytes[16], char *to)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < NIBBLES; i++) {
		uint8_t byte = bytes[15 - i / 2];

		to[2 * i] = digits[i % 2 == 0 ? byte & 15 : byte >> 4];
		to[2 * i + 1] = '.';
	}
	return (size_t)2 * NIBBLES;
}

bool
dnsbl_name(const char *client, const char *zone, char to[DNSBL_NAME])
{
	uint8_t bytes[16];
	size_t n;

	if (inet_pton(AF_INET, client, bytes) == 1)
		n = reverse4(bytes, to, DNSBL_NAME);
	else if (inet_pton(AF_INET6, client, bytes) == 1)
		n = reverse6(bytes, to);
	else
		return false;
	/* RFC 1035 2.3.4: 255 octets on the wire */
	if (n + strlen(zone) > DNSBL_NAME - 3)
		return false;
	(void)text_copy(to + n, DNSBL_NAME - n, zone);
	return true;
}

bool
dnsbl_denies(struct span rdata)
{
	return rdata.n == 4 && memcmp(rdata.p, "\x7f\xff\xff", 3) == 0;
}

bool
dnsbl_lists(struct span rdata)
{
	return rdata.n == 4 && rdata.p[0] == 127 && !dnsbl_denies(rdata);
}

void
dnsbl_reason(struct span rdata, char *to, size_t size)
{
	size_t at = 0;

	/* RFC 1035 3.3.14: strings with their lengths before them */
	while (rdata.n > 0 && at + 1 < size) {
		size_t n = (uint8_t)rdata.p[0];
		struct span text = span_first(span_from(rdata, 1), n);

		rdata = span_from(rdata, 1 + text.n);
		text = span_first(text, size - 1 - at);
		for (size_t i = 0; i < text.n; i++)
			to[at++] = text.p[i] == '\0' ? ' ' : text.p[i];
	}
	to[at] = '\0';
	text_make_printable(to);
}
