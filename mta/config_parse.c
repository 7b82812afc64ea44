/*
 * libConfuse, and nothing of it outside this file.
 *
 * Every key is a pointer option whose "simple" place is a slot of ours, so a
 * value is an event that tells its slot and line, and libConfuse itself keeps
 * no value.
 */
#include <confuse.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "mta/config_private.h"

#define SECTION_CLOSED (1 << 29) /* our mark in cfg_t.flags */

struct reading { /* a block libConfuse is inside of */
	const cfg_t *section;
	struct config_block block;
	struct reading *outer;
};

struct reader {
	struct config_report *report;
	struct config_tree *tree;
	const unsigned *lines; /* of opening braces, in closing order */
	size_t nclosed;
	struct reading *reading; /* the innermost */
};

struct slot {          /* one a key */
	void *scratch; /* where libConfuse puts its pointer: first */
	struct reader *reader;
	const struct config_key *key;
};

static const struct slot *
slot_of(const cfg_opt_t *option)
{
	return (const struct slot *)(const void *)option->simple_value.ptr;
}

/* The innermost block, which is the section's: libConfuse goes depth first. */
static struct reading *
reading_of(
    struct reader *reader, const cfg_t *section, enum config_block_kind kind)
{
	struct reading *reading = reader->reading;

	if (reading != NULL && reading->section == section)
		return reading;
	reading = config_new(&reader->tree->memory, sizeof(*reading));
	reading->section = section;
	reading->block.kind = kind;
	reading->block.title = config_string(
	    &reader->tree->memory, span_of(section->title));
	reading->outer = reader->reading;
	reader->reading = reading;
	return reading;
}

static void
close_block(struct reader *reader, unsigned line)
{
	struct config_tree *tree = reader->tree;
	struct reading *reading = reader->reading;

	reader->reading = reading->outer;
	reading->block.line = line;
	tree->blocks = config_append(&tree->memory, tree->blocks, tree->nblocks,
	    sizeof(tree->blocks[0]));
	tree->blocks[tree->nblocks++] = reading->block;
}

/* A key set twice: libConfuse would let the last one win without a word. */
static bool
is_first(struct reader *reader, const cfg_t *section, cfg_opt_t *option)
{
	bool assigned = (option->flags & CFGF_RESET) != 0;
	long before = option->def.number;

	option->flags &= ~CFGF_RESET;
	option->def.number = section->line;
	if (!assigned || before == 0)
		return true;
	config_problem(reader->report, (unsigned)section->line,
	    "%s is set twice, first in line %ld", option->name, before);
	return false;
}

static int
on_value(cfg_t *section, cfg_opt_t *option, const char *value, void *result)
{
	const struct slot *slot = slot_of(option);
	struct config_memory *memory = &slot->reader->tree->memory;
	struct config_block *block;

	*(void **)result = NULL;
	if (!is_first(slot->reader, section, option))
		return 0;
	block = &reading_of(slot->reader, section, slot->key->block)->block;
	block->entries = config_append(
	    memory, block->entries, block->nentries, sizeof(block->entries[0]));
	block->entries[block->nentries++] = (struct config_entry){slot->key,
	    config_string(memory, span_of(value)), (unsigned)section->line};
	return 0;
}

/*
 * The section that closed just now: the one without our mark.  A title that
 * comes twice replaces the section where the first one stood.
 */
static cfg_t *
closed_section(const cfg_opt_t *option)
{
	for (unsigned i = option->nvalues; i-- > 0;) {
		cfg_t *section = option->values[i]->section;

		if ((option->flags & CFGF_MULTI) == 0 ||
		    (section->flags & SECTION_CLOSED) == 0)
			return section;
	}
	return option->values[0]->section;
}

static int
on_section(cfg_t *outer, cfg_opt_t *option)
{
	const struct slot *slot = slot_of(&option->subopts[0]);
	cfg_t *section = closed_section(option);

	(void)outer;
	section->flags |= SECTION_CLOSED;
	(void)reading_of(slot->reader, section, slot->key->block);
	close_block(slot->reader, slot->reader->lines[slot->reader->nclosed++]);
	return 0;
}

