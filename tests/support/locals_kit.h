/* Domains of ours, of texts in the place of files, for one test. */
#pragma once
#include "mta/locals.h"

/* Two of them: a.example with aliases, by LMTP, and b.example, of Maildirs. */
#define LOCALS_KIT_A_B                                       \
	"domain \"a.example\" { deliver = \"lmtp:unix:/l\""  \
	" recipients = \"/r\" aliases = \"/s\" }\n"          \
	"domain \"b.example\" { deliver = \"maildir:/m/%u\"" \
	" recipients = \"/b\" }\n"

/* What the files of a world hold; NULL: there is none. */
struct locals_world {
	const char *config;
	const char *a_recipients, *a_aliases, *b_recipients;
};

struct locals_kit {
	struct config *config;
	struct bundle *bundle;
	struct locals *locals;
	struct buf problems;
};

/* Fails the test where it cannot be. */
void locals_kit_open(struct locals_kit *kit, const struct locals_world *world);
void locals_kit_close(struct locals_kit *kit);
