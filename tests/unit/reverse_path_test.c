/* Envelope senders of reports: whose bounces are believed? */
#include <stdio.h>
#include <string.h>

#include "reporting/reverse_path.h"

#include "tests/support/test.h"

#define TODAY   INT64_C(20786)
#define CONTACT "tls@a.example"

static const struct report_ticket ticket = {TODAY - 1, 1, "b.example"};

static struct reverse_path_secrets
secrets_of(const char *first, const char *second)
{
	struct reverse_path_secrets secrets = {.n = 0};
	unsigned char secret[REVERSE_PATH_SECRET];
	const char *const keys[] = {first, second};

	for (size_t i = 0; i < ROWS(keys) && keys[i] != NULL; i++) {
		assert_true(reverse_path_secret(span_of(keys[i]), secret));
		reverse_path_add(&secrets,
		    (struct span){(const char *)secret, sizeof(secret)});
	}
	return secrets;
}

static void
make(const struct reverse_path_secrets *secrets, int64_t today, const char *rua,
    char to[REVERSE_PATH_SIZE])
{
	char word[REVERSE_PATH_WORD + 1];

	assert_true(reverse_path_word(secrets, today, &ticket, rua, word));
	assert_true(reverse_path_write(CONTACT, word, to));
}

static enum reverse_path
read_it(const struct reverse_path_secrets *secrets, int64_t today,
    const char *address)
{
	char word[REVERSE_PATH_WORD + 1];

	return reverse_path_read(secrets, today, CONTACT, address, word);
}

static void
each_report_and_place_has_its_own(void **state)
{
	struct reverse_path_secrets secrets = secrets_of("k", NULL);
	struct report_ticket other = ticket;
	char one[REVERSE_PATH_WORD + 1], two[REVERSE_PATH_WORD + 1];
	char address[REVERSE_PATH_SIZE];

	(void)state;
	make(&secrets, TODAY, "r@c.example", address);
	assert_int_equal(strncmp(address, "tls+tlsrpt-", 11), 0);
	assert_string_equal(address + 11 + REVERSE_PATH_WORD, "@a.example");
	assert_true(
	    reverse_path_word(&secrets, TODAY, &ticket, "r@c.example", one));
	assert_true(
	    reverse_path_word(&secrets, TODAY, &ticket, "r@c.example", two));
	assert_string_equal(one, two);
	assert_true(
	    reverse_path_word(&secrets, TODAY, &ticket, "s@c.example", two));
	assert_string_not_equal(one + 4, two + 4);
	other.domain = "d.example";
	assert_true(
	    reverse_path_word(&secrets, TODAY, &other, "r@c.example", two));
	assert_int_not_equal(strncmp(one + 4, two + 4, 12), 0);
	other = ticket;
	other.day--;
	assert_true(
	    reverse_path_word(&secrets, TODAY, &other, "r@c.example", two));
	assert_int_not_equal(strncmp(one + 4, two + 4, 12), 0);
	secrets.n = 0;
	assert_false(
	    reverse_path_word(&secrets, TODAY, &ticket, "r@c.example", two));
}

/* RFC 5321 4.5.3.1.1: a local part of 64 octets at most. */
static void
a_contact_may_have_no_room_for_it(void **state)
{
	static const char word[] = "0123456789012345678901234567";
	char to[REVERSE_PATH_SIZE];

	(void)state;
	assert_true(reverse_path_write(
	    "1234567890123456789012345678@a.example", word, to));
	assert_false(reverse_path_write(
	    "12345678901234567890123456789@a.example", word, to));
	assert_false(reverse_path_write("tls", word, to));
	assert_false(reverse_path_write("@a.example", word, to));
}

