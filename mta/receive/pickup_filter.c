/*
 * A program's message and the filters: they are asked as of a session's, one
 * question after the other, while the file is read.  What they refuse is told
 * its sender; for now: it is put off.
 */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "mta/receive/filter.h"
#include "mta/receive/pickup_file.h"

static const struct envelope *
envelope(void *arg)
{
	const struct pickup_file *file = arg;

	return &file->envelope;
}

static const char *
rcpt(void *arg)
{
	const struct pickup_file *file = arg;

	return file->envelope.rcpts[file->filter.rcpt].address;
}

static void
tell_mail(void *arg, struct milter_mail *ret, char *params)
{
	const struct pickup_file *file = arg;
	const struct envelope *said = &file->envelope;

	(void)snprintf(params, CHAIN_PARAMS, "SIZE=%llu%s%s",
	    (unsigned long long)file->header.message,
	    said->body == BODY_8BITMIME ? " BODY=8BITMIME" : "",
	    said->smtputf8 ? " SMTPUTF8" : "");
	*ret = (struct milter_mail){
	    .helo = pickup_receive(file->pickup)->config->hostname,
	    .sender = said->sender,
	    .params = params,
	};
}

static void
log_it(
    void *arg, struct log_line *line, enum log_level level, const char *event)
{
	const struct pickup_file *file = arg;

	log_begin(line, level, event);
	log_str(line, "session", file->session);
	log_u64(line, "uid", file->uid);
}

static void
wait_for(void *arg, struct chain *chain)
{
	struct pickup_file *file = arg;

	(void)chain;
	file->filter.waits = true;
}

static void
heard(struct pickup_file *file, enum pickup_word word, bool later)
{
	file->filter.word = word;
	file->filter.waits = false;
	if (later)
		pickup_file_asked(file);
}

static void
answer(void *arg, const struct err *err, unsigned code, bool later)
{
	struct pickup_file *file = arg;

	(void)code;
	file->filter.err = *err;
	heard(file, WORD_ANSWER, later);
}

/* The intake has it, or there was trouble. */
static void
store(void *arg, const struct envelope *changed, bool later)
{
	struct pickup_file *file = arg;

	file->envelope = *changed;
	heard(file, WORD_STORED, later);
}

static void
discard(void *arg, const char *id, bool later)
{
	struct pickup_file *file = arg;

	(void)id;
	file->envelope.nrcpts = 0;
	heard(file, WORD_STORED, later);
}

static const struct chain_ops ops = {
    .envelope = envelope,
    .rcpt = rcpt,
    .tell_mail = tell_mail,
    .log = log_it,
    .wait = wait_for,
    .answer = answer,
    .store = store,
    .discard = discard,
};

void
pickup_filter_open(struct pickup_file *file)
{
	struct receive *receive = pickup_receive(file->pickup);
	const struct chain_owner owner = {
	    .ops = &ops,
	    .arg = file,
	    .receive = receive,
	    .client = "",
	    .message = &file->message,
	    .answers = &file->answers,
	    .trouble = &file->filter.err,
	};

	if (receive->filters == NULL)
		return;
	file->chain = chain_new(&owner);
	if (file->chain->n == 0)
		chain_end(&file->chain);
}

/* --- what comes of an answer ------------------------------------------- */

/* Its sender hears of it; the one at i makes room. */
static void
refuse_one(struct pickup_file *file, size_t i)
{
	struct envelope *to = &file->envelope;

	for (size_t k = 0; k < file->said.nrcpts; k++)
		if (strcmp(file->said.rcpts[k].address, to->rcpts[i].address) ==
			0 &&
		    file->nrefused < file->said.nrcpts) {
			file->refused[file->nrefused++] =
			    (struct pickup_refused){
				&file->said.rcpts[k], file->filter.err};
			break;
		}
	to->nrcpts--;
	for (; i < to->nrcpts; i++)
		to->rcpts[i] = to->rcpts[i + 1];
}

static bool
is_refused(const struct pickup_file *file, const struct envelope_rcpt *rcpt)
{
	for (size_t i = 0; i < file->nrefused; i++)
		if (file->refused[i].rcpt == rcpt)
			return true;
	return false;
}

/* Of all who are left, by the names that were said: a filter may have put
 * others into their place. */
static void
refuse_rest(struct pickup_file *file)
{
	for (size_t i = 0; i < file->said.nrcpts; i++)
		if (!is_refused(file, &file->said.rcpts[i]))
			file->refused[file->nrefused++] =
			    (struct pickup_refused){
				&file->said.rcpts[i], file->filter.err};
	file->envelope.nrcpts = 0;
}

/* The filters have nothing more to say of it. */
static void
let_go(struct pickup_file *file)
{
	intake_abort(&file->message);
	chain_end(&file->chain);
}

bool
pickup_is_too_old(const struct pickup_file *file)
{
	const struct receive *receive = pickup_receive(file->pickup);

	return clock_wall() - file->since >= receive->config->retry.lifetime;
}

static enum pickup_state
take_refusal(struct pickup_file *file)
{
	struct pickup_filter *filter = &file->filter;

	if (filter->err.kind != ERR_PERM && !pickup_is_too_old(file))
		return pickup_put_off(file, &filter->err);
	if (filter->question == ASK_RCPT)
		refuse_one(file, filter->rcpt);
	else
		refuse_rest(file);
	if (file->envelope.nrcpts == 0)
		let_go(file);
	return PICKUP_READING;
}

static enum pickup_state
take_answer(struct pickup_file *file)
{
	struct pickup_filter *filter = &file->filter;

	filter->word = WORD_NONE;
	if (filter->err.kind != ERR_NONE)
		return take_refusal(file);
	if (filter->question == ASK_RCPT)
		filter->rcpt++;
	return PICKUP_READING;
}

/* --- the questions ------------------------------------------------------ */

static void
put_question(struct pickup_file *file)
{
	struct pickup_filter *filter = &file->filter;

	if (filter->question == ASK_NOTHING) {
		filter->question = ASK_MAIL;
		chain_open(file->chain);
	} else if (filter->rcpt < file->envelope.nrcpts) {
		filter->question = ASK_RCPT;
		chain_begin(file->chain, ASK_RCPT);
	} else {
		filter->question = ASK_DATA;
		pickup_file_trace(file);
		chain_begin(file->chain, ASK_DATA);
	}
}

enum pickup_state
pickup_filter_envelope(struct pickup_file *file)
{
	struct pickup_filter *filter = &file->filter;
	enum pickup_state state = PICKUP_READING;

	while (file->chain != NULL && state == PICKUP_READING) {
		if (filter->waits)
			return PICKUP_ASKING;
		if (filter->word != WORD_NONE)
			state = take_answer(file);
		else if (filter->question == ASK_DATA)
			break;
		else
			put_question(file);
	}
	if (file->chain == NULL || filter->question == ASK_DATA)
		filter->read = true;
	return state;
}

enum pickup_state
pickup_filter_message(struct pickup_file *file)
{
	struct pickup_filter *filter = &file->filter;

	if (filter->waits)
		return PICKUP_ASKING;
	if (filter->question != ASK_MESSAGE) {
		filter->question = ASK_MESSAGE;
		if (!chain_show(file->chain))
			return take_refusal(file);
	}
	if (filter->waits)
		return PICKUP_ASKING;
	if (filter->word == WORD_ANSWER)
		return take_answer(file);
	if (file->envelope.nrcpts == 0)
		let_go(file);
	else if (file->message == NULL)
		return take_refusal(file);
	return PICKUP_READING;
}
