/* Private to mta/ctl/report*.c: reports as people and programs read them. */
#pragma once
#include <stdint.h>
#include <stdio.h>

struct inbox_report;
struct report_read;

/* A report for people, with the file's name as it is shown, or NULL; as one
 * line of JSON. */
void report_print(FILE *to, const char *file, const struct report_read *read);
void report_print_json(
    FILE *to, const char *file, const struct report_read *read);
/* A list, and what stands above it. */
void report_print_head(FILE *to);
void report_print_line(FILE *to, const struct inbox_report *report);
void report_print_line_json(FILE *to, const struct inbox_report *report);
/* The texts of others may hold anything: one printable line, in *room. */
#define REPORT_SHOWN_SIZE 200
const char *report_shown(const char *text, char room[REPORT_SHOWN_SIZE]);
/* So may the names of files; none that can be opened is cut. */
#define REPORT_FILE_SHOWN ((size_t)4 * 4096 + 1)
const char *report_shown_name(const char *file, char room[REPORT_FILE_SHOWN]);
/* "1 day", "2 days" */
const char *report_plural(uint64_t n);
/* "2026-11-28" */
#define REPORT_DAY_SIZE 12
void report_day(int64_t day, char to[REPORT_DAY_SIZE]);
