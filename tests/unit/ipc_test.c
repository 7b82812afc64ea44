#include <string.h>

#include "base/mem.h"
#include "mta/ipc_event.h"
#include "mta/ipc_sandbox.h"
#include "mta/net/channel.h"

#include "tests/support/test.h"

static struct buf
new_buf(void)
{
	struct buf buf;

	buf_init(&buf, CHANNEL_MESSAGE_MAX);
	return buf;
}

static void
what_confines_comes_back(void **state)
{
	static const struct ipc_sandbox rows[] = {
	    {true, false, SECCOMP_NONE, 0},
	    {false, true, SECCOMP_LOGS, 1},
	    {true, true, SECCOMP_ENFORCES, 6},
	};
	struct buf out = new_buf();
	struct ipc_sandbox back;

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		buf_clear(&out);
		ipc_put_sandbox(&out, &rows[i]);
		back = (struct ipc_sandbox){0};
		assert_true(ipc_take_sandbox(buf_span(&out), &back));
		assert_int_equal(back.no_new_privs, rows[i].no_new_privs);
		assert_int_equal(back.not_dumpable, rows[i].not_dumpable);
		assert_int_equal(back.seccomp, rows[i].seccomp);
		assert_int_equal(back.landlock, rows[i].landlock);
	}
	assert_false(
	    ipc_take_sandbox(span_first(buf_span(&out), out.n - 1), &back));
	for (size_t i = 0; i < 3; i++) {
		char was = out.p[i];

		out.p[i] = 3;
		assert_false(ipc_take_sandbox(buf_span(&out), &back));
		out.p[i] = was;
	}
	assert_int_equal(buf_add(&out, SPAN("x")), 0);
	assert_false(ipc_take_sandbox(buf_span(&out), &back));
	buf_free(&out);
}

static void
small_messages_come_back(void **state)
{
	struct ipc_peer peer = {ROLE_DELIVER, 7, 4242}, peer_back = {0};
	struct ipc_segment segment = {1ULL << 40, 99}, segment_back = {0};
	struct ipc_held held = {true, 5, {3, 8}, 2}, held_back = {0};
	struct ipc_ask ask = {9, true, SPAN("{\"a\":1}")}, ask_back = {0};
	struct ipc_dane dane = {{99, 1ULL << 40}}, dane_back = {0};
	struct ipc_dnssec dnssec = {DNS_NO_ANCHOR, SPAN("because")},
			  dnssec_back = {0};
	struct buf out = new_buf();
	uint64_t message = 0;
	uint32_t ms = 0;
	uint16_t first = 0;

	(void)state;
	ipc_put_peer(&out, &peer);
	assert_true(ipc_take_peer(buf_span(&out), &peer_back));
	assert_int_equal(peer_back.kind, ROLE_DELIVER);
	assert_int_equal(peer_back.index, 7);
	assert_int_equal(peer_back.pid, 4242);
	buf_clear(&out);
	ipc_put_segment(&out, &segment);
	assert_true(ipc_take_segment(buf_span(&out), &segment_back));
	assert_true(segment_back.number == 1ULL << 40);
	assert_true(segment_back.end == 99);
	buf_clear(&out);
	ipc_put_held(&out, &held);
	assert_true(ipc_take_held(buf_span(&out), &held_back));
	assert_true(held_back.last);
	assert_int_equal(held_back.nrcpts, 2);
	assert_int_equal(held_back.rcpts[1], 8);
	buf_clear(&out);
	ipc_put_ask(&out, &ask);
	assert_true(ipc_take_ask(buf_span(&out), &ask_back));
	assert_true(span_eq(ask_back.text, ask.text));
	buf_clear(&out);
	ipc_put_dane(&out, &dane);
	assert_true(ipc_take_dane(buf_span(&out), &dane_back));
	assert_true(dane_back.until.wall == 99);
	assert_true(dane_back.until.mono_ms == 1ULL << 40);
	assert_false(
	    ipc_take_dane(span_first(buf_span(&out), out.n - 1), &dane_back));
	buf_clear(&out);
	ipc_put_dnssec(&out, &dnssec);
	assert_true(ipc_take_dnssec(buf_span(&out), &dnssec_back));
	assert_int_equal(dnssec_back.ability, DNS_NO_ANCHOR);
	assert_true(span_eq(dnssec_back.why, dnssec.why));
	buf_clear(&out);
	ipc_put_settled(&out, 77, 8);
	assert_true(ipc_take_settled(buf_span(&out), &message, &first));
	assert_true(message == 77 && first == 8);
	buf_clear(&out);
	ipc_put_drain(&out, 1500);
	assert_true(ipc_take_drain(buf_span(&out), &ms));
	assert_int_equal(ms, 1500);
	buf_free(&out);
}

