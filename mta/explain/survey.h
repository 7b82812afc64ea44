/*
 * What would be decided for a destination, and why, without connecting to
 * anybody: its hosts, their addresses and TLSA records with the DNSSEC status
 * of each, and the plan for each host.  The same functions as in a delivery
 * look up and decide; only their order is another, since here every host is
 * looked at and at the same time.
 *
 * Ownership: everything hangs from the survey.  The owner of the resolver
 * calls dns_process(); the callback runs once, inside of it.
 */
#pragma once
#include "dnssec/host.h"
#include "dnssec/rdata.h"
#include "mta/config.h"
#include "mta/facts.h"
#include "mta/sts/finder.h"
#include "policy/decision.h"
#include "tlsa/find.h"

struct survey;
typedef void survey_done(struct survey *survey, void *arg);

/* What one address showed when it was connected to; see probe.h. */
struct probe_result;

struct survey_host {
	struct survey *survey;
	const char *name;
	uint16_t preference; /* of its MX record; 0 where there is none */
	bool left_out;       /* RFC 5321 5.1: not better than ourselves */
	struct host_find *host_find;
	struct tlsa_find *tlsa_find;
	struct host_dns dns;
	struct tlsa_found tlsa;
	struct decision decision;
	struct probe_result *probes; /* one an address, or NULL */
	size_t nprobes;
};

/* What MTA-STS says of the next hop; see mta/sts/finder.h. */
struct survey_sts {
	bool asked;
	const char *why_not; /* when it was not */
	struct sts_record record;
	struct sts_answer answer;
	struct sts_known *known; /* held; NULL: no policy applies */
	char trouble[400];       /* what the last fetch came to, or "" */
	const char *trouble_type;
	bool fetched;      /* by us, for this answer */
	const char *blind; /* see sts_finder_blind() */
};

struct survey {
	struct dns *dns;
	const struct config *config;
	struct arena *arena;
	struct target target;
	uint16_t port;
	int64_t now;
	/* Of the next hop, copied into the facts of each host. */
	struct policy_facts facts;
	enum tls_wish wish;     /* as asked for, heeded or not */
	struct config_tls rule; /* the operator's; see config_tls() */
	/*
	 * What the daemon says of itself, if it was asked; set before
	 * survey_start().  DANE is switched off until then (seconds), or 0.
	 */
	int64_t dane_off_until;
	char unable[200]; /* why its resolver cannot do DNSSEC, or "" */
	/* Who looks for policies, or NULL; set before survey_start(), too. */
	struct sts_finder *finder;
	struct sts_find *find;
	struct survey_sts sts;
	bool mx_asked;
	enum mx_state mx;
	bool nxdomain;
	char mx_why[200]; /* when the lookup failed */
	struct survey_host *hosts;
	size_t n;
	/* When there is nothing to connect to, in words; "" else. */
	char dead_end[300];
	struct dns_query *query;
	size_t pending; /* hosts that are being looked up */
	survey_done *done;
	void *arg;
};

/*
 * The way of mail for `address`, "user@example.org", at `now` (seconds).
 * Never NULL; `done` comes from dns_process(), or when the target is nothing
 * to look up (LMTP, Maildir, discard) from survey_start().
 */
struct survey *survey_new(struct dns *dns, const struct config *config,
    const char *address, int64_t now);
/* The message asks for this; before survey_start().  Else it asks nothing. */
void survey_wish(struct survey *survey, enum tls_wish wish);
void survey_start(struct survey *survey, survey_done *done, void *arg);
void survey_free(struct survey **survey);

/* What protects the mail on this hop, whichever host it ends up with. */
enum outlook {
	OUTLOOK_NONE = 0, /* no host may be used: it waits or comes back */
	OUTLOOK_CLEAR,    /* it may go out in the clear */
	OUTLOOK_ENCRYPTED,
	OUTLOOK_HOST, /* the host is authenticated, not that it is theirs */
	OUTLOOK_AUTHENTICATED,
};

/* The least of all hosts that may be used. */
enum outlook survey_outlook(const struct survey *survey);
/* The same, if nothing were in audit. */
enum outlook survey_outlook_enforced(const struct survey *survey);
/* No host will ever do (RFC 3463: class 5 of each): the message bounces. */
bool survey_goes_back(const struct survey *survey);
/* Of one host whose plan is not to be skipped. */
enum outlook decision_outlook(const struct decision *decision);
const char *outlook_words(enum outlook outlook);
const char *outlook_name(enum outlook outlook);
