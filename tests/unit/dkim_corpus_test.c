/*
 * Messages, records and keys that other projects test with, through our code:
 * each file of the corpus with what is expected of it, and why.
 */
#include <stdio.h>
#include <string.h>

#include "reporting/dkim_verify.h"

#include "tests/support/corpus.h"
#include "tests/support/dkim_kit.h"
#include "tests/support/test.h"

#define P   DKIM_PASS
#define NOW 1667900000 /* 2022-11-08 */

/* With CRLF at its lines, as on the wire; false when it is not there. */
static bool
read_wire(const char *name, struct buf *out)
{
	struct buf file;

	buf_init(out, (size_t)2 * CORPUS_MAX);
	if (corpus_read(name, &file) < 0) {
		buf_free(&file);
		return false;
	}
	for (size_t i = 0; i < file.n; i++) {
		if (file.p[i] == '\r')
			continue;
		assert_int_equal(
		    file.p[i] == '\n'
			? buf_add_str(out, "\r\n")
			: buf_add(out, (struct span){file.p + i, 1}),
		    0);
	}
	assert_int_equal(buf_add(out, (struct span){"", 1}), 0);
	out->n--;
	buf_free(&file);
	return true;
}

/* A line of it, without its end; `rest` goes behind. */
static struct span
take_line(struct span *rest)
{
	const char *end = rest->n == 0 ? NULL
	                               : memmem(rest->p, rest->n, "\r\n", 2);
	size_t n = end == NULL ? rest->n : (size_t)(end - rest->p);
	struct span line = span_first(*rest, n);

	*rest = span_from(*rest, n + 2);
	return line;
}

/* The text of a name in lines of "name record" or "name. TXT record". */
static struct span
find_record(struct span zone, const char *name)
{
	while (zone.n > 0) {
		struct span line = take_line(&zone);

		if (line.n > strlen(name) &&
		    memcmp(line.p, name, strlen(name)) == 0) {
			const char *space = memchr(line.p, ' ', line.n);

			line = span_from(line, (size_t)(space - line.p) + 1);
			return span_eq(span_first(line, 4), SPAN("TXT "))
			           ? span_from(line, 4)
			           : line;
		}
	}
	return (struct span){NULL, 0};
}

static void
check_verdicts(const char *name, const struct dkim_verifier *v,
    const enum dkim_verdict *want)
{
	size_t n = dkim_verifier_count(v);

	for (size_t i = 0; i < n; i++)
		if (dkim_verifier_result(v, i)->verdict != want[i])
			fail_msg("%s: %zu: %s, %s", name, i,
			    dkim_verdict_name(
				dkim_verifier_result(v, i)->verdict),
			    dkim_verifier_result(v, i)->why);
	if (want[n] != DKIM_UNKNOWN)
		fail_msg("%s: only %zu signatures", name, n);
}

static void
check_message(const char *name, struct span message, struct span zone,
    int64_t now, const enum dkim_verdict *want)
{
	const struct dkim_verify_setup setup = {.now = now};
	struct dkim_verifier *v = kit_verifier(&setup, message, 4096);
	const char *asked;

	while ((asked = dkim_verifier_question(v)) != NULL)
		dkim_verifier_answer_text(v, find_record(zone, asked));
	check_verdicts(name, v, want);
	dkim_verifier_free(&v);
}

static void
example_of_rfc_8463(void **state)
{
	static const enum dkim_verdict want[] = {P, P, DKIM_UNKNOWN};
	struct buf message, zone;

	(void)state;
	if (!read_wire("dkim/rfc8463/signed.eml", &message))
		skip();
	assert_true(read_wire("dkim/rfc8463/dns.txt", &zone));
	assert_true(span_eq(buf_span(&message), span_of(kit_rfc8463)));
	check_message(
	    "rfc8463", buf_span(&message), buf_span(&zone), NOW, want);
	buf_free(&message);
	buf_free(&zone);
}

