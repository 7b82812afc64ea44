/* See proxy.h. */
#include "mta/receive/proxy.h"

#include <arpa/inet.h>
#include <stdint.h>
#include <string.h>

#include "base/text.h"

#define V1_MAX   107u /* 2.1: with CRLF */
#define V2_FIXED 16u
#define V2_TLV   3u

#define SIGNATURE "\r\n\r\n\0\r\nQUIT\n"

/* The word up to the next space, which goes with it. */
static bool
take_word(struct span *line, struct span *ret)
{
	const char *space = line->n == 0 ? NULL : memchr(line->p, ' ', line->n);
	size_t n = space == NULL ? line->n : (size_t)(space - line->p);

	*ret = span_first(*line, n);
	*line = span_from(*line, space == NULL ? n : n + 1);
	return n > 0;
}

/* In its canonical text. */
static bool
read_address(struct span word, int family, char to[PROXY_TEXT])
{
	char z[PROXY_TEXT];
	uint8_t bytes[16];

	if (word.n >= sizeof(z) || memchr(word.p, '\0', word.n) != NULL)
		return false;
	memcpy(z, word.p, word.n);
	z[word.n] = '\0';
	return inet_pton(family, z, bytes) == 1 &&
	       inet_ntop(family, bytes, to, PROXY_TEXT) != NULL;
}

static bool
is_port(struct span word)
{
	uint32_t port;

	return text_parse_u32(word, &port) && port <= UINT16_MAX;
}

/* 2.1: "TCP4 SOURCE DESTINATION PORT PORT" */
static bool
read_tcp(struct span line, int family, struct proxy_header *ret)
{
	struct span source, target, from, to;
	char unused[PROXY_TEXT];

	return take_word(&line, &source) && take_word(&line, &target) &&
	       take_word(&line, &from) && take_word(&line, &to) &&
	       line.n == 0 && read_address(source, family, ret->client) &&
	       read_address(target, family, unused) && is_port(from) &&
	       is_port(to);
}

static enum proxy_result
read_v1(struct span bytes, struct proxy_header *ret)
{
	struct span line = span_first(bytes, V1_MAX), kind;
	const char *lf = memchr(line.p, '\n', line.n);
	struct proxy_header header = {0};

	if (lf == NULL)
		return line.n < V1_MAX ? PROXY_MORE : PROXY_BAD;
	header.length = (size_t)(lf - line.p) + 1;
	line = span_first(line, header.length - 1);
	if (line.n == 0 || line.p[line.n - 1] != '\r')
		return PROXY_BAD;
	line = span_from(span_first(line, line.n - 1), 6);
	(void)take_word(&line, &kind);
	if (span_eq(kind, SPAN("UNKNOWN"))) {
		/* 2.1: what follows it is to be ignored. */
		*ret = header;
		return PROXY_LOCAL;
	}
	if (!(span_eq(kind, SPAN("TCP4")) &&
		read_tcp(line, AF_INET, &header)) &&
	    !(span_eq(kind, SPAN("TCP6")) && read_tcp(line, AF_INET6, &header)))
		return PROXY_BAD;
	*ret = header;
	return PROXY_CLIENT;
}

/* 2.2: numbers are in network byte order. */
static size_t
number(const char *at)
{
	return (size_t)(uint8_t)at[0] << 8 | (uint8_t)at[1];
}

/* 2.2.7: a TLV is a type, a length of two octets, and so many. */
static bool
skip_tlvs(struct span rest)
{
	while (rest.n >= V2_TLV) {
		size_t n = V2_TLV + number(rest.p + 1);

		if (n > rest.n)
			return false;
		rest = span_from(rest, n);
	}
	return rest.n == 0;
}

/* 2.2: source and destination, their ports, then TLVs */
static bool
read_v2_addresses(struct span body, int family, struct proxy_header *ret)
{
	size_t size = family == AF_INET ? 4 : 16;

	return body.n >= 2 * size + 4 &&
	       inet_ntop(family, body.p, ret->client, PROXY_TEXT) != NULL &&
	       skip_tlvs(span_from(body, 2 * size + 4));
}

static enum proxy_result
read_v2(struct span bytes, struct proxy_header *ret)
{
	struct proxy_header header = {0};
	struct span body;
	uint8_t command, family;
	size_t n;

	if (bytes.n < V2_FIXED)
		return PROXY_MORE;
	command = (uint8_t)bytes.p[12];
	family = (uint8_t)bytes.p[13];
	n = number(bytes.p + 14);
	if (command >> 4 != 2 || (command & 15) > 1 || n > PROXY_BODY_MAX)
		return PROXY_BAD;
	if (bytes.n < V2_FIXED + n)
		return PROXY_MORE;
	header.length = V2_FIXED + n;
	body = (struct span){bytes.p + V2_FIXED, n};
	/* 2.2: LOCAL: the receiver "must discard the protocol block"; an
	 * unspecified family says nothing of the client either. */
	if ((command & 15) == 0 || family == 0) {
		*ret = header;
		return PROXY_LOCAL;
	}
	if (!(family == 0x11 && read_v2_addresses(body, AF_INET, &header)) &&
	    !(family == 0x21 && read_v2_addresses(body, AF_INET6, &header)))
		return PROXY_BAD;
	*ret = header;
	return PROXY_CLIENT;
}

/* As far as they are there, the octets are those of `mark`. */
static bool
may_begin(struct span bytes, struct span mark)
{
	size_t n = bytes.n < mark.n ? bytes.n : mark.n;

	return memcmp(bytes.p, mark.p, n) == 0;
}

enum proxy_result
proxy_read(struct span bytes, struct proxy_header *ret)
{
	static const struct span v1 = {"PROXY ", 6}, v2 = {SIGNATURE, 12};

	if (bytes.n == 0)
		return PROXY_MORE;
	if (may_begin(bytes, v2))
		return bytes.n < v2.n ? PROXY_MORE : read_v2(bytes, ret);
	if (may_begin(bytes, v1))
		return bytes.n < v1.n ? PROXY_MORE : read_v1(bytes, ret);
	return PROXY_BAD;
}
