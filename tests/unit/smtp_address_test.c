/* Addresses, paths, parameters and xtext: our rows, then a peer's. */
#include <string.h>

#include "mta/smtp/grammar.h"

#include "tests/support/corpus.h"
#include "tests/support/test.h"

#define A10 "aaaaaaaaaa"
#define A60 A10 A10 A10 A10 A10 A10
#define D61 "." A60

struct row {
	const char *rule;
	enum path_kind kind;
	const char *text;
	const char *address; /* NULL: refused with `status` */
	const char *status;
};

static const struct row rows[] = {
    {"RFC 5321 4.1.2: the plain case", PATH_FORWARD, "<a@b.org>", "a@b.org",
	NULL},
    {"RFC 5321 2.3.11: local part as it is, domain folded", PATH_FORWARD,
	"<Joe.X@Ex-Ample.ORG>", "Joe.X@ex-ample.org", NULL},
    {"RFC 5321 3.3: a blank behind the colon, tolerated", PATH_FORWARD,
	"  <a@b>", "a@b", NULL},
    {"RFC 5321 4.1.2: no brackets, tolerated", PATH_FORWARD, "a@b", "a@b",
	NULL},
    {"RFC 5321 4.1.2: the null path", PATH_REVERSE, "<>", "", NULL},
    {"RFC 5321 4.1.2: null path for a recipient", PATH_FORWARD, "<>", NULL,
	"5.1.3"},
    {"RFC 5321 4.5.1: postmaster", PATH_FORWARD, "<PostMaster>", "postmaster",
	NULL},
    {"RFC 5321 4.5.1: postmaster is no sender", PATH_REVERSE, "<postmaster>",
	NULL, "5.1.7"},
    {"RFC 5321 C: a source route is dropped", PATH_FORWARD,
	"<@a.org,@b.org:c@d.org>", "c@d.org", NULL},
    {"RFC 5321 C: as is a short one", PATH_REVERSE, "<@a:c@d>", "c@d", NULL},
    {"RFC 5321 4.1.2: a route that is none", PATH_FORWARD, "<@a.org,c@d.org>",
	NULL, "5.1.3"},
    {"RFC 5321 4.1.2: a route to nobody", PATH_FORWARD, "<@a.org:>", NULL,
	"5.1.3"},
    {"RFC 5321 4.1.2: a route of bad names", PATH_FORWARD, "<@-a:c@d>", NULL,
	"5.1.3"},
    {"RFC 5321 4.1.2: a route without brackets", PATH_FORWARD, "@a:c@d", NULL,
	"5.1.3"},
    {"RFC 5322 3.2.3: all of atext", PATH_FORWARD, "<!#$%&'*+-/=?^_`{|}~.0Z@b>",
	"!#$%&'*+-/=?^_`{|}~.0Z@b", NULL},
    {"RFC 5321 4.1.2: dots stand between", PATH_FORWARD, "<.a@b>", NULL,
	"5.1.3"},
    {"RFC 5321 4.1.2: and not behind", PATH_FORWARD, "<a.@b>", NULL, "5.1.3"},
    {"RFC 5321 4.1.2: and are single", PATH_FORWARD, "<a..b@c>", NULL, "5.1.3"},
    {"RFC 5321 4.1.2: a blank is no atext", PATH_FORWARD, "<a b@c>", NULL,
	"5.1.3"},
    {"RFC 5321 4.1.2: quoted", PATH_FORWARD, "<\"a b\"@c>", "\"a b\"@c", NULL},
    {"RFC 5321 4.1.2: quoted, with what a path ends with", PATH_FORWARD,
	"<\"a> <\\\"@,:\\\\\"@c>", "\"a> <\\\"@,:\\\\\"@c", NULL},
    {"RFC 5321 4.1.2: quoted, empty", PATH_FORWARD, "<\"\"@c>", "\"\"@c", NULL},
    {"RFC 5321 4.1.2: quoted, open", PATH_FORWARD, "<\"a@c>", NULL, "5.1.3"},
    {"RFC 5321 4.1.2: quoted, escape at the end", PATH_FORWARD, "<\"a\\\"@c>",
	NULL, "5.1.3"},
    {"RFC 5321 4.1.2: half quoted", PATH_FORWARD, "<\"a\"b@c>", NULL, "5.1.3"},
    {"RFC 5321 4.1.2: labels begin with letter or digit", PATH_FORWARD,
	"<a@-b>", NULL, "5.1.2"},
    {"RFC 5321 4.1.2: and end with one", PATH_REVERSE, "<a@xn--->", NULL,
	"5.1.8"},
    {"RFC 5321 4.1.2: no underscore", PATH_FORWARD, "<a@b_c>", NULL, "5.1.2"},
    {"RFC 5321 2.3.5: no final dot", PATH_FORWARD, "<a@b.>", NULL, "5.1.2"},
    {"RFC 5321 4.1.2: no empty label", PATH_FORWARD, "<a@b..c>", NULL, "5.1.2"},
    {"RFC 5321 4.1.2: no domain", PATH_FORWARD, "<a@>", NULL, "5.1.2"},
    {"RFC 5321 4.1.2: two at-signs", PATH_FORWARD, "<a@b@c>", NULL, "5.1.2"},
    {"RFC 5321 4.1.2: digits are a name", PATH_FORWARD, "<a@1.2.3.4>",
	"a@1.2.3.4", NULL},
    {"RFC 5321 4.1.3: IPv4", PATH_FORWARD, "<a@[192.0.2.1]>", "a@[192.0.2.1]",
	NULL},
    {"RFC 5321 4.1.3: not IPv4", PATH_FORWARD, "<a@[192.0.2.256]>", NULL,
	"5.1.2"},
    {"RFC 5321 4.1.3: three numbers", PATH_FORWARD, "<a@[192.0.2]>", NULL,
	"5.1.2"},
    {"RFC 5321 4.1.3: IPv6", PATH_FORWARD, "<a@[IPv6:2001:DB8::1]>",
	"a@[ipv6:2001:db8::1]", NULL},
    {"RFC 5321 4.1.3: IPv6 with IPv4", PATH_FORWARD,
	"<a@[IPv6:::ffff:192.0.2.1]>", "a@[ipv6:::ffff:192.0.2.1]", NULL},
    {"RFC 5321 4.1.3: not IPv6", PATH_FORWARD, "<a@[IPv6:2001::1::2]>", NULL,
	"5.1.2"},
    {"RFC 5321 4.1.3: IPv6 wants its tag", PATH_FORWARD, "<a@[::1]>", NULL,
	"5.1.2"},
    {"RFC 5321 4.1.3: some other literal", PATH_FORWARD, "<a@[x25:1-2]>",
	"a@[x25:1-2]", NULL},
    {"RFC 5321 4.1.3: a blank in one", PATH_FORWARD, "<a@[x25: 1]>", NULL,
	"5.1.2"},
    {"RFC 5321 4.1.3: a bracket in one", PATH_FORWARD, "<a@[x25:[]>", NULL,
	"5.1.2"},
    {"RFC 5321 4.1.3: a tilde in one", PATH_FORWARD, "<a@[x25:~!]>",
	"a@[x25:~!]", NULL},
    {"RFC 5321 4.1.3: in one, what a path ends with", PATH_FORWARD,
	"<a@[x25:<>\"]>", "a@[x25:<>\"]", NULL},
    {"RFC 5321 4.1.2: one that is open", PATH_FORWARD, "<a@[x25:>", NULL,
	"5.1.3"},
    {"RFC 5321 4.1.2: quoted, a literal's bracket", PATH_FORWARD, "<\"[\"@b>",
	"\"[\"@b", NULL},
    {"RFC 5321 4.1.3: UTF-8 in one", PATH_FORWARD, "<a@[x25:\xc3\xa9]>", NULL,
	"5.1.2"},
    {"RFC 5321 4.1.3: tag without content", PATH_FORWARD, "<a@[x25:]>", NULL,
	"5.1.2"},
    {"RFC 5321 4.1.3: tag with hyphen behind", PATH_FORWARD, "<a@[x-:1]>", NULL,
	"5.1.2"},
    {"RFC 5321 4.1.3: empty literal", PATH_FORWARD, "<a@[]>", NULL, "5.1.2"},
    {"RFC 6531 3.3: UTF-8 everywhere", PATH_FORWARD,
	"<\xc3\xa9.x@\xe4\xbe\x8b.org>", "\xc3\xa9.x@\xe4\xbe\x8b.org", NULL},
    {"RFC 6531 3.3: quoted UTF-8", PATH_FORWARD, "<\"\xc3\xa9 x\"@b>",
	"\"\xc3\xa9 x\"@b", NULL},
    {"RFC 3629 3: overlong", PATH_FORWARD, "<\xc0\xaf@b>", NULL, "5.1.3"},
    {"RFC 3629 3: cut", PATH_FORWARD, "<a@\xc3>", NULL, "5.1.2"},
    {"RFC 5321 4.5.3.1.1: 64 octets", PATH_FORWARD, "<" A60 "aaaa@b>",
	A60 "aaaa@b", NULL},
    {"RFC 5321 4.5.3.1.1: 65 octets", PATH_FORWARD, "<" A60 "aaaaa@b>", NULL,
	"5.1.3"},
    {"RFC 1035 2.3.4: label of 63", PATH_FORWARD, "<a@" A60 "aaa>",
	"a@" A60 "aaa", NULL},
    {"RFC 1035 2.3.4: label of 64", PATH_FORWARD, "<a@" A60 "aaaa>", NULL,
	"5.1.2"},
    {"RFC 5321 4.5.3.1.3: path of 256 with brackets", PATH_REVERSE,
	"<aaa@" A60 D61 D61 D61 ".aaaaaa>", "aaa@" A60 D61 D61 D61 ".aaaaaa",
	NULL},
    {"RFC 5321 4.5.3.1.3: path of 257 with brackets", PATH_REVERSE,
	"<aaa@" A60 D61 D61 D61 ".aaaaaaa>", NULL, "5.1.7"},
    {"RFC 5321 4.5.3.1.3: a long route counts", PATH_FORWARD,
	"<@" A60 D61 D61 D61 ".aaa:a@b.org>", NULL, "5.1.3"},
    {"RFC 5321 4.1.2: bracket forgotten", PATH_FORWARD, "<a@b", NULL, "5.1.3"},
    {"RFC 5321 4.1.2: text behind the bracket", PATH_FORWARD, "<a@b>x", NULL,
	"5.1.3"},
    {"RFC 5321 4.1.2: nothing", PATH_FORWARD, "", NULL, "5.1.3"},
    {"RFC 5321 4.1.2: open bracket alone", PATH_FORWARD, "<", NULL, "5.1.3"},
};

