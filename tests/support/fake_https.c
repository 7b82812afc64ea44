/* See fake_https.h. */
#include "tests/support/fake_https.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "mta/net/loop.h"

struct https_fetch {
	struct https_fetch *next;
	struct https *https;
	char *host;
	https_done *done;
	void *arg;
};

struct https {
	struct timer *timer;
	struct https_fetch *first;
};

static struct {
	const struct fake_site *sites;
	size_t n;
	bool held;
	struct fake_asked asked;
} fake;

void
fake_https_serve(const struct fake_site *sites, size_t n)
{
	fake.sites = sites;
	fake.n = n;
	fake.held = false;
	fake.asked = (struct fake_asked){.n = 0};
}

void
fake_https_hold(bool held)
{
	fake.held = held;
}

const struct fake_asked *
fake_https_asked(void)
{
	return &fake.asked;
}

static void
remove_fetch(struct https_fetch *fetch)
{
	struct https_fetch **at = &fetch->https->first;

	while (*at != fetch)
		at = &(*at)->next;
	*at = fetch->next;
	fake.asked.waiting--;
	mem_free(fetch->host);
	mem_free(fetch);
}

static void
answer(struct https_fetch *fetch)
{
	struct https_result result = {.kind = HTTPS_NO_CONNECTION};
	https_done *done = fetch->done;
	void *arg = fetch->arg;

	for (size_t i = 0; i < fake.n; i++)
		if (strcmp(fake.sites[i].host, fetch->host) == 0) {
			result.kind = fake.sites[i].kind;
			if (result.kind == HTTPS_FINE)
				result.body = span_of(fake.sites[i].body);
		}
	if (result.kind != HTTPS_FINE)
		(void)text_copy(result.text, sizeof(result.text),
		    https_kind_name(result.kind));
	remove_fetch(fetch);
	done(arg, &result);
}

static void
on_time(void *arg)
{
	struct https *https = arg;

	timer_start(https->timer, 1);
	if (!fake.held && https->first != NULL)
		answer(https->first);
}

int
https_new(const struct https_setup *setup, struct https **ret, struct err *err)
{
	struct https *https = mem_new(sizeof(*https));

	(void)err;
	https->timer = timer_new(setup->loop, on_time, https);
	timer_start(https->timer, 1);
	*ret = https;
	return 0;
}

void
https_free(struct https **httpsp)
{
	struct https *https = *httpsp;

	*httpsp = NULL;
	if (https == NULL)
		return;
	while (https->first != NULL)
		remove_fetch(https->first);
	timer_free(&https->timer);
	mem_free(https);
}

static void
note(const struct https_request *request)
{
	struct fake_asked *asked = &fake.asked;
	char text[NET_ADDRESS_TEXT];
	size_t used = 0;

	asked->n++;
	asked->waiting++;
	(void)snprintf(asked->host, sizeof(asked->host), "%s", request->host);
	(void)snprintf(asked->path, sizeof(asked->path), "%s", request->path);
	asked->port = request->port;
	asked->type[0] = '\0';
	asked->brought = 0;
	asked->to[0] = '\0';
	for (size_t i = 0; i < request->naddresses; i++) {
		net_address_text(&request->addresses[i], text);
		used += (size_t)snprintf(asked->to + used,
		    sizeof(asked->to) - used, "%s%s", i > 0 ? " " : "", text);
	}
}

struct https_fetch *
https_get(struct https *https, const struct https_request *request,
    https_done *done, void *arg)
{
	struct https_fetch *fetch = mem_new(sizeof(*fetch));
	struct https_fetch **at = &https->first;

	note(request);
	fetch->https = https;
	fetch->host = mem_strdup(request->host);
	fetch->done = done;
	fetch->arg = arg;
	while (*at != NULL)
		at = &(*at)->next;
	*at = fetch;
	return fetch;
}

struct https_fetch *
https_post(struct https *https, const struct https_request *request,
    const struct https_content *content, https_done *done, void *arg)
{
	struct https_fetch *fetch = https_get(https, request, done, arg);

	(void)text_copy(
	    fake.asked.type, sizeof(fake.asked.type), content->type);
	fake.asked.brought = content->bytes.n;
	return fetch;
}

void
https_cancel(struct https_fetch **fetchp)
{
	struct https_fetch *fetch = *fetchp;

	*fetchp = NULL;
	if (fetch != NULL)
		remove_fetch(fetch);
}

bool
https_is_ours(enum https_kind kind)
{
	return kind == HTTPS_BUSY || kind == HTTPS_OURS;
}

const char *
https_kind_name(enum https_kind kind)
{
	static const char *const names[] = {"no-connection", "busy", "ours",
	    "tls-failed", "expired", "wrong-name", "not-trusted", "broken",
	    "redirect", "status", "wrong-type", "too-large", "too-slow",
	    "fine"};

	return names[kind];
}
