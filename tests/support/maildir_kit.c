#include "tests/support/maildir_kit.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/tree.h"

int
maildir_kit_make(void **state)
{
	char *folder = strdup("/tmp/danelaw-maildir-XXXXXX");

	*state = folder;
	return mkdtemp(folder) == NULL ? -1 : 0;
}

int
maildir_kit_remove(void **state)
{
	char *folder = *state;

	(void)tree_remove(folder);
	free(folder);
	return 0;
}

unsigned
maildir_kit_count(const char *maildir, const char *part, char name[300])
{
	char path[512];
	DIR *dir;
	struct dirent *entry;
	unsigned n = 0;

	(void)snprintf(path, sizeof(path), "%s/%s", maildir, part);
	dir = opendir(path);
	if (dir == NULL)
		return 0;
	while ((entry = readdir(dir)) != NULL) {
		if (entry->d_name[0] == '.')
			continue;
		n++;
		if (name != NULL)
			(void)snprintf(name, 300, "%s", entry->d_name);
	}
	(void)closedir(dir);
	return n;
}

const char *
maildir_kit_path(const char *folder, const char *name, char path[256])
{
	(void)snprintf(path, 256, "%s/%s", folder, name);
	return path;
}

struct maildir_letter
maildir_kit_letter(const char *path)
{
	return (struct maildir_letter){.path = path,
	    .hostname = "mx1.example",
	    .sender = "a@example.org",
	    .recipient = "b@example.net",
	    .serial = 7};
}
