/*
 * The control socket: one JSON object a line, see mta/ctl/control.h.
 *
 * "status" is answered here, what concerns the queue by the queue role.  A
 * client has one request under way at a time; the answers carry its number.
 */
#include "mta/ctl/control.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "mta/net/channel.h"
#include "mta/net/conn.h"
#include "mta/supervisor/control.h"
#include "mta/supervisor/private.h"
#include "mta/supervisor/status.h"

#define CLIENTS_MAX 32
#define ANSWER_MAX  (4u << 20)
#define IDLE_MS     60000
#define ROLE_MS     15000 /* longer than any role waits for its restart */
#define RELOAD_MS   900000
#define OUTPUT_HIGH (256u << 10) /* answers a client does not read */

/* Of a client that has asked for a reload; it hears how that ends. */
enum reload_wait {
	RELOAD_NOT = 0,
	RELOAD_ASKED, /* it has not begun */
	RELOAD_BEGUN,
};

struct control_client {
	struct control_client *next;
	struct control *control;
	struct conn *conn;
	struct buf in;
	uint64_t asked; /* number of the request a role works on, 0: none */
	enum role_kind role; /* which */
	enum reload_wait reload;
	/* Its request is for a role that starts, and stays in `in` until then. */
	bool waits, waited_enough;
	bool at_work; /* inside of answer_line() */
	struct timer *patience;
};

struct control {
	struct supervisor *supervisor;
	struct listener *listener;
	struct control_client *clients;
	unsigned nclients;
	uint64_t asks;
	char path[108];
};

static void client_lines(struct control_client *client);

static void
client_end(struct control_client *client)
{
	struct control_client **at = &client->control->clients;

	while (*at != client)
		at = &(*at)->next;
	*at = client->next;
	client->control->nclients--;
	conn_close(&client->conn);
	buf_free(&client->in);
	timer_free(&client->patience);
	mem_free(client);
}

static void
say_error(struct control_client *client, const char *text)
{
	struct buf out;

	buf_init(&out, CONTROL_LINE_MAX);
	if (control_write_error(text, &out) == 0)
		conn_write(client->conn, buf_span(&out));
	buf_free(&out);
}

static void
answer_status(struct control_client *client)
{
	struct buf out;

	buf_init(&out, ANSWER_MAX);
	if (status_write(client->control->supervisor, &out) == 0)
		conn_write(client->conn, buf_span(&out));
	else
		say_error(client, CONTROL_TOO_LARGE);
	buf_free(&out);
}

static int
put_metric(const struct metric_sample *sample, void *arg)
{
	const struct metric_family_type *family = metric_family(sample->family);
	struct control_item *item = control_item_new();
	int rc;

	control_put_text(item, "name", family->name);
	control_put_text(item, "labels", sample->labels);
	control_put_number(item, "value", sample->value);
	rc = control_write_item(item, arg);
	control_item_free(&item);
	return rc;
}

static void
answer_metrics(struct control_client *client)
{
	struct buf out;

	buf_init(&out, ANSWER_MAX);
	if (meter_each(client->control->supervisor, put_metric, &out) == 0 &&
	    control_write_done(NULL, &out) == 0)
		conn_write(client->conn, buf_span(&out));
	else
		say_error(client, CONTROL_TOO_LARGE);
	buf_free(&out);
}

static void
on_patience(void *arg)
{
	struct control_client *client = arg;

	client->waits = false;
	client->waited_enough = true;
	client_lines(client);
}

/*
 * Between two configurations, or once it has died, the queue is with nobody
 * for a moment.  False: nobody is to come, or not soon.
 */
static bool
wait_for(struct control_client *client, enum role_kind kind)
{
	const struct supervisor *sup = client->control->supervisor;

	if (client->waited_enough || !supervisor_wants(sup, kind) ||
	    (kind == ROLE_REPORT &&
		!generation_has_report(sup->current->config)))
		return false;
	client->waits = true;
	timer_start(client->patience, ROLE_MS);
	return true;
}

static void
ask_role(struct control_client *client, enum role_kind kind, struct span line)
{
	struct control *control = client->control;
	struct child *role = child_find(control->supervisor, kind);
	struct ipc_ask ask = {.text = line};
	struct buf out;

	if (role == NULL && wait_for(client, kind))
		return;
	client->waited_enough = false;
	if (role == NULL) {
		say_error(client, kind == ROLE_QUEUE
				      ? "the queue role is not running just now"
				      : "the report role is not running");
		return;
	}
	client->asked = ++control->asks;
	client->role = kind;
	ask.id = client->asked;
	buf_init(&out, CHANNEL_MESSAGE_MAX);
	ipc_put_ask(&out, &ask);
	channel_send(role->channel, IPC_ASK, buf_span(&out));
	buf_free(&out);
}

