/* SPDX-License-Identifier: MIT */
/* The way of a job through its life, each step asserted. */
#include "support.h"

struct job job_accept_for(struct host *h, uint64_t client, uint64_t provider, uint64_t cookie)
{
    struct job job = {.client = client, .provider = provider, .cookie = cookie};
    expect(h, PENDING, npj_add_job(h->srv, client, provider, cookie, TAG_ADD, &job.id));
    cr_assert_neq(job.id, 0, "a job without a handle");
    return job;
}

static struct job adding_for(struct host *h, uint64_t client, uint64_t provider, uint64_t cookie)
{
    struct job job = job_accept_for(h, client, provider, cookie);
    const npj_action action = take(h, NPJ_ADD_JOB);
    cr_assert_eq(action.job, job.id);
    cr_assert_eq(action.cookie, cookie);
    job.op = job.add_op = action.op;
    return job;
}

static struct job added_for(struct host *h, uint64_t client, uint64_t provider, uint64_t cookie)
{
    struct job job = adding_for(h, client, provider, cookie);
    expect(h, SUCCESS, npj_job_added(h->srv, job.op, NPJ_STATUS_SUCCESS, &path_of_pipe, JOB_ID));
    const npj_action reply = expect_reply(h, TAG_ADD, SUCCESS, 0);
    cr_assert_eq(reply.request, NPJ_REQUEST_ADD);
    cr_assert_eq(reply.cookie, cookie);
    job.op = 0;
    return job;
}

static struct job connecting_for(struct host *h, uint64_t client, uint64_t provider, uint64_t cookie)
{
    struct job job = added_for(h, client, provider, cookie);
    expect(h, PENDING, npj_connect(h->srv, job.id, TAG_CONNECT));
    job.op = take(h, NPJ_OPEN).op;
    return job;
}

struct job job_open_for(struct host *h, uint64_t client, uint64_t provider, uint64_t cookie, npj_pipe_mode mode)
{
    struct job job = connecting_for(h, client, provider, cookie);
    expect(h, SUCCESS, npj_opened(h->srv, job.op, NPJ_STATUS_SUCCESS, mode));
    const npj_action reply = expect_reply(h, TAG_CONNECT, SUCCESS, 0);
    cr_assert_eq(reply.request, NPJ_REQUEST_CONNECT);
    expect_nothing(h);
    job.op = 0;
    expect_state(h, job.id, NPJ_STATE_OPEN);
    return job;
}

struct job job_adding(struct host *h)
{
    return adding_for(h, CLIENT, PROVIDER, COOKIE);
}

struct job job_added(struct host *h)
{
    return added_for(h, CLIENT, PROVIDER, COOKIE);
}

struct job job_connecting(struct host *h)
{
    return connecting_for(h, CLIENT, PROVIDER, COOKIE);
}

struct job job_open(struct host *h)
{
    return job_open_for(h, CLIENT, PROVIDER, COOKIE, NPJ_BYTE_MODE);
}

struct job job_open_message(struct host *h)
{
    return job_open_for(h, CLIENT, PROVIDER, COOKIE, NPJ_MESSAGE_MODE);
}

npj_req job_write_at(struct host *h, struct job *job, uint64_t tag, const char *text, unsigned flags, struct place at)
{
    npj_req req = 0;
    const npj_status status = npj_write(h->srv, job->id, tag, text, (uint32_t)strlen(text), flags, &req);
    expect_at(h, NPJ_STATUS_PENDING, status, "npj_write", at);
    cr_assert_neq(req, 0, "%s:%d: a write without a handle", at.file, at.line);
    job->req = req;
    return req;
}

struct job job_writing(struct host *h)
{
    struct job job = job_open(h);
    job_write(h, &job, TAG_WRITE, "abc");
    job.op = take_write(h, "abc").op;
    expect_state(h, job.id, NPJ_STATE_OPEN);
    return job;
}

struct job job_closing(struct host *h)
{
    struct job job = job_writing(h);
    expect(h, PENDING, npj_close(h->srv, job.id, TAG_CLOSE));
    expect_state(h, job.id, NPJ_STATE_CLOSING);
    return job;
}

struct job job_cleanup(struct host *h)
{
    struct job job = job_closing(h);
    expect_written(h, job.op, TAG_WRITE, 3);
    const npj_action action = take(h, NPJ_CLOSE_PIPE);
    cr_assert_eq(action.status, NPJ_STATUS_SUCCESS);
    job.op = action.op;
    expect_state(h, job.id, NPJ_STATE_CLEANUP);
    return job;
}

struct job job_scheduling(struct host *h)
{
    struct job job = job_cleanup(h);
    expect(h, SUCCESS, npj_done(h->srv, job.op, NPJ_STATUS_SUCCESS));
    const npj_action action = take(h, NPJ_SCHEDULE_JOB);
    cr_assert_eq(action.job_id, JOB_ID);
    job.op = action.op;
    expect_state(h, job.id, NPJ_STATE_SCHEDULING);
    return job;
}

struct job job_ended(struct host *h)
{
    struct job job = job_scheduling(h);
    expect(h, SUCCESS, npj_done(h->srv, job.op, NPJ_STATUS_SUCCESS));
    expect_reply(h, TAG_CLOSE, SUCCESS, 0);
    return job;
}

struct job job_cleanup_failed(struct host *h)
{
    struct job job = job_writing(h);
    expect(h, SUCCESS, npj_written(h->srv, job.op, NPJ_STATUS_PIPE_BROKEN, 0));
    expect_reply(h, TAG_WRITE, PIPE_BROKEN, 0);
    const npj_action action = take(h, NPJ_CLOSE_PIPE);
    cr_assert_eq(action.status, NPJ_STATUS_PIPE_BROKEN);
    job.op = action.op;
    expect_state(h, job.id, NPJ_STATE_CLEANUP_FAILED);
    return job;
}

