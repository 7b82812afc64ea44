/* sendmail -bp, mailq: the queue in the form people have known for long. */
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "base/clock.h"
#include "base/text.h"
#include "mta/ctl/ask.h"
#include "mta/ctl/daemon.h"

#define TEXT_MAX 4096

struct mailq {
	uint64_t messages;
	uint64_t octets;
	char last[32]; /* id of the item before */
};

static const char *
text_of(const json_t *item, const char *key, char to[TEXT_MAX])
{
	const char *text = json_string_value(json_object_get(item, key));

	to[0] = '\0';
	if (text != NULL)
		text_escape(span_of(text), to, TEXT_MAX);
	return to;
}

static void
write_message(struct mailq *mailq, const json_t *item, const char *id)
{
	json_int_t size = json_integer_value(json_object_get(item, "size"));
	char text[TEXT_MAX], date[CLOCK_RFC5322_SIZE];

	if (mailq->messages == 0)
		(void)puts("-Queue ID----  --Size-- -----Arrival Time-------- "
			   "-Sender/Recipient-------");
	else
		(void)putchar('\n');
	mailq->messages++;
	mailq->octets += size < 0 ? 0 : (uint64_t)size;
	(void)text_copy(mailq->last, sizeof(mailq->last), id);
	clock_rfc5322(
	    json_integer_value(json_object_get(item, "arrived")), date);
	(void)text_of(item, "sender", text);
	(void)printf("%s%c %8" JSON_INTEGER_FORMAT " %.25s %s\n", id,
	    strcmp(text_of(item, "state", (char[TEXT_MAX]){0}), "held") == 0
		? '!'
		: ' ',
	    size, date, text[0] == '\0' ? "MAILER-DAEMON" : text);
}

static void
write_item(struct mailq *mailq, const json_t *item)
{
	char id[TEXT_MAX], text[TEXT_MAX];

	(void)text_of(item, "id", id);
	if (mailq->messages == 0 || strcmp(mailq->last, id) != 0)
		write_message(mailq, item, id);
	if (text_of(item, "reason", text)[0] != '\0')
		(void)printf("      (%s)\n", text);
	(void)printf("%50s%s\n", "", text_of(item, "recipients", text));
}

static int
write_pages(struct daemon *daemon, struct mailq *mailq, struct err *err)
{
	struct control_request request = {
	    .command = CONTROL_QUEUE_LIST, .limit = 1000};
	enum daemon_line line;
	const char *after;
	json_t *json;

	do {
		if (daemon_ask(daemon, &request, err) < 0)
			return -1;
		while (
		    (line = daemon_answer(daemon, &json, err)) == DAEMON_ITEM)
			write_item(mailq, json);
		if (line != DAEMON_DONE)
			return -1;
		after = json_string_value(json_object_get(json, "after"));
	} while (after != NULL &&
		 text_copy(request.after, sizeof(request.after), after));
	return 0;
}

int
mailq_run(const struct options *options)
{
	struct mailq mailq = {0};
	struct daemon *daemon = NULL;
	struct err err;
	int rc;

	rc = ask_open(options, &daemon);
	if (rc < 0)
		return rc == ASK_NO_CONFIG ? EX_CONFIG : EX_UNAVAILABLE;
	rc = write_pages(daemon, &mailq, &err);
	daemon_close(&daemon);
	if (rc < 0) {
		(void)fprintf(stderr, "mailq: %s\n", err.text);
		return EX_TEMPFAIL;
	}
	if (mailq.messages == 0)
		(void)puts("Mail queue is empty");
	else
		(void)printf("\n-- %" PRIu64 " Kbytes in %" PRIu64
			     " Request%s.\n",
		    (mailq.octets + 1023) / 1024, mailq.messages,
		    mailq.messages == 1 ? "" : "s");
	return EX_OK;
}
