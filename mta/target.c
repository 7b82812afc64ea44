/* Targets between text and value; see target.h. */
#include "mta/target.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/text.h"
#include "mta/domain.h"

#define SMTP_PORT 25
#define LMTP_PORT 24 /* RFC 2033 5: not 25 */
#define BOUNCES   "report-bounces"
#define EXPANDED  "expanded"

#define EXPECTED                                               \
	"expected mx:DOMAIN, smtp:HOST:PORT, lmtp:HOST:PORT, " \
	"lmtp:unix:/PATH, "                                    \
	"maildir:/PATH or discard"

typedef int read_target(
    struct span rest, struct target *target, struct err *err);

static int
fail(struct err *err, struct span text, const char *expected)
{
	char shown[64];

	text_escape(text, shown, sizeof(shown));
	return err_set(err, ERR_PERM, "5.3.5", "\"%s\": %s", shown, expected);
}

static int
read_mx(struct span rest, struct target *target, struct err *err)
{
	target->kind = TARGET_MX;
	if (!domain_fold(rest, target->host))
		return fail(err, rest, "expected a domain after mx:");
	return 0;
}

/* An IPv4 or, with or without brackets, an IPv6 address; canonical. */
static bool
read_address(struct span text, struct target *target)
{
	uint8_t bytes[16];
	char z[INET6_ADDRSTRLEN];
	int family;

	if (text.n >= 2 && text.p[0] == '[' && text.p[text.n - 1] == ']')
		text = (struct span){text.p + 1, text.n - 2};
	if (text.n >= sizeof(z) || memchr(text.p, '\0', text.n) != NULL)
		return false;
	memcpy(z, text.p, text.n);
	z[text.n] = '\0';
	family = inet_pton(AF_INET, z, bytes) == 1 ? AF_INET : AF_INET6;
	if (family == AF_INET6 && inet_pton(AF_INET6, z, bytes) != 1)
		return false;
	return inet_ntop(family, bytes, target->host, sizeof(z)) != NULL;
}

/* Where the host ends: the colon before the port, or the end. */
static size_t
host_length(struct span text)
{
	const char *bracket = text.n == 0 || text.p[0] != '['
	                          ? NULL
	                          : memchr(text.p, ']', text.n);
	size_t from = bracket == NULL ? 0 : (size_t)(bracket - text.p);
	struct span rest = span_from(text, from);
	const char *colon = rest.n == 0 ? NULL : memchr(rest.p, ':', rest.n);

	return colon == NULL ? text.n : (size_t)(colon - text.p);
}

int
target_endpoint(
    struct span text, uint16_t usual, struct target *target, struct err *err)
{
	size_t n = host_length(text);
	struct span host = span_first(text, n), port = span_from(text, n);
	uint32_t number = usual;

	if (n < text.n && (!text_parse_u32(span_from(port, 1), &number) ||
			      number == 0 || number > UINT16_MAX))
		return fail(err, text, "expected a port of 1 to 65535");
	target->port = (uint16_t)number;
	if (host.n == 0 ||
	    (!read_address(host, target) && !domain_fold(host, target->host)))
		return fail(err, text,
		    "expected HOST:PORT, an IPv6 address in brackets");
	return 0;
}

static int
read_smtp(struct span rest, struct target *target, struct err *err)
{
	target->kind = TARGET_SMTP;
	return target_endpoint(rest, SMTP_PORT, target, err);
}

/* An absolute path into `to`, which is zeroed and holds `size` octets. */
static bool
take_path(struct span path, char *to, size_t size)
{
	if (path.p == NULL || path.n == 0 || path.n >= size ||
	    path.p[0] != '/' || !text_is_utf8(path))
		return false;
	for (size_t i = 0; i < path.n; i++)
		if ((unsigned char)path.p[i] < ' ' || path.p[i] == 0x7f)
			return false;
	memcpy(to, path.p, path.n);
	return true;
}

static int
read_unix(struct span path, struct target *target, struct err *err)
{
	struct sockaddr_un address;

	target->kind = TARGET_LMTP_UNIX;
	if (!take_path(path, target->path, sizeof(address.sun_path)))
		return fail(err, path,
		    "expected an absolute path of at most 107 octets after "
		    "lmtp:unix:");
	return 0;
}

/* A socket is a path, and a path was given. */
static int
refuse_path(struct span path, struct err *err)
{
	char shown[64];

	text_escape(path, shown, sizeof(shown));
	return err_set(err, ERR_PERM, "5.3.5",
	    "\"lmtp:%s\": expected lmtp:unix:%s for a socket, or "
	    "lmtp:HOST:PORT",
	    shown, shown);
}

static int
read_lmtp(struct span rest, struct target *target, struct err *err)
{
	/* A host "unix" would read back as a path. */
	if (span_starts_nocase(rest, SPAN("unix:")) ||
	    span_eq_nocase(rest, SPAN("unix")))
		return read_unix(span_from(rest, 5), target, err);
	if (rest.n > 1 && rest.p[0] == '/' && rest.p[1] != '/')
		return refuse_path(rest, err);
	target->kind = TARGET_LMTP_TCP;
	return target_endpoint(rest, LMTP_PORT, target, err);
}