struct job job_abandoning(struct host *h)
{
    struct job job = job_cleanup_failed(h);
    expect(h, SUCCESS, npj_done(h->srv, job.op, NPJ_STATUS_SUCCESS));
    const npj_action action = take(h, NPJ_ABANDON_JOB);
    cr_assert_eq(action.job_id, JOB_ID);
    cr_assert_eq(action.status, NPJ_STATUS_PIPE_BROKEN);
    job.op = action.op;
    expect_state(h, job.id, NPJ_STATE_ABANDONING);
    return job;
}

struct job job_broken(struct host *h)
{
    struct job job = job_abandoning(h);
    expect(h, SUCCESS, npj_done(h->srv, job.op, NPJ_STATUS_SUCCESS));
    expect_nothing(h);
    expect_state(h, job.id, NPJ_STATE_BROKEN);
    job.op = 0;
    return job;
}

void expect_added_at(struct host *h, npj_op op, struct place at)
{
    const npj_status status = npj_job_added(h->srv, op, NPJ_STATUS_SUCCESS, &path_of_pipe, JOB_ID);
    expect_at(h, NPJ_STATUS_SUCCESS, status, "npj_job_added", at);
    const npj_action reply = expect_reply_at(h, TAG_ADD, NPJ_STATUS_SUCCESS, 0, at);
    cr_assert_eq(reply.request, NPJ_REQUEST_ADD, "%s:%d: not the reply of add", at.file, at.line);
}

void expect_opened_at(struct host *h, npj_op op, struct place at)
{
    expect_at(h, NPJ_STATUS_SUCCESS, npj_opened(h->srv, op, NPJ_STATUS_SUCCESS, NPJ_BYTE_MODE), "npj_opened", at);
    const npj_action reply = expect_reply_at(h, TAG_CONNECT, NPJ_STATUS_SUCCESS, 0, at);
    cr_assert_eq(reply.request, NPJ_REQUEST_CONNECT, "%s:%d: not the reply of connect", at.file, at.line);
}

void expect_written_at(struct host *h, npj_op op, uint64_t tag, uint64_t count, struct place at)
{
    expect_at(h, NPJ_STATUS_SUCCESS, npj_written(h->srv, op, NPJ_STATUS_SUCCESS, count), "npj_written", at);
    const npj_action reply = expect_reply_at(h, tag, NPJ_STATUS_SUCCESS, count, at);
    cr_assert_eq(reply.request, NPJ_REQUEST_WRITE, "%s:%d: not the reply of a write", at.file, at.line);
}

void take_cancel_at(struct host *h, npj_op op, struct place at)
{
    const npj_action action = take_at(h, NPJ_CANCEL, at);
    cr_assert_eq(action.op, op, "%s:%d: a CANCEL of another operation", at.file, at.line);
}

void finish_at(struct host *h, npj_action_kind kind, npj_status carried, npj_status completed, struct place at)
{
    const npj_action action = take_at(h, kind, at);
    cr_assert_eq(action.status, carried, "%s:%d: it carries %s, expected %s", at.file, at.line,
                 npj_status_name(action.status), npj_status_name(carried));
    if (kind == NPJ_SCHEDULE_JOB || kind == NPJ_ABANDON_JOB)
        cr_assert_eq(action.job_id, JOB_ID, "%s:%d: JobId %u", at.file, at.line, action.job_id);
    expect_at(h, NPJ_STATUS_SUCCESS, npj_done(h->srv, action.op, completed), "npj_done", at);
}

void finish_close_at(struct host *h, struct place at)
{
    finish_at(h, NPJ_CLOSE_PIPE, NPJ_STATUS_SUCCESS, NPJ_STATUS_SUCCESS, at);
    finish_at(h, NPJ_SCHEDULE_JOB, NPJ_STATUS_SUCCESS, NPJ_STATUS_SUCCESS, at);
    const npj_action reply = expect_reply_at(h, TAG_CLOSE, NPJ_STATUS_SUCCESS, 0, at);
    cr_assert_eq(reply.request, NPJ_REQUEST_CLOSE, "%s:%d: not the reply of close", at.file, at.line);
}

void close_and_schedule_at(struct host *h, npj_job job, struct place at)
{
    expect_at(h, NPJ_STATUS_PENDING, npj_close(h->srv, job, TAG_CLOSE), "npj_close", at);
    finish_close_at(h, at);
    expect_state_at(h, job, NPJ_STATE_GONE, at);
}

npj_status end_job(struct host *h, const struct job *job, int way)
{
    switch (way) {
    case ABORTED:
        expect(h, SUCCESS, npj_abort(h->srv, job->id, NPJ_STATUS_PRINT_CANCELLED));
        return NPJ_STATUS_PRINT_CANCELLED;
    case CLIENT_WENT:
        expect(h, SUCCESS, npj_client_gone(h->srv, job->client, NPJ_STATUS_USER_SESSION_DELETED));
        return NPJ_STATUS_USER_SESSION_DELETED;
    case PROVIDER_WENT:
        expect(h, SUCCESS, npj_provider_gone(h->srv, job->provider));
        return NPJ_STATUS_PIPE_DISCONNECTED;
    case SHUT_DOWN:
        expect(h, SUCCESS, npj_shutdown(h->srv, NPJ_ABORT));
        return NPJ_STATUS_SERVER_SHUTDOWN_IN_PROGRESS;
    default:
        expect(h, SUCCESS, npj_advance(h->srv, npj_deadline(h->srv)));
        return NPJ_STATUS_IO_TIMEOUT;
    }
}
