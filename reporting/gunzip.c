#include "reporting/gunzip.h"

#include <limits.h>
#include <stdint.h>
#include <zlib.h>

/* windowBits: the largest window, and the frame of gzip alone */
#define GZIP_ONLY (MAX_WBITS + 16)
#define PIECE     ((size_t)32 << 10)

#define FREE_OF_RATIO ((size_t)1 << 20)

bool
gunzip_is(struct span bytes)
{
	return bytes.n >= 2 && bytes.p[0] == '\x1f' && bytes.p[1] == '\x8b';
}

static int
refuse(struct err *err, const char *why)
{
	return err_set(err, ERR_PERM, "5.6.0", "gzip: %s", why);
}

/* RFC 8460 7: no bomb. */
static int
add(struct buf *to, struct span piece, size_t taken, struct err *err)
{
	if (buf_add(to, piece) < 0)
		return err_set(err, ERR_PERM, "5.3.4",
		    "gzip: it has more than %zu octets", to->limit);
	if (to->n > FREE_OF_RATIO && to->n / GUNZIP_RATIO > taken)
		return err_set(err, ERR_PERM, "5.3.4",
		    "gzip: it grows to more than %d times its size",
		    GUNZIP_RATIO);
	return 0;
}

/* To the end of one member. */
static int
inflate_member(z_stream *z, size_t size, struct buf *to, struct err *err)
{
	Bytef piece[PIECE];
	int rc = Z_OK;

	while (rc != Z_STREAM_END) {
		struct span made = {(const char *)piece, 0};

		z->next_out = piece;
		z->avail_out = sizeof(piece);
		rc = inflate(z, Z_NO_FLUSH);
		if (rc == Z_BUF_ERROR)
			return refuse(err, "it ends too early");
		if (rc != Z_OK && rc != Z_STREAM_END)
			return refuse(err, "it is damaged");
		made.n = sizeof(piece) - z->avail_out;
		if (add(to, made, size - z->avail_in, err) < 0)
			return -1;
	}
	return 0;
}

static struct span
rest_of(const z_stream *z)
{
	return (struct span){(const char *)z->next_in, z->avail_in};
}

static int
inflate_members(z_stream *z, size_t size, struct buf *to,
    struct gunzip_seen *seen, struct err *err)
{
	do {
		if (seen->members++ == GUNZIP_MEMBERS)
			return refuse(err, "it has too many members");
		if (inflate_member(z, size, to, err) < 0)
			return -1;
		(void)inflateReset(z);
	} while (gunzip_is(rest_of(z)));
	seen->trailing = z->avail_in;
	return 0;
}

int
gunzip(struct span bytes, struct buf *ret, struct gunzip_seen *ret_seen,
    struct err *err)
{
	struct gunzip_seen seen = {0};
	z_stream z = {0};
	int result;

	if (bytes.n > UINT_MAX)
		return refuse(err, "it is too large");
	z.next_in = (z_const Bytef *)(uintptr_t)bytes.p;
	z.avail_in = (uInt)bytes.n;
	if (inflateInit2(&z, GZIP_ONLY) != Z_OK)
		return err_set(err, ERR_TEMP, "4.3.0", "gzip: no memory");
	result = inflate_members(&z, bytes.n, ret, &seen, err);
	(void)inflateEnd(&z);
	if (result == 0)
		*ret_seen = seen;
	return result;
}
