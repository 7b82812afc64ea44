/*
 * Tables of JSON: what is made of it, and what is noted.
 */
#include "tests/support/report_rows.h"
#include "tests/support/test.h"

static const struct report_row plain[] = {
    /* RFC 8460 4.4, with everything in it */
    {POLICIES("{'policy':{'policy-type':'sts','policy-string':['version: "
	      "STSv1','mode: testing'],'policy-domain':'Example.COM.',"
	      "'mx-host':['*.Example.com','MX.example.com.']}," SUMMARY
	      ",'failure-details':[{'result-type':'starttls-not-supported',"
	      "'sending-mta-ip':'192.0.2.1','receiving-mx-hostname':"
	      "'MX.Example.com.','receiving-mx-helo':'MX','receiving-ip':"
	      "'2001:db8::1','failed-session-count':2,"
	      "'additional-information':'https://a.example/','failure-reason-"
	      "code':'C'}]}"),
	REPORT " [sts/sts example.com \"version: STSv1\" \"mode: testing\" "
	       "mx=*.example.com mx=mx.example.com 1/2 "
	       "{starttls-not-supported/1 from=192.0.2.1 host=mx.example.com "
	       "helo=MX to=2001:db8::1 n=2 more=https://a.example/ code=C}]",
	""},
    {POLICIES(NONE("a") "," NONE("b")),
	REPORT " [no-policy-found/no-policy-found a 1/2]"
	       " [no-policy-found/no-policy-found b 1/2]",
	""},
    {POLICY("'policy-type':'tlsa','policy-domain':'mx.d','policy-string':["
	    "'3 1 1 AB','3 1 1 CD']"),
	REPORT " [tlsa/tlsa mx.d \"3 1 1 AB\" \"3 1 1 CD\" 1/2]", ""},
    {STS(SERIES), REPORT " [sts/sts d \"a\" \"b\" mx=m 1/2]", ""},
    {"  \r\n\t" POLICIES(NONE("d")) " \r\n\t", REPORT NONE_1_2 "]", ""},
    /* RFC 8460 4.3: each of the words; what nobody asked for is ignored */
    {DETAILS("[{'result-type':'starttls-not-supported','x':{},"
	     "'sending-mta-ip':'s','failed-session-count':1},"
	     "{'result-type':'certificate-host-mismatch','sending-mta-ip':'s',"
	     "'failed-session-count':1},{'result-type':'dane-required',"
	     "'sending-mta-ip':'s','failed-session-count':1},{'result-type':"
	     "'sts-webpki-invalid','sending-mta-ip':'s',"
	     "'failed-session-count':1}]"),
	REPORT NONE_1_2 " {starttls-not-supported/1 from=s n=1}"
			" {certificate-host-mismatch/2 from=s n=1}"
			" {dane-required/8 from=s n=1}"
			" {sts-webpki-invalid/11 from=s n=1}]",
	""},
};

static void
what_the_rfc_says_is_read(void **state)
{
	(void)state;
	report_rows_check(plain, ROWS(plain));
}

