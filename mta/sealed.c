/* See sealed.h. */
#include "mta/sealed.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"

#define SEALS (F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL)

/* What passes through this process at once, and is wiped. */
#define PIECE 1024

struct sealed {
	unsigned owners;
	int fd;
	size_t n;
};

struct sealed *
sealed_new(struct span bytes, struct err *err)
{
	int fd = memfd_create("danelaw-key", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	struct sealed *sealed;

	if (fd < 0 || fd_write_all(fd, bytes) < 0 ||
	    fcntl(fd, F_ADD_SEALS, SEALS) < 0) {
		(void)err_set(err, ERR_TEMP, "4.3.0",
		    "no memory file for a private key: %s",
		    strerrordesc_np(errno));
		if (fd >= 0)
			(void)close(fd);
		return NULL;
	}
	sealed = mem_new(sizeof(*sealed));
	*sealed = (struct sealed){1, fd, bytes.n};
	return sealed;
}

struct sealed *
sealed_share(struct sealed *sealed)
{
	sealed->owners++;
	return sealed;
}

void
sealed_free(struct sealed **sealedp)
{
	struct sealed *sealed = *sealedp;

	*sealedp = NULL;
	if (sealed == NULL || --sealed->owners > 0)
		return;
	(void)close(sealed->fd);
	mem_free(sealed);
}

/* The piece from there on; its octets, fewer at the end only.  -1: errno. */
static ssize_t
read_piece(const struct sealed *sealed, size_t at, char piece[PIECE])
{
	size_t left = sealed->n - at, wanted = left < PIECE ? left : PIECE;
	size_t done = 0;

	while (done < wanted) {
		ssize_t n = pread(sealed->fd, piece + done, wanted - done,
		    (off_t)(at + done));

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return -1;
		done += (size_t)n;
	}
	return (ssize_t)done;
}

static bool
is_same_piece(const struct sealed *a, const struct sealed *b, size_t at)
{
	char of_a[PIECE], of_b[PIECE];
	ssize_t n = read_piece(a, at, of_a), m = read_piece(b, at, of_b);
	bool same = n > 0 && n == m &&
	            span_eq((struct span){of_a, (size_t)n},
			(struct span){of_b, (size_t)m});

	explicit_bzero(of_a, sizeof(of_a));
	explicit_bzero(of_b, sizeof(of_b));
	return same;
}

bool
sealed_same(const struct sealed *a, const struct sealed *b)
{
	bool same = a->n == b->n;

	for (size_t at = 0; same && a != b && at < a->n; at += PIECE)
		same = is_same_piece(a, b, at);
	return same;
}

int
sealed_copy(const struct sealed *sealed, int fd)
{
	char piece[PIECE];
	int rc = 0;

	for (size_t at = 0; rc == 0 && at < sealed->n; at += PIECE) {
		ssize_t n = read_piece(sealed, at, piece);

		rc = n < 0 ? -1
		           : fd_write_all(fd, (struct span){piece, (size_t)n});
	}
	explicit_bzero(piece, sizeof(piece));
	return rc;
}