static void
answer_dane(
    struct control_client *client, const struct control_request *request)
{
	struct supervisor *sup = client->control->supervisor;
	bool off = request->command == CONTROL_DANE_OFF;
	struct control_item *more;
	struct buf out;
	struct err err = {0};

	if (dane_switch(sup, off ? request->seconds : 0, request->filter.reason,
		&err) < 0) {
		say_error(client, err.text);
		return;
	}
	more = control_item_new();
	buf_init(&out, CONTROL_LINE_MAX);
	status_put_dane(&sup->dane, more);
	if (control_write_done(more, &out) == 0)
		conn_write(client->conn, buf_span(&out));
	control_item_free(&more);
	buf_free(&out);
}

/* Each process that delivers has some of the cache in memory. */
static void
answer_sts(struct control_client *client, const struct control_request *request)
{
	struct supervisor *sup = client->control->supervisor;
	struct log_line line;
	struct buf out;

	log_begin(&line, LOG_LEVEL_INFO, "sts-changed");
	log_str(&line, "domain",
	    request->domain[0] == '\0' ? "all" : request->domain);
	log_end(&line);
	for (struct child *c = sup->children; c != NULL; c = c->next)
		if (c->kind == ROLE_DELIVER && c->channel != NULL)
			channel_send(
			    c->channel, IPC_STS, span_of(request->domain));
	buf_init(&out, CONTROL_LINE_MAX);
	if (control_write_done(NULL, &out) == 0)
		conn_write(client->conn, buf_span(&out));
	buf_free(&out);
}

static void
answer_reload(
    struct control_client *client, const struct control_request *request)
{
	struct supervisor *sup = client->control->supervisor;

	if (supervisor_stopping(sup)) {
		say_error(client, "the daemon is stopping");
		return;
	}
	client->reload = RELOAD_ASKED;
	conn_deadline(client->conn, RELOAD_MS);
	supervisor_reload(sup, request->force);
}

static void
answer_line(struct control_client *client, struct span line)
{
	struct control_request request;
	struct err err;

	if (control_read_request(line, &request, &err) < 0)
		say_error(client, err.text);
	else if (control_is_for_queue(request.command))
		ask_role(client, ROLE_QUEUE, line);
	else if (control_is_for_report(request.command))
		ask_role(client, ROLE_REPORT, line);
	else if (request.command == CONTROL_DANE_OFF ||
		 request.command == CONTROL_DANE_ON)
		answer_dane(client, &request);
	else if (request.command == CONTROL_STS_CHANGED)
		answer_sts(client, &request);
	else if (request.command == CONTROL_METRICS)
		answer_metrics(client);
	else if (request.command == CONTROL_RELOAD)
		answer_reload(client, &request);
	else
		answer_status(client);
}

static bool
client_is_free(const struct control_client *client)
{
	return client->asked == 0 && !client->waits &&
	       client->reload == RELOAD_NOT &&
	       conn_backlog(client->conn) < OUTPUT_HIGH;
}

/* One request at a time; what comes behind it waits, most of it unread. */
static void
client_lines(struct control_client *client)
{
	while (client_is_free(client)) {
		struct span all = buf_span(&client->in);
		const char *end = all.n == 0 ? NULL
		                             : memchr(all.p, '\n', all.n);
		size_t n;

		if (end == NULL)
			break;
		n = (size_t)(end - all.p) + 1;
		client->at_work = true;
		answer_line(client, span_first(all, n));
		client->at_work = false;
		if (!client->waits)
			buf_shift(&client->in, n);
	}
	conn_read(client->conn, client_is_free(client));
}

static void
on_drained(void *owner)
{
	client_lines(owner);
}

static void
on_data(void *owner, struct span bytes)
{
	struct control_client *client = owner;

	conn_deadline(client->conn, IDLE_MS);
	if (buf_add(&client->in, bytes) < 0) {
		say_error(client, "the request is too long");
		client_end(client);
		return;
	}
	client_lines(client);
}

static void
on_deadline(void *owner)
{
	client_end(owner);
}

static void
on_down(void *owner, const struct err *err)
{
	(void)err;
	client_end(owner);
}

