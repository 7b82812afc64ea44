#include "tests/support/tls_guest.h"

#include <assert.h>
#include <string.h>

#include "base/text.h"
#include "mta/net/tls_session.h"

#include "tests/support/tls_kit.h"

static int
on_ticket(SSL *ssl, SSL_SESSION *session)
{
	struct guest_seen *seen = SSL_get_app_data(ssl);

	seen->tickets++;
	SSL_SESSION_free(seen->ticket);
	seen->ticket = session;
	return 1;
}

static SSL_CTX *
context(const struct guest_wish *wish)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	const char *suites = wish->suites == NULL ? "ALL" : wish->suites;
	int least = wish->least == 0 ? TLS1_2_VERSION : wish->least;
	bool ok = ctx != NULL;

	assert(ok);
	SSL_CTX_set_security_level(ctx, 0);
	ok = SSL_CTX_set_min_proto_version(ctx, least) == 1 &&
	     SSL_CTX_set_max_proto_version(ctx, wish->most) == 1 &&
	     SSL_CTX_set_cipher_list(ctx, suites) == 1 &&
	     (wish->groups == NULL ||
		 SSL_CTX_set1_groups_list(ctx, wish->groups) == 1);
	assert(ok);
	(void)SSL_CTX_set_session_cache_mode(
	    ctx, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
	SSL_CTX_sess_set_new_cb(ctx, on_ticket);
	return ctx;
}

static bool
same_ticket(const SSL_SESSION *a, const SSL_SESSION *b)
{
	const unsigned char *p = NULL, *q = NULL;
	size_t n = 0, m = 0;

	SSL_SESSION_get0_ticket(a, &p, &n);
	SSL_SESSION_get0_ticket(b, &q, &m);
	return n == m && (n == 0 || memcmp(p, q, n) == 0);
}

struct tls *
guest_new(const struct guest_wish *wish, struct guest_seen *seen)
{
	SSL_CTX *ctx = context(wish);
	SSL *ssl = SSL_new(ctx);
	char name[256];

	assert(ssl != NULL);
	SSL_CTX_free(ctx);
	(void)SSL_set_app_data(ssl, seen);
	if (wish->sni != NULL && text_copy(name, sizeof(name), wish->sni))
		(void)SSL_set_tlsext_host_name(ssl, name);
	if (wish->ticket != NULL)
		(void)SSL_set_session(ssl, wish->ticket);
	return tls_session_new(ssl, true);
}

void
guest_visit(struct tls_server *server, const char *listener,
    const struct guest_wish *wish, struct guest_seen *ret)
{
	struct tls *client, *at_server = tls_accept(server, listener);
	struct tls_facts facts, theirs;

	*ret = (struct guest_seen){0};
	client = guest_new(wish, ret);
	shake_ends(client, at_server);
	tls_facts(at_server, &facts);
	tls_facts(client, &theirs);
	ret->up = facts.up && theirs.up;
	ret->resumed = facts.resumed;
	(void)text_copy(ret->version, sizeof(ret->version), facts.version);
	(void)text_copy(ret->cipher, sizeof(ret->cipher), facts.cipher);
	ret->renewed = wish->ticket != NULL && ret->up &&
	               !same_ticket(SSL_get_session(client->ssl), wish->ticket);
	ret->broken = tls_broken(client, &ret->alert);
	tls_free(&client);
	tls_free(&at_server);
}
