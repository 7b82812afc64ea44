/*
 * The session tickets of this process: the same keys as in every other, from
 * what the supervisor says as the process starts.
 */
#pragma once

struct receive;
struct receive_tickets;
struct tls_tickets;

/* NULL: the configuration wants none. */
struct receive_tickets *receive_tickets_new(const struct receive *receive);
/* Wipes; after the last session. */
void receive_tickets_free(struct receive_tickets **tickets);
/* For the sessions; NULL of NULL. */
struct tls_tickets *receive_tickets_tls(const struct receive_tickets *tickets);
/* The supervisor's seed; takes the descriptor. */
void receive_tickets_seed(struct receive_tickets *tickets, int fd);
