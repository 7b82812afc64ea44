/*
 * What came back of a report of ours: its beginning goes to where the report
 * role finds it (mta/report_mails.h), durable, before that is said to be
 * settled.  A crash costs at most that it is put there twice, as one.
 */
#pragma once

struct job;

/* Of a job for TARGET_REPORT_BOUNCES; settles it. */
void bounces_start(struct job *job);
