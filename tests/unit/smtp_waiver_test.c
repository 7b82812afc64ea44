/* The field TLS-Required in a message that comes in (RFC 8689 3, 4.1). */
#include "tests/support/smtp_play.h"
#include "tests/support/test.h"

#define HELLO "EHLO me.example\r\n"
#define DATA  "MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\n"

#define NO "TLS-Required: No\r\n"

static const struct {
	const char *rule;
	const char *message;
	enum tls_wish wish;
} waivers[] = {
    {"RFC 8689 3: No", "a: b\r\n" NO "c: d\r\n\r\n", TLS_WISH_WAIVED},
    {"RFC 8689 3: first, without a blank, in any case",
	"tls-REQUIRED:nO\r\n\r\n", TLS_WISH_WAIVED},
    {"RFC 8689 3: folded", "TLS-Required:\r\n\tNo \r\n\r\n", TLS_WISH_WAIVED},
    {"RFC 8689 3: the header may be all", NO, TLS_WISH_WAIVED},
    {"RFC 8689 3: another word", "TLS-Required: Yes\r\n\r\n", TLS_WISH_NONE},
    {"RFC 8689 3: more words", "TLS-Required: No no\r\n\r\n", TLS_WISH_NONE},
    {"RFC 8689 3: a longer word", "TLS-Required: Nobody\r\n\r\n",
	TLS_WISH_NONE},
    {"RFC 8689 3: a word in two lines", "TLS-Required: N\r\n o\r\n\r\n",
	TLS_WISH_NONE},
    {"RFC 8689 3: a comment", "TLS-Required: No (why)\r\n\r\n", TLS_WISH_NONE},
    {"RFC 8689 3: more in the next line", "TLS-Required: No\r\n x\r\n\r\n",
	TLS_WISH_NONE},
    {"RFC 8689 3: no word", "TLS-Required:\r\nNo: x\r\n\r\n", TLS_WISH_NONE},
    {"RFC 8689 3: no colon", "TLS-Required No\r\n\r\n", TLS_WISH_NONE},
    {"RFC 8689 3: a blank before the colon", "TLS-Required : No\r\n\r\n",
	TLS_WISH_NONE},
    {"RFC 8689 3: another field", "X-TLS-Required: No\r\n\r\n", TLS_WISH_NONE},
    {"RFC 5322 2.2.3: inside of another field",
	"Subject: x\r\n TLS-Required: No\r\n\r\n", TLS_WISH_NONE},
    {"RFC 8689 3: a name in two lines", "TLS-Req\r\n uired: No\r\n\r\n",
	TLS_WISH_NONE},
    {"RFC 8689 3: twice", NO NO "\r\n", TLS_WISH_NONE},
    {"RFC 8689 3: once No and once Yes", NO "TLS-Required: Yes\r\n\r\n",
	TLS_WISH_NONE},
    {"RFC 8689 3: once No and once nothing", NO "TLS-Required:\r\n\r\n",
	TLS_WISH_NONE},
    {"RFC 8689 3: in the body", "a: b\r\n\r\n" NO, TLS_WISH_NONE},
};

static void
check_waiver(size_t i, bool tls, size_t step)
{
	struct session_setup setup = play_setup();
	struct play play = {0};
	enum tls_wish wish = tls ? TLS_WISH_REQUIRED : waivers[i].wish;

	play_begin(&play, &setup);
	if (tls)
		play_feed(&play, SPAN("EHLO x\r\nSTARTTLS\r\n"), 0);
	play_feed(&play, SPAN("EHLO x\r\nMAIL FROM:<a@b>"), 0);
	play_feed(&play, tls ? SPAN(" REQUIRETLS\r\n") : SPAN("\r\n"), 0);
	play_feed(&play, SPAN("RCPT TO:<c@d>\r\nDATA\r\n"), 0);
	play_feed(&play, span_of(waivers[i].message), step);
	play_feed(&play, SPAN(".\r\n"), 0);
	if (play.messages.n == 0 || play.wish != wish)
		fail_msg("%s (step %zu, tls %d): %d", waivers[i].rule, step,
		    tls, (int)play.wish);
	play_end(&play);
}

/* RFC 8689 4.1: the header counts where the parameter was not given. */
static void
a_header_waives_tls(void **state)
{
	(void)state;
	for (size_t i = 0; i < ROWS(waivers); i++) {
		check_waiver(i, false, 0);
		check_waiver(i, false, 1);
		check_waiver(i, false, 3);
		check_waiver(i, true, 0);
	}
}

/* RFC 8689 4.1: what one message waived was not waived for the next. */
static void
a_waiver_is_of_one_message(void **state)
{
	struct session_setup setup = play_setup();
	struct play play = {0};

	(void)state;
	play_begin(&play, &setup);
	play_feed(&play, SPAN(HELLO DATA NO "\r\n.\r\n"), 0);
	assert_int_equal(play.wish, TLS_WISH_WAIVED);
	play_feed(&play, SPAN(DATA "a: b\r\n\r\n.\r\n"), 0);
	assert_int_equal(play.wish, TLS_WISH_NONE);
	play_end(&play);
}

/* RFC 3030 2: a message in chunks has the same header. */
static void
chunks_have_a_header_too(void **state)
{
	struct session_setup setup = play_setup();
	struct play play = {0};

	(void)state;
	play_begin(&play, &setup);
	play_feed(&play,
	    SPAN(HELLO "MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nBDAT 8\r\nTLS-Requ"
		       "BDAT 12 LAST\r\nired: No\r\n\r\n"),
	    0);
	assert_int_equal(play.messages.n, 21);
	assert_int_equal(play.wish, TLS_WISH_WAIVED);
	play_end(&play);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_header_waives_tls),
	    cmocka_unit_test(a_waiver_is_of_one_message),
	    cmocka_unit_test(chunks_have_a_header_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
