#include "queue/heap.h"

#include "base/mem.h"

static void
put(struct index *index, size_t slot, struct job *job)
{
	index->heap[slot] = job;
	job->slot = (uint32_t)slot;
}

static void
rise(struct index *index, struct job *job)
{
	size_t slot = job->slot;

	while (slot > 0 && index->heap[(slot - 1) / 2]->due > job->due) {
		put(index, slot, index->heap[(slot - 1) / 2]);
		slot = (slot - 1) / 2;
	}
	put(index, slot, job);
}

static void
sink(struct index *index, struct job *job)
{
	size_t slot = job->slot;

	for (;;) {
		size_t child = 2 * slot + 1;

		if (child + 1 < index->nheap &&
		    index->heap[child + 1]->due < index->heap[child]->due)
			child++;
		if (child >= index->nheap ||
		    index->heap[child]->due >= job->due)
			break;
		put(index, slot, index->heap[child]);
		slot = child;
	}
	put(index, slot, job);
}

void
heap_add(struct index *index, struct job *job)
{
	size_t size = index->heap_size == 0 ? 64 : index->heap_size * 2;

	if (index->nheap == index->heap_size) {
		index->heap = mem_grow(index->heap,
		    index->heap_size * sizeof(index->heap[0]),
		    size * sizeof(index->heap[0]));
		index->heap_size = size;
	}
	put(index, index->nheap++, job);
	rise(index, job);
}

void
heap_remove(struct index *index, struct job *job)
{
	size_t slot = job->slot;
	struct job *last = index->heap[--index->nheap];

	if (last == job)
		return;
	put(index, slot, last);
	rise(index, last);
	sink(index, last);
}
