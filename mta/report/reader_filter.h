/*
 * What the process that reads mails may ask of the kernel: a list, by seccomp.
 *
 * It reads its files, writes the result, gets memory that is not to be run,
 * and ends.  Everything else fails with EPERM, so a library that tries more
 * goes on without.  What no library tries, and who has taken the process over
 * would try first, ends it by SIGSYS.
 *
 * Built with AddressSanitizer it may also write to standard error, where that
 * reports, and look at how it handles signals.  Nothing else differs.
 */
#pragma once

/*
 * From now on, for good.  -1: the kernel has no seccomp, or will not: no mail
 * is to be read.
 */
int reader_filter(void);
