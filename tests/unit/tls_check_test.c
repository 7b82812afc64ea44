/* Chains that we are to present ourselves: what check-config says of them. */
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mta/net/tls_check.h"

#include "tests/support/test.h"
#include "tests/support/tls_kit.h"

#define BASE    "mx.example.org"
#define PEM_MAX ((size_t)1 << 20)

static const struct shape root = {.cn = "Root", .basic = "critical,CA:TRUE"};
static const struct shape inter = {.cn = "Inter", .basic = "critical,CA:TRUE"};
static const struct shape leaf = {
    .cn = "Leaf", .names = "DNS:" BASE ",DNS:*.a.example"};

/* The only authority of the system, and a stranger to all chains here. */
static char system_file[] = "/tmp/danelaw-test-ca-XXXXXX";

static int
make_system(void **state)
{
	struct issued one = issue(&root, NULL);
	int fd = mkstemp(system_file);
	struct buf pem;

	(void)state;
	buf_init(&pem, PEM_MAX);
	add_cert_pem(&pem, &one);
	assert_int_equal(write(fd, pem.p, pem.n), pem.n);
	(void)close(fd);
	buf_free(&pem);
	issued_free(&one);
	return 0;
}

static int
drop_system(void **state)
{
	(void)state;
	return unlink(system_file);
}

/* A chain and what the setup says beside it. */
struct row {
	const char *sends; /* of tls_kit.h */
	bool knows_root;   /* as an authority of the operator's own */
	int rc;
	const char *says; /* "": nothing */
};

static struct buf
pem_of(const struct authority *authority, const char *sends)
{
	struct buf pem;

	buf_init(&pem, PEM_MAX);
	for (const char *c = sends; *c != '\0'; c++)
		add_cert_pem(&pem, authority_pick(authority, *c));
	return pem;
}

/* Everything it says is of that kind: a problem, or a warning. */
static void
assert_said(struct buf *says, int rc, const char *wanted)
{
	bool soft = says->n > 0 &&
	            span_starts_nocase(buf_span(says), SPAN("warning: "));

	assert_int_equal(buf_add(says, (struct span){"", 1}), 0);
	if (wanted[0] == '\0'
		? says->n > 1
		: strstr(says->p, wanted) == NULL || soft != (rc == 0))
		fail_msg("\"%s\", not \"%s\"", says->p, wanted);
}

static void
check(struct tls_check_setup *setup, const struct authority *authority,
    const struct row *row)
{
	struct buf chain = pem_of(authority, row->sends);
	struct buf own = pem_of(authority, row->knows_root ? "R" : "");
	struct buf key, says;

	buf_init(&key, PEM_MAX);
	buf_init(&says, 10000);
	add_key_pem(&key, &authority->leaf);
	setup->chain = buf_span(&chain);
	setup->key = buf_span(&key);
	setup->root = buf_span(&own);
	setup->system_file = system_file;
	if (tls_check_pair(setup, &says) != row->rc)
		fail_msg("%s: %s", row->sends, row->says);
	assert_said(&says, row->rc, row->says);
	buf_free(&chain);
	buf_free(&own);
	buf_free(&key);
	buf_free(&says);
}

/* RFC 8446 4.4.2; RFC 7672 3.1.2: the root may be sent, and may be needed. */
static void
a_chain_is_whole_and_in_order(void **state)
{
	static const struct row rows[] = {
	    {"LI", true, 0, ""},
	    {"LIR", true, 0, ""},
	    {"LIR", false, 0,
		"warning: number 3 (CN=Root) is an authority that this system "
		"does not know"},
	    {"LI", false, -1,
		"the certificate of CN=Root is missing, which has issued "
		"number 2 (CN=Inter)"},
	    {"L", true, -1,
		"the certificate of CN=Inter is missing, which has issued "
		"number 1 (CN=Leaf)"},
	    {"LRI", true, -1, "of those in the file: 1, 3, 2\n"},
	    {"IL", true, -1, "of those in the file: 2, 1\n"},
	    {"ORIL", true, -1, "of those in the file: 4, 3, 2\n"},
	    {"LIO", true, 0,
		"warning: number 3 (CN=Other) has not issued the one before"},
	    {"LOI", true, -1, "of those in the file: 1, 3\n"},
	    {"IR", true, -1, "the key does not belong to the certificate"},
	    {"", true, -1, "the file is empty"},
	    {"LIRLIRLIRLIRLIRLI", true, -1, "17 certificates in it"},
	};
	struct authority authority;

	(void)state;
	authority_new(&authority, &root, &inter, &leaf);
	for (size_t i = 0; i < ROWS(rows); i++) {
		struct tls_check_setup setup = {.nnames = 0};

		check(&setup, &authority, &rows[i]);
	}
	authority_free(&authority);
}