/* Only %u, %d and %% may stand in a template. */
static bool
is_template(struct span path)
{
	for (size_t i = 0; i < path.n; i++) {
		if (path.p[i] != '%')
			continue;
		if (++i == path.n ||
		    (path.p[i] != 'u' && path.p[i] != 'd' && path.p[i] != '%'))
			return false;
	}
	return true;
}

static int
read_maildir(struct span path, struct target *target, struct err *err)
{
	target->kind = TARGET_MAILDIR;
	if (!take_path(path, target->path, sizeof(target->path)))
		return fail(err, path,
		    "expected an absolute path of at most 255 octets after "
		    "maildir:");
	if (!is_template(path))
		return fail(err, path,
		    "expected %u (local part), %d (domain) or %% after %");
	return 0;
}

static int
read_discard(struct span rest, struct target *target, struct err *err)
{
	target->kind = TARGET_DISCARD;
	return rest.n == 0 ? 0 : fail(err, rest, "expected discard alone");
}

static const struct {
	struct span prefix;
	read_target *read;
} readers[] = {
    {{"mx:", 3}, read_mx},
    {{"smtp:", 5}, read_smtp},
    {{"lmtp:", 5}, read_lmtp},
    {{"maildir:", 8}, read_maildir},
    {{"discard", 7}, read_discard},
};

int
target_parse(struct span text, struct target *ret, struct err *err)
{
	for (size_t i = 0; i < sizeof(readers) / sizeof(readers[0]); i++) {
		struct target target = {0};

		if (!span_starts_nocase(text, readers[i].prefix))
			continue;
		if (readers[i].read(
			span_from(text, readers[i].prefix.n), &target, err) < 0)
			return -1;
		*ret = target;
		return 0;
	}
	return fail(err, text, EXPECTED);
}

int
target_of_key(const char *key, struct target *ret, struct err *err)
{
	enum target_kind kind = TARGET_NONE;

	if (strcmp(key, BOUNCES) == 0)
		kind = TARGET_REPORT_BOUNCES;
	if (strcmp(key, EXPANDED) == 0)
		kind = TARGET_EXPANDED;
	if (kind == TARGET_NONE)
		return target_parse(span_of(key), ret, err);
	*ret = (struct target){.kind = kind};
	return 0;
}

/* An address stands in brackets, so that its text reads back as itself. */
static void
endpoint_text(
    const char *scheme, const struct target *target, char to[TARGET_TEXT_MAX])
{
	uint8_t bytes[16];
	bool address = inet_pton(AF_INET, target->host, bytes) == 1 ||
	               inet_pton(AF_INET6, target->host, bytes) == 1;

	(void)snprintf(to, TARGET_TEXT_MAX, address ? "%s:[%s]:%u" : "%s:%s:%u",
	    scheme, target->host, (unsigned)target->port);
}

void
target_text(const struct target *target, char to[TARGET_TEXT_MAX])
{
	switch (target->kind) {
	case TARGET_NONE:
		to[0] = '\0';
		return;
	case TARGET_MX:
		(void)snprintf(to, TARGET_TEXT_MAX, "mx:%s", target->host);
		return;
	case TARGET_SMTP:
		endpoint_text("smtp", target, to);
		return;
	case TARGET_LMTP_TCP:
		endpoint_text("lmtp", target, to);
		return;
	case TARGET_LMTP_UNIX:
		(void)snprintf(
		    to, TARGET_TEXT_MAX, "lmtp:unix:%s", target->path);
		return;
	case TARGET_MAILDIR:
		(void)snprintf(to, TARGET_TEXT_MAX, "maildir:%s", target->path);
		return;
	case TARGET_DISCARD:
		(void)text_copy(to, TARGET_TEXT_MAX, "discard");
		return;
	case TARGET_REPORT_BOUNCES:
		(void)text_copy(to, TARGET_TEXT_MAX, BOUNCES);
		return;
	case TARGET_EXPANDED:
		(void)text_copy(to, TARGET_TEXT_MAX, EXPANDED);
		return;
	}
	to[0] = '\0';
}

const char *
target_kind_name(enum target_kind kind)
{
	switch (kind) {
	case TARGET_NONE:
		return "none";
	case TARGET_MX:
		return "mx";
	case TARGET_SMTP:
		return "smtp";
	case TARGET_LMTP_TCP:
		return "lmtp";
	case TARGET_LMTP_UNIX:
		return "lmtp-unix";
	case TARGET_MAILDIR:
		return "maildir";
	case TARGET_DISCARD:
		return "discard";
	case TARGET_REPORT_BOUNCES:
		return BOUNCES;
	case TARGET_EXPANDED:
		return EXPANDED;
	}
	return "none";
}

bool
target_is_smtp(const struct target *target)
{
	return target->kind == TARGET_MX || target->kind == TARGET_SMTP;
}

bool
target_is_mailbox(const struct target *target)
{
	return target->kind == TARGET_MAILDIR ||
	       target->kind == TARGET_LMTP_TCP ||
	       target->kind == TARGET_LMTP_UNIX;
}
