/* Self-signed certificates for tests, as PEM.  mem_free() both. */
#pragma once

struct made_cert {
	char *chain;
	char *key;
};

/* `names`: "DNS:a.example,DNS:*.b.example"; `days` may be negative. */
struct made_cert make_cert(const char *names, int days);
void made_cert_free(struct made_cert *cert);
