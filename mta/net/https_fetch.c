/* One attempt at one address, in libcurl's terms. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/text.h"
#include "mta/net/https_private.h"

#define TOO_LARGE_OF_LIBCURL 100 /* CURLE_TOO_LARGE, from 8.6 on */

/* --- what has come of it --------------------------------------------------- */

static void
note(struct https_fetch *fetch, enum https_kind kind, const char *text)
{
	struct https_result *result = &fetch->result;
	char address[NET_ADDRESS_TEXT] = "";

	if (fetch->easy != NULL)
		net_address_text(&fetch->addresses[fetch->at], address);
	fetch->decided = true;
	result->kind = kind;
	result->status = fetch->head.status;
	(void)snprintf(result->text, sizeof(result->text), "%s%s%s", address,
	    address[0] == '\0' ? "" : ": ", text);
	text_make_printable(result->text);
}

void
https_decide(
    struct https_fetch *fetch, enum https_kind kind, const char *fmt, ...)
{
	char text[HTTPS_TEXT_SIZE - NET_ADDRESS_TEXT - 2];
	va_list ap;

	if (fetch->decided)
		return; /* what was seen first counts */
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	note(fetch, kind, text);
}

static bool
was_connected(const struct https_fetch *fetch)
{
	return fetch->ssl_ctx != NULL;
}

/* Nothing is known of a host when one of its addresses was not tried. */
static void
judge_unconnected(struct https_fetch *fetch, const char *why)
{
	if (fetch->no_socket != 0)
		https_decide(fetch, HTTPS_OURS, "no socket for an address: %s",
		    strerrordesc_np(fetch->no_socket));
	else
		https_decide(fetch, HTTPS_NO_CONNECTION, "%s", why);
}

/*
 * RFC 9110 15.3: a 2xx has taken what was sent; nothing behind its head takes
 * that back.  One that comes before all was sent has not.
 */
static bool
judge_taken(struct https_fetch *fetch)
{
	curl_off_t sent = 0;

	if (!fetch->head.is_post || !fetch->head.over || fetch->easy == NULL)
		return false;
	(void)curl_easy_getinfo(fetch->easy, CURLINFO_SIZE_UPLOAD_T, &sent);
	if ((size_t)sent != fetch->ncontent)
		return false;
	https_decide(fetch, HTTPS_FINE, "status %u", fetch->head.status);
	return true;
}

void
https_judge_large(struct https_fetch *fetch, size_t most)
{
	if (!judge_taken(fetch))
		https_decide(
		    fetch, HTTPS_TOO_LARGE, "more than %zu octets", most);
}

void
https_judge_late(struct https_fetch *fetch)
{
	if (judge_taken(fetch))
		return;
	if (fetch->easy == NULL)
		https_decide(
		    fetch, HTTPS_BUSY, "waited for its turn until too late");
	else if (was_connected(fetch))
		https_decide(fetch, HTTPS_TOO_SLOW, "not done in time");
	else
		judge_unconnected(fetch, "no connection in time");
}

static const char *
words(const struct https_fetch *fetch, CURLcode code)
{
	return fetch->said[0] != '\0' ? fetch->said : curl_easy_strerror(code);
}

static void
judge_certificate(struct https_fetch *fetch)
{
	long error = 0;

	(void)curl_easy_getinfo(fetch->easy, CURLINFO_SSL_VERIFYRESULT, &error);
	if (error != 0)
		https_decide(fetch, tls_web_kind(error), "certificate: %s",
		    tls_web_words(error));
	else
		https_decide(fetch, HTTPS_NOT_TRUSTED, "certificate: %s",
		    words(fetch, CURLE_PEER_FAILED_VERIFICATION));
}

/* libcurl calls it a want of memory when a line is longer than it takes. */
static void
judge_memory(struct https_fetch *fetch, const char *why)
{
	if (fetch->received > HTTPS_HEAD_MAX)
		https_decide(fetch, HTTPS_TOO_LARGE, "a line without end");
	else
		https_decide(fetch, HTTPS_OURS, "%s", why);
}