static const struct report_row lists[] = {
    /* RFC 8460 4.4, erratum 6241; the example of B has a text */
    {STS(",'policy-string':['a','b'],'mx-host':'m'"),
	REPORT " [sts/sts d \"a\" \"b\" mx=m 1/2]",
	"list-text@policies[0].policy.mx-host"},
    {STS(",'policy-string':['a','b'],'mx-host-pattern':['m','n']"),
	REPORT " [sts/sts d \"a\" \"b\" mx=m mx=n 1/2]",
	"name@policies[0].policy.mx-host-pattern"},
    {STS(",'mx-host':['m'],'policy-string':'version: STSv1;; mode: none;'"),
	REPORT " [sts/sts d \"version: STSv1\" \"mode: none\" mx=m 1/2]",
	"list-text@policies[0].policy.policy-string"},
    {STS(",'mx-host':['m'],'policy-string':'a: b\\r\\nc: d\\n'"),
	REPORT " [sts/sts d \"a: b\" \"c: d\" mx=m 1/2]",
	"list-text@policies[0].policy.policy-string"},
    /* Microsoft */
    {STS(",'mx-host':['m'],'policy-string':'[\\'a\\', \\'b\\']'"),
	REPORT " [sts/sts d \"a\" \"b\" mx=m 1/2]",
	"list-json@policies[0].policy.policy-string"},
    {STS(",'mx-host':['m'],'policy-string':['[\\'a\\', \\'b\\']']"),
	REPORT " [sts/sts d \"a\" \"b\" mx=m 1/2]",
	"list-json@policies[0].policy.policy-string"},
    /* it looks like one, and is none */
    {STS(",'mx-host':['m'],'policy-string':['[a, b]','[']"),
	REPORT " [sts/sts d \"[a, b]\" \"[\" mx=m 1/2]", ""},
    /* RFC 8460 4.5: no nested array */
    {STS(",'mx-host':['m'],'policy-string':['a',['b','c']]"),
	REPORT " [sts/sts d \"a\" \"b\" \"c\" mx=m 1/2]",
	"list-nested@policies[0].policy.policy-string"},
    {STS(",'mx-host':['m'],'policy-string':[[['a',[['b']]]],1,null]"),
	REPORT " [sts/sts d \"a\" mx=m 1/2]",
	"list-nested*3@policies[0].policy.policy-string "
	"type*3@policies[0].policy.policy-string"},
    {STS(",'mx-host':7,'policy-string':{}"), REPORT " [sts/sts d 1/2]",
	"type*2@policies[0].policy.policy-string"},
    {STS(",'mx-host':[],'policy-string':''"), REPORT " [sts/sts d 1/2]",
	"list-text@policies[0].policy.policy-string"},
    /* of these a policy without them says nothing */
    {STS(""), REPORT " [sts/sts d 1/2]",
	"missing*2@policies[0].policy.policy-string"},
    {POLICY("'policy-type':'tlsa','policy-domain':'d'"),
	REPORT " [tlsa/tlsa d 1/2]",
	"missing@policies[0].policy.policy-string"},
};

static void
lists_come_in_disguise(void **state)
{
	(void)state;
	report_rows_check(lists, ROWS(lists));
}

static const struct report_row numbers[] = {
    {SUMS("{'total-successful-session-count':'3',"
	  "'total-failure-session-count':' 4 '}"),
	REPORT " [no-policy-found/no-policy-found d 3/4]",
	"number-text*2@policies[0].summary.total-successful-session-count"},
    {SUMS("{'total-successful-session-count':3.0,"
	  "'total-failure-session-count':4e2}"),
	REPORT " [no-policy-found/no-policy-found d 3/400]", ""},
    {SUMS("{'total-successful-session-count':0.5,"
	  "'total-failure-session-count':-1}"),
	REPORT " [no-policy-found/no-policy-found d 0/0]",
	"number*2@policies[0].summary.total-successful-session-count"},
    {SUMS("{'total-successful-session-count':-0.5,"
	  "'total-failure-session-count':1e99}"),
	REPORT " [no-policy-found/no-policy-found d 0/0]",
	"number*2@policies[0].summary.total-successful-session-count"},
    {SUMS("{'total-successful-session-count':true,"
	  "'total-failure-session-count':'many'}"),
	REPORT " [no-policy-found/no-policy-found d 0/0]",
	"number*2@policies[0].summary.total-successful-session-count "
	"number-text@policies[0].summary.total-failure-session-count"},
    {SUMS("{'total-successful-session-count':1000000000000,"
	  "'total-failure-session-count':1000000000001}"),
	REPORT " [no-policy-found/no-policy-found d "
	       "1000000000000/1000000000000]",
	"number@policies[0].summary.total-failure-session-count"},
    {SUMS("{'total-successful-session-count':0,"
	  "'total-failure-session-count':9223372036854775807}"),
	REPORT " [no-policy-found/no-policy-found d 0/1000000000000]",
	"number@policies[0].summary.total-failure-session-count"},
    {SUMS("{'total-failure-session-count':9223372036854775808}"), NULL,
	"too big integer"},
    {SUMS("{'total-successful-session-count':null,"
	  "'total-failure-session-count':4}"),
	REPORT " [no-policy-found/no-policy-found d 0/4]",
	"null@policies[0].summary.total-successful-session-count"},
    {SUMS("[]"), REPORT " [no-policy-found/no-policy-found d 0/0]",
	"type@policies[0].summary "
	"missing*2@policies[0].summary.total-successful-session-count"},
    /* RFC 8460 4: details may be more than the sum, and stand in for it */
    {POLICIES("{'policy':{'policy-type':'no-policy-found','policy-domain':"
	      "'d'},'failure-details':[{'result-type':'tlsa-invalid',"
	      "'sending-mta-ip':'s','failed-session-count':2},"
	      "{'result-type':'tlsa-invalid','sending-mta-ip':'s',"
	      "'failed-session-count':'3'}]}"),
	REPORT " [no-policy-found/no-policy-found d 0/5 {tlsa-invalid/6 "
	       "from=s n=2} {tlsa-invalid/6 from=s n=3}]",
	"number-text@policies[0].failure-details[1].failed-session-count "
	"missing*3@policies[0].summary"},
    {DETAILS("[{'result-type':'tlsa-invalid','sending-mta-ip':'s',"
	     "'failed-session-count':9}]"),
	REPORT NONE_1_2 " {tlsa-invalid/6 from=s n=9}]", ""},
};

