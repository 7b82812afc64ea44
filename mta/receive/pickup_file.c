/*
 * One drop on its way into the spool:
 *
 *   open > owner, size, header, envelope checked > recipients judged
 *        > read and checked > renamed to NAME.try > durable
 *        > [notification durable] > removed
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "mta/lookup/inquiry.h"
#include "mta/net/loop.h"
#include "mta/receive/pickup.h"
#include "queue/checksum.h"

#define COMPLAINTS 10           /* about what stays where it is, a pass */
#define CHUNK      (256u << 10) /* of a message in one turn of the loop */
#define ARENA_MAX  (16u << 20)
#define RETRY_MS   5000

static loop_fn tell_sender;

void
pickup_file_free(struct pickup_file **filep)
{
	struct pickup_file *file = *filep;

	*filep = NULL;
	if (file == NULL)
		return;
	chain_end(&file->chain);
	intake_abort(&file->message);
	if (file->fd >= 0)
		(void)close(file->fd);
	timer_free(&file->retry);
	checksum_free(&file->sum);
	asking_cancel(&file->asking);
	answers_free(&file->answers);
	arena_free(&file->arena);
	mem_free(file->refused);
	mem_free(file);
}

static enum pickup_state
reject(struct pickup_file *file, const char *why)
{
	pickup_reject(file->pickup, file->name, why);
	return PICKUP_GONE;
}

bool
pickup_may_complain(struct receive *receive)
{
	return receive->complaints++ < COMPLAINTS;
}

static enum pickup_state
later(const struct pickup_file *file, const struct err *err)
{
	struct log_line line;

	log_begin(&line, LOG_LEVEL_ERROR, "drop-waits");
	log_u64(&line, "uid", file->uid);
	log_str(&line, "dsn", err->enhanced);
	log_str(&line, "reason", err->text);
	log_end(&line);
	return PICKUP_LATER;
}

enum pickup_state
pickup_put_off(const struct pickup_file *file, const struct err *err)
{
	(void)later(file, err);
	return PICKUP_PUT_OFF;
}

/* Everything, and NULL; or why not. */
static const char *
read_at(int fd, void *to, size_t n, uint64_t at)
{
	size_t have = 0;

	while (have < n) {
		ssize_t got = pread(
		    fd, (char *)to + have, n - have, (off_t)(at + have));

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return strerrordesc_np(errno);
		if (got == 0)
			return "it is shorter than it says";
		have += (size_t)got;
	}
	return NULL;
}

/* --- Is it a drop? ----------------------------------------------------- */

/* NULL: so far it is fine. */
static const char *
check_file(struct pickup_file *file, const struct config_limits *limits)
{
	char front[DROP_HEADER];
	const char *why;
	struct stat st;

	if (fstat(file->fd, &st) < 0 || !S_ISREG(st.st_mode))
		return "not a regular file";
	file->uid = st.st_uid;
	file->since = st.st_mtime;
	/* Its owner would not be the one who put it there. */
	if (st.st_nlink != 1)
		return "it has another name";
	if (st.st_size < DROP_HEADER)
		return "not the header of a drop";
	why = read_at(file->fd, front, sizeof(front), 0);
	if (why != NULL)
		return why;
	if (!drop_take_header((struct span){front, sizeof(front)},
		(uint64_t)st.st_size, &file->header))
		return "not the header of a drop";
	if (file->header.message > limits->message)
		return "the message is larger than limits.message";
	return NULL;
}

static int
read_envelope(struct pickup_file *file, struct err *err)
{
	size_t n = file->header.envelope;
	char *bytes = mem_new(n + 1);
	const char *why = read_at(
	    file->fd, bytes, n, DROP_HEADER + file->header.message);
	int rc;

	if (why == NULL)
		rc = drop_take_envelope(&file->header, (struct span){bytes, n},
		    file->arena, &file->said, err);
	else
		rc = err_set(err, ERR_PERM, "5.5.4", "%s", why);
	mem_free(bytes);
	/* No job takes more, and waiting makes them no fewer. */
	if (rc == 0 && file->said.nrcpts > IPC_RCPTS_MAX)
		rc = err_set(err, ERR_PERM, "5.5.3", "too many recipients");
	return rc;
}

/* --- Who gets it? ------------------------------------------------------ */

/* Not for this one: those behind it may be smaller. */
static enum pickup_state
no_room(const struct pickup_file *file, const struct err *err)
{
	struct err none;

	if (rules_sender(pickup_receive(file->pickup), 0, &none) < 0)
		return later(file, err);
	if (pickup_may_complain(pickup_receive(file->pickup)))
		(void)later(file, err);
	return PICKUP_PUT_OFF;
}

