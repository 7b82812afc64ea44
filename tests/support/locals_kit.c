#include "tests/support/locals_kit.h"

#include <stdio.h>

#include "tests/support/test.h"

static const char head[] = "hostname = \"mx.example.org\"\n"
			   "spool = \"/var/spool/danelaw\"\n"
			   "postmaster = \"admin@a.example\"\n"
			   "listen \"mx\" { address = {\"127.0.0.1:2525\"} }\n";

static void
add(struct locals_kit *kit, const char *kind, const char *name,
    const char *text)
{
	if (text != NULL)
		bundle_add(kit->bundle, kind, name, span_of(text));
}

void
locals_kit_open(struct locals_kit *kit, const struct locals_world *world)
{
	char text[4096];

	*kit = (struct locals_kit){.bundle = bundle_new()};
	buf_init(&kit->problems, 65536);
	(void)snprintf(text, sizeof(text), "%s%s", head, world->config);
	if (config_parse(
		span_of(text), "test.conf", &kit->config, &kit->problems) < 0)
		fail_msg("%.*s", (int)kit->problems.n, kit->problems.p);
	add(kit, "recipients", "a.example", world->a_recipients);
	add(kit, "aliases", "a.example", world->a_aliases);
	add(kit, "recipients", "b.example", world->b_recipients);
	if (locals_load(
		kit->config, kit->bundle, &kit->locals, &kit->problems) < 0)
		fail_msg("%.*s", (int)kit->problems.n, kit->problems.p);
}

void
locals_kit_close(struct locals_kit *kit)
{
	locals_free(&kit->locals);
	bundle_free(&kit->bundle);
	config_free(&kit->config);
	buf_free(&kit->problems);
}
