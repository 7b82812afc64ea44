/*
 * What a connection was asked to show, as text: two plans of one text may
 * share a connection and a TLS session, two of different ones never do
 * (design of the decision: nothing verified for one requirement serves
 * another).
 */
#pragma once
#include "base/buf.h"
#include "policy/policy.h"

/* Append the key.  -1: it does not fit, so nothing may be shared. */
int policy_key(const struct tls_plan *plan, struct buf *to);
