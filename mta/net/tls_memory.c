/* See tls.h. */
#include <openssl/crypto.h>

#include "base/mem.h"
#include "mta/net/tls.h"

static void *
lend(size_t n, const char *file, int line)
{
	(void)file;
	(void)line;
	return mem_lend(n);
}

static void *
lend_more(void *p, size_t n, const char *file, int line)
{
	(void)file;
	(void)line;
	return mem_lend_more(p, n);
}

static void
give_back(void *p, const char *file, int line)
{
	(void)file;
	(void)line;
	mem_give_back(p);
}

bool
tls_wipe_memory(void)
{
	return CRYPTO_set_mem_functions(lend, lend_more, give_back) == 1;
}
