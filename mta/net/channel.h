/*
 * Typed, length-checked messages between processes, over one end of a UNIX
 * stream socket pair; a message may carry a descriptor.
 *
 * Frame: u32 length of the payload, u16 type, u16 flags (1: a descriptor
 * comes with it), payload.  A frame longer than CHANNEL_MESSAGE_MAX, or a
 * descriptor that is promised and missing, ends the channel.
 */
#pragma once
#include <stdint.h>

#include "base/span.h"

#define CHANNEL_MESSAGE_MAX (4u << 20)

struct channel;
struct loop;

struct channel_ops {
	/* `fd` is -1 or yours.  `payload` is lent for the call. */
	void (*on_message)(
	    void *owner, uint16_t type, struct span payload, int fd);
	/* The other end is gone; once, and nothing after it. */
	void (*on_closed)(void *owner);
};

/* Takes the descriptor. */
struct channel *channel_new(
    struct loop *loop, int fd, const struct channel_ops *ops, void *owner);
/* Copies.  What cannot be sent because the peer is gone is dropped. */
void channel_send(struct channel *channel, uint16_t type, struct span payload);
/* Takes the descriptor, which must be a UNIX stream socket. */
void channel_send_fd(
    struct channel *channel, uint16_t type, struct span payload, int fd);
/* Bytes accepted by channel_send() and not yet by the kernel. */
size_t channel_backlog(const struct channel *channel);
/* What was sent before still goes out as far as the kernel takes it. */
void channel_close(struct channel **channel);
/*
 * All of it goes out, however long the other end takes to read, unless that is
 * gone; nothing is heard from there any more.  loop_free() waits for it.
 */
void channel_finish(struct channel **channel);

/* A fresh pair; both close-on-exec.  -1 with errno set. */
int channel_pair(int fds[2]);
