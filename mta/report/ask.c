/* What the operator asks of the report role. */
#include "base/clock.h"
#include "mta/ctl/control.h"
#include "mta/report/private.h"
#include "reporting/timetable.h"

#define ANSWER_MAX ((size_t)64 << 10)

/* NULL, or why it cannot be. */
static const char *
send_again(struct report_role *report, const struct control_request *request,
    struct err *err)
{
	int64_t now = clock_wall();
	int rc;

	if (report->sender == NULL)
		return "no reports are sent: reporting { send = no }";
	if (report->draining)
		return "the report role is ending; ask again";
	if (request->day > report_last_day(now))
		return "that day is not over";
	if (report_open_store(report, err) < 0)
		return err->text;
	rc = report_store_again(
	    report->store, request->day, request->domain, now, err);
	if (rc < 0)
		return err->text;
	if (rc == 0)
		return "nothing was counted of it on that day";
	sender_again(report->sender, request->day, request->domain);
	return NULL;
}

void
report_ask(struct report_role *report, const struct ipc_ask *ask)
{
	struct control_request request;
	const char *wrong;
	struct buf out;
	struct err err;
	int rc;

	buf_init(&out, ANSWER_MAX);
	if (control_read_request(ask->text, &request, &err) < 0)
		wrong = err.text;
	else if (!control_is_for_report(request.command))
		wrong = "not a command of the report role";
	else
		wrong = send_again(report, &request, &err);
	rc = wrong == NULL ? control_write_done(NULL, &out)
	                   : control_write_error(wrong, &out);
	if (rc < 0)
		buf_clear(&out);
	role_answer(report->role, ask->id, buf_span(&out), true);
	buf_free(&out);
}
