/* See program.h. */
#include "mta/sandbox/program.h"

#include <link.h>
#include <stddef.h>
#include <stdint.h>

struct walk {
	program_file *on_file;
	void *arg;
};

/* The first is the program, which has no name and names its loader. */
static int
on_object(struct dl_phdr_info *info, size_t size, void *arg)
{
	const struct walk *walk = arg;

	(void)size;
	if (info->dlpi_name != NULL && info->dlpi_name[0] == '/')
		walk->on_file(walk->arg, info->dlpi_name, false);
	for (size_t i = 0; i < info->dlpi_phnum; i++)
		if (info->dlpi_phdr[i].p_type == PT_INTERP)
			walk->on_file(walk->arg,
			    (const char *)(uintptr_t)(info->dlpi_addr +
						      info->dlpi_phdr[i]
							  .p_vaddr),
			    true);
	return 0;
}

void
program_files(program_file *on_file, void *arg)
{
	struct walk walk = {on_file, arg};

	on_file(arg, "/proc/self/exe", true);
	(void)dl_iterate_phdr(on_object, &walk);
}

bool
program_is_sanitized(void)
{
#if defined(__SANITIZE_ADDRESS__)
	return true;
#else
	return false;
#endif
}
