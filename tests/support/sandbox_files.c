#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/support/sandbox_try.h"

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

char try_root[] = "/tmp/danelaw-sandbox-XXXXXX";

const char *
try_at(const char *name)
{
	static char path[512];

	(void)snprintf(path, sizeof(path), "%s/%s", try_root, name);
	return path;
}

/* --- what is there -------------------------------------------------------- */

static void
touch(const char *name)
{
	int fd = open(try_at(name), O_RDWR | O_CREAT, 0600);

	if (fd >= 0)
		(void)close(fd);
}

void
try_make_files(void)
{
	static const char *const folders[] = {"spool", "spool/segment",
	    "spool/large", "spool/journal", "spool/history", "spool/state",
	    "spool/drop", "spool/drop-bad", "mail", "mail/there",
	    "mail/there/tmp", "mail/there/new", "etc", "ca", "anchor", "later"};
	static const char *const there[] = {"spool/segment/1",
	    "spool/segment/3", "spool/journal/1", "spool/queue.lock",
	    "spool/drop/1", "spool/drop/2", "mail/there/tmp/1", "etc/key.pem",
	    "ca/ca.pem", "anchor/root.key"};
	static const char *const gone[] = {"spool/segment/2", "spool/large/2",
	    "spool/journal/2", "spool/history/2", "spool/state/2", "spool/new",
	    "spool/drop-bad/1", "spool/drop-bad/link", "mail/there/new/1",
	    "spool/state/folder", "mail/user", "later/mail", "ca/new.pem"};

	for (size_t i = 0; i < COUNT(folders); i++)
		(void)mkdir(try_at(folders[i]), 0700);
	for (size_t i = 0; i < COUNT(gone); i++)
		(void)remove(try_at(gone[i]));
	for (size_t i = 0; i < COUNT(there); i++)
		touch(there[i]);
	if (symlink("/", try_at("spool/drop/link")) < 0)
		errno = 0; /* it is there */
	(void)mkdir(try_at("spool/drop/folder"), 0700);
}

void
try_replace_file(void)
{
	touch("ca/new.pem");
}

/* --- files: -1 and errno, or done ----------------------------------------- */

static long
reads(const char *path)
{
	return open(path, O_RDONLY);
}

static long
makes(const char *name)
{
	return open(try_at(name), O_RDWR | O_CREAT, 0600);
}

static long
reads_accounts(void)
{
	return reads("/etc/passwd");
}

static long
writes_accounts(void)
{
	return open("/etc/passwd", O_WRONLY | O_APPEND);
}

static long
lists_the_root(void)
{
	return open("/", O_RDONLY | O_DIRECTORY);
}

static long
reads_a_key(void)
{
	return reads(try_at("etc/key.pem"));
}

static long
reads_the_authorities(void)
{
	return reads(try_at("ca/ca.pem"));
}

static long
reads_new_authorities(void)
{
	return reads(try_at("ca/new.pem"));
}

static long
reads_the_anchor(void)
{
	return reads(try_at("anchor/root.key"));
}

static long
reads_a_segment(void)
{
	return reads(try_at("spool/segment/1"));
}

static long
makes_a_segment(void)
{
	return makes("spool/segment/2");
}

static long
cuts_a_segment(void)
{
	return truncate(try_at("spool/segment/1"), 0);
}

static long
removes_a_segment(void)
{
	return unlink(try_at("spool/segment/3"));
}

static long
makes_a_large_file(void)
{
	return makes("spool/large/2");
}

/* For filters, until they have spoken: a file without a name. */
static long
keeps_a_message(void)
{
	return open(try_at("spool/large"), O_TMPFILE | O_RDWR, 0600);
}

static long
makes_a_journal(void)
{
	return makes("spool/journal/2");
}

static long
reads_the_journal(void)
{
	return reads(try_at("spool/journal/1"));
}

static long
makes_a_history(void)
{
	return makes("spool/history/2");
}

static long
opens_the_lock(void)
{
	return open(try_at("spool/queue.lock"), O_RDWR);
}

static long
makes_a_file_in_the_spool(void)
{
	return makes("spool/new");
}

static long
makes_a_state(void)
{
	return makes("spool/state/2");
}

static long
makes_a_folder_in_the_state(void)
{
	return mkdir(try_at("spool/state/folder"), 0700);
}

static long
makes_a_folder_in_segments(void)
{
	return mkdir(try_at("spool/segment/folder"), 0700);
}

static long
takes_a_drop(void)
{
	return unlink(try_at("spool/drop/2"));
}

static long
sets_a_drop_aside(void)
{
	char to[512];

	(void)snprintf(to, sizeof(to), "%s", try_at("spool/drop-bad/1"));
	return rename(try_at("spool/drop/1"), to);
}

static long
sets_a_link_aside(void)
{
	char to[512];

	(void)snprintf(to, sizeof(to), "%s", try_at("spool/drop-bad/link"));
	return rename(try_at("spool/drop/link"), to);
}

