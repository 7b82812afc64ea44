#include "tests/bench/load_client.h"

#include "base/mem.h"
#include "base/text.h"
#include "mta/net/conn.h"
#include "mta/net/loop.h"
#include "mta/net/tls.h"
#include "mta/smtp/client.h"

#define PATIENCE_MS 120000

enum slot_state {
	SLOT_DONE = 0, /* nothing is left to send */
	SLOT_CONNECTING,
	SLOT_OPEN,
	SLOT_SENDING,
	SLOT_QUITTING,
	SLOT_RESTING,
};

struct slot {
	struct load *load;
	struct conn *conn;
	struct client *client;
	enum slot_state state;
	bool secured;
	bool claimed;   /* a message, before it could be begun */
	uint32_t sent;  /* over this connection */
	uint64_t ended; /* when the end of the message went out */
};

static void slot_connect(struct slot *slot);

static void
count_error(struct load *load, const char *why)
{
	if (load->errors++ == 0)
		(void)text_copy(load->error, sizeof(load->error), why);
}

/* Is there a message left for this slot?  Then it is this slot's. */
static bool
claim(struct slot *slot)
{
	struct load *load = slot->load;

	if (!slot->claimed && load->claimed < load->options.messages) {
		load->claimed++;
		slot->claimed = true;
	}
	return slot->claimed;
}

static void
slot_end(struct slot *slot)
{
	struct load *load = slot->load;

	slot->state = SLOT_DONE;
	if (--load->open == 0 || load->options.idle > 0)
		load->on_end(load);
}

static void
slot_close(struct slot *slot)
{
	conn_close(&slot->conn);
	client_free(&slot->client);
}

/* Another connection if there is something to send. */
static void
slot_again(struct slot *slot)
{
	slot_close(slot);
	if (slot->load->options.idle == 0 && claim(slot))
		slot_connect(slot);
	else
		slot_end(slot);
}

/* A connection that breaks costs a message, so that there is an end. */
static void
slot_failed(struct slot *slot, const char *why)
{
	count_error(slot->load, why);
	slot->claimed = false;
	slot_again(slot);
}

static void
slot_flush(struct slot *slot)
{
	struct span out = client_output(slot->client);

	if (out.n == 0 || slot->conn == NULL)
		return;
	conn_write(slot->conn, out);
	client_sent(slot->client, out.n);
}

static void
slot_rest(struct slot *slot)
{
	struct load *load = slot->load;

	slot->state = SLOT_RESTING;
	conn_deadline(slot->conn, 0);
	load->resting++;
	if (load->nslots < load->options.idle)
		slot_open(load);
	if (load->resting == load->options.idle)
		load->on_end(load);
}

static void
slot_send(struct slot *slot)
{
	static const uint16_t which[] = {0};
	struct load *load = slot->load;
	uint32_t most = load->options.per_connection;

	if ((most > 0 && slot->sent == most) || !claim(slot)) {
		slot->state = SLOT_QUITTING;
		client_quit(slot->client);
		return;
	}
	slot->claimed = false;
	slot->sent++;
	slot->state = SLOT_SENDING;
	client_send(
	    slot->client, &load->envelope, which, 1, load->body.n, false);
}

static void
slot_body(struct slot *slot)
{
	client_body(slot->client, buf_span(&slot->load->body), true);
	slot->ended = kit_now_us();
}

static void
slot_sent(struct slot *slot)
{
	const struct client_result *result = client_result(slot->client, 0);
	struct load *load = slot->load;

	slot->state = SLOT_OPEN;
	if (result->err.kind != ERR_NONE) {
		count_error(load, result->err.text);
		return;
	}
	load->taken++;
	spread_add(&load->spread, kit_now_us() - slot->ended);
}

static void
slot_greeted(struct slot *slot)
{
	bool offered = (client_offers(slot->client) & OFFER_STARTTLS) != 0;

	if (!slot->load->options.tls || slot->secured) {
		client_proceed(slot->client);
		return;
	}
	slot->secured = true;
	if (offered)
		client_starttls(slot->client);
	else
		client_broken(
		    slot->client, &(struct err){.kind = ERR_PERM,
				      .enhanced = "5.7.4",
				      .text = "STARTTLS is not offered"});
}

static void
slot_starttls(struct slot *slot)
{
	slot_flush(slot);
	conn_tls_connect(
	    slot->conn, slot->load->tls, &(struct tls_demand){.sni = ""});
}

/* One event; false when nothing more is to be done for now. */
static bool
slot_step(struct slot *slot)
{
	switch (client_next(slot->client)) {
	case CLIENT_GREETED:
		slot_greeted(slot);
		return true;
	case CLIENT_STARTTLS:
		slot_starttls(slot);
		return false;
	case CLIENT_READY:
		if (slot->load->options.idle > 0) {
			slot_rest(slot);
			return false;
		}
		slot_send(slot);
		return true;
	case CLIENT_BODY:
		slot_body(slot);
		return true;
	case CLIENT_DONE:
		slot_sent(slot);
		return true;
	case CLIENT_FAILED:
		slot_failed(slot, client_error(slot->client)->text);
		return false;
	case CLIENT_CLOSED:
		slot_again(slot);
		return false;
	case CLIENT_IDLE:
		break;
	}
	slot_flush(slot);
	return false;
}

static void
slot_run(struct slot *slot)
{
	while (slot_step(slot))
		;
}

static void
on_up(void *arg)
{
	struct slot *slot = arg;

	slot->state = SLOT_OPEN;
	slot->load->connections++;
	slot_run(slot);
}

static void
on_tls(void *arg, const struct tls_facts *facts)
{
	struct slot *slot = arg;

	if (!facts->up) {
		slot_failed(slot, facts->failure);
		return;
	}
	client_tls_done(slot->client);
	slot_run(slot);
}

static void
on_data(void *arg, struct span bytes)
{
	struct slot *slot = arg;

	client_feed(slot->client, bytes);
	slot_run(slot);
}

static void
on_deadline(void *arg)
{
	slot_failed(arg, "no answer in time");
}

static void
on_down(void *arg, const struct err *err)
{
	struct slot *slot = arg;

	if (slot->state == SLOT_QUITTING)
		slot_again(slot);
	else
		slot_failed(slot, err->text);
}

static const struct conn_ops slot_ops = {
    .on_up = on_up,
    .on_tls = on_tls,
    .on_data = on_data,
    .on_deadline = on_deadline,
    .on_down = on_down,
};

static void
slot_connect(struct slot *slot)
{
	struct client_setup setup = {.helo = "load.bench.example"};
	struct load *load = slot->load;

	slot->state = SLOT_CONNECTING;
	slot->secured = false;
	slot->sent = 0;
	slot->client = client_new(&setup);
	slot->conn = conn_connect(
	    load->loop, &load->options.to, NULL, &slot_ops, slot);
	conn_deadline(slot->conn, PATIENCE_MS);
}

void
slot_open(struct load *load)
{
	struct slot *slot = mem_new(sizeof(*slot));

	slot->load = load;
	load->slots[load->nslots++] = slot;
	load->open++;
	(void)claim(slot);
	slot_connect(slot);
}

void
slots_free(struct load *load)
{
	for (uint32_t i = 0; i < load->nslots; i++) {
		conn_abort(&load->slots[i]->conn);
		client_free(&load->slots[i]->client);
		mem_free(load->slots[i]);
	}
	mem_free(load->slots);
}
