/*
 * Private to mta/sts/: the finder and its searches.
 *
 *   finder.c   who asks, and what is in memory
 *   search.c   one search, step by step
 *   log.c      what the log has of it
 *   tend.c     the walk through the store, with nobody waiting
 */
#pragma once
#include "mta/config.h"
#include "mta/sts/disk.h"
#include "mta/sts/fetch.h"
#include "mta/sts/finder.h"
#include "mta/sts/table.h"

struct dns_query;
struct sts_tend;

struct sts_find { /* somebody who waits for a search */
	struct sts_find *next, **link;
	struct sts_search *search;
	sts_found_fn *done;
	void *arg;
};

struct sts_finder {
	struct sts_finder_setup setup;
	struct sts_table *table;
	struct sts_disk *disk; /* NULL: there is no store, and none is made */
	struct https *https;   /* NULL until it is needed */
	struct sts_tend *tend; /* or NULL */
	const char *blind;     /* see sts_finder_blind() */
	bool no_store;         /* it cannot be read, and that was told, */
	bool no_fetch;         /* or nothing can be fetched */
	uint32_t tended;       /* searches that the walk has begun */
};

/* How far a search has come; it may go round once more. */
enum sts_round {
	ROUND_BEGUN = 0,
	ROUND_ASKED,   /* DNS has answered */
	ROUND_FETCHED, /* or was tried to be */
};

struct sts_search {
	struct sts_disk_job job; /* first: the disk hands it back */
	struct sts_finder *finder;
	struct sts_row *row;
	struct sts_find *waiting;
	struct dns_query *query;
	struct sts_fetch_run *fetch;
	struct arena *arena;       /* the job's, */
	struct sts_entry entry;    /* and what it reads or writes, */
	struct sts_known *written; /* which is held meanwhile */
	sts_disk_done *after;      /* it is written */
	struct sts_answer answer;
	bool tended;  /* begun by the walk; */
	bool tending; /* and nobody delivers: it is refreshed in time */
	bool insist;  /* somebody does */
	enum sts_round round;
	bool changed; /* the entry is to be written */
	char
	    id[STS_ID_MAX + 1]; /* of the record that led to the fetch, or "" */
};

/* Begins, or goes on with, the one search of the row. */
struct sts_search *sts_search_begin(
    struct sts_finder *finder, struct sts_row *row);
/* Nobody hears of it any more.  Not while the disk has its job. */
void sts_search_free(struct sts_search **search);

/* What is to be told of a row, with this answer. */
struct sts_found sts_row_found(const struct sts_finder *finder,
    const struct sts_row *row, const struct sts_answer *answer, int64_t now);
/* What the engine says of the row at `now`; nothing known is not EMPTY. */
struct sts_answer sts_row_ask(const struct sts_row *row, int64_t now);
uint32_t sts_jitter(const char *domain);
/* What wants an operator: of the store or of fetches; NULL: it is fine. */
void sts_trouble(struct sts_finder *finder, bool *which, const char *text);
/* NULL with words in *err: our own fault. */
struct https *sts_finder_https(struct sts_finder *finder, struct err *err);

/* A fetched policy, the same as before or not; why there is none; and what is
 * wrong with the disk, in search->job. */
void sts_log_policy(const struct sts_search *search, bool same);
void sts_log_failure(
    const struct sts_search *search, const struct sts_fetch_end *end);
void sts_log_disk(const struct sts_search *search, const char *event);

void sts_tend_free(struct sts_tend **tend);
