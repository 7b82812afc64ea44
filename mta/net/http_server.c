/*
 * libmicrohttpd calls us back for each request until there is an answer:
 *
 *   first     its head is there: a place in the list
 *   asked     the owner is told, and the connection suspended
 *   answered  the answer is there: it is queued
 */
#include "mta/net/http_server.h"

#include <microhttpd.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "mta/net/loop.h"

#define HEAD_MAX       16384
#define PATH_MAX_SHOWN 128
/* Those that were cut, and that libmicrohttpd has yet to see. */
#define SPARE       16u
#define MISDIRECTED 421u

struct http_request {
	struct http_request *next;
	struct http_server *server;
	struct MHD_Connection *connection;
	uint64_t id;
	char path[PATH_MAX_SHOWN];
	bool asked, told;
	unsigned status; /* 0: it has no answer */
	struct MHD_Response *response;
};

/* A connection; in the list until it is cut. */
struct http_client {
	struct http_client *next;
	int fd;         /* libmicrohttpd's */
	uint64_t since; /* loop_now(): of its beginning, or its last answer */
	bool waits;     /* for our answer: that takes as long as it takes */
};

struct http_server {
	struct loop *loop;
	const struct http_server_ops *ops;
	void *owner;
	struct MHD_Daemon *daemon;
	struct watch *watch;
	struct timer *timer;
	struct timer *deadline;
	struct http_client *clients; /* who has had the longest time first */
	size_t nclients;
	struct http_request *requests;
	uint64_t ids;
	int fd; /* the listening socket once it is quiet, or -1 */
};

/* --- clients -------------------------------------------------------------- */

/* False: it was cut. */
static bool
unlist(struct http_server *server, const struct http_client *client)
{
	struct http_client **at = &server->clients;

	while (*at != NULL && *at != client)
		at = &(*at)->next;
	if (*at == NULL)
		return false;
	*at = client->next;
	server->nclients--;
	return true;
}

static void
list_last(struct http_server *server, struct http_client *client)
{
	struct http_client **end = &server->clients;

	client->since = loop_now(server->loop);
	client->next = NULL;
	while (*end != NULL)
		end = &(*end)->next;
	*end = client;
	server->nclients++;
}

static struct http_client *
client_of(struct MHD_Connection *connection)
{
	return MHD_get_connection_info(
	    connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT)
	    ->socket_context;
}

/* The first who does not wait for us, or NULL. */
static struct http_client *
slowest(const struct http_server *server)
{
	struct http_client *client = server->clients;

	while (client != NULL && client->waits)
		client = client->next;
	return client;
}

/* libmicrohttpd closes it when it sees the end. */
static void
cut(struct http_server *server, struct http_client *client)
{
	(void)unlist(server, client);
	(void)shutdown(client->fd, SHUT_RDWR);
}

static void
set_deadline(struct http_server *server)
{
	const struct http_client *client = slowest(server);
	uint64_t now = loop_now(server->loop), end;

	if (client == NULL) {
		timer_stop(server->deadline);
		return;
	}
	end = client->since + HTTP_WHOLE_MS;
	timer_start(server->deadline, end > now ? end - now : 0);
}

static void
on_deadline(void *arg)
{
	struct http_server *server = arg;
	uint64_t now = loop_now(server->loop);
	struct http_client *client;

	while ((client = slowest(server)) != NULL &&
	       client->since + HTTP_WHOLE_MS <= now)
		cut(server, client);
	set_deadline(server);
}

/*
 * Where all places are taken, the newest has that of whoever has had the
 * longest time to ask: slow ones keep nobody out, and nobody who has asked.
 */
static void
on_connection(void *cls, struct MHD_Connection *connection,
    void **socket_context, enum MHD_ConnectionNotificationCode code)
{
	struct http_server *server = cls;
	struct http_client *client = *socket_context;

	if (code == MHD_CONNECTION_NOTIFY_CLOSED) {
		(void)unlist(server, client);
		mem_free(client);
		*socket_context = NULL;
	} else {
		client = mem_new(sizeof(*client));
		client->fd = MHD_get_connection_info(
		    connection, MHD_CONNECTION_INFO_CONNECTION_FD)
		                 ->connect_fd;
		list_last(server, client);
		*socket_context = client;
		if (server->nclients > HTTP_CONNECTIONS)
			cut(server, slowest(server)); /* he is one */
	}
	set_deadline(server);
}

