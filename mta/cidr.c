/* Prefixes as bytes; see cidr.h. */
#include "mta/cidr.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/text.h"

#define V4_BITS      32
#define V6_BITS      128
#define MAPPED_BITS  96
#define NETWORK_BITS 64 /* RFC 6177: no site has less */
/* IANA gives out no more than this to anybody. */
#define V4_LEAST 8
#define V6_LEAST 12

static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

/* The bytes of an address as text; its family, or 0. */
static int
address_read(struct span text, uint8_t bytes[16])
{
	char z[INET6_ADDRSTRLEN];

	if (text.n >= sizeof(z) || memchr(text.p, '\0', text.n) != NULL)
		return 0;
	memcpy(z, text.p, text.n);
	z[text.n] = '\0';
	if (inet_pton(AF_INET, z, bytes) == 1)
		return AF_INET;
	if (inet_pton(AF_INET6, z, bytes) == 1)
		return AF_INET6;
	return 0;
}

/* RFC 4291 2.5.5.2: ::ffff:192.0.2.1 is the IPv4 address 192.0.2.1. */
static bool
is_mapped(const uint8_t bytes[16])
{
	return memcmp(bytes, mapped, sizeof(mapped)) == 0;
}

static void
unmap(struct cidr *cidr)
{
	if (cidr->family != AF_INET6 || cidr->bits < MAPPED_BITS ||
	    !is_mapped(cidr->bytes))
		return;
	cidr->family = AF_INET;
	cidr->bits -= MAPPED_BITS;
	memmove(cidr->bytes, cidr->bytes + sizeof(mapped), 4);
	memset(cidr->bytes + 4, 0, 12);
}

static bool
has_host_bits(const struct cidr *cidr)
{
	unsigned size = cidr->family == AF_INET ? V4_BITS : V6_BITS;

	for (unsigned bit = cidr->bits; bit < size; bit++)
		if ((cidr->bytes[bit / 8] & (0x80u >> (bit % 8))) != 0)
			return true;
	return false;
}

static struct span
without_brackets(struct span text)
{
	if (text.n >= 2 && text.p[0] == '[' && text.p[text.n - 1] == ']')
		return (struct span){text.p + 1, text.n - 2};
	return text;
}

/* "/24" or nothing; nothing means the whole address. */
static bool
read_length(struct span text, unsigned most, unsigned *ret)
{
	uint32_t bits;

	if (text.n == 0) {
		*ret = most;
		return true;
	}
	if (text.n > 4 || !text_parse_u32(span_from(text, 1), &bits) ||
	    bits > most)
		return false;
	*ret = bits;
	return true;
}

bool
cidr_parse(struct span text, struct cidr *ret)
{
	const char *slash = text.n == 0 ? NULL : memchr(text.p, '/', text.n);
	size_t n = slash == NULL ? text.n : (size_t)(slash - text.p);
	struct span inner = without_brackets(span_first(text, n));
	struct cidr cidr = {0};
	bool bracketed = inner.n != n;

	if (inner.n == 0)
		return false;
	cidr.family = address_read(inner, cidr.bytes);
	if (cidr.family == 0 || (bracketed && cidr.family == AF_INET))
		return false;
	if (!read_length(span_from(text, n),
		cidr.family == AF_INET ? V4_BITS : V6_BITS, &cidr.bits) ||
	    has_host_bits(&cidr))
		return false;
	unmap(&cidr);
	*ret = cidr;
	return true;
}

void
cidr_text(const struct cidr *cidr, char to[CIDR_TEXT])
{
	bool v4 = cidr->family == AF_INET;
	char address[INET6_ADDRSTRLEN] = "";
	int n;

	(void)inet_ntop(cidr->family, cidr->bytes, address, sizeof(address));
	n = snprintf(to, CIDR_TEXT, v4 ? "%s" : "[%s]", address);
	if (cidr->bits != (v4 ? V4_BITS : V6_BITS))
		(void)snprintf(
		    to + n, CIDR_TEXT - (size_t)n, "/%u", cidr->bits);
}

bool
cidr_is_public(const struct cidr *cidr)
{
	return cidr->bits < (cidr->family == AF_INET ? V4_LEAST : V6_LEAST);
}

static bool
bits_equal(const uint8_t *a, const uint8_t *b, unsigned bits)
{
	unsigned whole = bits / 8, rest = bits % 8;

	if (memcmp(a, b, whole) != 0)
		return false;
	return rest == 0 || ((a[whole] ^ b[whole]) >> (8 - rest)) == 0;
}

static bool
read_client(const char *address, struct cidr *ret)
{
	struct span text = {address, strcspn(address, "%")};

	*ret = (struct cidr){.bits = V6_BITS};
	ret->family = address_read(text, ret->bytes);
	if (ret->family == 0)
		return false;
	unmap(ret);
	return true;
}

bool
cidr_network(const char *address, struct cidr *ret)
{
	struct cidr client;

	if (!read_client(address, &client))
		return false;
	client.bits = client.family == AF_INET ? V4_BITS : NETWORK_BITS;
	if (client.family == AF_INET)
		memset(client.bytes + 4, 0, sizeof(client.bytes) - 4);
	else
		memset(client.bytes + NETWORK_BITS / 8, 0,
		    sizeof(client.bytes) - NETWORK_BITS / 8);
	*ret = client;
	return true;
}

bool
cidr_contains(const struct cidr *cidr, const char *address)
{
	struct cidr client;

	return read_client(address, &client) && client.family == cidr->family &&
	       bits_equal(client.bytes, cidr->bytes, cidr->bits);
}
