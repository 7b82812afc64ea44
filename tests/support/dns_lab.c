#include "tests/support/dns_lab.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/tree.h"

static void
run_child(const struct dns_lab *lab, int in, int out)
{
	const char *root = getenv("DANELAW_ROOT");
	char script[512];

	(void)snprintf(script, sizeof(script),
	    "%s/tests/support/signed_tree.py", root != NULL ? root : ".");
	(void)dup2(in, STDIN_FILENO);
	(void)dup2(out, STDOUT_FILENO);
	(void)execl(
	    "/usr/bin/python3", "python3", script, lab->folder, (char *)NULL);
	_exit(127);
}

static void
add_zone(struct dns_lab *lab, const char *name)
{
	if (lab->nzones == DNS_LAB_ZONES)
		return;
	(void)snprintf(
	    lab->names[lab->nzones], sizeof(lab->names[0]), "%.63s", name);
	lab->zones[lab->nzones].name = lab->names[lab->nzones];
	lab->zones[lab->nzones].servers = lab->servers;
	lab->nzones++;
}

static void
take_line(struct dns_lab *lab, const char *key, const char *value)
{
	if (strcmp(key, "port") == 0)
		(void)snprintf(
		    lab->server, sizeof(lab->server), "127.0.0.1@%.16s", value);
	else if (strcmp(key, "anchor") == 0)
		(void)snprintf(
		    lab->anchor, sizeof(lab->anchor), "%.127s", value);
	else if (strcmp(key, "zone") == 0)
		add_zone(lab, value);
	else if (strcmp(key, "skip") == 0)
		(void)snprintf(lab->why, sizeof(lab->why), "%.127s", value);
}

/* "KEY VALUE" lines up to "ready". */
static bool
read_lines(struct dns_lab *lab, FILE *from)
{
	char line[256];
	char *value;

	lab->servers[0] = lab->server;
	while (fgets(line, sizeof(line), from) != NULL) {
		line[strcspn(line, "\n")] = '\0';
		if (strcmp(line, "ready") == 0)
			return true;
		value = strchr(line, ' ');
		if (value == NULL)
			break;
		*value++ = '\0';
		take_line(lab, line, value);
	}
	return false;
}

bool
dns_lab_start(struct dns_lab *lab)
{
	int to_child[2];
	int from_child[2];
	FILE *from;
	bool ready;

	*lab = (struct dns_lab){
	    .folder = "/tmp/danelaw-dns-XXXXXX", .input = -1};
	if (mkdtemp(lab->folder) == NULL || pipe2(to_child, O_CLOEXEC) < 0 ||
	    pipe2(from_child, O_CLOEXEC) < 0)
		return false;
	lab->pid = fork();
	if (lab->pid == 0)
		run_child(lab, to_child[0], from_child[1]);
	(void)close(to_child[0]);
	(void)close(from_child[1]);
	lab->input = to_child[1];
	from = fdopen(from_child[0], "r");
	ready = from != NULL && read_lines(lab, from);
	if (from != NULL)
		(void)fclose(from);
	if (!ready)
		dns_lab_stop(lab);
	return ready;
}

void
dns_lab_stop(struct dns_lab *lab)
{
	if (lab->input >= 0)
		(void)close(lab->input);
	lab->input = -1;
	if (lab->pid > 0)
		(void)waitpid(lab->pid, NULL, 0);
	lab->pid = 0;
	if (lab->folder[0] != '\0')
		(void)tree_remove(lab->folder);
	lab->folder[0] = '\0';
}

int
dns_lab_silence(unsigned *ret_port)
{
	struct sockaddr_in name = {.sin_family = AF_INET};
	socklen_t n = sizeof(name);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd < 0 ||
	    bind(fd, (const struct sockaddr *)&name, sizeof(name)) < 0 ||
	    getsockname(fd, (struct sockaddr *)&name, &n) < 0)
		return -1;
	*ret_port = ntohs(name.sin_port);
	return fd;
}
