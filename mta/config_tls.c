/* The operator's rules about TLS: tls "..." { } of danelaw.conf(5). */
#include <string.h>
#include <time.h>

#include "base/text.h"
#include "mta/config_private.h"
#include "mta/domain.h"

#define REMARK_MAX 200
#define DAY        86400

bool
read_level(const struct value *value)
{
	for (unsigned k = OPERATOR_NONE; k <= OPERATOR_DANE; k++) {
		enum operator_level level = (enum operator_level)k;

		if (!span_eq(value->text, span_of(operator_level_name(level))))
			continue;
		*(enum operator_level *)value->to = level;
		return true;
	}
	return false;
}

bool
read_enforcement(const struct value *value)
{
	enum config_enforcement *to = value->to;

	if (span_eq(value->text, SPAN("enforce")))
		*to = ENFORCEMENT_ENFORCE;
	else if (span_eq(value->text, SPAN("audit")))
		*to = ENFORCEMENT_AUDIT;
	else
		return false;
	return true;
}

const char *
requiretls_grade_name(enum requiretls_grade grade)
{
	static const char *const names[] = {
	    [REQUIRETLS_UNSAID] = "unsaid",
	    [REQUIRETLS_ENFORCE] = "enforce",
	    [REQUIRETLS_ENCRYPT] = "encrypt",
	    [REQUIRETLS_OPPORTUNISTIC] = "opportunistic",
	    [REQUIRETLS_OFF] = "off",
	};

	return names[grade];
}

bool
read_requiretls(const struct value *value)
{
	for (unsigned k = REQUIRETLS_ENFORCE; k <= REQUIRETLS_OFF; k++) {
		enum requiretls_grade grade = (enum requiretls_grade)k;

		if (!span_eq(
			value->text, span_of(requiretls_grade_name(grade))))
			continue;
		*(enum requiretls_grade *)value->to = grade;
		return true;
	}
	return false;
}

/* "2027-01-31": that day counts, the next does not. */
bool
read_date(const struct value *value)
{
	struct span text = value->text;
	uint32_t year, month, day;
	struct tm tm = {0}, back;
	time_t begin;

	if (text.n != 10 || text.p[4] != '-' || text.p[7] != '-' ||
	    !text_parse_u32(span_first(text, 4), &year) ||
	    !text_parse_u32((struct span){text.p + 5, 2}, &month) ||
	    !text_parse_u32((struct span){text.p + 8, 2}, &day))
		return false;
	tm.tm_year = (int)year - 1900;
	tm.tm_mon = (int)month - 1;
	tm.tm_mday = (int)day;
	back = tm;
	begin = timegm(&back);
	/* timegm() takes the 31st of April for the 1st of May. */
	if (back.tm_mon != tm.tm_mon || back.tm_mday != tm.tm_mday ||
	    year < 1970)
		return false;
	*(int64_t *)value->to = (int64_t)begin + DAY;
	return true;
}

/* No string has control characters: see config_scan(). */
bool
read_remark(const struct value *value)
{
	if (value->text.n > REMARK_MAX)
		return false;
	*(const char **)value->to = config_string(value->memory, value->text);
	return true;
}

/* One of `match`. */
bool
read_name(const struct value *value)
{
	struct config_tls *tls = value->to;
	size_t dot = value->text.n > 0 && value->text.p[0] == '.' ? 1 : 0;
	char folded[DOMAIN_MAX + 1] = ".";

	if (!domain_fold(span_from(value->text, dot), folded + dot))
		return false;
	tls->match = config_append(
	    value->memory, tls->match, tls->nmatch, sizeof(tls->match[0]));
	tls->match[tls->nmatch++] = config_string(
	    value->memory, span_of(folded));
	return true;
}

bool
config_tls_counts(const struct config_tls *rule, int64_t now)
{
	return rule->until == 0 || now < rule->until;
}

static bool
sets_level(const struct config_tls *rule)
{
	return rule->level != OPERATOR_NO_RULE;
}

static bool
sets_enforcement(const struct config_tls *rule)
{
	return rule->enforcement != ENFORCEMENT_INHERIT;
}

static bool
sets_requiretls(const struct config_tls *rule)
{
	return rule->requiretls != REQUIRETLS_UNSAID;
}

struct wanted {
	bool (*sets)(const struct config_tls *rule);
	int64_t now;
};

static bool
is_wanted(const void *element, const void *arg)
{
	const struct wanted *wanted = arg;

	return config_tls_counts(element, wanted->now) && wanted->sets(element);
}

/*
 * Where nothing is found, a rule that sets nothing.  *ret keeps the earliest
 * end, and says of the rule that is taken last who it is.
 */
static const struct config_tls *
take(const struct config *config, const char *next_hop,
    const struct wanted *wanted, struct config_tls *ret)
{
	static const struct config_tls nothing = {.level = OPERATOR_NO_RULE};
	struct config_patterns rules = {config->tls, config->ntls,
	    sizeof(config->tls[0]), is_wanted, wanted};
	const struct config_tls *found = config_match(&rules, next_hop);

	if (found == NULL)
		return &nothing;
	ret->pattern = found->pattern;
	ret->reason = found->reason;
	if (found->until != 0 && (ret->until == 0 || found->until < ret->until))
		ret->until = found->until;
	return found;
}

/*
 * A floor for all holds also where a narrower rule says something else.  The
 * level is taken last: `explain` tells whose it is, where there is one.
 */
struct config_tls
config_tls(const struct config *config, const char *next_hop, int64_t now)
{
	const struct wanted requiretls = {sets_requiretls, now};
	const struct wanted enforcement = {sets_enforcement, now};
	const struct wanted level = {sets_level, now};
	struct config_tls rule = {.pattern = NULL};
	const struct config_tls *found;

	rule.requiretls = take(config, next_hop, &requiretls, &rule)
	                      ->requiretls;
	rule.enforcement = take(config, next_hop, &enforcement, &rule)
	                       ->enforcement;
	found = take(config, next_hop, &level, &rule);
	rule.level = found->level;
	rule.match = found->match;
	rule.nmatch = found->nmatch;
	return rule;
}

enum config_enforcement
config_enforcement(const struct config *config, const struct config_tls *rule)
{
	return sets_enforcement(rule) ? rule->enforcement : config->enforcement;
}

enum requiretls_grade
config_requiretls(const struct config *config, const struct config_tls *rule)
{
	return sets_requiretls(rule) ? rule->requiretls : config->requiretls;
}
