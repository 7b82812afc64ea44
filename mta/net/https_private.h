/* Private to mta/net/https*.c. */
#pragma once
#include <curl/curl.h>

#include "base/buf.h"
#include "dnssec/name.h"
#include "mta/net/https.h"
#include "mta/net/https_head.h"
#include "mta/net/tls_web.h"

struct timer;

#define HTTPS_TYPE_SIZE 64

struct https {
	struct loop *loop;
	CURLM *multi;
	struct timer *timer; /* libcurl's */
	char *ca_file;
	struct tls_web_watcher watcher;
	struct net_address source4, source6;
	uint32_t timeout_ms;
	size_t at_once, waiting_max;
	size_t running, waiting;
	size_t post_max, posts_max;
	size_t brought;              /* octets, by all posts there are */
	struct https_fetch *fetches; /* in the order they came */
};

struct https_fetch {
	struct https_fetch *next;
	struct https *https;
	CURL *easy; /* NULL unless it runs */
	struct curl_slist *connect_to, *fields;
	struct timer *timer; /* the end of its time */
	uint64_t end_ms;
	char host[DNS_NAME_SIZE];
	uint16_t port;
	char path[HTTPS_PATH_MAX + 1];
	char type[HTTPS_TYPE_SIZE]; /* of what a post brings; "": it is none */
	char *content;
	size_t ncontent;
	struct net_address addresses[HTTPS_ADDRESSES_MAX];
	size_t naddresses, at;
	int no_socket; /* errno, when there was none for an address */
	struct https_head head;
	struct buf body;
	const void *ssl_ctx; /* whose it is; NULL: no connection yet */
	size_t received;     /* from the host, since the handshake */
	bool closed;         /* the host has said close_notify */
	bool decided;        /* by what has come so far: result.kind counts */
	struct https_result result;
	char said[CURL_ERROR_SIZE]; /* libcurl's words */
	https_done *done;
	void *arg;
};

/* Decided when it cannot be done. */
void https_copy_request(
    struct https_fetch *fetch, const struct https_request *request);
/* All that a post brings, or nothing of it, and decided. */
void https_copy_content(
    struct https_fetch *fetch, const struct https_content *content);
/* It is needed no more. */
void https_drop_content(struct https_fetch *fetch);
/* Begin with the address `at`; false, and decided, when that cannot be. */
bool https_attempt(struct https_fetch *fetch);
/* Let go of what https_attempt() made. */
void https_detach(struct https_fetch *fetch);
/* libcurl is done with this attempt: fill in the result. */
void https_judge(struct https_fetch *fetch, CURLcode code);
/* The time is over. */
void https_judge_late(struct https_fetch *fetch);
/* More than so many octets have come. */
void https_judge_large(struct https_fetch *fetch, size_t most);
/* Unless it is decided already.  The address is put in front of the text. */
void https_decide(struct https_fetch *fetch, enum https_kind kind,
    const char *fmt, ...) __attribute__((format(printf, 3, 4)));
