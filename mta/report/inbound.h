/*
 * Sessions of others with us, from the processes that receive into
 * reporting/inbound_store.h, a batch every few seconds.  What cannot be
 * written is kept within bounds; beyond, it is a number alone.
 */
#pragma once
#include <stdbool.h>

#include "base/span.h"

struct counting;
struct role;

/* NULL: the configuration wants none; then those of before are forgotten. */
struct counting *counting_new(struct role *role);
/* What a process says: IPC_INBOUND.  False: it is nothing we would say.  From
 * one that is older than the configuration it is no matter to NULL. */
bool counting_take(struct counting *counting, struct span payload);
/* What is left is written before. */
void counting_free(struct counting **counting);
