/* make_drop SENDER RCPT... < message: a drop on standard output, sums right,
 * the message as it is. */
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "mta/drop.h"
#include "queue/checksum.h"

#define MESSAGE_MAX (1u << 20)

static int
write_out(const void *bytes, size_t n)
{
	return fwrite(bytes, 1, n, stdout) == n ? 0 : -1;
}

int
main(int argc, char **argv)
{
	char *message = mem_new(MESSAGE_MAX);
	size_t n = fread(message, 1, MESSAGE_MAX, stdin);
	struct envelope envelope = {.sender = argc > 1 ? argv[1] : "",
	    .envid = "",
	    .helo = "",
	    .client = "",
	    .session = ""};
	struct drop_header header = {.message = n,
	    .sum = checksum((struct span){message, n}, DROP_SEED)};
	uint8_t front[DROP_HEADER];
	struct buf bytes;
	int rc;

	envelope.nrcpts = argc > 2 ? (size_t)argc - 2 : 0;
	envelope.rcpts = mem_array(
	    envelope.nrcpts + 1, sizeof(envelope.rcpts[0]));
	for (size_t i = 0; i < envelope.nrcpts; i++)
		envelope.rcpts[i] = (struct envelope_rcpt){argv[2 + i], "", 0};
	buf_init(&bytes, DROP_ENVELOPE_MAX);
	rc = envelope_encode(&envelope, &bytes);
	if (rc == 0) {
		drop_put_header(&header, buf_span(&bytes), front);
		rc = write_out(front, sizeof(front));
	}
	if (rc == 0)
		rc = write_out(message, n);
	if (rc == 0)
		rc = write_out(bytes.p, bytes.n);
	buf_free(&bytes);
	mem_free(envelope.rcpts);
	mem_free(message);
	return rc == 0 && fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
