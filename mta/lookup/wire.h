/*
 * Connections to one server that is asked: a few, kept between questions, each
 * with one question at a time.  Questions wait in a line of limited length,
 * and no longer than the lookup's timeout.
 */
#pragma once
#include "mta/config.h"
#include "mta/lookup/said.h"

struct loop;
struct wire;
struct wire_ask;

struct wire *wire_new(
    struct loop *loop, const struct config_lookup *by, const char *hostname);
/* No question may be open any more. */
void wire_free(struct wire **wire);

/* `done` comes from the loop, once, unless it is cancelled. */
struct wire_ask *wire_ask(
    struct wire *wire, const char *key, said_fn *done, void *arg);
void wire_cancel(struct wire_ask *ask);
