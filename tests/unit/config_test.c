#include <stdio.h>
#include <string.h>

#include "mta/config.h"

#include "tests/support/config.h"
#include "tests/support/test.h"

static void
the_least_gets_every_default(void **state)
{
	struct config *config = parse_good(LEAST);

	(void)state;
	assert_string_equal(config->file, "danelaw.conf");
	assert_string_equal(config->hostname, "mx1.example.org");
	assert_string_equal(config->control, "/var/spool/danelaw/control");
	assert_string_equal(config->postmaster, "postmaster@mx1.example.org");
	assert_null(config->user);
	assert_true(config->receive_processes > 0);
	assert_true(config->deliver_processes > 0);
	assert_int_equal(config->mx_port, 25);
	assert_int_equal(config->nlistens, 1);
	assert_int_equal(config->listens[0].naddresses, 2);
	assert_string_equal(config->listens[0].addresses[1].ip, "::");
	assert_string_equal(config->listens[0].addresses[1].text, "[::]:25");
	assert_int_equal(config->listens[0].addresses[1].port, 25);
	assert_string_equal(
	    config->resolver.trust_anchor, "/usr/share/dns/root.key");
	assert_null(config->resolver.root_hints);
	assert_null(config->ca_file);
	assert_false(config->reporting.collect);
	assert_string_equal(config->reporting.organization, config->hostname);
	assert_string_equal(config->reporting.contact, config->postmaster);
	assert_false(config->reporting.send);
	assert_false(config->reporting.failures_only);
	assert_true(config->reporting.sending_ip);
	assert_false(config->reporting.places.private);
	/* RFC 8460 4.1, RFC 8460 5.2 */
	assert_int_equal(config->reporting.spread_ms, 4 * 3600 * 1000);
	assert_int_equal(config->reporting.size, 10 << 20);
	assert_int_equal(config->reporting.nexclude, 0);
	assert_int_equal(config->reporting.ncopies, 0);
	assert_int_equal(config->reporting.ndkim, 0);
	assert_true(config->mta_sts.enabled);
	assert_int_equal(config->mta_sts.port, 443);
	assert_int_equal(config->mta_sts.timeout_ms, 60000);
	assert_int_equal(config->mta_sts.fetches, 32);
	assert_int_equal(config->mta_sts.refresh_ms, 1800000);
	assert_int_equal(config->limits.message, 50 << 20);
	assert_int_equal(config->limits.text_line, 1 << 20);
	assert_int_equal(config->limits.inline_message, 256 << 10);
	/* RFC 5321 4.5.3.2: the minimum timeouts */
	assert_int_equal(config->timeouts.command, 300000);
	assert_int_equal(config->timeouts.block, 180000);
	assert_int_equal(config->timeouts.end, 600000);
	assert_int_equal(config->retry.first, 300);
	assert_int_equal(config->retry.longest, 14400);
	assert_int_equal(config->retry.lifetime, 432000);
	assert_false(config->log_syslog || config->log_json);
	assert_false(config_may_relay(config, "127.0.0.1"));
	config_free(&config);
	assert_null(config);
	config_free(&config);
}

/* The last value within each bound. */
static void
bounds_belong_to_what_they_bound(void **state)
{
	struct config *config = parse_good(LEAST
	    "mx_port = 65535 receive_processes = 256\n"
	    "user = aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n"
	    "control = \"/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"\n"
	    "postmaster = \"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	    "aaaaaaaaaaaaaaaaaa@example.org\"\n"
	    "limits { message = 4G recipients = 100 text_line = 1000 }\n"
	    "timeouts { command = 1d connect = 100ms drain = 0 }\n"
	    "listen \"m\" { address = \"127.0.0.1:65535\" }\n"
	    "domain \"a.example\" { deliver = \"lmtp:a:65535\" }\n");

	(void)state;
	assert_int_equal(config->mx_port, 65535);
	assert_int_equal(strlen(config->user), 32);
	assert_int_equal(strlen(config->control), 107);
	assert_int_equal(config->limits.message, 4ull << 30);
	assert_int_equal(config->timeouts.command, 86400000);
	assert_int_equal(config->domains[0].deliver.port, 65535);
	config_free(&config);
}

