/*
 * Rows of JSON: what is made of it, and what is noted.  In the JSON "'" stands
 * for '"'; the macros put together what a row does not care about.
 */
#pragma once
#include <stddef.h>

#define HEAD                                                     \
	"{'organization-name':'O','contact-info':'c@o.example'," \
	"'report-id':'I','date-range':{'start-datetime':"        \
	"'1970-01-02T00:00:00Z','end-datetime':'1970-01-02T23:59:59Z'},"
#define REPORT      "O c@o.example I 86400-172799"
#define POLICIES(p) HEAD "'policies':[" p "]}"
#define SUMMARY                                          \
	"'summary':{'total-successful-session-count':1," \
	"'total-failure-session-count':2}"
#define NONE(domain)                                                          \
	"{'policy':{'policy-type':'no-policy-found','policy-domain':'" domain \
	"'}," SUMMARY "}"
/* An entry with such details; with such a policy; with such a summary. */
#define DETAILS(d)                                             \
	POLICIES("{'policy':{'policy-type':'no-policy-found'," \
		 "'policy-domain':'d'}," SUMMARY ",'failure-details':" d "}")
#define DETAILS_OF_STS(result)                                             \
	POLICIES(                                                          \
	    "{'policy':{'policy-type':'sts','policy-domain':'d'}," SUMMARY \
	    ",'failure-details':[{'result-type':'" result                  \
	    "','sending-mta-ip':'s','failed-session-count':1}]}")
#define POLICY(p) POLICIES("{'policy':{" p "}," SUMMARY "}")
#define STS(more) POLICY("'policy-type':'sts','policy-domain':'d'" more)
#define SUMS(s)                                                \
	POLICIES("{'policy':{'policy-type':'no-policy-found'," \
		 "'policy-domain':'d'},'summary':" s "}")
#define NONE_1_2 " [no-policy-found/no-policy-found d 1/2"
#define DETAIL(more)                                                      \
	DETAILS("[{'result-type':'certificate-expired','sending-mta-ip':" \
		"'192.0.2.1','failed-session-count':2" more "}]")
#define EXPIRED " {certificate-expired/3 from=192.0.2.1 n=2"
#define SERIES  ",'policy-string':['a','b'],'mx-host':['m']"

struct report_row {
	const char *json;
	const char *report; /* NULL: refused, and notes are the reason */
	const char *notes;
};

/* Fails the test at the first row that is otherwise. */
void report_rows_check(const struct report_row *rows, size_t n);
