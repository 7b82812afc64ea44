/* Session tickets: whose, where, for how long, and how many. */
#include <openssl/ssl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "mta/net/tls_ticket_key.h"

#include "tests/support/make_cert.h"
#include "tests/support/test.h"
#include "tests/support/tls_guest.h"

#define MINUTE   60
#define HOUR     3600
#define LIFETIME (2 * HOUR)

/* The time of the test, seconds; an hour begins at each 3600. */
static uint64_t now;

static uint64_t
test_clock(void)
{
	return now;
}

/* Receive processes, one server each. */
enum process {
	FIRST,
	SAME,      /* another process of the same daemon */
	STRANGER,  /* of another daemon */
	OTHER_KEY, /* after a reload with another certificate */
	WIDE,      /* after a reload with other rules */
	NO_TICKETS,
	UNTOLD, /* it has not heard of keys yet */
	PROCESSES,
};

static struct {
	struct made_cert certs[2];
	struct tls_tickets *tickets[PROCESSES];
	struct tls_server *servers[PROCESSES];
} world;

static void
serve(enum process which, const struct made_cert *cert, bool wide,
    const struct tls_ticket_seed *seed)
{
	struct tls_pair pair = {
	    "one", span_of(cert->chain), span_of(cert->key)};
	struct tls_server_setup setup = {
	    .pairs = &pair, .npairs = 1, .wide = wide};
	struct err err;

	if (which != NO_TICKETS)
		setup.tickets = tls_tickets_new(LIFETIME, test_clock);
	if (seed != NULL)
		tls_tickets_seed(setup.tickets, seed);
	world.tickets[which] = setup.tickets;
	assert_int_equal(
	    tls_server_new(&setup, &world.servers[which], &err), 0);
}

static int
world_new(void **state)
{
	struct tls_ticket_seed seed, other;

	(void)state;
	now = 100 * HOUR;
	assert_int_equal(tls_ticket_seed_new(&seed, now), 0);
	assert_int_equal(tls_ticket_seed_new(&other, now), 0);
	world.certs[0] = make_cert("DNS:*.example,DNS:a.example", 30);
	world.certs[1] = make_cert("DNS:*.example,DNS:a.example", 30);
	serve(FIRST, &world.certs[0], false, &seed);
	serve(SAME, &world.certs[0], false, &seed);
	serve(STRANGER, &world.certs[0], false, &other);
	serve(OTHER_KEY, &world.certs[1], false, &seed);
	serve(WIDE, &world.certs[0], true, &seed);
	serve(NO_TICKETS, &world.certs[0], false, NULL);
	serve(UNTOLD, &world.certs[0], false, NULL);
	return 0;
}

static int
world_free(void **state)
{
	(void)state;
	for (size_t i = 0; i < PROCESSES; i++) {
		tls_server_free(&world.servers[i]);
		tls_tickets_free(&world.tickets[i]);
	}
	made_cert_free(&world.certs[0]);
	made_cert_free(&world.certs[1]);
	return 0;
}

static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};

static struct guest_seen
visit(enum process where, const char *listener, const char *sni, int version,
    SSL_SESSION *ticket)
{
	struct guest_wish wish = {
	    .least = version, .most = version, .sni = sni, .ticket = ticket};
	struct guest_seen seen;

	guest_visit(world.servers[where], listener, &wish, &seen);
	return seen;
}

/* Given by FIRST to who asks "mx" for a.example; then they come back. */
static const struct {
	const char *rule;
	enum process where;
	const char *listener, *sni;
	uint64_t later; /* seconds */
	bool resumed;
} rows[] = {
    {"the same process", FIRST, "mx", "a.example", 0, true},
    {"another process of the daemon", SAME, "mx", "a.example", 0, true},
    {"names compare without case", SAME, "mx", "A.Example", 0, true},
    {"another daemon", STRANGER, "mx", "a.example", 0, false},
    {"another name, the same certificate", SAME, "mx", "b.example", 0, false},
    {"no name", SAME, "mx", NULL, 0, false},
    {"another listener", SAME, "other", "a.example", 0, false},
    {"another certificate", OTHER_KEY, "mx", "a.example", 0, false},
    {"other rules", WIDE, "mx", "a.example", 0, false},
    {"no tickets here", NO_TICKETS, "mx", "a.example", 0, false},
    {"no keys yet", UNTOLD, "mx", "a.example", 0, false},
    {"under the next key", SAME, "mx", "a.example", 70 * MINUTE, true},
    {"the last second", SAME, "mx", "a.example", LIFETIME - 1, true},
    {"RFC 9325 3.4: a limited lifetime", SAME, "mx", "a.example", LIFETIME,
	false},
    {"RFC 9325 3.4: its key is gone", SAME, "mx", "a.example", 4 * HOUR, false},
    {"a clock that goes back", SAME, "mx", "a.example", -(uint64_t)HOUR, false},
};

