/*
 * The decision record as JSON: docs/decision.schema.json says what is in it.
 * A new member does not change the version; another meaning of one does.
 */
#pragma once
#include "policy/decision.h"

#define DECISION_JSON_VERSION 1

struct json_t;

/* A new reference; never NULL. */
struct json_t *decision_json(const struct decision *decision);
