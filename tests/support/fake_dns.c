#include "tests/support/fake_dns.h"

#include <assert.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/text.h"
#include "dnssec/rdata.h"

#define RECORDS_MAX 64
#define RDATA_MAX   4096

struct dns_query {
	struct dns *dns;
	struct dns_query *next;
	dns_done *done;
	void *arg;
	uint16_t type;
	char name[DNS_NAME_SIZE];
};

struct dns {
	const struct fake_record *records;
	size_t n;
	struct dns_query *first;
	enum dns_trust absent;
	const char *held;
	uint16_t ttl_type;
	uint32_t ttl;
	size_t asked;
	int fd;
};

struct dns *
fake_dns_new(const struct fake_record *records, size_t n)
{
	struct dns *dns = mem_new(sizeof(*dns));

	dns->records = records;
	dns->n = n;
	dns->absent = DNS_INSECURE;
	dns->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	assert(dns->fd >= 0);
	return dns;
}

struct dns *
dns_new(const struct dns_setup *setup, struct err *err)
{
	(void)setup;
	(void)err;
	return fake_dns_new(NULL, 0);
}

void
dns_free(struct dns **dns)
{
	struct dns *gone = *dns;

	*dns = NULL;
	if (gone == NULL)
		return;
	while (gone->first != NULL) {
		struct dns_query *query = gone->first;

		gone->first = query->next;
		mem_free(query);
	}
	(void)close(gone->fd);
	mem_free(gone);
}

int
dns_fd(const struct dns *dns)
{
	return dns->fd;
}

static void
wake(const struct dns *dns)
{
	uint64_t one = 1;
	ssize_t n = write(dns->fd, &one, sizeof(one));

	assert(n == sizeof(one));
}

void
fake_dns_absent(struct dns *dns, enum dns_trust trust)
{
	dns->absent = trust;
}

void
fake_dns_ttl(struct dns *dns, uint16_t type, uint32_t ttl)
{
	dns->ttl_type = type;
	dns->ttl = ttl;
}

void
fake_dns_hold(struct dns *dns, const char *name)
{
	dns->held = name;
	wake(dns);
}

size_t
fake_dns_asked(const struct dns *dns)
{
	return dns->asked;
}

size_t
fake_dns_waiting(const struct dns *dns)
{
	size_t n = 0;

	for (const struct dns_query *q = dns->first; q != NULL; q = q->next)
		n++;
	return n;
}

struct dns_query *
dns_lookup(
    struct dns *dns, const char *name, uint16_t type, dns_done *done, void *arg)
{
	struct dns_query *query = mem_new(sizeof(*query));
	struct dns_query **last = &dns->first;

	query->dns = dns;
	query->done = done;
	query->arg = arg;
	query->type = type;
	if (!dns_name_normal(name, query->name))
		query->name[0] = '\0';
	while (*last != NULL)
		last = &(*last)->next;
	*last = query;
	dns->asked++;
	wake(dns);
	return query;
}

void
dns_cancel(struct dns_query **query)
{
	struct dns_query *gone = *query;

	*query = NULL;
	if (gone == NULL)
		return;
	for (struct dns_query **at = &gone->dns->first; *at != NULL;
	     at = &(*at)->next)
		if (*at == gone) {
			*at = gone->next;
			mem_free(gone);
			return;
		}
}

/* --- text to wire --------------------------------------------------------- */

static void
add_name(struct buf *wire, const char *name)
{
	uint8_t octets[DNS_WIRE_MAX];
	size_t n;
	bool ok = dns_name_wire(name, octets, &n);

	assert(ok);
	ok = buf_add(wire, (struct span){(const char *)octets, n}) == 0;
	assert(ok);
}

static void
add_mx(struct buf *wire, const char *data)
{
	size_t n = strcspn(data, " ");
	uint32_t preference;
	bool ok = text_parse_u32((struct span){data, n}, &preference);
	char number[2];

	assert(ok && data[n] == ' ');
	number[0] = (char)(preference >> 8);
	number[1] = (char)preference;
	ok = buf_add(wire, (struct span){number, 2}) == 0;
	assert(ok);
	add_name(wire, data + n + 1);
}

static void
add_hex(struct buf *wire, const char *data)
{
	static const char digits[] = "0123456789abcdef";

	for (; data[0] != '\0' && data[1] != '\0'; data += 2) {
		const char *high = strchr(digits, text_lower(data[0]));
		const char *low = strchr(digits, text_lower(data[1]));
		char c;
		bool ok;

		assert(high != NULL && low != NULL);
		c = (char)((high - digits) << 4 | (low - digits));
		ok = buf_add(wire, (struct span){&c, 1}) == 0;
		assert(ok);
	}
}

