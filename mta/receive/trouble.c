/* What the supervisor, and so who asks for the status, hears; see private.h. */
#include <stdio.h>

#include "base/text.h"
#include "mta/receive/private.h"

void
receive_tell_trouble(
    struct receive *receive, enum receive_part which, const char *text)
{
	/* More than the supervisor keeps. */
	char all[RECEIVE_PARTS * (RECEIVE_TROUBLE + 2)] = "";
	size_t n = 0;

	/* A longer one is cut. */
	(void)text_copy(
	    receive->trouble[which], sizeof(receive->trouble[which]), text);
	for (size_t i = 0; i < RECEIVE_PARTS; i++) {
		const char *part = receive->trouble[i];

		if (part[0] != '\0')
			n += (size_t)snprintf(all + n, sizeof(all) - n, "%s%s",
			    n == 0 ? "" : "; ", part);
	}
	role_tell_trouble(receive->role, all);
}