static void
what_became_of_a_report_comes_back(void **state)
{
	struct ipc_reported word = {.ticket = "tlsrpt-20785-1-a.example",
	    .outcome = OUTCOME_RETRY,
	    .why = "451 later"};
	struct ipc_reported back;
	struct buf out = new_buf();

	(void)state;
	ipc_put_reported(&out, &word);
	assert_true(ipc_take_reported(buf_span(&out), &back));
	assert_string_equal(back.ticket, word.ticket);
	assert_string_equal(back.why, word.why);
	assert_int_equal(back.outcome, OUTCOME_RETRY);
	for (size_t n = 0; n < out.n; n++)
		assert_false(ipc_take_reported((struct span){out.p, n}, &back));
	out.p[0] = OUTCOME_UNTRIED + 1;
	assert_false(ipc_take_reported(buf_span(&out), &back));
	out.p[0] = OUTCOME_RETRY;
	out.p[out.n - 1] = '\0'; /* a text that ends before it does */
	assert_false(ipc_take_reported(buf_span(&out), &back));
	buf_free(&out);
}

static void
a_job_comes_back_and_is_never_cut(void **state)
{
	struct ipc_job *job = mem_new(sizeof(*job));
	struct ipc_job *back = mem_new(sizeof(*back));
	struct buf out = new_buf();

	(void)state;
	job->message = 1;
	job->segment = 2;
	job->offset = 3;
	job->attempts = 4;
	job->target = SPAN("mx:example.org");
	job->nrcpts = 2;
	job->rcpts[0] = 5;
	job->rcpts[1] = 65535;
	ipc_put_job(&out, job);
	assert_true(ipc_take_job(buf_span(&out), back));
	assert_true(span_eq(back->target, job->target));
	assert_int_equal(back->nrcpts, 2);
	assert_int_equal(back->rcpts[1], 65535);
	for (size_t n = 0; n < out.n; n++)
		assert_false(ipc_take_job(span_first(buf_span(&out), n), back));
	assert_int_equal(buf_add(&out, SPAN("x")), 0);
	assert_false(ipc_take_job(buf_span(&out), back));
	buf_free(&out);
	mem_free(job);
	mem_free(back);
}

static void
a_result_comes_back_and_is_never_cut(void **state)
{
	struct ipc_result *result = mem_new(sizeof(*result));
	struct ipc_result *back = mem_new(sizeof(*back));
	struct buf out = new_buf();
	char words[IPC_TLS_MAX + 20];

	(void)state;
	result->message = 1;
	result->remote = SPAN("mx.example.org");
	result->tls = SPAN("dane/TLSv1.3/tlsa/dane-usable");
	result->nrcpts = 2;
	result->rcpts[0].outcome = OUTCOME_DELIVERED;
	result->rcpts[0].reply = SPAN("250 fine");
	result->rcpts[1].ordinal = 1;
	result->rcpts[1].outcome = OUTCOME_FAILED;
	(void)err_set(&result->rcpts[1].err, ERR_PERM, "5.1.1", "nobody here");
	ipc_put_result(&out, result);
	assert_true(ipc_take_result(buf_span(&out), back));
	assert_int_equal(back->rcpts[0].outcome, OUTCOME_DELIVERED);
	assert_int_equal(back->rcpts[1].outcome, OUTCOME_FAILED);
	assert_int_equal(back->rcpts[1].err.kind, ERR_PERM);
	assert_string_equal(back->rcpts[1].err.enhanced, "5.1.1");
	assert_string_equal(back->rcpts[1].err.text, "nobody here");
	assert_true(span_eq(back->remote, result->remote));
	assert_true(span_eq(back->tls, result->tls));
	for (size_t n = 0; n < out.n; n++)
		assert_false(
		    ipc_take_result(span_first(buf_span(&out), n), back));
	/* The decision about TLS is cut to fit, the rest is not touched. */
	memset(words, 'w', sizeof(words));
	result->tls = (struct span){words, sizeof(words)};
	buf_clear(&out);
	ipc_put_result(&out, result);
	assert_true(ipc_take_result(buf_span(&out), back));
	assert_int_equal(back->tls.n, IPC_TLS_MAX);
	assert_int_equal(back->nrcpts, 2);
	buf_free(&out);
	mem_free(result);
	mem_free(back);
}

