/*
 * danelaw recipient: what would be said to RCPT, and where the mail would go.
 * It reads the files and asks the lookups itself; the daemon has the files as
 * they were when it loaded them, and remembers answers for a while.
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/text.h"
#include "mta/ctl/command.h"
#include "mta/ctl/setup.h"
#include "mta/load.h"
#include "mta/locals.h"
#include "mta/lookup/inquiry.h"
#include "mta/net/loop.h"
#include "mta/route.h"

#define PROBLEMS_MAX (1u << 20)
#define ARENA_MAX    (8u << 20)

struct look {
	const struct config *config;
	const struct locals *locals;
	struct loop *loop;
	struct askers *askers;
	struct answers *answers;
	struct arena *arena;
	bool json;
	int status;
};

/* What is found about one address. */
struct verdict {
	const char *word; /* accepted, refused, later, or relayed */
	struct err err;
	struct envelope out; /* whose mail it is, when it is accepted */
};

static void
on_asked(void *arg)
{
	loop_stop(arg);
}

static void
ask(struct look *look, const char *address)
{
	if (asking_start(look->askers, look->locals, look->answers, address,
		on_asked, look->loop) != NULL)
		loop_run(look->loop);
}

static void
judge(struct look *look, const char *address, struct verdict *ret)
{
	struct envelope_rcpt *rcpt = mem_new(sizeof(*rcpt));
	struct envelope in = {
	    .sender = "sender@invalid", .rcpts = rcpt, .nrcpts = 1};
	struct inquiry inquiry = {.answers = look->answers};
	bool ours = locals_has_domain(look->locals, address) ||
	            locals_is_postmaster(address);
	enum locals_verdict verdict;

	*rcpt = (struct envelope_rcpt){.address = address, .orcpt = ""};
	ask(look, address);
	verdict = locals_resolve(
	    look->locals, &inquiry, &in, look->arena, &ret->out, &ret->err);
	if (locals_settle(verdict, &ret->err) < 0)
		ret->word = ret->err.kind == ERR_PERM ? "refused" : "later";
	else
		ret->word = ours ? "accepted" : "relayed";
	if (verdict == LOCALS_FINE && ret->out.rcpts == rcpt) {
		ret->out.rcpts = arena_alloc(look->arena, sizeof(*rcpt));
		if (ret->out.rcpts != NULL)
			*ret->out.rcpts = *rcpt;
	}
	if (verdict != LOCALS_FINE || ret->out.rcpts == NULL)
		ret->out.nrcpts = 0;
	mem_free(rcpt);
}

static void
print_text(
    const struct look *look, const char *address, const struct verdict *verdict)
{
	char shown[600], target[TARGET_TEXT_MAX];

	text_escape(span_of(address), shown, sizeof(shown));
	(void)printf("%s: %s", shown, verdict->word);
	if (verdict->out.nrcpts == 0)
		(void)printf(
		    ", %s %s", verdict->err.enhanced, verdict->err.text);
	(void)putchar('\n');
	for (size_t i = 0; i < verdict->out.nrcpts; i++) {
		const char *whose = verdict->out.rcpts[i].address;

		route_key(look->config, whose, target);
		text_escape(span_of(whose), shown, sizeof(shown));
		(void)printf("  %s  %s\n", shown,
		    target[0] == '\0' ? "(nowhere)" : target);
	}
}

static void
print_json(
    const struct look *look, const char *address, const struct verdict *verdict)
{
	json_t *to = json_array(), *one;
	char shown[600], target[TARGET_TEXT_MAX];

	/* JSON has no other text than UTF-8. */
	text_escape(span_of(address), shown, sizeof(shown));
	one = json_pack("{s:s, s:s, s:o}", "address",
	    text_is_utf8(span_of(address)) ? address : shown, "verdict",
	    verdict->word, "recipients", to);
	for (size_t i = 0; i < verdict->out.nrcpts; i++) {
		const char *whose = verdict->out.rcpts[i].address;

		route_key(look->config, whose, target);
		(void)json_array_append_new(
		    to, json_pack(
			    "{s:s, s:s}", "address", whose, "target", target));
	}
	if (verdict->out.nrcpts == 0) {
		(void)json_object_set_new(
		    one, "dsn", json_string(verdict->err.enhanced));
		(void)json_object_set_new(
		    one, "reason", json_string(verdict->err.text));
	}
	(void)json_dumpf(one, stdout, JSON_COMPACT);
	(void)putchar('\n');
	json_decref(one);
}

static void
look_at(struct look *look, const char *address)
{
	struct verdict verdict = {.word = "later"};

	if (strlen(address) > ENVELOPE_ADDRESS_MAX ||
	    !text_is_utf8(span_of(address))) {
		verdict.word = "refused";
		(void)err_set(&verdict.err, ERR_PERM, "5.1.3", "no address");
	} else {
		judge(look, address, &verdict);
	}
	if (strcmp(verdict.word, "accepted") != 0)
		look->status = EXIT_WANTED;
	if (look->json)
		print_json(look, address, &verdict);
	else
		print_text(look, address, &verdict);
	arena_reset(look->arena);
}

static void
look_at_all(struct look *look, const struct options *options)
{
	look->loop = loop_new();
	look->askers = askers_new(look->loop, look->config);
	look->answers = answers_new();
	look->arena = arena_new(ARENA_MAX);
	look->json = options->json;
	for (int i = 0; i < options->argc; i++)
		look_at(look, options->argv[i]);
	answers_free(&look->answers);
	askers_free(&look->askers);
	arena_free(&look->arena);
	loop_free(&look->loop);
}

int
recipient_run(const struct options *options)
{
	struct look look = {.status = EXIT_FINE};
	struct bundle *bundle = bundle_new();
	struct config *config = NULL;
	struct locals *locals = NULL;
	struct buf problems;

	if (options->argc == 0) {
		bundle_free(&bundle);
		return command_misused("recipient takes addresses");
	}
	buf_init(&problems, PROBLEMS_MAX);
	if (setup_config(options->file, &config) < 0 ||
	    load_locals(config, bundle, &locals, &problems) < 0) {
		(void)fwrite(
		    problems.n == 0 ? "" : problems.p, 1, problems.n, stderr);
		look.status = EXIT_WANTED;
	} else {
		look.config = config;
		look.locals = locals;
		look_at_all(&look, options);
	}
	buf_free(&problems);
	locals_free(&locals);
	config_free(&config);
	bundle_free(&bundle);
	return look.status;
}
