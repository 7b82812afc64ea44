/* One value of the configuration, from text into its place. */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/text.h"
#include "mta/config_lookup.h"
#include "mta/config_private.h"
#include "mta/domain.h"

#define DNS_PORT  53
#define USER_MAX  32
#define LOCAL_MAX 64 /* RFC 5321 4.5.3.1.1 */

static bool
keep_string(const struct value *value, struct span text)
{
	*(const char **)value->to = config_string(value->memory, text);
	return true;
}

static bool
read_hostname(const struct value *value)
{
	char folded[DOMAIN_MAX];

	return domain_is_qualified(value->text) &&
	       domain_fold(value->text, folded) &&
	       keep_string(value, span_of(folded));
}

static bool
is_path(struct span text)
{
	return text.n > 0 && text.p[0] == '/';
}

static bool
read_path(const struct value *value)
{
	return is_path(value->text) && keep_string(value, value->text);
}

static bool
read_path_or_none(const struct value *value)
{
	if (value->text.n > 0)
		return read_path(value);
	*(const char **)value->to = NULL;
	return true;
}

static bool
read_name_or_none(const struct value *value)
{
	char folded[DOMAIN_MAX] = ".";

	if (value->text.n == 0) {
		*(const char **)value->to = NULL;
		return true;
	}
	return (span_eq(value->text, SPAN(".")) ||
		   domain_fold(value->text, folded)) &&
	       keep_string(value, span_of(folded));
}

static bool
read_socket(const struct value *value)
{
	return value->text.n < sizeof((struct sockaddr_un){0}.sun_path) &&
	       read_path(value);
}

static bool
read_word(const struct value *value)
{
	if (value->text.n == 0 || value->text.n > USER_MAX)
		return false;
	for (size_t i = 0; i < value->text.n; i++) {
		char c = value->text.p[i];

		if (!text_is_alnum(c) && c != '_' && c != '-' && c != '.')
			return false;
	}
	return keep_string(value, value->text);
}

/* RFC 5321 4.1.2: a Dot-string; an operator's own address needs no quotes. */
static bool
is_local(struct span local)
{
	static const char atext[] = "!#$%&'*+-/=?^_`{|}~";

	if (local.n == 0 || local.n > LOCAL_MAX || local.p[0] == '.' ||
	    local.p[local.n - 1] == '.')
		return false;
	for (size_t i = 0; i < local.n; i++) {
		char c = local.p[i];
		bool atom = text_is_alnum(c) ||
		            memchr(atext, c, sizeof(atext) - 1) != NULL;

		if (!atom && (c != '.' || local.p[i - 1] == '.'))
			return false;
	}
	return true;
}

bool
read_mailbox(const struct value *value)
{
	const char *at = strrchr(value->text.p, '@');
	size_t n = at == NULL ? 0 : (size_t)(at - value->text.p);
	char folded[DOMAIN_MAX];

	return at != NULL && is_local(span_first(value->text, n)) &&
	       domain_fold(span_from(value->text, n + 1), folded) &&
	       keep_string(value, value->text);
}

static bool
read_choice(const struct value *value)
{
	for (unsigned i = 0; i < 2; i++) {
		if (!span_eq(value->text, span_of(value->key->choice[i])))
			continue;
		*(bool *)value->to = i == 1;
		return true;
	}
	return false;
}

static bool
read_flag(const struct value *value)
{
	bool yes = span_eq(value->text, SPAN("yes"));

	if (!yes && !span_eq(value->text, SPAN("no")))
		return false;
	*(bool *)value->to = yes;
	return true;
}

static bool
read_u32(const struct value *value)
{
	uint64_t number;

	if (!config_number(value->key, value->text, &number) ||
	    number > UINT32_MAX)
		return false;
	*(uint32_t *)value->to = (uint32_t)number;
	return true;
}

static bool
read_port(const struct value *value)
{
	uint64_t number;

	if (!config_number(value->key, value->text, &number))
		return false;
	*(uint16_t *)value->to = (uint16_t)number;
	return true;
}

static bool
read_size(const struct value *value)
{
	return config_number(value->key, value->text, value->to);
}

/* An IPv4 or IPv6 address without brackets, in its canonical text. */
static bool
read_ip(struct span text, struct config_address *ret, int *ret_family)
{
	uint8_t bytes[16];
	char z[INET6_ADDRSTRLEN];

	if (text.n >= sizeof(z))
		return false;
	memcpy(z, text.p, text.n);
	z[text.n] = '\0';
	*ret_family = strchr(z, ':') == NULL ? AF_INET : AF_INET6;
	return inet_pton(*ret_family, z, bytes) == 1 &&
	       inet_ntop(*ret_family, bytes, ret->ip, sizeof(ret->ip)) != NULL;
}

bool
config_ip(struct span text, struct config_address *ret)
{
	int family;

	return read_ip(text, ret, &family);
}

