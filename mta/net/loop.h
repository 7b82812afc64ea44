/*
 * The event loop and what waits on it: timers, signals, watched descriptors,
 * work for the thread pool.  <uv.h> is known in mta/net/ only.
 *
 * The callback contract of the whole folder: callbacks come from the loop,
 * never from inside a call into this folder; after x_free()/x_close() of an
 * object none of its callbacks runs, and the pointer is gone (the memory goes
 * when libuv lets go of the handles).
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

struct loop;
struct timer;
struct watch;
struct work;

typedef void loop_fn(void *arg);

struct loop *loop_new(void);
/* Until loop_stop(), or until nothing is left to wait for. */
void loop_run(struct loop *loop);
/* One turn; waits for something to happen.  For tests. */
void loop_run_once(struct loop *loop);
void loop_stop(struct loop *loop);
/* Runs the last close callbacks; asserts that nothing was leaked. */
void loop_free(struct loop **loop);
/* Milliseconds, monotonic, as of the current turn of the loop. */
uint64_t loop_now(const struct loop *loop);

struct timer *timer_new(struct loop *loop, loop_fn *fn, void *arg);
/*
 * Once, after `ms`; a running timer starts anew.  With 0 soon: from inside of a
 * timer's function not before all else that is there to do had its turn.
 */
void timer_start(struct timer *timer, uint64_t ms);
void timer_stop(struct timer *timer);
bool timer_running(const struct timer *timer);
void timer_free(struct timer **timer);

/* `fn` whenever the descriptor is readable; the descriptor stays yours. */
struct watch *watch_new(struct loop *loop, int fd, loop_fn *fn, void *arg);
/* Instead of "readable": either, both or neither. */
void watch_want(struct watch *watch, bool readable, bool writable);
void watch_free(struct watch **watch);

/* `fn` at each arrival of the signal. */
struct watch *signal_new(struct loop *loop, int signum, loop_fn *fn, void *arg);

/*
 * Run `fn` on the thread pool, then `done` on the loop.  Not cancellable:
 * what `arg` points to must live until `done`.  `fn` may block, and touches
 * nothing but what `arg` points to.
 */
void work_run(struct loop *loop, loop_fn *fn, loop_fn *done, void *arg);
