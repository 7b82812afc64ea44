/*
 * The configuration: read once, then immutable for the process.
 *
 * config_parse() turns the text of danelaw.conf(5) into a value and reports
 * everything that is wrong with it, each with file, line, key and what was
 * expected.  It opens no file.  The supervisor reads the files the
 * configuration names and puts them with the text into a bundle (bundle.h);
 * a role gets the bundle and parses the same text again, so that all see the
 * same.  Every number has a default; a zeroed struct is not a configuration.
 *
 * Ownership: everything hangs from the struct config, strings included.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/span.h"
#include "mta/cidr.h"
#include "mta/target.h"
#include "policy/policy.h"

/* Of reports to addresses of the operator's. */
#define CONFIG_COPIES_MAX 4

struct config_address { /* "0.0.0.0:25", "[::]:25" */
	char text[64];
	char ip[48];
	uint16_t port;
};

struct config_networks { /* address prefixes */
	struct cidr *prefixes;
	size_t n;
};

struct config_listen {
	const char *name;
	struct config_address *addresses;
	size_t naddresses;
	struct config_networks proxy; /* who begins with a PROXY header */
};

struct config_certificate {
	const char *name;
	const char *chain; /* file names, PEM */
	const char *key;
	const char *root;   /* authorities of the operator's own, or NULL */
	const char **names; /* hosts that it must cover; folded */
	size_t nnames;
	bool is_default; /* written so: at most one */
};

enum lookup_kind {
	LOOKUP_NONE = 0,
	LOOKUP_SQLITE,
	LOOKUP_SOCKETMAP,
	LOOKUP_LMTP, /* of a domain with verify = lmtp */
};

/* lookup "users" { source = "sqlite:/var/lib/users.db" query = "..." } */
struct config_lookup {
	const char *name;
	enum lookup_kind kind;
	const char *path; /* of the database or the socket, or NULL */
	const char *ip;   /* with no path */
	uint16_t port;
	const char *map; /* SOCKETMAP */
	const char *query;
	uint32_t timeout_ms;      /* until an answer has to be there */
	uint32_t keep_found_ms;   /* what was found is remembered so long */
	uint32_t keep_missing_ms; /* what was not */
};

/* Where it is written who exists: "file:/etc/danelaw/recipients" */
struct config_source {
	const char *file;               /* or NULL */
	const char *lookup;             /* its name, or NULL */
	const struct config_lookup *by; /* that one */
};

struct config_local {
	const char *part; /* folded, of an address before the "@" */
	unsigned line;    /* where it is written */
};

struct config_domain {
	const char *name; /* folded, A-labels; first: searched by it */
	struct target deliver;
	struct config_source recipients; /* none: any local part */
	struct config_source aliases;
	struct config_lookup verify; /* NONE, or LMTP by `deliver` */
	bool verifies;
	const char *catch_all; /* who gets the rest, or NULL */
	char delimiter;        /* of an extension; '\0': none */
	bool keep_case;        /* of local parts: Bob is not bob */
	struct config_local *tls_reports;
	size_t ntls_reports;
};

struct config_route {
	const char *pattern; /* "example.org", ".example.org" or "*"; first */
	struct target via;   /* TARGET_NONE: by MX */
};

enum config_enforcement {
	ENFORCEMENT_INHERIT = 0, /* not written: as for all */
	ENFORCEMENT_ENFORCE,     /* from here on: the later, the less */
	ENFORCEMENT_AUDIT,
};

/* How much of REQUIRETLS (RFC 8689) counts for a next hop. */
enum requiretls_grade {
	REQUIRETLS_UNSAID = 0, /* not written: as for all */
	REQUIRETLS_ENFORCE,    /* from here on: the later, the less */
	REQUIRETLS_ENCRYPT,
	REQUIRETLS_OPPORTUNISTIC,
	REQUIRETLS_OFF,
};

/* How much of what the kernel has confines our processes; see mta/sandbox/. */
enum config_sandbox {
	SANDBOX_ON = 0,   /* all that it has */
	SANDBOX_REQUIRED, /* and it has everything, or nothing starts */
	SANDBOX_LOG,      /* calls that would be refused are logged */
	SANDBOX_OFF,
};

