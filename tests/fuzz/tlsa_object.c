/* PEM of an operator's file into certificates and keys. */
#include <assert.h>

#include "tlsa/object.h"

#define OBJECTS_MAX 4

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *arena = arena_new(1000000);
	struct tlsa_object objects[OBJECTS_MAX];
	struct tlsa_record record;
	struct err err = {0};
	size_t n = 0;
	int rc = tlsa_objects_read((struct span){(const char *)data, size},
	    arena, objects, OBJECTS_MAX, &n, &err);

	assert((rc == 0) == (n > 0));
	for (size_t i = 0; i < n; i++) {
		assert(objects[i].spki.n > 0);
		rc = tlsa_object_record(
		    &objects[i], 3, 1, 1, arena, &record, &err);
		assert(rc == 0 && record.use == TLSA_IN_USE);
		rc = tlsa_object_record(
		    &objects[i], 3, 0, 2, arena, &record, &err);
		assert((rc == 0) == (objects[i].cert.n > 0));
	}
	arena_free(&arena);
	return 0;
}
