/* What `danelaw audit summary` writes, from rows of audit_store_read(). */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "mta/audit_store.h"

struct audit_print;

/* `since`: the first day, of the epoch. */
struct audit_print *audit_print_new(FILE *to, bool json, int64_t since);
/* Rows of one destination come together. */
void audit_print_row(struct audit_print *print, const struct audit_row *row,
    const struct audit_sums *sums);
void audit_print_free(struct audit_print **print);
/* The last line, and free it.  True: something was, or would be, refused. */
bool audit_print_end(struct audit_print **print);
