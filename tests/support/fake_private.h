/* What a struct fake_disk is: for fake_disk.c and fake_calls.c alone. */
#pragma once
#include "tests/support/fake_disk.h"

enum {
	SECTOR = 512,
	FILES = 256,
	DESCRIPTORS = 256,
	PATH = 96
};

struct image {
	char *p;
	uint64_t n, size;
};

/* A write, or a truncation to `offset` when p is NULL. */
struct pending {
	struct pending *next;
	uint64_t offset;
	uint64_t n;
	char *p;
};

struct inode {
	struct image now;
	struct image synced;
	struct pending *first, *last;
	unsigned links, descriptors;
	int locker; /* descriptor that holds the lock, or -1 */
	bool used;
};

/* A name, as it is and as it will be after a crash; -1: none. */
struct entry {
	char path[PATH];
	int now;
	int synced;
};

struct fake_disk {
	struct inode inodes[FILES];
	struct entry entries[FILES];
	unsigned nentries;
	int descriptors[DESCRIPTORS]; /* inode, -1: closed */
	uint64_t free;
	uint64_t random;
	const char *last;
	const char *failed;
	unsigned calls, stop, fail, changes;
	enum fake_fault fault;
	bool stop_after, stopped;
};

void image_resize(struct image *image, uint64_t n);
void image_write(
    struct image *image, uint64_t offset, const char *p, uint64_t n);
void pending_add(
    struct inode *inode, uint64_t offset, const char *p, uint64_t n);
void pending_forget(struct inode *inode);
void pending_apply(struct inode *inode);
void forget_if_unused(struct inode *inode, const struct fake_disk *fake);
bool is_in(const char *path, const char *folder, const char **ret_name);
struct entry *entry_of(struct fake_disk *fake, const char *path);
uint64_t next_random(uint64_t *random);
