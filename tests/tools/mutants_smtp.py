#!/usr/bin/python3
"""Is the way to the next hop guarded?  Break one place at a time, and see a test fail.

    mutants_smtp.py [WORDS]

See mutation.py for how it is done.
"""
import sys

import mutation

CLIENT = "unit:smtp_client_test"
LIFE = "unit:smtp_client_life_test"
RELAY = "tests/integration/test_relay.py"
LAB = "tests/integration/test_lab_dane.py"

# what is broken, where, what stands there, what instead, who has to notice
MUTANTS = [
    # --- BDAT
    ("BDAT is never used", "mta/deliver/link_use.c",
     ".chunking = true,", ".chunking = false,", f"{RELAY} chunks"),
    ("BDAT is used where nobody offers it", "mta/smtp/client_send.c",
     "(client->offers & OFFER_CHUNKING) != 0)", "true)", CLIENT),
    ("BDAT is used without pipelining", "mta/smtp/client_send.c",
     "client->chunking && is_pipelining(client)", "client->chunking", CLIENT),
    ("behind BDAT stands DATA, too", "mta/smtp/client_send.c",
     "if ((client->marks & MARK_CHUNKING) == 0) {\n\t\tclient_put(client, SPAN(\"DATA",
     "if (1) {\n\t\tclient_put(client, SPAN(\"DATA", CLIENT),
    ("what BDAT sends is stuffed", "mta/smtp/client_send.c",
     "if ((client->marks & MARK_CHUNKING) != 0) {\n\t\tput_chunk", "if (0) {\n\t\tput_chunk",
     CLIENT),
    ("a refused chunk needs no RSET", "mta/smtp/client_transaction.c",
     "if (is_ok(client) || (client->marks & MARK_CHUNKING) == 0)", "if (1)", CLIENT),
    # --- RFC 9422
    ("RCPTMAX is not heeded", "mta/deliver/delivery_transfer.c",
     "if (limits->rcpt_max > 0 && n > limits->rcpt_max)", "if (0)", f"{RELAY} max"),
    ("RCPTMAX is one too few", "mta/deliver/delivery_transfer.c",
     "n = limits->rcpt_max;", "n = limits->rcpt_max - 1;", f"{RELAY} max"),
    ("RCPTDOMAINMAX is not heeded", "mta/deliver/delivery_transfer.c",
     "if (domains > limits->rcpt_domain_max)", "if (0)", f"{RELAY} max"),
    ("MAILMAX is not heeded", "mta/deliver/link_use.c",
     "(peer->mail_max == 0 || link->uses < peer->mail_max)", "true", f"{RELAY} max"),
    ("limits of the clear count under TLS", "mta/smtp/client.c",
     "client->limits = (struct client_limits){0};", "", LIFE),
    # --- 452 behind others
    ("452 behind others is a failure of that mailbox", "mta/deliver/delivery_transfer.c",
     "r == NULL || (again && is_one_too_many(r))", "r == NULL", f"{RELAY} parts"),
    ("452 is every temporary failure", "mta/deliver/delivery_transfer.c",
     "result->err.kind == ERR_TEMP &&\n\t       strncmp(result->reply, \"452\", 3) == 0",
     "result->err.kind == ERR_TEMP", f"{RELAY} refused"),
    ("each of those beyond is tried", "mta/smtp/client_transaction.c",
     "if (too_many && t->sending == SEND_RCPT) {", "if (0) {", CLIENT),
    ("552 5.5.3 is for good", "mta/smtp/client_transaction.c",
     "if (too_many) {\n\t\tresult.err.kind = ERR_TEMP;", "if (too_many) {", CLIENT),
    # --- links that rest
    ("a link that died at rest fails its message", "mta/deliver/delivery_transfer.c",
     "if (!alive && may_start_over(d))", "if (0)", f"{RELAY} rest"),
    ("a message in doubt is sent again elsewhere", "mta/deliver/delivery_transfer.c",
     "link_in_doubt(d->link) ||\n\t    ", "", f"{LAB} in-doubt"),
]


if __name__ == "__main__":
    sys.exit(mutation.main(MUTANTS, *sys.argv[1:2]))
