#include "mta/net/process.h"

#include "base/mem.h"
#include "mta/net/uvloop.h"

#define STDIO_MAX 64

struct process {
	uv_process_t uv;
	const struct process_ops *ops;
	void *owner;
};

static void
on_exit_uv(uv_process_t *uv, int64_t status, int signum)
{
	struct process *process = uv->data;

	if (process->owner != NULL)
		process->ops->on_exit(process->owner, status, signum);
}

static void
on_closed(uv_handle_t *handle)
{
	mem_free(handle->data);
}

int
process_start(struct loop *loop, const struct process_setup *setup,
    const struct process_ops *ops, void *owner, struct process **ret,
    struct err *err)
{
	uv_stdio_container_t stdio[STDIO_MAX] = {
	    {.flags = UV_IGNORE},
	    {.flags = UV_INHERIT_FD, .data.fd = 2},
	    {.flags = UV_INHERIT_FD, .data.fd = 2},
	};
	uv_process_options_t options = {.exit_cb = on_exit_uv};
	struct process *process;
	int rc;

	if (setup->nfds + 3 > STDIO_MAX)
		return err_set(
		    err, ERR_PERM, "4.3.5", "too many addresses to listen on");
	for (size_t i = 0; i < setup->nfds; i++) {
		stdio[i + 3].flags = UV_INHERIT_FD;
		stdio[i + 3].data.fd = setup->fds[i];
	}
	options.file = setup->file;
	options.args = (char **)(uintptr_t)setup->argv;
	options.stdio = stdio;
	options.stdio_count = (int)(setup->nfds + 3);
	if (setup->uid != 0) {
		options.flags = UV_PROCESS_SETUID | UV_PROCESS_SETGID;
		options.uid = setup->uid;
		options.gid = setup->gid;
	}
	process = mem_new(sizeof(*process));
	process->uv.data = process;
	process->ops = ops;
	process->owner = owner;
	rc = uv_spawn(&loop->uv, &process->uv, &options);
	if (rc < 0) {
		process->owner = NULL;
		uv_close((uv_handle_t *)&process->uv, on_closed);
		return err_set(err, ERR_TEMP, "4.3.0", "cannot start %s: %s",
		    setup->file, uv_strerror(rc));
	}
	*ret = process;
	return 0;
}

pid_t
process_pid(const struct process *process)
{
	return process->uv.pid;
}

void
process_kill(struct process *process, int signum)
{
	(void)uv_process_kill(&process->uv, signum);
}

void
process_free(struct process **processp)
{
	struct process *process = *processp;

	*processp = NULL;
	if (process == NULL)
		return;
	process->owner = NULL;
	uv_close((uv_handle_t *)&process->uv, on_closed);
}
