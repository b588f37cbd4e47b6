/* SPDX-License-Identifier: MIT */
/*
 * What the engine wants done: each action is carried out here. OPEN and WRITE are tried at once, and wait only if the
 * pipe makes them.
 */
#include <assert.h>
#include <string.h>

#include "state.h"

/* A batch goes to the system as it is. */
static_assert(sizeof(npj_iov) == sizeof(struct iovec), "npj_iov is laid out as struct iovec");
static_assert(offsetof(npj_iov, base) == offsetof(struct iovec, iov_base), "npj_iov is laid out as struct iovec");
static_assert(offsetof(npj_iov, length) == offsetof(struct iovec, iov_len), "npj_iov is laid out as struct iovec");

/* Of a pipe that is not there, and of one that is full: this often, or more. */
enum { TRY_AGAIN_MS = 20, LOOK_AGAIN_MS = 500 };

static void on_try_again(uv_timer_t *timer);

static void on_closed(uv_handle_t *handle)
{
    npjpi_job_let_go(handle->data);
}

static void tell_of_pipe(npjp_job *job)
{
    npjp_job_tell(job, job->pipe.step, job->pipe.error != 0 ? strerror(job->pipe.error) : "");
}

/* The operation is the engine's again. */
static npj_op take_back(npjp_job *job)
{
    npj_op op = job->op;
    job->op = 0;
    return op;
}

/* ---------------------------------------------------------------------------------------------- OPEN */

static void finish_open(npjp_job *job, npj_status status)
{
    job->report.opened = status == NPJ_STATUS_SUCCESS;
    (void)npj_opened(npjpi_call(job->host), take_back(job), status, job->asked.mode);
}

/* The pipe, or room in the system for one more descriptor. */
static bool may_come(npj_status status)
{
    return status == NPJ_STATUS_OBJECT_NAME_NOT_FOUND || status == NPJ_STATUS_PIPE_NOT_AVAILABLE ||
           status == NPJ_STATUS_PIPE_BUSY || status == NPJ_STATUS_INSUFFICIENT_RESOURCES;
}

/* The handle is open as long as the pipe is. */
static npj_status watch(npjp_job *job)
{
    int error = uv_poll_init(job->host->loop, &job->writable, job->pipe.fd);
    if (error == 0) {
        job->writable.data = job;
        npjpi_job_hold(job);
        return NPJ_STATUS_SUCCESS;
    }
    (void)npjpi_pipe_close(&job->pipe, false);
    job->pipe.step = "poll";
    job->pipe.error = -error;
    return NPJ_STATUS_INSUFFICIENT_RESOURCES;
}

static void try_open(npjp_job *job)
{
    npjpi_job_untell(job, job->try_from, job->try_to);
    job->try_from = strlen(job->trouble);
    npj_status status = npjpi_pipe_open(&job->pipe, job->path, job->asked.mode, job->host->max_write_bytes);
    bool waits = job->asked.wait_for_pipe && may_come(status);
    if (status == NPJ_STATUS_SUCCESS)
        status = watch(job);
    if (status != NPJ_STATUS_SUCCESS)
        tell_of_pipe(job);
    job->try_to = strlen(job->trouble);
    if (waits) /* a reader that has met us already is not tried again */
        uv_timer_start(&job->again, on_try_again, TRY_AGAIN_MS, 0);
    else
        finish_open(job, status);
}

static void on_try_again(uv_timer_t *timer)
{
    try_open(timer->data);
}

/* ---------------------------------------------------------------------------------------------- WRITE */

static void finish_write(npjp_job *job, npj_status status, uint64_t taken)
{
    if (status != NPJ_STATUS_SUCCESS && status != NPJ_STATUS_CANCELLED)
        tell_of_pipe(job);
    job->report.bytes += taken;
    job->report.pipe_writes = job->pipe.writes;
    (void)npj_written(npjpi_call(job->host), take_back(job), status, taken);
}

static void stop_waiting(npjp_job *job)
{
    uv_poll_stop(&job->writable);
    uv_timer_stop(&job->again);
}

/* Says whether the pipe is still full. */
static bool write_again(npjp_job *job)
{
    uint64_t taken = 0;
    npj_status status = npjpi_pipe_write(&job->pipe, job->iov, job->iov_count, job->iov_bytes, &taken);
    if (status == NPJ_STATUS_PENDING)
        return true;
    stop_waiting(job);
    finish_write(job, status, taken);
    return false;
}

static void on_writable(uv_poll_t *handle, int status, int events)
{
    (void)events;
    if (write_again(handle->data) && status < 0) /* libuv has stopped watching: a FIFO's reader went, another came */
        uv_poll_start(handle, UV_WRITABLE, on_writable);
}

static void on_look_again(uv_timer_t *timer)
{
    (void)write_again(timer->data);
}

