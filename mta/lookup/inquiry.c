/* See inquiry.h. */
#include "mta/lookup/inquiry.h"

#include "base/mem.h"

#define QUESTIONS_MAX 1000 /* for one recipient */

struct asking {
	struct askers *askers;
	const struct locals *locals;
	struct answers *answers;
	const char *address;
	unsigned asked;
	asking_done *done;
	void *arg;
	struct question question;
	struct askers_ask *open;
};

static void on_said(void *arg, const struct said *said);

/* The next question, as far as there is one. */
static bool
find_question(struct asking *asking)
{
	struct inquiry inquiry = {.answers = asking->answers};
	struct err err;

	if (locals_known(asking->locals, &inquiry, asking->address, &err) !=
		LOCALS_ASK ||
	    asking->asked++ == QUESTIONS_MAX)
		return false;
	asking->question = inquiry.question;
	return true;
}

/* True: an answer is waited for. */
static bool
go_on(struct asking *asking)
{
	struct said said;

	while (find_question(asking)) {
		if (!askers_recall(asking->askers, &asking->question, &said)) {
			asking->open = askers_ask(
			    asking->askers, &asking->question, on_said, asking);
			return true;
		}
		if (answers_add(asking->answers, &asking->question, said.kind,
			said.value, &said.err) < 0)
			return false;
	}
	return false;
}

static void
on_said(void *arg, const struct said *said)
{
	struct asking *asking = arg;
	asking_done *done = asking->done;

	asking->open = NULL;
	if (answers_add(asking->answers, &asking->question, said->kind,
		said->value, &said->err) == 0 &&
	    go_on(asking))
		return;
	arg = asking->arg;
	mem_free(asking);
	done(arg);
}

struct asking *
asking_start(struct askers *askers, const struct locals *locals,
    struct answers *answers, const char *address, asking_done *done, void *arg)
{
	struct asking *asking = mem_new(sizeof(*asking));

	*asking = (struct asking){.askers = askers,
	    .locals = locals,
	    .answers = answers,
	    .address = address,
	    .done = done,
	    .arg = arg};
	if (go_on(asking))
		return asking;
	mem_free(asking);
	return NULL;
}

void
asking_cancel(struct asking **asking)
{
	if (*asking == NULL)
		return;
	if ((*asking)->open != NULL)
		askers_cancel((*asking)->open);
	mem_free(*asking);
	*asking = NULL;
}
