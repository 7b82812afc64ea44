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

/* Is mail taken and delivered, as this answer about health says?  Degraded is
 * well: somebody should look, and nobody restart it for that. */
bool web_is_well(struct span health);
