/* What a fetch is asked to do: copied, and looked at before anything is done. */
#include <assert.h>

#include "base/mem.h"
#include "base/text.h"
#include "mta/net/https_private.h"

#define PORT 443

/* RFC 9112 3.2.1; what libcurl leaves as it is. */
static bool
is_path(const char *text)
{
	size_t n = 0;

	while (text[n] > ' ' && text[n] <= '~' && text[n] != '#')
		n++;
	return text[0] == '/' && text[n] == '\0' && n <= HTTPS_PATH_MAX;
}

void
https_copy_request(
    struct https_fetch *fetch, const struct https_request *request)
{
	fetch->port = request->port == 0 ? PORT : request->port;
	(void)text_copy(fetch->path, sizeof(fetch->path), request->path);
	for (size_t i = 0; i < request->naddresses; i++)
		if (fetch->naddresses < HTTPS_ADDRESSES_MAX)
			fetch->addresses[fetch->naddresses++] =
			    request->addresses[i];
	if (!dns_name_normal(request->host, fetch->host) ||
	    !dns_name_is_host(fetch->host))
		https_decide(fetch, HTTPS_NO_CONNECTION, "not a host's name");
	else if (!is_path(request->path))
		https_decide(fetch, HTTPS_NO_CONNECTION, "not a path");
	else if (fetch->naddresses == 0)
		https_decide(fetch, HTTPS_NO_CONNECTION, "no address");
}

void
https_copy_content(
    struct https_fetch *fetch, const struct https_content *content)
{
	struct https *https = fetch->https;
	size_t n = content->bytes.n;
	bool fits = text_copy(fetch->type, sizeof(fetch->type), content->type);

	assert(fits && fetch->type[0] != '\0'); /* ours, not a stranger's */
	(void)fits;
	if (n > https->post_max)
		https_decide(fetch, HTTPS_OURS, "%zu octets, more than %zu", n,
		    https->post_max);
	else if (https->brought + n > https->posts_max)
		https_decide(fetch, HTTPS_BUSY, "too much to send at once");
	if (fetch->decided)
		return;
	fetch->content = mem_raw(n + 1); /* also for nothing, a place */
	if (n > 0)
		memcpy(fetch->content, content->bytes.p, n);
	fetch->ncontent = n;
	https->brought += n;
}

void
https_drop_content(struct https_fetch *fetch)
{
	fetch->https->brought -= fetch->ncontent;
	fetch->ncontent = 0;
	mem_free(fetch->content);
	fetch->content = NULL;
}
