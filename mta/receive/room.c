/*
 * Room in the spool.  Without it no message is taken (452 4.3.1), and whoever
 * asks for the status hears of it, whether clients come or not.
 */
#include "base/log.h"
#include "mta/receive/private.h"

/* Of us it is the first process that tells, for all. */
static void
tell_room(struct receive *receive, const struct err *err)
{
	struct log_line line;

	log_begin(&line, receive->full ? LOG_LEVEL_ERROR : LOG_LEVEL_INFO,
	    receive->full ? "spool-full" : "spool-has-room");
	if (receive->full) {
		log_str(&line, "dsn", err->enhanced);
		log_str(&line, "reason", err->text);
	}
	log_end(&line);
	receive_tell_trouble(
	    receive, RECEIVE_ROOM, receive->full ? err->text : "");
}

void
room_look(struct receive *receive)
{
	struct err err = {0};
	bool full = queue_space(&receive->spool, 0, &err) < 0;

	if (full == receive->full || receive->role->index != 0)
		return;
	receive->full = full;
	tell_room(receive, &err);
}