static void
add_rdata(struct buf *wire, uint16_t type, const char *data)
{
	struct host_address address;
	bool ok;

	if (data[0] == '#') {
		add_hex(wire, data + 1);
	} else if (type == RR_MX) {
		add_mx(wire, data);
	} else if (type == RR_A || type == RR_AAAA) {
		ok = host_address_parse(data, &address);
		assert(ok);
		ok = buf_add(wire, (struct span){(const char *)address.bytes,
				       type == RR_A ? 4 : 16}) == 0;
		assert(ok);
	} else if (type == RR_CNAME || type == RR_DNAME || type == 2) {
		add_name(wire, data);
	} else {
		add_hex(wire, data);
	}
}

/* --- answers -------------------------------------------------------------- */

static bool
is_of(const struct fake_record *record, const char *name)
{
	char normal[DNS_NAME_SIZE];

	return dns_name_normal(record->name, normal) &&
	       strcmp(normal, name) == 0;
}

static bool
is_word(const char *data, const char *word)
{
	return data != NULL && strcmp(data, word) == 0;
}

/* What the table says; the rdata is in `wire`, cut by `offsets`. */
static struct dns_answer
find_answer(const struct dns_query *query, struct buf *wire,
    size_t offsets[RECORDS_MAX + 1])
{
	struct dns_answer answer = {.trust = query->dns->absent,
	    .canonical = query->name,
	    .ttl = query->type == query->dns->ttl_type ? query->dns->ttl : 60};
	bool there = false, found = false, gone = false;

	for (size_t i = 0; i < query->dns->n; i++) {
		const struct fake_record *record = &query->dns->records[i];

		if (!is_of(record, query->name))
			continue;
		there = true;
		if (record->type != query->type)
			continue;
		if (!found)
			answer.trust = record->trust;
		if (!found && record->canonical != NULL)
			answer.canonical = record->canonical;
		found = true;
		gone = is_word(record->data, "!");
		answer.not_asked = is_word(record->data, "?");
		if (record->data == NULL || gone || answer.not_asked ||
		    answer.nrdata == RECORDS_MAX)
			continue;
		offsets[answer.nrdata++] = wire->n;
		add_rdata(wire, query->type, record->data);
	}
	if (answer.not_asked)
		answer.trust = DNS_FAILED;
	answer.nxdomain = gone || !there;
	offsets[answer.nrdata] = wire->n;
	return answer;
}

static void
answer_one(struct dns_query *query)
{
	struct span rdata[RECORDS_MAX];
	size_t offsets[RECORDS_MAX + 1];
	struct dns_answer answer;
	struct buf wire;

	buf_init(&wire, (size_t)RECORDS_MAX * RDATA_MAX);
	answer = find_answer(query, &wire, offsets);
	if (answer.trust <= DNS_BOGUS) {
		answer.nrdata = 0;
		answer.ede = answer.trust == DNS_BOGUS ? EDE_BOGUS : EDE_OTHER;
		answer.nxdomain = false;
		answer.why = answer.not_asked            ? "too many"
		             : answer.trust == DNS_BOGUS ? "validation failed"
		                                         : "SERVFAIL";
	}
	for (size_t i = 0; i < answer.nrdata; i++)
		rdata[i] = (struct span){
		    wire.p + offsets[i], offsets[i + 1] - offsets[i]};
	answer.rdata = rdata;
	answer.exists = answer.nrdata > 0;
	query->done(&answer, query->arg);
	buf_free(&wire);
	mem_free(query);
}

/* The oldest that is not held, taken out of the list. */
static struct dns_query *
take_first(struct dns *dns)
{
	for (struct dns_query **at = &dns->first; *at != NULL;
	     at = &(*at)->next) {
		struct dns_query *query = *at;

		if (dns->held != NULL && strcmp(query->name, dns->held) == 0)
			continue;
		*at = query->next;
		return query;
	}
	return NULL;
}

void
dns_process(struct dns *dns)
{
	size_t most = fake_dns_waiting(dns);
	struct dns_query *query;
	uint64_t count;
	ssize_t n = read(dns->fd, &count, sizeof(count));

	(void)n;
	for (; most > 0 && (query = take_first(dns)) != NULL; most--)
		answer_one(query);
}

const char *
dns_trust_name(enum dns_trust trust)
{
	static const char *const names[] = {
	    "failed", "bogus", "insecure", "secure"};

	return (size_t)trust < sizeof(names) / sizeof(names[0]) ? names[trust]
	                                                        : "?";
}