static void
judge_failure(struct https_fetch *fetch, CURLcode code)
{
	const char *why = words(fetch, code);

	switch ((int)code) {
	case CURLE_COULDNT_RESOLVE_HOST: /* it has no way to ask */
	case CURLE_COULDNT_CONNECT:
		judge_unconnected(fetch, why);
		break;
	case CURLE_OUT_OF_MEMORY:
	case TOO_LARGE_OF_LIBCURL:
		judge_memory(fetch, why);
		break;
	/* What no host can bring about. */
	case CURLE_FAILED_INIT:
	case CURLE_NOT_BUILT_IN:
	case CURLE_BAD_FUNCTION_ARGUMENT:
	case CURLE_UNKNOWN_OPTION:
	case CURLE_SSL_ENGINE_INITFAILED:
	case CURLE_SSL_CERTPROBLEM: /* of a client's, which we have not */
	case CURLE_SSL_CIPHER:
	case CURLE_SSL_CACERT_BADFILE:
		https_decide(fetch, HTTPS_OURS, "%s", why);
		break;
	case CURLE_PEER_FAILED_VERIFICATION:
		judge_certificate(fetch);
		break;
	case CURLE_OPERATION_TIMEDOUT:
		https_judge_late(fetch);
		break;
	case CURLE_SSL_CONNECT_ERROR:
		https_decide(fetch, HTTPS_TLS_FAILED, "%s", why);
		break;
	default:
		https_decide(fetch, HTTPS_BROKEN, "%s", why);
	}
}

void
https_judge(struct https_fetch *fetch, CURLcode code)
{
	if (fetch->decided || judge_taken(fetch))
		return;
	if (code != CURLE_OK)
		judge_failure(fetch, code);
	else if (!fetch->head.over)
		https_decide(fetch, HTTPS_BROKEN, "no HTTP");
	else if (fetch->head.is_post)
		https_decide(fetch, HTTPS_BROKEN,
		    "status %u before all was sent", fetch->head.status);
	/* RFC 9112 9.8: without a length, complete by close_notify alone. */
	else if (fetch->head.length == HTTPS_LENGTH_UNSAID && !fetch->closed)
		https_decide(fetch, HTTPS_BROKEN, "cut short");
	else {
		https_decide(fetch, HTTPS_FINE, "%zu octets", fetch->body.n);
		fetch->result.body = buf_span(&fetch->body);
	}
}

/* --- what libcurl calls ---------------------------------------------------- */

/* Fewer octets than were given end the transfer. */
static size_t
on_head(char *p, size_t size, size_t n, void *arg)
{
	struct https_fetch *fetch = arg;
	struct https_head *head = &fetch->head;
	enum https_kind kind = https_head_add(head, (struct span){p, size * n});

	if (kind == HTTPS_FINE)
		return size * n;
	if (kind == HTTPS_WRONG_TYPE)
		https_decide(fetch, kind, "not text/plain but %s%s",
		    head->type[0] == '\0' ? "nothing" : head->type,
		    head->is_encoded ? ", encoded" : "");
	else if (kind == HTTPS_TOO_LARGE)
		https_judge_large(
		    fetch, head->over ? HTTPS_BODY_MAX : HTTPS_HEAD_MAX);
	else
		https_decide(fetch, kind,
		    head->length == HTTPS_LENGTH_UNCLEAR && kind == HTTPS_BROKEN
			? "status %u, of no clear length"
			: "status %u",
		    head->status);
	return 0;
}

static size_t
on_body(char *p, size_t size, size_t n, void *arg)
{
	struct https_fetch *fetch = arg;

	if (!fetch->head.over)
		https_decide(fetch, HTTPS_BROKEN, "a body without a head");
	else if (buf_add(&fetch->body, (struct span){p, size * n}) != 0)
		https_judge_large(fetch, HTTPS_BODY_MAX);
	return fetch->decided ? 0 : size * n;
}

/* TCP is there, TLS begins. */
static CURLcode
on_ssl_ctx(CURL *easy, void *ssl_ctx, void *arg)
{
	struct https_fetch *fetch = arg;

	(void)easy;
	fetch->ssl_ctx = ssl_ctx;
	if (tls_web_demand(ssl_ctx, fetch->host, &fetch->https->watcher))
		return CURLE_OK;
	https_decide(fetch, HTTPS_OURS, "no memory for TLS");
	return CURLE_ABORTED_BY_CALLBACK;
}

