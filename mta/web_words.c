/* See web_words.h. */
#include "mta/web_words.h"

#include <string.h>

static const struct {
	const char *path;
	const char *name;
	const char *type;
} pages[] = {
    [WEB_NO_PAGE] = {"", "", "text/plain; charset=utf-8"},
    [WEB_METRICS] = {"/metrics", "metrics",
	"text/plain; version=0.0.4; charset=utf-8"},
    [WEB_HEALTH] = {"/health", "health", "text/plain; charset=utf-8"},
};

#define PAGES (sizeof(pages) / sizeof(pages[0]))

enum web_page
web_page_of(const char *path)
{
	for (size_t i = WEB_METRICS; i < PAGES; i++)
		if (strcmp(path, pages[i].path) == 0)
			return (enum web_page)i;
	return WEB_NO_PAGE;
}

const char *
web_page_name(enum web_page page)
{
	return pages[page].name;
}

enum web_page
web_page_find(struct span name)
{
	for (size_t i = WEB_METRICS; i < PAGES; i++)
		if (span_eq(name, span_of(pages[i].name)))
			return (enum web_page)i;
	return WEB_NO_PAGE;
}

const char *
web_page_type(enum web_page page)
{
	return pages[page].type;
}

static bool
begins(struct span text, struct span with)
{
	return text.n >= with.n && span_eq(span_first(text, with.n), with);
}

bool
web_is_well(struct span health)
{
	return begins(health, SPAN("running")) ||
	       begins(health, SPAN("degraded"));
}
