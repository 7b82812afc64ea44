/* Any text as a path, as parameters, as xtext; what is taken is taken again
 * the same way. */
#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "mta/smtp/grammar.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_address(const struct address *address, enum path_kind kind)
{
	char path[sizeof(address->text) + 2];
	struct span in = {path, strlen(address->text) + 2};
	struct address again;
	struct err err;

	for (const char *p = address->text; *p != '\0'; p++)
		assert((unsigned char)*p >= ' ' && *p != 0x7f);
	assert(text_is_utf8(span_of(address->text)));
	assert(address->utf8 == !text_is_ascii(span_of(address->text)));
	assert(strlen(address->text) <= ENVELOPE_ADDRESS_MAX);
	(void)snprintf(path, sizeof(path), "<%s", address->text);
	path[in.n - 1] = '>';
	assert(grammar_path(&in, kind, &again, &err) == 0);
	assert(in.n == 0 && strcmp(again.text, address->text) == 0);
}

static void
try_path(struct span text, enum path_kind kind)
{
	struct span in = text;
	struct address address;
	struct err err = {0};
	struct param param;

	if (grammar_path(&in, kind, &address, &err) < 0) {
		assert(err.kind == ERR_PERM && err.text[0] != '\0');
		return;
	}
	check_address(&address, kind);
	assert(in.n == 0 || in.p[0] == ' ');
	while (grammar_param(&in, &param) == PARAM_TAKEN) {
		assert(param.name.n > 0);
		assert(param.value.p == NULL || param.value.n > 0);
		if (param.value.p == NULL)
			continue;
		(void)grammar_is_orcpt(param.value);
		(void)grammar_is_xtext(param.value);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span text = {(const char *)data, size};

	try_path(text, PATH_REVERSE);
	try_path(text, PATH_FORWARD);
	if (grammar_is_domain(text) || grammar_is_literal(text))
		assert(size <= GRAMMAR_DOMAIN_MAX && text_is_utf8(text));
	assert(!grammar_is_local_part(text) || text_is_utf8(text));
	(void)grammar_is_orcpt(text);
	(void)grammar_is_xtext(text);
	return 0;
}