/* ":25"; or nothing when there is a usual port. */
static bool
read_port_part(struct span text, uint16_t usual, uint16_t *ret)
{
	uint32_t port;

	*ret = usual;
	if (text.n == 0)
		return usual != 0;
	if (text.p[0] != ':' || !text_parse_u32(span_from(text, 1), &port) ||
	    port == 0 || port > UINT16_MAX)
		return false;
	*ret = (uint16_t)port;
	return true;
}

bool
config_endpoint(struct span text, uint16_t usual, struct config_address *ret)
{
	bool bracket = text.n > 0 && text.p[0] == '[';
	const char *end = text.n == 0
	                      ? NULL
	                      : memchr(text.p, bracket ? ']' : ':', text.n);
	size_t n = end == NULL ? text.n : (size_t)(end - text.p);
	size_t skip = bracket ? 1 : 0;
	int family;

	if (text.n == 0 || (bracket && end == NULL))
		return false;
	if (!read_ip((struct span){text.p + skip, n - skip}, ret, &family) ||
	    bracket != (family == AF_INET6) ||
	    !read_port_part(span_from(text, n + skip), usual, &ret->port))
		return false;
	(void)snprintf(ret->text, sizeof(ret->text),
	    bracket ? "[%s]:%u" : "%s:%u", ret->ip, (unsigned)ret->port);
	return true;
}

static bool
read_listener(const struct value *value)
{
	struct config_listen *listen = value->to;
	struct config_address address = {0};

	if (!config_endpoint(value->text, 0, &address))
		return false;
	listen->addresses = config_append(value->memory, listen->addresses,
	    listen->naddresses, sizeof(address));
	listen->addresses[listen->naddresses++] = address;
	return true;
}

/* One address of each family. */
static bool
read_source(const struct value *value)
{
	struct config *config = value->to;
	struct config_address address = {0};
	const char **place;
	int family;

	if (!read_ip(value->text, &address, &family))
		return false;
	place = family == AF_INET ? &config->source4 : &config->source6;
	if (*place != NULL)
		return false;
	*place = config_string(value->memory, span_of(address.ip));
	return true;
}

static bool
read_prefix(const struct value *value)
{
	struct config_networks *networks = value->to;
	struct cidr prefix;

	if (!cidr_parse(value->text, &prefix))
		return false;
	networks->prefixes = config_append(
	    value->memory, networks->prefixes, networks->n, sizeof(prefix));
	networks->prefixes[networks->n++] = prefix;
	return true;
}

/* Into a NULL-terminated array. */
static void
add_server(
    struct config_memory *memory, struct config_zone *zone, const char *server)
{
	size_t n = 0, size = sizeof(zone->servers[0]);

	if (zone->servers == NULL)
		zone->servers = config_append(memory, NULL, 0, size);
	while (zone->servers[n] != NULL)
		n++;
	zone->servers = config_append(memory, zone->servers, n + 1, size);
	zone->servers[n] = server;
	zone->servers[n + 1] = NULL;
}

static bool
read_server(const struct value *value)
{
	struct config_address address = {0};
	char text[sizeof(address.ip) + 8];

	if (!config_endpoint(value->text, DNS_PORT, &address))
		return false;
	(void)snprintf(
	    text, sizeof(text), "%s@%u", address.ip, (unsigned)address.port);
	add_server(value->memory, value->to,
	    config_string(value->memory, span_of(text)));
	return true;
}

/* A slash would be no name of a Maildir. */
static bool
read_local(const struct value *value)
{
	struct config_domain *domain = value->to;
	char *local;

	if (!is_local(value->text) ||
	    memchr(value->text.p, '/', value->text.n) != NULL)
		return false;
	local = config_string(value->memory, value->text);
	text_fold(local);
	domain->tls_reports = config_append(value->memory, domain->tls_reports,
	    domain->ntls_reports, sizeof(domain->tls_reports[0]));
	domain->tls_reports[domain->ntls_reports++] = (struct config_local){
	    local, value->line};
	return true;
}

static bool
read_sandbox(const struct value *value)
{
	static const struct span words[] = {
	    [SANDBOX_ON] = {"on", 2},
	    [SANDBOX_REQUIRED] = {"required", 8},
	    [SANDBOX_LOG] = {"log", 3},
	    [SANDBOX_OFF] = {"off", 3},
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (!span_eq(value->text, words[i]))
			continue;
		*(enum config_sandbox *)value->to = (enum config_sandbox)i;
		return true;
	}
	return false;
}