static enum pickup_state
open_message(struct pickup_file *file)
{
	const struct receive *receive = pickup_receive(file->pickup);
	const struct config_limits *limits = &receive->config->limits;
	struct err err;

	file->scan = (struct scan){
	    .line_max = limits->text_line,
	    .hops_max = limits->hops,
	};
	file->sum = checksum_new(DROP_SEED);
	if (file->envelope.nrcpts == 0)
		return PICKUP_READING;
	if (rules_sender(receive, file->header.message, &err) < 0)
		return no_room(file, &err);
	if (intake_begin(receive->intake, &file->message, &err) < 0)
		return later(file, &err);
	pickup_filter_open(file);
	if (file->chain != NULL)
		return PICKUP_READING;
	pickup_file_trace(file);
	return file->message == NULL ? later(file, &file->filter.err)
	                             : PICKUP_READING;
}

/*
 * What we lack at the moment is not the file's fault, and the next one would
 * lack it, too.  Anything else must not hold up the others.
 */
static enum pickup_state
not_opened(struct pickup_file *file)
{
	int why = errno;
	struct stat st = {0};
	struct err err;

	if (why == ENOENT)
		return PICKUP_GONE;
	if (why != EMFILE && why != ENFILE && why != ENOMEM)
		return reject(file, strerrordesc_np(why));
	(void)fstatat(
	    pickup_folder(file->pickup), file->name, &st, AT_SYMLINK_NOFOLLOW);
	file->uid = st.st_uid;
	(void)err_set(&err, ERR_TEMP, "4.3.0", "%s: %s", file->name,
	    strerrordesc_np(why));
	return later(file, &err);
}

/* Who cannot be asked about these may be of no matter to others. */
static enum pickup_state
not_judged(struct pickup_file *file, const struct err *err)
{
	return err->kind == ERR_TEMP && file->answers != NULL
	           ? pickup_put_off(file, err)
	           : reject(file, err->text);
}

static enum pickup_state
judge(struct pickup_file *file)
{
	struct err err;

	file->judged = true;
	return pickup_judge(file, &err) == 0 ? open_message(file)
	                                     : not_judged(file, &err);
}

static void
on_asked(void *arg)
{
	struct pickup_file *file = arg;

	file->asking = NULL;
	pickup_file_asked(file);
}

/* About each recipient, and the sender, who may get a bounce. */
static enum pickup_state
ask_next(struct pickup_file *file)
{
	const struct receive *receive = pickup_receive(file->pickup);
	const struct envelope *said = &file->said;

	if (receive->askers != NULL && file->answers == NULL)
		file->answers = answers_new();
	while (file->answers != NULL && file->nasked <= said->nrcpts) {
		size_t i = file->nasked++;

		file->asking = asking_start(receive->askers, receive->locals,
		    file->answers,
		    i < said->nrcpts ? said->rcpts[i].address : said->sender,
		    on_asked, file);
		if (file->asking != NULL)
			return PICKUP_ASKING;
	}
	return judge(file);
}

enum pickup_state
pickup_file_begin(
    struct pickup *pickup, const char *name, struct pickup_file **ret)
{
	const struct receive *receive = pickup_receive(pickup);
	struct pickup_file *file = mem_new(sizeof(*file));
	const char *wrong;
	struct err err;

