/* SPDX-License-Identifier: MIT */
/**
 * @file
 * What a host and its jobs are made of.
 *
 *     turn.c       when: the clock, and the turn of the loop in which the engine's actions are carried out
 *     host.c       a host's beginning, stop and end
 *     job.c        a job's beginning and end, and what its client may ask
 *     operation.c  OPEN, WRITE, CLOSE_PIPE and CANCEL
 *     answer.c     what a provider answers
 *     pipe.c       a named pipe of the system
 *     provider.c   the provider that is made of commands, over
 *     command.c    one run of a command, and
 *     words.c      command lines
 *     text.c       text from strangers, made fit to be printed
 */
#ifndef NPJOB_POSIX_STATE_H
#define NPJOB_POSIX_STATE_H

#include <limits.h>

#include "npjob-posix/host.h"
#include "pipe.h"

struct npjp_host {
    npj_srv *srv; /* NULL: the host was freed, and lives on only until libuv has let go of its handles */
    uv_loop_t *loop;
    npj_mem mem;
    void (*stopped)(npjp_host *host, void *user);
    void *user;
    void (*trace)(void *user, const npj_trace *trace); /* the user's */
    void *trace_user;
    uint32_t max_batch;
    uint32_t max_write_bytes;
    uint64_t stall_timeout;

    uv_idle_t turn;       /* active while there may be something to carry out: the loop then does not sleep */
    uv_timer_t deadline;  /* the engine's earliest */
    uint64_t armed;       /* the time that it is set to, or NPJ_NEVER */
    uint64_t stood_still; /* ms: how far the engine's time is behind */
    uint64_t put_off;     /* the last deadline that was, because of that */
    uint64_t looked;      /* deadlines up to this time have waited for a turn */
    bool idle;            /* the engine has said IDLE, and nobody was told */
    npjp_job *jobs;       /* all */
    npjp_job *gone;       /* of these, those that the engine has ended, and whose client was not told; oldest first */
    npjp_job **gone_end;
    size_t holders; /* jobs, handles, and a turn in progress: who looks at this memory */
};

struct npjp_job {
    npjp_host *host;
    npjp_job *next, **link; /* of all jobs of the host */
    npjp_job *next_gone;
    npjp_job_options asked; /* its strings stand behind the struct */
    npj_job handle;

    npj_op op; /* in our hands, or the provider's; 0: none */
    npj_action_kind op_kind;
    npjpi_pipe pipe;
    uv_timer_t again;   /* for another try of OPEN, or of a WRITE to a socket that was full */
    uv_poll_t writable; /* for a pipe that was full; a handle of libuv as long as the pipe is open */
    struct iovec *iov; /* of the WRITE that waits, room for max_batch: the engine's array lives only until npj_next() */
    uint32_t iov_count;
    uint64_t iov_bytes;

    void *kept; /* the provider's */
    npjp_job_report report;
    char trouble[NPJP_TROUBLE_MAX];
    size_t try_from, try_to; /* of the trouble: what the last try of OPEN has said */
    char path[PATH_MAX];
    size_t holders; /* handles, and the job itself until its end: who looks at this memory */
    size_t bytes;   /* of this block */
};

/* turn.c */
npj_srv *npjpi_call(npjp_host *host);                 /* begins a call on the engine: the time first, then a turn */
void npjpi_trace(void *user, const npj_trace *trace); /* the engine's trace: notices the jobs that end */
void npjpi_turn_start(npjp_host *host);               /* sets up the handles */
void npjpi_turn_stop(npjp_host *host);                /* closes them */

/* host.c */
bool npjpi_mem_settle(npj_mem *mem); /* puts malloc() where there is no allocator; false for half an allocator */
void npjpi_host_hold(npjp_host *host);
void npjpi_host_let_go(npjp_host *host); /* the last one releases it */

/* job.c */
void npjpi_job_untell(npjp_job *job, size_t from, size_t to); /* takes back this part of the trouble */
void npjpi_job_end(npjp_job *job);                            /* closes what is open, and ends the provider's part */
void npjpi_job_hold(npjp_job *job);
void npjpi_job_let_go(npjp_job *job); /* the last one releases it */

/* operation.c */
void npjpi_carry_out(const npj_action *action); /* of a job: any but IDLE */
void npjpi_pipe_start(npjp_job *job);           /* sets up a new job's part */
void npjpi_pipe_stop(npjp_job *job);            /* closes what is open, and completes nothing */

#endif