/* Linux says that a socket is writable when three quarters of its buffer are free, and takes bytes long before: a
 * reader that is slow, but reads, must not be taken for one that stands still. So it is tried, the last time at the end
 * of the time in which the reader must have read something. */
static void wait_for_room(npjp_job *job)
{
    const uint64_t stall = job->host->stall_timeout, every = stall / (1 + (stall - 1) / LOOK_AGAIN_MS);
    uv_poll_start(&job->writable, UV_WRITABLE, on_writable);
    if (job->pipe.is_socket)
        uv_timer_start(&job->again, on_look_again, every, every);
}

static void start_write(npjp_job *job, const npj_action *action)
{
    uint64_t taken = 0;
    const struct iovec *iov = (const struct iovec *)action->iov;
    npj_status status = npjpi_pipe_write(&job->pipe, iov, action->iov_count, action->count, &taken);
    if (status != NPJ_STATUS_PENDING) {
        finish_write(job, status, taken);
        return;
    }
    memcpy(job->iov, iov, action->iov_count * sizeof *iov);
    job->iov_count = action->iov_count;
    job->iov_bytes = action->count;
    wait_for_room(job);
}

/* ---------------------------------------------------------------------------------------------- CLOSE_PIPE */

static npj_status close_pipe(npjp_job *job, bool whole)
{
    uv_close((uv_handle_t *)&job->writable, on_closed);
    return npjpi_pipe_close(&job->pipe, whole);
}

static void finish_close(npjp_job *job, const npj_action *action)
{
    npj_status status = close_pipe(job, action->status == NPJ_STATUS_SUCCESS);
    if (status != NPJ_STATUS_SUCCESS)
        tell_of_pipe(job);
    (void)npj_done(npjpi_call(job->host), action->op, status);
}

void npjpi_pipe_start(npjp_job *job)
{
    job->pipe = NPJPI_PIPE_CLOSED;
    uv_timer_init(job->host->loop, &job->again);
    job->again.data = job;
    npjpi_job_hold(job);
}

void npjpi_pipe_stop(npjp_job *job)
{
    if (job->pipe.fd >= 0)
        (void)close_pipe(job, false);
    uv_close((uv_handle_t *)&job->again, on_closed);
}

/* ---------------------------------------------------------------------------------------------- all of them */

static void take_over(npjp_job *job, const npj_action *action)
{
    job->op = action->op;
    job->op_kind = action->kind;
}

/* What waits for the pipe comes back at once; what the provider has, when the provider answers. */
static void cancel(npjp_job *job)
{
    const npjp_provider_calls *provider = job->asked.provider;
    switch (job->op_kind) {
    case NPJ_OPEN:
        uv_timer_stop(&job->again);
        finish_open(job, NPJ_STATUS_CANCELLED);
        break;
    case NPJ_WRITE:
        stop_waiting(job);
        finish_write(job, NPJ_STATUS_CANCELLED, 0);
        break;
    default:
        if (provider->cancel != NULL)
            provider->cancel(job->asked.provider_user, job, job->op);
        break;
    }
}

static void ask_provider(npjp_job *job, const npj_action *action)
{
    const npjp_provider_calls *provider = job->asked.provider;
    void *user = job->asked.provider_user;
    if (action->kind == NPJ_ADD_JOB) {
        provider->add_job(user, job, action->op);
    } else if (action->kind == NPJ_SCHEDULE_JOB) {
        provider->schedule_job(user, job, action->op, action->job_id);
    } else {
        job->report.abandoned = true;
        provider->abandon_job(user, job, action->op, action->job_id, action->status);
    }
}

/* The client may free the host from here. */
static void tell_client(npjp_job *job, const npj_action *action)
{
    const npjp_job_calls *calls = job->asked.calls;
    void *user = job->asked.user;
    if (action->kind == NPJ_REPLY && calls->reply != NULL)
        calls->reply(job, user, action);
    else if (action->kind == NPJ_RETURN && calls->returned != NULL)
        calls->returned(job, user, action->tag);
    else if (action->kind == NPJ_RESUME && calls->resume != NULL)
        calls->resume(job, user);
}

void npjpi_carry_out(const npj_action *action)
{
    npjp_job *job = (npjp_job *)(uintptr_t)action->cookie;
    switch (action->kind) {
    case NPJ_ADD_JOB:
    case NPJ_SCHEDULE_JOB:
    case NPJ_ABANDON_JOB:
        take_over(job, action);
        ask_provider(job, action);
        break;
    case NPJ_OPEN:
        take_over(job, action);
        try_open(job);
        break;
    case NPJ_WRITE:
        take_over(job, action);
        start_write(job, action);
        break;
    case NPJ_CLOSE_PIPE:
        finish_close(job, action);
        break;
    case NPJ_CANCEL:
        cancel(job);
        break;
    default:
        tell_client(job, action);
        break;
    }
}
