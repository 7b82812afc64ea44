/* Whatever a process that went mad may say to another. */
#include "mta/ipc.h"

#include <stdint.h>

#include "base/mem.h"
#include "mta/ipc_event.h"
#include "mta/ipc_gate.h"
#include "mta/refusal.h"
#include "reporting/timetable.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span all = {(const char *)data, size};
	struct span payload = span_from(all, 1);
	struct ipc_job *job;
	struct ipc_result *result;
	struct ipc_peer peer;
	struct ipc_ask ask;
	struct ipc_dane dane;
	struct ipc_dnssec dnssec;
	struct refusals refusals;
	struct ipc_segment segment;
	struct ipc_held held;
	struct ipc_reported word;
	struct renewal_memory memory;
	struct ipc_gate *gate;
	struct report_ticket ticket;
	uint64_t message;
	uint32_t ms;
	uint16_t first;

	if (size == 0)
		return 0;
	job = mem_new(sizeof(*job));
	result = mem_new(sizeof(*result));
	gate = mem_new(sizeof(*gate));
	(void)ipc_take_peer(payload, &peer);
	(void)ipc_take_ask(payload, &ask);
	(void)ipc_take_dane(payload, &dane);
	(void)ipc_take_dnssec(payload, &dnssec);
	(void)refusals_take(payload, &refusals);
	(void)ipc_take_segment(payload, &segment);
	(void)ipc_take_held(payload, &held);
	(void)ipc_take_job(payload, job);
	(void)ipc_take_result(payload, result);
	(void)ipc_take_settled(payload, &message, &first);
	(void)ipc_take_drain(payload, &ms);
	if (ipc_take_reported(payload, &word))
		(void)report_ticket_read(word.ticket, &ticket);
	(void)ipc_take_gate_memory(payload, &memory);
	(void)ipc_take_gate(payload, gate);
	mem_free(gate);
	mem_free(job);
	mem_free(result);
	return 0;
}
