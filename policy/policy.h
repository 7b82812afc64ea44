/*
 * The TLS decision.
 *
 * policy_plan() runs for one host before the connection, policy_judge() after
 * STARTTLS has succeeded or failed or was never offered.  Both are pure: no
 * clock, no I/O, no globals, no log.  Everything they looked at is in the
 * argument, everything they concluded is in the result, and
 * tests/unit/policy_test.c is a table of both.
 *
 * Every fact is an enum whose zero means "the lookup failed" or "nobody said":
 * a forgotten field defers the message and never delivers it in the clear.  A
 * policy that is not looked at has to be declared so, by NOT_EVALUATED.
 *
 * A plan is made in three stages, each an array of rules:
 *
 *   plan.c    the receiver's policies and the sender's wish: the first rule
 *             that decides wins
 *   floor.c   the operator's floor, which may raise that and never lower it
 *   audit.c   what is evaluated but not enforced
 *
 * Nothing is owned: strings of a plan are static or those of its facts, which
 * must live as long as it does.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "dnssec/name.h"
#include "tlsa/tlsa.h"

/* Where the host comes from. */
enum hop_source {
	HOP_UNKNOWN = 0, /* nobody said: defer */
	HOP_MX,          /* from an MX record */
	HOP_IMPLICIT,    /* no MX: the domain itself, RFC 5321 5.1 */
	/* The operator wrote it down, or the sender an address literal. */
	HOP_CONFIGURED, /* as good as secure */
};

/* What the MTA-STS policy of the next-hop domain says of this host. */
enum sts_state {
	STS_UNKNOWN = 0,   /* nobody said, or the cache cannot be read: defer */
	STS_NOT_EVALUATED, /* MTA-STS is not looked at, on purpose */
	/* None that applies, and perhaps there is one: of the record or the
	 * policy itself there was no good answer. */
	STS_NOT_OBTAINED,
	STS_NONE, /* no policy, or mode "none" */
	/* Mode "testing", only reported: the host is one of its mx, or not. */
	STS_TESTING_MATCH,
	STS_TESTING_NO_MATCH,
	STS_MATCH,    /* mode "enforce", the host is one of its mx */
	STS_NO_MATCH, /* mode "enforce", the host is not */
};

/*
 * What the sender wants for this message (RFC 8689), as far as the operator
 * lets it count for this next hop.
 */
enum sender_wish {
	SENDER_UNKNOWN = 0,  /* nobody said: defer */
	SENDER_DEFAULT,      /* nothing special */
	SENDER_REQUIRES_TLS, /* MAIL FROM:<...> REQUIRETLS */
	SENDER_WAIVES_TLS,   /* "TLS-Required: No"; never with REQUIRETLS */
	/* REQUIRETLS, and the operator is content with less: */
	SENDER_ENCRYPTS,    /* with TLS */
	SENDER_PREFERS_TLS, /* with what comes about; a bounce, too */
};

/* The operator's rule for the next hop: danelaw.conf(5), tls "...". */
enum operator_level {
	OPERATOR_UNKNOWN = 0,   /* nobody looked: defer */
	OPERATOR_NO_RULE,       /* none is written, or it has run out */
	OPERATOR_NONE,          /* an exemption: no TLS at all */
	OPERATOR_OPPORTUNISTIC, /* an exemption: no policy is enforced */
	OPERATOR_ENCRYPT,       /* floors from here on: at least encrypted, */
	OPERATOR_VERIFY,        /* by WebPKI for `match`, else the host, */
	OPERATOR_SECURE, /* by DANE, MTA-STS or WebPKI for the next hop, */
	OPERATOR_DANE,   /* by TLSA records under a secure MX */
};

enum enforcement {
	ENFORCE = 0,
	AUDIT, /* evaluate all, deliver as if opportunistic */
};