/* RFC 2104 5: no letter of the seal is for show. */
static void
nobody_makes_one_up(void **state)
{
	struct reverse_path_secrets ours = secrets_of("k", NULL);
	struct reverse_path_secrets theirs = secrets_of("K", NULL);
	struct reverse_path_secrets none = {.n = 0};
	char good[REVERSE_PATH_SIZE], bad[REVERSE_PATH_SIZE];

	(void)state;
	make(&ours, TODAY, "r@c.example", good);
	assert_int_equal(read_it(&ours, TODAY, good), REVERSE_PATH_GOOD);
	assert_int_equal(read_it(&none, TODAY, good), REVERSE_PATH_BAD);
	/* Each letter counts. */
	for (size_t i = 11; i < 11 + REVERSE_PATH_WORD; i++) {
		memcpy(bad, good, sizeof(bad));
		bad[i] = bad[i] == 'a' ? 'b' : 'a';
		if (read_it(&ours, TODAY, bad) != REVERSE_PATH_BAD)
			fail_msg("%s", bad);
	}
	assert_true(
	    reverse_path_write(CONTACT, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaa", bad));
	memcpy(bad, good, 11 + REVERSE_PATH_WORD);
	assert_int_equal(read_it(&ours, TODAY, bad), REVERSE_PATH_BAD);
	make(&theirs, TODAY, "r@c.example", bad);
	assert_int_equal(read_it(&ours, TODAY, bad), REVERSE_PATH_BAD);
	assert_int_equal(read_it(&theirs, TODAY, bad), REVERSE_PATH_GOOD);
}

/* RFC 5321 2.4: whoever returns it may have folded it (RFC 4648 6). */
static void
case_does_not_matter(void **state)
{
	struct reverse_path_secrets secrets = secrets_of("k", NULL);
	char address[REVERSE_PATH_SIZE], word[REVERSE_PATH_WORD + 1] = "";
	char made[REVERSE_PATH_WORD + 1];

	(void)state;
	make(&secrets, TODAY, "r@c.example", address);
	assert_true(
	    reverse_path_word(&secrets, TODAY, &ticket, "r@c.example", made));
	for (char *c = address; *c != '\0'; c++)
		*c = (char)(*c >= 'a' && *c <= 'z' ? *c - 32 : *c);
	assert_int_equal(
	    reverse_path_read(&secrets, TODAY, CONTACT, address, word),
	    REVERSE_PATH_GOOD);
	assert_string_equal(word, made);
	assert_true(reverse_path_find(CONTACT, address, word));
	assert_string_equal(word, made);
}

static void
a_new_key_does_not_end_the_old_one_s(void **state)
{
	struct reverse_path_secrets before = secrets_of("old", NULL);
	struct reverse_path_secrets after = secrets_of("new", "old");
	char address[REVERSE_PATH_SIZE];

	(void)state;
	make(&before, TODAY, "r@c.example", address);
	assert_int_equal(read_it(&after, TODAY, address), REVERSE_PATH_GOOD);
	make(&after, TODAY, "r@c.example", address);
	assert_int_equal(read_it(&before, TODAY, address), REVERSE_PATH_BAD);
	/* No more than there is room for, and none of another size. */
	for (int i = 0; i < REVERSE_PATH_SECRETS; i++)
		reverse_path_add(&after, (struct span){address, 32});
	assert_int_equal(after.n, REVERSE_PATH_SECRETS);
	after.n = 0;
	reverse_path_add(&after, (struct span){address, 31});
	assert_int_equal(after.n, 0);
	assert_false(
	    reverse_path_secret((struct span){NULL, 0}, after.list[0]));
}

static void
an_old_one_is_believed_no_more(void **state)
{
	struct reverse_path_secrets secrets = secrets_of("k", NULL);
	static const struct {
		int64_t age;
		enum reverse_path is;
	} ages[] = {{-2, REVERSE_PATH_BAD}, {-1, REVERSE_PATH_GOOD},
	    {0, REVERSE_PATH_GOOD}, {REVERSE_PATH_DAYS, REVERSE_PATH_GOOD},
	    {REVERSE_PATH_DAYS + 1, REVERSE_PATH_BAD}};
	char address[REVERSE_PATH_SIZE];

	(void)state;
	make(&secrets, TODAY, "r@c.example", address);
	for (size_t i = 0; i < ROWS(ages); i++)
		assert_int_equal(
		    read_it(&secrets, TODAY + ages[i].age, address),
		    ages[i].is);
}

static void
other_addresses_are_left_alone(void **state)
{
	static const struct {
		const char *address;
		enum reverse_path is;
	} rows[] = {
	    {"tls@a.example", REVERSE_PATH_OTHER},
	    {"tls+me@a.example", REVERSE_PATH_OTHER},
	    {"tls+tlsrpt-@a.example", REVERSE_PATH_BAD},
	    {"tls+tlsrpt-1c291ca3@a.example", REVERSE_PATH_BAD},
	    {"tls+tlsrpt-0123456789012345678901234567@a.example",
		REVERSE_PATH_BAD},
	    {"tls+tlsrpt-aaaaaaaaaaaaaaaaaaaaaaaaaaaa@b.example",
		REVERSE_PATH_OTHER},
	    {"xls+tlsrpt-aaaaaaaaaaaaaaaaaaaaaaaaaaaa@a.example",
		REVERSE_PATH_OTHER},
	    {"tls+tlsrpt-aaaaaaaaaaaaaaaaaaaaaaaaaaaa", REVERSE_PATH_OTHER},
	    {"@a.example", REVERSE_PATH_OTHER},
	    {"", REVERSE_PATH_OTHER},
	};
	struct reverse_path_secrets secrets = secrets_of("k", NULL);
	char word[REVERSE_PATH_WORD + 1];

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++)
		if (read_it(&secrets, TODAY, rows[i].address) != rows[i].is)
			fail_msg("%s", rows[i].address);
	assert_int_equal(reverse_path_read(&secrets, TODAY, "@a.example",
			     "+tlsrpt-x@a.example", word),
	    REVERSE_PATH_OTHER);
	assert_false(reverse_path_find("tls", "tls+tlsrpt-", word));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(each_report_and_place_has_its_own),
	    cmocka_unit_test(a_contact_may_have_no_room_for_it),
	    cmocka_unit_test(nobody_makes_one_up),
	    cmocka_unit_test(case_does_not_matter),
	    cmocka_unit_test(a_new_key_does_not_end_the_old_one_s),
	    cmocka_unit_test(an_old_one_is_believed_no_more),
	    cmocka_unit_test(other_addresses_are_left_alone),
	};

	return cmocka_run_group_tests_name("reverse_path", tests, NULL, NULL);
}
