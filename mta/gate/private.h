/*
 * The gate: a process that lives for one question, whether renewed chains fit
 * what is published about us.  See mta/ipc_gate.h for what it is asked.
 *
 *   chains and names > MX of our domains > hosts: addresses, TLSA; policies
 *                    > facts > renewal_judge() > answers > end
 *
 * It sees certificates and no keys.  Ownership: everything hangs from the
 * struct gate, what was looked up from its arena.
 */
#pragma once
#include "base/arena.h"
#include "dnssec/host.h"
#include "dnssec/rdata.h"
#include "mta/net/tls.h"
#include "mta/role.h"
#include "mta/sts/fetch.h"
#include "policy/renewal.h"
#include "tlsa/find.h"

/* More names are not looked at, and the log says so. */
#define GATE_HOSTS_MAX   500
#define GATE_DOMAINS_MAX 1000
#define GATE_WHY_SIZE    400

#define GATE_NO_ANSWER "no answer in time"

struct https;

/* One that is to be judged. */
struct gate_chain {
	const struct config_certificate *certificate;
	struct span new;
	struct span old; /* .p NULL: there is none */
	struct renewal_memory memory;
};

/* A name of ours, whichever chain is presented for it. */
struct gate_host {
	struct gate *gate;
	const char *name;
	struct host_find *host_find;
	struct tlsa_find *tlsa_find;
	bool is_pattern; /* "*.example.org": it stands for those below */
	bool done;
	struct tlsa_found found;
	char why[GATE_WHY_SIZE]; /* found.state is LOOKUP_FAILED */
};

struct gate_domain {
	struct gate *gate;
	const char *name;
	struct dns_query *query; /* its MX, then its record of MTA-STS */
	struct sts_fetch_run *fetch;
	/* Until then any host may be one of them, and mode is UNKNOWN. */
	bool has_mx;
	struct mx_list mx;
	enum sts_mode mode;
	struct arena *arena; /* of the policy, or NULL */
	struct sts_policy policy;
	char why[GATE_WHY_SIZE]; /* mode is UNKNOWN */
};

struct gate {
	struct role *role;
	const struct config *config;
	struct arena *arena;
	struct dns *dns;
	struct watch *watch;
	struct timer *timer;
	struct https *https;
	/* Who believes whom: the authorities of the system, and ours. */
	struct tls_client *clients[2];
	struct gate_chain *chains;
	size_t nchains;
	struct gate_host *hosts;
	size_t nhosts;
	struct gate_domain *domains;
	size_t ndomains;
	size_t pending; /* lookups of this step */
	void (*next)(struct gate *gate);
};

/* names.c: of which hosts is it asked? */

/* Is this chain presented for the host, now or when it is in use? */
bool gate_serves(
    const struct gate *gate, const struct gate_chain *chain, const char *host);
/* After the MX records are known: every host once. */
void gate_gather_hosts(struct gate *gate);

/* look.c: DNS and HTTPS; each goes on with gate->next, once. */
void gate_look_for_mx(struct gate *gate, void (*next)(struct gate *gate));
void gate_look_for_facts(struct gate *gate, void (*next)(struct gate *gate));
void gate_stop_looking(struct gate *gate);

/* judge.c */

/* RFC 8461 4.2: does WebPKI vouch for the chain under this name? */
bool gate_is_valid(struct gate *gate, struct span chain, const char *host,
    char ret_why[GATE_WHY_SIZE]);
void gate_judge(struct gate *gate, const struct gate_chain *chain,
    struct renewal_verdict *ret);
