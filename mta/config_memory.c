/* Memory and complaints of the configuration; see config_private.h. */
#include <stdarg.h>
#include <stdio.h>

#include "base/mem.h"
#include "base/text.h"
#include "mta/config_private.h"

static void *
keep(struct config_memory *memory, void *p)
{
	size_t size = sizeof(memory->owned[0]);

	if (memory->n == memory->cap) {
		size_t cap = memory->cap == 0 ? 64 : memory->cap * 2;

		memory->owned = mem_grow(
		    memory->owned, memory->cap * size, cap * size);
		memory->cap = cap;
	}
	memory->owned[memory->n++] = p;
	return p;
}

void *
config_new(struct config_memory *memory, size_t size)
{
	return keep(memory, mem_new(size));
}

char *
config_string(struct config_memory *memory, struct span text)
{
	char *copy = config_new(memory, text.n + 1);

	if (text.n > 0)
		memcpy(copy, text.p, text.n);
	return copy;
}

/* A power of two, or none: then the block is full. */
static bool
is_full(size_t count)
{
	return (count & (count - 1)) == 0;
}

void *
config_append(
    struct config_memory *memory, void *array, size_t count, size_t size)
{
	void *larger;

	if (!is_full(count))
		return array;
	larger = config_new(memory, (count == 0 ? 1 : 2 * count) * size);
	if (count > 0)
		memcpy(larger, array, count * size);
	return larger;
}

void
config_memory_free(struct config_memory *memory)
{
	for (size_t i = 0; i < memory->n; i++)
		mem_free(memory->owned[i]);
	mem_free(memory->owned);
	*memory = (struct config_memory){0};
}

void
config_problem(
    struct config_report *report, unsigned line, const char *fmt, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	text_make_printable(text);
	report->count++;
	(void)!buf_printf(
	    report->problems, "%s:%u: %s\n", report->file, line, text);
}
