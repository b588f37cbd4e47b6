/* SPDX-License-Identifier: MIT */
/**
 * @file
 * A host's loop: the engine's actions carried out on POSIX with libuv.
 *
 * Calls on the engine are made in turns: host_turn_begin() tells it the time, then come the calls, then
 * host_turn_end() carries out what the engine wants done. A callback of libuv is one turn.
 */
#ifndef NPJ_HOST_LOOP_H
#define NPJ_HOST_LOOP_H

#include <stdbool.h>
#include <uv.h>

#include "host_pipe.h"
#include "npjob/npjob.h"

typedef struct host_job host_job;

/** What the loop asks and tells a job's owner: the print provider's part, and the client's. All within a turn. */
typedef struct host_job_calls {
    /** The provider's AddJob. On SUCCESS it has set the two; @p path stays valid until the pipe has been opened. */
    npj_status (*add_job)(host_job *job, const char **path, uint32_t *job_id);
    npj_status (*schedule_job)(host_job *job, uint32_t job_id);
    /** The provider deletes the job, which failed with @p failure. */
    npj_status (*abandon_job)(host_job *job, uint32_t job_id, npj_status failure);

    void (*reply)(host_job *job, const npj_action *reply); /**< the answer to a request */
    void (*returned)(host_job *job, uint64_t tag);         /**< lent bytes come back after their reply */
    void (*resume)(host_job *job);                         /**< writes fit again */
} host_job_calls;

/** One job. The owner sets the first members, and keeps it until the loop has ended. Its address is the cookie. */
struct host_job {
    const host_job_calls *calls;
    void *user;
    npj_pipe_mode mode; /**< what kind of pipe to open */
    bool wait_for_pipe; /**< try again while the pipe is not there, until the connect deadline */
    uint32_t longest;   /**< max_write_bytes */
    struct iovec *iov;  /**< room for max_batch: the engine's array lives only until the next npj_next() */
    struct host_loop *loop;

    host_pipe pipe;
    uint32_t iov_count;
    const char *path;
    npj_op op; /**< OPEN or WRITE in flight, waiting for the pipe; 0: none */
    npj_action_kind op_kind;
    uv_poll_t writable;
    uv_timer_t again; /**< for another OPEN, or to bring back what was cancelled */
};

/** One engine and its loop. */
typedef struct host_loop {
    npj_srv *srv;
    uv_loop_t *uv;
    uv_timer_t deadline;
    bool idle; /**< the engine has said IDLE */
    void (*on_idle)(struct host_loop *loop);
    void *user;
} host_loop;

/** Sets up the timer of @p loop, whose srv, uv, on_idle and user are set. @return 0 or an error of libuv. */
int host_loop_start(host_loop *loop);

/** Sets up a job's own part before its npj_add_job(). @return 0 or an error of libuv. */
int host_job_start(host_job *job);

/** Gives up what host_job_start() set up, once the engine has said IDLE. */
void host_job_end(host_job *job);

/** Opens a turn: the engine learns the time, and fails what is overdue. */
void host_turn_begin(host_loop *loop);

/** Closes a turn: carries out every action, and sets the timer for the next deadline. */
void host_turn_end(host_loop *loop);

#endif
