/* Descriptors of files, by the calls that may do less than they are asked. */
#pragma once
#include "base/span.h"

/* All of it, however often it takes.  -1 with errno: perhaps a part. */
int fd_write_all(int fd, struct span bytes);