static void
numbers_come_in_disguise(void **state)
{
	(void)state;
	report_rows_check(numbers, ROWS(numbers));
}

static const struct report_row details[] = {
    {DETAIL(""), REPORT NONE_1_2 EXPIRED "}]", ""},
    {DETAIL(",'additional-info-uri':'u'"), REPORT NONE_1_2 EXPIRED " more=u}]",
	"name@policies[0].failure-details[0].additional-info-uri"},
    {DETAIL(",'additional-info-uri':'u','additional-information':'v'"),
	REPORT NONE_1_2 EXPIRED " more=v}]", ""},
    {DETAIL(",'failure-reason-code':404"),
	REPORT NONE_1_2 EXPIRED " code=404}]",
	"type@policies[0].failure-details[0].failure-reason-code"},
    {DETAIL(",'failure-reason-code':['a']"), REPORT NONE_1_2 EXPIRED "}]",
	"type@policies[0].failure-details[0].failure-reason-code"},
    {DETAIL(",'receiving-ip':null"), REPORT NONE_1_2 EXPIRED "}]",
	"null@policies[0].failure-details[0].receiving-ip"},
    /* RFC 8460 6.6: the list of words is open */
    {DETAILS("[{'result-type':'sunspots','sending-mta-ip':'s',"
	     "'failed-session-count':1}]"),
	REPORT NONE_1_2 " {sunspots/0 from=s n=1}]",
	"result-type@policies[0].failure-details[0].sunspots"},
    {DETAILS("[{'result-type':'Certificate-Expired','sending-mta-ip':'s',"
	     "'failed-session-count':1}]"),
	REPORT NONE_1_2 " {certificate-expired/3 from=s n=1}]", ""},
    {DETAILS("[{'sending-mta-ip':'s','failed-session-count':1}]"),
	REPORT NONE_1_2 " {/0 from=s n=1}]",
	"missing@policies[0].failure-details[0].result-type"},
    /* 4.3.2: a policy that failed was there; one that lacks was not */
    {DETAILS_OF_STS("sts-policy-fetch-error"),
	REPORT " [sts/sts d 1/2 {sts-policy-fetch-error/9 from=s n=1}]", ""},
    {DETAILS_OF_STS("certificate-expired"),
	REPORT " [sts/sts d 1/2 {certificate-expired/3 from=s n=1}]",
	"missing*2@policies[0].policy.policy-string"},
    {DETAILS("[{}]"), REPORT NONE_1_2 " {/0 n=0}]",
	"missing*3@policies[0].failure-details[0].result-type"},
    {DETAILS("[1,{'result-type':'tlsa-invalid','sending-mta-ip':'s',"
	     "'failed-session-count':1}]"),
	REPORT NONE_1_2 " {tlsa-invalid/6 from=s n=1}]",
	"type@policies[0].failure-details[0]."},
    {DETAILS("{'result-type':'tlsa-invalid','sending-mta-ip':'s',"
	     "'failed-session-count':1}"),
	REPORT NONE_1_2 " {tlsa-invalid/6 from=s n=1}]",
	"not-list@policies[0].failure-details"},
    {DETAILS("[]"), REPORT NONE_1_2 "]", ""},
    {DETAILS("null"), REPORT NONE_1_2 "]", "null@policies[0].failure-details"},
    {DETAILS("'none'"), REPORT NONE_1_2 "]",
	"type@policies[0].failure-details"},
};

static void
details_are_read_as_far_as_they_go(void **state)
{
	(void)state;
	report_rows_check(details, ROWS(details));
}