static void
check_row(size_t i, int version)
{
	struct guest_seen first, again;

	now = 200 * HOUR;
	first = visit(FIRST, "mx", "a.example", version, NULL);
	assert_true(first.up);
	assert_false(first.resumed);
	assert_int_equal(first.tickets, 1);
	now += rows[i].later;
	again = visit(rows[i].where, rows[i].listener, rows[i].sni, version,
	    first.ticket);
	/* RFC 8446 4.6.1, RFC 5077 3.1: what is not taken breaks nothing. */
	if (!again.up || again.resumed != rows[i].resumed)
		fail_msg("%s (%x): up %d, resumed %d", rows[i].rule,
		    (unsigned)version, again.up, again.resumed);
	SSL_SESSION_free(first.ticket);
	SSL_SESSION_free(again.ticket);
}

static void
a_ticket_is_bound(void **state)
{
	for (size_t v = 0; v < ROWS(versions); v++)
		for (size_t i = 0; i < ROWS(rows); i++) {
			/* Keys do not come back with a clock. */
			(void)world_free(state);
			(void)world_new(state);
			check_row(i, versions[v]);
		}
}

/* RFC 8446 4.6.1: "limits on the total lifetime", RFC 8446 C.4: used once. */
static void
renewal_prolongs_nothing(void **state)
{
	static const struct {
		uint64_t at; /* since the full handshake */
		bool resumed;
		unsigned long hint; /* of the ticket that came */
	} steps[] = {
	    {30 * MINUTE, true, LIFETIME - 30 * MINUTE},
	    {LIFETIME - 60, true, 60},
	    {LIFETIME, false, LIFETIME},
	};
	struct guest_seen seen = visit(
	    FIRST, "mx", "a.example", TLS1_3_VERSION, NULL);
	uint64_t began = now;

	(void)state;
	assert_int_equal(
	    SSL_SESSION_get_ticket_lifetime_hint(seen.ticket), LIFETIME);
	for (size_t i = 0; i < ROWS(steps); i++) {
		SSL_SESSION *ticket = seen.ticket;

		now = began + steps[i].at;
		seen = visit(SAME, "mx", "a.example", TLS1_3_VERSION, ticket);
		SSL_SESSION_free(ticket);
		assert_true(seen.up);
		assert_int_equal(seen.resumed, steps[i].resumed);
		assert_int_equal(seen.tickets, 1);
		assert_int_equal(
		    SSL_SESSION_get_ticket_lifetime_hint(seen.ticket),
		    steps[i].hint);
	}
	SSL_SESSION_free(seen.ticket);
}

/* RFC 5077 3.3: under an old key one of TLS 1.2 is renewed, else it is not. */
static void
tls12_renews_when_the_key_is_old(void **state)
{
	struct guest_seen first = visit(
	    FIRST, "mx", "a.example", TLS1_2_VERSION, NULL);
	struct guest_seen again = visit(
	    FIRST, "mx", "a.example", TLS1_2_VERSION, first.ticket);

	(void)state;
	assert_true(again.resumed);
	assert_false(again.renewed);
	SSL_SESSION_free(again.ticket);
	now += HOUR;
	again = visit(FIRST, "mx", "a.example", TLS1_2_VERSION, first.ticket);
	assert_true(again.resumed);
	assert_true(again.renewed);
	SSL_SESSION_free(again.ticket);
	SSL_SESSION_free(first.ticket);
}

static void
without_keys_there_are_none(void **state)
{
	static const enum process none[] = {NO_TICKETS, UNTOLD};

	(void)state;
	for (size_t v = 0; v < ROWS(versions); v++)
		for (size_t i = 0; i < ROWS(none); i++) {
			struct guest_seen seen = visit(
			    none[i], "mx", "a.example", versions[v], NULL);
			bool any = seen.ticket != NULL &&
			           SSL_SESSION_has_ticket(seen.ticket);

			assert_true(seen.up);
			assert_false(any);
			if (versions[v] == TLS1_3_VERSION)
				assert_int_equal(seen.tickets, 0);
			SSL_SESSION_free(seen.ticket);
		}
}

/* --- the keys -------------------------------------------------------------- */

static struct ticket_key
newest(struct tls_tickets *tickets)
{
	const struct ticket_key *key = tickets_newest(tickets);

	assert_non_null(key);
	return *key;
}