/* A default that no longer makes sense is no mistake of the operator's. */
static void
short_lives_need_no_warning(void **state)
{
	struct config *config = parse_good(
	    LEAST "retry { first = 1s longest = 1s lifetime = 3s }\n"
		  "timeouts { session = 1m }\n");

	(void)state;
	assert_int_equal(config->retry.lifetime, 3);
	config_free(&config);
}

static const char full[] =
    "hostname = \"MX1.Example.org\"\n"
    "spool = \"/var/spool/danelaw\"\n"
    "control = \"/run/danelaw/control\"\n"
    "user = danelaw\n"
    "receive_processes = 2\n"
    "deliver_processes = 3\n"
    "mx_port = 2525\n"
    "source = {\"192.0.2.1\", \"2001:DB8::1\"}\n"
    "log = syslog\nlog_format = \"json\"\nlog_level = 'debug'\n"
    "postmaster = \"ops@example.org\"\n"
    "/* a comment\n over lines */ # and more\n"
    "listen \"mx\" { address = {\"0.0.0.0:25\"} }\n"
    "listen \"lab\" { address = \"127.0.0.1:2525\" } // one alone\n"
    "certificate \"mx1\" { chain = \"/etc/x.pem\" key = \"/etc/x.key\" }\n"
    "certificate \"mx2\" { chain = \"/etc/y.pem\" key = \"/etc/y.key\" }\n"
    "domain \"Example.org\" {\n"
    "	deliver = \"lmtp:unix:/run/dovecot/lmtp\"\n"
    "	recipients = \"file:/etc/danelaw/recipients\"\n"
    "	tls_reports = {\"TLS-Reports\", \"b\"}\n"
    "}\n"
    "domain backup.example { deliver = \"smtp:inner.example:26\" }\n"
    "relay { from = {\"127.0.0.0/8\", \"[::1]/128\"} }\n"
    "route \"*\" { via = \"\" }\n"
    "route \"example.net\" { via = \"smtp:[192.0.2.7]:27\" }\n"
    "route \".example.net\" { via = \"mx:hub.example\" }\n"
    "route \".deep.example.net\" { via = discard }\n"
    "ca_file = /etc/ca.pem\n"
    "mta_sts { enabled = no port = 8443 timeout = 20s fetches = 3 refresh = 1h "
    "}\n"
    "reporting { collect = yes organization = Ours contact = tls@ours.example\n"
    "	send = yes spread = 90m failures_only = yes size = 64K\n"
    "	sending_ip = no\n"
    "	private_places = yes\n"
    "	exclude = {\"Partner.Example\", \"other.example\"}\n"
    "	copies = {\"Archive@Ours.example\", \"b@ours.example\"}\n"
    "	dkim \"Tlsrpt-2026\" { key = /etc/rsa.pem }\n"
    "	dkim \"ed_1.sub\" { domain = \"Ours.Example\" key = /etc/ed.pem }\n"
    "}\n"
    "resolver {\n"
    "	trust_anchor = \"\" root_hints = /etc/hints timeout = 500ms\n"
    "	stub \"Lab.example\" { server = {\"127.0.0.1:5353\", \"[::1]\"}\n"
    "	    insecure = yes }\n"
    "	forward \".\" { server = {\"192.0.2.53\"} }\n"
    "}\n"
    "limits { message = 10M  recipients = 100  text_line = 1000 }\n"
    "timeouts { command = 90 connect = 5s idle = 0 }\n"
    "retry { first = 1m  longest = 1h  lifetime = 2d  warn = 0 }\n";

static void
check_reporting(const struct config_reporting *reporting)
{
	assert_true(reporting->send);
	assert_true(reporting->failures_only);
	assert_false(reporting->sending_ip);
	assert_true(reporting->places.private);
	assert_int_equal(reporting->spread_ms, 90 * 60 * 1000);
	assert_int_equal(reporting->size, 64 << 10);
	assert_int_equal(reporting->nexclude, 2);
	assert_string_equal(reporting->exclude[0], "partner.example");
	assert_string_equal(reporting->exclude[1], "other.example");
	assert_int_equal(reporting->ncopies, 2);
	assert_string_equal(reporting->copies[0], "Archive@Ours.example");
	assert_string_equal(reporting->copies[1], "b@ours.example");
	assert_int_equal(reporting->ndkim, 2);
	assert_string_equal(reporting->dkim[0].selector, "tlsrpt-2026");
	assert_string_equal(reporting->dkim[0].domain, "ours.example");
	assert_string_equal(reporting->dkim[0].key, "/etc/rsa.pem");
	assert_string_equal(reporting->dkim[1].selector, "ed_1.sub");
	assert_string_equal(reporting->dkim[1].domain, "ours.example");
	assert_string_equal(reporting->dkim[1].key, "/etc/ed.pem");
}

