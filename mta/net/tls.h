/*
 * TLS over bytes: OpenSSL with memory on both sides, no socket in it.
 *
 * A struct tls_server holds every certificate chain and picks one by SNI
 * (exact name, then wildcard, else the first; never an alert: RFC 7672 8.1,
 * RFC 8461 7.1).  One of another kind of key that has all its names stands
 * beside it, and the client's algorithms choose (RFC 8446 4.4.2.2).  A struct tls_client holds what outbound sessions share: the
 * certificate authorities and the sessions that may be resumed.
 * A struct tls is one session; conn.c pumps it.
 *
 * mta/net/tls*.c are the only files of mta/ that include OpenSSL.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/span.h"
#include "mta/net/tls_cert.h"
#include "policy/policy.h"

/*
 * OpenSSL reads its configuration, and loads what that names, for all of this
 * process: before the process may open files no more.
 */
void tls_prepare(void);

/*
 * From now on whatever OpenSSL gives back is overwritten first: it leaves keys
 * behind where it has read them.  Before anything else of it; false: too late.
 */
bool tls_wipe_memory(void);

struct tls;
struct tls_client;
struct tls_server;
struct tls_tickets;
struct tlsa_set;

/* PEM bytes; `name` is for messages only. */
struct tls_pair {
	const char *name;
	struct span chain;
	struct span key;
};

/*
 * What an outbound session is to show.  Borrowed for tls_connect(); zeroed,
 * it asks for encryption alone.  The handshake is never broken off for a
 * certificate: what was checked and how it came out stands in the facts, and
 * policy_judge() says whether mail may follow.
 */
struct tls_demand {
	/* NULL or "" sends none, or with `set` its base (RFC 7672 8.1). */
	const char *sni;
	const struct tlsa_set *set; /* verify by these; NULL: not */
	/*
	 * Reference identifiers for usage 2 beside set->base (RFC 7672
	 * 3.2.2); naming it again does no harm.
	 */
	const char *const *names;
	size_t nnames;
	/*
	 * Verify by WebPKI (RFC 8461 4.2): any of these; a leading "." takes
	 * every name below it.
	 */
	const char *const *pkix_names;
	size_t npkix_names;
	/* Verify by WebPKI, apart from that, for this name; NULL, "": not. */
	const char *host;
	/*
	 * Sessions are resumed only under an equal key.  It must name all that
	 * was demanded: see policy/key.h.  NULL: never resume.
	 */
	const char *session_key;
	/*
	 * Without a proof the session is of no use: suites that may not
	 * authenticate (RFC 9325 4.2) are not offered.
	 */
	bool authenticated;
};

/* Why a session is over, before or after its handshake. */
enum tls_break {
	TLS_BREAK_NONE = 0, /* it is not, or it was cut off */
	TLS_BREAK_ALERT,    /* the peer has sent a fatal alert */
	TLS_BREAK_VERSION,  /* no version in common */
	TLS_BREAK_CIPHER,   /* no cipher, group or signature in common */
	TLS_BREAK_OTHER,
};

enum tls_check {
	TLS_UNCHECKED = 0,
	TLS_CHECK_FAILED,
	TLS_CHECK_PASSED,
};

/* What came of one way of verifying. */
struct tls_proof {
	enum tls_check check;
	const char *result_type; /* RFC 8460 4.3, static; "" unless failed */
	char why[160];           /* OpenSSL's words; "" unless failed */
};

/*
 * What a finished or failed handshake showed.  Strings are never NULL.  The
 * proofs are TLS_UNCHECKED unless `up`; those of a resumed session are of the
 * handshake that began it.
 */
struct tls_facts {
	bool up;
	bool resumed;
	char version[16];  /* "TLSv1.3" */
	char cipher[64];   /* "TLS_AES_256_GCM_SHA384" */
	char group[32];    /* of the key exchange: "x25519" */
	char sni[256];     /* asked for (client) or received (server) */
	char failure[160]; /* why not up, for log and report */
	struct tls_proof dane, pkix, host;
	char matched[12]; /* the record that passed: "3 1 1"; else "" */
	/* Where it matched; 0 is the leaf.  2 1 0 without its certificate in
	 * the chain: where the certificate is that the key has signed. */
	int depth;
};

