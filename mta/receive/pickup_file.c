/*
 * One drop on its way into the spool:
 *
 *   open > owner, size, header, envelope checked > recipients judged
 *        > read and checked > [pickup_store.c]
 */
#include "mta/receive/pickup_file.h"

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
#include "queue/checksum.h"

#define CHUNK     (256u << 10) /* of a message in one turn of the loop */
#define ARENA_MAX (16u << 20)

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

enum pickup_state
pickup_later(const struct pickup_file *file, const struct err *err)
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
	(void)pickup_later(file, err);
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
		return pickup_later(file, err);
	if (pickup_may_complain(pickup_receive(file->pickup)))
		(void)pickup_later(file, err);
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
		return pickup_later(file, &err);
	pickup_filter_open(file);
	if (file->chain != NULL)
		return PICKUP_READING;
	pickup_file_trace(file);
	return file->message == NULL ? pickup_later(file, &file->filter.err)
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
	return pickup_later(file, &err);
}

enum pickup_state
pickup_not_judged(struct pickup_file *file, const struct err *err)
{
	return err->kind == ERR_TEMP && file->answers != NULL
	           ? pickup_put_off(file, err)
	           : reject(file, err->text);
}

/* Aliases of many are milliseconds each: clients have their turn between. */
static enum pickup_state
judge(struct pickup_file *file, uint64_t begun)
{
	struct err err;

	while (file->njudged < file->said.nrcpts) {
		if (pickup_judge(file, &err) < 0)
			return pickup_not_judged(file, &err);
		if (clock_mono_ms() != begun)
			return PICKUP_READING;
	}
	file->judged = true;
	return pickup_bounce_waits(file, &err) ? pickup_put_off(file, &err)
	                                       : open_message(file);
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
	uint64_t begun = clock_mono_ms();

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
		if (clock_mono_ms() != begun)
			return PICKUP_READING;
	}
	return judge(file, begun);
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
	file->retry = timer_new(receive->role->loop, pickup_tell_sender, file);
	(void)text_copy(file->name, sizeof(file->name), name);
	(void)snprintf(file->session, sizeof(file->session), "drop-%.8s", name);
	file->fd = openat(pickup_folder(pickup), name,
	    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (file->fd < 0)
		return not_opened(file);
	wrong = check_file(file, &receive->config->limits);
	if (wrong != NULL)
		return reject(file, wrong);
	if (read_envelope(file, &err) < 0 || pickup_judge_begin(file, &err) < 0)
		return reject(file, err.text);
	return ask_next(file);
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
end_of_file(struct pickup_file *file)
{
	const char *why = file->whole ? NULL : check_whole(file);
	enum pickup_state state = PICKUP_READING;

	if (why != NULL)
		return reject(file, why);
	if (file->chain != NULL)
		state = pickup_filter_message(file);
	return state == PICKUP_READING ? pickup_commit(file) : state;
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
	return rc < 0 ? pickup_later(file, &err) : PICKUP_READING;
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
