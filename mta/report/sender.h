/* Private to mta/report/send.c and tries.c. */
#pragma once
#include "base/clock.h"
#include "dnssec/dnssec.h"
#include "mta/locals.h"
#include "mta/net/https.h"
#include "mta/report/agenda.h"
#include "mta/report/keys.h"
#include "mta/report/mailing.h"
#include "mta/report/private.h"
#include "reporting/record.h"
#include "reporting/reverse_path.h"

struct attempt;
struct lookup;

struct sender {
	struct report_role *report;
	const struct config *config;
	struct report_keys keys;
	struct reverse_path_secrets secrets;
	struct locals *locals;
	struct mailing *mailing;
	struct https *https;
	struct dns *dns;
	struct watch *watch;
	struct timer *timer;
	/* Days up to this one are in the agenda; of the next one, what stands
	 * behind `after` is not. */
	int64_t day;
	char after[DNS_NAME_SIZE];
	struct agenda agenda;
	uint64_t walked; /* clock_mono_ms(): when the last walk was done */
	struct lookup *lookups; /* the oldest first */
	struct attempt *attempts;
	size_t nattempts;
	struct clock_watch clock;
	bool may_be_ahead; /* the clock was, by what is in the store */
};

/* lookups.c: of what is due on the agenda the records are looked up. */
void lookups_begin(struct sender *sender, int64_t now);
bool lookups_have(const struct sender *sender, int64_t day, const char *domain);
void lookups_cancel(struct sender *sender);

/* send.c: each takes the item. */
void sender_take_record(struct sender *sender, struct agenda_item *item,
    const struct tlsrpt_record *record);
/* To be looked up again, in some minutes or hours. */
void sender_take_failure(
    struct sender *sender, struct agenda_item *item, const char *why);
void sender_leave_out(
    struct sender *sender, struct agenda_item *item, const char *why);

/* tries.c: what is due to go to a place.  False: the store cannot be read. */
bool tries_begin(struct sender *sender, int64_t now);
/* Those by HTTPS are given up; they are due again after a while. */
void tries_cancel(struct sender *sender);
/* Whatever is there has nothing on its way to the disk. */
void tries_free(struct sender *sender);