struct config_tls {          /* tls "example.org" { level = "dane" } */
	const char *pattern; /* as of a route; first */
	enum operator_level level;
	const char **match; /* folded names, ".example.org" too */
	size_t nmatch;
	int64_t until;      /* s, UTC, the first not to count; 0: for good */
	const char *reason; /* or NULL */
	enum config_enforcement enforcement;
	enum requiretls_grade requiretls;
};

struct config_zone { /* stub "name" { server = {"127.0.0.1:5353"} } */
	const char *name;
	const char **servers; /* "ADDRESS@PORT", NULL-terminated */
	bool insecure;
};

struct config_resolver {
	const char *trust_anchor; /* file, or NULL */
	const char *root_hints;   /* file, or NULL */
	struct config_zone *stubs;
	size_t nstubs;
	struct config_zone *forwards;
	size_t nforwards;
	uint32_t timeout_ms;
	const char *self_test;    /* a name that must be secure, or NULL */
	uint32_t self_test_ms;    /* between two of them */
	bool track_anchor;        /* RFC 5011, in `state` */
	uint32_t anchor_holddown; /* seconds */
};

/* tls_server { minimum = 1.3 }: how clients may talk to us (RFC 9325) */
struct config_tls_server {
	bool only_13;                   /* TLS 1.3, and nothing older */
	bool wide;                      /* suites that RFC 9325 asks to leave */
	bool tickets;                   /* sessions may be resumed */
	uint32_t ticket_lifetime;       /* seconds from the full handshake */
	struct config_networks require; /* in the clear nothing is taken */
};

struct config_mta_sts {      /* RFC 8461 */
	bool enabled;        /* no: nothing is looked up, fetched, applied */
	uint16_t port;       /* of policy hosts; default 443 */
	uint32_t timeout_ms; /* of a fetch, waiting included */
	uint32_t fetches;    /* at once a deliver process; default 32 */
	uint32_t refresh_ms; /* between two walks through the cache */
};

/* A renewed file of a certificate, before it comes into use. */
struct config_renewal {
	bool watch;          /* look at the files without being told */
	bool tlsa;           /* it must match the TLSA records of our names */
	bool mta_sts;        /* and what our policies of MTA-STS ask */
	uint32_t settle_ms;  /* files stay as they are, before they are read */
	uint32_t timeout_ms; /* of the lookups */
	uint32_t retry_ms;   /* after one that was refused; then longer */
};

/* dkim "selector" { key = "/etc/danelaw/dkim.pem" } */
struct config_dkim {
	const char *selector; /* in normal form, and no two the same */
	const char *domain;   /* folded; that of the contact */
	const char *key;      /* file name, PEM */
};

/* Where HTTPS may lead that strangers' records name. */
struct config_places {
	bool private; /* inside, too, and to any port */
};

struct config_reporting {   /* RFC 8460, towards others */
	bool collect;       /* count what sessions came to */
	bool send;          /* tell them, with one dkim at least */
	bool failures_only; /* of a day without any: no report */
	bool sending_ip;    /* our addresses are told */
	struct config_places places;
	const char *organization; /* default: our hostname */
	const char *contact;      /* default: the postmaster */
	uint32_t spread_ms;       /* reports of a day are sent within */
	uint32_t inbound_days;    /* sessions with us are kept; 0: not */
	uint64_t size;            /* octets, gzipped; longer: not sent */
	const char **exclude;     /* policy domains, folded */
	size_t nexclude;
	const char **copies; /* addresses that get each report, too */
	size_t ncopies;      /* at most CONFIG_COPIES_MAX */
	struct config_dkim *dkim;
	size_t ndkim; /* at most DKIM_SIGN_KEYS_MAX */
};

struct config_dnsbl {     /* dnsbl "zen.example.org" { weight = 2 } */
	const char *name; /* the zone, folded */
	uint32_t weight;  /* default 1 */
};

struct config_greylist { /* times in seconds */
	bool enabled;
	uint32_t delay;       /* before it is taken; default 5 min */
	uint32_t window;      /* in which it has to come; default 2 days */
	uint32_t keep;        /* what has passed; default 35 days */
	uint32_t allow_after; /* passes of a network; 0: never; default 5 */
	uint32_t rows;        /* triples; default 200000 */
};

