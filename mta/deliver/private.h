/*
 * Private to mta/deliver/: the deliver role.
 *
 *   job          a message and some of its recipients, as the queue role
 *                sent it; ours until SETTLED
 *   destination  what jobs with one target share: open links
 *   delivery     one attempt at one job, as named steps
 *   link         one connection with its SMTP or LMTP client
 *   store        the attempt at a Maildir job, on a worker
 *   bounces      what came back of reports, on a worker
 *   put          a copy of what may be a report, on a worker
 *   audit        counts of how deliveries ended
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "dnssec/dnssec.h"
#include "mta/deliver/link.h"
#include "mta/metrics.h"
#include "mta/net/address.h"
#include "mta/role.h"
#include "mta/smtp/client.h"
#include "mta/target.h"
#include "policy/decision.h"
#include "queue/reader.h"

struct audit;
struct channel;
struct conn;
struct deliver;
struct destination;
struct link;
struct report_counts;
struct resolver;
struct sts_finder;
struct tls_client;

struct job {
	struct deliver *deliver;
	struct job *next; /* while it waits for its turn */
	uint64_t message;
	struct location at;
	uint32_t attempts;
	struct target target;
	char key[TARGET_TEXT_MAX];
	uint16_t *rcpts; /* ordinals in the envelope */
	size_t nrcpts;
	struct arena *arena;
	struct message_in *in; /* open while it is being sent */
	const struct envelope *envelope;
	uint64_t size;
	uint64_t began;    /* loop_now() */
	struct buf result; /* RESULT as sent; empty while it runs */
	struct job *again; /* came anew before SETTLED: for behind it */
	bool kept;
	bool putting; /* RESULT waits for put.c */
};

struct deliver {
	struct role *role;
	const struct config *config;
	struct spool spool;
	struct reader *reader;
	struct ipc_result *result; /* room to put one together: 288 KB */
	struct dns *dns;
	struct resolver *resolver; /* its tests of itself; the DANE switch */
	struct sts_finder *sts;    /* policies of MTA-STS */
	struct tls_client *tls;
	struct channel *queue; /* NULL until it is introduced */
	void *jobs;            /* tsearch(3) by message and first recipient */
	void *destinations;    /* tsearch(3) by key */
	struct job *waiting;   /* for the limit of deliveries */
	struct job **waiting_end;
	uint32_t running;
	struct report_counts *report; /* NULL: nothing is collected */
	struct audit *audit;          /* how deliveries ended; see audit.h */
	struct timer *drain;
	struct timer *tend; /* the reader, now and then */
	uint64_t switched;  /* loop_now() of the last word about a policy */
	bool draining;
	bool starting;         /* in deliver_next() */
	struct link *quitting; /* links that are nobody's any more */
	uint32_t njobs;
	uint64_t serial;                      /* letters put into Maildirs */
	uint64_t delivered, deferred, failed; /* recipients, since start */
};

/* One recipient's end, as the attempt saw it. */
struct outcome {
	enum ipc_outcome outcome;
	struct err err;
	const char *reply; /* the peer's words, "" when it said none */
};

/* How the attempt got there: for the log and the bounce. */
struct way {
	char host[256]; /* "" when none was reached; so with all texts */
	char address[NET_ADDRESS_TEXT];
	char tls[DECISION_TEXT_SIZE]; /* see decision_text() */
	char sts[DECISION_STS_SIZE];  /* see decision_sts_text() */
	char protocol[16];            /* "TLSv1.3" */
	char cipher[64];
	char sni[256];
	char match[12];       /* the TLSA record that matched: "3 1 1" */
	int depth;            /* and at which depth of the chain */
	bool resumed;         /* a TLS session taken up again */
	enum metric security; /* METRIC_HOPS_...; without a host of no use */
	/* Why enforcement would have refused, or "". */
	char audit[LINK_SHORTFALL_SIZE];
	const char *step;
	enum ipc_health health; /* of the destination */
};

/* deliver.c */
void deliver_next(struct deliver *deliver);

/* job.c */
struct job *job_new(struct deliver *deliver, const struct ipc_job *from);
/* From here on it is found and counted. */
void job_keep(struct job *job);
void job_free(struct job *job);
/* Open the message; -1: it cannot be read. */
int job_open(struct job *job, struct err *err);
/* All recipients alike; but STORED, of a job that is open, only for those who
 * asked to be told. */
void job_settle_all(struct job *job, enum ipc_outcome outcome,
    const struct err *err, const struct way *way);
/* outcomes[i] is for rcpts[i].  Tells the queue role; the job is kept until it
 * has answered.  deliver_next() follows when the attempt has cleaned up. */
void job_settle(
    struct job *job, const struct outcome *outcomes, const struct way *way);
enum ipc_outcome outcome_of(const struct err *err);
bool outcome_is_good(enum ipc_outcome outcome);
/* Success for rcpts[i]: `told` when the sender asked for a word about it. */
enum ipc_outcome job_success(
    const struct job *job, size_t i, enum ipc_outcome told);
/* Give it back untouched. */
void job_return(struct job *job);
int job_compare(const void *a, const void *b);
/* By the ordinal of its first recipient, or NULL. */
struct job *job_find(struct deliver *deliver, uint64_t message, uint16_t first);
/* Its RESULT may be told. */
bool job_has_result(const struct job *job);

/* delivery.c, store.c: an attempt; both end in job_settle() */
void delivery_start(struct job *job);
void store_start(struct job *job);

/* destination.c: open links that wait for more mail to the same place */
struct destination *destination_get(struct deliver *deliver, const char *key);
void destination_hold(struct destination *destination);
void destination_release(struct destination *destination);
/* The link used last whose decision still holds at `now`, or NULL. */
struct link *destination_take(struct destination *destination, uint64_t now);
/*
 * One to this address that was asked to show the same, where EHLO listed all
 * of `offers` (OFFER_*), or NULL.
 */
struct link *destination_take_like(struct destination *destination,
    const struct net_address *to, const char *key, unsigned offers);
void destination_keep(struct destination *destination, struct link *link);
void destination_close_idle(struct destination *destination);
int destination_compare(const void *a, const void *b);
