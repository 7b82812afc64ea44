/* A folder of a test and all that is in it. */
#pragma once
#include <ftw.h>
#include <stdio.h>

static inline int
tree_remove_one(
    const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	(void)st;
	(void)flag;
	(void)ftw;
	return remove(path);
}

/* 0: it is gone; links are not followed. */
static inline int
tree_remove(const char *folder)
{
	return nftw(folder, tree_remove_one, 16, FTW_DEPTH | FTW_PHYS);
}