static void
check_reports(const struct config *config)
{
	const struct config_domain *ours = config_domain(config, "example.org");

	assert_true(config_takes_reports(config));
	assert_int_equal(ours->ntls_reports, 2);
	assert_int_equal(ours->tls_reports[1].line, ours->tls_reports[0].line);
	assert_string_equal(ours->tls_reports[0].part, "tls-reports");
	assert_string_equal(ours->tls_reports[1].part, "b");
	assert_int_equal(
	    config_domain(config, "backup.example")->ntls_reports, 0);
}

static void
every_key_is_read(void **state)
{
	struct config *config = parse_good(full);

	(void)state;
	assert_string_equal(config->hostname, "mx1.example.org");
	assert_string_equal(config->control, "/run/danelaw/control");
	assert_string_equal(config->user, "danelaw");
	assert_int_equal(config->receive_processes, 2);
	assert_int_equal(config->deliver_processes, 3);
	assert_int_equal(config->mx_port, 2525);
	assert_string_equal(config->source4, "192.0.2.1");
	assert_string_equal(config->source6, "2001:db8::1");
	assert_true(config->log_syslog && config->log_json);
	assert_true(config->log_debug);
	assert_string_equal(config->postmaster, "ops@example.org");
	assert_int_equal(config->nlistens, 2);
	assert_int_equal(config->ncertificates, 2);
	assert_string_equal(config->certificates[1].name, "mx2");
	assert_string_equal(config->certificates[1].chain, "/etc/y.pem");
	assert_string_equal(config->certificates[1].key, "/etc/y.key");
	assert_int_equal(config->ndomains, 2);
	assert_int_equal(config->nroutes, 4);
	assert_string_equal(config->ca_file, "/etc/ca.pem");
	assert_true(config->reporting.collect);
	assert_string_equal(config->reporting.organization, "Ours");
	assert_string_equal(config->reporting.contact, "tls@ours.example");
	check_reporting(&config->reporting);
	assert_false(config->mta_sts.enabled);
	assert_int_equal(config->mta_sts.port, 8443);
	assert_int_equal(config->mta_sts.timeout_ms, 20000);
	assert_int_equal(config->mta_sts.fetches, 3);
	assert_int_equal(config->mta_sts.refresh_ms, 3600000);
	assert_null(config->resolver.trust_anchor);
	assert_string_equal(config->resolver.root_hints, "/etc/hints");
	assert_int_equal(config->resolver.timeout_ms, 500);
	assert_int_equal(config->resolver.nstubs, 1);
	assert_string_equal(config->resolver.stubs[0].name, "lab.example");
	assert_string_equal(
	    config->resolver.stubs[0].servers[0], "127.0.0.1@5353");
	assert_string_equal(config->resolver.stubs[0].servers[1], "::1@53");
	assert_null(config->resolver.stubs[0].servers[2]);
	assert_true(config->resolver.stubs[0].insecure);
	assert_int_equal(config->resolver.nforwards, 1);
	assert_string_equal(config->resolver.forwards[0].name, ".");
	assert_false(config->resolver.forwards[0].insecure);
	check_reports(config);
	assert_int_equal(config->limits.message, 10 << 20);
	assert_int_equal(config->limits.recipients, 100);
	assert_int_equal(config->limits.text_line, 1000);
	assert_int_equal(config->timeouts.command, 90000);
	assert_int_equal(config->timeouts.connect, 5000);
	assert_int_equal(config->timeouts.idle, 0);
	assert_int_equal(config->retry.first, 60);
	assert_int_equal(config->retry.warn, 0);
	config_free(&config);
}

