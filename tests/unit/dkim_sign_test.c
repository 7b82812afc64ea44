/* Signatures of ours: their form, what they cover, and that they verify. */
#include <stdio.h>

#include "reporting/dkim_report.h"
#include "reporting/dkim_sign.h"

#include "tests/support/dkim_kit.h"
#include "tests/support/test.h"

#define NOW 1700000000
#define L60 "a123456789a123456789a123456789a123456789a123456789a123456789"
/* RFC 8463's key and dkimpy agree with it. */
#define GOLDEN                                                                 \
	"DKIM-Signature: v=1; a=ed25519-sha256; c=relaxed/relaxed; "           \
	"d=example.org; s=ed;\r\n"                                             \
	" t=1700000000; x=1700086400; "                                        \
	"h=From:From:To:To:Subject:Subject:Date:\r\n"                          \
	" Message-ID:MIME-Version:Content-Type:Content-Type:Content-Transfer-" \
	"Encoding:\r\n"                                                        \
	" Reply-To:Sender:TLS-Report-Domain:TLS-Report-Domain:TLS-Report-"     \
	"Submitter:\r\n"                                                       \
	" TLS-Report-Submitter; "                                              \
	"bh=h1PcfO1wbVOjFDRh97gLu5lxCiZkxPl9N/PttJcI7uU=; b=wZPE\r\n"          \
	" TLqMDXF2hf90n0OtK/6Yl4FFLjVmQ9yT2NIbHSrbeWMekLMEXFUmcD+EKJFUImd8k/"  \
	"4cuPqMN1qEI\r\n"                                                      \
	" meLCg==\r\n"

#define REPORT                                                     \
	"From: tlsrpt@example.org\r\nTo: you@example.com\r\n"      \
	"Subject: Report Domain: example.com\r\n"                  \
	"TLS-Report-Domain: example.com\r\n"                       \
	"TLS-Report-Submitter: example.org\r\n"                    \
	"Content-Type: text/plain\r\nX-Other: 1\r\nX-Other: 2\r\n" \
	"\r\nA  report. \r\n\r\n"

struct place {
	struct dkim_key *rsa, *ed25519;
	struct dkim_sign_key keys[2];
	struct dkim_sign_setup setup;
};

static int
set_up(void **state)
{
	static struct place place;
	struct err err;

	assert_int_equal(
	    dkim_key_read(span_of(kit_rsa_pem), &place.rsa, &err), 0);
	assert_int_equal(
	    dkim_key_read(span_of(kit_ed25519_pem), &place.ed25519, &err), 0);
	place.keys[0] = (struct dkim_sign_key){place.ed25519, "ed"};
	place.keys[1] = (struct dkim_sign_key){place.rsa, "rsa"};
	place.setup = (struct dkim_sign_setup){.domain = "Example.ORG",
	    .keys = place.keys,
	    .nkeys = 2,
	    .oversigned = dkim_report_fields,
	    .now = NOW};
	*state = &place;
	return 0;
}

static int
tear_down(void **state)
{
	struct place *place = *state;

	dkim_key_free(&place->rsa);
	dkim_key_free(&place->ed25519);
	return 0;
}

/* 0, or -1 with *err; `out` gets the fields. */
static int
try_to_sign(const struct dkim_sign_setup *setup, struct span message, size_t n,
    struct buf *out, struct err *err)
{
	struct dkim_signer *signer = NULL;
	int rc = dkim_signer_new(setup, &signer, err);

	while (rc == 0 && message.n > 0) {
		rc = dkim_signer_feed(signer, span_first(message, n), err);
		message = span_from(message, n);
	}
	if (rc == 0)
		rc = dkim_signer_end(signer, out, err);
	dkim_signer_free(&signer);
	return rc;
}

