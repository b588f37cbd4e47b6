/* SPDX-License-Identifier: MIT */
/* Brings real jobs into each state, and presents each event to them through the public functions. */
#include "table_expect.h"

/* ------------------------------------------------------------------------------------------------ into a state */

static struct job bring_to_adding(struct host *h, npj_event event)
{
    struct job job = job_adding(h);
    if (event == NPJ_EVENT_CONNECT)
        return job;
    expect(h, PENDING, npj_connect(h->srv, job.id, TAG_CONNECT));
    job_write(h, &job, TAG_WRITE, "abc");
    expect_state(h, job.id, NPJ_STATE_ADDING);
    return job;
}

static struct job bring_to_connecting(struct host *h)
{
    struct job job = job_connecting(h);
    job_write(h, &job, TAG_WRITE, "abc");
    expect_state(h, job.id, NPJ_STATE_CONNECTING);
    return job;
}

/* Aborted with that operation in flight which @p event completes; nothing but the CANCEL and the replies is taken. */
static struct job bring_to_aborting(struct host *h, npj_event event)
{
    struct job job;
    switch (event) {
    case NPJ_EVENT_ADDED:
        job = job_adding(h);
        break;
    case NPJ_EVENT_OPENED:
        job = job_connecting(h);
        break;
    case NPJ_EVENT_DONE:
        job = job_scheduling(h);
        break;
    default:
        job = job_writing(h);
        break;
    }
    expect(h, SUCCESS, npj_abort(h->srv, job.id, NPJ_STATUS_PRINT_CANCELLED));
    take(h, NPJ_CANCEL);
    for (npj_action action; npj_next(h->srv, &action);)
        cr_assert_eq(action.kind, NPJ_REPLY);
    expect_state(h, job.id, NPJ_STATE_ABORTING);
    return job;
}

/* Scheduled; the REPLY of close is left where it is. */
static struct job bring_to_gone(struct host *h)
{
    struct job job = job_scheduling(h);
    const npj_op schedule = job.op;
    expect(h, SUCCESS, npj_done(h->srv, schedule, NPJ_STATUS_SUCCESS));
    cr_assert_gt(h->trace_count, 0);
    cr_assert_eq(h->traces[h->trace_count - 1].to, NPJ_STATE_GONE);
    job.op = 0;
    return job;
}

struct job bring_to(struct host *h, npj_state state, npj_event event)
{
    switch (state) {
    case NPJ_STATE_ADDING:
        return bring_to_adding(h, event);
    case NPJ_STATE_ADDED:
        return job_added(h);
    case NPJ_STATE_CONNECTING:
        return bring_to_connecting(h);
    case NPJ_STATE_OPEN:
        return job_writing(h);
    case NPJ_STATE_CLOSING:
        return job_closing(h);
    case NPJ_STATE_CLEANUP:
        return job_cleanup(h);
    case NPJ_STATE_SCHEDULING:
        return job_scheduling(h);
    case NPJ_STATE_ABORTING:
        return bring_to_aborting(h, event);
    case NPJ_STATE_CLEANUP_FAILED:
        return job_cleanup_failed(h);
    case NPJ_STATE_ABANDONING:
        return job_abandoning(h);
    case NPJ_STATE_BROKEN:
        return job_broken(h);
    default:
        return bring_to_gone(h);
    }
}

/* ------------------------------------------------------------------------------------------------ into a cell */

/* What the host holds for this job: the operation in flight, else a stale one. */
static npj_op handle_of(const struct job *job)
{
    return job->op ? job->op : job->add_op;
}

/* A deadline where the state has one, else the other thing that this event stands for. */
static npj_status expire(struct host *h)
{
    const uint64_t deadline = npj_deadline(h->srv);
    if (deadline == NPJ_NEVER)
        return npj_shutdown(h->srv, NPJ_ABORT);
    const npj_status status = npj_advance(h->srv, 0);
    return status ? status : npj_advance(h->srv, deadline);
}

