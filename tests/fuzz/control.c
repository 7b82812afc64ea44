/* A request that is taken can be written, and means the same again. */
#include "mta/ctl/control.h"

#include <assert.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct control_request request, again;
	struct buf out;
	struct err err;

	if (control_read_request(
		(struct span){(const char *)data, size}, &request, &err) < 0)
		return 0;
	assert(request.command != CONTROL_NONE && request.limit > 0);
	buf_init(&out, CONTROL_LINE_MAX);
	assert(control_write_request(&request, &out) == 0);
	assert(control_read_request(buf_span(&out), &again, &err) == 0);
	assert(again.command == request.command);
	assert(again.limit == request.limit);
	assert(strcmp(again.id, request.id) == 0);
	assert(strcmp(again.target, request.target) == 0);
	assert(strcmp(again.after, request.after) == 0);
	assert(strcmp(again.domain, request.domain) == 0);
	buf_free(&out);
	return 0;
}
