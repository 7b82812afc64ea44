#include "tests/support/corpus.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

int
corpus_read(const char *name, struct buf *ret)
{
	const char *folder = getenv("DANELAW_CORPORA");
	char path[PATH_MAX];
	char piece[4096];
	size_t n;
	FILE *f;
	int result = 0;

	buf_init(ret, CORPUS_MAX);
	(void)snprintf(path, sizeof(path), "%s/%s",
	    folder == NULL ? "../shared/corpora" : folder, name);
	f = fopen(path, "rbe");
	if (f == NULL) {
		(void)fprintf(stderr, "not there: %s\n", path);
		return -1;
	}
	while ((n = fread(piece, 1, sizeof(piece), f)) > 0)
		result |= buf_add(ret, (struct span){piece, n});
	(void)fclose(f);
	return result;
}

json_t *
corpus_jsonl(const char *name)
{
	struct buf file;
	json_t *rows = json_array();
	struct span rest;

	if (corpus_read(name, &file) < 0) {
		json_decref(rows);
		buf_free(&file);
		return NULL;
	}
	rest = buf_span(&file);
	while (rest.n > 0) {
		const char *end = memchr(rest.p, '\n', rest.n);
		size_t n = end == NULL ? rest.n : (size_t)(end - rest.p);
		json_t *row = json_loadb(rest.p, n, JSON_ALLOW_NUL, NULL);

		if (row != NULL)
			(void)json_array_append_new(rows, row);
		rest = span_from(rest, n + 1);
	}
	buf_free(&file);
	return rows;
}

struct span
corpus_span(const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);

	return (struct span){
	    json_string_value(value), json_string_length(value)};
}
