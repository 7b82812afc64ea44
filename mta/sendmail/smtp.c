/* sendmail -bs: our own server session on standard input and output. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/fd.h"
#include "mta/sendmail/drop_out.h"
#include "mta/sendmail/sendmail.h"
#include "mta/smtp/session.h"

#define CHUNK 16384u

struct talk {
	struct sendmail *sendmail;
	struct session *session;
	struct drop_out *drop;
	struct err trouble; /* with the message, told at its end */
	bool over;
};

static int
flush(struct talk *talk)
{
	struct span out = session_output(talk->session);
	int rc = fd_write_all(STDOUT_FILENO, out);

	session_sent(talk->session, out.n);
	return rc;
}

static void
on_data(struct talk *talk)
{
	struct err err;
	int rc = drop_begin(talk->sendmail->config, &talk->drop, &err);

	talk->trouble = (struct err){0};
	session_answer(talk->session, rc < 0 ? &err : NULL);
}

static void
on_body(struct talk *talk)
{
	if (talk->drop != NULL &&
	    drop_add(talk->drop, session_body(talk->session), &talk->trouble) <
		0)
		drop_abort(&talk->drop);
}

static void
on_end(struct talk *talk)
{
	char name[64] = "";

	if (talk->drop != NULL) {
		(void)snprintf(
		    name, sizeof(name), "%.12s", drop_name(talk->drop));
		if (drop_commit(&talk->drop, session_envelope(talk->session),
			&talk->trouble) == 0) {
			session_accepted(talk->session, name);
			return;
		}
	}
	session_answer(talk->session, &talk->trouble);
}

/* False: more input is needed. */
static bool
step(struct talk *talk)
{
	switch (session_next(talk->session)) {
	case SESSION_MAIL:
	case SESSION_RCPT:
		/* Who exists is judged when the daemon takes it in. */
		session_answer(talk->session, NULL);
		return true;
	case SESSION_DATA:
		on_data(talk);
		return true;
	case SESSION_BODY:
		on_body(talk);
		return true;
	case SESSION_END:
		on_end(talk);
		return true;
	case SESSION_ABORT:
		drop_abort(&talk->drop);
		return true;
	case SESSION_CLOSE:
	case SESSION_STARTTLS:
		talk->over = true;
		return false;
	case SESSION_IDLE:
	case SESSION_WAIT:
		break;
	}
	return session_output(talk->session).n > 0 && flush(talk) == 0;
}

static int
converse(struct talk *talk)
{
	char chunk[CHUNK];

	for (;;) {
		ssize_t n;

		while (step(talk))
			;
		if (flush(talk) < 0)
			return EX_IOERR;
		if (talk->over)
			return EX_OK;
		n = read(STDIN_FILENO, chunk, sizeof(chunk));
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n == 0 ? EX_OK : EX_IOERR;
		session_feed(talk->session, (struct span){chunk, (size_t)n});
	}
}

int
sendmail_smtp(struct sendmail *sendmail)
{
	const struct config *config = sendmail->config;
	struct session_setup setup = {
	    .hostname = config->hostname,
	    .client = "127.0.0.1",
	    .id = "sendmail",
	    .message_max = config->limits.message,
	    .rcpts_max = config->limits.recipients,
	    .text_line_max = config->limits.text_line,
	    .errors_max = config->limits.errors,
	    .hops_max = config->limits.hops,
	    .any_hello = true,
	};
	struct talk talk = {.sendmail = sendmail};
	int status;

	talk.session = session_new(&setup);
	status = converse(&talk);
	drop_abort(&talk.drop);
	session_free(&talk.session);
	return status;
}
