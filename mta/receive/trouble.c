/* What the supervisor, and so who asks for the status, hears; see private.h. */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "mta/receive/private.h"

void
receive_tell_trouble(
    struct receive *receive, enum receive_part which, const char *text)
{
	const char *filters = receive->trouble[RECEIVE_FILTERS];
	const char *room = receive->trouble[RECEIVE_ROOM];
	/* More than the supervisor keeps: "; " between two. */
	char both[2 * RECEIVE_TROUBLE + 2];

	/* A longer one is cut. */
	(void)text_copy(
	    receive->trouble[which], sizeof(receive->trouble[which]), text);
	(void)snprintf(both, sizeof(both), "%s%s%s", room,
	    room[0] == '\0' || filters[0] == '\0' ? "" : "; ", filters);
	role_tell_trouble(receive->role, both);
}
