/* See greylist.h. */
#include "mta/receive/greylist.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/db.h"
#include "base/mem.h"
#include "base/text.h"

#define FORMAT 1
/* For another process that writes the loop waits at most so long at a time,
 * and in the long run a tenth of the time; then the question is not decided. */
#define WAIT_MS   10
#define WAIT_PART 10
#define OPEN_MS   100  /* for the file, once: processes start together */
#define TIDY_S    600  /* between two looks for what is old */
#define MEGABYTES 256  /* of the file */
#define RETRY_S   60   /* a file that cannot be used is tried again */
#define KEY_SIZE  1024 /* sender and recipient */

struct greylist {
	const struct config_greylist *config;
	struct db db;
	int64_t tidied;    /* seconds */
	int64_t broken;    /* seconds; 0: it was fine */
	int64_t rows;      /* as last counted, and those added since */
	uint64_t asked;    /* clock_mono_ms(), the last time */
	uint64_t patience; /* milliseconds that may yet be waited */
};

static const char make_sql[] =
    "PRAGMA journal_mode = MEMORY; PRAGMA synchronous = OFF;"
    "CREATE TABLE IF NOT EXISTS triples ("
    " network TEXT NOT NULL, triple TEXT NOT NULL, first INTEGER NOT NULL,"
    " last INTEGER NOT NULL, passed INTEGER NOT NULL,"
    " PRIMARY KEY (network, triple)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS networks ("
    " network TEXT NOT NULL PRIMARY KEY, passes INTEGER NOT NULL,"
    " last INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
    "PRAGMA user_version = 1"; /* FORMAT */

static const char network_sql[] =
    "SELECT passes, last FROM networks WHERE network = ?1";
static const char triple_sql[] = "SELECT first, last, passed FROM triples"
				 " WHERE network = ?1 AND triple = ?2";
static const char put_sql[] =
    "INSERT OR REPLACE INTO triples (network, triple, first, last, passed)"
    " VALUES (?1, ?2, ?3, ?4, ?5)";
static const char count_sql[] =
    "INSERT INTO networks (network, passes, last) VALUES (?1, ?3, ?4)"
    " ON CONFLICT (network) DO UPDATE SET passes = passes + ?3, last = ?4";
static const char forget_sql[] =
    "DELETE FROM triples WHERE first < ?1 AND passed = 0";
static const char forget_passed_sql[] = "DELETE FROM triples WHERE last < ?1";
static const char forget_networks_sql[] =
    "DELETE FROM networks WHERE last < ?1";
static const char rows_sql[] = "SELECT count(*) FROM triples";

enum grey_verdict
greylist_judge(const struct config_greylist *config, const struct grey_row *row,
    int64_t now, int64_t *ret_wait)
{
	int64_t age = now - row->first;

	*ret_wait = config->delay;
	if (row->first == 0 || age < 0)
		return GREY_NEW;
	if (row->passed)
		return now - row->last > config->keep ? GREY_NEW : GREY_PASS;
	if (age > config->window)
		return GREY_NEW;
	if (age >= config->delay)
		return GREY_PASS;
	*ret_wait = config->delay - age;
	return GREY_EARLY;
}

/* RFC 6647: large senders try again from a neighbour. */
bool
greylist_network(const char *client, char to[64])
{
	char text[INET6_ADDRSTRLEN];
	struct cidr network;

	if (!cidr_network(client, &network))
		return false;
	if (network.family == AF_INET) {
		network.bytes[3] = 0;
		network.bits = 24;
	}
	if (inet_ntop(network.family, network.bytes, text, sizeof(text)) ==
	    NULL)
		return false;
	(void)snprintf(to, 64, "%s/%u", text, network.bits);
	return true;
}

struct greylist *
greylist_new(const struct config *config)
{
	struct greylist *greylist;

	if (!config->defence.greylist.enabled)
		return NULL;
	greylist = mem_new(sizeof(*greylist));
	greylist->config = &config->defence.greylist;
	greylist->db = (struct db){
	    .folder = config->state, .name = "greylist", .wait_ms = OPEN_MS};
	return greylist;
}

