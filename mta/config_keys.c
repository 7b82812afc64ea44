/* Every block and key of the configuration: its place, bounds and default. */
#include <stdio.h>

#include "base/text.h"
#include "mta/config_private.h"
#include "mta/ipc.h"

#define KIB (1024ull)
#define MIB (1024 * KIB)
#define GIB (1024 * MIB)
#define TIB (1024 * GIB)

#define SECOND 1000ull /* milliseconds */
#define HOUR   (3600 * SECOND)
#define DAY    86400ull /* seconds */

static const struct config_block_type types[] = {
    [BLOCK_ROOT] = {"", BLOCK_KINDS, NULL, 0},
    [BLOCK_LISTEN] = {"listen", BLOCK_ROOT, "a name", 0},
    [BLOCK_CERTIFICATE] = {"certificate", BLOCK_ROOT, "a name", 0},
    [BLOCK_DOMAIN] = {"domain", BLOCK_ROOT, "a domain", 0},
    [BLOCK_LOOKUP] = {"lookup", BLOCK_ROOT, "a name", 0},
    [BLOCK_RELAY] = {"relay", BLOCK_ROOT, NULL, 0},
    [BLOCK_MILTER] = {"milter", BLOCK_ROOT, "a name", 0},
    [BLOCK_ROUTE] = {"route", BLOCK_ROOT, "a pattern", 0},
    [BLOCK_TLS] = {"tls", BLOCK_ROOT, "a pattern", 0},
    [BLOCK_TLS_SERVER] = {"tls_server", BLOCK_ROOT, NULL,
	offsetof(struct config, tls_server)},
    [BLOCK_MTA_STS] = {"mta_sts", BLOCK_ROOT, NULL,
	offsetof(struct config, mta_sts)},
    [BLOCK_RENEWAL] = {"renewal", BLOCK_ROOT, NULL,
	offsetof(struct config, renewal)},
    [BLOCK_REPORTING] = {"reporting", BLOCK_ROOT, NULL,
	offsetof(struct config, reporting)},
    [BLOCK_DKIM] = {"dkim", BLOCK_REPORTING, "a selector", 0},
    [BLOCK_RESOLVER] = {"resolver", BLOCK_ROOT, NULL,
	offsetof(struct config, resolver)},
    [BLOCK_STUB] = {"stub", BLOCK_RESOLVER, "a zone", 0},
    [BLOCK_FORWARD] = {"forward", BLOCK_RESOLVER, "a zone", 0},
    [BLOCK_LIMITS] = {"limits", BLOCK_ROOT, NULL,
	offsetof(struct config, limits)},
    [BLOCK_DEFENCE] = {"defence", BLOCK_ROOT, NULL,
	offsetof(struct config, defence)},
    [BLOCK_DNSBL] = {"dnsbl", BLOCK_DEFENCE, "a zone", 0},
    [BLOCK_GREYLIST] = {"greylist", BLOCK_DEFENCE, NULL,
	offsetof(struct config, defence.greylist)},
    [BLOCK_TIMEOUTS] = {"timeouts", BLOCK_ROOT, NULL,
	offsetof(struct config, timeouts)},
    [BLOCK_RETRY] = {"retry", BLOCK_ROOT, NULL, offsetof(struct config, retry)},
    [BLOCK_WEB] = {"web", BLOCK_ROOT, NULL, offsetof(struct config, admin)},
};

const struct config_block_type *
config_block_type(enum config_block_kind kind)
{
	return &types[kind];
}

void
config_block_say(const struct config_block *block, char *to, size_t size)
{
	const struct config_block_type *type = &types[block->kind];
	char title[80];

	text_escape(span_of(block->title), title, sizeof(title));
	to[0] = '\0';
	if (type->title != NULL)
		(void)snprintf(to, size, "%s \"%s\": ", type->name, title);
	else if (block->kind != BLOCK_ROOT)
		(void)snprintf(to, size, "%s: ", type->name);
}

/* clang-format off */
#define AT(type, member) offsetof(struct type, member)

#define KEY(block, name, kind, place, least, most, initial, needed, ...) \
	{BLOCK_##block, name, VALUE_##kind, place, least, most, initial, \
	    needed, {__VA_ARGS__}}
