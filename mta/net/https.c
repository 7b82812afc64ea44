/* The queue of fetches, and libcurl's sockets and timer on our loop. */
#include "mta/net/https.h"

#include "base/clock.h"
#include "base/mem.h"
#include "mta/net/https_private.h"
#include "mta/net/loop.h"

#define TIMEOUT_MS  60000 /* RFC 8461 3.3 */
#define AT_ONCE     8
#define WAITING_MAX 128
#define POST_MAX    ((size_t)10 << 20) /* RFC 8460 5.2: ten megabytes */
#define POSTS_MAX   ((size_t)32 << 20)
/* Records of TLS, the frames of chunks, and what stands in them. */
#define RECEIVED_MAX ((size_t)4 * HTTPS_BODY_MAX)

/* A socket of libcurl's, while that wants to know about it. */
struct https_socket {
	struct https *https;
	struct watch *watch;
	curl_socket_t fd;
};

/* --- a fetch, from the queue to its end ------------------------------------ */

static void on_turn(struct https *https);

static void
unlink_fetch(struct https_fetch *fetch)
{
	struct https *https = fetch->https;
	struct https_fetch **at = &https->fetches;

	while (*at != fetch)
		at = &(*at)->next;
	*at = fetch->next;
	if (fetch->easy != NULL)
		https->running--;
	else
		https->waiting--;
	https_detach(fetch);
	https_drop_content(fetch);
}

static void
fetch_free(struct https_fetch *fetch)
{
	timer_free(&fetch->timer);
	buf_free(&fetch->body);
	mem_free(fetch);
}

/* Its result is known. */
static void
finish(struct https_fetch *fetch)
{
	struct https *https = fetch->https;

	unlink_fetch(fetch);
	on_turn(https);
	fetch->done(fetch->arg, &fetch->result);
	fetch_free(fetch);
}

/* It was refused, could not begin, or has run out of time. */
static void
on_time(void *arg)
{
	struct https_fetch *fetch = arg;

	https_judge_late(fetch);
	finish(fetch);
}

static void
start(struct https_fetch *fetch)
{
	struct https *https = fetch->https;

	if (!https_attempt(fetch)) {
		timer_start(fetch->timer, 0);
		return;
	}
	https->waiting--;
	https->running++;
}

/*
 * Many names may lead to one address, and that may be slow: it has no more
 * than half of those that run.
 */
static bool
has_place(const struct https_fetch *fetch)
{
	const struct https *https = fetch->https;
	const struct net_address *to = &fetch->addresses[fetch->at];
	size_t n = 0;

	if (https->running >= https->at_once)
		return false;
	for (const struct https_fetch *f = https->fetches; f != NULL;
	     f = f->next)
		n += f->easy != NULL &&
		     net_address_eq(&f->addresses[f->at], to);
	return n < (https->at_once + 1) / 2;
}

/* Start those whose turn it is. */
static void
on_turn(struct https *https)
{
	uint64_t now = clock_mono_ms();

	for (struct https_fetch *f = https->fetches; f != NULL; f = f->next)
		if (f->easy == NULL && !f->decided && f->end_ms > now &&
		    has_place(f))
			start(f);
}

/* An attempt has ended: the next address, if that can help. */
static void
on_attempt_over(struct https_fetch *fetch, CURLcode code)
{
	bool next = code == CURLE_COULDNT_CONNECT ||
	            code == CURLE_OPERATION_TIMEDOUT;

	if (!fetch->decided && next && fetch->at + 1 < fetch->naddresses) {
		https_detach(fetch);
		fetch->at++;
		if (https_attempt(fetch))
			return;
		fetch->https->running--;
		fetch->https->waiting++; /* it has nothing of libcurl's */
	} else {
		https_judge(fetch, code);
	}
	finish(fetch);
}

static void
harvest(struct https *https)
{
	CURLMsg *message;
	int left;

	while ((message = curl_multi_info_read(https->multi, &left)) != NULL) {
		CURLcode code = message->data.result;
		struct https_fetch *fetch = NULL;

		if (message->msg != CURLMSG_DONE)
			continue;
		(void)curl_easy_getinfo(
		    message->easy_handle, CURLINFO_PRIVATE, &fetch);
		on_attempt_over(fetch, code);
	}
}

