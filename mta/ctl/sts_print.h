/* What `danelaw sts` writes of the policies that are kept. */
#pragma once
#include <stdbool.h>

#include "mta/sts/store.h"

/* One JSON object, with or without the policy's text. */
void sts_print_json(
    const char *domain, const struct sts_entry *entry, bool with_text);
/* Everything, for people. */
void sts_print_record(
    const char *domain, const struct sts_entry *entry, int64_t now);

/* A line each, for people. */
struct sts_list;

struct sts_list *sts_list_new(int64_t now);
void sts_list_add(
    struct sts_list *list, const char *domain, const struct sts_entry *entry);
/* False: it has no line. */
bool sts_list_end(struct sts_list **list);