struct config_defence {               /* of port 25; see docs/DEFENCE.md */
	struct config_networks allow; /* none of it is for them */
	uint32_t greeting_ms;         /* before the greeting; default 250 ms */
	bool early_reject;            /* who talks before it: 554, else 421 */
	bool any_hello;               /* EHLO may name itself as it likes */
	uint32_t tarpit_after; /* faults borne at full speed; default 5 */
	uint32_t tarpit_ms;    /* before each reply then; default 1 s */
	uint32_t slow_octets;  /* a minute, of what has begun; 0: any */
	uint32_t slow_ms;      /* borne with less; default 2 min */
	struct config_dnsbl *dnsbls;
	size_t ndnsbls;
	uint32_t dnsbl_reject; /* from this sum of weights on; 0: never */
	uint32_t dnsbl_tag;    /* the same; default 1 */
	uint32_t dnsbl_ms;     /* for all zones together; default 5 s */
	struct config_greylist greylist;
};

/* What is answered when a mail filter cannot be asked. */
enum config_failure {
	FAILURE_TEMPFAIL = 0,
	FAILURE_ACCEPT, /* the message passes without it */
	FAILURE_REJECT,
};

struct config_milter { /* milter "rspamd" { address = "unix:/run/x.sock" } */
	const char *name;
	const char *address; /* as written */
	const char *path;    /* of a UNIX socket; NULL: inet */
	struct config_address inet;
	enum config_failure on_failure;
	bool skip_relay;    /* clients of relay { from } pass without it */
	bool skip_programs; /* and so does `danelaw sendmail` */
	uint32_t connect_ms;
	uint32_t reply_ms; /* to anything but the end of a message */
	uint32_t end_ms;
	uint32_t retry_ms; /* a dead one is not tried again before */
};

struct config_limits {
	uint64_t message;            /* octets; default 50 MiB */
	uint32_t recipients;         /* a message; default 1000 */
	uint32_t text_line;          /* octets; default 1 MiB */
	uint32_t errors;             /* bad commands a session; default 20 */
	uint32_t hops;               /* Received fields; default 100 */
	uint32_t sessions;           /* inbound, all processes; default 5000 */
	uint32_t sessions_client;    /* from one network; default 100 */
	uint32_t connections_client; /* a minute; 0: any; default 600 */
	uint32_t messages_client;    /* an hour; 0: any; default 36000 */
	uint32_t unknown;            /* recipients a session; default 50 */
	uint32_t commands;           /* without a message; default 2000 */
	uint32_t deliveries;  /* at once a deliver process; default 1000 */
	uint32_t connections; /* to one destination; default 20 */
	uint32_t messages_connection; /* before it is closed; default 1000 */
	uint64_t memory;              /* octets of messages in memory a receive
	                           process; default 256 MiB */
	uint64_t space;               /* octets the spool leaves free */
	uint64_t segment;             /* octets of a segment; default 64 MiB */
	uint64_t inline_message; /* larger ones get a file; default 256 KiB */
};

struct config_timeouts {  /* all milliseconds; RFC 5321 4.5.3.2 */
	uint32_t command; /* server side; default 5 min */
	uint32_t session; /* whole inbound session; default 1 h */
	uint32_t connect; /* default 30 s */
	uint32_t greeting, hello, starttls, mail, rcpt, data, block, end, quit;
	uint32_t tls;   /* handshake; default 60 s */
	uint32_t idle;  /* an unused outbound connection; default 10 s */
	uint32_t drain; /* what runs may go on after stop or reload */
};

struct config_retry {      /* all seconds */
	uint32_t first;    /* default 300 */
	uint32_t longest;  /* default 4 h */
	uint32_t lifetime; /* default 5 days */
	uint32_t warn;     /* delay warning; 0: none; default 4 h */
};

