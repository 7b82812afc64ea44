#!/usr/bin/python3
"""Is the fetch of a policy guarded?  Break one place at a time, and see a test fail.

    mutants_https.py [WORDS]

See mutation.py for how it is done.  Not here, because two places forbid them and
one is enough: redirects and HTTP 0.9, by libcurl's settings and by the head;
old TLS, by libcurl's settings and the security level; parts of a label as a
wildcard, by OpenSSL and libcurl.
"""
import sys

import mutation

HEAD, TEST = "unit:https_head_test", "tests/integration/test_https.py"
FETCH, WEB, QUEUE = "mta/net/https_fetch.c", "mta/net/tls_web.c", "mta/net/https.c"

# what is broken, where, what stands there, what instead, who has to notice
MUTANTS = [
    # --- the head of an answer
    ("any 2xx is a policy", "mta/net/https_head.c", "head->status != 200",
     "head->status / 100 != 2", HEAD),
    ("a redirect is another status", "mta/net/https_head.c", "head->status < 400",
     "head->status < 300", HEAD),
    ("any type is text/plain", "mta/net/https_head.c",
     "head->is_plain = span_eq_nocase(type, SPAN(\"text/plain\"));",
     "head->is_plain = true;", HEAD),
    ("text/plainer is text/plain", "mta/net/https_head.c",
     "span_eq_nocase(type, SPAN", "span_starts_nocase(type, SPAN", HEAD),
    ("parameters are part of the type", "mta/net/https_head.c",
     "end == NULL ? value.n", "true ? value.n", HEAD),
    ("an encoded body is taken", "mta/net/https_head.c",
     "!head->is_plain || head->is_encoded", "!head->is_plain", HEAD),
    ("an interim answer is the answer", "mta/net/https_head.c",
     "head->status >= 100 && head->status < 200", "false", HEAD),
    ("what an interim answer says counts", "mta/net/https_head.c",
     "*head = (struct https_head){", "head->status = status_of(line);\n"
     "(void)(struct https_head){", HEAD),
    ("an interim answer starts the count anew", "mta/net/https_head.c",
     ".size = head->size, ", "", HEAD),
    ("trailers are fields of the head", "mta/net/https_head.c",
     "if (head->over)", "if (0)", HEAD),
    ("fields are without end", "mta/net/https_head.c",
     "line.n > HTTPS_HEAD_MAX - head->size", "false", HEAD),
    ("the length that is announced is nothing", "mta/net/https_head.c",
     "said > HTTPS_BODY_MAX", "false", HEAD),
    ("the last of two lengths counts", "mta/net/https_head.c",
     "head->length >= HTTPS_LENGTH_SAID && said != head->said", "false", HEAD),
    ("what is no length is a large one", "mta/net/https_head.c", "!valid ||", "", HEAD),
    ("a length becomes clear again", "mta/net/https_head.c",
     "else if (head->length != HTTPS_LENGTH_UNCLEAR)", "else", HEAD),
    ("an unclear length is large", "mta/net/https_head.c",
     "head->length == HTTPS_LENGTH_UNCLEAR", "false", HEAD),
    ("a body may be cut where it ends with the connection", FETCH,
     "&& !fetch->closed", "&& false", f"{TEST} answer"),
    ("one that ends with it is always cut", WEB, "type == SSL3_RT_ALERT &&", "false &&",
     f"{TEST} comes"),
    # --- TLS
    ("no chain is verified", FETCH, "{CURLOPT_SSL_VERIFYPEER, 1}",
     "{CURLOPT_SSL_VERIFYPEER, 0}", f"{TEST} certificate"),
    ("libcurl's verification is switched off behind its back", WEB,
     "SSL_VERIFY_PEER", "SSL_VERIFY_NONE", f"{TEST} certificate"),
    ("names are libcurl's affair", WEB,
     "return X509_VERIFY_PARAM_set1_host(param, host, 0) == 1;",
     "(void)host;\nreturn true;", f"{TEST} certificate"),
    ("a common name is a name", WEB, "X509_CHECK_FLAG_NEVER_CHECK_SUBJECT |", "",
     f"{TEST} certificate"),
    ("weak keys do", WEB, "SECURITY_LEVEL 2", "SECURITY_LEVEL 0", f"{TEST} certificate"),
    ("expired is not trusted", WEB, "return HTTPS_EXPIRED;", "return HTTPS_NOT_TRUSTED;",
     f"{TEST} certificate"),
    ("another name is not trusted", WEB, "return HTTPS_WRONG_NAME;",
     "return HTTPS_NOT_TRUSTED;", f"{TEST} certificate"),
    ("the system's authorities count as well", QUEUE,
     "mem_strdup(ca_file)", "mem_strdup(TLS_WEB_CA_FILE)", f"{TEST} comes"),
    ("SSL_CERT_FILE counts", QUEUE, "setup->ca_file == NULL ? TLS_WEB_CA_FILE",
     "setup->ca_file == NULL ? __extension__({ char *secure_getenv(const char *);"
     " secure_getenv(\"SSL_CERT_FILE\"); })",
     f"{TEST} environment"),
    ("keys are logged", WEB, "SSL_CTX_set_keylog_callback(ctx, NULL);", "",
     f"{TEST} environment"),
    # --- what libcurl would do by itself
    ("proxies are used", FETCH, "{CURLOPT_PROXY, \"\"},\n\t    {CURLOPT_NOPROXY, \"*\"},",
     "", f"{TEST} environment"),
    ("passwords come from .netrc", FETCH, "CURL_NETRC_IGNORED", "CURL_NETRC_OPTIONAL",
     f"{TEST} environment"),
    ("a connection is used again", FETCH,
     "{CURLOPT_FRESH_CONNECT, 1},\n    {CURLOPT_FORBID_REUSE, 1},", "", f"{TEST} kept"),
    # --- where to
    ("names are asked for in DNS", FETCH, "CURLOPT_CONNECT_TO, fetch->connect_to",
     "CURLOPT_CONNECT_TO, NULL", f"{TEST} comes"),
    ("a name is anything", QUEUE, "!dns_name_is_host(fetch->host)", "false",
     f"{TEST} name"),
    ("one address is enough", QUEUE, "fetch->at + 1 < fetch->naddresses", "false",
     f"{TEST} address"),
    ("the first address has all the time", FETCH,
     "left / (fetch->naddresses - fetch->at) + 1", "left + 1", f"{TEST} address"),
    ("we come from anywhere", FETCH, "fd < 0 || from->family != to->family", "true",
     f"{TEST} ip6"),
    # --- limits
    ("the body is without end", QUEUE, "buf_init(&fetch->body, HTTPS_BODY_MAX)",
     "buf_init(&fetch->body, 1u << 30)", f"{TEST} answer"),
    ("a body is shorter", QUEUE, "buf_init(&fetch->body, HTTPS_BODY_MAX)",
     "buf_init(&fetch->body, HTTPS_BODY_MAX - 1)", f"{TEST} comes"),
    ("time does not end", QUEUE, "fetch->decided ? 0 : https->timeout_ms",
     "fetch->decided ? 0 : 100000", f"{TEST} slow"),
    ("all run at once", QUEUE, "if (https->running >= https->at_once)\n\t\treturn false;",
     "", f"{TEST} elsewhere"),
    ("the queue has no end", QUEUE, "https->waiting >= https->waiting_max", "false",
     f"{TEST} queue"),
    ("one address has all turns", QUEUE, "n < (https->at_once + 1) / 2",
     "n < https->at_once", f"{TEST} turns"),
    ("who stands behind it waits as well", QUEUE, "has_place(f))\n\t\t\tstart(f);",
     "!has_place(f))\n\t\t\tbreak;\n\t\telse if (f->easy == NULL && !f->decided)\n"
     "\t\t\tstart(f);", f"{TEST} turns"),
    ("the last one comes first", QUEUE, "at = &(*at)->next;\n\t*at = fetch;",
     "break;\n\tfetch->next = *at;\n\t*at = fetch;", f"{TEST} order"),
    ("what is cancelled keeps its turn", QUEUE, "fetch_free(fetch);\n\ton_turn(https);",
     "fetch_free(fetch);", f"{TEST} callback"),
    ("one that ended counts as running", QUEUE,
     "if (fetch->easy != NULL)\n\t\thttps->running--;\n\telse", "if (fetch->easy == NULL)",
     f"{TEST} callback"),
    ("a close_notify is the first one's", QUEUE, "f->ssl_ctx != ssl_ctx",
     "f->ssl_ctx == NULL", f"{TEST} close_notify"),
    ("nothing counts what libcurl drops", QUEUE, "fetch->received += n;", "(void)n;",
     f"{TEST} answer"),
    ("a line without end is our want of memory", FETCH,
     "fetch->received > HTTPS_HEAD_MAX", "false", f"{TEST} ever"),
    ("the handshake counts", WEB, "SSL_is_init_finished(ssl) == 1", "false", f"{TEST} ever"),
    # --- whose fault
    ("no descriptor is no connection", FETCH, "fetch->no_socket = errno;", "",
     f"{TEST} descriptors"),
    ("what one address cost is forgotten at the next", FETCH, "fetch->received = 0;",
     "fetch->received = 0;\n\tfetch->no_socket = 0;", f"{TEST} source"),
    ("authorities that are gone are no TLS", FETCH, "case CURLE_SSL_CACERT_BADFILE:\n", "",
     f"{TEST} gone"),
    ("an intermediate is an anchor", FETCH, "{CURLOPT_SSL_OPTIONS, CURLSSLOPT_NO_PARTIALCHAIN},",
     "", f"{TEST} anchor"),
    ("nobody's turn comes", QUEUE, "unlink_fetch(fetch);\n\ton_turn(https);\n\tfetch->done",
     "unlink_fetch(fetch);\n\tfetch->done", f"{TEST} starts"),
    ("what was begun is not let go of", QUEUE, "https_detach(fetch);\n}", "}",
     f"{TEST} leaks"),
    ("a watch outlives its socket", QUEUE, "watch_free(&one->watch);", "", f"{TEST} comes"),
]

if __name__ == "__main__":
    sys.exit(mutation.main(MUTANTS, *sys.argv[1:2]))
