/* sendmail -bm: read, complete, drop. */
#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "mta/domain.h"
#include "mta/message/lines.h"
#include "mta/message/submit.h"
#include "mta/sendmail/drop_out.h"
#include "mta/sendmail/sendmail.h"
#include "mta/smtp/grammar.h"

#define CHUNK      65536u
#define HEADER_MAX (1u << 20)
#define NAME_MAX_N 256
#define LOGIN_MAX  64

struct letter {
	struct sendmail *sendmail;
	struct drop_out *drop;
	struct lines lines;
	struct buf text; /* read, line ends made CRLF */
	bool over;       /* the input, or its last line was a dot */
	char login[LOGIN_MAX];
	char name[NAME_MAX_N]; /* of the person */
};

/* --- Addresses --------------------------------------------------------- */

static int
on_rcpt(void *arg, const char *text, struct err *err)
{
	struct sendmail *sendmail = arg;
	struct envelope *envelope = &sendmail->envelope;
	size_t room = sendmail->rcpts_size / sizeof(envelope->rcpts[0]);
	struct address address;
	struct envelope_rcpt *rcpt;

	if (grammar_mailbox(span_of(text), PATH_FORWARD, &address, err) < 0)
		return -1;
	for (size_t i = 0; i < envelope->nrcpts; i++)
		if (strcmp(envelope->rcpts[i].address, address.text) == 0)
			return 0;
	if (envelope->nrcpts >= sendmail->config->limits.recipients)
		return err_set(err, ERR_PERM, "5.5.3", "too many recipients");
	if (envelope->nrcpts == room) {
		size_t size = 2 * sendmail->rcpts_size +
		              16 * sizeof(envelope->rcpts[0]);

		envelope->rcpts = mem_grow(
		    envelope->rcpts, sendmail->rcpts_size, size);
		sendmail->rcpts_size = size;
	}
	rcpt = &envelope->rcpts[envelope->nrcpts];
	rcpt->address = arena_strndup(
	    sendmail->arena, address.text, strlen(address.text));
	rcpt->orcpt = "";
	rcpt->notify = sendmail->notify;
	if (rcpt->address == NULL)
		return err_set(err, ERR_PERM, "5.5.3", "too many recipients");
	envelope->nrcpts++;
	envelope->smtputf8 |= address.utf8;
	return 0;
}

static int
on_sender(void *arg, const char *text, struct err *err)
{
	struct sendmail *sendmail = arg;
	struct address address;

	if (grammar_mailbox(span_of(text), PATH_REVERSE, &address, err) < 0)
		return -1;
	sendmail->envelope.sender = arena_strndup(
	    sendmail->arena, address.text, strlen(address.text));
	sendmail->envelope.smtputf8 |= address.utf8;
	return 0;
}

/* Whose message it is, as the system knows him. */
static void
find_person(struct letter *letter)
{
	struct passwd pw, *found = NULL;
	char strings[4096];
	uid_t uid = getuid();

	if (getpwuid_r(uid, &pw, strings, sizeof(strings), &found) != 0 ||
	    found == NULL) {
		(void)snprintf(letter->login, sizeof(letter->login), "uid%u",
		    (unsigned)uid);
		return;
	}
	(void)text_copy(letter->login, sizeof(letter->login), pw.pw_name);
	(void)snprintf(letter->name, sizeof(letter->name), "%.*s",
	    (int)strcspn(pw.pw_gecos, ","), pw.pw_gecos);
}

static int
find_sender(struct letter *letter, struct err *err)
{
	struct sendmail *sendmail = letter->sendmail;
	const char *from = sendmail->from;

	find_person(letter);
	if (sendmail->name != NULL)
		(void)text_copy(
		    letter->name, sizeof(letter->name), sendmail->name);
	else if (from != NULL)
		letter->name[0] = '\0'; /* that of somebody else */
	if (from != NULL && (from[0] == '\0' || strcmp(from, "<>") == 0))
		return 0;
	return addresses_read(span_of(from == NULL ? letter->login : from),
	    sendmail->config->hostname, on_sender, sendmail, err);
}

static int
read_operands(struct sendmail *sendmail, struct err *err)
{
	for (int i = 0; i < sendmail->argc; i++)
		if (addresses_read(span_of(sendmail->argv[i]),
			sendmail->config->hostname, on_rcpt, sendmail, err) < 0)
			return -1;
	return 0;
}

