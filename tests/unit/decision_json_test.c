/* What is kept of a decision, taken apart again. */
#include <jansson.h>

#include "mta/decision_json.h"

#include "tests/support/test.h"

static void
only_four_words_are_a_decision(void **state)
{
	static const struct {
		const char *text;
		const char *json; /* NULL: it is none */
	} rows[] = {
	    {"dane/verified/dane/dane-insecure-mx",
		"{\"wanted\":\"dane\",\"got\":\"verified\",\"source\":\"dane\","
		"\"rule\":\"dane-insecure-mx\"}"},
	    {"dane+pkix/broken/dane/dane-and-sts",
		"{\"wanted\":\"dane+pkix\",\"got\":\"broken\",\"source\":"
		"\"dane\",\"rule\":\"dane-and-sts\"}"},
	    {"", NULL},
	    {"dane", NULL},
	    {"dane/verified/dane", NULL},
	    {"dane/verified/dane/", NULL},
	    {"/verified/dane/dane", NULL},
	    {"dane//dane/dane", NULL},
	    {"dane/verified/dane/dane/", NULL},
	    {"dane/verified/dane/dane/more", NULL},
	    {"dane/verified/dane/\xff", NULL},
	    {"\xff/verified/dane/dane", NULL},
	};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		json_t *object = decision_brief_json(rows[i].text);
		char *text = object == NULL ? NULL
		                            : json_dumps(object, JSON_COMPACT);

		if ((text == NULL) != (rows[i].json == NULL) ||
		    (text != NULL && strcmp(text, rows[i].json) != 0))
			fail_msg("\"%s\": %s", rows[i].text,
			    text == NULL ? "none" : text);
		free(text);
		json_decref(object);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(only_four_words_are_a_decision),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
