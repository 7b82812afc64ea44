#include "base/wire.h"

#include <endian.h>
#include <string.h>

struct cursor
cursor_of(struct span bytes)
{
	return (struct cursor){.rest = bytes};
}

bool
take_bytes(struct cursor *in, size_t n, struct span *ret)
{
	if (in->failed || in->rest.n < n) {
		in->failed = true;
		return false;
	}
	*ret = span_first(in->rest, n);
	in->rest = span_from(in->rest, n);
	return true;
}

bool
take_u8(struct cursor *in, uint8_t *ret)
{
	struct span s;

	if (!take_bytes(in, 1, &s))
		return false;
	*ret = (uint8_t)s.p[0];
	return true;
}

bool
take_u16(struct cursor *in, uint16_t *ret)
{
	struct span s;
	uint16_t v;

	if (!take_bytes(in, sizeof(v), &s))
		return false;
	memcpy(&v, s.p, sizeof(v));
	*ret = le16toh(v);
	return true;
}

bool
take_u32(struct cursor *in, uint32_t *ret)
{
	struct span s;

	if (!take_bytes(in, sizeof(*ret), &s))
		return false;
	*ret = wire_load_u32(s.p);
	return true;
}

bool
take_u64(struct cursor *in, uint64_t *ret)
{
	struct span s;

	if (!take_bytes(in, sizeof(*ret), &s))
		return false;
	*ret = wire_load_u64(s.p);
	return true;
}

bool
take_i64(struct cursor *in, int64_t *ret)
{
	uint64_t v;

	if (!take_u64(in, &v))
		return false;
	memcpy(ret, &v, sizeof(v));
	return true;
}

bool
take_blob(struct cursor *in, size_t most, struct span *ret)
{
	uint32_t n;

	if (!take_u32(in, &n))
		return false;
	if (n > most) {
		in->failed = true;
		return false;
	}
	return take_bytes(in, n, ret);
}

bool
take_chars(struct cursor *in, size_t most, struct span *ret)
{
	struct span text;

	if (!take_blob(in, most, &text))
		return false;
	if (text.n > 0 && memchr(text.p, '\0', text.n) != NULL) {
		in->failed = true;
		return false;
	}
	*ret = text;
	return true;
}

bool
cursor_done(const struct cursor *in)
{
	return !in->failed && in->rest.n == 0;
}

int
put_u8(struct buf *out, uint8_t value)
{
	return buf_add(out, (struct span){(const char *)&value, 1});
}

int
put_u16(struct buf *out, uint16_t value)
{
	uint16_t v = htole16(value);

	return buf_add(out, (struct span){(const char *)&v, sizeof(v)});
}

int
put_u32(struct buf *out, uint32_t value)
{
	uint32_t v = htole32(value);

	return buf_add(out, (struct span){(const char *)&v, sizeof(v)});
}

int
put_u64(struct buf *out, uint64_t value)
{
	uint64_t v = htole64(value);

	return buf_add(out, (struct span){(const char *)&v, sizeof(v)});
}

int
put_i64(struct buf *out, int64_t value)
{
	uint64_t v;

	memcpy(&v, &value, sizeof(v));
	return put_u64(out, v);
}

int
put_blob(struct buf *out, struct span bytes)
{
	if (bytes.n > UINT32_MAX - 4 || out->limit - out->n < bytes.n + 4)
		return -1;
	if (put_u32(out, (uint32_t)bytes.n) < 0)
		return -1;
	return buf_add(out, bytes);
}

void
wire_store_u32(void *to, uint32_t value)
{
	uint32_t v = htole32(value);

	memcpy(to, &v, sizeof(v));
}

void
wire_store_u64(void *to, uint64_t value)
{
	uint64_t v = htole64(value);

	memcpy(to, &v, sizeof(v));
}

uint32_t
wire_load_u32(const void *from)
{
	uint32_t v;

	memcpy(&v, from, sizeof(v));
	return le32toh(v);
}

uint64_t
wire_load_u64(const void *from)
{
	uint64_t v;

	memcpy(&v, from, sizeof(v));
	return le64toh(v);
}
