/* See askers.h. */
#include "mta/lookup/askers.h"

#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "mta/lookup/memory.h"
#include "mta/lookup/sqlite.h"
#include "mta/lookup/wire.h"
#include "mta/net/loop.h"

#define REMEMBERED_MAX 20000
#define WAITING_MAX    1000 /* for one database */

struct work_of_db;

struct source {
	struct askers *askers;
	const struct config_lookup *by;
	struct memory *memory;
	struct wire *wire;       /* of a server */
	struct work_of_db *work; /* of a database, while it is asked */
	struct sqlite_lookup *db;
	struct askers_ask *first; /* waiting for the database */
	size_t waiting;
	struct source *next;
};

struct askers {
	struct loop *loop;
	const char *hostname;
	struct source *sources; /* of those that were asked */
};

struct askers_ask {
	struct source *source;
	struct askers_ask *next;
	struct wire_ask *wire;
	struct timer *deadline; /* of the wait for a database */
	said_fn *done;
	void *arg;
	char key[RECIPIENTS_KEY];
};

/* On the thread pool; outlives who asked, and the askers themselves. */
struct work_of_db {
	struct source *source; /* NULL: they have gone */
	struct sqlite_lookup *db;
	struct askers_ask *ask; /* NULL: nobody waits any more */
	char key[RECIPIENTS_KEY];
	struct buf value;
	struct said said;
};

struct askers *
askers_new(struct loop *loop, const struct config *config)
{
	struct askers *askers = mem_new(sizeof(*askers));

	askers->loop = loop;
	askers->hostname = config->hostname;
	return askers;
}

static struct source *
source_of(struct askers *askers, const struct config_lookup *by)
{
	struct source *source = askers->sources;

	while (source != NULL && source->by != by)
		source = source->next;
	if (source != NULL)
		return source;
	source = mem_new(sizeof(*source));
	source->askers = askers;
	source->by = by;
	source->memory = memory_new(
	    by->keep_found_ms, by->keep_missing_ms, REMEMBERED_MAX);
	if (by->kind == LOOKUP_SQLITE)
		source->db = sqlite_lookup_new(by);
	else
		source->wire = wire_new(askers->loop, by, askers->hostname);
	source->next = askers->sources;
	askers->sources = source;
	return source;
}

bool
askers_recall(
    struct askers *askers, const struct question *question, struct said *ret)
{
	return memory_find(source_of(askers, question->by)->memory,
	    question->key, loop_now(askers->loop), ret);
}

static void
settle(struct askers_ask *ask, const struct said *said)
{
	struct source *source = ask->source;
	said_fn *done = ask->done;
	void *arg = ask->arg;

	memory_add(
	    source->memory, ask->key, loop_now(source->askers->loop), said);
	timer_free(&ask->deadline);
	mem_free(ask);
	done(arg, said);
}

static void
on_wire(void *arg, const struct said *said)
{
	settle(arg, said);
}

/* --- A database -------------------------------------------------------- */

static void db_next(struct source *source);

static void
db_run(void *arg)
{
	struct work_of_db *work = arg;

	sqlite_lookup_ask(work->db, work->key, &work->value, &work->said);
}

static void
db_done(void *arg)
{
	struct work_of_db *work = arg;
	struct source *source = work->source;

	if (source == NULL)
		sqlite_lookup_free(&work->db);
	else
		source->work = NULL;
	if (work->ask != NULL)
		settle(work->ask, &work->said);
	buf_free(&work->value);
	mem_free(work);
	if (source != NULL)
		db_next(source);
}

static void
db_next(struct source *source)
{
	struct askers_ask *ask = source->first;
	struct work_of_db *work;

	if (ask == NULL || source->work != NULL)
		return;
	source->first = ask->next;
	source->waiting--;
	ask->next = NULL;
	work = mem_new(sizeof(*work));
	work->source = source;
	work->db = source->db;
	work->ask = ask;
	(void)text_copy(work->key, sizeof(work->key), ask->key);
	buf_init(&work->value, ANSWER_VALUE_MAX);
	source->work = work;
	work_run(source->askers->loop, db_run, db_done, work);
}

static void
db_leave(struct askers_ask *ask)
{
	struct source *source = ask->source;
	struct askers_ask **at = &source->first;

	if (source->work != NULL && source->work->ask == ask)
		source->work->ask = NULL;
	while (*at != NULL && *at != ask)
		at = &(*at)->next;
	if (*at == NULL)
		return;
	*at = ask->next;
	source->waiting--;
}

/* The database has its own; this is for those who wait for others. */
static void
on_late(void *arg)
{
	struct askers_ask *ask = arg;
	struct said said;

	db_leave(ask);
	said_fail(
	    &said, "4.4.3", "%s: no answer in time", ask->source->by->path);
	settle(ask, &said);
}

static void
db_ask(struct askers_ask *ask)
{
	struct source *source = ask->source;
	struct askers_ask **at = &source->first;
	bool full = source->waiting >= WAITING_MAX;

	ask->deadline = timer_new(source->askers->loop, on_late, ask);
	timer_start(ask->deadline, full ? 0 : 2 * source->by->timeout_ms);
	if (full)
		return;
	while (*at != NULL)
		at = &(*at)->next;
	*at = ask;
	source->waiting++;
	db_next(source);
}

/* --- Everybody --------------------------------------------------------- */

struct askers_ask *
askers_ask(struct askers *askers, const struct question *question,
    said_fn *done, void *arg)
{
	struct askers_ask *ask = mem_new(sizeof(*ask));

	ask->source = source_of(askers, question->by);
	ask->done = done;
	ask->arg = arg;
	(void)text_copy(ask->key, sizeof(ask->key), question->key);
	if (ask->source->wire != NULL)
		ask->wire = wire_ask(ask->source->wire, ask->key, on_wire, ask);
	else
		db_ask(ask);
	return ask;
}

void
askers_cancel(struct askers_ask *ask)
{
	if (ask->wire != NULL)
		wire_cancel(ask->wire);
	else
		db_leave(ask);
	timer_free(&ask->deadline);
	mem_free(ask);
}

static void
free_source(struct source *source)
{
	wire_free(&source->wire);
	memory_free(&source->memory);
	if (source->work != NULL)
		source->work->source = NULL; /* it frees the database */
	else
		sqlite_lookup_free(&source->db);
	mem_free(source);
}

void
askers_free(struct askers **askersp)
{
	struct askers *askers = *askersp;

	if (askers == NULL)
		return;
	*askersp = NULL;
	while (askers->sources != NULL) {
		struct source *source = askers->sources;

		askers->sources = source->next;
		free_source(source);
	}
	mem_free(askers);
}