/* RFC 9325 4.5: keys and digests; RFC 5280 4.1.2.5, 4.2.1.12. */
static void
each_certificate_is_fit(void **state)
{
	static const struct {
		struct shape inter, leaf;
		int rc;
		const char *says;
	} rows[] = {
	    {{.from_day = 2, .to_day = 30}, {0}, -1,
		"number 2 (CN=Inter) is not yet valid"},
	    {{.from_day = -30, .to_day = -2}, {0}, -1,
		"number 2 (CN=Inter) has expired"},
	    {{0}, {.from_day = 2, .to_day = 30}, -1,
		"number 1 (CN=Leaf) is not yet valid"},
	    {{0}, {.from_day = -30, .to_day = -2}, -1,
		"number 1 (CN=Leaf) has expired"},
	    {{0}, {.to_day = 13}, 0,
		"warning: the certificate expires within 14 days"},
	    {{0}, {.to_day = 6}, 0,
		"warning: the certificate expires within 7 days"},
	    {{0}, {.to_day = 29}, 0,
		"warning: the certificate expires within 30 days"},
	    {{0}, {.to_day = 31}, 0, ""},
	    {{0}, {.rsa_bits = 1024}, -1,
		"number 1 (CN=Leaf): EE certificate "
		"key too weak"},
	    {{0}, {.rsa_bits = 2048}, 0, ""},
	    {{.rsa_bits = 1024}, {0}, -1,
		"number 2 (CN=Inter): CA certificate "
		"key too weak"},
	    {{0}, {.digest = "SHA1"}, -1,
		"number 1 (CN=Leaf): CA signature "
		"digest algorithm too weak"},
	    /* Each problem, not the first alone. */
	    {{.from_day = -30, .to_day = -2}, {.rsa_bits = 1024}, -1,
		"number 2 (CN=Inter) has expired"},
	    {{.from_day = -30, .to_day = -2}, {.rsa_bits = 1024}, -1,
		"number 1 (CN=Leaf): EE certificate key too weak"},
	    {{0}, {.purpose = "clientAuth"}, -1, "purpose"},
	    {{0}, {.purpose = "serverAuth,clientAuth"}, 0, ""},
	};
	static const struct row sent = {"LI", true, 0, ""};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		struct shape above = rows[i].inter, own = rows[i].leaf;
		struct tls_check_setup setup = {.nnames = 0};
		struct authority authority;
		struct row row = sent;

		above.cn = inter.cn;
		above.basic = inter.basic;
		own.cn = leaf.cn;
		own.names = leaf.names;
		authority_new(&authority, &root, &above, &own);
		row.rc = rows[i].rc;
		row.says = rows[i].says;
		check(&setup, &authority, &row);
		authority_free(&authority);
	}
}

/* RFC 5280 6.1.3: it is the signature that counts. */
static void
a_name_alone_has_issued_nothing(void **state)
{
	struct tls_check_setup setup = {.system_file = system_file};
	struct authority authority, twin;
	struct buf chain, says;

	(void)state;
	authority_new(&authority, &root, &inter, &leaf);
	authority_new(&twin, &root, &inter, &leaf);
	chain = pem_of(&authority, "L");
	add_cert_pem(&chain, &twin.inter);
	buf_init(&says, 10000);
	setup.chain = buf_span(&chain);
	assert_int_equal(tls_check_pair(&setup, &says), -1);
	assert_int_equal(buf_add(&says, (struct span){"", 1}), 0);
	assert_non_null(strstr(says.p, "number 2 (CN=Inter) has not issued"));
	buf_free(&chain);
	buf_free(&says);
	authority_free(&authority);
	authority_free(&twin);
}

/* `cert` as another has signed it, who has a key of its own. */
static void
cross_sign(struct issued *one, const struct issued *by)
{
	X509_EXTENSION_free(X509_delete_ext(one->cert,
	    X509_get_ext_by_NID(one->cert, NID_authority_key_identifier, -1)));
	(void)X509_set_issuer_name(one->cert, X509_get_subject_name(by->cert));
	assert_true(X509_sign(one->cert, by->key, EVP_sha256()) > 0);
}

/* Two that have signed each other: what is in its place has no second one. */
static void
a_ring_has_an_end(void **state)
{
	static const struct shape inter_of = {
	    .cn = "Inter", .basic = "critical,CA:TRUE"};
	static const struct row row = {"LIR", true, 0, ""};
	struct tls_check_setup setup = {.nnames = 0};
	struct authority authority;

	(void)state;
	authority_new(&authority, &root, &inter_of, &leaf);
	cross_sign(&authority.root, &authority.inter);
	check(&setup, &authority, &row);
	authority_free(&authority);
}

/* RFC 7672 3.1: usage 3 asks for no more. */
static void
one_that_is_signed_by_itself_is_for_dane(void **state)
{
	struct tls_check_setup setup = {.system_file = system_file};
	struct issued one = issue(&leaf, NULL);
	struct buf chain, key, says;

	(void)state;
	buf_init(&chain, PEM_MAX);
	buf_init(&key, PEM_MAX);
	buf_init(&says, 10000);
	add_cert_pem(&chain, &one);
	add_key_pem(&key, &one);
	setup.chain = buf_span(&chain);
	setup.key = buf_span(&key);
	assert_int_equal(tls_check_pair(&setup, &says), 0);
	assert_said(&says, 0, "signed by itself: DANE can do with it");
	buf_clear(&says);
	setup.root = setup.chain;
	assert_int_equal(tls_check_pair(&setup, &says), 0);
	assert_said(&says, 0, "");
	buf_free(&chain);
	buf_free(&key);
	buf_free(&says);
	issued_free(&one);
}