static struct https_fetch *
fetch_of(struct https *https, const void *ssl_ctx)
{
	struct https_fetch *f = https->fetches;

	while (f != NULL && f->ssl_ctx != ssl_ctx)
		f = f->next;
	return f;
}

static void
on_record(void *arg, const void *ssl_ctx, size_t n)
{
	struct https_fetch *fetch = fetch_of(arg, ssl_ctx);

	if (fetch == NULL)
		return;
	fetch->received += n;
	if (fetch->received <= RECEIVED_MAX || fetch->decided)
		return;
	https_judge_large(fetch, RECEIVED_MAX);
	timer_start(fetch->timer, 0); /* libcurl is at it: not from here */
}

static void
on_closed(void *arg, const void *ssl_ctx)
{
	struct https_fetch *fetch = fetch_of(arg, ssl_ctx);

	if (fetch != NULL)
		fetch->closed = true;
}

/* --- libcurl on the loop --------------------------------------------------- */

static void
act(struct https *https, curl_socket_t fd)
{
	int running;

	/* No events named: libcurl looks for itself. */
	(void)curl_multi_socket_action(https->multi, fd, 0, &running);
	harvest(https);
}

static void
on_timer(void *arg)
{
	act(arg, CURL_SOCKET_TIMEOUT);
}

/* The socket may be gone afterwards. */
static void
on_ready(void *arg)
{
	struct https_socket *one = arg;

	act(one->https, one->fd);
}

static int
on_timeout_wanted(CURLM *multi, long ms, void *arg)
{
	struct https *https = arg;

	(void)multi;
	if (ms < 0)
		timer_stop(https->timer);
	else
		timer_start(https->timer, (uint64_t)ms);
	return 0;
}

static struct https_socket *
socket_new(struct https *https, curl_socket_t fd)
{
	struct https_socket *one = mem_new(sizeof(*one));

	one->https = https;
	one->fd = fd;
	one->watch = watch_new(https->loop, fd, on_ready, one);
	(void)curl_multi_assign(https->multi, fd, one);
	return one;
}

static void
socket_free(struct https_socket *one)
{
	if (one == NULL)
		return;
	watch_free(&one->watch);
	mem_free(one);
}

static int
on_socket_wanted(CURL *easy, curl_socket_t fd, int what, void *arg, void *known)
{
	struct https *https = arg;
	struct https_socket *one = known;

	(void)easy;
	if (what == CURL_POLL_REMOVE) {
		(void)curl_multi_assign(https->multi, fd, NULL);
		socket_free(one);
		return 0;
	}
	if (one == NULL)
		one = socket_new(https, fd);
	watch_want(one->watch, (what & CURL_POLL_IN) != 0,
	    (what & CURL_POLL_OUT) != 0);
	return 0;
}

/* --- beginning and end ----------------------------------------------------- */

static CURLM *
multi_new(struct https *https)
{
	CURLM *multi;

	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		return NULL;
	multi = curl_multi_init();
	if (multi == NULL) {
		curl_global_cleanup();
		return NULL;
	}
	(void)curl_multi_setopt(
	    multi, CURLMOPT_SOCKETFUNCTION, on_socket_wanted);
	(void)curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, https);
	(void)curl_multi_setopt(
	    multi, CURLMOPT_TIMERFUNCTION, on_timeout_wanted);
	(void)curl_multi_setopt(multi, CURLMOPT_TIMERDATA, https);
	return multi;
}