/* Of ours to theirs; -1: there is none. */
static int
open_socket(const struct https_fetch *fetch, const struct net_address *to)
{
	const struct net_address *from = to->family == AF_INET6
	                                     ? &fetch->https->source6
	                                     : &fetch->https->source4;
	int fd = socket(
	    to->family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct sockaddr_storage ss;
	unsigned n;
	int why;

	if (fd < 0 || from->family != to->family)
		return fd;
	n = net_address_to(from, &ss);
	if (bind(fd, (const struct sockaddr *)&ss, n) == 0)
		return fd;
	why = errno;
	(void)close(fd);
	errno = why;
	return -1;
}

/* Where to, whatever libcurl thinks: an address of ours, from ours. */
static curl_socket_t
on_open(void *arg, curlsocktype purpose, struct curl_sockaddr *curl)
{
	struct https_fetch *fetch = arg;
	struct net_address to;
	int fd;

	net_address_from(&curl->addr, &to);
	if (purpose != CURLSOCKTYPE_IPCXN ||
	    !net_address_eq(&to, &fetch->addresses[fetch->at]))
		return CURL_SOCKET_BAD;
	fd = open_socket(fetch, &to);
	/* A machine without IPv6 has no way to such a host, and that is all. */
	if (fd < 0 && errno != EAFNOSUPPORT)
		fetch->no_socket = errno;
	return fd;
}

/* --- an attempt ------------------------------------------------------------ */

static const struct {
	CURLoption option;
	long value;
} numbers[] = {
    {CURLOPT_NOSIGNAL, 1},
    /* RFC 8461 3.3: 3xx redirects MUST NOT be followed. */
    {CURLOPT_FOLLOWLOCATION, 0},
    {CURLOPT_SSL_VERIFYPEER, 1},
    {CURLOPT_SSL_VERIFYHOST, 2},
    /* An intermediate among the authorities is no anchor. */
    {CURLOPT_SSL_OPTIONS, CURLSSLOPT_NO_PARTIALCHAIN},
    /* RFC 8996 4, 5: TLS 1.0 and 1.1 must not be negotiated. */
    {CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2},
    {CURLOPT_SSL_SESSIONID_CACHE, 0},
    {CURLOPT_FRESH_CONNECT, 1},
    {CURLOPT_FORBID_REUSE, 1},
    {CURLOPT_DNS_CACHE_TIMEOUT, 0},
    {CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1},
    {CURLOPT_HTTP09_ALLOWED, 0},
    {CURLOPT_HTTP_CONTENT_DECODING, 0},
    {CURLOPT_NETRC, CURL_NETRC_IGNORED},
    {CURLOPT_PATH_AS_IS, 1},
};

static CURLcode
set_numbers(CURL *easy)
{
	CURLcode rc = CURLE_OK;

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		if (rc == CURLE_OK)
			rc = curl_easy_setopt(
			    easy, numbers[i].option, numbers[i].value);
	return rc;
}

static CURLcode
set_texts(struct https_fetch *fetch)
{
	char url[DNS_NAME_SIZE + HTTPS_PATH_MAX + 32];
	const struct {
		CURLoption option;
		const char *value;
	} texts[] = {
	    {CURLOPT_URL, url},
	    {CURLOPT_PROTOCOLS_STR, "https"},
	    {CURLOPT_USERAGENT, "danelaw"},
	    /* Not that of https_proxy, whatever that is set to. */
	    {CURLOPT_PROXY, ""},
	    {CURLOPT_NOPROXY, "*"},
	    {CURLOPT_CAINFO, fetch->https->ca_file},
	    {CURLOPT_CAPATH, NULL},
	};
	CURLcode rc = CURLE_OK;

	(void)snprintf(url, sizeof(url), "https://%s:%u%s", fetch->host,
	    (unsigned)fetch->port, fetch->path);
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (rc == CURLE_OK)
			rc = curl_easy_setopt(
			    fetch->easy, texts[i].option, texts[i].value);
	return rc;
}

static CURLcode
set_calls(struct https_fetch *fetch)
{
	CURL *easy = fetch->easy;

	/* The types are looked at by the compiler: no table. */
	(void)curl_easy_setopt(easy, CURLOPT_PRIVATE, fetch);
	(void)curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, fetch->said);
	(void)curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_head);
	(void)curl_easy_setopt(easy, CURLOPT_HEADERDATA, fetch);
	(void)curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
	(void)curl_easy_setopt(easy, CURLOPT_WRITEDATA, fetch);
	(void)curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, on_open);
	(void)curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, fetch);
	(void)curl_easy_setopt(easy, CURLOPT_SSL_CTX_DATA, fetch);
	/* The one that a libcurl with another TLS library does not know. */
	return curl_easy_setopt(easy, CURLOPT_SSL_CTX_FUNCTION, on_ssl_ctx);
}