/* RFC 8461 4.1: the names are DNS-IDs, one label by a wildcard. */
static void
names_are_covered(void **state)
{
	static const struct {
		const char *name;
		int rc;
		const char *says;
	} rows[] = {
	    {BASE, 0, ""},
	    {"MX.example.ORG", 0, ""},
	    {"x.a.example", 0, ""},
	    {"x.y.a.example", -1, "does not cover x.y.a.example"},
	    {"leaf", -1, "does not cover leaf"},
	};
	struct authority authority;

	(void)state;
	authority_new(&authority, &root, &inter, &leaf);
	for (size_t i = 0; i < ROWS(rows); i++) {
		const char *names[] = {BASE, rows[i].name};
		struct tls_check_setup setup = {.names = names, .nnames = 2};
		struct row row = {"LI", true, rows[i].rc, rows[i].says};
		struct buf chain = pem_of(&authority, "L");

		check(&setup, &authority, &row);
		assert_int_equal(
		    tls_check_covers(buf_span(&chain), rows[i].name),
		    rows[i].rc == 0);
		buf_free(&chain);
	}
	authority_free(&authority);
	assert_false(tls_check_covers(SPAN("nothing"), BASE));
}

static void
a_common_name_is_no_name(void **state)
{
	static const struct shape unnamed = {.cn = BASE};
	static const struct row row = {
	    "LI", true, 0, "warning: the certificate has no DNS-ID"};
	struct tls_check_setup setup = {.nnames = 0};
	struct authority authority;
	struct buf chain;

	(void)state;
	authority_new(&authority, &root, &inter, &unnamed);
	check(&setup, &authority, &row);
	chain = pem_of(&authority, "L");
	assert_false(tls_check_covers(buf_span(&chain), BASE));
	buf_free(&chain);
	authority_free(&authority);
}

/* Whom we believe ourselves is one thing, and whom others do another. */
static void
authorities_of_ours_stand_beside_the_systems(void **state)
{
	static const struct {
		bool system, ours; /* has the root */
		int rc;
	} rows[] = {{true, false, 0}, {false, true, 0}, {true, true, 0},
	    {false, false, -1}};
	char path[] = "/tmp/danelaw-test-ca-XXXXXX";
	struct authority authority;
	struct buf chain, pem, says;
	int fd = mkstemp(path);

	(void)state;
	authority_new(&authority, &root, &inter, &leaf);
	chain = pem_of(&authority, "LI");
	pem = pem_of(&authority, "R");
	assert_int_equal(write(fd, pem.p, pem.n), pem.n);
	(void)close(fd);
	buf_init(&says, 10000);
	for (size_t i = 0; i < ROWS(rows); i++) {
		const struct tls_check_setup setup = {.chain = buf_span(&chain),
		    .ca_file = rows[i].ours ? path : system_file,
		    .system_file = rows[i].system ? path : system_file};

		buf_clear(&says);
		assert_int_equal(tls_check_pair(&setup, &says), rows[i].rc);
	}
	(void)unlink(path);
	buf_free(&chain);
	buf_free(&pem);
	buf_free(&says);
	authority_free(&authority);
}

/* What stands behind a damaged one would be missing, and nobody be told. */
static void
a_damaged_file_is_said(void **state)
{
	struct tls_check_setup setup = {.system_file = system_file};
	struct authority authority;
	struct buf chain, says;

	(void)state;
	authority_new(&authority, &root, &inter, &leaf);
	chain = pem_of(&authority, "LI");
	buf_init(&says, 10000);
	chain.p[chain.n - 200] = '*';
	setup.chain = buf_span(&chain);
	assert_int_equal(tls_check_pair(&setup, &says), -1);
	assert_said(&says, -1, "certificate 2 in it is damaged");
	buf_clear(&says);
	setup.system_file = "/nowhere";
	buf_free(&chain);
	chain = pem_of(&authority, "L");
	setup.chain = buf_span(&chain);
	assert_int_equal(tls_check_pair(&setup, &says), 0);
	assert_said(&says, 0, "whether it is complete is not known");
	buf_free(&chain);
	buf_free(&says);
	authority_free(&authority);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_chain_is_whole_and_in_order),
	    cmocka_unit_test(each_certificate_is_fit),
	    cmocka_unit_test(a_name_alone_has_issued_nothing),
	    cmocka_unit_test(a_ring_has_an_end),
	    cmocka_unit_test(one_that_is_signed_by_itself_is_for_dane),
	    cmocka_unit_test(names_are_covered),
	    cmocka_unit_test(a_common_name_is_no_name),
	    cmocka_unit_test(authorities_of_ours_stand_beside_the_systems),
	    cmocka_unit_test(a_damaged_file_is_said),
	};

	return cmocka_run_group_tests(tests, make_system, drop_system);
}