struct policy_facts {
	/* Names in normal form (dnssec/name.h); "" where there is none. */
	const char *host;     /* unexpanded: of the MX record, RFC 7672 2.2.1 */
	const char *next_hop; /* domain of the recipient, or configured host */
	const char *next_hop_expanded; /* where its aliases led */
	enum hop_source hop;
	/*
	 * Of the MX RRset that named the host, or of the proof that there is
	 * none.  Not looked at when the hop is configured.
	 */
	enum dns_trust mx_trust;
	/*
	 * Of the host's addresses: the lesser of A and AAAA; DNS_SECURE for
	 * an address literal of the operator.
	 */
	enum dns_trust address_trust;
	enum tlsa_state tlsa;
	/*
	 * What the lookups say may be a fault of our own: it decides as ever,
	 * and says nothing of the host's policies.
	 */
	bool own_fault;
	const struct tlsa_set *set; /* with TLSA_USABLE and TLSA_UNUSABLE */
	enum sts_state sts;
	enum sender_wish sender;
	enum operator_level level;
	const char *const *match; /* the operator's names, ".suffix" too */
	size_t nmatch;
	enum enforcement enforcement;
};

/* What must be true of the connection.  Ordered: more is stricter. */
enum tls_need {
	TLS_DEFER = 0, /* do not connect to this host now */
	TLS_NEVER,     /* do not use STARTTLS: the operator's exemption */
	TLS_MAY,       /* encrypt if offered */
	TLS_ENCRYPT,   /* encrypt or do not deliver */
	TLS_AUTH_PKIX, /* encrypt, verify by WebPKI */
	TLS_AUTH_DANE, /* encrypt, verify by TLSA */
	TLS_AUTH_BOTH, /* encrypt, verify by TLSA and by WebPKI */
};

/* Whose rule decided. */
enum tls_source {
	SOURCE_NONE = 0, /* no policy applies */
	SOURCE_DNS,      /* the lookups that find the host */
	SOURCE_DANE,
	SOURCE_STS,
	SOURCE_SENDER, /* REQUIRETLS or "TLS-Required: No" */
	SOURCE_OPERATOR,
};

/* What a message with REQUIRETLS does on this connection (RFC 8689 2). */
enum tls_onward {
	ONWARD_NOT = 0, /* MAIL does not say REQUIRETLS */
	ONWARD_OFFERED, /* it does where that is offered, */
	ONWARD_NEEDED,  /* and the message goes nowhere else */
};

/* RFC 7672 3.2.2: base domain, next hop, expanded next hop. */
#define TLS_NAMES_MAX 3

struct tls_plan {
	enum tls_need need; /* what is enforced */
	/*
	 * What would be enforced: `need`, or more in audit.  TLS_DEFER here,
	 * with another need, is a host that enforcement would have skipped.
	 */
	enum tls_need wanted;
	enum tls_source source;
	enum tls_onward onward;
	const char *rule; /* one word for logs: "dane" */
	const char *why;  /* in words */
	const char *rfc;  /* "RFC 7672 2.1.2", or "" */
	/*
	 * RFC 3463 code when TLS_DEFER is wanted, else "".  Class 5: this
	 * host will never do; when no other host remains the message bounces.
	 */
	const char *enhanced;
	const char *result_type; /* RFC 8460 4.3 when TLS_DEFER, or "" */
	const char *sni;         /* RFC 7672 8.1: the TLSA base domain */
	/*
	 * With TLS_AUTH_DANE and _BOTH.  The set stands here also where
	 * nothing authenticates by it.
	 */
	const struct tlsa_set *set;
	const char *names[TLS_NAMES_MAX]; /* for usage 2 */
	size_t nnames;
	const char *const *match; /* for WebPKI: see policy_pkix_names() */
	size_t nmatch;
	const char *one;  /* the name, where there is no `match` */
	bool pkix_suffix; /* and those below it */
	/*
	 * The MX host's own name, for which WebPKI is looked at apart from the
	 * names above (RFC 8461 4.2, RFC 8689 4.2.1); "": it is not.
	 */
	const char *host;
	bool host_counts; /* WebPKI is content with nothing less */
	enum sts_state sts;
	/*
	 * Nothing goes before the MTA-STS policy: no DANE under a secure MX, no
	 * exemption, no waiver.  What it enforces is then part of `wanted`.
	 */
	bool sts_counts;
};

