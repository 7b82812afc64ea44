/*
 * Connect to the hosts of a survey, greet, ask for STARTTLS as the plan wants
 * it, look at what is shown, and say QUIT: all of a delivery but the mail.
 *
 * Every address of every host whose plan allows a connection is tried, a few
 * at a time.  Nothing is retried in the clear.
 */
#pragma once
#include "mta/explain/survey.h"
#include "mta/net/address.h"
#include "mta/net/tls.h"

struct loop;
struct probe;

struct probe_result {
	struct net_address to;
	struct tls_seen seen;
	struct tls_facts tls;
	bool ready;               /* a message might have followed */
	enum tls_verdict verdict; /* of the plan and what was seen */
	char problem[256];        /* why there was no session, or "" */
	struct tls_cert *certs;   /* the peer's chain, its own first */
	size_t ncerts;
};

typedef void probe_done(void *arg);

/* The results hang from the survey's hosts; free them before it. */
struct probe *probe_new(struct loop *loop, struct survey *survey,
    struct tls_client *tls, probe_done *done, void *arg);
void probe_free(struct probe **probe);
void probe_results_free(struct survey *survey);