static void
paths_are_taken_or_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		const struct row *row = &rows[i];
		struct span in = span_of(row->text);
		struct address address = {0};
		struct err err = {0};
		int rc = grammar_path(&in, row->kind, &address, &err);

		if ((rc == 0) != (row->address != NULL))
			fail_msg("%s: %s", row->rule, err.text);
		if (rc == 0 && strcmp(address.text, row->address) != 0)
			fail_msg("%s: %s", row->rule, address.text);
		if (rc < 0 && strcmp(err.enhanced, row->status) != 0)
			fail_msg("%s: %s", row->rule, err.enhanced);
		if (rc < 0 && err.kind != ERR_PERM)
			fail_msg("%s: not permanent", row->rule);
	}
}

/* RFC 5321 4.5.3.1.2: without a path around it */
static void
domains_have_255_octets(void **state)
{
	struct address address;
	struct err err;

	(void)state;
	assert_true(grammar_is_domain(SPAN(A60 D61 D61 D61 ".aaaaaaaaaaa")));
	assert_false(grammar_is_domain(SPAN(A60 D61 D61 D61 ".aaaaaaaaaaaa")));
	assert_int_equal(
	    grammar_mailbox(SPAN("a@" A60 D61 D61 D61 ".aaaaaaaaaaaa"),
		PATH_REVERSE, &address, &err),
	    -1);
	assert_string_equal(err.enhanced, "5.1.8");
	assert_int_equal(
	    grammar_mailbox(SPAN("aa@" A60 D61 D61 D61 ".aaaaaaaaa"),
		PATH_FORWARD, &address, &err),
	    -1);
	assert_string_equal(err.enhanced, "5.1.3");
}

