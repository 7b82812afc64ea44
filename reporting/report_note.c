#include "reporting/report_note.h"

#include "base/text.h"

static const struct {
	const char *name;
	const char *words;
} oddities[ODDITIES] = {
    [ODD_NOTHING] = {"nothing", "nothing is odd"},
    [ODD_TOP_TYPE] = {"mail-type",
	"the mail is no multipart/report with report-type=tlsrpt"},
    [ODD_PART_TYPE] = {"part-type",
	"the report is in a part of another media type"},
    [ODD_NOT_GZIP] = {"not-gzip", "it is said to be gzip and is JSON"},
    [ODD_GZIP] = {"gzip", "it is said to be JSON and is gzip"},
    [ODD_BASE64] = {"base64", "the base64 is not as RFC 2045 6.8 wants it"},
    [ODD_FORWARDED] = {"forwarded", "it is in a message inside of the mail"},
    [ODD_SEVERAL] = {"several", "the mail has more reports; the first counts"},
    [ODD_NO_DOMAIN] = {"no-domain", "there is no TLS-Report-Domain"},
    [ODD_NO_SUBMITTER] = {"no-submitter", "there is no TLS-Report-Submitter"},
    [ODD_SUBMITTER] = {"submitter",
	"TLS-Report-Submitter is not the domain of contact-info"},
    [ODD_MEMBERS] = {"gzip-members", "the gzip has more than one member"},
    [ODD_TRAILING] = {"trailing", "something stands behind the end"},
    [ODD_BOM] = {"bom", "the JSON begins with a byte order mark"},
    [ODD_UTF8] = {"utf8", "it is not UTF-8 throughout"},
    [ODD_CONTROL] = {"control", "a text has control characters"},
    [ODD_DUPLICATE] = {"duplicate",
	"a name stands twice in one object; the last counts"},
    [ODD_MISSING] = {"missing", "something is not said that has to be"},
    [ODD_NULL] = {"null", "a value is null"},
    [ODD_TYPE] = {"type", "a value is of another JSON type; it is left out"},
    [ODD_NAME] = {"name", "a member has another name than RFC 8460 gives it"},
    [ODD_NUMBER_TEXT] = {"number-text", "a number is written as text"},
    [ODD_NUMBER] = {"number", "a number is no count"},
    [ODD_LIST_TEXT] = {"list-text", "a list is written as one text"},
    [ODD_LIST_JSON] = {"list-json", "a list is JSON inside of a text"},
    [ODD_LIST_NESTED] = {"list-nested", "a list has a list in it"},
    [ODD_NOT_LIST] = {"not-list", "one object stands where a list should"},
    [ODD_NO_POLICIES] = {"no-policies", "there is no policy in it"},
    [ODD_LONG] = {"long", "a text was too long and is cut"},
    [ODD_DATE_FORM] = {"date-form", "a time is not written as in RFC 3339"},
    [ODD_DATE_ZONE] = {"date-zone", "a time has no zone; taken for UTC"},
    [ODD_DATE] = {"date", "a time cannot be read"},
    [ODD_WINDOW] = {"window", "it is not about one day of UTC"},
    [ODD_POLICY_TYPE] = {"policy-type", "a type of policy nobody knows"},
    [ODD_RESULT_TYPE] = {"result-type", "a type of result nobody knows"},
};

static struct report_note *
find(struct report_notes *notes, enum report_oddity what)
{
	for (size_t i = 0; i < notes->n; i++)
		if (notes->list[i].what == what)
			return &notes->list[i];
	return NULL;
}

void
report_note(
    struct report_notes *notes, enum report_oddity what, const char *where)
{
	struct report_note *note = find(notes, what);

	if (note == NULL) {
		note = &notes->list[notes->n++];
		*note = (struct report_note){.what = what};
		text_escape(span_of(where), note->where, sizeof(note->where));
	}
	note->count++;
}

const struct report_note *
report_note_of(const struct report_notes *notes, enum report_oddity what)
{
	for (size_t i = 0; i < notes->n; i++)
		if (notes->list[i].what == what)
			return &notes->list[i];
	return NULL;
}

const char *
report_oddity_name(enum report_oddity what)
{
	return what < ODDITIES ? oddities[what].name : "?";
}

const char *
report_oddity_words(enum report_oddity what)
{
	return what < ODDITIES ? oddities[what].words : "?";
}
