/* Private to mta/net/: what a struct loop is made of. */
#pragma once
#include <uv.h>

#include "mta/net/loop.h"

#define LOOP_READ_SIZE 65536

struct loop {
	uv_loop_t uv;
	bool in_timer;             /* a struct timer's function is called */
	char read[LOOP_READ_SIZE]; /* each read ends before the next begins */
};

/* Every stream of the loop reads into the one buffer. */
void loop_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf);