/* There is an answer, or it has it: its time begins anew. */
static void
renew(struct http_server *server, struct MHD_Connection *connection)
{
	struct http_client *client = client_of(connection);

	client->waits = false;
	if (unlist(server, client))
		list_last(server, client);
	set_deadline(server);
}

/* --- answers -------------------------------------------------------------- */

static struct MHD_Response *
response_of(const char *type, struct span body)
{
	static const char nothing[1];
	struct MHD_Response *response = MHD_create_response_from_buffer(body.n,
	    (void *)(uintptr_t)(body.n == 0 ? nothing : body.p),
	    MHD_RESPMEM_MUST_COPY);

	if (response == NULL)
		return NULL;
	(void)MHD_add_response_header(
	    response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
	(void)MHD_add_response_header(
	    response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
	return response;
}

static void
set_answer(struct http_request *request, unsigned status, const char *type,
    struct span body)
{
	request->response = response_of(type, body);
	request->status = request->response == NULL
	                      ? MHD_HTTP_INTERNAL_SERVER_ERROR
	                      : status;
}

/* --- requests ------------------------------------------------------------- */

/* RFC 9110 15.5.6: what is allowed stands in the answer. */
static void
refuse_method(struct http_request *request)
{
	set_answer(request, MHD_HTTP_METHOD_NOT_ALLOWED, "text/plain",
	    SPAN("only GET and HEAD are answered here\n"));
	if (request->response != NULL)
		(void)MHD_add_response_header(
		    request->response, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
}

static void
ask(struct http_request *request, const char *path)
{
	const struct http_server *server = request->server;

	request->asked = true;
	if (!server->ops->is_host(
		server->owner, MHD_lookup_connection_value(request->connection,
				   MHD_HEADER_KIND, MHD_HTTP_HEADER_HOST))) {
		set_answer(request, MISDIRECTED, "text/plain",
		    SPAN("this is no name of ours; ask by address\n"));
		return;
	}
	if (strlen(path) >= sizeof(request->path)) {
		set_answer(request, MHD_HTTP_NOT_FOUND, "text/plain",
		    SPAN("there is nothing here\n"));
		return;
	}
	memcpy(request->path, path, strlen(path) + 1);
	client_of(request->connection)->waits = true;
	set_deadline(request->server);
	MHD_suspend_connection(request->connection);
}

static struct http_request *
request_new(struct http_server *server, struct MHD_Connection *connection)
{
	struct http_request *request = mem_new(sizeof(*request));

	request->server = server;
	request->connection = connection;
	request->id = ++server->ids;
	request->next = server->requests;
	server->requests = request;
	return request;
}

/* NOLINTBEGIN(readability-function-size): MHD_AccessHandlerCallback */
static enum MHD_Result
on_access(void *cls, struct MHD_Connection *connection, const char *url,
    const char *method, const char *version, const char *upload_data,
    size_t *upload_data_size, void **con_cls)
{
	struct http_request *request = *con_cls;

	(void)version;
	(void)upload_data;
	if (request == NULL) {
		*con_cls = request_new(cls, connection);
		return MHD_YES;
	}
	if (*upload_data_size > 0) { /* what comes with it is not looked at */
		*upload_data_size = 0;
		return MHD_YES;
	}
	if (!request->asked && strcmp(method, MHD_HTTP_METHOD_GET) != 0 &&
	    strcmp(method, MHD_HTTP_METHOD_HEAD) != 0)
		refuse_method(request);
	else if (!request->asked)
		ask(request, url);
	if (request->status == 0)
		return MHD_YES;
	return request->response == NULL
	           ? MHD_NO
	           : MHD_queue_response(
			 connection, request->status, request->response);
}
/* NOLINTEND(readability-function-size) */

static void
on_completed(void *cls, struct MHD_Connection *connection, void **con_cls,
    enum MHD_RequestTerminationCode code)
{
	struct http_server *server = cls;
	struct http_request *request = *con_cls;
	struct http_request **at = &server->requests;

	(void)code;
	if (request == NULL)
		return;
	renew(server, connection);
	while (*at != request)
		at = &(*at)->next;
	*at = request->next;
	if (request->response != NULL)
		MHD_destroy_response(request->response);
	mem_free(request);
	*con_cls = NULL;
}

/* Each may be answered, or all of them, from inside. */
static void
tell_owner(struct http_server *server)
{
	struct http_request *request = server->requests;

	while (request != NULL) {
		if (request->asked && !request->told && request->status == 0) {
			request->told = true;
			server->ops->on_request(
			    server->owner, request->id, request->path);
			request = server->requests;
		} else {
			request = request->next;
		}
	}
}

/*
 * Once, then others of the loop have their turn, however much is asked.  What
 * is answered from inside starts the timer again, so that stands before.
 */
static void
turn(struct http_server *server)
{
	MHD_UNSIGNED_LONG_LONG ms;

	(void)MHD_run(server->daemon);
	if (MHD_get_timeout(server->daemon, &ms) == MHD_YES)
		timer_start(server->timer, ms);
	else
		timer_stop(server->timer);
	tell_owner(server);
}

static void
on_turn(void *arg)
{
	turn(arg);
}

static struct MHD_Daemon *
start(struct http_server *server, int fd)
{
	return MHD_start_daemon(MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME, 0,
	    NULL, NULL, on_access, server, MHD_OPTION_LISTEN_SOCKET, fd,
	    MHD_OPTION_CONNECTION_LIMIT, HTTP_CONNECTIONS + SPARE,
	    MHD_OPTION_NOTIFY_CONNECTION, on_connection, server,
	    MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)HEAD_MAX,
	    MHD_OPTION_NOTIFY_COMPLETED, on_completed, server, MHD_OPTION_END);
}

int
http_server_new(struct loop *loop, int fd, const struct http_server_ops *ops,
    void *owner, struct http_server **ret, struct err *err)
{
	struct http_server *server = mem_new(sizeof(*server));
	const union MHD_DaemonInfo *info;

	server->loop = loop;
	server->ops = ops;
	server->owner = owner;
	server->fd = -1;
	server->deadline = timer_new(loop, on_deadline, server);
	server->daemon = start(server, fd);
	if (server->daemon == NULL) {
		(void)close(fd);
		timer_free(&server->deadline);
		mem_free(server);
		return err_set(
		    err, ERR_TEMP, "4.3.0", "the HTTP server does not start");
	}
	info = MHD_get_daemon_info(server->daemon, MHD_DAEMON_INFO_EPOLL_FD);
	server->timer = timer_new(loop, on_turn, server);
	server->watch = watch_new(loop, info->epoll_fd, on_turn, server);
	*ret = server;
	return 0;
}

void
http_server_free(struct http_server **serverp)
{
	struct http_server *server = *serverp;

	*serverp = NULL;
	if (server == NULL)
		return;
	watch_free(&server->watch);
	timer_free(&server->timer);
	/* A suspended one would be waited for. */
	for (struct http_request *r = server->requests; r != NULL; r = r->next)
		if (r->asked && r->status == 0) {
			r->status = MHD_HTTP_SERVICE_UNAVAILABLE;
			MHD_resume_connection(r->connection);
		}
	MHD_stop_daemon(server->daemon);
	timer_free(&server->deadline);
	if (server->fd >= 0)
		(void)close(server->fd);
	mem_free(server);
}

void
http_server_answer(struct http_server *server, uint64_t id, unsigned status,
    const char *type, struct span body)
{
	struct http_request *request = server->requests;

	while (request != NULL && request->id != id)
		request = request->next;
	if (request == NULL || !request->asked || request->status != 0)
		return;
	set_answer(request, status, type, body);
	renew(server, request->connection); /* it has to take that */
	MHD_resume_connection(request->connection);
	timer_start(server->timer, 0);
}

void
http_server_quiet(struct http_server *server)
{
	if (server->fd < 0)
		server->fd = MHD_quiesce_daemon(server->daemon);
}

bool
http_server_is_idle(const struct http_server *server)
{
	const union MHD_DaemonInfo *info = MHD_get_daemon_info(
	    server->daemon, MHD_DAEMON_INFO_CURRENT_CONNECTIONS);

	return info == NULL || info->num_connections == 0;
}
