/* Trust anchors and root hints, before libunbound sees them. */
#include <errno.h>
#include <ldns/ldns.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "dnssec/conf.h"

static int
fail(struct err *err, const char *what, const char *path, const char *why)
{
	return err_set(err, ERR_PERM, "5.3.5", "%s %s: %s", what, path, why);
}

/* The name will stand in quotes in the text we write. */
static FILE *
open_file(const char *what, const char *path, struct err *err)
{
	FILE *f;

	if (strpbrk(path, "\"\n\r\\") != NULL) {
		(void)err_set(err, ERR_PERM, "5.3.5",
		    "%s: a quote or line end in its name", what);
		return NULL;
	}
	f = fopen(path, "re");
	if (f == NULL)
		(void)fail(err, what, path, strerrordesc_np(errno));
	return f;
}

/* All records; -1 and the line of one that is none. */
static int
read_records(FILE *f, ldns_rr_list *records, int *ret_line)
{
	uint32_t ttl = 0;
	ldns_rdf *origin = NULL;
	ldns_rdf *previous = NULL;
	ldns_status status = LDNS_STATUS_OK;

	*ret_line = 0;
	while (status == LDNS_STATUS_OK && !feof(f)) {
		ldns_rr *rr = NULL;

		status = ldns_rr_new_frm_fp_l(
		    &rr, f, &ttl, &origin, &previous, ret_line);
		if (status == LDNS_STATUS_OK)
			(void)ldns_rr_list_push_rr(records, rr);
		else if (status == LDNS_STATUS_SYNTAX_EMPTY ||
			 status == LDNS_STATUS_SYNTAX_TTL ||
			 status == LDNS_STATUS_SYNTAX_ORIGIN)
			status = LDNS_STATUS_OK;
	}
	ldns_rdf_deep_free(origin);
	ldns_rdf_deep_free(previous);
	return status == LDNS_STATUS_OK ? 0 : -1;
}

static ldns_rr_list *
read_file(const char *what, const char *path, struct err *err)
{
	ldns_rr_list *records;
	FILE *f = open_file(what, path, err);
	int result;
	int line;

	if (f == NULL)
		return NULL;
	records = ldns_rr_list_new();
	result = read_records(f, records, &line);
	(void)fclose(f);
	if (result == 0)
		return records;
	ldns_rr_list_deep_free(records);
	(void)err_set(err, ERR_PERM, "5.3.5",
	    "%s %s, line %d: not a DNS record", what, path, line);
	return NULL;
}

/* --- trust anchors -------------------------------------------------------- */

/* RFC 8624 3.1: the algorithms libunbound validates with. */
static bool
is_algorithm(uint8_t number)
{
	return number == 5 || number == 7 || number == 8 || number == 10 ||
	       (number >= 13 && number <= 16);
}

static uint8_t
octet_of(const ldns_rr *rr, size_t field)
{
	return ldns_rdf2native_int8(ldns_rr_rdf(rr, field));
}

/* RFC 4509 2.2, RFC 6605 2: a digest has the length of its kind. */
static bool
is_usable_ds(const ldns_rr *rr)
{
	size_t n = ldns_rdf_size(ldns_rr_rdf(rr, 3));

	if (!is_algorithm(octet_of(rr, 1)))
		return false;
	switch (octet_of(rr, 2)) {
	case 1:
		return n == 20;
	case 2:
		return n == 32;
	case 4:
		return n == 48;
	}
	return false;
}

/* RFC 4034 2.1.1, 2.1.2: a zone's key, of the one protocol there is. */
static bool
is_usable_key(const ldns_rr *rr)
{
	uint16_t flags = ldns_rdf2native_int16(ldns_rr_rdf(rr, 0));

	return (flags & 0x0100) != 0 && (flags & 0x0080) == 0 &&
	       octet_of(rr, 1) == 3 && is_algorithm(octet_of(rr, 2));
}

static bool
is_anchor(const ldns_rr *rr)
{
	return ldns_rr_get_type(rr) == LDNS_RR_TYPE_DS ||
	       ldns_rr_get_type(rr) == LDNS_RR_TYPE_DNSKEY;
}

static bool
is_usable(const ldns_rr *rr)
{
	return ldns_rr_get_type(rr) == LDNS_RR_TYPE_DS ? is_usable_ds(rr)
	                                               : is_usable_key(rr);
}

/* Is there a usable anchor of this one's zone? */
static bool
has_usable(const ldns_rr_list *records, const ldns_rr *of)
{
	for (size_t i = 0; i < ldns_rr_list_rr_count(records); i++) {
		const ldns_rr *rr = ldns_rr_list_rr(records, i);

		if (is_anchor(rr) && is_usable(rr) &&
		    ldns_dname_compare(ldns_rr_owner(rr), ldns_rr_owner(of)) ==
			0)
			return true;
	}
	return false;
}

static int
judge_anchors(const ldns_rr_list *records, const char *path, struct err *err)
{
	static const char what[] = "trust anchor file";
	size_t count = 0;

	for (size_t i = 0; i < ldns_rr_list_rr_count(records); i++) {
		const ldns_rr *rr = ldns_rr_list_rr(records, i);

		if (!is_anchor(rr))
			continue;
		count++;
		if (!has_usable(records, rr))
			return fail(err, what, path,
			    "a zone whose keys have all an unknown algorithm "
			    "or a wrong length");
	}
	if (count == 0)
		return fail(err, what, path, "no DS or DNSKEY record");
	return 0;
}

/*
 * RFC 4035 4.3: without an anchor every answer is insecure, and libunbound
 * passes over anchors it cannot use.  Such a file must not get that far.
 */
int
dns_check_anchor(const char *path, struct err *err)
{
	ldns_rr_list *records = read_file("trust anchor file", path, err);
	int result;

	if (records == NULL)
		return -1;
	result = judge_anchors(records, path, err);
	ldns_rr_list_deep_free(records);
	return result;
}

/* --- root hints ----------------------------------------------------------- */

int
dns_check_hints(const char *path, struct err *err)
{
	ldns_rr_list *records = read_file("root hints", path, err);
	bool name = false;
	bool address = false;

	if (records == NULL)
		return -1;
	for (size_t i = 0; i < ldns_rr_list_rr_count(records); i++) {
		ldns_rr_type type = ldns_rr_get_type(
		    ldns_rr_list_rr(records, i));

		name |= type == LDNS_RR_TYPE_NS;
		address |= type == LDNS_RR_TYPE_A || type == LDNS_RR_TYPE_AAAA;
	}
	ldns_rr_list_deep_free(records);
	if (name && address)
		return 0;
	return fail(err, "root hints", path, "no NS record with an address");
}
