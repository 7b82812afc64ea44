/* Private to reporting/inbound_store*.c. */
#pragma once
#include "base/db.h"
#include "reporting/inbound_store.h"

#define INBOUND_FORMAT 1

struct db inbound_store_db(const struct inbound_store *store);
