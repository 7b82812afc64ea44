/* A report and its notes as one line each, for tests to compare. */
#pragma once
#include "base/buf.h"
#include "reporting/report.h"
#include "reporting/report_note.h"

/*
 *     O c@o.example I 86400-172799 [sts/sts example.com "version: STSv1"
 *     mx=mx.example.com 1/2 {starttls-not-supported/1 from=192.0.2.1 host=...
 *     helo=... to=... n=2 more=... code=...}]
 *
 * What is empty is left out.
 */
void report_print(struct buf *to, const struct report *report);

/* "missing*2@policies[0].policy.policy-domain null@report-id" */
void report_print_notes(struct buf *to, const struct report_notes *notes);
