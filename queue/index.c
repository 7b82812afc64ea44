#include "queue/index.h"

#include <assert.h>
#include <string.h>

#include "base/mem.h"
#include "queue/checksum.h"
#include "queue/heap.h"

enum {
	FIRST_BUCKETS = 1024
};

void
index_init(struct index *index, uint64_t seed, uint32_t destination_max)
{
	*index = (struct index){
	    .nbuckets = FIRST_BUCKETS,
	    .destination_max = destination_max,
	};
	index->buckets = mem_array(FIRST_BUCKETS, sizeof(index->buckets[0]));
	names_init(&index->destinations, seed);
	names_init(&index->reasons, seed);
}

void
index_free(struct index *index)
{
	for (size_t i = 0; i < index->nbuckets; i++)
		while (index->buckets[i] != NULL) {
			struct message *message = index->buckets[i];

			index->buckets[i] = message->next;
			mem_free(message);
		}
	mem_free(index->buckets);
	mem_free(index->heap);
	names_free(&index->destinations);
	names_free(&index->reasons);
	*index = (struct index){0};
}

struct destination *
index_destination(struct index *index, struct span key)
{
	struct name *name = names_take(
	    &index->destinations, key, sizeof(struct destination));
	struct destination *to = (struct destination *)name;

	if (name->count == 1) {
		to->lane = (uint32_t)checksum(key, 0);
		throttle_start(&to->throttle, index->destination_max);
	}
	return to;
}

/* Ids of one segment are neighbours; spread them. */
static struct message **
bucket_of(const struct index *index, uint64_t id)
{
	uint64_t hash = id * 0x9e3779b97f4a7c15u;

	return &index->buckets[(hash >> 20) & (index->nbuckets - 1)];
}

struct message *
index_find(const struct index *index, uint64_t id)
{
	struct message *message = *bucket_of(index, id);

	while (message != NULL && message->id != id)
		message = message->next;
	return message;
}

static void
grow(struct index *index)
{
	struct index bigger = *index;

	bigger.nbuckets *= 2;
	bigger.buckets = mem_array(bigger.nbuckets, sizeof(bigger.buckets[0]));
	for (size_t i = 0; i < index->nbuckets; i++)
		while (index->buckets[i] != NULL) {
			struct message *message = index->buckets[i];
			struct message **to = bucket_of(&bigger, message->id);

			index->buckets[i] = message->next;
			message->next = *to;
			*to = message;
		}
	mem_free(index->buckets);
	index->buckets = bigger.buckets;
	index->nbuckets = bigger.nbuckets;
}

/* Number the jobs: recipients with one destination make one.  How many. */
static uint16_t
group(struct index *index, const struct message_spec *spec)
{
	uint16_t groups = 0;

	index->stamp++;
	for (size_t i = 0; i < spec->n; i++) {
		struct destination *to = spec->to[i];

		if (to->stamp == index->stamp)
			continue;
		to->stamp = index->stamp;
		to->group = groups++;
	}
	return groups;
}

static size_t
message_bytes(uint16_t njobs, size_t nrcpts)
{
	return sizeof(struct message) + njobs * sizeof(struct job) +
	       nrcpts * sizeof(uint16_t);
}

static uint16_t *
message_rcpts(struct message *message)
{
	return (uint16_t *)&message->jobs[message->njobs];
}

struct message *
job_message(struct job *job)
{
	char *first = (char *)(job - job->number);
	void *message = first - offsetof(struct message, jobs);

	return message;
}

uint16_t *
job_rcpts(struct job *job)
{
	return message_rcpts(job_message(job)) + job->first;
}

/* Count each job's recipients, give each its room, then fill it. */
static void
fill_jobs(struct message *message, const struct message_spec *spec)
{
	uint32_t first = 0;

	for (size_t i = 0; i < spec->n; i++) {
		struct job *job = &message->jobs[spec->to[i]->group];

		/* A job points once at its destination. */
		if (job->nrcpts++ == 0)
			job->to = spec->to[i];
		else
			spec->to[i]->name.count--;
	}
	for (uint16_t i = 0; i < message->njobs; i++) {
		struct job *job = &message->jobs[i];

		job->number = i;
		job->state = JOB_HELD;
		job->first = first;
		first += job->nrcpts;
		job->nrcpts = 0;
	}
	for (size_t i = 0; i < spec->n; i++) {
		struct job *job = &message->jobs[spec->to[i]->group];

		job_rcpts(job)[job->nrcpts++] = spec->rcpts[i];
	}
}

struct message *
index_add(struct index *index, const struct message_spec *spec)
{
	uint16_t njobs = group(index, spec);
	size_t bytes = message_bytes(njobs, spec->n);
	struct message *message = mem_new(bytes);
	struct message **bucket;

	if (index->n >= index->nbuckets)
		grow(index);
	bucket = bucket_of(index, spec->id);
	message->next = *bucket;
	message->id = spec->id;
	message->place = spec->place;
	message->arrived = spec->arrived;
	message->size = spec->size;
	message->offset = spec->offset;
	message->length = spec->length;
	message->slots = (uint16_t)spec->n;
	message->njobs = njobs;
	message->open = njobs;
	message->marks = spec->marks;
	*bucket = message;
	fill_jobs(message, spec);
	message->place->live++;
	message->place->bytes += message->length;
	index->n++;
	index->nheld += njobs;
	index->bytes += bytes;
	return message;
}

void
index_remove(struct index *index, struct message *message)
{
	struct message **at = bucket_of(index, message->id);

	for (uint16_t i = 0; i < message->njobs; i++) {
		struct job *job = &message->jobs[i];

		if (job->nrcpts > 0)
			job_done(index, job);
		job_set_reason(index, job, (struct span){0});
		if (index->doomed == job->to && job->to->name.count == 1)
			index->doomed = NULL;
		names_drop(&index->destinations, &job->to->name);
	}
	while (*at != message)
		at = &(*at)->next;
	*at = message->next;
	message->place->live--;
	message->place->bytes -= message->length;
	index->n--;
	index->bytes -= message_bytes(message->njobs, message->slots);
	mem_free(message);
}

void
job_set_reason(struct index *index, struct job *job, struct span reason)
{
	struct name *old = job->reason;

	job->reason = reason.n == 0 ? NULL
	                            : names_take(&index->reasons, reason,
					  sizeof(struct name));
	names_drop(&index->reasons, old);
}
