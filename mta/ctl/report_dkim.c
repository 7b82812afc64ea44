/*
 * danelaw report dkim-record: what to publish for the keys that sign reports.
 * It reads the keys, so it is for who may.
 */
#include <jansson.h>

#include "mta/bundle.h"
#include "mta/config.h"
#include "mta/ctl/report.h"
#include "mta/ctl/table.h"
#include "mta/load.h"
#include "reporting/dkim_publish.h"

/* 4096 bits of RSA are less than 800 octets. */
#define RECORD_MAX 2048
#define LINE_MAX   4096

static int
read_record(const struct config_dkim *dkim, struct buf *out, struct err *err)
{
	struct bundle *bundle = bundle_new();
	struct dkim_key *key = NULL;
	int rc = load_dkim_key(dkim, bundle, &key, err);

	if (rc == 0 && dkim_publish_record(key, out) < 0)
		rc = err_set(err, ERR_TEMP, "4.3.0",
		    "OpenSSL would not tell the public key");
	dkim_key_free(&key);
	bundle_free(&bundle);
	return rc;
}

static void
print_json(const struct config_dkim *dkim, struct span record)
{
	table_json(stdout,
	    json_pack("{s:s,s:s,s:s++,s:s%}", "selector", dkim->selector,
		"domain", dkim->domain, "name", dkim->selector, "._domainkey.",
		dkim->domain, "record", record.p, record.n));
}

static int
print_line(const struct config_dkim *dkim, struct span record)
{
	struct buf line;
	int rc;

	buf_init(&line, LINE_MAX);
	rc = dkim_publish_line(dkim->selector, dkim->domain, record, &line);
	if (rc == 0)
		(void)fwrite(line.p, 1, line.n, stdout);
	buf_free(&line);
	return rc;
}

static int
print_one(const struct config_dkim *dkim, bool json)
{
	struct err err = {.text = "the line is too long"};
	struct buf record;
	int rc;

	buf_init(&record, RECORD_MAX);
	rc = read_record(dkim, &record, &err);
	if (rc == 0 && json)
		print_json(dkim, buf_span(&record));
	else if (rc == 0)
		rc = print_line(dkim, buf_span(&record));
	buf_free(&record);
	return rc == 0 ? EXIT_FINE : command_complain(dkim->selector, err.text);
}

int
report_do_dkim_record(struct report_work *work)
{
	const struct config_reporting *reporting = &work->config->reporting;
	int status = EXIT_FINE;

	for (size_t i = 0; i < reporting->ndkim; i++)
		if (print_one(&reporting->dkim[i], work->options->json) !=
		    EXIT_FINE)
			status = EXIT_WANTED;
	if (reporting->ndkim == 0)
		return command_complain("report dkim-record",
		    "the configuration has no dkim block in reporting");
	return status;
}
