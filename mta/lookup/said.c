#include "mta/lookup/said.h"

#include <stdio.h>

#include "base/text.h"

void
said_fail(struct said *said, const char *enhanced, const char *fmt, ...)
{
	char text[sizeof(said->err.text)];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	text_make_printable(text);
	*said = (struct said){.kind = ANSWER_FAILED};
	(void)err_set(&said->err, ERR_TEMP, enhanced, "%s", text);
}
