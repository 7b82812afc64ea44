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
 * Order of the rules: see the array in plan.c.  Nothing is owned; strings in
 * the results are static.
 */
#pragma once
#include <stdbool.h>

#include "tlsa/tlsa.h"

struct sts_policy;

/* Where the host comes from. */
enum hop_source {
	HOP_UNKNOWN = 0, /* nobody said: defer */
	HOP_MX,          /* from an MX record */
	HOP_IMPLICIT,    /* no MX: the domain itself, RFC 5321 5.1 */
	HOP_CONFIGURED,  /* the operator wrote it down; as good as secure */
};

/* What the MTA-STS policy of the next-hop domain says of this host. */
enum sts_state {
	STS_UNKNOWN = 0,   /* nobody said, or the cache cannot be read: defer */
	STS_NOT_EVALUATED, /* MTA-STS is not looked at, on purpose */
	STS_NONE,          /* no policy, or mode "none" */
	STS_TESTING,       /* mode "testing": only reported */
	STS_MATCH,         /* mode "enforce", the host is one of its mx */
	STS_NO_MATCH,      /* mode "enforce", the host is not */
};

/* What the sender wants for this message (RFC 8689). */
enum sender_wish {
	SENDER_UNKNOWN = 0,  /* nobody said: defer */
	SENDER_DEFAULT,      /* nothing special */
	SENDER_REQUIRES_TLS, /* MAIL FROM:<...> REQUIRETLS */
	SENDER_WAIVES_TLS,   /* "TLS-Required: No"; never with REQUIRETLS */
};

struct policy_facts {
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
	const struct tlsa_set *set; /* with TLSA_USABLE */
	enum sts_state sts;
	enum sender_wish sender;
};

/* What must be true of the connection.  Ordered: more is stricter. */
enum tls_need {
	TLS_DEFER = 0, /* do not connect to this host now */
	TLS_MAY,       /* encrypt if offered */
	TLS_ENCRYPT,   /* encrypt or do not deliver */
	TLS_AUTH_PKIX, /* encrypt, verify by WebPKI (MTA-STS) */
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
};

struct tls_plan {
	enum tls_need need;
	enum tls_source source;
	const struct tlsa_set *set; /* for TLS_AUTH_DANE and _BOTH */
	const char *why;            /* in words */
	const char *rfc;            /* "RFC 7672 2.1.2", or "" */
	/*
	 * RFC 3463 code when TLS_DEFER, else "".  Class 5: this host will
	 * never do; when no other host remains the message bounces.
	 */
	const char *enhanced;
};

/* What the connection came to. */
enum tls_got {
	TLS_GOT_NOTHING = 0, /* nobody said */
	TLS_GOT_NO_OFFER,    /* EHLO did not list STARTTLS */
	TLS_GOT_REFUSED,     /* STARTTLS answered with 4yz or 5yz */
	TLS_GOT_BROKEN,      /* the handshake failed */
	TLS_GOT_ENCRYPTED,   /* encrypted, not verified the planned way */
	TLS_GOT_VERIFIED,    /* encrypted, verified the planned way */
};

struct tls_seen {
	enum tls_got got;
	const char *failure; /* RFC 8460 4.3 result-type, or NULL */
};

enum tls_verdict {
	VERDICT_NEXT_HOST = 0, /* give this host up; none left: defer */
	VERDICT_DELIVER,       /* MAIL may be sent on this connection */
	VERDICT_CLEAR,         /* connect once more, without STARTTLS */
};

struct tls_plan policy_plan(const struct policy_facts *facts);

/* VERDICT_CLEAR comes only where the plan allows cleartext. */
enum tls_verdict policy_judge(
    const struct tls_plan *plan, const struct tls_seen *seen);

/* For logs and listings: "may", "dane", ... They do not change. */
const char *tls_need_name(enum tls_need need);
const char *tls_source_name(enum tls_source source);
const char *tls_got_name(enum tls_got got);
const char *tls_verdict_name(enum tls_verdict verdict);
