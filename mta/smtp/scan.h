/*
 * What the server looks for in a message that passes through: its true end,
 * stuffed dots, line ends that are not CRLF, lines that are too long, its
 * size, how many hops it has behind it, and "TLS-Required: No".
 *
 * Nothing is copied and nothing is kept but counters, so a message may come
 * in pieces of any size.  The first fault of the highest rank stays.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/span.h"

/* Ordered: a later one outranks an earlier one. */
enum scan_fault {
	SCAN_CLEAN = 0,
	SCAN_HOPS,    /* more Received fields than hops_max */
	SCAN_LINE,    /* a line longer than line_max */
	SCAN_SIZE,    /* more octets than size_max */
	SCAN_BARE_LF, /* RFC 5321 2.3.8 */
	SCAN_BARE_CR,
};

enum scan_place {
	SCAN_HEADER = 0,
	SCAN_BODY,
};

/* RFC 8689 3: the field TLS-Required. */
struct scan_waiver {
	uint8_t name;   /* octets of "TLS-Required:" matched so far */
	uint8_t value;  /* octets of "No" in it */
	uint8_t fields; /* how many there were, no more than 2 */
};

struct scan {
	uint64_t size_max; /* octets; 0: no limit */
	uint32_t line_max; /* octets with CRLF; 0: no limit */
	uint32_t hops_max; /* 0: no limit */
	enum scan_fault fault;
	uint64_t size; /* octets seen, dots unstuffed */
	uint64_t line; /* octets of the line so far */
	uint32_t hops;
	uint8_t field; /* octets of "Received:" matched so far */
	struct scan_waiver waiver;
	enum scan_place place;
	bool middle; /* not at the start of a line */
	bool cr;     /* the last octet was CR */
};

/* A run of message bytes, as in BDAT: no dot means anything. */
void scan_bytes(struct scan *scan, struct span bytes);

enum scan_found {
	SCAN_MORE = 0, /* nothing behind `run` can be judged yet */
	SCAN_DOT,      /* a stuffed dot behind `run` */
	SCAN_END,      /* the final dot behind `run` */
};

struct scan_piece {
	size_t run;  /* octets of message, to be handed on */
	size_t skip; /* octets behind them to be dropped */
	enum scan_found found;
};

/*
 * The front of a DATA stream (RFC 5321 4.5.2).  With SCAN_END and run > 0
 * take the run alone and come back: the end is then found again, run 0.
 */
struct scan_piece scan_data(struct scan *scan, struct span in);

/* The message is over: a CR at its very end is bare too. */
void scan_finish(struct scan *scan);

/* Does the header have "TLS-Required: No", once? */
bool scan_waives_tls(const struct scan *scan);

const char *scan_fault_name(enum scan_fault fault);