/* The fields, then the message; a C string, too. */
static void
sign(const struct dkim_sign_setup *setup, const char *message, struct buf *out)
{
	struct err err = {0};

	buf_init(out, (size_t)1 << 20);
	if (try_to_sign(setup, span_of(message), 7, out, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(
	    buf_add(out, (struct span){message, strlen(message) + 1}), 0);
	out->n--;
}

static void
answer(struct dkim_verifier *v)
{
	const char *name;

	while ((name = dkim_verifier_question(v)) != NULL)
		dkim_verifier_answer_text(v, strncmp(name, "ed.", 3) == 0
						 ? span_of(kit_rfc8463_ed25519)
						 : span_of(kit_rsa_record));
}

static void
verifies(struct span message, size_t n)
{
	const struct dkim_verify_setup setup = {.now = NOW + 10};
	struct dkim_verifier *v = kit_verifier(&setup, message, message.n);

	answer(v);
	assert_int_equal(dkim_verifier_count(v), n);
	for (size_t i = 0; i < n; i++)
		kit_expect(v, i, DKIM_PASS, "");
	dkim_verifier_free(&v);
}

/* --- form ----------------------------------------------------------------- */

/* Ed25519 signs alike each time; dkimpy has verified these, too. */
static void
a_field_is_what_it_always_was(void **state)
{
	struct place *place = *state;
	struct dkim_sign_setup setup = place->setup;
	struct buf out;

	setup.nkeys = 1;
	setup.lifetime = 86400;
	sign(&setup, REPORT, &out);
	assert_string_equal(out.p, GOLDEN REPORT);
	verifies(buf_span(&out), 1);
	buf_free(&out);
}

/* RFC 5322 2.1.1, RFC 6376 3.5 */
static void
lines_are_short(void **state)
{
	struct place *place = *state;
	struct dkim_sign_setup setup = place->setup;
	const char *line;
	struct buf out;

	setup.domain = L60 ".example.org";
	setup.lifetime = 3600;
	sign(&setup, REPORT, &out);
	for (line = out.p; strncmp(line, "From", 4) != 0;) {
		const char *end = strstr(line, "\r\n");

		assert_in_range(end - line, 2, DKIM_LINE_MAX);
		assert_true(line[0] == ' ' || strncmp(line, "DKIM-", 5) == 0);
		line = end + 2;
	}
	verifies(buf_span(&out), 2);
	buf_free(&out);
	/* what is one word stays one */
	setup.domain = L60 "." L60 "." L60 ".example.org";
	sign(&setup, REPORT, &out);
	assert_non_null(strstr(out.p, "\r\n d=" L60 "." L60 "." L60 ".ex"));
	verifies(buf_span(&out), 2);
	buf_free(&out);
}

/* h= without its blanks. */
static void
names_of(const char *text, char *to, size_t size)
{
	const char *h = strstr(text, " h=");
	size_t n = 0;

	for (h += 3; *h != ';' && n + 1 < size; h++)
		if (strchr(" \r\n", *h) == NULL)
			to[n++] = *h;
	to[n] = '\0';
}

static const char *const none[] = {NULL};
static const char *const x_other[] = {"X-other", NULL};
static const char *const from_to[] = {"from", "To", "Cc", "to", NULL};

/* RFC 6376 5.4, 5.4.2 */
static void
fields_are_listed_as_often_as_they_are(void **state)
{
	const struct {
		const char *const *fields, *const *oversigned;
		const char *names;
	} rows[] = {
	    {NULL, NULL, "From:From"},
	    {none, none, "From:From"},
	    {x_other, NULL, "From:From:X-other:X-other"},
	    {NULL, x_other, "From:From:X-other:X-other:X-other"},
	    {from_to, NULL, "From:From:To"},
	    {NULL, from_to, "From:From:To:To:Cc"},
	    {from_to, from_to, "From:From:To:To:Cc"},
	};
	struct place *place = *state;
	struct dkim_sign_setup setup = place->setup;

	for (size_t i = 0; i < ROWS(rows); i++) {
		char names[200];
		struct buf out;

		setup.fields = rows[i].fields;
		setup.oversigned = rows[i].oversigned;
		sign(&setup, REPORT, &out);
		names_of(out.p, names, sizeof(names));
		assert_string_equal(names, rows[i].names);
		verifies(buf_span(&out), 2);
		buf_free(&out);
	}
}

/* --- what it is worth ------------------------------------------------------ */

static void
every_form_verifies(void **state)
{
	static const char *const messages[] = {REPORT, KIT_FROM,
	    KIT_FROM "\r\n", KIT_FROM "\r\n\r\n\r\n", KIT_FROM "\r\nno end",
	    KIT_FROM "From: twice\r\n\r\n", KIT_MESSAGE,
	    "fROM : x\r\n\r\n \r\n",
	    "DKIM-Signature: v=1\r\n" KIT_FROM "\r\n..\r\n.\r\n"};
	struct place *place = *state;
	struct dkim_sign_setup setup = place->setup;

	for (size_t i = 0; i < 4 * ROWS(messages); i++) {
		const char *message = messages[i / 4];
		size_t others = strncmp(message, "DKIM", 4) == 0;
		struct buf out;

		setup.header = i % 4 / 2 == 0 ? DKIM_RELAXED : DKIM_SIMPLE;
		setup.body = i % 2 == 0 ? DKIM_RELAXED : DKIM_SIMPLE;
		sign(&setup, message, &out);
		if (others == 0)
			verifies(buf_span(&out), 2);
		buf_free(&out);
	}
}

/* RFC 6376 5.4.1: what is signed.  What is done on the way, and whether relaxed and simple bear it. */
static const struct {
	const char *what, *with;
	bool relaxed, simple;
} changes[] = {
    {"A  report", "A  report", true, true},
    {"A  report. ", "A report.", true, false},
    {"\r\n\r\n", "\r\n\r\n\r\n", false, false},
    {"A  report", "A  rEport", false, false},
    {"Subject: Report", "Subject: \r\n\tReport", true, false},
    {"Subject: Report", "SUBJECT:Report", true, false},
    {"Subject: Report", "Subject: Reports", false, false},
    {"X-Other: 2", "X-Other: 3", true, true},
    {"X-Other: 2", "To: me@example.com", false, false},
    {"X-Other: 2", "Reply-To: me@example.com", false, false},
    {"X-Other: 2", "MIME-Version: 1.0", false, false},
    {"From: tlsrpt", "From: x\r\nFrom: tlsrpt", false, false},
    {"TLS-Report-Domain: example.com\r\n", "", false, false},
    {"TLS-Report-Submitter: example.org\r\n", "", false, false},
    {"d=example.org", "d=example.com", false, false},
    {"t=1700000000", "t=1700000001", false, false},
};

static bool
bears(const struct dkim_sign_setup *setup, size_t change)
{
	const struct dkim_verify_setup at = {.now = NOW};
	struct buf out, changed;
	struct dkim_verifier *v;
	const char *where;
	bool passed;

	sign(setup, REPORT, &out);
	buf_init(&changed, out.limit);
	where = strstr(out.p, changes[change].what);
	assert_non_null(where);
	assert_int_equal(
	    buf_printf(&changed, "%.*s%s%s", (int)(where - out.p), out.p,
		changes[change].with, where + strlen(changes[change].what)),
	    0);
	v = kit_verifier(&at, buf_span(&changed), 1000);
	answer(v);
	passed = dkim_verifier_result(v, 0)->verdict == DKIM_PASS;
	dkim_verifier_free(&v);
	buf_free(&changed);
	buf_free(&out);
	return passed;
}

static void
changes_are_noticed(void **state)
{
	struct place *place = *state;
	struct dkim_sign_setup setup = place->setup;

	setup.nkeys = 1;
	for (size_t i = 0; i < ROWS(changes); i++) {
		setup.header = setup.body = DKIM_RELAXED;
		if (bears(&setup, i) != changes[i].relaxed)
			fail_msg("%s: relaxed", changes[i].with);
		setup.header = setup.body = DKIM_SIMPLE;
		if (bears(&setup, i) != changes[i].simple)
			fail_msg("%s: simple", changes[i].with);
	}
}

/* --- what is refused ------------------------------------------------------ */

/* RFC 6376 5.3: the form in which it will arrive */
static void
no_message_is_signed_that_would_be_another(void **state)
{
	static const struct {
		const char *message;
		const char *why;
	} rows[] = {
	    {"", "no From"},
	    {"To: x\r\n\r\nFrom: y\r\n", "no From"},
	    {" x\r\nFrom: y\r\n\r\n", "begins with a blank"},
	    {"\tFrom: x\r\nFrom: y\r\n\r\n", "begins with a blank"},
	    {"From: x\n\nbody\n", "bare"},
	    {"From: x\r\n\r\na\nb\r\n", "bare"},
	    {"From: x\r\n\r\na\rb\r\n", "bare"},
	    {"From: x\r\n\r\na\r", "bare"},
	    {"\nFrom: x\r\n\r\n", "bare"},
	    {"From: x\r\n\r\na\r\r\n", "bare"},
	};
	struct place *place = *state;

	for (size_t i = 0; i < ROWS(rows); i++)
		for (size_t n = 1; n < 20; n += 6) {
			struct err err = {0};
			struct buf out;

			buf_init(&out, 10000);
			assert_int_equal(
			    try_to_sign(&place->setup, span_of(rows[i].message),
				n, &out, &err),
			    -1);
			assert_int_equal(err.kind, ERR_PERM);
			assert_non_null(strstr(err.text, rows[i].why));
			assert_int_equal(out.n, 0);
			buf_free(&out);
		}
}

static void
setups_are_judged(void **state)
{
	static const char *const bad[] = {"DKIM-signature", "Return-Path",
	    "received", "", "a b", "a:b", "a;b", "a\r\nb", "\xc3\xa4"};
	static const char *const domains[] = {NULL, "", "org", "a..b",
	    "ex.org.", "-a.b", "a b.c", "\xc3\xa4.org"};
	struct place *place = *state;
	const struct dkim_sign_setup good = place->setup;
	struct dkim_sign_key keys[5] = {place->keys[0], place->keys[0],
	    place->keys[0], place->keys[0], place->keys[0]};
	struct dkim_signer *signer = NULL;
	struct dkim_sign_setup setup;
	struct err err;

	for (size_t i = 0; i < 2 * ROWS(bad); i++) {
		const char *const list[] = {"To", bad[i / 2], NULL};

		setup = good;
		if (i % 2 == 0)
			setup.fields = list;
		else
			setup.oversigned = list;
		assert_int_equal(dkim_signer_new(&setup, &signer, &err), -1);
		assert_int_equal(err.kind, ERR_PERM);
	}
	for (size_t i = 0; i < ROWS(domains); i++) {
		setup = good;
		setup.domain = domains[i];
		assert_int_equal(dkim_signer_new(&setup, &signer, &err), -1);
	}
	setup = good;
	setup.keys = keys;
	setup.nkeys = 5;
	assert_int_equal(dkim_signer_new(&setup, &signer, &err), -1);
	setup.nkeys = 0;
	assert_int_equal(dkim_signer_new(&setup, &signer, &err), -1);
	setup.nkeys = 4;
	assert_int_equal(dkim_signer_new(&setup, &signer, &err), 0);
	dkim_signer_free(&signer);
	keys[3].selector = NULL;
	assert_int_equal(dkim_signer_new(&setup, &signer, &err), -1);
	keys[3].selector = "a b";
	assert_int_equal(dkim_signer_new(&setup, &signer, &err), -1);
	setup = good;
	setup.now = 0;
	assert_int_equal(dkim_signer_new(&setup, &signer, &err), -1);
	setup.now = INT64_C(999999999999);
	assert_int_equal(dkim_signer_new(&setup, &signer, &err), -1);
	assert_null(signer);
}

/* As many fields as a signature can name, and no room for what comes out. */
static void
there_is_an_end(void **state)
{
	static char message[100000];
	struct place *place = *state;
	struct dkim_sign_setup setup = place->setup;
	struct err err;
	struct buf out;

	setup.fields = x_other;
	setup.oversigned = NULL;
	(void)snprintf(message, sizeof(message), KIT_FROM);
	for (size_t i = 0; i < 254; i++)
		(void)snprintf(message + strlen(message),
		    sizeof(message) - strlen(message), "X-Other:\r\n");
	sign(&setup, message, &out);
	verifies(buf_span(&out), 2);
	buf_free(&out);
	(void)snprintf(message + strlen(message),
	    sizeof(message) - strlen(message), "X-Other:\r\n");
	buf_init(&out, sizeof(message));
	assert_int_equal(
	    try_to_sign(&setup, span_of(message), 1000, &out, &err), -1);
	assert_int_equal(err.kind, ERR_PERM);
	buf_free(&out);

	buf_init(&out, 700);
	assert_int_equal(buf_add_str(&out, "kept"), 0);
	assert_int_equal(
	    try_to_sign(&place->setup, span_of(REPORT), 1000, &out, &err), -1);
	assert_int_equal(err.kind, ERR_TEMP);
	assert_int_equal(out.n, 4);
	buf_free(&out);

	memset(message, 'x', sizeof(message));
	buf_init(&out, 1);
	assert_int_equal(
	    try_to_sign(&place->setup, (struct span){message, sizeof(message)},
		1000, &out, &err),
	    -1);
	buf_free(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_field_is_what_it_always_was),
	    cmocka_unit_test(lines_are_short),
	    cmocka_unit_test(fields_are_listed_as_often_as_they_are),
	    cmocka_unit_test(every_form_verifies),
	    cmocka_unit_test(changes_are_noticed),
	    cmocka_unit_test(no_message_is_signed_that_would_be_another),
	    cmocka_unit_test(setups_are_judged),
	    cmocka_unit_test(there_is_an_end),
	};

	return cmocka_run_group_tests_name(
	    "dkim_sign", tests, set_up, tear_down);
}
