#!/usr/bin/python3
"""Do the tests beside a real Exim notice?  See mutation.py.

    mutants_exim.py [WORDS]
"""
import sys

import mutation


def exim(words):
    return "tests/integration/test_exim.py " + words


# what is broken, where, what stands there, what instead, who has to notice
MUTANTS = [
    # --- Exim to us
    ("STARTTLS is not offered", "mta/smtp/session_reply.c",
     "session->setup.starttls && !tls ? ", "0 ? ", exim("it_comes_over_tls")),
    ("a refused recipient is a temporary failure", "mta/smtp/session_reply.c",
     "bool temporary = err->kind != ERR_PERM;", "bool temporary = true;", exim("one_nobody")),
    ("greylisting lets nobody in", "mta/receive/greylist.c",
     "\tif (age >= config->delay)\n\t\treturn GREY_PASS;\n", "", exim("it_comes_again")),
    ("who has never come is let in", "mta/receive/greylist.c",
     "if (row->first == 0 || age < 0)\n\t\treturn GREY_NEW;",
     "if (row->first == 0 || age < 0)\n\t\treturn GREY_PASS;", exim("it_comes_again")),
    ("TLS is required of nobody", "mta/smtp/session_commands.c",
     "return session->setup.must_tls && session->tls.version == NULL;", "return false;", exim("has_to_speak_tls")),
    # --- we to Exim
    ("we never ask for TLS", "mta/smtp/client_offers.c",
     "{\"STARTTLS\", OFFER_STARTTLS}", "{\"STARTTLZ\", OFFER_STARTTLS}",
     exim("it_takes_ours or verify_it_by_dane")),
    ("no record is usable", "tlsa/tlsa.c",
     "return data.n == digest->size ? TLSA_IN_USE : TLSA_MALFORMED;",
     "return TLSA_MALFORMED;", exim("we_verify_it_by_dane")),
    ("a temporary failure is for good", "mta/smtp/reply.c",
     "if (reply->code >= 500)\n\t\t(void)err_set", "if (reply->code >= 400)\n\t\t(void)err_set",
     exim("its_4xx")),
    ("a failure for good is tried again", "mta/smtp/reply.c",
     "if (reply->code >= 500)\n\t\t(void)err_set", "if (reply->code >= 600)\n\t\t(void)err_set",
     exim("we_bounce")),
]

if __name__ == "__main__":
    sys.exit(mutation.main(MUTANTS, *sys.argv[1:2]))
