/* The part for people: what happened, and what they can do. */
#include "base/clock.h"
#include "base/text.h"
#include "mta/message/dsn_private.h"

#define INDENT "    "

/* RFC 3463 3; the first whose code the status has. */
static const struct dsn_meaning meanings[] = {
    {"1.1", "There is no mailbox of that name.",
	"Check the spelling of the address, or ask its owner another way."},
    {"1.2", "There is no such domain, or it has no mail server.",
	"Check the spelling of what stands behind the \"@\"."},
    {"1.3", "The address is not written the way addresses are.",
	"Check the spelling of the address."},
    {"1.6", "The mailbox has moved and left no new address.",
	"Ask its owner another way."},
    {"1.8", "The other server did not like your address.",
	"Ask the administrator of your own mail server."},
    {"1.10", "This domain says that it takes no mail at all.",
	"Ask the owner of the address for another one."},
    {"2.1", "The mailbox is switched off.", "Ask its owner another way."},
    {"2.2", "The mailbox is full.",
	"Try again later, or tell its owner another way."},
    {"2.3", "The message is too big for that mailbox.",
	"Send it in parts, or send a link to what was attached."},
    {"3.1", "The other server has no room left.", "Try again later."},
    {"3.4", "The message is too big for the other server.",
	"Send it in parts, or send a link to what was attached."},
    {"4.1", "The other server could not be reached.", "Try again later."},
    {"4.2", "The connection to the other server broke.", "Try again later."},
    {"4.3",
	"The domain's mail servers could not be found out: the lookup in "
	"the DNS failed.",
	"Try again later; should it go on, the owner of the domain has to "
	"repair it."},
    {"4.4", "There is no way to the domain's mail servers.",
	"Tell its owner another way."},
    {"4.6", "The message was going round in circles.",
	"Tell the owner of the address: a forwarding leads back to itself."},
    {"4.7", "The time for trying has run out.", "Try again later."},
    {"6.3", "The other server cannot take the form this message has.",
	"Send it as plain text."},
    {"6.7",
	"The other server cannot take addresses with letters beyond "
	"ASCII.",
	"Use another address of the recipient, if there is one."},
    {"7.1", "The other server refused the message; its answer may say why.",
	"Ask the recipient another way to let your messages in."},
    {"7.5",
	"The other server could not prove who it is, or could not be "
	"asked for the proof.",
	"Its owner has to repair that; tell them another way."},
    {"7.10",
	"The message must travel encrypted, and the other server does "
	"not make that possible.",
	"Send it without that requirement, or choose another way."},
    {"7.30",
	"The message must travel encrypted all the way (REQUIRETLS), "
	"and the other server cannot promise that.",
	"Send it without that requirement, or choose another way."},
};

static const struct dsn_meaning of_class[] = {
    {"1.", "Something is wrong with the address.",
	"Check the spelling of the address."},
    {"2.", "The mailbox did not take the message.",
	"Try again later, or tell its owner another way."},
    {"3.", "The other server did not take the message.", "Try again later."},
    {"4.", "The other server could not be reached.", "Try again later."},
    {"5.", "The other server and this one did not understand each other.",
	"Try again later; should it go on, tell the postmaster."},
    {"6.", "The other server cannot take the form this message has.",
	"Send it as plain text."},
    {"7.", "The other server refused the message; its answer may say why.",
	"Ask the recipient another way to let your messages in."},
    {"", "The message was not taken.",
	"The answer of the other server may say why."},
};

const struct dsn_meaning *
dsn_meaning(const char *status)
{
	const char *code = dsn_is_status(status) ? status + 2 : "0.0";
	size_t i = 0;

	for (; i < sizeof(meanings) / sizeof(meanings[0]); i++)
		if (strcmp(meanings[i].code, code) == 0)
			return &meanings[i];
	for (i = 0;
	     strncmp(of_class[i].code, code, strlen(of_class[i].code)) != 0;
	     i++)
		continue;
	return &of_class[i];
}

static size_t
count(const struct dsn *dsn, enum dsn_action action)
{
	size_t n = 0;

	for (size_t i = 0; i < dsn->nrcpts; i++)
		n += dsn->rcpts[i].action == action;
	return n;
}

static void
put_paragraph(struct dsn_out *out, const char *label, struct span text)
{
	dsn_put(out, "%s%s", INDENT, label);
	dsn_put_wrapped(out, text, strlen(INDENT) + strlen(label), INDENT);
	dsn_put(out, "\r\n");
}

