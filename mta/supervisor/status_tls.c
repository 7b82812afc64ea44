/* The rules about transport security, as `danelaw status` shows them. */
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "mta/config.h"
#include "mta/ctl/control.h"
#include "mta/supervisor/status.h"

/* The answer is one line: what has more than these is counted. */
#define RULES_SHOWN 30
#define LIST_SHOWN  480
#define DAY         86400
#define DAY_DIGITS  10 /* of "2027-01-31T..." */

/* Words with ", " between them, and "..." when they do not fit. */
static void
add_word(char list[LIST_SHOWN], const char *word)
{
	static const char more[] = ", ...";
	size_t n = strlen(list), w = strlen(word);

	if (n + 2 + w + sizeof(more) <= LIST_SHOWN) {
		if (n > 0)
			memcpy(list + n, ", ", 2);
		memcpy(list + n + (n > 0 ? 2 : 0), word, w + 1);
	} else if (n < sizeof(more) ||
		   strcmp(list + n - (sizeof(more) - 1), more) != 0) {
		memcpy(list + n, more, sizeof(more));
	}
}

static void
put_require(const struct config_networks *networks, struct control_item *more)
{
	char list[LIST_SHOWN] = "";
	char text[CIDR_TEXT];

	for (size_t i = 0; i < networks->n; i++) {
		cidr_text(&networks->prefixes[i], text);
		add_word(list, text);
	}
	if (networks->n > 0)
		control_put_text(more, "tls_require", list);
}

static void
put_server(const struct config *config, struct control_item *more)
{
	const struct config_tls_server *server = &config->tls_server;

	control_put_flag(more, "starttls", config->ncertificates > 0);
	if (config->ncertificates == 0)
		return;
	control_put_text(more, "tls_minimum", server->only_13 ? "1.3" : "1.2");
	control_put_text(more, "tls_ciphers", server->wide ? "wide" : "modern");
	control_put_flag(more, "tls_tickets", server->tickets);
	put_require(&server->require, more);
}

/* The last day that counts, as it is written in the configuration. */
static void
put_until(int64_t until, struct control_item *item)
{
	char date[CLOCK_RFC3339_SIZE];

	if (until == 0)
		return;
	clock_rfc3339(1000000 * (until - DAY), date);
	date[DAY_DIGITS] = '\0';
	control_put_text(item, "until", date);
}

static void
put_match(const struct config_tls *rule, struct control_item *item)
{
	char list[LIST_SHOWN] = "";

	for (size_t i = 0; i < rule->nmatch; i++)
		add_word(list, rule->match[i]);
	if (rule->nmatch > 0)
		control_put_text(item, "match", list);
}

static void
put_rule(const struct config_tls *rule, struct control_item *more)
{
	struct control_item *item = control_item_new();

	control_put_text(item, "pattern", rule->pattern);
	if (rule->level > OPERATOR_NO_RULE)
		control_put_text(
		    item, "level", operator_level_name(rule->level));
	put_match(rule, item);
	if (rule->enforcement != ENFORCEMENT_INHERIT)
		control_put_text(item, "enforcement",
		    rule->enforcement == ENFORCEMENT_AUDIT ? "audit"
							   : "enforce");
	if (rule->requiretls != REQUIRETLS_UNSAID)
		control_put_text(item, "requiretls",
		    requiretls_grade_name(rule->requiretls));
	put_until(rule->until, item);
	control_put_text(item, "reason", rule->reason);
	control_put_member(more, "tls_rules", &item);
}

void
status_put_tls(
    const struct config *config, int64_t now, struct control_item *more)
{
	size_t n = 0;

	put_server(config, more);
	control_put_text(
	    more, "requiretls", requiretls_grade_name(config->requiretls));
	for (size_t i = 0; i < config->ntls; i++)
		if (config_tls_counts(&config->tls[i], now) &&
		    n++ < RULES_SHOWN)
			put_rule(&config->tls[i], more);
	if (n > RULES_SHOWN)
		control_put_number(
		    more, "tls_rules_more", (int64_t)(n - RULES_SHOWN));
}
