#include <assert.h>
#include <string.h>

#include "base/mem.h"

#include "tests/support/fake_private.h"

struct fake_disk *
fake_disk_new(void)
{
	struct fake_disk *fake = mem_new(sizeof(*fake));

	for (int i = 0; i < DESCRIPTORS; i++)
		fake->descriptors[i] = -1;
	fake->free = UINT64_MAX / 2;
	fake->random = 0x9e3779b97f4a7c15u;
	fake->last = "nothing";
	return fake;
}

void
image_resize(struct image *image, uint64_t n)
{
	if (n > image->size) {
		uint64_t size = n * 2;

		image->p = mem_grow(image->p, image->size, size);
		image->size = size;
	}
	if (n < image->n)
		memset(image->p + n, 0, image->n - n);
	image->n = n;
}

void
image_write(struct image *image, uint64_t offset, const char *p, uint64_t n)
{
	if (offset + n > image->n)
		image_resize(image, offset + n);
	memcpy(image->p + offset, p, n);
}

static void
image_copy(struct image *to, const struct image *from)
{
	image_resize(to, 0);
	if (from->n > 0)
		image_write(to, 0, from->p, from->n);
}

void
pending_add(struct inode *inode, uint64_t offset, const char *p, uint64_t n)
{
	struct pending *pending = mem_new(sizeof(*pending));

	pending->offset = offset;
	pending->n = n;
	if (p != NULL) {
		pending->p = mem_new(n);
		memcpy(pending->p, p, n);
	}
	if (inode->last == NULL)
		inode->first = pending;
	else
		inode->last->next = pending;
	inode->last = pending;
}

void
pending_forget(struct inode *inode)
{
	while (inode->first != NULL) {
		struct pending *pending = inode->first;

		inode->first = pending->next;
		mem_free(pending->p);
		mem_free(pending);
	}
	inode->last = NULL;
}

void
pending_apply(struct inode *inode)
{
	for (struct pending *p = inode->first; p != NULL; p = p->next)
		if (p->p == NULL)
			image_resize(&inode->synced, p->offset);
		else
			image_write(&inode->synced, p->offset, p->p, p->n);
	pending_forget(inode);
}

static void
inode_clear(struct inode *inode)
{
	pending_forget(inode);
	mem_free(inode->now.p);
	mem_free(inode->synced.p);
	*inode = (struct inode){.locker = -1};
}

void
fake_disk_free(struct fake_disk **fakep)
{
	struct fake_disk *fake = *fakep;

	*fakep = NULL;
	for (int i = 0; i < FILES; i++)
		inode_clear(&fake->inodes[i]);
	mem_free(fake);
}

struct fake_disk *
fake_disk_copy(const struct fake_disk *fake)
{
	struct fake_disk *copy = mem_new(sizeof(*copy));

	*copy = *fake;
	for (int i = 0; i < DESCRIPTORS; i++)
		copy->descriptors[i] = -1;
	for (int i = 0; i < FILES; i++) {
		const struct inode *from = &fake->inodes[i];
		struct inode *to = &copy->inodes[i];

		*to = (struct inode){
		    .links = from->links, .locker = -1, .used = from->used};
		image_copy(&to->now, &from->now);
		image_copy(&to->synced, &from->synced);
		for (struct pending *p = from->first; p != NULL; p = p->next)
			pending_add(to, p->offset, p->p, p->n);
	}
	return copy;
}

void
forget_if_unused(struct inode *inode, const struct fake_disk *fake)
{
	int number = (int)(inode - fake->inodes);

	if (inode->links > 0 || inode->descriptors > 0)
		return;
	for (unsigned i = 0; i < fake->nentries; i++)
		if (fake->entries[i].synced == number)
			return;
	inode_clear(inode);
}

struct entry *
entry_of(struct fake_disk *fake, const char *path)
{
	for (unsigned i = 0; i < fake->nentries; i++)
		if (strcmp(fake->entries[i].path, path) == 0)
			return &fake->entries[i];
	return NULL;
}

uint64_t
next_random(uint64_t *random)
{
	*random ^= *random << 13;
	*random ^= *random >> 7;
	*random ^= *random << 17;
	return *random;
}

void
fake_disk_stop_at(struct fake_disk *fake, unsigned call, bool after)
{
	fake->stop = call;
	fake->stop_after = after;
}

void
fake_disk_fail_at(struct fake_disk *fake, unsigned call, enum fake_fault fault)
{
	fake->fail = call;
	fake->fault = fault;
}

unsigned
fake_disk_calls(const struct fake_disk *fake)
{
	return fake->calls;
}

unsigned
fake_disk_changes(const struct fake_disk *fake)
{
	return fake->changes;
}

const char *
fake_disk_last(const struct fake_disk *fake)
{
	return fake->last;
}

const char *
fake_disk_failed(const struct fake_disk *fake)
{
	return fake->failed == NULL ? "nothing" : fake->failed;
}

