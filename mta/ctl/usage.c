/* See usage.h. */
#include "mta/ctl/usage.h"

#include <string.h>

#include "base/span.h"

void
usage_write(FILE *to, const struct command *commands, size_t n)
{
	(void)fputs(
	    "usage: danelaw [-c FILE] [-s SOCKET] [--json] COMMAND\n\n", to);
	for (size_t i = 0; i < n; i++)
		(void)fprintf(to, "  %-12s %-20s %s\n", commands[i].name,
		    commands[i].operands, commands[i].does);
	(void)fputs("\n"
		    "  -c FILE      configuration (" COMMAND_FILE ")\n"
		    "  -s SOCKET    control socket (as the configuration "
		    "says)\n"
		    "  --json       one JSON object a line\n"
		    "  --limit N    list at most N\n"
		    "\n"
		    "Instead of ID and TARGET, or to list less:\n"
		    "  --sender ADDRESS, --recipient ADDRESS (\"@domain\" for "
		    "all of it),\n"
		    "  --destination TARGET, --reason WORDS, --state STATE,\n"
		    "  --older TIME, --newer TIME (\"90s\", \"15m\", "
		    "\"2h\", \"5d\")\n"
		    "  --dry-run    only count what would be done\n"
		    "\n"
		    "For \"dane off\": --for TIME, at most 7d (a number "
		    "alone is seconds),\n"
		    "  and --reason TEXT.\n"
		    "For \"reload\": --force takes certificates that do not "
		    "fit what is published, too.\n"
		    "For \"audit summary\": --since DAY or TIME ago "
		    "(\"2026-11-20\", \"7d\").\n"
		    "For \"report received\" and \"report list\": --since "
		    "likewise; for\n"
		    "  \"report show\" and \"report send\": --day DAY, "
		    "likewise.\n"
		    "For \"report ingest\", \"forget\" and \"advise\": "
		    "--unsigned takes what no DKIM\n"
		    "  signature vouches for.\n"
		    "For \"explain\" and \"probe\": --mail requiretls, or "
		    "--mail tls-required-no:\n"
		    "  a message that asks for that.\n"
		    "\n"
		    "Exit status: 0 fine, 1 found wanting, 2 usage.\n",
	    to);
}

/* --- of one command ------------------------------------------------------- */

static const struct {
	unsigned takes;
	const char *text;
	const char *of; /* which verbs, where there are others, too */
} lines[] = {
    {TAKES_JSON, "--json             one JSON object a line", ""},
    {TAKES_ALL, "--all              all of them", " (forget)"},
    {TAKES_SINCE,
	"--since DAY|TIME   from that day on (\"2026-11-20\", \"7d\")", ""},
    {TAKES_DAY, "--day DAY|TIME     of that day", " (show and send)"},
    {TAKES_UNSIGNED, "--unsigned         what no DKIM signature vouches for",
	" (ingest, forget\n"
	"                     and advise)"},
    {TAKES_DRY_RUN, "--dry-run          only tell what would be done", ""},
    {TAKES_LIMIT, "--limit N          list at most N", ""},
    {TAKES_FILTERS,
	"--sender ADDRESS, --recipient ADDRESS (\"@domain\" for all of it),\n"
	"  --destination TARGET, --state STATE, --older TIME, --newer TIME\n"
	"                     only those",
	""},
    {TAKES_TIME, "--for TIME         for so long, at most 7d", ""},
    {TAKES_REASON, "--reason WORDS     why; of a queue, only those with it",
	""},
    {TAKES_MAIL,
	"--mail requiretls|tls-required-no\n"
	"                     a message that asks for that",
	""},
    {TAKES_FORCE, "--force            also what does not fit what is published",
	""},
    {TAKES_SENDMAIL,
	"-t                 also to the addresses of To, Cc and Bcc\n"
	"  -i                 a dot alone on its line ends nothing\n"
	"  -f ADDRESS         the envelope sender\n"
	"  -F NAME            his name in From, where that is added\n"
	"  -N LIST, -R full|hdrs, -V ENVID\n"
	"                     of what the sender is notified (RFC 3461)\n"
	"  -bs                speak SMTP\n"
	"  -bp, -q            list the queue, try all of it",
	""},
    {TAKES_WAIT, "--wait TIME        for DNS, at most; 20s by default",
	" (dkim-check)"},
};

/* Does the line of the table begin with this word? */
static bool
is_about(const struct command *line, const char *verb)
{
	size_t n = strcspn(line->operands, " ");

	return verb[0] != '\0' &&
	       span_eq((struct span){line->operands, n}, span_of(verb));
}

static bool
any_about(const struct command *first, size_t n, const char *verb)
{
	for (size_t i = 0; i < n; i++)
		if (is_about(&first[i], verb))
			return true;
	return false;
}

static size_t
count_lines(const struct command *first, size_t n)
{
	size_t lines_of = 1;

	while (lines_of < n && first[lines_of].name[0] == '\0')
		lines_of++;
	return lines_of;
}

unsigned
usage_takes(const struct command *first, size_t n)
{
	unsigned takes = 0;

	n = count_lines(first, n);
	for (size_t i = 0; i < n; i++)
		takes |= first[i].takes;
	return takes;
}

static void
write_options(FILE *to, unsigned takes, bool of_verb)
{
	if (takes != 0)
		(void)fputc('\n', to);
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		if ((takes & lines[i].takes) != 0)
			(void)fprintf(to, "  %s%s\n", lines[i].text,
			    of_verb ? "" : lines[i].of);
}

void
usage_write_one(
    FILE *to, const struct command *first, size_t n, const char *verb)
{
	unsigned takes = 0;
	bool some;

	n = count_lines(first, n);
	some = any_about(first, n, verb);
	(void)fprintf(
	    to, "usage: danelaw [-c FILE] [-s SOCKET] %s ...\n\n", first->name);
	for (size_t i = 0; i < n; i++) {
		if (some && !is_about(&first[i], verb))
			continue;
		(void)fprintf(to, "  %s %-28s %s\n", first->name,
		    first[i].operands, first[i].does);
		takes |= first[i].takes;
	}
	write_options(to, takes, some);
	(void)fputs(
	    "\ndanelaw(8) says more; \"danelaw help\" names all commands.\n",
	    to);
}
