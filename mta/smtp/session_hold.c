/* When a session waits, and for whom; what it holds then; which limit ended it. */
#include "mta/smtp/session_private.h"

bool
session_held(const struct session *session)
{
	return session->held && session->step == &step_command;
}

void
session_release(struct session *session)
{
	session->held = false;
}

/* What a client has sent at once, once, is not held for good. */
void
session_rest(struct session *session)
{
	if (session_unread(session).n > 0)
		return;
	buf_clear(&session->in);
	session->at = 0;
	buf_rest(&session->in, SESSION_REST);
}

bool
session_amid(const struct session *session)
{
	if (session->step == &step_command)
		return session_unread(session).n > 0 && !session->held &&
		       session->out.n < SESSION_OUTPUT_FULL;
	return session->step == &step_data || session->step == &step_chunk ||
	       session->step == &step_drop || session->step == &step_skip;
}

bool
session_lacked_tls(const struct session *session)
{
	return session->lacked_tls;
}

enum session_limit
session_limit(const struct session *session)
{
	return session->limit;
}
