/*
 * What the gate of renewed certificates is asked, and its answers.  Pure; as
 * strict as ipc.h.
 *
 * The question is in the bundle of its process: "chain:NAME" has the new
 * chain, "old:NAME" the one in use if there is one, "gate:NAME" the rest.
 * The answers are messages, one for each that has a "gate:NAME".
 */
#pragma once
#include "base/buf.h"
#include "base/span.h"
#include "policy/renewal.h"

#define GATE_NAME_SIZE 400

void ipc_put_gate_memory(struct buf *out, const struct renewal_memory *memory);
bool ipc_take_gate_memory(struct span in, struct renewal_memory *ret);

struct ipc_gate {
	char name[GATE_NAME_SIZE]; /* of the certificate { } */
	struct renewal_verdict verdict;
};

void ipc_put_gate(struct buf *out, const struct ipc_gate *gate);
bool ipc_take_gate(struct span in, struct ipc_gate *ret);