/* RFC 5869 2.3, RFC 9325 3.4: rotated, and those before cannot be had any more. */
static void
keys_rotate_and_are_forgotten(void **state)
{
	struct tls_tickets *tickets = tls_tickets_new(LIFETIME, test_clock);
	struct tls_tickets *late = tls_tickets_new(LIFETIME, test_clock);
	struct tls_ticket_seed seed, moved;
	struct ticket_key keys[6];

	(void)state;
	now = 50 * HOUR;
	assert_int_equal(tls_ticket_seed_new(&seed, now), 0);
	moved = seed;
	assert_null(tickets_newest(tickets));
	tls_tickets_seed(tickets, &seed);
	for (size_t i = 0; i < ROWS(keys); i++, now += HOUR) {
		keys[i] = newest(tickets);
		assert_ptr_equal(tickets_find(tickets, keys[i].name),
		    tickets_newest(tickets));
		for (size_t j = 0; j < i; j++) {
			assert_memory_not_equal(
			    keys[i].cipher, keys[j].cipher, 32);
			/* Those of the hours of LIFETIME, and no other. */
			assert_int_equal(
			    tickets_find(tickets, keys[j].name) != NULL,
			    i - j <= 2);
		}
	}
	now -= HOUR;
	/* A process that starts now is told less, and has the same keys. */
	assert_int_equal(tls_ticket_seed_advance(&moved, now, LIFETIME), 0);
	assert_int_equal(moved.hour, 53);
	assert_memory_not_equal(moved.secret, seed.secret, TLS_TICKET_SECRET);
	tls_tickets_seed(late, &moved);
	for (size_t i = 0; i < ROWS(keys); i++) {
		const struct ticket_key *key = tickets_find(late, keys[i].name);

		assert_int_equal(key != NULL, i >= 3);
		if (key != NULL)
			assert_memory_equal(key, &keys[i], sizeof(*key));
	}
	assert_int_equal(tls_ticket_seed_advance(&moved, 0, LIFETIME), 0);
	assert_int_equal(moved.hour, 53);
	tls_tickets_free(&tickets);
	tls_tickets_free(&late);
}

/* As many as the longest life has hours, and one; however long nobody came. */
static void
a_day_of_keys_fits(void **state)
{
	struct tls_tickets *tickets = tls_tickets_new(
	    TLS_TICKET_LIFETIME_MAX + 1, test_clock);
	struct tls_ticket_seed seed;
	struct ticket_key first, last;

	(void)state;
	now = 10 * HOUR;
	assert_int_equal(tls_ticket_seed_new(&seed, now), 0);
	assert_int_equal(tickets_lifetime(tickets), 24 * HOUR);
	tls_tickets_seed(tickets, &seed);
	first = newest(tickets);
	now = 34 * HOUR;
	last = newest(tickets);
	assert_non_null(tickets_find(tickets, first.name));
	now = 35 * HOUR;
	(void)newest(tickets);
	assert_null(tickets_find(tickets, first.name));
	assert_non_null(tickets_find(tickets, last.name));
	now = 1000 * HOUR;
	(void)newest(tickets);
	assert_null(tickets_find(tickets, last.name));
	tls_tickets_free(&tickets);
}

static void
a_seed_goes_from_process_to_process(void **state)
{
	static const size_t wrong[] = {0, 1, 39, 41};
	struct tls_ticket_seed seed, back = {0};
	char bytes[64] = "";
	int fd, fds[2];

	(void)state;
	assert_int_equal(tls_ticket_seed_new(&seed, 7 * HOUR), 0);
	fd = tls_ticket_seed_give(&seed);
	assert_true(fd >= 0);
	assert_int_equal(tls_ticket_seed_take(fd, &back), 0);
	assert_int_equal(back.hour, 7);
	assert_memory_equal(back.secret, seed.secret, TLS_TICKET_SECRET);
	for (size_t i = 0; i < ROWS(wrong); i++) {
		assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
		assert_int_equal(
		    write(fds[0], bytes, wrong[i]), (ssize_t)wrong[i]);
		assert_int_equal(tls_ticket_seed_take(fds[1], &back), -1);
		(void)close(fds[0]);
	}
	assert_int_equal(back.hour, 7);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(
		a_ticket_is_bound, world_new, world_free),
	    cmocka_unit_test_setup_teardown(
		renewal_prolongs_nothing, world_new, world_free),
	    cmocka_unit_test_setup_teardown(
		tls12_renews_when_the_key_is_old, world_new, world_free),
	    cmocka_unit_test_setup_teardown(
		without_keys_there_are_none, world_new, world_free),
	    cmocka_unit_test(keys_rotate_and_are_forgotten),
	    cmocka_unit_test(a_day_of_keys_fits),
	    cmocka_unit_test(a_seed_goes_from_process_to_process),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
