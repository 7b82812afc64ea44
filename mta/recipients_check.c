/* Aliases that lead back to themselves: depth first, with a stack of ours. */
#include <string.h>

#include "base/mem.h"
#include "mta/recipients_private.h"

enum colour {
	WHITE = 0, /* not seen */
	GREY,      /* on the way we are walking */
	BLACK,     /* everything behind it is seen */
};

struct frame {
	const struct recipient *alias;
	size_t next; /* the target to follow next */
};

struct walk {
	const struct recipients *recipients;
	const struct recipient *entries;
	struct recipients_report *report;
	unsigned char *colours; /* of the entries */
	struct frame *frames;
	size_t depth;
};

static unsigned char *
colour_of(const struct walk *walk, const struct recipient *entry)
{
	return &walk->colours[entry - walk->entries];
}

static void
enter(struct walk *walk, const struct recipient *entry)
{
	*colour_of(walk, entry) = GREY;
	walk->frames[walk->depth++] = (struct frame){entry, 0};
}

static void
visit(
    struct walk *walk, const struct recipient *from, const struct recipient *to)
{
	enum colour colour = (enum colour) * colour_of(walk, to);

	if (colour == GREY)
		recipients_problem(walk->report, from->line,
		    "this alias leads back to itself through line %u",
		    to->line);
	else if (colour == WHITE && to->targets != NULL)
		enter(walk, to);
}

static void
walk_from(struct walk *walk, const struct recipient *entry)
{
	enter(walk, entry);
	while (walk->depth > 0) {
		struct frame *top = &walk->frames[walk->depth - 1];
		const char *target = top->alias->targets[top->next];
		const struct recipient *to;

		if (target == NULL) {
			*colour_of(walk, top->alias) = BLACK;
			walk->depth--;
			continue;
		}
		top->next++;
		to = recipients_follow(walk->recipients, top->alias, target);
		if (to != NULL)
			visit(walk, top->alias, to);
	}
}

void
recipients_check(
    const struct recipients *recipients, struct recipients_report *report)
{
	struct walk walk = {.recipients = recipients, .report = report};
	size_t n;

	walk.entries = recipients_entries(recipients, &n);
	walk.colours = mem_array(n, sizeof(walk.colours[0]));
	walk.frames = mem_array(n, sizeof(walk.frames[0]));
	for (size_t i = 0; i < n; i++)
		if (walk.entries[i].targets != NULL && walk.colours[i] == WHITE)
			walk_from(&walk, &walk.entries[i]);
	mem_free(walk.frames);
	mem_free(walk.colours);
}