static void
params_are_split(void **state)
{
	static const struct {
		const char *rule;
		const char *text;
		const char *parts; /* "name=value;", "!" for bad */
	} cases[] = {
	    {"RFC 5321 4.1.2: none", "", ""},
	    {"RFC 5321 4.1.2: blanks only", "   ", ""},
	    {"RFC 5321 4.1.2: two", " SIZE=1 SMTPUTF8", "SIZE=1;SMTPUTF8;"},
	    {"RFC 5321 4.1.2: hyphens inside", " X-Y=z", "X-Y=z;"},
	    {"RFC 5321 4.1.2: no hyphen first", " -Y=z", "!"},
	    {"RFC 5321 4.1.2: value not empty", " A=", "!"},
	    {"RFC 5321 4.1.2: no second =", " A=b=c", "!"},
	    {"RFC 5321 4.1.2: no keyword", " =b", "!"},
	    {"RFC 5321 4.1.2: good, then bad", " A=b ;", "A=b;!"},
	    {"RFC 6531 3.3: UTF-8 in values", " A=\xc3\xa9", "A=\xc3\xa9;"},
	};

	(void)state;
	for (size_t i = 0; i < ROWS(cases); i++) {
		struct span in = span_of(cases[i].text);
		struct param param;
		struct buf got;
		enum param_take take;

		buf_init(&got, 1000);
		while ((take = grammar_param(&in, &param)) == PARAM_TAKEN) {
			assert_int_equal(buf_add(&got, param.name), 0);
			if (param.value.p != NULL)
				assert_int_equal(buf_add(&got, SPAN("=")), 0);
			assert_int_equal(buf_add(&got, param.value), 0);
			assert_int_equal(buf_add(&got, SPAN(";")), 0);
		}
		if (take == PARAM_BAD)
			assert_int_equal(buf_add(&got, SPAN("!")), 0);
		if (!span_eq(buf_span(&got), span_of(cases[i].parts)))
			fail_msg("%s: %.*s", cases[i].rule, (int)got.n, got.p);
		buf_free(&got);
	}
}

