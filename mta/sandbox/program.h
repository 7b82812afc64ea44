/* Private to mta/sandbox/: the files that this program is started from. */
#pragma once
#include <stdbool.h>

/* A file; `runs`: it is executed, as the program and its loader are. */
typedef void program_file(void *arg, const char *path, bool runs);

/* Itself, its loader, and the libraries that are loaded now. */
void program_files(program_file *on_file, void *arg);

/* Was it built with AddressSanitizer, for tests? */
bool program_is_sanitized(void);