/* What the connection came to. */
enum tls_got {
	TLS_GOT_NOTHING = 0, /* nobody said */
	TLS_GOT_NOT_ASKED,   /* STARTTLS was not tried: planned so, or LMTP */
	TLS_GOT_NO_OFFER,    /* EHLO did not list STARTTLS */
	TLS_GOT_REFUSED,     /* STARTTLS answered with 4yz or 5yz */
	TLS_GOT_BROKEN,      /* the handshake failed */
	TLS_GOT_ENCRYPTED,   /* encrypted, not verified the wanted way */
	TLS_GOT_VERIFIED,    /* encrypted, verified the wanted way */
};

struct tls_seen {
	enum tls_got got;    /* up to TLS_GOT_ENCRYPTED: see policy_got() */
	bool dane;           /* a TLSA record in use has matched */
	bool pkix;           /* WebPKI vouches for one of the names, */
	bool host;           /* for the host's own */
	const char *failure; /* RFC 8460 4.3 result-type, or NULL */
	/* The same of the host's own name; NULL also when not looked at. */
	const char *host_failure;
};

enum tls_verdict {
	VERDICT_NEXT_HOST = 0, /* give this host up; none left: defer */
	VERDICT_DELIVER,       /* MAIL may be sent on this connection */
	VERDICT_CLEAR,         /* connect once more, without STARTTLS */
};

/*
 * What the MTA-STS policy, in force or in testing mode, says of a connection
 * by itself, whoever decides: RFC 8460 4 reports it beside DANE.
 */
enum sts_verdict {
	STS_VERDICT_NONE = 0, /* no policy, or nothing seen that it judges */
	STS_VERDICT_PASSED,
	STS_VERDICT_HOST_NOT_NAMED, /* RFC 8461 4.1 */
	STS_VERDICT_NO_TLS,         /* not offered, refused, or broken */
	STS_VERDICT_CERTIFICATE,    /* RFC 8461 4.2 */
};

/* Does the sender's wish ask for more than the policies do? */
bool policy_requires_tls(const struct policy_facts *facts);

struct tls_plan policy_plan(const struct policy_facts *facts);

/* VERDICT_CLEAR comes only where the plan allows cleartext. */
enum tls_verdict policy_judge(
    const struct tls_plan *plan, const struct tls_seen *seen);

/* RFC 8689 4.2.1: will this host never do, so that the message may bounce? */
bool policy_is_hopeless(
    const struct tls_plan *plan, const struct tls_seen *seen);

/*
 * Would enforcement have refused what policy_judge() let through?  Never
 * true outside of audit.
 */
bool policy_would_refuse(
    const struct tls_plan *plan, const struct tls_seen *seen);

enum sts_verdict policy_sts_verdict(
    const struct tls_plan *plan, const struct tls_seen *seen);

/*
 * Would a policy in testing mode have refused this, were it in force?  Never
 * true where something goes before it.
 */
bool policy_testing_would_refuse(
    const struct tls_plan *plan, const struct tls_seen *seen);

/* `seen->got`, with TLS_GOT_VERIFIED where the wanted proof was given. */
enum tls_got policy_got(
    const struct tls_plan *plan, const struct tls_seen *seen);

/* Room for the names that policy_pkix_names() has to make. */
struct pkix_room {
	const char *names[2];
	char suffix[DNS_NAME_SIZE + 1];
};

/*
 * Any of these names will do for WebPKI; a leading "." takes what is below.
 * The operator's, or the host's, or the next hop's with all below it.  Good
 * for any plan, whether or not it asks for WebPKI; none where the host has no
 * name, an address literal.  Pointers into the plan, its facts and *room.
 */
const char *const *policy_pkix_names(
    const struct tls_plan *plan, struct pkix_room *room, size_t *ret_n);

/* Does the need ask for TLSA records to match, for WebPKI to vouch? */
bool tls_need_dane(enum tls_need need);
bool tls_need_pkix(enum tls_need need);

/* For logs and listings: "may", "dane", ... They do not change. */
const char *tls_need_name(enum tls_need need);
const char *tls_source_name(enum tls_source source);
const char *tls_got_name(enum tls_got got);
const char *tls_verdict_name(enum tls_verdict verdict);
const char *hop_source_name(enum hop_source hop);
const char *sts_state_name(enum sts_state sts);
const char *sts_verdict_name(enum sts_verdict verdict);
const char *sender_wish_name(enum sender_wish wish);
const char *operator_level_name(enum operator_level level);