void
greylist_free(struct greylist **greylistp)
{
	struct greylist *greylist = *greylistp;

	*greylistp = NULL;
	if (greylist == NULL)
		return;
	db_close(&greylist->db);
	mem_free(greylist);
}

/* SQLite asks whether to try again; that is waited for on the loop. */
static int
on_busy(void *arg, int tries)
{
	const struct timespec nap = {.tv_nsec = 1000000};
	struct greylist *greylist = arg;

	(void)tries;
	if (greylist->patience == 0)
		return 0;
	greylist->patience--;
	(void)nanosleep(&nap, NULL);
	return 1;
}

/* Patience comes back with the time that has passed. */
static void
refill(struct greylist *greylist)
{
	uint64_t now = clock_mono_ms();
	uint64_t more = (now - greylist->asked) / WAIT_PART;

	/* What is less than a whole one counts the next time. */
	greylist->asked += more * WAIT_PART;
	greylist->patience = more > WAIT_MS - greylist->patience
	                         ? WAIT_MS
	                         : greylist->patience + more;
}

static bool
open_file(struct greylist *greylist, struct err *err)
{
	struct db *db = &greylist->db;
	char path[DB_PATH_SIZE];

	if (db_path(db, ".db", path, err) < 0 || db_make_file(path, err) < 0)
		return false;
	if (!db_open(db, path, FORMAT) || !db_limit_size(db, MEGABYTES) ||
	    !db_run(db, make_sql))
		return false;
	(void)sqlite3_busy_handler(db->sqlite, on_busy, greylist);
	return true;
}

/* Whoever sets a damaged file aside has the lock; the others open the new. */
static bool
renew_file(struct greylist *greylist, struct err *err)
{
	int lock;
	bool good;

	db_close(&greylist->db);
	if (db_lock(&greylist->db, &lock, err) < 0)
		return false;
	good = db_set_aside(&greylist->db, err) == 0 &&
	       open_file(greylist, err);
	(void)close(lock);
	return good;
}

/* --- statements ----------------------------------------------------------- */

struct key {
	const char *network, *triple;
};

/* Bind what the statement has of ?1 and ?2. */
static sqlite3_stmt *
prepare(struct db *db, const char *sql, const struct key *key)
{
	sqlite3_stmt *stmt = db_prepare(db, sql);
	int n = stmt == NULL ? 0 : sqlite3_bind_parameter_count(stmt);

	if (n >= 1)
		(void)db_bind_text(db, stmt, 1, key->network);
	if (n >= 2)
		(void)db_bind_text(db, stmt, 2, key->triple);
	return stmt;
}

/* Up to three numbers of its row; none: they stay. */
static void
look(struct db *db, const char *sql, const struct key *key, int64_t ret[3])
{
	sqlite3_stmt *stmt = prepare(db, sql, key);
	int rc = stmt == NULL ? SQLITE_DONE : sqlite3_step(stmt);

	if (db_check(db, rc) && rc == SQLITE_ROW)
		for (int i = 0; i < sqlite3_column_count(stmt); i++)
			ret[i] = sqlite3_column_int64(stmt, i);
	(void)sqlite3_finalize(stmt);
}

/* And numbers, as many as it has from ?3 on. */
static void
put(struct db *db, const char *sql, const struct key *key, int64_t a, int64_t b,
    int64_t c)
{
	const int64_t numbers[3] = {a, b, c};
	sqlite3_stmt *stmt = prepare(db, sql, key);
	int n = stmt == NULL ? 0 : sqlite3_bind_parameter_count(stmt);

	for (int i = 0; i < 3 && i + 3 <= n; i++)
		(void)db_bind_number(db, stmt, i + 3, numbers[i]);
	if (stmt != NULL)
		(void)db_check(db, sqlite3_step(stmt));
	(void)sqlite3_finalize(stmt);
}

static void
forget(struct db *db, const char *sql, int64_t before)
{
	int64_t none;

	(void)db_ask(db, sql, before, &none);
}