/* Records, an empty line, the message. */
static const struct {
	const char *name;
	int64_t now;
	enum dkim_verdict want[3];
} mail_auth[] = {
    {"001", NOW, {P, P}},
    {"002", NOW, {P}},    /* an RSAPublicKey in p= */
    {"003", NOW, {P, P}}, /* the same signature twice */
    {"004", NOW, {P}},
    {"005", NOW, {P}},
    {"005", 1667930064, {P}},
    {"005", 1667930065, {DKIM_POLICY}}, /* RFC 6376 6.1.1: x= */
    {"006", NOW, {P}},
};

static void
messages_of_mail_auth(void **state)
{
	(void)state;
	for (size_t i = 0; i < ROWS(mail_auth); i++) {
		char path[100];
		const char *border;
		size_t n;
		struct buf file;

		(void)snprintf(path, sizeof(path), "dkim/mail-auth/%s.txt",
		    mail_auth[i].name);
		if (!read_wire(path, &file))
			skip();
		border = strstr(file.p, "\r\n\r\n");
		n = (size_t)(border - file.p) + 2;
		check_message(path, span_from(buf_span(&file), n + 2),
		    span_first(buf_span(&file), n), mail_auth[i].now,
		    mail_auth[i].want);
		buf_free(&file);
	}
}

/* What gmail.com had in 2013; it is not in the corpus. */
static const char gmail[] =
    "k=rsa; p=MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA1Kd87/U"
    "eJjenpabgbFwh+eBCsSTrqmwIYYvywlbhbqoo2DymndFkbjOVIPIldNs/m40"
    "KF+yzMn1skyoxcTUGCQs8g3FgD2Ap3ZB5DekAo5wMmk4wimDO+U8QzI3SD07"
    "y2+07wlNWwIt8svnxgdxGkVbbhzY8i+RQ9DpSVpPbF7ykQxtKXkv/ahW3KjV"
    "iiAH+ghvvIhkx4xYSIc9oSwVmAl5OctMEeWUwg8Istjqz8BZeTWbf41fbNht"
    "e7Y+YqZOwq1Sd0DbvYAD9NOZK9vlfuac0598HY+vtSBczUiKERHv1yRbcaQt"
    "ZFh5wtiRrN04BLUTD21MycBX5jYchHjPY/wIDAQAB";

/* dkimpy: messages with the files their keys are in; NULL: no key. */
static const struct {
	const char *message;
	const char *records[2]; /* one for each question */
	enum dkim_verdict want[3];
} dkimpy[] = {
    {"rfc6376.signed.msg", {"rfc8032", "test.txt"}, {P, P}},
    {"rfc6376.signed.msg", {"rfc8032", "test2.txt"}, {P, P}},
    {"rfc6376.signed.msg", {"rfc8032", "test_bad.txt"}, {P, DKIM_PERMERROR}},
    {"rfc6376.signed.msg", {"rfc8032", "badversion.txt"}, {P, DKIM_PERMERROR}},
    {"rfc6376.signed.msg", {"rfc8032", "badk.txt"}, {P, DKIM_PERMERROR}},
    /* RFC 6376 3.6.1: not for mail */
    {"rfc6376.signed.msg", {"rfc8032", "test_tlsrpt.txt"}, {P, DKIM_PERMERROR}},
    {"rfc6376.signed.msg", {NULL, NULL}, {DKIM_PERMERROR, DKIM_PERMERROR}},
    /* another key of the same type */
    {"rfc6376.signed.msg", {"ed25519test.dns", "test.txt"}, {DKIM_FAIL, P}},
    {"ed25519test2.msg", {"eximtest.dns", NULL}, {P}},
    {"ed25519test2.msg", {"ed25519test.dns", NULL}, {DKIM_FAIL}},
    /* a blank in b= is ugly and legal */
    {"test2.message", {"gmail", NULL}, {P}},
    {"test2.message", {"test.txt", NULL}, {DKIM_FAIL}},
    {"ed25519test.msg", {NULL, NULL}, {DKIM_UNKNOWN}},
    {"rfc6376.msg", {NULL, NULL}, {DKIM_UNKNOWN}},
    {"test.message", {NULL, NULL}, {DKIM_UNKNOWN}},
    {"test_extra.message", {NULL, NULL}, {DKIM_UNKNOWN}},
    {"test_nofrom.message", {NULL, NULL}, {DKIM_UNKNOWN}},
};

