#include "reporting/gzip.h"

#include <limits.h>

/* zlib.h: next_in is const. */
#define ZLIB_CONST
#include <zlib.h>

/* zlib: the largest window, and 16 for the form of gzip(1). */
#define WINDOW (15 + 16)
#define MEMORY 8
#define PIECE  ((size_t)16384)

/* As far as there is room. */
static int
write_all(z_stream *stream, struct buf *out)
{
	int rc;

	do {
		size_t left = out->limit - out->n;
		size_t n = left < PIECE ? left : PIECE;
		char *room = buf_reserve(out, n);

		if (n == 0 || room == NULL)
			return -1;
		stream->next_out = (Bytef *)room;
		stream->avail_out = (uInt)n;
		rc = deflate(stream, Z_FINISH);
		out->n += n - stream->avail_out;
	} while (rc == Z_OK);
	return rc == Z_STREAM_END ? 0 : -1;
}

int
gzip_write(struct span bytes, struct buf *out)
{
	z_stream stream = {0};
	int rc;

	if (bytes.n > UINT_MAX ||
	    deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, WINDOW,
		MEMORY, Z_DEFAULT_STRATEGY) != Z_OK)
		return -1;
	stream.next_in = (const Bytef *)bytes.p;
	stream.avail_in = (uInt)bytes.n;
	rc = write_all(&stream, out);
	(void)deflateEnd(&stream);
	return rc;
}