static void
tidy(struct greylist *greylist, int64_t now)
{
	const struct config_greylist *config = greylist->config;
	struct db *db = &greylist->db;

	if (now >= greylist->tidied && now - greylist->tidied < TIDY_S)
		return;
	greylist->tidied = now;
	forget(db, forget_sql, now - config->window);
	forget(db, forget_passed_sql, now - config->keep);
	forget(db, forget_networks_sql, now - config->keep);
	(void)db_ask(db, rows_sql, 0, &greylist->rows);
}

/* --- asking --------------------------------------------------------------- */

static bool
is_known_network(struct greylist *greylist, const struct key *key, int64_t now)
{
	int64_t seen[3] = {0, 0, 0}; /* passes, last */
	const struct config_greylist *config = greylist->config;

	if (config->allow_after == 0)
		return false;
	look(&greylist->db, network_sql, key, seen);
	if (seen[0] < config->allow_after || now - seen[1] > config->keep)
		return false;
	/* Once a day is often enough to know that it still comes. */
	if (now - seen[1] > 86400)
		put(&greylist->db, count_sql, key, 0, now, 0);
	return true;
}

/* False: to be put off, *ret_wait seconds. */
static bool
ask(struct greylist *greylist, const struct key *key, int64_t now,
    int64_t *ret_wait)
{
	struct db *db = &greylist->db;
	int64_t seen[3] = {0, 0, 0}; /* first, last, passed */
	struct grey_row row;

	tidy(greylist, now);
	if (is_known_network(greylist, key, now))
		return true;
	look(db, triple_sql, key, seen);
	row = (struct grey_row){seen[0], seen[1], seen[2] != 0};
	switch (greylist_judge(greylist->config, &row, now, ret_wait)) {
	case GREY_NEW:
		/* With no room left nobody could ever pass. */
		if (row.first == 0 && greylist->rows >= greylist->config->rows)
			return true;
		greylist->rows += row.first == 0;
		put(db, put_sql, key, now, now, 0);
		return false;
	case GREY_EARLY:
		return false;
	case GREY_PASS:
		break;
	}
	if (!row.passed)
		put(db, count_sql, key, 1, now, 0);
	if (!row.passed || now - row.last > 86400)
		put(db, put_sql, key, row.first, now, 1);
	return true;
}

static bool
make_key(const char *sender, const char *recipient, char to[KEY_SIZE])
{
	int n = snprintf(to, KEY_SIZE, "%s>%s", sender, recipient);

	text_fold(to);
	return n > 0 && n < KEY_SIZE;
}

static bool
is_ready(struct greylist *greylist, int64_t now, struct err *err)
{
	if (greylist->db.sqlite != NULL && greylist->db.rc == SQLITE_OK)
		return true;
	if (greylist->broken != 0 && now - greylist->broken < RETRY_S)
		return false;
	db_close(&greylist->db);
	greylist->db.rc = SQLITE_OK;
	if (open_file(greylist, err) ||
	    (db_is_damaged(greylist->db.rc) && renew_file(greylist, err)))
		return true;
	greylist->broken = now;
	if (greylist->db.rc != SQLITE_OK)
		(void)db_fail(&greylist->db, err);
	db_close(&greylist->db);
	return false;
}

int
greylist_ask(struct greylist *greylist, const char *client, const char *sender,
    const char *recipient, int64_t now, struct err *err)
{
	char network[64], triple[KEY_SIZE];
	struct key key = {network, triple};
	int64_t wait = 0;
	bool pass;

	*err = (struct err){0};
	refill(greylist);
	if (!greylist_network(client, network) ||
	    !make_key(sender, recipient, triple) ||
	    !is_ready(greylist, now, err))
		return 0;
	pass = ask(greylist, &key, now, &wait);
	if (greylist->db.rc != SQLITE_OK) {
		greylist->broken = now;
		(void)db_fail(&greylist->db, err);
		if ((greylist->db.rc & 0xff) == SQLITE_BUSY)
			greylist->db.rc = SQLITE_OK;
		return 0;
	}
	if (pass)
		return 0;
	return err_set(err, ERR_TEMP, "4.7.1",
	    "greylisted, try again in %lld seconds", (long long)wait);
}
