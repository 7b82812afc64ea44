/* Any text, as a name, as the domain of an address, and as wire. */
#include "dnssec/name.h"

#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_normal(const char *normal)
{
	char again[DNS_NAME_SIZE];
	uint8_t wire[DNS_WIRE_MAX];
	struct span in = {(const char *)wire, 0};

	assert(strlen(normal) < DNS_NAME_SIZE);
	assert(dns_name_wire(normal, wire, &in.n));
	assert(dns_name_read(&in, again));
	assert(in.n == 0 && strcmp(again, normal) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char text[2048];
	char normal[DNS_NAME_SIZE];
	struct span in = {(const char *)data, size};
	struct err err;

	if (dns_name_read(&in, normal))
		check_normal(normal);
	if (size >= sizeof(text))
		size = sizeof(text) - 1;
	if (size > 0)
		memcpy(text, data, size);
	text[size] = '\0';
	if (dns_name_normal(text, normal))
		check_normal(normal);
	if (dns_name_from_domain(text, normal, &err) == 0) {
		check_normal(normal);
		assert(dns_name_is_host(normal));
	}
	return 0;
}
