/* See guard.h. */
#include "mta/receive/guard.h"

#include "base/mem.h"

#define MINUTE    60000u
#define HOUR      3600000u
#define IDLE_ROWS 50000u /* networks without a session that are remembered */

struct guard {
	const struct config *config;
	struct networks *networks;
	uint32_t sessions, sessions_max;
	struct refusals refusals; /* not told yet */
	bool news;
};

struct guard *
guard_new(const struct config *config, uint32_t sessions_max)
{
	struct guard *guard = mem_new(sizeof(*guard));

	guard->config = config;
	guard->sessions_max = sessions_max;
	guard->networks = networks_new((size_t)sessions_max + IDLE_ROWS);
	return guard;
}

void
guard_free(struct guard **guardp)
{
	struct guard *guard = *guardp;

	*guardp = NULL;
	if (guard == NULL)
		return;
	networks_free(&guard->networks);
	mem_free(guard);
}

static bool
is_exempt(const struct config *config, const char *client)
{
	return config_may_relay(config, client) ||
	       config_in_networks(&config->defence.allow, client);
}

static enum refusal
refuse(struct guard *guard, enum refusal kind, const char *enhanced,
    const char *text, struct err *err)
{
	guard_count(guard, kind);
	(void)err_set(err, ERR_TEMP, enhanced, "%s", text);
	return kind;
}

enum refusal
guard_enter(struct guard *guard, const char *client, uint64_t now,
    struct guard_pass *ret, struct err *err)
{
	const struct config_limits *limits = &guard->config->limits;
	struct network *network;
	struct cidr key;

	*ret = (struct guard_pass){.exempt = is_exempt(guard->config, client)};
	guard->sessions++;
	if (guard->sessions > guard->sessions_max)
		return refuse(
		    guard, REFUSAL_SESSIONS, "4.3.2", "too many sessions", err);
	if (ret->exempt || !cidr_network(client, &key))
		return REFUSAL_NONE;
	network = networks_get(guard->networks, &key);
	network->sessions++;
	ret->network = network;
	if (network->sessions > limits->sessions_client)
		return refuse(guard, REFUSAL_SESSIONS_CLIENT, "4.7.0",
		    "too many sessions from your network", err);
	if (!rate_take(
		&network->connections, limits->connections_client, MINUTE, now))
		return refuse(guard, REFUSAL_CONNECTIONS_CLIENT, "4.7.0",
		    "too many connections from your network, try again in a "
		    "minute",
		    err);
	return REFUSAL_NONE;
}

void
guard_leave(struct guard *guard, struct guard_pass *pass)
{
	guard->sessions--;
	if (pass->network != NULL)
		pass->network->sessions--;
	pass->network = NULL;
}

enum refusal
guard_message(struct guard *guard, const struct guard_pass *pass, uint64_t now,
    struct err *err)
{
	if (pass->network == NULL ||
	    rate_take(&pass->network->messages,
		guard->config->limits.messages_client, HOUR, now))
		return REFUSAL_NONE;
	return refuse(guard, REFUSAL_MESSAGES_CLIENT, "4.7.1",
	    "too many messages from your network, try again in an hour", err);
}

void
guard_count(struct guard *guard, enum refusal kind)
{
	guard->refusals.counts[kind]++;
	guard->news = true;
}

bool
guard_tell(struct guard *guard, struct refusals *ret)
{
	bool any = guard->news;

	*ret = guard->refusals;
	guard->refusals = (struct refusals){0};
	guard->news = false;
	return any;
}

void
pace_credit(struct pace *pace, const struct config_defence *defence,
    size_t octets, uint64_t now)
{
	uint64_t most = now + defence->slow_ms;

	if (pace->until == 0 || defence->slow_octets == 0)
		return;
	/* A session takes no more than 64 KiB at once. */
	pace->until += (uint64_t)octets * MINUTE / defence->slow_octets;
	if (pace->until > most)
		pace->until = most;
}

void
pace_judge(struct pace *pace, const struct config_defence *defence, bool amid,
    uint64_t now)
{
	if (!amid || defence->slow_octets == 0)
		pace->until = 0;
	else if (pace->until == 0)
		pace->until = now + defence->slow_ms;
}

bool
pace_is_slow(const struct pace *pace, uint64_t now)
{
	return pace->until != 0 && now >= pace->until;
}

uint32_t
pace_wait(const struct pace *pace, uint32_t ms, uint64_t now)
{
	if (pace->until == 0 || pace->until > now + ms)
		return ms;
	return pace->until > now ? (uint32_t)(pace->until - now) : 1;
}
