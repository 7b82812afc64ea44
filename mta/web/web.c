/*
 * The web role: what monitoring asks of the operator's own machine.
 *
 *   GET /metrics   numbers, in the text format of Prometheus
 *   GET /health    200 "running" or "degraded"; 503 while it starts or stops
 *
 * It knows none of this: the supervisor does, and is asked.  A web role that
 * strangers have taken over reads a public configuration and these numbers.
 */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "mta/net/channel.h"
#include "mta/net/http_server.h"
#include "mta/role.h"
#include "mta/web_words.h"

#define ASKED_MAX   64u  /* more connections there are not */
#define PATIENCE_MS 5000 /* with the supervisor */
#define LINGER_MS   2000 /* for answers on their way */

struct asked {
	uint64_t id; /* of the question; 0: free */
	uint64_t request;
	struct http_server *server;
	enum web_page page;
	uint64_t until; /* loop_now(): then it is 503 */
};

struct web {
	struct role *role;
	struct http_server *servers[ROLE_LISTEN_MAX];
	size_t nservers;
	struct asked asked[ASKED_MAX];
	uint64_t ids;
	struct timer *patience;
	struct timer *linger;
};

static void
say(struct http_server *server, uint64_t request, unsigned status,
    const char *text)
{
	http_server_answer(server, request, status, "text/plain; charset=utf-8",
	    span_of(text));
}

static struct asked *
find_asked(struct web *web, uint64_t id)
{
	for (size_t i = 0; i < ASKED_MAX; i++)
		if (web->asked[i].id == id)
			return &web->asked[i];
	return NULL;
}

/* Until whoever has waited longest has waited enough. */
static void
set_patience(struct web *web)
{
	uint64_t now = loop_now(web->role->loop), first = UINT64_MAX;

	for (size_t i = 0; i < ASKED_MAX; i++)
		if (web->asked[i].id != 0 && web->asked[i].until < first)
			first = web->asked[i].until;
	if (first == UINT64_MAX)
		timer_stop(web->patience);
	else
		timer_start(web->patience, first > now ? first - now : 0);
}

static void
ask_supervisor(struct web *web, struct asked *asked)
{
	struct ipc_ask ask = {
	    .id = asked->id, .text = span_of(web_page_name(asked->page))};
	struct buf out;

	buf_init(&out, 64);
	ipc_put_ask(&out, &ask);
	channel_send(web->role->supervisor, IPC_ASK, buf_span(&out));
	buf_free(&out);
	asked->until = loop_now(web->role->loop) + PATIENCE_MS;
	set_patience(web);
}

/* Each server has the role's struct behind it; which one asks, too. */
struct place {
	struct web *web;
	struct http_server *server;
};

static void
on_request(void *owner, uint64_t request, const char *path)
{
	struct place *place = owner;
	struct web *web = place->web;
	enum web_page page = web_page_of(path);
	struct asked *asked = find_asked(web, 0);

	if (page == WEB_NO_PAGE) {
		say(place->server, request, 404,
		    "there is /metrics here, and /health\n");
		return;
	}
	if (asked == NULL || web->role->supervisor == NULL) {
		say(place->server, request, 503, "try again\n");
		return;
	}
	*asked = (struct asked){.id = ++web->ids,
	    .request = request,
	    .server = place->server,
	    .page = page};
	ask_supervisor(web, asked);
}

/* Who serves strangers' pages is not answered (DNS rebinding). */
static bool
is_host(void *owner, const char *host)
{
	const struct place *place = owner;

	return web_is_host(host, place->web->role->config->hostname);
}

/* The supervisor does not answer: nobody waits for it for ever. */
static void
on_patience(void *arg)
{
	struct web *web = arg;
	uint64_t now = loop_now(web->role->loop);

	for (size_t i = 0; i < ASKED_MAX; i++) {
		struct asked *asked = &web->asked[i];

		if (asked->id == 0 || asked->until > now)
			continue;
		say(asked->server, asked->request, 503,
		    "the daemon does not answer\n");
		asked->id = 0;
	}
	set_patience(web);
}

static void
on_answer(void *owner, const struct ipc_ask *answer)
{
	struct web *web = owner;
	struct asked *asked = answer->id == 0 ? NULL
	                                      : find_asked(web, answer->id);
	unsigned status;

	if (asked == NULL)
		return;
	status = web_status(asked->page, answer->text);
	if (status == 500)
		say(asked->server, asked->request, status,
		    "the page could not be made\n");
	else
		http_server_answer(asked->server, asked->request, status,
		    web_page_type(asked->page), answer->text);
	asked->id = 0;
	set_patience(web);
}

/* --- the role ------------------------------------------------------------- */

static void
on_linger(void *arg)
{
	struct web *web = arg;

	loop_stop(web->role->loop);
}

static void
on_drain(void *owner, uint32_t ms)
{
	struct web *web = owner;
	bool idle = true;

	for (size_t i = 0; i < web->nservers; i++) {
		http_server_quiet(web->servers[i]);
		idle &= http_server_is_idle(web->servers[i]);
	}
	timer_start(web->linger, idle ? 0 : ms < LINGER_MS ? ms : LINGER_MS);
}

static const struct role_ops web_ops = {
    .on_drain = on_drain,
    .on_answer = on_answer,
};

static const struct http_server_ops server_ops = {on_request, is_host};

static int
open_servers(struct web *web, struct place *places, struct err *err)
{
	for (size_t i = 0; i < web->role->nfds; i++) {
		places[i].web = web;
		if (http_server_new(web->role->loop, web->role->fds[i],
			&server_ops, &places[i], &web->servers[i], err) < 0)
			return -1;
		places[i].server = web->servers[i];
		web->nservers++;
	}
	return 0;
}

int
web_main(struct role *role)
{
	struct place places[ROLE_LISTEN_MAX];
	struct web *web = mem_new(sizeof(*web));
	struct err err;
	int status = EXIT_SUCCESS;

	web->role = role;
	web->patience = timer_new(role->loop, on_patience, web);
	web->linger = timer_new(role->loop, on_linger, web);
	if (open_servers(web, places, &err) < 0) {
		log_event(LOG_LEVEL_ERROR, "role-not-started", err.text);
		status = EXIT_FAILURE;
	} else {
		role_ready(role, &web_ops, web);
		loop_run(role->loop);
	}
	for (size_t i = 0; i < web->nservers; i++)
		http_server_free(&web->servers[i]);
	timer_free(&web->patience);
	timer_free(&web->linger);
	mem_free(web);
	return status;
}
