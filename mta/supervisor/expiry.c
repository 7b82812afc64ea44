#include "mta/supervisor/expiry.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "mta/net/tls_cert.h"
#include "mta/supervisor/private.h"

#define DAY     INT64_C(86400)
#define LOOK_MS UINT64_C(3600000)

int64_t
expiry_end_of(const struct generation *generation, const char *name)
{
	struct tls_cert certs[TLS_CHAIN_MAX];
	struct err err;
	int64_t end = 0;
	size_t n = 0;

	if (tls_cert_read(bundle_find(generation->bundle, "chain", name), certs,
		TLS_CHAIN_MAX, &n, &err) < 0)
		return 0;
	for (size_t i = 0; i < n; i++) {
		/* An authority is its own, and looked up by the client. */
		bool is_root = i > 0 &&
		               strcmp(certs[i].subject, certs[i].issuer) == 0;

		if (!is_root && (end == 0 || certs[i].not_after < end))
			end = certs[i].not_after;
	}
	return end;
}

static void
say(const char *name, int64_t end, int64_t now)
{
	char words[CLOCK_WORDS_SIZE];
	struct log_line line;
	bool over = end <= now;

	clock_words(over ? now - end : end - now, words);
	log_begin(&line, over ? LOG_LEVEL_ERROR : LOG_LEVEL_WARN,
	    over ? "certificate-expired" : "certificate-expires");
	log_str(&line, "certificate", name);
	log_i64(&line, "expires", end);
	log_str(&line, over ? "since" : "in", words);
	log_end(&line);
}

static void
put_text(char to[EXPIRY_TEXT_SIZE], const char *name, int64_t end, int64_t now)
{
	char words[CLOCK_WORDS_SIZE];

	clock_words(end > now ? end - now : now - end, words);
	(void)snprintf(to, EXPIRY_TEXT_SIZE,
	    end > now ? "certificate \"%.200s\" expires in %s"
		      : "certificate \"%.200s\" has expired %s ago",
	    name, words);
	text_make_printable(to);
}

unsigned
expiry_urgency(int64_t end, int64_t now)
{
	/* Rounded down, also below nothing. */
	int64_t days = (end - now - (end < now ? DAY - 1 : 0)) / DAY;

	if (days >= 30)
		return 0;
	if (days >= 14)
		return 1;
	if (days >= 7)
		return 2;
	return (unsigned)(3 + (6 - days < 100000 ? 6 - days : 100000));
}

/* What was said of another configuration says nothing of this one. */
static void
begin_generation(struct expiry *expiry, const struct generation *generation)
{
	if (expiry->generation == generation->number)
		return;
	mem_free(expiry->said);
	expiry->said = mem_array(
	    generation->config->ncertificates + 1, sizeof(expiry->said[0]));
	expiry->generation = generation->number;
}

static void
look(struct supervisor *sup)
{
	const struct generation *generation = sup->current;
	struct expiry *expiry = &sup->expiry;
	int64_t now = clock_wall(), first = 0;

	begin_generation(expiry, generation);
	expiry->text[0] = '\0';
	for (size_t i = 0; i < generation->config->ncertificates; i++) {
		const char *name = generation->config->certificates[i].name;
		int64_t end = expiry_end_of(generation, name);
		unsigned urgency = end == 0 ? 0 : expiry_urgency(end, now);

		if (urgency > expiry->said[i])
			say(name, end, now);
		expiry->said[i] = urgency;
		if (urgency < EXPIRY_ALARM || (first != 0 && first <= end))
			continue;
		first = end;
		put_text(expiry->text, name, end, now);
	}
}

static void
on_look(void *arg)
{
	struct supervisor *sup = arg;

	look(sup);
	timer_start(sup->expiry.timer, LOOK_MS);
}

void
expiry_start(struct supervisor *sup)
{
	if (sup->expiry.timer == NULL)
		sup->expiry.timer = timer_new(sup->loop, on_look, sup);
	on_look(sup);
}

void
expiry_end(struct supervisor *sup)
{
	timer_free(&sup->expiry.timer);
	mem_free(sup->expiry.said);
	sup->expiry.said = NULL;
}