/* What was said, by whom. */
static void
put_diagnostic(const struct dsn_rcpt *rcpt, struct dsn_out *out)
{
	struct span reply = span_first(rcpt->diagnostic, DSN_REPLY_MAX);
	struct span server = span_first(
	    span_of(rcpt->remote_mta), DSN_NAME_MAX);

	if (reply.n == 0)
		return;
	if (server.n == 0) {
		put_paragraph(out, "In detail: ", reply);
		return;
	}
	dsn_put(out, "%sThe server ", INDENT);
	dsn_put_wrapped(out, server, 15, INDENT);
	dsn_put(out, " said:\r\n");
	put_paragraph(out, "", reply);
}

static void
put_recipient(
    const struct dsn *dsn, const struct dsn_rcpt *rcpt, struct dsn_out *out)
{
	const struct dsn_meaning *meaning = dsn_meaning(rcpt->status);
	char spent[CLOCK_WORDS_SIZE];

	dsn_put(out, "\r\n  <");
	dsn_put_clean(out, span_of(rcpt->rcpt->address));
	dsn_put(out, ">\r\n");
	if (rcpt->action != DSN_FAILED && rcpt->action != DSN_DELAYED)
		return;
	put_paragraph(out, "", span_of(meaning->means));
	put_diagnostic(rcpt, out);
	if (rcpt->action == DSN_DELAYED)
		return;
	if (rcpt->status[0] == '4') {
		clock_words(dsn->now - dsn->envelope->arrived, spent);
		dsn_put(out,
		    "%sIt was tried for %s and will not be tried again.\r\n",
		    INDENT, spent);
	}
	put_paragraph(out, "What to do: ", span_of(meaning->remedy));
}

static void
put_group(const struct dsn *dsn, enum dsn_action action, const char *words,
    struct dsn_out *out)
{
	if (count(dsn, action) == 0)
		return;
	dsn_put(out, "\r\n%s\r\n", words);
	for (size_t i = 0; i < dsn->nrcpts; i++)
		if (dsn->rcpts[i].action == action)
			put_recipient(dsn, &dsn->rcpts[i], out);
}

/* The latest moment at which a delayed recipient is given up. */
static void
put_patience(const struct dsn *dsn, struct dsn_out *out)
{
	char date[CLOCK_RFC5322_SIZE];
	int64_t until = 0;

	if (count(dsn, DSN_DELAYED) == 0)
		return;
	for (size_t i = 0; i < dsn->nrcpts; i++)
		if (dsn->rcpts[i].action == DSN_DELAYED &&
		    dsn->rcpts[i].retry_until > until)
			until = dsn->rcpts[i].retry_until;
	dsn_put(out, "\r\nYou need not do anything: it is tried again and "
		     "again");
	if (until != 0) {
		clock_rfc5322(until, date);
		dsn_put(out, "\r\nuntil %s", date);
	}
	dsn_put(out, ".\r\nShould it fail in the end, you will be told.\r\n");
}

static void
put_end(const struct dsn *dsn, struct dsn_out *out)
{
	dsn_put(out, "\r\n%s\r\n",
	    dsn->whole ? "Your message is enclosed."
		       : "The header of your message is enclosed.");
	if (count(dsn, DSN_FAILED) > 0)
		dsn_put(out,
		    "If you need help, send this whole report to\r\n"
		    "postmaster@%s.\r\n",
		    dsn->hostname);
}

void
dsn_words(const struct dsn *dsn, struct dsn_out *out)
{
	char date[CLOCK_RFC5322_SIZE];

	clock_rfc5322(dsn->envelope->arrived, date);
	dsn_put(out,
	    "This is the mail server %s.\r\n"
	    "It took a message from you on %s.\r\n",
	    dsn->hostname, date);
	put_group(
	    dsn, DSN_FAILED, "The message could not be delivered to", out);
	put_group(
	    dsn, DSN_DELAYED, "The message could not be delivered yet to", out);
	put_patience(dsn, out);
	put_group(dsn, DSN_RELAYED,
	    "The message was passed on to a server that sends no such "
	    "reports, for",
	    out);
	put_group(dsn, DSN_EXPANDED,
	    "The message was passed on to all for whom this address stands;\r\n"
	    "whether it reached each of them is not told:",
	    out);
	put_group(dsn, DSN_DELIVERED, "The message is in the mailbox of", out);
	put_end(dsn, out);
}