struct config {
	const char *file;
	const char *hostname;
	const char *spool;
	const char *control;        /* socket; default SPOOL/control */
	const char *drop;           /* for sendmail; default SPOOL/drop */
	const char *state;          /* what is no mail; default SPOOL/state */
	const char *user;           /* NULL: stay who we are */
	uint32_t receive_processes; /* never 0; 0 is one for two cores, */
	uint32_t deliver_processes; /* and here one a core */
	uint16_t mx_port;           /* the port of MX hosts; default 25 */
	const char *source4;        /* addresses to deliver from, or NULL */
	const char *source6;
	bool log_json;
	bool log_syslog;
	bool log_debug;
	enum config_sandbox sandbox;
	const char *postmaster; /* address; default postmaster@hostname */
	struct config_listen *listens;
	size_t nlistens;
	struct config_certificate *certificates;
	size_t ncertificates;
	struct config_domain *domains;
	size_t ndomains;
	struct config_lookup *lookups;
	size_t nlookups;
	struct config_route *routes;
	size_t nroutes;
	struct config_tls *tls;
	size_t ntls;
	enum config_enforcement enforcement; /* never INHERIT */
	enum requiretls_grade requiretls;    /* never UNSAID */
	bool ignore_waivers;                 /* of "TLS-Required: No" */
	struct config_networks relay_from;
	struct config_defence defence;
	struct config_milter *milters; /* in their order */
	size_t nmilters;
	const char *ca_file; /* or NULL: the system's */
	struct config_tls_server tls_server;
	struct config_mta_sts mta_sts;
	struct config_renewal renewal;
	struct config_reporting reporting;
	struct config_resolver resolver;
	struct config_limits limits;
	struct config_timeouts timeouts;
	struct config_retry retry;
	struct config_listen admin; /* of metrics and health; may be empty */
};

/*
 * Parse the text.  0 and *ret, or -1 with one line a problem in *problems:
 * "danelaw.conf:12: listen \"mx\": address: \"0.0.0.0\" has no port; ...".
 * Never prints, never exits.
 */
int config_parse(struct span text, const char *file, struct config **ret,
    struct buf *problems);
void config_free(struct config **config);

/* The domain block for a folded domain, or NULL: not ours. */
const struct config_domain *config_domain(
    const struct config *config, const char *domain);

/* The place of the one that is presented to whoever names no other. */
size_t config_default_certificate(const struct config *config);

/*
 * The target for an address: our own domain's `deliver`, else the first
 * route whose pattern matches (exact before ".suffix" before "*"), else its
 * MX.  Maildir templates are left as they are.
 */
void config_target(
    const struct config *config, const char *address, struct target *ret);

/*
 * The operator's rule for a next hop, a domain or host in normal form: `level`
 * with its `match`, `enforcement` and `requiretls`, each of the most special
 * pattern that sets it, exact before ".suffix" before "*"; those that have run
 * out at `now` (seconds) are not there.  Pattern and reason are those of the
 * level if there is one, NULL where nothing is set; `until` is the first end
 * of them all.
 */
struct config_tls config_tls(
    const struct config *config, const char *next_hop, int64_t now);

/* Has it not run out at `now`? */
bool config_tls_counts(const struct config_tls *rule, int64_t now);

/* Whether a next hop under what config_tls() has is enforced; never INHERIT. */
enum config_enforcement config_enforcement(
    const struct config *config, const struct config_tls *rule);

/* How much of REQUIRETLS counts under it; never UNSAID. */
enum requiretls_grade config_requiretls(
    const struct config *config, const struct config_tls *rule);

/* The word for it in the configuration. */
const char *requiretls_grade_name(enum requiretls_grade grade);

/* Are reports about TLS taken out of mail to any address of ours? */
bool config_takes_reports(const struct config *config);

/* Is it counted what sessions of others with us come to? */
bool config_counts_inbound(const struct config *config);

/* Does this domain, in normal form, get no reports by `exclude`? */
bool config_excludes(const struct config *config, const char *domain);

/* Is this address in one of these networks? */
bool config_in_networks(
    const struct config_networks *networks, const char *address);

/* Does anybody have to be asked who exists? */
bool config_asks(const struct config *config);

/* Does this client have to begin with STARTTLS (RFC 3207 6)? */
bool config_requires_tls(const struct config *config, const char *client);

/* May this client send to domains that are not ours? */
bool config_may_relay(const struct config *config, const char *client);
