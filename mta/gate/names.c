/* The names that a chain is presented for. */
#include <string.h>

#include "base/buf.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "dnssec/name.h"
#include "mta/gate/private.h"
#include "mta/net/tls_check.h"

#define NAMES_SIZE (64u << 10)

static bool
is_named(const struct config_certificate *certificate, const char *host)
{
	for (size_t i = 0; i < certificate->nnames; i++)
		if (strcmp(certificate->names[i], host) == 0)
			return true;
	return false;
}

static bool
covers(const struct gate_chain *chain, const char *host)
{
	return tls_check_covers(chain->new, host) ||
	       (chain->old.p != NULL && tls_check_covers(chain->old, host));
}

/* RFC 7672 8.1: whoever asks for another name is shown the default. */
static bool
is_fallback(
    const struct gate *gate, const struct gate_chain *chain, const char *host)
{
	const struct config *config = gate->config;

	if (chain->certificate !=
	    &config->certificates[config_default_certificate(config)])
		return false;
	for (size_t i = 0; i < config->ncertificates; i++)
		if (tls_check_covers(bundle_find(gate->role->bundle, "chain",
					 config->certificates[i].name),
			host))
			return false;
	return true;
}

bool
gate_serves(
    const struct gate *gate, const struct gate_chain *chain, const char *host)
{
	bool is_ours = strcmp(host, gate->config->hostname) == 0;

	if (is_named(chain->certificate, host))
		return true;
	/* `names` says which of the names in it are this server's. */
	if (chain->certificate->nnames > 0 && !is_ours)
		return false;
	return covers(chain, host) ||
	       (is_ours && is_fallback(gate, chain, host));
}

/* --- each once ------------------------------------------------------------ */

static void
say_too_many(const char *what, size_t most)
{
	struct log_line line;

	log_begin(&line, LOG_LEVEL_WARN, "gate-limit");
	log_str(&line, "what", what);
	log_u64(&line, "most", most);
	log_end(&line);
}

/* A name that others may ask for, or a "*" and those that stand for it. */
static void
add_host(struct gate *gate, struct span text)
{
	bool is_pattern = text.n > 2 && memcmp(text.p, "*.", 2) == 0;
	size_t star = is_pattern ? 2 : 0;
	char name[2 + DNS_NAME_SIZE] = "*.", raw[DNS_NAME_SIZE];
	struct gate_host *host;

	if (text.n == 0 || text.n >= sizeof(raw))
		return;
	memcpy(raw, text.p, text.n);
	raw[text.n] = '\0';
	if (!dns_name_normal(raw + star, name + star) ||
	    !dns_name_is_host(name + star))
		return;
	for (size_t i = 0; i < gate->nhosts; i++)
		if (strcmp(gate->hosts[i].name, name) == 0)
			return;
	if (gate->nhosts == GATE_HOSTS_MAX) {
		say_too_many("names", GATE_HOSTS_MAX);
		gate->nhosts++; /* once */
	}
	if (gate->nhosts > GATE_HOSTS_MAX)
		return;
	host = &gate->hosts[gate->nhosts++];
	host->gate = gate;
	host->name = mem_strdup(name);
	host->is_pattern = is_pattern;
	(void)text_copy(host->why, sizeof(host->why), GATE_NO_ANSWER);
}

static void
add_if_served(struct gate *gate, const char *name)
{
	for (size_t i = 0; i < gate->nchains; i++)
		if (gate_serves(gate, &gate->chains[i], name)) {
			add_host(gate, span_of(name));
			return;
		}
}

/* All that stands in it, but where `names` says what counts. */
static void
add_names_of(struct gate *gate, const struct gate_chain *chain, struct span pem)
{
	struct buf names;
	struct span rest;
	struct err err;

	if (pem.p == NULL || chain->certificate->nnames > 0)
		return;
	buf_init(&names, NAMES_SIZE);
	(void)tls_cert_names(pem, &names, &err);
	rest = buf_span(&names);
	while (rest.n > 0) {
		const char *end = memchr(rest.p, ' ', rest.n);
		size_t n = end == NULL ? rest.n : (size_t)(end - rest.p);

		add_host(gate, span_first(rest, n));
		rest = span_from(rest, n + 1);
	}
	buf_free(&names);
}

void
gate_gather_hosts(struct gate *gate)
{
	/* In the order of their weight: the last may be left out. */
	gate->hosts = mem_array(GATE_HOSTS_MAX, sizeof(gate->hosts[0]));
	add_if_served(gate, gate->config->hostname);
	for (size_t i = 0; i < gate->ndomains; i++)
		for (size_t k = 0; k < gate->domains[i].mx.n; k++)
			add_if_served(gate, gate->domains[i].mx.hosts[k].name);
	for (size_t i = 0; i < gate->nchains; i++) {
		const struct gate_chain *chain = &gate->chains[i];

		for (size_t k = 0; k < chain->certificate->nnames; k++)
			add_host(gate, span_of(chain->certificate->names[k]));
		add_names_of(gate, chain, chain->new);
		add_names_of(gate, chain, chain->old);
	}
	if (gate->nhosts > GATE_HOSTS_MAX)
		gate->nhosts = GATE_HOSTS_MAX;
}
