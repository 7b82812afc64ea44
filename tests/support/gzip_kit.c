#include "tests/support/gzip_kit.h"

#include <assert.h>
#include <string.h>
#include <zlib.h>

#include "base/mem.h"

#define BLOCK ((size_t)1 << 20)

static void
deflate_to(z_stream *z, struct buf *to, int flush)
{
	int rc;

	do {
		char *room = buf_reserve(to, 4096);

		assert(room != NULL);
		z->next_out = (Bytef *)room;
		z->avail_out = 4096;
		rc = deflate(z, flush);
		to->n += 4096 - z->avail_out;
	} while (z->avail_out == 0 && rc == Z_OK);
}

static void
start(z_stream *z)
{
	int rc = deflateInit2(
	    z, 9, Z_DEFLATED, MAX_WBITS + 16, 9, Z_DEFAULT_STRATEGY);

	assert(rc == Z_OK);
}

void
gzip_add(struct buf *to, struct span bytes, const char *name)
{
	z_stream z = {0};
	gz_header header = {.name = (Bytef *)(uintptr_t)name, .os = 255};

	start(&z);
	if (name != NULL)
		(void)deflateSetHeader(&z, &header);
	z.next_in = (z_const Bytef *)(uintptr_t)bytes.p;
	z.avail_in = (uInt)bytes.n;
	deflate_to(&z, to, Z_FINISH);
	(void)deflateEnd(&z);
}

void
gzip_bomb(struct buf *to, uint64_t size, char c)
{
	char *block = mem_new(BLOCK);
	z_stream z = {0};
	size_t from;
	size_t n;

	memset(block, c, BLOCK);
	start(&z);
	deflate_to(&z, to, Z_FULL_FLUSH);
	from = to->n;
	z.next_in = (Bytef *)block;
	z.avail_in = BLOCK;
	deflate_to(&z, to, Z_FULL_FLUSH);
	n = to->n - from;
	(void)deflateEnd(&z);
	mem_free(block);
	for (uint64_t i = 1; i < size / BLOCK; i++) {
		char *room = buf_reserve(to, n);

		assert(room != NULL);
		memcpy(room, to->p + from, n);
		to->n += n;
	}
}

void
base64_add(struct buf *to, struct span bytes)
{
	static const char digits[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	int rc = 0;

	for (size_t i = 0; i < bytes.n; i += 3) {
		size_t n = bytes.n - i < 3 ? bytes.n - i : 3;
		uint32_t v = 0;
		char out[4];

		for (size_t k = 0; k < 3; k++)
			v = v << 8 |
			    (k < n ? (unsigned char)bytes.p[i + k] : 0);
		for (size_t k = 0; k < 4; k++)
			out[k] = k > n ? '=' : digits[v >> (18 - 6 * k) & 63];
		rc |= buf_add(to, (struct span){out, 4});
		if (i % 54 == 51)
			rc |= buf_add_str(to, "\r\n");
	}
	assert(rc == 0);
}
