/* A mail that came in as a report: which keys are asked for, and whose it is. */
#include <stdio.h>
#include <string.h>

#include "reporting/ingest.h"
#include "reporting/report_read_json.h"

#include "tests/support/dkim_kit.h"
#include "tests/support/test.h"
#include "tests/support/txt_answer.h"

#define JSON                                                                \
	"{\"organization-name\":\"R\",\"report-id\":\"1\",\"policies\":[]," \
	"\"date-range\":{\"start-datetime\":\"2026-11-28T00:00:00Z\","      \
	"\"end-datetime\":\"2026-11-28T23:59:59Z\"}}\r\n"
#define MAIL                                    \
	"From: a@example.org\r\n"               \
	"TLS-Report-Domain: ours.example\r\n"   \
	"TLS-Report-Submitter: example.org\r\n" \
	"MIME-Version: 1.0\r\n"                 \
	"Content-Type: application/tlsrpt+json\r\n\r\n" JSON
#define REST "h=From:Content-Type; v=1; a=ed25519-sha256; bh=@bh; b=@b; "
#define OWN  REST "s=own; d=example.org"

struct desk {
	struct arena *arena;
	struct ingest ingest;
	struct err err;
};

static void
open_desk(struct desk *desk)
{
	*desk = (struct desk){.arena = arena_new(REPORT_ARENA)};
}

static void
close_desk(struct desk *desk)
{
	ingest_free(&desk->ingest);
	arena_free(&desk->arena);
}

static int
begin(struct desk *desk, struct span mail)
{
	return ingest_begin(
	    &desk->ingest, mail, desk->arena, KIT_NOW, &desk->err);
}

static void
answer(struct desk *desk, const char *record)
{
	const struct span text = span_of(record);
	const struct dns_answer answer = txt_answer(&text, 1, 255);

	ingest_answer(&desk->ingest, &answer);
}

/* With these two signatures, the second on top. */
static void
sign(struct buf *out, const struct kit_keys *keys, const char *first,
    const char *second)
{
	char text[8192];

	buf_init(out, sizeof(text));
	kit_claim(out, keys->ed25519, first, MAIL);
	if (second == NULL)
		return;
	(void)snprintf(text, sizeof(text), "%.*s", (int)out->n, out->p);
	buf_clear(out);
	kit_claim(out, keys->ed25519, second, text);
}

/* RFC 8460 3: no other signature makes it a report, so no other key is looked
 * up: whoever sends it chooses their names. */
static void
only_the_reporter_s_key_is_asked_for(void **state)
{
	static const char *const others[] = {
	    REST "s=own; d=example.com",
	    REST "s=own; d=sub.example.org",
	    REST "s=own; d=org.example",
	    REST "s=own._domainkey.x; d=badexample.org",
	};
	struct desk desk;
	struct buf mail;

	for (size_t i = 0; i < 2 * ROWS(others); i++) {
		const char *other = others[i / 2];
		bool first = i % 2 == 0;

		sign(&mail, *state, first ? other : OWN, first ? OWN : other);
		open_desk(&desk);
		assert_int_equal(begin(&desk, buf_span(&mail)), 0);
		assert_string_equal(ingest_question(&desk.ingest),
		    "own._domainkey.example.org");
		answer(&desk,
		    kit_record(((struct kit_keys *)*state)->ed25519, ""));
		assert_null(ingest_question(&desk.ingest));
		assert_int_equal(ingest_end(&desk.ingest, &desk.err), 0);
		assert_string_equal(desk.ingest.signer, "example.org");
		close_desk(&desk);
		buf_free(&mail);
	}
}

static void
without_a_signature_of_its_own_nothing_is_asked(void **state)
{
	struct desk desk;
	struct buf mail;

	sign(&mail, *state, REST "s=own; d=example.com", NULL);
	open_desk(&desk);
	assert_int_equal(begin(&desk, buf_span(&mail)), 0);
	assert_null(ingest_question(&desk.ingest));
	assert_true(ingest_end(&desk.ingest, &desk.err) < 0);
	assert_int_equal(desk.err.kind, ERR_PERM);
	assert_non_null(strstr(desk.err.text, "by the reporting domain"));
	assert_string_equal(desk.ingest.signer, "");
	close_desk(&desk);
	buf_free(&mail);
}