/* --- Text -------------------------------------------------------------- */

static int
read_some(struct letter *letter, struct err *err)
{
	char chunk[CHUNK];
	ssize_t n;
	int rc;

	do
		n = read(STDIN_FILENO, chunk, sizeof(chunk));
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return err_set(err, ERR_TEMP, "4.3.0", "standard input: %s",
		    strerrordesc_np(errno));
	rc = n == 0 ? lines_finish(&letter->lines, &letter->text)
	            : lines_feed(&letter->lines,
			  (struct span){chunk, (size_t)n}, &letter->text);
	letter->over = n == 0 || letter->lines.place == LINES_ENDED;
	return rc == 0
	           ? 0
	           : err_set(err, ERR_PERM, "5.3.4", "the header is too large");
}

static int
write_header(
    struct letter *letter, const struct submit_parts *parts, struct err *err)
{
	struct sendmail *sendmail = letter->sendmail;
	const char *sender = sendmail->envelope.sender;
	char own[LOGIN_MAX + DOMAIN_MAX + 2];
	struct submit submit = {
	    .hostname = sendmail->config->hostname,
	    .from = sender[0] == '\0' ? own : sender,
	    .name = letter->name,
	    .id = drop_name(letter->drop),
	    .now = clock_wall(),
	    .found = sendmail->header ? on_rcpt : NULL,
	    .arg = sendmail,
	};
	struct buf out;
	int rc;

	(void)snprintf(own, sizeof(own), "%s@%s", letter->login,
	    sendmail->config->hostname);
	buf_init(&out, 2 * (size_t)HEADER_MAX);
	rc = submit_header(
	    span_first(
		span_from(buf_span(&letter->text), parts->skip), parts->head),
	    &submit, &out, err);
	if (rc == 0)
		rc = drop_add(letter->drop, buf_span(&out), err);
	buf_free(&out);
	return rc;
}

static int
copy_header(struct letter *letter, struct err *err)
{
	struct submit_parts parts;

	while (!submit_split(buf_span(&letter->text), letter->over, &parts))
		if (read_some(letter, err) < 0)
			return -1;
	if (write_header(letter, &parts, err) < 0)
		return -1;
	buf_shift(&letter->text, parts.body);
	return 0;
}

static int
copy_body(struct letter *letter, struct err *err)
{
	for (;;) {
		if (drop_add(letter->drop, buf_span(&letter->text), err) < 0)
			return -1;
		buf_clear(&letter->text);
		if (letter->over)
			return 0;
		if (read_some(letter, err) < 0)
			return -1;
	}
}

static int
copy_message(struct letter *letter, struct err *err)
{
	struct sendmail *sendmail = letter->sendmail;

	if (drop_begin(sendmail->config, &letter->drop, err) < 0 ||
	    copy_header(letter, err) < 0)
		return -1;
	if (sendmail->envelope.nrcpts == 0)
		return 0;
	if (copy_body(letter, err) < 0)
		return -1;
	/* RFC 6152 2 */
	if (letter->lines.eight_bit)
		sendmail->envelope.body = BODY_8BITMIME;
	return drop_commit(&letter->drop, &sendmail->envelope, err);
}

static int
send_letter(struct letter *letter)
{
	struct sendmail *sendmail = letter->sendmail;
	struct err err = {0};

	if (find_sender(letter, &err) < 0 || read_operands(sendmail, &err) < 0)
		return sendmail_failed(&err);
	if (sendmail->argc == 0 && !sendmail->header) {
		(void)fputs("sendmail: no recipients were named\n", stderr);
		return EX_USAGE;
	}
	if (copy_message(letter, &err) < 0)
		return sendmail_failed(&err);
	if (sendmail->envelope.nrcpts > 0)
		return EX_OK;
	(void)fputs("sendmail: the header names no recipients\n", stderr);
	return EX_USAGE;
}

int
sendmail_message(struct sendmail *sendmail)
{
	struct letter letter = {
	    .sendmail = sendmail,
	    .lines = {.dot_ends = !sendmail->dots},
	};
	int status;

	buf_init(&letter.text, HEADER_MAX + 2 * (size_t)CHUNK);
	status = send_letter(&letter);
	drop_abort(&letter.drop);
	buf_free(&letter.text);
	mem_free(sendmail->envelope.rcpts);
	return status;
}