/* A text of this result with a NUL within: what it says is nobody's word. */
static bool
takes_with_nul_after(struct buf *out, const char *text)
{
	struct ipc_result *back = mem_new(sizeof(*back));
	char *at = memmem(out->p, out->n, text, strlen(text));
	bool taken;
	char was;

	assert_non_null(at);
	was = at[2];
	at[2] = '\0';
	taken = ipc_take_result(buf_span(out), back);
	at[2] = was;
	assert_true(ipc_take_result(buf_span(out), back));
	mem_free(back);
	return taken;
}

static void
a_nul_in_a_text_of_a_result_is_refused(void **state)
{
	struct ipc_result *result = mem_new(sizeof(*result));
	struct buf out = new_buf();

	(void)state;
	result->message = 1;
	result->remote = SPAN("mx.example.org");
	result->tls = SPAN("dane/TLSv1.3/tlsa/dane-usable");
	result->nrcpts = 1;
	result->rcpts[0].outcome = OUTCOME_FAILED;
	result->rcpts[0].reply = SPAN("550 no");
	(void)err_set(&result->rcpts[0].err, ERR_PERM, "5.1.1", "nobody here");
	ipc_put_result(&out, result);
	assert_false(takes_with_nul_after(&out, "mx.example"));
	assert_false(takes_with_nul_after(&out, "dane/"));
	assert_false(takes_with_nul_after(&out, "5.1.1"));
	assert_false(takes_with_nul_after(&out, "nobody"));
	assert_false(takes_with_nul_after(&out, "550 no"));
	buf_free(&out);
	mem_free(result);
}

static void
values_outside_their_range_are_refused(void **state)
{
	struct ipc_job *job = mem_new(sizeof(*job));
	struct ipc_peer peer = {ROLE_DELIVER, 0, 0};
	struct ipc_dnssec dnssec = {DNS_ABLE, SPAN("because")};
	struct buf out = new_buf();

	(void)state;
	ipc_put_peer(&out, &peer);
	out.p[0] = 17; /* no such role */
	assert_false(ipc_take_peer(buf_span(&out), &peer));
	buf_clear(&out);
	ipc_put_dnssec(&out, &dnssec);
	assert_true(ipc_take_dnssec(buf_span(&out), &dnssec));
	out.p[0] = DNS_ABLE + 1; /* no such ability */
	assert_false(ipc_take_dnssec(buf_span(&out), &dnssec));
	buf_clear(&out);
	job->nrcpts = 0; /* a job for nobody */
	ipc_put_job(&out, job);
	assert_false(ipc_take_job(buf_span(&out), job));
	buf_free(&out);
	mem_free(job);
}

static void
a_forgotten_outcome_keeps_the_message(void **state)
{
	struct ipc_rcpt_result zero = {0};

	(void)state;
	assert_int_equal(zero.outcome, OUTCOME_RETRY);
	assert_string_equal(ipc_outcome_name(zero.outcome), "deferred");
	assert_int_equal(role_kind_find("deliver"), ROLE_DELIVER);
	assert_int_equal(role_kind_find("root"), ROLE_NONE);
}

/* RFC 1035 2.3.4: 253 octets as text. */
static void
the_domain_of_an_event_has_an_end(void **state)
{
	static const struct report_policy none = {
	    .type = POLICY_TYPE_NONE, .domain = "a.example"};
	struct report_event event = {
	    .day = 20785, .policy = &none, .sessions = 1};

	(void)state;
	for (size_t n = 253; n <= 254; n++) {
		struct arena *arena = arena_new(65536);
		const struct report_event *back;
		char domain[255];
		struct buf out;

		memset(domain, 'a', n);
		domain[n] = '\0';
		event.domain = domain;
		buf_init(&out, 65536);
		assert_int_equal(ipc_put_event(&out, &event), 0);
		back = ipc_take_event(buf_span(&out), arena);
		assert_int_equal(back != NULL, n == 253);
		buf_free(&out);
		arena_free(&arena);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_confines_comes_back),
	    cmocka_unit_test(small_messages_come_back),
	    cmocka_unit_test(what_became_of_a_report_comes_back),
	    cmocka_unit_test(a_job_comes_back_and_is_never_cut),
	    cmocka_unit_test(a_result_comes_back_and_is_never_cut),
	    cmocka_unit_test(a_nul_in_a_text_of_a_result_is_refused),
	    cmocka_unit_test(values_outside_their_range_are_refused),
	    cmocka_unit_test(the_domain_of_an_event_has_an_end),
	    cmocka_unit_test(a_forgotten_outcome_keeps_the_message),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