static void
addresses_find_their_target(void **state)
{
	static const struct {
		const char *address, *target;
	} rows[] = {
	    {"a@example.org", "lmtp:unix:/run/dovecot/lmtp"},
	    {"a@EXAMPLE.org", "lmtp:unix:/run/dovecot/lmtp"},
	    {"\"a@b\"@example.org", "lmtp:unix:/run/dovecot/lmtp"},
	    {"a@sub.example.org", "mx:sub.example.org"},
	    {"a@backup.example", "smtp:inner.example:26"},
	    {"a@example.net", "smtp:[192.0.2.7]:27"},
	    {"a@x.example.net", "mx:hub.example"},
	    {"a@x.y.example.net", "mx:hub.example"},
	    {"a@deep.example.net", "mx:hub.example"},
	    {"a@x.deep.example.net", "discard"},
	    {"a@elsewhere.example", "mx:elsewhere.example"},
	    {"a@org", "mx:org"},
	    /* RFC 5321 4.1.3: address literals */
	    {"a@[192.0.2.9]", "smtp:[192.0.2.9]:2525"},
	    {"a@[IPv6:2001:db8::9]", "smtp:[2001:db8::9]:2525"},
	    {"a@[ipv6:::1]", "smtp:[::1]:2525"},
	    /* nowhere: zero is the safe answer */
	    {"a@[192.0.2.9", ""},
	    {"a@[x-tag:stuff]", ""},
	    {"a@[]", ""},
	    {"a@[192.0.2.9]x", ""},
	    {"a@", ""},
	    {"postmaster", ""},
	    {"", ""},
	    {"a@ex_ample.org", ""},
	};
	struct config *config = parse_good(full);

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		struct target target = {.kind = TARGET_DISCARD};
		char text[TARGET_TEXT_MAX];

		config_target(config, rows[i].address, &target);
		target_text(&target, text);
		if (strcmp(text, rows[i].target) != 0)
			fail_msg("%s: %s", rows[i].address, text);
	}
	assert_non_null(config_domain(config, "example.org"));
	assert_null(config_domain(config, "example.net"));
	assert_null(config_domain(config, ""));
	config_free(&config);
}

static void
a_route_for_the_rest_catches_the_rest(void **state)
{
	struct config *config = parse_good(
	    LEAST "route \"*\" { via = \"smtp:hub.example\" }");
	struct target target;

	(void)state;
	config_target(config, "a@b.example", &target);
	assert_int_equal(target.kind, TARGET_SMTP);
	assert_string_equal(target.host, "hub.example");
	config_free(&config);
}

static void
relaying_is_for_those_named(void **state)
{
	struct config *config = parse_good(full);

	(void)state;
	assert_true(config_may_relay(config, "127.0.0.1"));
	assert_true(config_may_relay(config, "::ffff:127.3.2.1"));
	assert_true(config_may_relay(config, "::1"));
	assert_false(config_may_relay(config, "::2"));
	assert_false(config_may_relay(config, "128.0.0.1"));
	assert_false(config_may_relay(config, ""));
	config_free(&config);
}

static void
many_domains_are_found(void **state)
{
	struct config *config;
	struct buf text;

	(void)state;
	buf_init(&text, 1 << 20);
	assert_int_equal(buf_add(&text, SPAN(LEAST)), 0);
	for (unsigned i = 0; i < 2000; i++)
		assert_int_equal(buf_printf(&text,
				     "domain \"d%u.example\" { deliver = "
				     "\"smtp:h%u:26\" }\n",
				     i, i),
		    0);
	assert_int_equal(buf_add(&text, (struct span){"", 1}), 0);
	config = parse_good(text.p);
	for (unsigned i = 0; i < 2000; i++) {
		char address[64], host[16];
		struct target target;

		(void)snprintf(address, sizeof(address), "x@D%u.example", i);
		(void)snprintf(host, sizeof(host), "h%u", i);
		config_target(config, address, &target);
		assert_string_equal(target.host, host);
	}
	config_free(&config);
	buf_free(&text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_least_gets_every_default),
	    cmocka_unit_test(bounds_belong_to_what_they_bound),
	    cmocka_unit_test(short_lives_need_no_warning),
	    cmocka_unit_test(every_key_is_read),
	    cmocka_unit_test(addresses_find_their_target),
	    cmocka_unit_test(a_route_for_the_rest_catches_the_rest),
	    cmocka_unit_test(relaying_is_for_those_named),
	    cmocka_unit_test(many_domains_are_found),
	};

	return cmocka_run_group_tests_name("config", tests, NULL, NULL);
}
