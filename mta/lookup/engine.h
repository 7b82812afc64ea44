/*
 * One connection to somebody who knows who exists, as bytes in and out.  An
 * engine has one question at a time; mta/lookup/wire.h has the connection.
 */
#pragma once
#include "base/buf.h"
#include "mta/config.h"
#include "mta/lookup/said.h"

enum engine_step {
	ENGINE_BROKEN = 0, /* *ret says why; nothing more over it */
	ENGINE_MORE,       /* not all there */
	ENGINE_ANSWERED,   /* *ret; the next question may come */
	ENGINE_LAST,       /* the same, over another connection */
};

struct engine_ops {
	/* `hostname`: how we call ourselves; both are borrowed. */
	void *(*open)(const struct config_lookup *by, const char *hostname);
	void (*close)(void *engine);
	/* The connection is there; what to send is added to *out. */
	void (*ask)(void *engine, const char *key, struct buf *out);
	/* ret->value is good until the next call. */
	enum engine_step (*feed)(
	    void *engine, struct span bytes, struct buf *out, struct said *ret);
};

/* The protocol of socketmap, as of Sendmail and Postfix. */
extern const struct engine_ops socketmap_engine;
/* RFC 2033: would this recipient be taken? */
extern const struct engine_ops verify_engine;
