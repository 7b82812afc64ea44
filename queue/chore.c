#include "queue/chore.h"

#include <string.h>

#include "base/mem.h"
#include "queue/state.h"

enum {
	SEGMENTS = 64,
	LARGES = 1024,
	JOURNALS = 64
};

struct chore {
	const struct spool *spool;
	uint64_t segments[SEGMENTS];
	uint64_t larges[LARGES];
	uint64_t journals[JOURNALS];
	uint64_t history; /* 0: none */
	size_t nsegments, nlarges, njournals;
};

/*
 * Read to its end, nothing lives in it, and that is durable in the journal.
 * The highest number stays, so that it is not given again.
 */
static bool
is_finished(const struct queue *queue, size_t i)
{
	const struct place *place = queue->places.list[i];

	return place->sealed && place->live == 0 &&
	       place->settled <= queue->journal.durable &&
	       i + 1 < queue->places.n;
}

static void
collect(const struct queue *queue, struct chore *chore)
{
	const struct journal *journal = &queue->journal;

	for (size_t i = 0; i < queue->places.n; i++)
		if (chore->nsegments < SEGMENTS && is_finished(queue, i))
			chore->segments[chore->nsegments++] =
			    queue->places.list[i]->number;
	while (chore->nlarges < LARGES && chore->nlarges < queue->ndead &&
	       queue->dead[chore->nlarges].batch <= journal->durable) {
		chore->larges[chore->nlarges] = queue->dead[chore->nlarges].id;
		chore->nlarges++;
	}
	while (chore->njournals < JOURNALS &&
	       queue->oldest + chore->njournals < journal->complete) {
		chore->journals[chore->njournals] = queue->oldest +
		                                    chore->njournals;
		chore->njournals++;
	}
	chore->history = history_excess(&queue->history, queue->index.n);
}

struct chore *
queue_chore_take(struct queue *queue)
{
	struct chore *chore;

	if (queue->chore)
		return NULL;
	chore = mem_new(sizeof(*chore));
	chore->spool = queue->spool;
	collect(queue, chore);
	if (chore->nsegments + chore->nlarges + chore->njournals == 0 &&
	    chore->history == 0) {
		mem_free(chore);
		return NULL;
	}
	queue->chore = true;
	return chore;
}

static int
remove_files(const struct spool *spool, enum files_kind kind,
    const uint64_t *numbers, size_t n, struct err *err)
{
	for (size_t i = 0; i < n; i++) {
		char path[SPOOL_FILE_MAX];

		files_path(spool, kind, numbers[i], path);
		if (disk_unlink(&spool->disk, path, err) < 0)
			return -1;
	}
	return 0;
}

int
chore_run(struct chore *chore, struct err *err)
{
	const struct spool *spool = chore->spool;
	char folder[SPOOL_FILE_MAX];

	/* One that stays is found at the next start; mail does not wait. */
	(void)remove_files(
	    spool, FILES_HISTORY, &chore->history, chore->history != 0, err);
	if (remove_files(spool, FILES_SEGMENT, chore->segments,
		chore->nsegments, err) < 0 ||
	    remove_files(
		spool, FILES_LARGE, chore->larges, chore->nlarges, err) < 0 ||
	    remove_files(spool, FILES_JOURNAL, chore->journals,
		chore->njournals, err) < 0)
		return -1;
	if (chore->nsegments == 0)
		return 0;
	/*
	 * A segment that came back after a crash, once the journal has
	 * forgotten it, would be new mail.  The others would be orphans.
	 */
	files_folder(spool, FILES_SEGMENT, folder);
	return disk_sync_dir(&spool->disk, folder, err);
}

void
queue_chore_done(struct queue *queue, struct chore **chorep, bool ok)
{
	struct chore *chore = *chorep;

	*chorep = NULL;
	queue->chore = false;
	if (ok) {
		for (size_t i = 0; i < chore->nsegments; i++)
			places_remove(&queue->places, chore->segments[i]);
		queue->ndead -= chore->nlarges;
		if (queue->ndead > 0)
			memmove(queue->dead, queue->dead + chore->nlarges,
			    queue->ndead * sizeof(queue->dead[0]));
		queue->oldest += chore->njournals;
		history_removed(&queue->history, chore->history);
	}
	mem_free(chore);
}