static const struct conn_ops client_ops = {
    .on_data = on_data,
    .on_drained = on_drained,
    .on_deadline = on_deadline,
    .on_down = on_down,
};

static void
on_accept(void *owner, struct conn *conn)
{
	struct control *control = owner;
	struct control_client *client;

	if (control->nclients >= CLIENTS_MAX) {
		conn_close(&conn);
		return;
	}
	client = mem_new(sizeof(*client));
	client->control = control;
	client->conn = conn;
	buf_init(&client->in, 2 * (size_t)CONTROL_LINE_MAX);
	client->patience = timer_new(
	    control->supervisor->loop, on_patience, client);
	client->next = control->clients;
	control->clients = client;
	control->nclients++;
	conn_adopt(conn, &client_ops, client);
	conn_deadline(conn, IDLE_MS);
}

void
control_answer(struct control *control, const struct ipc_ask *answer)
{
	struct control_client *client = control->clients;

	while (client != NULL && client->asked != answer->id)
		client = client->next;
	if (client == NULL)
		return; /* it has gone */
	conn_write(client->conn, answer->text);
	if (!answer->last)
		return;
	client->asked = 0;
	client_lines(client);
}

void
control_ready(struct control *control)
{
	if (control == NULL)
		return;
	for (struct control_client *c = control->clients; c != NULL;
	     c = c->next) {
		if (!c->waits)
			continue;
		c->waits = false;
		client_lines(c);
	}
}

void
control_reloads(struct control *control)
{
	for (struct control_client *c = control->clients; c != NULL;
	     c = c->next)
		if (c->reload == RELOAD_ASKED)
			c->reload = RELOAD_BEGUN;
}

static void
say_reloaded(struct control_client *client)
{
	const struct supervisor *sup = client->control->supervisor;
	struct buf out;

	client->reload = RELOAD_NOT;
	conn_deadline(client->conn, IDLE_MS);
	if (sup->reload_problem[0] != '\0') {
		say_error(client, sup->reload_problem);
		return;
	}
	buf_init(&out, ANSWER_MAX);
	if (status_write_reload(sup, &out) == 0)
		conn_write(client->conn, buf_span(&out));
	else
		say_error(client, CONTROL_TOO_LARGE);
	buf_free(&out);
}

/* It may be inside of what one of them has asked: later lines wait for it. */
void
control_reloaded(struct control *control)
{
	for (struct control_client *c = control->clients; c != NULL;
	     c = c->next) {
		if (c->reload != RELOAD_BEGUN)
			continue;
		say_reloaded(c);
		if (!c->at_work)
			client_lines(c);
	}
}

void
control_lost(struct control *control, enum role_kind kind)
{
	for (struct control_client *c = control->clients; c != NULL;
	     c = c->next) {
		if (c->asked == 0 || c->role != kind)
			continue;
		c->asked = 0;
		say_error(c, kind == ROLE_QUEUE
				 ? "the queue role has ended; ask again"
				 : "the report role has ended; ask again");
		client_lines(c);
	}
}

int
control_open(struct supervisor *sup, const char *path, uid_t uid, gid_t gid,
    struct control **ret, struct err *err)
{
	struct control *control;
	struct net_address address;
	mode_t before;
	int fd;

	if (!net_address_unix(path, &address))
		return err_set(
		    err, ERR_PERM, "4.3.5", "%s: too long for a socket", path);
	if (socket_is_alive(&address))
		return err_set(err, ERR_PERM, "4.3.5",
		    "%s: another danelawd is running with this spool", path);
	(void)unlink(path);
	before = umask(0077);
	fd = net_listen(&address, CLIENTS_MAX, err);
	(void)umask(before);
	if (fd < 0)
		return -1;
	if (uid != 0 && lchown(path, uid, gid) < 0) {
		(void)close(fd);
		return err_set(err, ERR_PERM, "4.3.5", "%s: %s", path,
		    strerrordesc_np(errno));
	}
	control = mem_new(sizeof(*control));
	control->supervisor = sup;
	memcpy(control->path, address.path, sizeof(control->path));
	control->listener = listener_new(sup->loop, fd, on_accept, control);
	*ret = control;
	return 0;
}

void
control_close(struct control **controlp)
{
	struct control *control = *controlp;

	*controlp = NULL;
	if (control == NULL)
		return;
	while (control->clients != NULL)
		client_end(control->clients);
	listener_close(&control->listener);
	(void)unlink(control->path);
	mem_free(control);
}
