/* The words of RFC 8460 4.2 and 4.3, which reports are written in. */
#pragma once
#include "base/span.h"
#include "reporting/report.h"

/* "" for what has no word of its own. */
const char *tls_result_name(enum tls_result result);
/* RESULT_OTHER: a word nobody knows. */
enum tls_result tls_result_of(struct span word);

const char *report_policy_type_name(enum report_policy_type type);
enum report_policy_type report_policy_type_of(struct span word);