/*
 * What a plan demands, of DANE and of WebPKI as it wants them.  Borrows from
 * the plan and *room; no session key.
 */
struct tls_demand tls_demand_of(
    const struct tls_plan *plan, struct pkix_room *room);
/*
 * What a handshake has shown, in the words of the decision.  Proofs that the
 * plan does not want are no failures; without a plan none is.
 */
struct tls_seen tls_seen_of(
    const struct tls_plan *plan, const struct tls_facts *facts);
/* The same of a connection that came to no session. */
struct tls_seen tls_seen_without(enum tls_got got);

/*
 * How clients find us.  Zeroed but for the pairs: TLS 1.2 and 1.3, suites
 * with forward secrecy and AEAD (RFC 9325 4.2), no tickets.
 */
struct tls_server_setup {
	const struct tls_pair *pairs; /* the first is the default */
	size_t npairs;
	bool only_13; /* TLS 1.3 and nothing older */
	bool wide;    /* of TLS 1.2 also CBC, RSA key transport, SHA-1 */
	/* NULL: none are given.  Borrowed, and outlives the server. */
	struct tls_tickets *tickets;
};

/*
 * -1 when a pair does not load or does not match, with the words for the
 * operator in *err.  Copies what it needs.
 */
int tls_server_new(const struct tls_server_setup *setup,
    struct tls_server **ret, struct err *err);
void tls_server_free(struct tls_server **server);

/* Zeroed is the default. */
struct tls_client_setup {
	/* PEM; NULL: TLS_WEB_CA_FILE, or nobody when that does not load. */
	const char *ca_file;
	size_t sessions_max; /* kept for resumption; 0: 1000 */
};

/* -1 when the file cannot be read or holds no certificate. */
int tls_client_new(const struct tls_client_setup *setup,
    struct tls_client **ret, struct err *err);
/* After its sessions. */
void tls_client_free(struct tls_client **client);

/* A ticket given under one name of a listener is none under another. */
struct tls *tls_accept(struct tls_server *server, const char *listener);
struct tls *tls_connect(
    struct tls_client *client, const struct tls_demand *demand);
void tls_free(struct tls **tls);

enum tls_state {
	TLS_FAILED = 0,
	TLS_SHAKING,
	TLS_UP,
	TLS_CLOSED, /* the peer said close_notify */
};

/*
 * Encrypted bytes from the peer.  Plain text is appended to *plain, bytes
 * for the peer wait in tls_output().  TLS_FAILED: tls_facts() says why.
 */
enum tls_state tls_feed(struct tls *tls, struct span bytes, struct buf *plain);
/* Begin or go on with the handshake without input: the client's first. */
enum tls_state tls_start(struct tls *tls);
/* -1 when the session has failed. */
int tls_write(struct tls *tls, struct span plain);
/* Say close_notify. */
void tls_bye(struct tls *tls);
/* Move what must go to the peer into *out. */
int tls_output(struct tls *tls, struct buf *out);
void tls_facts(const struct tls *tls, struct tls_facts *ret);
/* *ret_alert: its number (RFC 8446 6), with TLS_BREAK_ALERT; else 0. */
enum tls_break tls_broken(const struct tls *tls, uint8_t *ret_alert);
/*
 * The chain the peer has sent, its own certificate first; 0 when it has sent
 * none, or the session is a resumed one.
 */
size_t tls_peer_chain(
    const struct tls *tls, struct tls_cert *ret_certs, size_t room);
/* Append the certificate the peer has shown; -1 when it has shown none. */
int tls_peer_pem(const struct tls *tls, struct buf *out);
/* The whole chain as PEM, as tls_peer_chain() has it. */
int tls_peer_chain_pem(const struct tls *tls, struct buf *out);

const char *tls_check_name(enum tls_check check);
