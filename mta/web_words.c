/* See web_words.h. */
#include "mta/web_words.h"

#include <arpa/inet.h>
#include <string.h>

#include "base/text.h"

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

unsigned
web_status(enum web_page page, struct span text)
{
	if (text.n == 0)
		return 500;
	if (page == WEB_HEALTH && !begins(text, SPAN("running")) &&
	    !begins(text, SPAN("degraded")))
		return 503;
	return 200;
}

/* "[2001:db8::1]:80" */
static bool
is_ipv6(const char *host)
{
	char text[INET6_ADDRSTRLEN];
	size_t n = strcspn(host + 1, "]");
	struct in6_addr address;

	return host[1 + n] == ']' &&
	       text_copy_span(text, sizeof(text), (struct span){host + 1, n}) &&
	       inet_pton(AF_INET6, text, &address) == 1;
}

bool
web_is_host(const char *host, const char *hostname)
{
	char text[INET_ADDRSTRLEN];
	struct in_addr address;
	struct span name;

	if (host == NULL)
		return true;
	if (host[0] == '[')
		return is_ipv6(host);
	name = (struct span){host, strcspn(host, ":")};
	return span_eq_nocase(name, SPAN("localhost")) ||
	       span_eq_nocase(name, span_of(hostname)) ||
	       (text_copy_span(text, sizeof(text), name) &&
		   inet_pton(AF_INET, text, &address) == 1);
}
