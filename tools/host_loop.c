/* SPDX-License-Identifier: MIT */
/* A host's loop: the engine's actions carried out on POSIX with libuv. */
#define _GNU_SOURCE
#include "host_loop.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

/* A batch goes to the system as it is. */
static_assert(sizeof(npj_iov) == sizeof(struct iovec), "npj_iov is laid out as struct iovec");
static_assert(offsetof(npj_iov, base) == offsetof(struct iovec, iov_base), "npj_iov is laid out as struct iovec");
static_assert(offsetof(npj_iov, length) == offsetof(struct iovec, iov_len), "npj_iov is laid out as struct iovec");

enum { TRY_AGAIN_MS = 20 };

static void on_writable(uv_poll_t *handle, int status, int events);
static void on_try_again(uv_timer_t *timer);

/* ---------------------------------------------------------------------------------------------- OPEN */

static void finish_open(host_job *job, npj_status status)
{
    npj_op op = job->op;
    job->op = 0;
    (void)npj_opened(job->loop->srv, op, status, job->mode);
}

static bool may_come(npj_status status)
{
    return status == NPJ_STATUS_OBJECT_NAME_NOT_FOUND || status == NPJ_STATUS_PIPE_NOT_AVAILABLE ||
           status == NPJ_STATUS_PIPE_BUSY;
}

static void try_open(host_job *job)
{
    npj_status status = host_pipe_open(&job->pipe, job->path, job->mode, job->longest);
    if (job->wait_for_pipe && may_come(status)) {
        uv_timer_start(&job->again, on_try_again, TRY_AGAIN_MS, 0);
        return;
    }
    if (status == NPJ_STATUS_SUCCESS) {
        int error = uv_poll_init(job->loop->uv, &job->writable, job->pipe.fd);
        job->writable.data = job;
        if (error != 0) {
            (void)host_pipe_close(&job->pipe);
            job->pipe.step = "poll";
            job->pipe.error = -error;
            status = NPJ_STATUS_INSUFFICIENT_RESOURCES;
        }
    }
    finish_open(job, status);
}

static void on_try_again(uv_timer_t *timer)
{
    host_job *job = timer->data;
    host_turn_begin(job->loop);
    try_open(job);
    host_turn_end(job->loop);
}

/* ---------------------------------------------------------------------------------------------- WRITE */

/* The pipe may be full, and a host never reports zero: every WRITE begins by waiting for room. */
static void start_write(host_job *job, const npj_action *action)
{
    memcpy(job->iov, action->iov, action->iov_count * sizeof *job->iov);
    job->iov_count = action->iov_count;
    uv_poll_start(&job->writable, UV_WRITABLE, on_writable);
}

static void finish_write(host_job *job, npj_status status, uint64_t taken)
{
    npj_op op = job->op;
    job->op = 0;
    uv_poll_stop(&job->writable);
    (void)npj_written(job->loop->srv, op, status, taken);
}

static void on_writable(uv_poll_t *handle, int status, int events)
{
    (void)events;
    host_job *job = handle->data;
    uint64_t taken = 0;
    host_turn_begin(job->loop);
    npj_status result = host_pipe_write(&job->pipe, job->iov, job->iov_count, &taken);
    if (result != NPJ_STATUS_PENDING)
        finish_write(job, result, taken);
    else if (status < 0) /* libuv stops watching after an error of the pipe, which the write did not meet */
        uv_poll_start(&job->writable, UV_WRITABLE, on_writable);
    host_turn_end(job->loop);
}

/* --------------------------------------------------------------------------------------------- the other operations */

static void call_add_job(host_job *job, npj_op op)
{
    uint32_t job_id = 0;
    npj_status status = job->calls->add_job(job, &job->path, &job_id);
    npj_path path = {.encoding = NPJ_PATH_OPAQUE, .bytes = job->path, .length = job->path ? strlen(job->path) : 0};
    (void)npj_job_added(job->loop->srv, op, status, &path, job_id);
}

