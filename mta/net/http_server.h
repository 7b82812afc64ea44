/*
 * A small HTTP server for the operator's own machine: GET and HEAD of a few
 * paths, answered at once or later.  libmicrohttpd speaks HTTP; its sockets
 * and its clock are on our loop.  No TLS.
 *
 * Bounded: HTTP_CONNECTIONS at once, 16 KiB of a request's head, and
 * HTTP_WHOLE_MS from one answer to the next, however little comes at a time.
 * Where one more comes, who has had the longest of that is cut.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/span.h"

#define HTTP_CONNECTIONS 32u
#define HTTP_WHOLE_MS    10000u

struct http_server;
struct loop;

struct http_server_ops {
	/* Somebody wants `path`, which is lent; http_server_answer() is owed. */
	void (*on_request)(void *owner, uint64_t id, const char *path);
	/* Is it us who is asked for, by the field Host?  NULL: there is none.
	 * Else who reads a page of a stranger may ask for that stranger, whose
	 * name has become our address. */
	bool (*is_host)(void *owner, const char *host);
};

/* Takes the listening socket, also when it fails. */
int http_server_new(struct loop *loop, int fd,
    const struct http_server_ops *ops, void *owner, struct http_server **ret,
    struct err *err);
/* What was not answered gets none. */
void http_server_free(struct http_server **server);

/* Copies.  From on_request or later; one that has gone is nothing. */
void http_server_answer(struct http_server *server, uint64_t id,
    unsigned status, const char *type, struct span body);

/* No new connections; those there are go on. */
void http_server_quiet(struct http_server *server);
bool http_server_is_idle(const struct http_server *server);