	*ret = file;
	file->pickup = pickup;
	file->arena = arena_new(ARENA_MAX);
	file->again = drop_is_begun(name);
	file->retry = timer_new(receive->role->loop, tell_sender, file);
	(void)text_copy(file->name, sizeof(file->name), name);
	(void)snprintf(file->session, sizeof(file->session), "drop-%.8s", name);
	file->fd = openat(pickup_folder(pickup), name,
	    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (file->fd < 0)
		return not_opened(file);
	wrong = check_file(file, &receive->config->limits);
	if (wrong != NULL)
		return reject(file, wrong);
	if (read_envelope(file, &err) < 0)
		return reject(file, err.text);
	return ask_next(file);
}

/* --- Into the spool ---------------------------------------------------- */

static void
log_accepted(const struct pickup_file *file, const struct err *err)
{
	const struct envelope *envelope = &file->envelope;
	struct log_line line;
	char id[QUEUE_ID_SIZE];

	queue_id_text(file->id, id);
	log_begin(&line, err == NULL ? LOG_LEVEL_INFO : LOG_LEVEL_ERROR,
	    err == NULL ? "accepted" : "not-accepted");
	log_str(&line, "session", file->session);
	log_u64(&line, "uid", file->uid);
	log_str(&line, "id", id);
	log_str(&line, "from", envelope->sender);
	log_str(&line, "to",
	    envelope->nrcpts == 1 ? envelope->rcpts[0].address : "(several)");
	log_u64(&line, "rcpts", envelope->nrcpts);
	log_u64(&line, "size", file->header.message);
	if (file->again)
		log_str(&line, "again", "yes");
	if (err != NULL) {
		log_str(&line, "dsn", err->enhanced);
		log_str(&line, "reason", err->text);
	}
	log_end(&line);
}

/* Everything that came of it is durable. */
static void
finish(struct pickup_file *file)
{
	if (unlinkat(pickup_folder(file->pickup), file->name, 0) < 0 &&
	    errno != ENOENT)
		pickup_stop(file->pickup, file->name);
	pickup_file_done(file);
}

static void
on_bounced(void *arg, uint64_t id, const struct err *err)
{
	struct pickup_file *file = arg;

	(void)id;
	if (err == NULL) {
		finish(file);
		return;
	}
	(void)later(file, err);
	timer_start(file->retry, RETRY_MS);
}

/* The message is durable by now: only this is tried again. */
static void
tell_sender(void *arg)
{
	struct pickup_file *file = arg;
	enum pickup_state state = PICKUP_GONE;

	if (file->nrefused > 0)
		state = pickup_bounce(file, on_bounced);
	if (state == PICKUP_GONE)
		finish(file);
	else if (state == PICKUP_LATER)
		timer_start(file->retry, RETRY_MS);
}

static void
on_stored(void *arg, uint64_t id, const struct err *err)
{
	struct pickup_file *file = arg;

	(void)id;
	log_accepted(file, err);
	if (err != NULL) {
		pickup_file_done(file);
		return;
	}
	pickup_receive(file->pickup)->accepted++;
	tell_sender(file);
}

/* A note for whoever finds it after a crash. */
static void
mark(struct pickup_file *file)
{
	char name[sizeof(file->name)];
	int folder = pickup_folder(file->pickup);

	if (file->again)
		return;
	(void)snprintf(name, sizeof(name), "%.32s" DROP_BEGUN, file->name);
	if (renameat(folder, file->name, folder, name) == 0)
		(void)text_copy(file->name, sizeof(file->name), name);
}

/* NULL: it is what its writer wrote, and may go out. */
static const char *
check_whole(struct pickup_file *file)
{
	scan_finish(&file->scan);
	if (file->scan.fault != SCAN_CLEAN)
		return scan_fault_name(file->scan.fault);
	if (checksum_value(file->sum) != file->header.sum)
		return "the checksum of the message is wrong";
	/* RFC 8689 4.3: as for mail that comes by SMTP. */
	if (scan_waives_tls(&file->scan))
		file->envelope.tls_wish = TLS_WISH_WAIVED;
	file->whole = true;
	return NULL;
}

static enum pickup_state
commit(struct pickup_file *file)
{
	struct err err;

	if (file->message == NULL) {
		/* Nobody is left: only the sender hears of it. */
		mark(file);
		timer_start(file->retry, 0);
		return PICKUP_STORING;
	}
	if (pickup_expand(file, &err) < 0)
		return not_judged(file, &err);
	mark(file);
	file->envelope.arrived = clock_wall();
	intake_commit(&file->message, &file->envelope, on_stored, file);
	return PICKUP_STORING;
}

static enum pickup_state
end_of_file(struct pickup_file *file)
{
	const char *why = file->whole ? NULL : check_whole(file);
	enum pickup_state state = PICKUP_READING;

	if (why != NULL)
		return reject(file, why);
	if (file->chain != NULL)
		state = pickup_filter_message(file);
	return state == PICKUP_READING ? commit(file) : state;
}

/* To the filters, or at once to where it is to be. */
static int
take_bytes(struct pickup_file *file, struct span bytes, struct err *err)
{
	if (file->chain != NULL)
		chain_take_body(file->chain, bytes);
	else if (file->message != NULL)
		return intake_add(file->message, bytes, err);
	return 0;
}

static enum pickup_state
read_on(struct pickup_file *file, size_t n)
{
	char *chunk = mem_new(n);
	struct span bytes = {chunk, n};
	const char *why = read_at(file->fd, chunk, n, DROP_HEADER + file->at);
	struct err err;
	int rc = 0;

	if (why == NULL) {
		checksum_add(file->sum, bytes);
		scan_bytes(&file->scan, bytes);
		file->at += n;
		rc = take_bytes(file, bytes, &err);
	}
	mem_free(chunk);
	if (why != NULL)
		return reject(file, why);
	return rc < 0 ? later(file, &err) : PICKUP_READING;
}

enum pickup_state
pickup_file_step(struct pickup_file *file)
{
	uint64_t left = file->header.message - file->at;
	size_t n = left < CHUNK ? (size_t)left : CHUNK;

	if (!file->judged)
		return ask_next(file);
	if (file->chain != NULL && !file->filter.read)
		return pickup_filter_envelope(file);
	return n == 0 ? end_of_file(file) : read_on(file, n);
}
