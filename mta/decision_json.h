/*
 * The decision record as JSON: docs/DECISION-RECORD.md says what is in it.
 * A new member does not change the version; another meaning of one does.
 */
#pragma once
#include "policy/decision.h"

#define DECISION_JSON_VERSION 1

struct json_t;

/* A new reference; never NULL. */
struct json_t *decision_json(const struct decision *decision);
/*
 * What is kept of one, as decision_text() writes it: wanted, got, source and
 * rule.  NULL when that is not what the text is.
 */
struct json_t *decision_brief_json(const char *text);
