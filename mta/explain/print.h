/* A survey, with or without its probes, for people: a tree of lines. */
#pragma once
#include <stdio.h>

#include "mta/explain/survey.h"

void survey_print(FILE *to, const struct survey *survey);
/* 0 when delivery would be authenticated (with probes: is), else 1. */
int survey_status(const struct survey *survey);

/* One JSON document for all of it; see danelaw(8). */
struct json_t;
struct json_t *survey_json(const struct survey *survey);