static npj_action_kind operation_of(npj_state state)
{
    switch (state) {
    case NPJ_STATE_ADDING:
        return NPJ_ADD_JOB;
    case NPJ_STATE_CONNECTING:
        return NPJ_OPEN;
    case NPJ_STATE_OPEN:
    case NPJ_STATE_CLOSING:
    case NPJ_STATE_ABORTING: /* as bring_to() makes it for the events that use this */
        return NPJ_WRITE;
    default:
        return NPJ_CLOSE_PIPE; /* or another that npj_done() completes */
    }
}

/* What finishes the work of the state. */
static npj_status finish_state(struct host *h, struct job *job, npj_state state)
{
    switch (state) {
    case NPJ_STATE_ADDING:
        return present(h, job, state, NPJ_EVENT_ADDED);
    case NPJ_STATE_ADDED:
        return present(h, job, state, NPJ_EVENT_CONNECT);
    case NPJ_STATE_CONNECTING:
        return present(h, job, state, NPJ_EVENT_OPENED);
    case NPJ_STATE_CLOSING:
    case NPJ_STATE_ABORTING:
        return present(h, job, state, NPJ_EVENT_WRITTEN);
    case NPJ_STATE_OPEN:
    case NPJ_STATE_BROKEN:
        return present(h, job, state, NPJ_EVENT_CLOSE);
    case NPJ_STATE_GONE:
        expect_reply(h, TAG_CLOSE, SUCCESS, 0);
        return NPJ_STATUS_SUCCESS;
    default:
        return present(h, job, state, NPJ_EVENT_DONE);
    }
}

npj_status present(struct host *h, struct job *job, npj_state state, npj_event event)
{
    const npj_op op = handle_of(job);
    switch (event) {
    case NPJ_EVENT_CONNECT:
        return npj_connect(h->srv, job->id, TAG_CONNECT);
    case NPJ_EVENT_WRITE:
        return npj_write(h->srv, job->id, TAG_WRITE + 1, "d", 1, NPJ_COPY, NULL);
    case NPJ_EVENT_CLOSE:
        return npj_close(h->srv, job->id, TAG_CLOSE);
    case NPJ_EVENT_CANCEL:
        return npj_cancel(h->srv, job->req ? job->req : job->id);
    case NPJ_EVENT_ABORT:
        return npj_abort(h->srv, job->id, NPJ_STATUS_PRINT_CANCELLED);
    case NPJ_EVENT_CLIENT_GONE:
        return npj_client_gone(h->srv, CLIENT, NPJ_STATUS_NETWORK_NAME_DELETED);
    case NPJ_EVENT_PROVIDER_GONE:
        return npj_provider_gone(h->srv, PROVIDER);
    case NPJ_EVENT_EXPIRE:
        return expire(h);
    case NPJ_EVENT_ADDED:
        return npj_job_added(h->srv, op, NPJ_STATUS_SUCCESS, &path_of_pipe, JOB_ID);
    case NPJ_EVENT_OPENED:
        return npj_opened(h->srv, op, NPJ_STATUS_SUCCESS, NPJ_BYTE_MODE);
    case NPJ_EVENT_WRITTEN:
        return npj_written(h->srv, op, NPJ_STATUS_SUCCESS, 3);
    case NPJ_EVENT_DONE:
        return npj_done(h->srv, op, NPJ_STATUS_SUCCESS);
    case NPJ_EVENT_FAILED:
        return complete(h, operation_of(state), op, NPJ_STATUS_ACCESS_DENIED);
    default:
        return finish_state(h, job, state);
    }
}

npj_status answer_of(npj_state state, npj_event event)
{
    if (event == NPJ_EVENT_CONNECT || event == NPJ_EVENT_WRITE || event == NPJ_EVENT_CLOSE)
        return NPJ_STATUS_PENDING;
    if (event == NPJ_EVENT_FINISH)
        return state == NPJ_STATE_ADDED || state == NPJ_STATE_OPEN || state == NPJ_STATE_BROKEN ? NPJ_STATUS_PENDING
                                                                                                : NPJ_STATUS_SUCCESS;
    return NPJ_STATUS_SUCCESS;
}

bool meets_the_job(npj_state state, npj_event event)
{
    if (state == NPJ_STATE_GONE)
        return false;
    const struct expectation want = expectation_of(state, event);
    return want.status != NPJ_STATUS_INVALID_HANDLE && want.status != NPJ_STATUS_NOT_FOUND;
}