static const struct {
	const char *rule;
	bool (*is)(struct span);
	const char *text;
	bool ok;
} encoded[] = {
    {"RFC 3461 4: xtext", grammar_is_xtext, "a+2B+3Db~!", true},
    {"RFC 3461 4: upper case", grammar_is_xtext, "+2b", false},
    {"RFC 3461 4: two digits", grammar_is_xtext, "+2", false},
    {"RFC 3461 4: no =", grammar_is_xtext, "a=b", false},
    {"RFC 3461 4: no blank", grammar_is_xtext, "a b", false},
    {"RFC 3461 4: ASCII", grammar_is_xtext, "\xc3\xa9", false},
    {"RFC 3461 4: not empty", grammar_is_xtext, "", false},
    {"RFC 3461 4.2: rfc822", grammar_is_orcpt, "rfc822;a+2B@b", true},
    {"RFC 3461 4.2: x400", grammar_is_orcpt, "x400;/S+3Dx/", true},
    {"RFC 3461 4.2: no type", grammar_is_orcpt, ";a@b", false},
    {"RFC 3461 4.2: no address", grammar_is_orcpt, "rfc822;", false},
    {"RFC 3461 4.2: no semicolon", grammar_is_orcpt, "a@b", false},
    {"RFC 6533 3: UTF-8", grammar_is_orcpt, "utf-8;\xc3\xa9@b", true},
    {"RFC 6533 3: escaped", grammar_is_orcpt, "UTF-8;\\x{E9}@b", true},
    {"RFC 3461 4.2: white space", grammar_is_orcpt, "x;a+20b+09c+7E", true},
    {"RFC 3461 4.2: no line end", grammar_is_orcpt, "rfc822;a+0D+0AX:@b",
	false},
    {"RFC 3461 4.2: no NUL", grammar_is_orcpt, "rfc822;a+00@b", false},
    {"RFC 3461 4.2: no DEL", grammar_is_orcpt, "rfc822;a+7F", false},
    {"RFC 3461 4.2: no other control", grammar_is_orcpt, "rfc822;+1Fa@b",
	false},
    {"RFC 3461 4.2: US-ASCII alone", grammar_is_orcpt, "rfc822;+C3+A9@b",
	false},
    {"RFC 6533 3: all specials", grammar_is_orcpt,
	"utf-8;\\x{20}\\x{2B}\\x{3D}\\x{5C}\\x{10FFFF}", true},
    {"RFC 6533 3: no backslash", grammar_is_orcpt, "utf-8;\"\\a\"@b", false},
    {"RFC 6533 3: not without its end", grammar_is_orcpt, "utf-8;\\x{E9",
	false},
    {"RFC 6533 3: two digits", grammar_is_orcpt, "utf-8;\\x{9}@b", false},
    {"RFC 6533 3: six digits", grammar_is_orcpt, "utf-8;\\x{00000E9}@b", false},
    {"RFC 6533 3: hexadecimal", grammar_is_orcpt, "utf-8;\\x{zz}@b", false},
    {"RFC 6533 3: no surrogate", grammar_is_orcpt, "utf-8;\\x{D800}@b", false},
    {"RFC 6533 3: no line end", grammar_is_orcpt, "utf-8;a\\x{0D}\\x{0A}@b",
	false},
    {"RFC 6533 3: no DEL", grammar_is_orcpt, "utf-8;\\x{7F}@b", false},
    {"RFC 6533 3: no plus", grammar_is_orcpt, "utf-8;a+2B@b", false},
    {"RFC 3461 4.2: UTF-8 is no rfc822", grammar_is_orcpt, "rfc822;\xc3\xa9@b",
	false},
    {"RFC 3461 4.2: 500 characters at most", grammar_is_orcpt,
	"rfc822;" A60 A60 A60 A60 A60 A60 A60 A60 A60, false},
};

