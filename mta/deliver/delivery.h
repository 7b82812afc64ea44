/*
 * Private to mta/deliver/delivery*.c: one attempt at one job by SMTP or LMTP.
 *
 * Steps stand in the files in the order in which they happen, and the
 * callback that ends a wait stands right below the step that began it.
 *
 *   delivery.c           open
 *   delivery_hosts.c     find_hosts
 *   delivery_policy.c    find_policy
 *   delivery_hosts.c     next_host > find_addresses
 *   delivery_plan.c      find_tlsa > plan > next_address
 *   delivery.c           connect
 *   delivery_transfer.c  transfer > settle
 *   delivery_policy.c    look_again
 *   delivery_transfer.c  give_up
 *
 * A resting link whose decision still holds leads from open to transfer at
 * once, and one that was asked to show the same from next_address; a host
 * that will not do leads back to next_address and next_host.
 */
#pragma once
#include "dnssec/host.h"
#include "dnssec/rdata.h"
#include "mta/deliver/link.h"
#include "mta/deliver/private.h"
#include "mta/sts/finder.h"
#include "policy/decision.h"
#include "tlsa/find.h"

#define REPLY_MAX 512

enum step_result {
	STEP_MORE, /* d->step names another step: run it now */
	STEP_WAIT, /* one callback, and only it, will call delivery_run() */
	STEP_DONE, /* settled and freed: d is gone */
};

struct delivery;
typedef enum step_result step_fn(struct delivery *d);

struct step {
	const char *name;
	step_fn *run;
};

/* The last host that enforcement has refused; why "": none. */
struct refusal {
	char host[256];
	char tls[DECISION_TEXT_SIZE];
	char why[LINK_SHORTFALL_SIZE];
};

/* Does the policy keep mail from going out? */
enum sts_doubt {
	DOUBT_NONE = 0,
	DOUBT_REFUSED, /* it kept a host from being used, */
	DOUBT_SETTLED, /* and so a newer one has been looked for */
};

struct delivery {
	const struct step *step; /* the whole state: print its name */
	struct job *job;
	struct deliver *deliver;
	struct destination *destination;
	struct link *link;
	struct dns_query *mx; /* at most one of these four runs */
	struct sts_find *sts_find;
	struct host_find *host_find;
	struct tlsa_find *tlsa_find;
	struct arena *arena;      /* the hosts' names */
	struct arena *host_arena; /* what is known of one host */
	struct mx_list hosts;
	struct mx_host configured; /* the one host of a configured target */
	size_t host;               /* being tried */
	uint16_t port;
	struct host_dns dns; /* of the host being tried */
	struct tlsa_set set;
	char detail[200]; /* why a lookup of that host failed, or "" */
	size_t address;   /* being tried */
	struct net_address to;
	bool plain;          /* this address once more without TLS */
	unsigned connects;   /* of the search for a host that takes it */
	uint64_t searching;  /* since then: loop_now() */
	uint64_t began;      /* loop_now() */
	uint64_t good_until; /* the domain's facts hold until then, */
	uint64_t host_until; /* and the host's */
	struct decision decision;
	char key[LINK_KEY_SIZE];  /* of the plan; "": share nothing */
	struct err err;           /* of the last thing that went wrong */
	struct outcome *outcomes; /* one for each of the job's recipients */
	char (*replies)[REPLY_MAX];
	uint16_t *left; /* positions in the job still to be sent */
	size_t nleft;
	uint16_t *sent; /* ordinals in the transaction under way */
	size_t nsent;
	bool host_tried;  /* we went looking for where it goes */
	bool let_through; /* a host was secure enough, but did not take it */
	struct way way;
	struct refusal refusal;
	struct sts_known *sts; /* the policy that applies, held; or NULL */
	struct sts_answer sts_answer;
	enum sts_record_state sts_record;
	const char *sts_type;  /* RFC 8460 4.3.2: of the trouble, or "" */
	char sts_trouble[160]; /* why there is none, or it is not known */
	enum sts_doubt sts_doubt;
};

#define STEPS(X)                          \
	X(OPEN, open)                     \
	X(FIND_HOSTS, find_hosts)         \
	X(FIND_POLICY, find_policy)       \
	X(NEXT_HOST, next_host)           \
	X(FIND_ADDRESSES, find_addresses) \
	X(FIND_TLSA, find_tlsa)           \
	X(PLAN, plan)                     \
	X(NEXT_ADDRESS, next_address)     \
	X(CONNECT, connect)               \
	X(TRANSFER, transfer)             \
	X(SETTLE, settle)                 \
	X(LOOK_AGAIN, look_again)         \
	X(GIVE_UP, give_up)

#define X(NAME, fn)        \
	step_fn step_##fn; \
	extern const struct step NAME;
STEPS(X)
#undef X

/* The only place a delivery moves.  Callbacks call it; steps never do. */
void delivery_run(struct delivery *d);
/* The attempt is over; the job has been settled. */
void delivery_end(struct delivery *d);
/* Where we were, for the log, before the link goes. */
void delivery_remember_way(struct delivery *d);
/* What is wrong with one host; that another may yet do weighs more. */
void delivery_fault(struct delivery *d, const struct err *err);
const char *delivery_host(const struct delivery *d);
/* One line of the log for a host that is given up, and why. */
void delivery_log_skipped(const struct delivery *d, const struct err *err);
/* Has looking for a host that takes it gone on for too long? */
bool delivery_had_enough(const struct delivery *d);
/* RFC 8461 5.1: has a policy refused what a newer one might let through? */
bool delivery_looks_again(const struct delivery *d);
/* A host is given up: was it for the policy's sake? */
void delivery_note_refusal(struct delivery *d);
/* The facts no longer hold when this second comes; 0: no end. */
void delivery_heed_end(
    const struct delivery *d, int64_t end, int64_t now, uint64_t *until);
/* Facts that may be kept for `ttl` seconds hold until then; loop_now(). */
uint64_t delivery_until(const struct delivery *d, uint32_t ttl);
/* And a link made under them serves all mail; 0: made for some of it only. */
uint64_t delivery_link_until(const struct delivery *d);
/* From the link's callback: every recipient sent has its reply. */
void delivery_on_done(void *owner, bool alive);
/* A link that rested is ours from now on. */
void delivery_adopt(struct delivery *d);

static inline enum step_result
go(struct delivery *d, const struct step *step)
{
	d->step = step;
	return STEP_MORE;
}