static const struct report_row policies[] = {
    {POLICY("'policy-type':'invalid-policy-type','policy-domain':'d'"),
	REPORT " [invalid-policy-type/ d 1/2]",
	"policy-type@policies[0].policy.invalid-policy-type"},
    {POLICY("'policy-type':'TLSA','policy-domain':'d','policy-string':['x']"),
	REPORT " [TLSA/tlsa d \"x\" 1/2]", ""},
    {POLICY(""), REPORT " [/ 1/2]", "missing*2@policies[0].policy.policy-type"},
    {POLICIES("{" SUMMARY "}"), REPORT " [/ 1/2]",
	"missing*3@policies[0].policy"},
    {POLICIES("{'policy':'sts'," SUMMARY "}"), REPORT " [/ 1/2]",
	"type@policies[0].policy missing*2@policies[0].policy.policy-type"},
    {POLICIES(""), REPORT, "no-policies"},
    {HEAD "'policies':null}", REPORT, "null@policies no-policies"},
    {HEAD "'x':1}", REPORT, "missing@policies no-policies"},
    {HEAD "'policies':'none'}", REPORT, "type@policies no-policies"},
    {HEAD "'policies':" NONE("d") "}", REPORT NONE_1_2 "]",
	"not-list@policies"},
    {POLICIES("7," NONE("d") ",null"), REPORT NONE_1_2 "]", "type*2@policies"},
};

static void
policies_are_read_as_far_as_they_go(void **state)
{
	(void)state;
	report_rows_check(policies, ROWS(policies));
}

#define FROM_TO(from, to)                                        \
	"{'organization-name':'O','contact-info':'c@o.example'," \
	"'report-id':'I','date-range':{'start-datetime':" from   \
	",'end-datetime':" to "},'policies':[" NONE("d") "]}"
#define DAYS(range) "O c@o.example I " range NONE_1_2 "]"

static const struct report_row heads[] = {
    {FROM_TO("'1970-01-02T00:00:00Z'", "'1970-01-03T00:00:00Z'"),
	DAYS("86400-172800"), ""},
    {FROM_TO("'1970-01-02T02:00:00+02:00'", "'1970-01-03T01:59:59+02:00'"),
	DAYS("86400-172799"), ""},
    {FROM_TO("'1970-01-02T00:00:00'", "'1970-01-02T23:59:59'"),
	DAYS("86400-172799"), "date-zone*2@date-range.start-datetime"},
    {FROM_TO("'1970-01-02'", "'1970-01-03'"), DAYS("86400-172800"),
	"date-form*2@date-range.start-datetime"},
    {FROM_TO("86400", "172800"), DAYS("86400-172800"),
	"date-form*2@date-range.start-datetime"},
    {FROM_TO("-1", "253402300800"), DAYS("0-0"),
	"date*2@date-range.start-datetime window@date-range"},
    {FROM_TO("true", "'soon'"), DAYS("0-0"),
	"date*2@date-range.start-datetime window@date-range"},
    {FROM_TO("null", "'1970-01-02T00:00:00Z'"), DAYS("0-86400"),
	"null@date-range.start-datetime"},
    {FROM_TO("'1970-01-02T00:00:00Z'", "'1970-01-02T12:00:00Z'"),
	DAYS("86400-129600"), "window@date-range"},
    {FROM_TO("'1970-01-02T01:00:00Z'", "'1970-01-03T01:00:00Z'"),
	DAYS("90000-176400"), "window@date-range"},
    {FROM_TO("'1970-01-03T00:00:00Z'", "'1970-01-02T00:00:00Z'"),
	DAYS("172800-86400"), "window@date-range"},
    {"{'policies':[" NONE("d") "]}", "   0-0" NONE_1_2 "]",
	"missing*4@organization-name"},
    {"{'policies':[" NONE("d") "],'date-range':[],'report-id':null,"
			       "'organization-name':1,'contact-info':true}",
	"1   0-0" NONE_1_2 "]",
	"type*2@organization-name null@report-id "
	"missing*2@date-range.start-datetime window@date-range"},
};

static void
heads_are_read_as_far_as_they_go(void **state)
{
	(void)state;
	report_rows_check(heads, ROWS(heads));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_the_rfc_says_is_read),
	    cmocka_unit_test(lists_come_in_disguise),
	    cmocka_unit_test(numbers_come_in_disguise),
	    cmocka_unit_test(details_are_read_as_far_as_they_go),
	    cmocka_unit_test(policies_are_read_as_far_as_they_go),
	    cmocka_unit_test(heads_are_read_as_far_as_they_go),
	};

	return cmocka_run_group_tests_name(
	    "report_read_json", tests, NULL, NULL);
}
