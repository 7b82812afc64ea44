/*
 * The PROXY protocol, versions 1 and 2: what a proxy says, before anything
 * else, of the client it forwards.  Pure, and as the specification of HAProxy
 * has it (https://www.haproxy.org/download/2.9/doc/proxy-protocol.txt; section
 * numbers in proxy.c are its own).
 */
#pragma once
#include <stddef.h>

#include "base/span.h"

/* More than 107 octets of version 1 or 16 + this of version 2 is refused. */
#define PROXY_BODY_MAX 4096u
#define PROXY_MAX      (16u + PROXY_BODY_MAX)
#define PROXY_TEXT     48 /* an address and its NUL */

enum proxy_result {
	PROXY_BAD = 0,
	PROXY_MORE,   /* it is not whole yet */
	PROXY_CLIENT, /* `client` is the address */
	PROXY_LOCAL,  /* the proxy speaks for itself: its own address counts */
};

struct proxy_header {
	size_t length; /* octets; what is behind them is the client's */
	char client[PROXY_TEXT];
};

/* *ret is written for CLIENT and LOCAL. */
enum proxy_result proxy_read(struct span bytes, struct proxy_header *ret);
