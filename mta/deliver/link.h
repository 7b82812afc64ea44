/*
 * One outbound connection with its SMTP or LMTP client, for its owner: a
 * delivery, or the destination it rests in.  Callbacks come from the loop.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "mta/net/address.h"
#include "mta/smtp/client.h"
#include "policy/policy.h"

struct deliver;
struct job;
struct link;
struct way;

/* Room for the longest key of a plan that is shared at all. */
#define LINK_KEY_SIZE 2048

struct link_setup {
	struct deliver *deliver;
	struct net_address to;
	const char *host; /* name of the peer: log */
	bool lmtp;
	bool plain;           /* do not try STARTTLS again */
	struct tls_seen seen; /* with plain: why not */
	struct tls_plan plan; /* what it points to lives until on_ready */
	const char *key;      /* see policy/key.h; "": never shared */
	uint64_t good_until;  /* loop_now(): the facts hold that long */
};

struct link_ops {
	/* Greeted, secured as the plan wants: link_send() may be called. */
	void (*on_ready)(void *owner);
	/* Every recipient has its link_result(); `alive`: ready again. */
	void (*on_done)(void *owner, bool alive);
	/* Not ready and never will be; only link_close() is left. */
	void (*on_failed)(void *owner, const struct err *err);
	/* An idle link has ended by itself. */
	void (*on_idle_end)(void *owner);
};

struct link *link_open(
    const struct link_setup *setup, const struct link_ops *ops, void *owner);
void link_adopt(struct link *link, const struct link_ops *ops, void *owner);
/* The arrays and the job live until on_done. */
void link_send(
    struct link *link, struct job *job, const uint16_t *which, size_t n);
/* Wait for more mail, at most `timeouts.idle`. */
void link_rest(struct link *link);
const struct client_result *link_result(const struct link *link, size_t i);
unsigned link_offers(const struct link *link);
const struct tls_seen *link_seen(const struct link *link);
/* By what name the peer greeted, or ""; see client_peer(). */
const char *link_peer(const struct link *link);
/* Our end of it; family 0 before it is there. */
const struct net_address *link_local(const struct link *link);
struct tls_facts;
const struct tls_facts *link_tls(const struct link *link);
/* Was it made for this address and asked to show the same? */
bool link_is_like(
    const struct link *link, const struct net_address *to, const char *key);
/* Do the facts it was planned by still hold? */
bool link_is_fresh(const struct link *link, uint64_t now);
/* The same decision has been made anew, perhaps by another rule. */
void link_renew(
    struct link *link, const struct tls_plan *plan, uint64_t good_until);
/* From on_done: had it been used before this transaction? */
bool link_reused(const struct link *link);
/* Ready for another message? */
bool link_alive(const struct link *link);
/* No reply to the transaction at all. */
bool link_unanswered(const struct link *link);
/* The peer may have taken the message without our hearing of it. */
bool link_in_doubt(const struct link *link);
void link_way(const struct link *link, struct way *way);
/* What the plan asks for and the peer has not shown, for an operator. */
#define LINK_SHORTFALL_SIZE 200
void link_say_shortfall(const struct link *link, char to[LINK_SHORTFALL_SIZE]);
/* May another transaction go over it, by our limit and the peer's? */
bool link_has_room(const struct link *link);
const struct client_limits *link_limits(const struct link *link);
/* Says QUIT when there is somebody to say it to. */
void link_close(struct link **link);
/* The process ends: nobody waits for an answer to QUIT any more. */
void links_end(struct deliver *deliver);
