/*
 * The process that reads one mail for the report role: this binary started
 * again as `danelawd --read-report NOW`, with descriptor 3 the mail, 4 the
 * answers so far and 5 the result; see reader_wire.h.
 *
 * It has no state: it reads until it needs a key, says which, and ends; with
 * the answer it begins anew.  So it wants neither a network nor time to wait,
 * and what a stranger's mail does to it costs that mail alone.
 */
#pragma once
#include <stdint.h>

#define READER_FD_MAIL    3
#define READER_FD_ANSWERS 4
#define READER_FD_RESULT  5

/* Its exit status, when it has not begun: it could not be confined. */
#define READER_UNCONFINED 3

#define READER_SECONDS 10 /* of its own time */
#define READER_MEMORY  ((uint64_t)64 << 20)

/* The whole life of the process; its exit status. */
int reader_main(int64_t now);

/*
 * From now on this process gets no more than that, opens nothing, starts
 * nothing and writes no file that is larger than a result.  What was lower
 * before stays so.  -1: errno.
 */
int reader_limit(void);
