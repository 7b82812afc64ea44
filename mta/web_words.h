/* What the web role asks the supervisor for, and what the answers mean. */
#pragma once
#include <stdbool.h>

#include "base/span.h"

enum web_page {
	WEB_NO_PAGE = 0,
	WEB_METRICS,
	WEB_HEALTH,
};

/* Of a path of HTTP, without the query. */
enum web_page web_page_of(const char *path);
/* The question, and back. */
const char *web_page_name(enum web_page page);
enum web_page web_page_find(struct span name);
/* The media type of its answer. */
const char *web_page_type(enum web_page page);

/*
 * The status of HTTP for what the supervisor says.  Of health 503, unless mail
 * is taken and delivered; degraded is well: somebody should look, and nobody
 * restart it for that.  Of nothing 500: it could not make the page.
 */
unsigned web_status(enum web_page page, struct span text);

/*
 * Is that us?  Of the field Host (RFC 9110 7.2), NULL where there is none: an
 * address, localhost or our own name, whatever the port.
 */
bool web_is_host(const char *host, const char *hostname);