bool
fake_disk_stopped(const struct fake_disk *fake)
{
	return fake->stopped;
}

/* What is left of the seed decides over one sector or name. */
static bool
survives(enum fake_tear tear, uint64_t *seed)
{
	switch (tear) {
	case FAKE_DROP:
		return false;
	case FAKE_KEEP:
		return true;
	case FAKE_CUT:
		return *seed > 0 && (*seed)-- > 0;
	case FAKE_MIX:
		return next_random(seed) >> 40 & 1;
	}
	return false;
}

static void
settle_write(struct inode *inode, const struct pending *p, enum fake_tear tear,
    uint64_t *seed)
{
	uint64_t at = 0;

	if (p->p == NULL) {
		if (survives(tear, seed))
			image_resize(&inode->synced, p->offset);
		return;
	}
	while (at < p->n) {
		uint64_t n = SECTOR - (p->offset + at) % SECTOR;

		if (n > p->n - at)
			n = p->n - at;
		if (survives(tear, seed))
			image_write(
			    &inode->synced, p->offset + at, p->p + at, n);
		at += n;
	}
}

static void
settle_inode(struct inode *inode, enum fake_tear tear, uint64_t *seed)
{
	for (struct pending *p = inode->first; p != NULL; p = p->next)
		settle_write(inode, p, tear, seed);
	pending_forget(inode);
	image_copy(&inode->now, &inode->synced);
	inode->links = 0;
	inode->descriptors = 0;
	inode->locker = -1;
}

void
fake_disk_crash(struct fake_disk *fake, enum fake_tear tear, uint64_t seed)
{
	if (tear == FAKE_MIX)
		seed = seed * 0x9e3779b97f4a7c15u | 1;
	for (int i = 0; i < FILES; i++)
		if (fake->inodes[i].used)
			settle_inode(&fake->inodes[i], tear, &seed);
	for (unsigned i = 0; i < fake->nentries; i++) {
		struct entry *entry = &fake->entries[i];

		if (entry->now != entry->synced && survives(tear, &seed))
			entry->synced = entry->now;
		entry->now = entry->synced;
		if (entry->now >= 0)
			fake->inodes[entry->now].links = 1;
	}
	for (int i = 0; i < FILES; i++)
		if (fake->inodes[i].used)
			forget_if_unused(&fake->inodes[i], fake);
	for (int i = 0; i < DESCRIPTORS; i++)
		fake->descriptors[i] = -1;
	fake->calls = fake->stop = fake->fail = 0;
	fake->stopped = false;
}

void
fake_disk_kill(struct fake_disk *fake)
{
	for (int i = 0; i < FILES; i++) {
		struct inode *inode = &fake->inodes[i];

		inode->locker = -1;
		inode->descriptors = 0;
		if (inode->used)
			forget_if_unused(inode, fake);
	}
	for (int i = 0; i < DESCRIPTORS; i++)
		fake->descriptors[i] = -1;
	fake->calls = fake->stop = fake->fail = 0;
	fake->stopped = false;
}

unsigned
fake_disk_unsynced(const struct fake_disk *fake)
{
	unsigned n = 0;

	for (int i = 0; i < FILES; i++)
		for (struct pending *p = fake->inodes[i].first; p != NULL;
		     p = p->next)
			n += p->p == NULL ? 1 : (unsigned)(p->n / SECTOR + 1);
	for (unsigned i = 0; i < fake->nentries; i++)
		n += fake->entries[i].now != fake->entries[i].synced;
	return n;
}

uint64_t
fake_disk_bytes(const struct fake_disk *fake)
{
	uint64_t n = 0;

	for (int i = 0; i < FILES; i++)
		if (fake->inodes[i].links > 0)
			n += fake->inodes[i].now.n;
	return n;
}

unsigned
fake_disk_files(const struct fake_disk *fake)
{
	unsigned n = 0;

	for (unsigned i = 0; i < fake->nentries; i++)
		n += fake->entries[i].now >= 0;
	return n;
}

unsigned
fake_disk_count(const struct fake_disk *fake, const char *folder)
{
	unsigned n = 0;
	const char *name;

	for (unsigned i = 0; i < fake->nentries; i++)
		n += fake->entries[i].now >= 0 &&
		     is_in(fake->entries[i].path, folder, &name);
	return n;
}

void
fake_disk_set_free(struct fake_disk *fake, uint64_t bytes)
{
	fake->free = bytes;
}

void
fake_disk_rot(struct fake_disk *fake, const char *path, uint64_t offset)
{
	struct entry *entry = entry_of(fake, path);
	struct inode *inode;

	assert(entry != NULL && entry->now >= 0);
	inode = &fake->inodes[entry->now];
	pending_apply(inode);
	assert(offset < inode->now.n);
	inode->now.p[offset] ^= 1;
	image_copy(&inode->synced, &inode->now);
}