static void
xtext_and_orcpt_are_checked(void **state)
{
	(void)state;
	for (size_t i = 0; i < ROWS(encoded); i++)
		if (encoded[i].is(span_of(encoded[i].text)) != encoded[i].ok)
			fail_msg("%s: %s", encoded[i].rule, encoded[i].text);
}

static bool
judge(struct span kind, struct span input, const json_t *row)
{
	struct address address = {0};
	struct param param;
	struct err err;
	enum param_take take;
	struct span path = corpus_span(row, "path");

	if (span_eq(kind, SPAN("localpart")))
		return grammar_is_local_part(input);
	if (span_eq(kind, SPAN("address")))
		return grammar_mailbox(input, PATH_FORWARD, &address, &err) ==
		       0;
	if (grammar_path(&input, PATH_REVERSE, &address, &err) < 0)
		return false;
	while ((take = grammar_param(&input, &param)) == PARAM_TAKEN)
		;
	if (path.p != NULL && !span_eq(path, span_of(address.text)))
		fail_msg("took %s", address.text);
	return take == PARAM_END;
}

static void
peers_agree(void **state)
{
	json_t *vectors = corpus_jsonl("smtp-vectors/addresses.jsonl");
	size_t i;
	json_t *row;

	(void)state;
	if (vectors == NULL)
		skip();
	assert_true(json_array_size(vectors) > 30);
	json_array_foreach(vectors, i, row)
	{
		struct span id = corpus_span(row, "id");
		bool peer = span_eq(
		    corpus_span(row, "peer_verdict"), SPAN("accept"));
		bool ours = judge(
		    corpus_span(row, "kind"), corpus_span(row, "input"), row);

		if (ours != peer)
			fail_msg("%.*s: %s", (int)id.n, id.p,
			    ours ? "accepted" : "refused");
	}
	json_decref(vectors);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(paths_are_taken_or_refused),
	    cmocka_unit_test(domains_have_255_octets),
	    cmocka_unit_test(params_are_split),
	    cmocka_unit_test(xtext_and_orcpt_are_checked),
	    cmocka_unit_test(peers_agree),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
