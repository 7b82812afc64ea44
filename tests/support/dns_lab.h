/*
 * tests/support/signed_tree.py as a child process: a signed DNS tree on
 * loopback for the length of a test.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "dnssec/dnssec.h"

#define DNS_LAB_ZONES 64

struct dns_lab {
	char folder[64];
	char anchor[128]; /* trust anchor file */
	char server[64];  /* "127.0.0.1@PORT", knows all zones */
	const char *servers[2];
	char names[DNS_LAB_ZONES][64];
	struct dns_zone zones[DNS_LAB_ZONES]; /* for dns_setup.stubs */
	size_t nzones;
	char why[128]; /* which tool is missing; "": none */
	pid_t pid;
	int input; /* closing it ends the child */
};

/* False: `why` says what is missing, or is empty when it did not start. */
bool dns_lab_start(struct dns_lab *lab);
void dns_lab_stop(struct dns_lab *lab);

/* A UDP socket of loopback that never answers; its port. */
int dns_lab_silence(unsigned *ret_port);