static long
removes_a_folder(void)
{
	return rmdir(try_at("spool/drop/folder"));
}

static long
makes_a_mailbox(void)
{
	return mkdir(try_at("mail/user"), 0700);
}

static long
delivers(void)
{
	char to[512];

	(void)snprintf(to, sizeof(to), "%s", try_at("mail/there/new/1"));
	return rename(try_at("mail/there/tmp/1"), to);
}

/* One that was not there when it began. */
static long
makes_a_folder_for_mail(void)
{
	return mkdir(try_at("later/mail"), 0700);
}

static long
makes_a_link(void)
{
	return symlink("/etc/passwd", try_at("spool/state/link"));
}

static long
makes_a_fifo(void)
{
	return mkfifo(try_at("spool/segment/fifo"), 0600);
}

static long
gives_away(void)
{
	return chown(try_at("spool/segment/1"), 1, 1);
}

const struct attempt sandbox_files[] = {
    {"reads accounts", reads_accounts, {NO, NO, NO, NO, NO, OK, NO}, 2},
    {"writes accounts", writes_accounts, {NO, NO, NO, NO, NO, UNTRIED, NO}, 2},
    {"lists the root", lists_the_root, {NO, NO, NO, NO, NO, UNTRIED, NO}, 2},
    {"reads a key", reads_a_key, {NO, NO, NO, NO, NO, OK, NO}, 2},
    {"reads the authorities", reads_the_authorities,
	{NO, NO, OK, OK, NO, UNTRIED, OK}, 2},
    {"reads new authorities", reads_new_authorities,
	{NO, NO, OK, OK, NO, UNTRIED, OK}, 2},
    {"reads the anchor", reads_the_anchor, {NO, NO, OK, OK, NO, UNTRIED, OK},
	2},
    {"reads a segment", reads_a_segment, {OK, OK, OK, OK, NO, UNTRIED, NO}, 2},
    {"makes a segment", makes_a_segment, {OK, OK, NO, OK, NO, UNTRIED, NO}, 2},
    {"removes a segment", removes_a_segment, {OK, OK, NO, OK, NO, UNTRIED, NO},
	2},
    {"cuts a segment", cuts_a_segment, {NO, NO, NO, NO, NO, UNTRIED, NO}, 0},
    {"makes a large file", makes_a_large_file,
	{OK, OK, NO, OK, NO, UNTRIED, NO}, 2},
    {"keeps a message", keeps_a_message, {OK, OK, NO, OK, NO, UNTRIED, NO}, 2},
    {"makes a journal", makes_a_journal, {NO, OK, NO, NO, NO, UNTRIED, NO}, 2},
    {"reads the journal", reads_the_journal, {NO, OK, NO, NO, NO, UNTRIED, NO},
	2},
    {"makes a history", makes_a_history, {NO, OK, NO, NO, NO, UNTRIED, NO}, 2},
    {"opens the lock", opens_the_lock, {NO, OK, NO, NO, NO, UNTRIED, NO}, 2},
    {"makes a file in the spool", makes_a_file_in_the_spool,
	{NO, NO, NO, NO, NO, UNTRIED, NO}, 2},
    {"makes a state", makes_a_state, {NO, NO, OK, OK, NO, UNTRIED, OK}, 2},
    {"makes a folder in the state", makes_a_folder_in_the_state,
	{NO, NO, OK, OK, NO, UNTRIED, OK}, 2},
    {"makes a folder in segments", makes_a_folder_in_segments,
	{NO, NO, NO, NO, NO, UNTRIED, NO}, 2},
    {"takes a drop", takes_a_drop, {OK, NO, NO, NO, NO, UNTRIED, NO}, 2},
    {"sets a drop aside", sets_a_drop_aside, {OK, NO, NO, NO, NO, UNTRIED, NO},
	2},
    {"sets a link aside", sets_a_link_aside, {OK, NO, NO, NO, NO, UNTRIED, NO},
	2},
    {"removes a folder", removes_a_folder, {OK, NO, NO, NO, NO, UNTRIED, NO},
	2},
    {"makes a mailbox", makes_a_mailbox, {NO, NO, OK, NO, NO, UNTRIED, NO}, 2},
    {"delivers", delivers, {NO, NO, OK, NO, NO, UNTRIED, NO}, 2},
    {"makes a folder for mail", makes_a_folder_for_mail,
	{NO, NO, OK, NO, NO, UNTRIED, NO}, 2},
    {"makes a link", makes_a_link, {NO, NO, NO, NO, NO, NO, NO}, 0},
    {"makes a fifo", makes_a_fifo, {NO, NO, NO, NO, NO, UNTRIED, NO}, 0},
    {"gives away", gives_away, {NO, NO, NO, NO, NO, UNTRIED, NO}, 0},
    {NULL, NULL, {NO}, 0},
};
