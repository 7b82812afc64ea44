#!/usr/bin/python3
"""Is DKIM guarded?  See mutation.py.

    mutants_dkim.py [WORDS]

Signatures of others and ours: lists of tags, forms, keys, records, verdicts.
"""
import sys

import mutation

TAGS_C, CANON_C, HEADER_C, CRYPTO_C, RECORD_C, CLAIM_C, VERIFY_C, SIGN_C, REPORT_C = (
    f"reporting/dkim_{name}.c" for name in ("tags", "canon", "header", "crypto", "record",
                                            "signature", "verify", "sign", "report"))
TAGS, CANON, CRYPTO, RECORD, CLAIM, VERIFY, KEY, SIGN, REFUSE, REPORT, CORPUS = (
    f"unit:dkim_{name}_test" for name in ("tags", "canon", "crypto", "record", "signature",
                                          "verify", "key", "sign", "refuse", "report", "corpus"))

# what is broken, where, what stands there, what instead, who has to notice
MUTANTS = [
    # --- lists of tags
    ("a tag may stand twice", TAGS_C, "if (find(tags, tag.name) != NULL)", "if (0)", TAGS),
    ("tags are without number", TAGS_C, "if (tags->n == DKIM_TAGS_MAX)",
     "if (tags->n == DKIM_TAGS_MAX + 9)", TAGS),
    ("any octet is one of a list", TAGS_C, "if (!has_right_octets(text))", "if (0)", TAGS),
    ("an empty tag is one", TAGS_C, "if (!is_name(tag.name))", "if (0)", TAGS),
    ("base64 hides bits", TAGS_C, "(digits % 4 == 2 && (bits & 15) != 0)", "0", TAGS),
    ("base64 has too few equals", TAGS_C, "(over > 0 && equals == 4 - over)", "over > 0", TAGS),
    # --- forms
    ("names keep their case", CANON_C, "*to++ = text_lower(name.p[i]);", "*to++ = name.p[i];",
     CANON),
    ("blanks at the end of a field count", CANON_C,
     "blank = false;\n\t\tto[n++] = value.p[i];\n\t}",
     "blank = false;\n\t\tto[n++] = value.p[i];\n\t}\n\tif (blank)\n\t\tto[n++] = ' ';", CANON),
    ("empty lines at the end count", CANON_C, "body->ends = 0;",
     "for (; body->ends > 1; body->ends--)\n\t\tput_end(body);", CANON),
    ("an empty body is one CRLF, relaxed, too", CANON_C,
     "body->canon == DKIM_SIMPLE || body->any", "true", CANON),
    ("a body without an end gets none", CANON_C, "body->canon == DKIM_SIMPLE || body->any",
     "body->canon == DKIM_SIMPLE", CANON),
    ("blanks before a line's end count", CANON_C,
     "\t\t\tbody->blank = false;\n\t\t\tbody->ends++;", "\t\t\tbody->ends++;", CANON),
    ("a CR at a piece's end is lost", CANON_C, "\t\ttake_octet(body, '\\r');\n\t}\n\tif",
     "\t}\n\tif", CANON),
    # --- the header
    ("the first of equal fields is taken", HEADER_C,
     "for (size_t i = header->nfields; name.n > 0 && i-- > 0;)",
     "for (size_t i = 0; name.n > 0 && i < header->nfields; i++)", VERIFY),
    ("a field counts twice", HEADER_C, "used[i] = true;", "used[i] = false;", VERIFY),
    ("a signature signs itself", HEADER_C, "used[cover->own] = true;",
     "used[cover->own] = false;", VERIFY),
    ("one of equal fields is enough", HEADER_C,
     "find_last(header, name, used) == DKIM_NO_FIELD;",
     "(find_last(header, name, used) == DKIM_NO_FIELD ||\n"
     "\t\t   used[0] || used[1] || used[2] || used[3]);", VERIFY),
    ("headers are without end", HEADER_C, "return over ? -1 : 0;", "return 0 * over;", VERIFY),
    ("fields are without number", HEADER_C, "if (header->nfields == DKIM_FIELDS_MAX)\n\t\t\treturn -1;",
     "if (header->nfields == DKIM_FIELDS_MAX)\n\t\t\tbreak;", VERIFY),
    ("an end between pieces is missed", HEADER_C, "from = from > 3 ? from - 3 : 0;", "", VERIFY),
    # --- keys
    ("short keys are good", CRYPTO_C, "if (rsa && bits < DKIM_RSA_LEAST)", "if (0)", KEY),
    ("1024 bits are short", CRYPTO_C, "if (rsa && bits < DKIM_RSA_LEAST)",
     "if (rsa && bits <= DKIM_RSA_LEAST)", KEY),
    ("a signature need not fit", CRYPTO_C, "if (!ok)\n\t\treturn (struct dkim_finding){DKIM_FAIL,",
     "if (0)\n\t\treturn (struct dkim_finding){DKIM_FAIL,", KEY),
    ("a bare RSAPublicKey is none", CRYPTO_C,
     "key = d2i_PublicKey(EVP_PKEY_RSA, NULL, &p, (long)der.n);", "", CORPUS),
    ("our keys may have 1024 bits", CRYPTO_C, "if (bits < DKIM_OWN_RSA_LEAST)",
     "if (bits < DKIM_RSA_LEAST)", CRYPTO),
    ("our keys may be longer than others read", CRYPTO_C, "if (bits > DKIM_OWN_RSA_MOST)",
     "if (bits > DKIM_RSA_MOST)", CRYPTO),
    ("the halves of a key may differ", CRYPTO_C, "if (!is_pair(key->key))", "if (0)", CRYPTO),
    # --- records
    ("any version of a record is ours", RECORD_C, "return span_eq(v->value, SPAN(\"DKIM1\"))",
     "return true", RECORD),
    ("the version stands anywhere", RECORD_C, "if (v != &tags->list[0])", "if (0)", RECORD),
    ("a key for others is for us", RECORD_C,
     "(DKIM_FLAG_ANY_SERVICE | DKIM_FLAG_NAMED_SERVICE)) != 0", "0) == 0", RECORD),
    ("a key for sha1 is for us", RECORD_C, "dkim_list_has(h->value, \"sha256\")", "true", RECORD),
    ("a revoked key is malformed", RECORD_C, "if (p->value.n == 0) {", "if (0) {", RECORD),
    ("a key of any type will do", RECORD_C,
     "type != DKIM_ALGORITHM_OTHER && type == ret->algorithm", "true", RECORD),
    # --- claims
    ("any version is ours", CLAIM_C, "return span_eq(value_of(reader, \"v\"), SPAN(\"1\"))",
     "return true", CLAIM),
    ("rsa-sha1 is only unknown", CLAIM_C, "if (span_eq(a, SPAN(\"rsa-sha1\")))", "if (0)", CLAIM),
    ("nothing said is relaxed", CLAIM_C, "reader->to->body = DKIM_SIMPLE;",
     "reader->to->body = DKIM_RELAXED;", CLAIM),
    ("From need not be signed", CLAIM_C, "return from ? FINE", "return true ? FINE", CLAIM),
    ("i= is anybody's", CLAIM_C, "dns_name_in(to->identity, to->domain)", "true", CLAIM),
    ("a top level signs", CLAIM_C, "strchr(to->domain, '.') == NULL", "false", CLAIM),
    ("a hash of any length is one", CLAIM_C, "n != sizeof(to->body_hash)", "false", CLAIM),
    ("names in h= are without number", CLAIM_C, "++n > DKIM_NAMES_MAX", "++n > 9999", CLAIM),
    ("signatures live for ever", CLAIM_C,
     "if (reader->now <= 0 || (uint64_t)reader->now > expires)", "if (0)", CLAIM),
    ("they end a second early", CLAIM_C, "(uint64_t)reader->now > expires",
     "(uint64_t)reader->now >= expires", CLAIM),
    ("without a clock they live", CLAIM_C, "reader->now <= 0 || (uint64_t)reader->now > expires",
     "reader->now > 0 && (uint64_t)reader->now > expires", CLAIM),
    ("x= may be before t=", CLAIM_C, "expires <= reader->to->signed_at", "false", CLAIM),
    ("fields are of any length", CLAIM_C, "field.n > DKIM_FIELD_MAX", "false", CLAIM),
    # --- verdicts
    ("the body need not be the one", VERIFY_C,
     "if (memcmp(hash, signature->body_hash, sizeof(hash)) != 0)", "if (0)", VERIFY),
    ("a changed body asks for its key", VERIFY_C,
     "if (finding.verdict != DKIM_PASS)\n\t\t\tsettle(check, finding);\n\t\telse\n"
     "\t\t\tcheck->stage = STAGE_KEY;", "check->stage = STAGE_KEY;", VERIFY),
    ("l= may be more than there is", VERIFY_C,
     "signature->has_length && signature->length > check->octets", "false", VERIFY),
    ("all of the body is hashed", VERIFY_C, "if (check->signature.has_length)\n\t\tleft",
     "if (0)\n\t\tleft", VERIFY),
    ("what is behind l= is not said", VERIFY_C, "check->result.unsigned_octets = check->octets -",
     "check->result.unsigned_octets = signature->length -", VERIFY),
    ("b= is hashed", VERIFY_C, "check->signature.before_b);",
     "header->fields[check->own].raw);", VERIFY),
    ("signatures are without number", VERIFY_C,
     "#include \"reporting/dkim_verify.h\"\n",
     "#include \"reporting/dkim_verify.h\"\n#undef DKIM_SIGNATURES_MAX\n"
     "#define DKIM_SIGNATURES_MAX 9\n", VERIFY),
    ("a bogus key is a key", VERIFY_C, "answer->trust <= DNS_BOGUS", "answer->trust < DNS_BOGUS",
     KEY),
    ("a failed lookup is no key", VERIFY_C,
     "return (struct dkim_finding){DKIM_TEMPERROR,\n\t\t    \"the key could",
     "return (struct dkim_finding){DKIM_PERMERROR,\n\t\t    \"the key could", KEY),
    ("the last of several records counts", VERIFY_C, "if (i == 0 || finding.verdict == DKIM_PASS ||",
     "if (true || finding.verdict == DKIM_PASS ||", KEY),
    ("only the first of several counts", VERIFY_C, "i < n && best.verdict != DKIM_PASS",
     "i < n && i < 1", KEY),
    ("strings that are cut are strings", VERIFY_C,
     "if (txt_join(answer->rdata[i], text) < 0)", "if (txt_join(answer->rdata[i], text) > 0)",
     KEY),
    ("t=s binds nobody", VERIFY_C, "(record.flags & DKIM_FLAG_STRICT) != 0", "false", KEY),
    ("only one signature is answered", VERIFY_C, "while ((check = next_waiting(verifier, name)) != NULL)",
     "if ((check = next_waiting(verifier, name)) != NULL)", VERIFY),
    ("the service does not matter", VERIFY_C,
     "setup->service == NULL ? \"email\" : setup->service", "\"email\"", KEY),
    # --- ours
    ("From is signed once", SIGN_C, "list_name(&listing, \"From\", 1)",
     "list_name(&listing, \"From\", 0)", SIGN),
    ("what is oversigned is only signed", SIGN_C, "rc = list_name(&listing, *p, 1);",
     "rc = list_name(&listing, *p, 0);", SIGN),
    ("a message needs no From", SIGN_C,
     "if (dkim_header_count(&signer->header, SPAN(\"From\")) == 0)", "if (0)", SIGN),
    ("a bare LF is signed", SIGN_C, "if (signer->bare || signer->cr)", "if (signer->cr)", SIGN),
    ("a bare CR at the end is signed", SIGN_C, "if (signer->bare || signer->cr)",
     "if (signer->bare)", SIGN),
    ("a header may begin with a blank", SIGN_C, "if (signer->header.bytes.n > 0 &&",
     "if (signer->header.bytes.n > 999999 &&", SIGN),
    ("lines are of any length", SIGN_C, "if (to->column + n <= DKIM_LINE_MAX)", "if (1)", SIGN),
    ("Received is signed", SIGN_C, "\"Return-Path\", \"Received\"", "\"Return-Path\"", SIGN),
    ("x= is t=", SIGN_C, "s->setup.now + s->setup.lifetime", "s->setup.now", SIGN),
    ("half of the signatures are left", SIGN_C, "out->n = from;\n\t\t\treturn -1;",
     "return -1;", SIGN),
    ("what was refused is fed again", SIGN_C, "if (signer->failed)\n\t\treturn give_up(signer, err);"
     "\n\tlook", "look", REFUSE),
    ("what was refused is signed", SIGN_C, "if (signer->failed)\n\t\treturn give_up(signer, err);"
     "\n\t/* RFC", "/* RFC", REFUSE),
    # --- reports
    ("a report is anybody's", REPORT_C, "if (strcmp(result->domain, reporter) != 0)", "if (0)",
     REPORT),
    ("a report need not pass", REPORT_C, "if (result->verdict != DKIM_PASS)", "if (0)", REPORT),
    ("a report has l=", REPORT_C, "if (result->has_length)", "if (0)", REPORT),
    ("a key in testing vouches", REPORT_C, "(result->key_flags & DKIM_FLAG_TESTING) != 0",
     "false", REPORT),
    ("one field is enough", REPORT_C,
     "dkim_verifier_covers(verifier, i, \"TLS-Report-Domain\") &&",
     "dkim_verifier_covers(verifier, i, \"TLS-Report-Domain\") ||", REPORT),
    ("no field is needed", REPORT_C, "if (!is_of_report(verifier, i))", "if (0)", REPORT),
    ("the type alone is not enough", REPORT_C,
     "dkim_verifier_covers(verifier, i, \"Content-Type\") ||", "0 ||", REPORT),
    ("others are spoken of", REPORT_C, "if (report.is_own)\n", "if (0)\n", REPORT),
]


if __name__ == "__main__":
    sys.exit(mutation.main(MUTANTS, *sys.argv[1:2]))
