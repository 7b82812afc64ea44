/* The control socket; private to mta/supervisor/. */
#pragma once
#include <sys/types.h>

#include "base/err.h"
#include "mta/ipc.h"

struct control;
struct supervisor;

int control_open(struct supervisor *sup, const char *path, uid_t uid, gid_t gid,
    struct control **ret, struct err *err);
void control_close(struct control **control);
/* An answer of a role to what control asked it. */
void control_answer(struct control *control, const struct ipc_ask *answer);
/* A role has become ready: it may be the one that somebody waits for. */
void control_ready(struct control *control);
/* A reload begins, ends: those who have asked for it are told how it went. */
void control_reloads(struct control *control);
void control_reloaded(struct control *control);
/* The role that was asked is gone. */
void control_lost(struct control *control, enum role_kind kind);
