#include "mta/net/tls_hello.h"

#include <string.h>

#include "base/text.h"
#include "base/wire.h"

#define HOST_NAME 0 /* RFC 6066 3: the one NameType there is */

/* TLS counts with the high octet first, base/wire.h with the low one. */
static bool
take_length(struct cursor *in, size_t *ret)
{
	uint8_t high, low;

	if (!take_u8(in, &high) || !take_u8(in, &low))
		return false;
	*ret = (size_t)high << 8 | low;
	return true;
}

/* The list has one name of each type, so the first host name is the only. */
static bool
take_host_name(struct cursor *in, struct span *ret)
{
	uint8_t type;
	size_t n;

	while (in->rest.n > 0)
		if (!take_u8(in, &type) || !take_length(in, &n) ||
		    !take_bytes(in, n, ret))
			return false;
		else if (type == HOST_NAME)
			return true;
	return false;
}

bool
tls_hello_name(struct span extension, char to[TLS_HELLO_NAME])
{
	struct cursor in = cursor_of(extension);
	struct span name;
	size_t n;

	to[0] = '\0';
	if (!take_length(&in, &n) || n != in.rest.n ||
	    !take_host_name(&in, &name))
		return false;
	if (name.n == 0 || name.n >= TLS_HELLO_NAME ||
	    memchr(name.p, '\0', name.n) != NULL)
		return false;
	memcpy(to, name.p, name.n);
	to[name.n] = '\0';
	text_fold(to);
	return true;
}
