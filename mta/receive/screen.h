/*
 * Clients looked up in the DNS block lists of the configuration, all of them
 * at once and in bounded time.  A lookup that fails lists nobody.
 *
 * Ownership: a struct screening is the asker's from screen_begin() until its
 * callback or screen_cancel(), whichever is first.
 */
#pragma once
#include <stdint.h>

#include "base/err.h"

struct receive;
struct screen;
struct screening;

struct screen_verdict {
	uint32_t score;   /* weights of the zones that list the client */
	char zones[256];  /* "zen.example=127.0.0.2, ...", cut to fit */
	char zone[128];   /* the first of them, */
	char reason[200]; /* and what it says, or "" */
};

/* NULL and no error: no zone is configured. */
struct screen *screen_new(struct receive *receive, struct err *err);
void screen_free(struct screen **screen);

typedef void screen_done(void *arg, const struct screen_verdict *verdict);

/* `done` comes from the loop. */
struct screening *screen_begin(
    struct screen *screen, const char *client, screen_done *done, void *arg);
void screen_cancel(struct screening **screening);
