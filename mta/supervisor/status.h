/* Private to mta/supervisor/: what the control socket says of all of it. */
#pragma once
#include "base/buf.h"
#include "dnssec/health.h"

struct config;
struct control_item;
struct dane;
struct supervisor;

/* How a reload went that was not refused: what did not come along. */
int status_write_reload(const struct supervisor *sup, struct buf *out);
/* An item a process, then the end; -1: it is too large. */
int status_write(const struct supervisor *sup, struct buf *out);
/* A message of a receive process; what it cannot be is no word to us. */
void status_add_refusals(struct supervisor *sup, struct span bytes);
void status_put_dane(const struct dane *dane, struct control_item *more);
/* What is asked of TLS: of clients, and the rules for next hops that count. */
void status_put_tls(
    const struct config *config, int64_t now, struct control_item *more);

/* One word for people and scripts; "degraded" wants somebody to look. */
const char *status_state(const struct supervisor *sup);
/* Of the processes that look up names, how the one that fares worst does. */
enum dns_ability status_dnssec(const struct supervisor *sup);