static const struct {
	read_value *read;
	const char *expected;
} readers[] = {
    [VALUE_HOSTNAME] = {read_hostname,
	"a fully qualified domain name as \"mx1.example.org\""},
    [VALUE_PATH] = {read_path, "an absolute path"},
    [VALUE_PATH_OR_NONE] = {read_path_or_none,
	"an absolute path, or \"\" for none"},
    [VALUE_NAME_OR_NONE] = {read_name_or_none,
	"a domain as \"example.org\", \".\", or \"\" for none"},
    [VALUE_SOCKET] = {read_socket, "an absolute path of at most 107 octets"},
    [VALUE_WORD] = {read_word, "the name of a user"},
    [VALUE_MAILBOX] = {read_mailbox,
	"a mail address as \"postmaster@example.org\""},
    [VALUE_CHOICE] = {read_choice, NULL},
    [VALUE_FLAG] = {read_flag, "yes or no"},
    [VALUE_COUNT] = {read_u32, NULL},
    [VALUE_PORT] = {read_port, NULL},
    [VALUE_SIZE] = {read_size, NULL},
    [VALUE_SIZE32] = {read_u32, NULL},
    [VALUE_MILLISECONDS] = {read_u32, NULL},
    [VALUE_SECONDS] = {read_u32, NULL},
    [VALUE_SOURCE] = {read_source_of,
	"\"file:\" and an absolute path, or \"lookup:NAME\""},
    [VALUE_LOOKUP] = {read_lookup,
	"\"sqlite:/PATH\", \"socketmap:unix:/PATH:MAP\" or "
	"\"socketmap:inet:ADDRESS:PORT:MAP\""},
    [VALUE_QUERY] = {read_query, "one statement of SQL with one \"?\""},
    [VALUE_DELIMITER] = {read_delimiter,
	"one of + - _ = # . , or \"\" for none"},
    [VALUE_LEVEL] = {read_level,
	"none, opportunistic, encrypt, verify, secure or dane"},
    [VALUE_ENFORCEMENT] = {read_enforcement, "enforce or audit"},
    [VALUE_SANDBOX] = {read_sandbox, "on, required, log or off"},
    [VALUE_REQUIRETLS] = {read_requiretls,
	"enforce, encrypt, opportunistic or off"},
    [VALUE_DATE] = {read_date, "a day as \"2027-01-31\""},
    [VALUE_REMARK] = {read_remark, "at most 200 printable characters"},
    [VALUE_MILTER] = {read_milter,
	"unix:/PATH of at most 107 octets or inet:ADDRESS:PORT"},
    [VALUE_FAILURE] = {read_failure, "tempfail, accept or reject"},
    [VALUE_LISTENERS] = {read_listener,
	"ADDRESS:PORT as \"192.0.2.1:25\" or \"[2001:db8::1]:25\""},
    [VALUE_SOURCES] = {read_source,
	"an IP address, at most one of IPv4 and one of IPv6"},
    [VALUE_PREFIXES] = {read_prefix,
	"an address prefix as \"192.0.2.0/24\" or \"[2001:db8::]/32\", "
	"no bits set behind its length"},
    [VALUE_SERVERS] = {read_server,
	"ADDRESS or ADDRESS:PORT as \"192.0.2.53\" or \"[::1]:5353\""},
    [VALUE_NAMES] = {read_name,
	"a name as \"mx.example.org\", or \".example.org\" for what is below "
	"it"},
    [VALUE_DOMAINS] = {read_excluded, "a domain as \"example.org\""},
    [VALUE_COPIES] = {read_copy,
	"a mail address as \"tls-archive@example.org\""},
    [VALUE_LOCALS] = {read_local,
	"what stands before the @ of an address, as \"tls-reports\""},
    [VALUE_HOSTS] = {read_host,
	"a fully qualified domain name as \"mx1.example.org\""},
};

/* What the key wants, in words. */
static void
say_expected(const struct config_key *key, char *to, size_t size)
{
	if (key->kind == VALUE_CHOICE)
		(void)snprintf(to, size, "\"%s\" or \"%s\"", key->choice[0],
		    key->choice[1]);
	else if (readers[key->kind].expected != NULL)
		(void)text_copy(to, size, readers[key->kind].expected);
	else
		config_number_expected(key, to, size);
}

static int
refuse(const struct value *value, struct err *err)
{
	char shown[80], expected[160];

	text_escape(value->text, shown, sizeof(shown));
	say_expected(value->key, expected, sizeof(expected));
	return err_set(
	    err, ERR_PERM, "5.3.5", "\"%s\": expected %s", shown, expected);
}

int
config_value(const struct config_entry *entry, void *block,
    struct config_memory *memory, struct err *err)
{
	const struct config_key *key = entry->key;
	struct value value = {key, span_of(entry->text), entry->line,
	    (char *)block + key->offset, memory};

	if (key->kind == VALUE_NEXT_HOP && value.text.n == 0)
		return 0;
	if (key->kind == VALUE_TARGET || key->kind == VALUE_NEXT_HOP)
		return target_parse(value.text, value.to, err);
	return readers[key->kind].read(&value) ? 0 : refuse(&value, err);
}