/* RFC 6376 6.1.2 */
static void
a_key_that_cannot_be_had_is_for_later(void **state)
{
	static const struct dns_answer failed = {.trust = DNS_FAILED};
	struct desk desk;
	struct buf mail;

	sign(&mail, *state, OWN, NULL);
	open_desk(&desk);
	assert_int_equal(begin(&desk, buf_span(&mail)), 0);
	ingest_answer(&desk.ingest, &failed);
	assert_true(ingest_end(&desk.ingest, &desk.err) < 0);
	assert_int_equal(desk.err.kind, ERR_TEMP);
	close_desk(&desk);
	buf_free(&mail);
}

static void
nobody_vouches_for_what_is_not_signed(void **state)
{
	struct desk desk;

	(void)state;
	open_desk(&desk);
	assert_int_equal(begin(&desk, SPAN(MAIL)), 0);
	assert_null(ingest_question(&desk.ingest));
	assert_true(ingest_end(&desk.ingest, &desk.err) < 0);
	assert_int_equal(desk.err.kind, ERR_PERM);
	close_desk(&desk);
	/* What has lost its mail. */
	open_desk(&desk);
	assert_true(begin(&desk, SPAN(JSON)) < 0);
	assert_int_equal(desk.err.kind, ERR_PERM);
	close_desk(&desk);
	open_desk(&desk);
	assert_int_equal(ingest_begin_unsigned(
			     &desk.ingest, SPAN(JSON), desk.arena, &desk.err),
	    0);
	assert_null(ingest_question(&desk.ingest));
	assert_int_equal(ingest_end(&desk.ingest, &desk.err), 0);
	assert_string_equal(desk.ingest.signer, "");
	close_desk(&desk);
}

#define OPEN    "h=From:Content-Type; "
#define COVERED "h=From:Content-Type:TLS-Report-Domain; "
#define OF      "v=1; a=ed25519-sha256; bh=@bh; b=@b; s=own; "
#define OTHER   OF "d=example.com"
#define FORGED  "TLS-Report-Domain: victim.example\r\n"

/*
 * RFC 8460 5.3: a reporter's report about somebody else, who puts our name
 * before it and passes it on to us, does not become one about us.
 */
static void
whom_it_is_about_is_signed_or_not_said(void **state)
{
	static const struct {
		const char *before, *fields, *over, *domain;
	} rows[] = {
	    {"", COVERED, NULL, "ours.example"},
	    {"", OPEN, NULL, ""},
	    {FORGED, COVERED, NULL, ""},
	    {FORGED, OPEN, NULL, ""},
	    /* The signature of somebody else does not say so. */
	    {"", COVERED, OPEN OTHER, "ours.example"},
	    {"", OPEN, COVERED OTHER, ""},
	};
	struct desk desk;
	char text[8192];
	struct buf mail;

	for (size_t i = 0; i < ROWS(rows); i++) {
		(void)snprintf(text, sizeof(text), "%s" OF "d=example.org",
		    rows[i].fields);
		sign(&mail, *state, text, rows[i].over);
		(void)snprintf(text, sizeof(text), "%s%.*s", rows[i].before,
		    (int)mail.n, mail.p);
		open_desk(&desk);
		assert_int_equal(begin(&desk, span_of(text)), 0);
		answer(&desk,
		    kit_record(((struct kit_keys *)*state)->ed25519, ""));
		assert_int_equal(ingest_end(&desk.ingest, &desk.err), 0);
		assert_string_equal(
		    desk.ingest.read.mail.domain, rows[i].domain);
		close_desk(&desk);
		buf_free(&mail);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(only_the_reporter_s_key_is_asked_for),
	    cmocka_unit_test(without_a_signature_of_its_own_nothing_is_asked),
	    cmocka_unit_test(a_key_that_cannot_be_had_is_for_later),
	    cmocka_unit_test(nobody_vouches_for_what_is_not_signed),
	    cmocka_unit_test(whom_it_is_about_is_signed_or_not_said),
	};

	return cmocka_run_group_tests_name(
	    "ingest", tests, kit_keys_make, kit_keys_drop);
}