static const struct {
	const char *theirs;
	const char *ours;
} words[] = {
    {"no such option", "expected a key and its value, not "},
    {"missing title", "a name in quotes expected behind "},
    {"missing equal", "\"=\" expected behind "},
    {"missing opening", "\"{\" expected behind "},
};

/* libConfuse's sentences in our words, with what was expected. */
static void __attribute__((format(printf, 2, 0)))
on_error(cfg_t *section, const char *fmt, va_list ap)
{
	struct reader *reader = slot_of(&section->opts[0])->reader;
	unsigned line = (unsigned)section->line;
	char text[256];

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strncmp(fmt, words[i].theirs, strlen(words[i].theirs)) != 0)
			continue;
		config_problem(reader->report, line, "%s%s", words[i].ours,
		    va_arg(ap, const char *));
		return;
	}
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	config_problem(reader->report, line, "%s", text);
}

static void
add_key(cfg_opt_t *option, struct slot *slot)
{
	cfg_opt_t filled = CFG_PTR_CB(slot->key->name, NULL,
	    config_key_is_list(slot->key) ? CFGF_LIST : CFGF_NONE, on_value,
	    NULL);

	filled.simple_value.ptr = &slot->scratch;
	*option = filled;
}

static cfg_opt_t *make_options(struct config_memory *memory, struct slot *slots,
    enum config_block_kind kind);

static void
add_block(struct config_memory *memory, cfg_opt_t *option, struct slot *slots,
    enum config_block_kind kind)
{
	const struct config_block_type *type = config_block_type(kind);
	cfg_opt_t filled = CFG_SEC(type->name,
	    make_options(memory, slots, kind),
	    type->title == NULL ? CFGF_NONE : CFGF_MULTI | CFGF_TITLE);

	filled.validcb = on_section;
	*option = filled;
}

/* The options of a block: its keys first, then the blocks inside it. */
static cfg_opt_t *
make_options(struct config_memory *memory, struct slot *slots,
    enum config_block_kind kind)
{
	size_t nkeys, n = 0;
	const struct config_key *keys = config_keys(&nkeys);
	cfg_opt_t *options = config_new(
	    memory, (nkeys + BLOCK_KINDS + 1) * sizeof(options[0]));

	for (size_t i = 0; i < nkeys; i++)
		if (keys[i].block == kind)
			add_key(&options[n++], &slots[i]);
	for (unsigned k = BLOCK_ROOT + 1; k < BLOCK_KINDS; k++) {
		enum config_block_kind inner = (enum config_block_kind)k;

		if (config_block_type(inner)->parent == kind)
			add_block(memory, &options[n++], slots, inner);
	}
	return options;
}

static struct slot *
make_slots(struct config_memory *memory, struct reader *reader)
{
	size_t nkeys;
	const struct config_key *keys = config_keys(&nkeys);
	struct slot *slots = config_new(memory, nkeys * sizeof(slots[0]));

	for (size_t i = 0; i < nkeys; i++)
		slots[i] = (struct slot){NULL, reader, &keys[i]};
	return slots;
}

int
config_read(const char *clean, const unsigned *lines,
    struct config_report *report, struct config_tree *tree)
{
	struct reader reader = {report, tree, .lines = lines};
	struct slot *slots = make_slots(&tree->memory, &reader);
	size_t before = report->count;
	cfg_t *root = cfg_init(
	    make_options(&tree->memory, slots, BLOCK_ROOT), CFGF_NONE);

	if (root == NULL) {
		config_problem(report, 1, "out of memory");
		return -1;
	}
	(void)cfg_set_error_function(root, on_error);
	if (cfg_parse_buf(root, clean) != CFG_SUCCESS &&
	    report->count == before)
		config_problem(report, (unsigned)root->line, "cannot be read");
	if (report->count == before) {
		(void)reading_of(&reader, root, BLOCK_ROOT);
		close_block(&reader, 1);
	}
	(void)cfg_free(root);
	return report->count == before ? 0 : -1;
}