/* An address as the name to connect to: there is nothing to resolve. */
static CURLcode
set_address(struct https_fetch *fetch)
{
	char address[NET_ADDRESS_TEXT], to[NET_ADDRESS_TEXT + 8];
	uint64_t now = clock_mono_ms();
	uint64_t left = now < fetch->end_ms ? fetch->end_ms - now : 0;

	net_address_text(&fetch->addresses[fetch->at], address);
	(void)snprintf(to, sizeof(to), "::%s", address);
	fetch->connect_to = curl_slist_append(NULL, to);
	(void)curl_easy_setopt(
	    fetch->easy, CURLOPT_CONNECT_TO, fetch->connect_to);
	left = left / (fetch->naddresses - fetch->at) + 1;
	return curl_easy_setopt(
	    fetch->easy, CURLOPT_CONNECTTIMEOUT_MS, (long)left);
}

/* What a post is beside a GET. */
static CURLcode
set_content(struct https_fetch *fetch)
{
	CURL *easy = fetch->easy;
	char type[HTTPS_TYPE_SIZE + 16];

	if (fetch->type[0] == '\0')
		return CURLE_OK;
	(void)snprintf(type, sizeof(type), "Content-Type: %s", fetch->type);
	fetch->fields = curl_slist_append(NULL, type);
	/* RFC 9110 10.1.1: libcurl would ask first, and wait a second. */
	if (fetch->fields == NULL ||
	    curl_slist_append(fetch->fields, "Expect:") == NULL)
		return CURLE_OUT_OF_MEMORY;
	(void)curl_easy_setopt(easy, CURLOPT_HTTPHEADER, fetch->fields);
	(void)curl_easy_setopt(easy, CURLOPT_POST, 1L);
	(void)curl_easy_setopt(
	    easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)fetch->ncontent);
	return curl_easy_setopt(easy, CURLOPT_POSTFIELDS, fetch->content);
}

static bool
begin(struct https_fetch *fetch)
{
	fetch->head = (struct https_head){.is_post = fetch->type[0] != '\0'};
	buf_clear(&fetch->body);
	fetch->said[0] = '\0';
	fetch->ssl_ctx = NULL;
	fetch->received = 0;
	fetch->closed = false;
	fetch->easy = curl_easy_init();
	return fetch->easy != NULL && set_numbers(fetch->easy) == CURLE_OK &&
	       set_texts(fetch) == CURLE_OK && set_calls(fetch) == CURLE_OK &&
	       set_content(fetch) == CURLE_OK &&
	       set_address(fetch) == CURLE_OK && fetch->connect_to != NULL &&
	       curl_multi_add_handle(fetch->https->multi, fetch->easy) ==
	           CURLM_OK;
}

bool
https_attempt(struct https_fetch *fetch)
{
	if (begin(fetch))
		return true;
	https_decide(fetch, HTTPS_OURS, "libcurl cannot be set up");
	https_detach(fetch);
	return false;
}

void
https_detach(struct https_fetch *fetch)
{
	if (fetch->easy != NULL) {
		(void)curl_multi_remove_handle(
		    fetch->https->multi, fetch->easy);
		curl_easy_cleanup(fetch->easy);
	}
	fetch->easy = NULL;
	curl_slist_free_all(fetch->connect_to);
	fetch->connect_to = NULL;
	curl_slist_free_all(fetch->fields);
	fetch->fields = NULL;
}
