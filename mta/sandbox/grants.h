/*
 * Private to mta/sandbox/: which files and folders a role may open, and for
 * what, by the configuration.  Pure but for one question: is it there?
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mta/config.h"
#include "mta/ipc.h"

#define GRANTS_MAX 4096
#define PORTS_MAX  1024

enum grant_use {
	GRANT_READ = 0, /* a file, or a folder with all below it */
	GRANT_WRITE,    /* read, and files in it are made and removed */
	GRANT_GROW,     /* the same, and folders */
	GRANT_TAKE,     /* write, and whatever others have put there */
	GRANT_LOCK,     /* a file that is made when it is not there */
	GRANT_RUN,      /* a program */
};

struct grant {
	char *path;
	enum grant_use use;
};

struct grants {
	struct grant *list;
	size_t n;
	uint16_t *ports; /* that may be connected to over TCP */
	size_t nports;
	bool any_port;
};

/* Each is there at this moment, but for those to be made. */
struct grants *grants_new(enum role_kind kind, const struct config *config);
void grants_free(struct grants **grants);

/*
 * The folder that a template of a Maildir begins with: "/var/mail" of
 * "/var/mail/%d/%u", and all of one without a "%u" or "%d".  False: `to` is
 * too small.
 */
bool grants_maildir(const char *template, char *to, size_t size);