static npj_status close_pipe(host_job *job)
{
    uv_close((uv_handle_t *)&job->writable, NULL);
    return host_pipe_close(&job->pipe);
}

static void on_cancelled(uv_timer_t *timer)
{
    host_job *job = timer->data;
    host_turn_begin(job->loop);
    if (job->op_kind == NPJ_OPEN)
        finish_open(job, NPJ_STATUS_CANCELLED);
    else
        finish_write(job, NPJ_STATUS_CANCELLED, 0);
    host_turn_end(job->loop);
}

/*
 * AddJob and ScheduleJob have returned before anyone could cancel them: what waits is OPEN or WRITE. It comes back in a
 * turn of its own, as any I/O does that is stopped from outside; the answers to the client do not wait for it.
 */
static void cancel(host_job *job, npj_op op)
{
    if (job->op != op)
        return;
    if (job->op_kind == NPJ_WRITE)
        uv_poll_stop(&job->writable);
    uv_timer_start(&job->again, on_cancelled, 0, 0);
}

static void carry_out(host_loop *loop, const npj_action *action)
{
    host_job *job = (host_job *)(uintptr_t)action->cookie;
    switch (action->kind) {
    case NPJ_ADD_JOB:
        call_add_job(job, action->op);
        break;
    case NPJ_OPEN:
        job->op = action->op;
        job->op_kind = NPJ_OPEN;
        try_open(job);
        break;
    case NPJ_WRITE:
        job->op = action->op;
        job->op_kind = NPJ_WRITE;
        start_write(job, action);
        break;
    case NPJ_CLOSE_PIPE:
        (void)npj_done(loop->srv, action->op, close_pipe(job));
        break;
    case NPJ_SCHEDULE_JOB:
        (void)npj_done(loop->srv, action->op, job->calls->schedule_job(job, action->job_id));
        break;
    case NPJ_ABANDON_JOB:
        (void)npj_done(loop->srv, action->op, job->calls->abandon_job(job, action->job_id, action->status));
        break;
    case NPJ_CANCEL:
        cancel(job, action->op);
        break;
    case NPJ_REPLY:
        job->calls->reply(job, action);
        break;
    case NPJ_RETURN:
        job->calls->returned(job, action->tag);
        break;
    case NPJ_RESUME:
        job->calls->resume(job);
        break;
    case NPJ_IDLE:
        loop->idle = true;
        break;
    }
}

/* ---------------------------------------------------------------------------------------------- turns */

static void on_deadline(uv_timer_t *timer)
{
    host_loop *loop = timer->data;
    host_turn_begin(loop);
    host_turn_end(loop);
}

void host_turn_begin(host_loop *loop)
{
    uv_update_time(loop->uv);
    (void)npj_advance(loop->srv, uv_now(loop->uv));
}

void host_turn_end(host_loop *loop)
{
    if (loop->idle)
        return;
    npj_action action;
    while (npj_next(loop->srv, &action))
        carry_out(loop, &action);

    if (loop->idle) {
        uv_close((uv_handle_t *)&loop->deadline, NULL);
        loop->on_idle(loop);
        return;
    }
    uint64_t deadline = npj_deadline(loop->srv);
    uint64_t now = uv_now(loop->uv);
    if (deadline == NPJ_NEVER)
        uv_timer_stop(&loop->deadline);
    else
        uv_timer_start(&loop->deadline, on_deadline, deadline > now ? deadline - now : 0, 0);
}

int host_loop_start(host_loop *loop)
{
    loop->idle = false;
    loop->deadline.data = loop;
    return uv_timer_init(loop->uv, &loop->deadline);
}

int host_job_start(host_job *job)
{
    job->pipe = HOST_PIPE_CLOSED;
    job->op = 0;
    job->path = NULL;
    job->again.data = job;
    return uv_timer_init(job->loop->uv, &job->again);
}

void host_job_end(host_job *job)
{
    uv_close((uv_handle_t *)&job->again, NULL);
}