int
https_new(const struct https_setup *setup, struct https **ret, struct err *err)
{
	const char *ca_file = setup->ca_file == NULL ? TLS_WEB_CA_FILE
	                                             : setup->ca_file;
	struct https *https;

	if (tls_web_check_file(ca_file, err) != 0)
		return -1;
	https = mem_new(sizeof(*https));
	https->multi = multi_new(https);
	if (https->multi == NULL) {
		mem_free(https);
		return err_set(err, ERR_TEMP, "4.3.0", "libcurl: no memory");
	}
	https->loop = setup->loop;
	https->watcher = (struct tls_web_watcher){on_record, on_closed, https};
	https->timer = timer_new(setup->loop, on_timer, https);
	https->ca_file = mem_strdup(ca_file);
	https->source4 = setup->source4;
	https->source6 = setup->source6;
	https->timeout_ms = setup->timeout_ms == 0 ? TIMEOUT_MS
	                                           : setup->timeout_ms;
	https->at_once = setup->at_once == 0 ? AT_ONCE : setup->at_once;
	https->waiting_max = setup->waiting_max == 0 ? WAITING_MAX
	                                             : setup->waiting_max;
	https->post_max = setup->post_max == 0 ? POST_MAX : setup->post_max;
	https->posts_max = setup->posts_max == 0 ? POSTS_MAX : setup->posts_max;
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
	https->at_once = 0; /* nobody's turn any more */
	while (https->fetches != NULL) {
		struct https_fetch *fetch = https->fetches;

		https_cancel(&fetch);
	}
	(void)curl_multi_cleanup(https->multi);
	curl_global_cleanup();
	timer_free(&https->timer);
	mem_free(https->ca_file);
	mem_free(https);
}

static void
append(struct https *https, struct https_fetch *fetch)
{
	struct https_fetch **at = &https->fetches;

	while (*at != NULL)
		at = &(*at)->next;
	*at = fetch;
	https->waiting++;
}

static struct https_fetch *
fetch_new(struct https *https, const struct https_request *request,
    https_done *done, void *arg)
{
	struct https_fetch *fetch = mem_new(sizeof(*fetch));

	fetch->https = https;
	fetch->done = done;
	fetch->arg = arg;
	fetch->end_ms = clock_mono_ms() + https->timeout_ms;
	fetch->timer = timer_new(https->loop, on_time, fetch);
	buf_init(&fetch->body, HTTPS_BODY_MAX);
	https_copy_request(fetch, request);
	if (https->waiting >= https->waiting_max && !has_place(fetch))
		https_decide(fetch, HTTPS_BUSY, "too many fetches at once");
	return fetch;
}

static struct https_fetch *
enter(struct https *https, struct https_fetch *fetch)
{
	append(https, fetch);
	timer_start(fetch->timer, fetch->decided ? 0 : https->timeout_ms);
	on_turn(https);
	return fetch;
}

struct https_fetch *
https_get(struct https *https, const struct https_request *request,
    https_done *done, void *arg)
{
	return enter(https, fetch_new(https, request, done, arg));
}

struct https_fetch *
https_post(struct https *https, const struct https_request *request,
    const struct https_content *content, https_done *done, void *arg)
{
	struct https_fetch *fetch = fetch_new(https, request, done, arg);

	https_copy_content(fetch, content);
	return enter(https, fetch);
}

void
https_cancel(struct https_fetch **fetchp)
{
	struct https_fetch *fetch = *fetchp;
	struct https *https;

	*fetchp = NULL;
	if (fetch == NULL)
		return;
	https = fetch->https;
	unlink_fetch(fetch);
	fetch_free(fetch);
	on_turn(https);
}

bool
https_is_ours(enum https_kind kind)
{
	return kind == HTTPS_BUSY || kind == HTTPS_OURS;
}

const char *
https_kind_name(enum https_kind kind)
{
	static const char *const names[] = {
	    [HTTPS_NO_CONNECTION] = "no-connection",
	    [HTTPS_BUSY] = "busy",
	    [HTTPS_OURS] = "ours",
	    [HTTPS_TLS_FAILED] = "tls-failed",
	    [HTTPS_EXPIRED] = "expired",
	    [HTTPS_WRONG_NAME] = "wrong-name",
	    [HTTPS_NOT_TRUSTED] = "not-trusted",
	    [HTTPS_BROKEN] = "broken",
	    [HTTPS_REDIRECT] = "redirect",
	    [HTTPS_STATUS] = "status",
	    [HTTPS_WRONG_TYPE] = "wrong-type",
	    [HTTPS_TOO_LARGE] = "too-large",
	    [HTTPS_TOO_SLOW] = "too-slow",
	    [HTTPS_FINE] = "fine",
	};

	return names[kind];
}
