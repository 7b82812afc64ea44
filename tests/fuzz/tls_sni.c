/* The server_name extension of whoever connects. */
#include <stdint.h>
#include <string.h>

#include "mta/net/tls_hello.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char name[TLS_HELLO_NAME];
	bool found = tls_hello_name(
	    (struct span){(const char *)data, size}, name);

	if (found != (name[0] != '\0') || strlen(name) >= sizeof(name))
		__builtin_trap();
	return 0;
}
