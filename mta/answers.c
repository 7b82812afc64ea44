/* Answers in a tree, by lookup and key; see answers.h. */
#include "mta/answers.h"

#include <search.h>
#include <string.h>

#include "base/mem.h"

/* Of 1000 recipients with some aliases each. */
#define ANSWERS_MAX 10000
#define OCTETS_MAX  (8u << 20)

struct known {
	struct question question; /* first: of by_question() */
	struct finding answer;
	struct recipients *list; /* owns the targets */
	struct known *next;
};

struct answers {
	void *tree;
	struct known *entries;
	size_t n;
	size_t octets;
};

struct answers *
answers_new(void)
{
	return mem_new(sizeof(struct answers));
}

static int
by_question(const void *a, const void *b)
{
	const struct question *x = a, *y = b;

	if (x->by != y->by)
		return x->by < y->by ? -1 : 1;
	return strcmp(x->key, y->key);
}

static void
free_entry(struct known *entry)
{
	recipients_free(&entry->list);
	mem_free(entry);
}

static void
keep_node(void *node)
{
	(void)node;
}

void
answers_free(struct answers **answersp)
{
	struct answers *answers = *answersp;

	if (answers == NULL)
		return;
	*answersp = NULL;
	tdestroy(answers->tree, keep_node);
	while (answers->entries != NULL) {
		struct known *entry = answers->entries;

		answers->entries = entry->next;
		free_entry(entry);
	}
	mem_free(answers);
}

static bool
make_question(
    const struct config_lookup *by, const char *key, struct question *question)
{
	size_t n = strlen(key);

	*question = (struct question){.by = by};
	if (n >= sizeof(question->key))
		return false;
	memcpy(question->key, key, n);
	return true;
}

const struct finding *
answers_find(const struct answers *answers, const struct config_lookup *by,
    const char *key)
{
	struct question question;
	struct known **found;

	if (answers == NULL || !make_question(by, key, &question))
		return NULL;
	found = tfind(&question, &answers->tree, by_question);
	return found == NULL ? NULL : &(*found)->answer;
}

static void
read_list(struct known *entry, struct span value)
{
	if (recipients_parse_list(value, &entry->list) == 0)
		(void)recipients_find_own(
		    entry->list, "_@_", &entry->answer.targets);
}

int
answers_add(struct answers *answers, const struct question *question,
    enum answer_kind kind, struct span value, const struct err *err)
{
	struct known *entry, **found;

	if (answers->n >= ANSWERS_MAX || value.n > ANSWER_VALUE_MAX ||
	    answers->octets + value.n > OCTETS_MAX)
		return -1;
	entry = mem_new(sizeof(*entry));
	entry->question = *question;
	entry->answer.kind = kind;
	if (kind == ANSWER_FAILED)
		entry->answer.err = *err;
	if (kind == ANSWER_FOUND)
		read_list(entry, value);
	found = tsearch(entry, &answers->tree, by_question);
	if (*found != entry) { /* it is known already */
		free_entry(entry);
		return 0;
	}
	entry->next = answers->entries;
	answers->entries = entry;
	answers->n++;
	answers->octets += value.n;
	return 0;
}

void
answers_forget_failed(struct answers *answers)
{
	struct known **at = &answers->entries;

	while (*at != NULL) {
		struct known *entry = *at;

		if (entry->answer.kind != ANSWER_FAILED) {
			at = &entry->next;
			continue;
		}
		*at = entry->next;
		(void)tdelete(entry, &answers->tree, by_question);
		answers->n--;
		free_entry(entry);
	}
}