#define PLAIN(block, name, kind, place) \
	KEY(block, name, kind, place, 0, 0, NULL, false, NULL, NULL)
#define NEEDED(block, name, kind, place) \
	KEY(block, name, kind, place, 0, 0, NULL, true, NULL, NULL)
#define WITH(block, name, kind, place, initial) \
	KEY(block, name, kind, place, 0, 0, initial, false, NULL, NULL)
#define CHOICE(block, name, place, usual, other) \
	KEY(block, name, CHOICE, place, 0, 0, usual, false, usual, other)
#define NUMBER(block, name, kind, place, least, most, initial) \
	KEY(block, name, kind, place, least, most, initial, false, NULL, NULL)

static const struct config_key keys[] = {
    NEEDED(ROOT, "hostname", HOSTNAME, AT(config, hostname)),
    NEEDED(ROOT, "spool", PATH, AT(config, spool)),
    PLAIN(ROOT, "control", SOCKET, AT(config, control)),
    PLAIN(ROOT, "drop", PATH, AT(config, drop)),
    PLAIN(ROOT, "state", PATH, AT(config, state)),
    PLAIN(ROOT, "user", WORD, AT(config, user)),
    NUMBER(ROOT, "receive_processes", COUNT,
        AT(config, receive_processes), 0, 256, "0"),
    NUMBER(ROOT, "deliver_processes", COUNT,
        AT(config, deliver_processes), 0, 256, "0"),
    NUMBER(ROOT, "mx_port", PORT, AT(config, mx_port), 1, 65535, "25"),
    PLAIN(ROOT, "source", SOURCES, 0),
    CHOICE(ROOT, "log", AT(config, log_syslog), "stderr", "syslog"),
    CHOICE(ROOT, "log_format", AT(config, log_json), "logfmt", "json"),
    CHOICE(ROOT, "log_level", AT(config, log_debug), "info", "debug"),
    WITH(ROOT, "sandbox", SANDBOX, AT(config, sandbox), "on"),
    PLAIN(ROOT, "postmaster", MAILBOX, AT(config, postmaster)),

    WITH(ROOT, "enforcement", ENFORCEMENT, AT(config, enforcement), "enforce"),
    WITH(ROOT, "requiretls", REQUIRETLS, AT(config, requiretls), "enforce"),
    CHOICE(ROOT, "tls_required", AT(config, ignore_waivers), "honour", "ignore"),

    WITH(ROOT, "ca_file", PATH_OR_NONE, AT(config, ca_file), ""),

    NEEDED(LISTEN, "address", LISTENERS, 0),
    PLAIN(LISTEN, "proxy", PREFIXES, AT(config_listen, proxy)),

    NEEDED(CERTIFICATE, "chain", PATH, AT(config_certificate, chain)),
    NEEDED(CERTIFICATE, "key", PATH, AT(config_certificate, key)),
    PLAIN(CERTIFICATE, "root", PATH, AT(config_certificate, root)),
    PLAIN(CERTIFICATE, "names", HOSTS, 0),
    WITH(CERTIFICATE, "default", FLAG,
        AT(config_certificate, is_default), "no"),

    NEEDED(DOMAIN, "deliver", TARGET, AT(config_domain, deliver)),
    PLAIN(DOMAIN, "recipients", SOURCE, AT(config_domain, recipients)),
    PLAIN(DOMAIN, "aliases", SOURCE, AT(config_domain, aliases)),
    PLAIN(DOMAIN, "catch_all", MAILBOX, AT(config_domain, catch_all)),
    WITH(DOMAIN, "delimiter", DELIMITER, AT(config_domain, delimiter), "+"),
    CHOICE(DOMAIN, "case", AT(config_domain, keep_case), "fold", "keep"),
    CHOICE(DOMAIN, "verify", AT(config_domain, verifies), "none", "lmtp"),
    NUMBER(DOMAIN, "verify_timeout", MILLISECONDS,
        AT(config_domain, verify.timeout_ms), 100, 600 * SECOND, "10s"),
    NUMBER(DOMAIN, "verify_found", MILLISECONDS,
        AT(config_domain, verify.keep_found_ms), 0, 24 * HOUR, "1h"),
    NUMBER(DOMAIN, "verify_missing", MILLISECONDS,
        AT(config_domain, verify.keep_missing_ms), 0, 24 * HOUR, "1m"),
    PLAIN(DOMAIN, "tls_reports", LOCALS, 0),

    NEEDED(LOOKUP, "source", LOOKUP, 0),
    PLAIN(LOOKUP, "query", QUERY, AT(config_lookup, query)),
    NUMBER(LOOKUP, "timeout", MILLISECONDS,
        AT(config_lookup, timeout_ms), 100, 600 * SECOND, "10s"),
    NUMBER(LOOKUP, "found", MILLISECONDS,
        AT(config_lookup, keep_found_ms), 0, 24 * HOUR, "0"),
    NUMBER(LOOKUP, "missing", MILLISECONDS,
        AT(config_lookup, keep_missing_ms), 0, 24 * HOUR, "0"),

    PLAIN(RELAY, "from", PREFIXES, AT(config, relay_from)),

    NEEDED(MILTER, "address", MILTER, 0),
    WITH(MILTER, "on_failure", FAILURE,
        AT(config_milter, on_failure), "tempfail"),
    CHOICE(MILTER, "relay_clients",
        AT(config_milter, skip_relay), "filter", "skip"),
    CHOICE(MILTER, "programs",
        AT(config_milter, skip_programs), "filter", "skip"),
    NUMBER(MILTER, "connect_timeout", MILLISECONDS,
        AT(config_milter, connect_ms), 100, HOUR, "10s"),
    NUMBER(MILTER, "reply_timeout", MILLISECONDS,
        AT(config_milter, reply_ms), 100, HOUR, "30s"),
    /* RFC 5321 4.5.3.2.6: the client waits for ten minutes. */
    NUMBER(MILTER, "end_timeout", MILLISECONDS,
        AT(config_milter, end_ms), 100, HOUR, "5m"),
    NUMBER(MILTER, "retry", MILLISECONDS,
        AT(config_milter, retry_ms), 100, HOUR, "10s"),

    NEEDED(ROUTE, "via", NEXT_HOP, AT(config_route, via)),

    PLAIN(TLS, "level", LEVEL, AT(config_tls, level)),
    PLAIN(TLS, "match", NAMES, 0),
    PLAIN(TLS, "until", DATE, AT(config_tls, until)),
    PLAIN(TLS, "reason", REMARK, AT(config_tls, reason)),
    PLAIN(TLS, "enforcement", ENFORCEMENT, AT(config_tls, enforcement)),
    PLAIN(TLS, "requiretls", REQUIRETLS, AT(config_tls, requiretls)),

    /* RFC 9325 3.1.1, 4.2: what is not asked for is not spoken. */
    CHOICE(TLS_SERVER, "minimum", AT(config_tls_server, only_13), "1.2", "1.3"),
    CHOICE(TLS_SERVER, "ciphers",
        AT(config_tls_server, wide), "modern", "wide"),
    WITH(TLS_SERVER, "tickets", FLAG, AT(config_tls_server, tickets), "yes"),
    NUMBER(TLS_SERVER, "ticket_lifetime", SECONDS,
        AT(config_tls_server, ticket_lifetime), 60, DAY, "2h"),
    PLAIN(TLS_SERVER, "require", PREFIXES, AT(config_tls_server, require)),

    WITH(MTA_STS, "enabled", FLAG, AT(config_mta_sts, enabled), "yes"),
    NUMBER(MTA_STS, "port", PORT, AT(config_mta_sts, port), 1, 65535, "443"),
    /* RFC 8461 3.3: "a suggested timeout is one minute". */
    NUMBER(MTA_STS, "timeout", MILLISECONDS,
        AT(config_mta_sts, timeout_ms), 100, 600 * SECOND, "60s"),
    NUMBER(MTA_STS, "fetches", COUNT, AT(config_mta_sts, fetches), 1, 100, "32"),
    NUMBER(MTA_STS, "refresh", MILLISECONDS,
        AT(config_mta_sts, refresh_ms), 100, 24 * HOUR, "30m"),

    WITH(RENEWAL, "watch", FLAG, AT(config_renewal, watch), "yes"),
    WITH(RENEWAL, "tlsa", FLAG, AT(config_renewal, tlsa), "yes"),
    WITH(RENEWAL, "mta_sts", FLAG, AT(config_renewal, mta_sts), "yes"),
    NUMBER(RENEWAL, "settle", MILLISECONDS,
        AT(config_renewal, settle_ms), 100, HOUR, "5s"),
    NUMBER(RENEWAL, "timeout", MILLISECONDS,
        AT(config_renewal, timeout_ms), 100, 600 * SECOND, "30s"),
    NUMBER(RENEWAL, "retry", MILLISECONDS,
        AT(config_renewal, retry_ms), 100, 24 * HOUR, "5m"),

    WITH(REPORTING, "collect", FLAG, AT(config_reporting, collect), "no"),
    PLAIN(REPORTING, "organization", REMARK,
        AT(config_reporting, organization)),
    PLAIN(REPORTING, "contact", MAILBOX, AT(config_reporting, contact)),
    WITH(REPORTING, "send", FLAG, AT(config_reporting, send), "no"),
    /* RFC 8460 4.1: "a random delay of up to four hours". */
    NUMBER(REPORTING, "spread", MILLISECONDS,
        AT(config_reporting, spread_ms), 0, 24 * HOUR, "4h"),
    WITH(REPORTING, "failures_only", FLAG,
        AT(config_reporting, failures_only), "no"),
    /* RFC 8460 8: what a report tells about its sender */
    WITH(REPORTING, "sending_ip", FLAG, AT(config_reporting, sending_ip), "yes"),
    /* who publishes a record says where we connect to */
    WITH(REPORTING, "private_places", FLAG,
        AT(config_reporting, places.private), "no"),
    /* RFC 8460 5.2: 10 MB, and more may be refused. */
    NUMBER(REPORTING, "size", SIZE,
        AT(config_reporting, size), KIB, GIB, "10M"),
    NUMBER(REPORTING, "inbound_days", COUNT,
        AT(config_reporting, inbound_days), 0, 400, "35"),
    PLAIN(REPORTING, "exclude", DOMAINS, 0),
    PLAIN(REPORTING, "copies", COPIES, 0),

    PLAIN(DKIM, "domain", HOSTNAME, AT(config_dkim, domain)),
    NEEDED(DKIM, "key", PATH, AT(config_dkim, key)),

    WITH(RESOLVER, "trust_anchor", PATH_OR_NONE,
        AT(config_resolver, trust_anchor), "/usr/share/dns/root.key"),
    WITH(RESOLVER, "root_hints", PATH_OR_NONE,
        AT(config_resolver, root_hints), ""),
    NUMBER(RESOLVER, "timeout", MILLISECONDS,
        AT(config_resolver, timeout_ms), 100, HOUR, "30s"),
    WITH(RESOLVER, "self_test", NAME_OR_NONE,
        AT(config_resolver, self_test), "."),
    NUMBER(RESOLVER, "self_test_interval", MILLISECONDS,
        AT(config_resolver, self_test_ms), SECOND, 24 * HOUR, "1h"),
    WITH(RESOLVER, "track_anchor", FLAG,
        AT(config_resolver, track_anchor), "yes"),
    /* RFC 5011 2.4.1: 30 days. */
    NUMBER(RESOLVER, "anchor_holddown", SECONDS,
        AT(config_resolver, anchor_holddown), 1, 90 * DAY, "30d"),

    NEEDED(STUB, "server", SERVERS, 0),
    WITH(STUB, "insecure", FLAG, AT(config_zone, insecure), "no"),
    NEEDED(FORWARD, "server", SERVERS, 0),
    WITH(FORWARD, "insecure", FLAG, AT(config_zone, insecure), "no"),

    /* RFC 5321 4.5.3.1.7: a message of 64K octets must be taken. */
    NUMBER(LIMITS, "message", SIZE,
        AT(config_limits, message), 64 * KIB, 4 * GIB, "50M"),
    /* RFC 5321 4.5.3.1.8: 100 recipients must be taken. */
    NUMBER(LIMITS, "recipients", COUNT,
        AT(config_limits, recipients), 100, IPC_RCPTS_MAX, "1000"),
    /* RFC 5321 4.5.3.1.6: a text line of 1000 octets must be taken. */
    NUMBER(LIMITS, "text_line", SIZE32,
        AT(config_limits, text_line), 1000, 64 * MIB, "1M"),
    NUMBER(LIMITS, "errors", COUNT, AT(config_limits, errors), 1, 10000, "20"),
    /* RFC 5321 6.3: normally at least 100 Received fields. */
    NUMBER(LIMITS, "hops", COUNT, AT(config_limits, hops), 10, 1000, "100"),
    NUMBER(LIMITS, "sessions", COUNT,
        AT(config_limits, sessions), 1, 1000000, "5000"),
    NUMBER(LIMITS, "sessions_client", COUNT,
        AT(config_limits, sessions_client), 1, 1000000, "100"),
    NUMBER(LIMITS, "connections_client", COUNT,
        AT(config_limits, connections_client), 0, 1000000, "600"),
    NUMBER(LIMITS, "messages_client", COUNT,
        AT(config_limits, messages_client), 0, 1000000, "36000"),
    NUMBER(LIMITS, "unknown_recipients", COUNT,
        AT(config_limits, unknown), 1, 100000, "50"),
    NUMBER(LIMITS, "commands", COUNT,
        AT(config_limits, commands), 100, 1000000, "2000"),
    NUMBER(LIMITS, "deliveries", COUNT,
        AT(config_limits, deliveries), 1, 100000, "1000"),
    NUMBER(LIMITS, "connections", COUNT,
        AT(config_limits, connections), 1, 10000, "20"),
    NUMBER(LIMITS, "messages_connection", COUNT,
        AT(config_limits, messages_connection), 1, 1000000, "1000"),
    NUMBER(LIMITS, "memory", SIZE, AT(config_limits, memory), MIB, TIB, "256M"),
    NUMBER(LIMITS, "space", SIZE, AT(config_limits, space), 0, TIB, "100M"),
    NUMBER(LIMITS, "segment", SIZE,
        AT(config_limits, segment), MIB, GIB, "64M"),
    NUMBER(LIMITS, "inline_message", SIZE,
        AT(config_limits, inline_message), KIB, 64 * MIB, "256K"),

    PLAIN(DEFENCE, "allow", PREFIXES, AT(config_defence, allow)),
    NUMBER(DEFENCE, "greeting_delay", MILLISECONDS,
        AT(config_defence, greeting_ms), 0, 60 * SECOND, "250ms"),
    CHOICE(DEFENCE, "early_talkers", AT(config_defence, early_reject),
        "defer", "reject"),
    WITH(DEFENCE, "any_hello", FLAG, AT(config_defence, any_hello), "no"),
    NUMBER(DEFENCE, "tarpit_after", COUNT,
        AT(config_defence, tarpit_after), 1, 10000, "5"),
    NUMBER(DEFENCE, "tarpit_delay", MILLISECONDS,
        AT(config_defence, tarpit_ms), 0, 60 * SECOND, "1s"),
    NUMBER(DEFENCE, "slow_octets", COUNT,
        AT(config_defence, slow_octets), 0, 1000000, "1000"),
    NUMBER(DEFENCE, "slow_time", MILLISECONDS,
        AT(config_defence, slow_ms), 100, HOUR, "2m"),
    NUMBER(DEFENCE, "dnsbl_reject", COUNT,
        AT(config_defence, dnsbl_reject), 0, 100000, "1"),
    NUMBER(DEFENCE, "dnsbl_tag", COUNT,
        AT(config_defence, dnsbl_tag), 0, 100000, "1"),
    NUMBER(DEFENCE, "dnsbl_timeout", MILLISECONDS,
        AT(config_defence, dnsbl_ms), 100, 60 * SECOND, "5s"),

    WITH(GREYLIST, "enabled", FLAG, AT(config_greylist, enabled), "no"),
    NUMBER(GREYLIST, "delay", SECONDS,
        AT(config_greylist, delay), 1, DAY, "5m"),
    NUMBER(GREYLIST, "window", SECONDS,
        AT(config_greylist, window), 60, 60 * DAY, "2d"),
    NUMBER(GREYLIST, "keep", SECONDS,
        AT(config_greylist, keep), 60, 400 * DAY, "35d"),
    NUMBER(GREYLIST, "allow_after", COUNT,
        AT(config_greylist, allow_after), 0, 1000000, "5"),
    NUMBER(GREYLIST, "rows", COUNT,
        AT(config_greylist, rows), 1000, 10000000, "200000"),

    NUMBER(DNSBL, "weight", COUNT, AT(config_dnsbl, weight), 1, 1000, "1"),

    /* RFC 5321 4.5.3.2: the defaults are its minimum for each wait. */
    NUMBER(TIMEOUTS, "command", MILLISECONDS,
        AT(config_timeouts, command), 100, 24 * HOUR, "5m"),
    NUMBER(TIMEOUTS, "session", MILLISECONDS,
        AT(config_timeouts, session), 100, 24 * HOUR, "1h"),
    NUMBER(TIMEOUTS, "connect", MILLISECONDS,
        AT(config_timeouts, connect), 100, HOUR, "30s"),
    NUMBER(TIMEOUTS, "greeting", MILLISECONDS,
        AT(config_timeouts, greeting), 100, HOUR, "5m"),
    NUMBER(TIMEOUTS, "hello", MILLISECONDS,
        AT(config_timeouts, hello), 100, HOUR, "5m"),
    NUMBER(TIMEOUTS, "starttls", MILLISECONDS,
        AT(config_timeouts, starttls), 100, HOUR, "2m"),
    NUMBER(TIMEOUTS, "mail", MILLISECONDS,
        AT(config_timeouts, mail), 100, HOUR, "5m"),
    NUMBER(TIMEOUTS, "rcpt", MILLISECONDS,
        AT(config_timeouts, rcpt), 100, HOUR, "5m"),
    NUMBER(TIMEOUTS, "data", MILLISECONDS,
        AT(config_timeouts, data), 100, HOUR, "2m"),
    NUMBER(TIMEOUTS, "block", MILLISECONDS,
        AT(config_timeouts, block), 100, HOUR, "3m"),
    NUMBER(TIMEOUTS, "end", MILLISECONDS,
        AT(config_timeouts, end), 100, HOUR, "10m"),
    NUMBER(TIMEOUTS, "quit", MILLISECONDS,
        AT(config_timeouts, quit), 100, HOUR, "10s"),
    NUMBER(TIMEOUTS, "tls", MILLISECONDS,
        AT(config_timeouts, tls), 100, HOUR, "60s"),
    NUMBER(TIMEOUTS, "idle", MILLISECONDS,
        AT(config_timeouts, idle), 0, HOUR, "10s"),
    NUMBER(TIMEOUTS, "drain", MILLISECONDS,
        AT(config_timeouts, drain), 0, 24 * HOUR, "60s"),

    NUMBER(RETRY, "first", SECONDS, AT(config_retry, first), 1, DAY, "5m"),
    NUMBER(RETRY, "longest", SECONDS,
        AT(config_retry, longest), 1, 7 * DAY, "4h"),
    NUMBER(RETRY, "lifetime", SECONDS,
        AT(config_retry, lifetime), 1, 60 * DAY, "5d"),
    NUMBER(RETRY, "warn", SECONDS, AT(config_retry, warn), 0, 60 * DAY, "4h"),

    PLAIN(WEB, "admin", LISTENERS, 0),
};
/* clang-format on */

const struct config_key *
config_keys(size_t *ret_count)
{
	*ret_count = sizeof(keys) / sizeof(keys[0]);
	return keys;
}

static size_t
list_one(const char *name, char *to, size_t size, size_t at)
{
	int n = snprintf(to + at, size - at, "%s%s", at == 0 ? "" : ", ", name);

	return n < 0 || (size_t)n >= size - at ? at : at + (size_t)n;
}

void
config_list_keys(enum config_block_kind kind, char *to, size_t size)
{
	size_t at = 0;

	to[0] = '\0';
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (keys[i].block == kind)
			at = list_one(keys[i].name, to, size, at);
	for (unsigned k = BLOCK_ROOT + 1; k < BLOCK_KINDS; k++)
		if (types[k].parent == kind)
			at = list_one(types[k].name, to, size, at);
}

bool
config_key_is_list(const struct config_key *key)
{
	return key->kind >= VALUE_LISTENERS;
}
