/* Private to mta/net/https*.c. */
#pragma once
#include <curl/curl.h>

#include "base/buf.h"
#include "dnssec/name.h"
#include "mta/net/https.h"
#include "mta/net/https_head.h"
#include "mta/net/tls_web.h"

struct timer;

#define HTTPS_PATH_SIZE 128

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
	struct https_fetch *fetches; /* in the order they came */
};

struct https_fetch {
	struct https_fetch *next;
	struct https *https;
	CURL *easy; /* NULL unless it runs */
	struct curl_slist *connect_to;
	struct timer *timer; /* the end of its time */
	uint64_t end_ms;
	char host[DNS_NAME_SIZE];
	char path[HTTPS_PATH_SIZE];
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

/* Begin with the address `at`; false, and decided, when that cannot be. */
bool https_attempt(struct https_fetch *fetch);
/* Let go of what https_attempt() made. */
void https_detach(struct https_fetch *fetch);
/* libcurl is done with this attempt: fill in the result. */
void https_judge(struct https_fetch *fetch, CURLcode code);
/* The time is over. */
void https_judge_late(struct https_fetch *fetch);
/* Unless it is decided already.  The address is put in front of the text. */
void https_decide(struct https_fetch *fetch, enum https_kind kind,
    const char *fmt, ...) __attribute__((format(printf, 3, 4)));
