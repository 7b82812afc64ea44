/* A type octet, then records: a length of 16 bits and that many octets. */
#include "dnssec/rdata.h"

#include <assert.h>
#include <string.h>

#include "tests/fuzz/records.h"

#define RECORDS_MAX 400

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_hosts(const struct mx_list *list)
{
	assert(list->n > 0 && list->n <= MX_MAX);
	for (size_t i = 0; i < list->n; i++) {
		char again[DNS_NAME_SIZE];

		assert(dns_name_is_host(list->hosts[i].name));
		assert(dns_name_normal(list->hosts[i].name, again));
		assert(strcmp(again, list->hosts[i].name) == 0);
		assert(i == 0 || list->hosts[i - 1].preference <=
				     list->hosts[i].preference);
	}
}

static void
read_all(const struct dns_answer *answer, uint8_t type)
{
	struct host_address addresses[8];
	struct arena *arena = arena_new(100000);
	char text[INET6_ADDRSTRLEN];
	char target[DNS_NAME_SIZE];
	struct mx_list list;
	size_t n;

	if (mx_read(answer, type, arena, &list) == MX_HOSTS)
		check_hosts(&list);
	else
		assert(list.n == 0);
	if (host_addresses_read(
		answer, type & 1 ? RR_A : RR_AAAA, addresses, 8, &n))
		for (size_t i = 0; i < n; i++) {
			struct host_address back;

			host_address_text(&addresses[i], text);
			assert(host_address_parse(text, &back));
			assert(memcmp(back.bytes, addresses[i].bytes, 16) == 0);
		}
	(void)cname_read(answer, target);
	arena_free(&arena);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span records[RECORDS_MAX];
	struct dns_answer answer = {.trust = DNS_INSECURE, .rdata = records};

	if (size > 0)
		answer.nrdata = take_records(
		    data + 1, size - 1, records, RECORDS_MAX);
	answer.exists = answer.nrdata > 0;
	if (size > 0)
		read_all(&answer, data[0]);
	return 0;
}