/* A record as it stands in its file; NULL: there is none. */
static void
answer_from(struct dkim_verifier *v, const char *name)
{
	char path[100];
	struct buf record;
	struct span text;

	if (name == NULL) {
		dkim_verifier_answer_text(v, (struct span){NULL, 0});
		return;
	}
	if (strcmp(name, "rfc8032") == 0 || strcmp(name, "gmail") == 0) {
		dkim_verifier_answer_text(
		    v, name[0] == 'g' ? span_of(gmail)
				      : span_of(kit_rfc8463_ed25519));
		return;
	}
	(void)snprintf(path, sizeof(path), "dkim/dkimpy/%s", name);
	assert_true(read_wire(path, &record));
	text = buf_span(&record);
	dkim_verifier_answer_text(v, take_line(&text));
	buf_free(&record);
}

static void
messages_of_dkimpy(void **state)
{
	const struct dkim_verify_setup setup = {.now = NOW};

	(void)state;
	for (size_t i = 0; i < ROWS(dkimpy); i++) {
		struct dkim_verifier *v;
		char path[100];
		struct buf message;

		(void)snprintf(
		    path, sizeof(path), "dkim/dkimpy/%s", dkimpy[i].message);
		if (!read_wire(path, &message))
			skip();
		v = kit_verifier(&setup, buf_span(&message), 4096);
		for (size_t j = 0; dkim_verifier_question(v) != NULL; j++) {
			assert_in_range(j, 0, 1);
			answer_from(v, dkimpy[i].records[j]);
		}
		check_verdicts(path, v, dkimpy[i].want);
		dkim_verifier_free(&v);
		buf_free(&message);
	}
}

/*
 * dkimpy tests other things with this one, and its key is not in the corpus:
 * one signature, whose key is asked for if the body is as it was signed.
 */
static void
a_message_of_a_box(void **state)
{
	const struct dkim_verify_setup setup = {.now = NOW};
	struct dkim_verifier *v;
	struct buf box;

	(void)state;
	if (!read_wire("dkim/dkimpy/message.mbox", &box))
		skip();
	v = kit_verifier(&setup, buf_span(&box), 4096);
	assert_int_equal(dkim_verifier_count(v), 1);
	assert_string_equal(
	    dkim_verifier_question(v), "2007-00._domainkey.kitterman.com");
	assert_true(dkim_verifier_covers(v, 0, "Cc"));
	assert_false(dkim_verifier_covers(v, 0, "User-Agent"));
	dkim_verifier_free(&v);
	buf_free(&box);
}

/* Keys as dkimpy keeps them: 32 octets in base64. */
static void
seeds_make_their_public_keys(void **state)
{
	static const struct {
		const char *seed, *record;
	} rows[] = {
	    {"dkim/dkimpy/ed25519test.key", "dkim/dkimpy/ed25519test.dns"},
	    {"dkim/dkimpy/rfc8032_7_1.key", NULL},
	    {"dkim/rfc8463/ed25519-seed.b64", NULL}};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		struct buf seed, record;
		struct kit_key *key;
		const char *made;

		if (!read_wire(rows[i].seed, &seed))
			skip();
		key = kit_key_seed(buf_span(&seed));
		buf_init(&record, 1000);
		if (rows[i].record != NULL) {
			buf_free(&record);
			assert_true(read_wire(rows[i].record, &record));
		} else
			assert_int_equal(
			    buf_add(&record, span_of(kit_rfc8463_ed25519)), 0);
		made = strstr(kit_record(key, ""), "p=");
		assert_non_null(memmem(record.p, record.n, made, strlen(made)));
		kit_key_free(&key);
		buf_free(&seed);
		buf_free(&record);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(example_of_rfc_8463),
	    cmocka_unit_test(messages_of_mail_auth),
	    cmocka_unit_test(messages_of_dkimpy),
	    cmocka_unit_test(a_message_of_a_box),
	    cmocka_unit_test(seeds_make_their_public_keys),
	};

	return cmocka_run_group_tests_name("dkim_corpus", tests, NULL, NULL);
}
