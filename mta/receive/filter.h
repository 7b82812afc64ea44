/*
 * Mail filters that speak the milter protocol, for the files of mta/receive/.
 *
 *   filters.c     what all sessions know of them: where, and whether down
 *   filter.c      one filter in one session: its connection and dialog
 *   chain.c       the filters in their order, question by question
 *   chain_end.c   the message: kept, shown to each, changed
 *   chain_store.c the end: who was added is looked up, all is written
 *
 * The seam with a session's transaction is chain.h.  Whose mail it is a chain
 * knows by its owner alone: chain_owner.h.
 *
 * A message with filters is kept (keep.h) until all have spoken, then written
 * to the intake with what they changed; 250 follows its sync as ever.
 */
#pragma once
#include "mta/config.h"
#include "mta/milter/milter.h"
#include "mta/net/address.h"
#include "mta/receive/chain.h"
#include "mta/receive/chain_owner.h"
#include "mta/receive/inbound.h"
#include "mta/receive/keep.h"

/* A longer header section is refused: filters get each field whole. */
#define CHAIN_HEAD_MAX (1u << 20)

struct filters;

/* What is known of one filter by all sessions of the process. */
struct filter_state {
	const struct config_milter *config;
	struct filters *filters;
	struct net_address address;
	bool down;
	uint64_t until;    /* down: not tried before, loop_now() */
	struct timer *try; /* and then, even without mail */
	struct conn *probe;
	char why[160];
};

struct filters {
	struct receive *receive;
	struct filter_state *list;
	size_t n;
};

/* filters.c.  NULL: none are configured. */
struct filters *filters_new(struct receive *receive);
void filters_free(struct filters **filters);
/* It could not be reached or agreed with, or it could. */
void filter_is_down(struct filter_state *state, const struct err *why);
void filter_is_up(struct filter_state *state);
/* What is answered while it cannot be asked: NONE when mail goes on. */
void filter_failure(const struct filter_state *state, struct err *ret);
const char *filter_failure_name(enum config_failure failure);

/* What comes of a question to one filter. */
enum filter_turn {
	TURN_WAITS = 0, /* chain_turn() is called later */
	TURN_NEXT,      /* it has nothing against it */
	TURN_OVER,      /* chain->outcome says how it ends */
};

struct filter {
	struct chain *chain;
	struct filter_state *state;
	struct conn *conn; /* NULL: none */
	struct milter *milter;
	bool up;        /* the connection stands */
	bool asked;     /* an answer is awaited */
	bool done;      /* asked nothing more of this message */
	bool gone;      /* nor of this session */
	uint64_t since; /* the question */
	uint64_t at;    /* octets of the body it has */
	uint64_t mails; /* this connection has seen */
	struct milter_changes changes;
};

struct chain {
	struct chain_owner owner;
	struct filter *list;
	size_t n, now; /* whose turn it is */
	enum filter_question question;
	struct milter_answer outcome; /* no verdict: all let it pass */
	const char *discarded;        /* by this filter; NULL: not */
	struct err refused;           /* of ASK_REFUSED */
	struct arena *arena;          /* of a transaction */
	struct envelope envelope;     /* as changed */
	struct buf trace, head;       /* our field; the header section */
	struct keep body, fresh;
	uint64_t from; /* where the body begins in `body` */
	struct milter_header header;
	uint64_t counted;      /* octets of these, in receive->kept */
	size_t checked;        /* recipients, at the end */
	struct asking *asking; /* about one of them */
	uint64_t written;      /* octets of `body` */
	struct timer *turn;    /* to write on */
	bool later;            /* the engine was told to wait */
	bool keeping;          /* a message is coming in */
};

/* filter.c: ask the chain's question. */
enum filter_turn filter_ask(struct filter *filter);
/* Say goodbye, or break off what is under way. */
void filter_close(struct filter *filter);

/* chain.c */
/* The answer is owed until later from here on. */
void chain_wait(struct chain *chain);
/* `outcome` is the answer to the question. */
void chain_answer(struct chain *chain);
/* The filter whose turn it was is done with the question. */
void chain_turn(struct chain *chain, enum filter_turn turn);
/* It has answered; what comes of that. */
enum filter_turn chain_judge(
    struct filter *filter, const struct milter_answer *answer);
/* It cannot be asked. */
enum filter_turn chain_without(struct filter *filter, const struct err *why);
void chain_ask_mail(struct filter *filter);

/* chain_end.c */
/* Drop what is kept. */
void chain_clear(struct chain *chain);
/* Of that, the header section and its fields. */
void chain_drop_header(struct chain *chain);
/* The place of an address among recipients; their number: it is not there. */
size_t chain_find_rcpt(const struct envelope *envelope, const char *address);
/* Its changes, all of them: -1 when they cannot be. */
int chain_change(struct filter *filter, struct err *err);
/* chain_store.c: the end of ASK_MESSAGE, with nothing against it. */
void chain_store(struct chain *chain);
