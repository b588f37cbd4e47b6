/* SPDX-License-Identifier: MIT */
/* Ends: jobs that are aborted, cancelled or lose their client or provider while something waits, and the host's stop.
 */
#include <stdlib.h>
#include <sys/socket.h>

#include "host_support.h"

enum { LENT = 50000, WRITES = 20 };

/* A job whose pipe is full: the WRITE waits. */
static void fill(struct rig *r, struct seen *s, const char *text)
{
    reader_listen(r, STREAM);
    job_start(r, s, job_options(s));
    for (int i = 0; i < WRITES; i++)
        must_write(s, (uint64_t)(TAG_WRITE + i), text + (size_t)i * LENT, LENT, NPJ_LEND);
    settle(r);
    cr_assert_null(reply_to(s, NPJ_REQUEST_WRITE, TAG_WRITE + WRITES - 1), "the pipe takes all: this test is none");
}

/* All answered, abandoned for @why, the pipe closed, and nothing keeps the loop. */
static void expect_abandoned(struct rig *r, struct seen *s, npj_status why)
{
    until(r, s, false, has_ended);
    cr_assert_eq(s->ended, 1);
    cr_assert_eq(s->let_go, 1);
    cr_assert_eq(s->scheduled, 0);
    cr_assert_eq(s->abandoned, 1);
    cr_assert_eq(s->why, why);
    settle(r);
    cr_assert_eq(uv_loop_alive(&r->loop), 0, "something is left on the loop");
}

Test(end, an_abort_while_the_pipe_is_waited_for)
{
    struct rig *r = rig_start(NULL);
    struct seen s = {0};
    npjp_job_options options = job_options(&s);
    options.wait_for_pipe = true;
    job_start(r, &s, options);
    settle(r);
    cr_assert_eq(npjp_job_abort(s.job, NPJ_STATUS_PRINT_CANCELLED), NPJ_STATUS_SUCCESS);
    expect_abandoned(r, &s, NPJ_STATUS_PRINT_CANCELLED);
    expect_reply(&s, NPJ_REQUEST_CONNECT, TAG_CONNECT, NPJ_STATUS_PRINT_CANCELLED);
    rig_end(r);
}

/* The pipe comes when nobody waits for it any more: it is not opened. */
Test(end, a_pipe_that_comes_after_an_abort_is_not_opened)
{
    struct rig *r = rig_start(NULL);
    struct seen s = {0};
    npjp_job_options options = job_options(&s);
    options.wait_for_pipe = true;
    job_start(r, &s, options);
    settle(r);
    s.provider_waits = true;
    cr_assert_eq(npjp_job_abort(s.job, NPJ_STATUS_PRINT_CANCELLED), NPJ_STATUS_SUCCESS);
    settle(r);
    cr_assert_eq(s.abandoned, 1);
    reader_listen(r, STREAM);
    uv_run(&r->loop, UV_RUN_DEFAULT); /* as long as something waits */
    cr_assert_eq(accept(r->listener, NULL, NULL), -1);
    cr_assert_eq(npjp_job_done(s.job, s.op, NPJ_STATUS_SUCCESS), NPJ_STATUS_SUCCESS);
    until(r, &s, false, has_ended);
    rig_end(r);
}

static void abort_job(struct rig *r, struct seen *s)
{
    (void)r;
    cr_assert_eq(npjp_job_abort(s->job, NPJ_STATUS_PRINT_CANCELLED), NPJ_STATUS_SUCCESS);
}

static void client_goes(struct rig *r, struct seen *s)
{
    (void)s;
    cr_assert_eq(npjp_client_gone(r->host, CLIENT + 1, NPJ_STATUS_NETWORK_NAME_DELETED), NPJ_STATUS_SUCCESS);
    cr_assert_eq(npjp_client_gone(r->host, CLIENT, NPJ_STATUS_NETWORK_NAME_DELETED), NPJ_STATUS_SUCCESS);
}

static void host_stops(struct rig *r, struct seen *s)
{
    (void)s;
    cr_assert_eq(npjp_host_stop(r->host, NPJ_ABORT), NPJ_STATUS_SUCCESS);
}

static void ends_while_the_pipe_is_full(void (*end)(struct rig *r, struct seen *s), npj_status why)
{
    struct rig *r = rig_start(NULL);
    struct seen s = {0};
    char *text = pattern(WRITES * LENT);
    fill(r, &s, text);
    end(r, &s);
    expect_abandoned(r, &s, why);
    expect_reply(&s, NPJ_REQUEST_WRITE, TAG_WRITE + WRITES - 1, why);
    cr_assert_eq(s.reply_count, WRITES + 2, "a write has no answer");
    reader_accept(r);
    until(r, &s, false, is_at_end);
    cr_assert_eq(r->got_length, s.report.bytes);
    cr_assert_eq(memcmp(r->got, text, r->got_length), 0);
    rig_end(r);
    free(text);
}

Test(end, an_abort_while_the_pipe_is_full)
{
    ends_while_the_pipe_is_full(abort_job, NPJ_STATUS_PRINT_CANCELLED);
}

Test(end, the_client_goes_while_the_pipe_is_full)
{
    ends_while_the_pipe_is_full(client_goes, NPJ_STATUS_NETWORK_NAME_DELETED);
}

Test(end, the_host_stops_while_the_pipe_is_full)
{
    ends_while_the_pipe_is_full(host_stops, NPJ_STATUS_SERVER_SHUTDOWN_IN_PROGRESS);
}

/* A provider that went is told nothing any more. */
Test(end, the_provider_goes_while_the_pipe_is_full)
{
    struct rig *r = rig_start(NULL);
    struct seen s = {0};
    char *text = pattern(WRITES * LENT);
    fill(r, &s, text);
    cr_assert_eq(npjp_provider_gone(r->host, PROVIDER), NPJ_STATUS_SUCCESS);
    cr_assert_eq(npjp_job_close(s.job, TAG_CLOSE), NPJ_STATUS_PENDING);
    until(r, &s, false, has_ended);
    expect_reply(&s, NPJ_REQUEST_CLOSE, TAG_CLOSE, NPJ_STATUS_PIPE_DISCONNECTED);
    cr_assert_eq(s.abandoned, 0);
    rig_end(r);
    free(text);
}

/* The write that is in flight keeps what the pipe took of it; those behind it go on from there. */
Test(end, a_write_is_cancelled_while_the_pipe_is_full)
{
    struct rig *r = rig_start(NULL);
    struct seen s = {0};
    char *text = pattern(1000000);
    npj_req request = 0;
    reader_listen(r, STREAM);
    job_start(r, &s, job_options(&s));
    for (int i = 0; i < 5; i++)
        must_write(&s, (uint64_t)(TAG_WRITE + i), text + (size_t)i * LENT, LENT, NPJ_LEND);
    settle(r);
    size_t answered = s.reply_count - 2;
    cr_assert_lt(answered, 5, "the pipe takes all: this test is none");
    for (size_t i = 5; i < 8; i++)
        cr_assert_eq(npjp_job_write(s.job, TAG_WRITE + i, text + i * LENT, LENT, NPJ_LEND, i == 6 ? &request : NULL),
                     NPJ_STATUS_PENDING);
    settle(r);
    cr_assert_eq(npjp_job_cancel(s.job, request), NPJ_STATUS_SUCCESS);
    settle(r);
    const npj_action *reply = reply_to(&s, NPJ_REQUEST_WRITE, TAG_WRITE + 6);
    cr_assert_not_null(reply);
    cr_assert_eq(reply->status, NPJ_STATUS_CANCELLED);
    cr_assert_eq(reply->count, 0);
    cr_assert_eq(npjp_job_cancel(s.job, request), NPJ_STATUS_NOT_FOUND);
    cr_assert_eq(npjp_job_close(s.job, TAG_CLOSE), NPJ_STATUS_PENDING);
    until(r, &s, true, has_ended);
    until(r, &s, false, is_at_end);
    cr_assert_eq(r->got_length, 7 * LENT);
    cr_assert_eq(memcmp(r->got, text, 6 * LENT), 0);
    cr_assert_eq(memcmp(r->got + 6 * (size_t)LENT, text + 7 * (size_t)LENT, LENT), 0,
                 "what follows a cancelled write is not in place");
    expect_reply(&s, NPJ_REQUEST_CLOSE, TAG_CLOSE, NPJ_STATUS_CANCELLED);
    cr_assert_eq(s.abandoned, 1);
    rig_end(r);
    free(text);
}

/* Until the pipe is full, which it is before the last of them. */
static void start_writes(struct rig *r, struct seen *s, const char *text, npj_req requests[WRITES])
{
    reader_listen(r, STREAM);
    job_start(r, s, job_options(s));
    for (size_t i = 0; i < WRITES; i++)
        cr_assert_eq(npjp_job_write(s->job, TAG_WRITE + i, text + i * LENT, LENT, NPJ_LEND, &requests[i]),
                     NPJ_STATUS_PENDING);
    settle(r);
}

/* The first write that has no answer is in flight, and a part of it may be in the pipe. */
Test(end, the_write_in_flight_is_cancelled)
{
    struct rig *r = rig_start(NULL);
    struct seen s = {0};
    char *text = pattern(WRITES * LENT);
    npj_req requests[WRITES];
    start_writes(r, &s, text, requests);
    size_t first = s.reply_count - 2;
    cr_assert_lt(first, WRITES - 1);
    npjp_job_tell(s.job, "before", "");
    cr_assert_eq(npjp_job_cancel(s.job, requests[first]), NPJ_STATUS_SUCCESS);
    settle(r);
    cr_assert_str_eq(npjp_job_trouble(s.job), "before");
    const npj_action *reply = reply_to(&s, NPJ_REQUEST_WRITE, TAG_WRITE + first);
    cr_assert_not_null(reply, "a write that waits is not stopped");
    cr_assert_eq(reply->status, reply->count > 0 ? NPJ_STATUS_SUCCESS : NPJ_STATUS_CANCELLED);
    const size_t before = first * LENT + reply->count;
    const size_t after = (WRITES - first - 1) * LENT;
    cr_assert_lt(reply->count, LENT);
    cr_assert_eq(npjp_job_close(s.job, TAG_CLOSE), NPJ_STATUS_PENDING);
    until(r, &s, true, has_ended);
    until(r, &s, false, is_at_end);
    cr_assert_eq(r->got_length, before + after);
    cr_assert_eq(memcmp(r->got, text, before), 0);
    cr_assert_eq(memcmp(r->got + before, text + (first + 1) * LENT, after), 0);
    rig_end(r);
    free(text);
}

/* A lender may do with cancelled bytes what he likes: not one more of them is written, however long the job stays. */
Test(end, what_was_cancelled_is_not_written_later)
{
    struct rig *r = rig_start(NULL);
    struct seen s = {0};
    char *text = pattern(WRITES * LENT);
    npj_req requests[WRITES];
    start_writes(r, &s, text, requests);
    for (size_t i = s.reply_count - 2; i < WRITES; i++)
        cr_assert_eq(npjp_job_cancel(s.job, requests[i]), NPJ_STATUS_SUCCESS);
    settle(r);
    cr_assert_eq(s.reply_count, WRITES + 2);
    size_t taken = 0;
    for (size_t i = 2; i < s.reply_count; i++)
        taken += s.replies[i].count;
    memset(text, 0, WRITES * LENT);
    reader_accept(r);
    for (int i = 0; i < 100; i++) {
        (void)reader_read(r, LENT);
        uv_run(&r->loop, UV_RUN_NOWAIT);
    }
    cr_assert_eq(r->got_length, taken);
    cr_assert_eq(uv_loop_alive(&r->loop), 0, "the pipe is still waited for");
    rig_end(r);
    free(text);
}

/* ------------------------------------------------------------------------------------------------ late answers */

Test(end, a_provider_answers_late)
{
    struct rig *r = rig_start(NULL);
    struct seen s = {.provider_waits = true};
    reader_listen(r, STREAM);
    job_start(r, &s, job_options(&s));
    must_write(&s, TAG_WRITE, "x", 1, NPJ_COPY);
    cr_assert_eq(npjp_job_close(s.job, TAG_CLOSE), NPJ_STATUS_PENDING);
    settle(r);
    cr_assert_eq(s.added, 1);
    const npj_op add = s.op;
    cr_assert_eq(npjp_job_done(s.job, add, NPJ_STATUS_SUCCESS), NPJ_STATUS_INVALID_HANDLE, "another kind");
    cr_assert_eq(npjp_job_added(s.job, add + 1, NPJ_STATUS_SUCCESS, r->path, JOB_ID), NPJ_STATUS_INVALID_HANDLE);
    cr_assert_eq(npjp_job_added(s.job, 0, NPJ_STATUS_SUCCESS, r->path, JOB_ID), NPJ_STATUS_INVALID_HANDLE);
    cr_assert_eq(npjp_job_added(s.job, add, NPJ_STATUS_SUCCESS, r->path, JOB_ID), NPJ_STATUS_SUCCESS);
    cr_assert_eq(npjp_job_added(s.job, add, NPJ_STATUS_SUCCESS, "/else", JOB_ID), NPJ_STATUS_INVALID_HANDLE, "twice");
    settle(r);
    cr_assert_eq(s.scheduled, 1);
    cr_assert_eq(npjp_job_added(s.job, s.op, NPJ_STATUS_SUCCESS, "/else", JOB_ID), NPJ_STATUS_INVALID_HANDLE);
    cr_assert_null(reply_to(&s, NPJ_REQUEST_CLOSE, TAG_CLOSE));
    npjp_job_report report;
    npjp_job_report_get(s.job, &report);
    cr_assert_str_eq(report.path, r->path);
    cr_assert_eq(npjp_job_done(s.job, add, NPJ_STATUS_SUCCESS), NPJ_STATUS_INVALID_HANDLE, "one that is over");
    cr_assert_eq(npjp_job_done(s.job, s.op, NPJ_STATUS_SUCCESS), NPJ_STATUS_SUCCESS);
    cr_assert_eq(npjp_job_done(s.job, s.op, NPJ_STATUS_SUCCESS), NPJ_STATUS_INVALID_HANDLE, "twice");
    until(r, &s, false, has_ended);
    expect_reply(&s, NPJ_REQUEST_CLOSE, TAG_CLOSE, NPJ_STATUS_SUCCESS);
    rig_end(r);
}

/* A job that comes back after its client has gone is abandoned, not lost. */
Test(end, a_job_that_was_added_too_late_is_abandoned)
{
    struct rig *r = rig_start(NULL);
    struct seen s = {.provider_waits = true};
    job_start(r, &s, job_options(&s));
    settle(r);
    cr_assert_eq(npjp_client_gone(r->host, CLIENT, NPJ_STATUS_USER_SESSION_DELETED), NPJ_STATUS_SUCCESS);
    settle(r);
    cr_assert_eq(s.cancels, 1);
    expect_reply(&s, NPJ_REQUEST_ADD, TAG_ADD, NPJ_STATUS_USER_SESSION_DELETED);
    cr_assert_eq(s.ended, 0, "the provider still has an operation");
    s.provider_waits = false;
    cr_assert_eq(npjp_job_added(s.job, s.op, NPJ_STATUS_SUCCESS, r->path, JOB_ID), NPJ_STATUS_SUCCESS);
    expect_abandoned(r, &s, NPJ_STATUS_USER_SESSION_DELETED);
    rig_end(r);
}

/* ScheduleJob that succeeds after its job was aborted: the job is abandoned all the same. */
Test(end, a_job_that_was_scheduled_too_late_is_abandoned)
{
    struct rig *r = rig_start(NULL);
    struct seen s = {0};
    reader_listen(r, STREAM);
    job_start(r, &s, job_options(&s));
    until(r, &s, false, is_connected);
    s.provider_waits = true;
    cr_assert_eq(npjp_job_close(s.job, TAG_CLOSE), NPJ_STATUS_PENDING);
    settle(r);
    cr_assert_eq(s.scheduled, 1);
    cr_assert_eq(npjp_job_abort(s.job, NPJ_STATUS_PRINT_CANCELLED), NPJ_STATUS_SUCCESS);
    settle(r);
    cr_assert_eq(s.cancels, 1);
    expect_reply(&s, NPJ_REQUEST_CLOSE, TAG_CLOSE, NPJ_STATUS_PRINT_CANCELLED);
    s.provider_waits = false;
    cr_assert_eq(npjp_job_done(s.job, s.op, NPJ_STATUS_SUCCESS), NPJ_STATUS_SUCCESS);
    until(r, &s, false, has_ended);
    cr_assert_eq(s.abandoned, 1);
    cr_assert(s.report.scheduled && s.report.abandoned);
    rig_end(r);
}

static void claims_badly(npj_status status, const char *path)
{
    struct rig *r = rig_start(NULL);
    struct seen s = {.provider_waits = true};
    npjp_job_report report;
    job_start(r, &s, job_options(&s));
    settle(r);
    cr_assert_eq(npjp_job_added(s.job, s.op, status, path, JOB_ID), NPJ_STATUS_INVALID_PARAMETER);
    npjp_job_report_get(s.job, &report);
    cr_assert(!report.added && report.job_id == 0);
    cr_assert_str_eq(report.path, "");
    until(r, &s, false, has_ended);
    expect_reply(&s, NPJ_REQUEST_ADD, TAG_ADD, NPJ_STATUS_INVALID_PARAMETER);
    cr_assert_eq(s.abandoned, 0);
    cr_assert_not(s.report.added);
    rig_end(r);
}

Test(end, a_bad_claim_of_a_provider_is_a_failure)
{
    claims_badly(NPJ_STATUS_SUCCESS, NULL);
    claims_badly(NPJ_STATUS_PENDING, "/pipe");
}

static void refused_by_begin(npj_status says, npj_status want)
{
    struct rig *r = rig_start(NULL);
    struct seen s = {.begin_status = says};
    const npjp_job_options options = job_options(&s);
    cr_assert_eq(npjp_job_add(r->host, &options, TAG_ADD, &s.job), want);
    cr_assert_null(s.job);
    settle(r);
    cr_assert_eq(s.reply_count + s.let_go + s.ended, 0);
    rig_end(r);
}

Test(end, a_provider_that_reserves_nothing_refuses_the_job)
{
    refused_by_begin(NPJ_STATUS_ACCESS_DENIED, NPJ_STATUS_ACCESS_DENIED);
}

/* It would be a job that the engine does not know, and so never ends. */
Test(end, a_provider_that_neither_reserves_nor_fails_is_wrong)
{
    refused_by_begin(NPJ_STATUS_PENDING, NPJ_STATUS_INVALID_PARAMETER);
    refused_by_begin(UINT32_C(0x80000005), NPJ_STATUS_INVALID_PARAMETER);
    refused_by_begin(1, NPJ_STATUS_INVALID_PARAMETER);
}

/* ------------------------------------------------------------------------------------------------ broken jobs */

static void break_job(struct rig *r, struct seen *s, uint64_t client)
{
    npjp_job_options options = job_options(s);
    options.client = client;
    job_start(r, s, options);
    until(r, s, false, is_connected);
    reader_accept(r);
    reader_close(r);
    must_write(s, TAG_WRITE, "x", 1, NPJ_COPY);
    settle(r);
    expect_reply(s, NPJ_REQUEST_WRITE, TAG_WRITE, NPJ_STATUS_PIPE_BROKEN);
    cr_assert_eq(s->ended, 0, "its client has not closed it");
    cr_assert_eq(s->abandoned, 1);
}

/* It has nothing pending and is told of nothing; whatever ends it, its client learns. */
static void a_broken_job_ends(void (*end)(struct rig *r, struct seen *s))
{
    struct rig *r = rig_start(NULL);
    struct seen s = {0};
    reader_listen(r, STREAM);
    break_job(r, &s, CLIENT);
    end(r, &s);
    settle(r);
    cr_assert_eq(s.ended, 1);
    cr_assert_eq(s.let_go, 1);
    rig_end(r);
}

Test(end, a_broken_job_ends_by_abort)
{
    a_broken_job_ends(abort_job);
}

Test(end, a_broken_job_ends_with_its_client)
{
    a_broken_job_ends(client_goes);
}

Test(end, a_broken_job_ends_with_the_host)
{
    a_broken_job_ends(host_stops);
}

static struct seen broken[3];

static void abort_the_last(struct seen *s)
{
    (void)s;
    (void)npjp_job_abort(broken[2].job, NPJ_STATUS_PRINT_CANCELLED);
}

/* One more ends while the first of two is told that it has: all are told. */
Test(end, a_job_that_ends_another)
{
    struct rig *r = rig_start(NULL);
    reader_listen(r, STREAM);
    for (int i = 0; i < 3; i++)
        break_job(r, &broken[i], i < 2 ? CLIENT : CLIENT + 1);
    broken[0].on_ended = broken[1].on_ended = abort_the_last;
    cr_assert_eq(npjp_client_gone(r->host, CLIENT, NPJ_STATUS_NETWORK_NAME_DELETED), NPJ_STATUS_SUCCESS);
    settle(r);
    for (int i = 0; i < 3; i++)
        cr_assert_eq(broken[i].ended, 1, "job %d", i);
    rig_end(r);
}

/* ------------------------------------------------------------------------------------------------ the host's stop */

Test(end, a_host_drains)
{
    struct rig *r = rig_start(NULL);
    struct seen s = {0};
    npjp_job *none = NULL;
    reader_listen(r, STREAM);
    job_start(r, &s, job_options(&s));
    until(r, &s, false, is_connected);
    cr_assert_eq(npjp_host_stop(r->host, NPJ_DRAIN), NPJ_STATUS_SUCCESS);
    const npjp_job_options options = job_options(&s);
    cr_assert_eq(npjp_job_add(r->host, &options, TAG_ADD, &none), NPJ_STATUS_SERVER_SHUTDOWN_IN_PROGRESS);
    cr_assert_eq(s.begun, 2);
    cr_assert_eq(s.let_go, 1);
    settle(r);
    cr_assert_eq(r->stopped, 0);
    must_write(&s, TAG_WRITE, "x", 1, NPJ_COPY);
    cr_assert_eq(npjp_job_close(s.job, TAG_CLOSE), NPJ_STATUS_PENDING);
    until(r, &s, true, has_ended);
    expect_reply(&s, NPJ_REQUEST_CLOSE, TAG_CLOSE, NPJ_STATUS_SUCCESS);
    settle(r);
    cr_assert_eq(r->stopped, 1);
    cr_assert_eq(npjp_host_stop(r->host, NPJ_ABORT), NPJ_STATUS_SUCCESS);
    settle(r);
    cr_assert_eq(r->stopped, 1);
    rig_end(r);
}

/* The drain has a deadline, after which it is an abort. */
Test(end, a_drain_does_not_wait_for_ever)
{
    npjp_config limits = rig_limits();
    limits.engine.drain_timeout = 150;
    struct rig *r = rig_start(&limits);
    struct seen s = {0};
    reader_listen(r, STREAM);
    job_start(r, &s, job_options(&s));
    until(r, &s, false, is_connected);
    cr_assert_eq(npjp_host_stop(r->host, NPJ_DRAIN), NPJ_STATUS_SUCCESS);
    until(r, &s, false, has_ended);
    cr_assert_eq(s.why, NPJ_STATUS_SERVER_SHUTDOWN_IN_PROGRESS);
    settle(r);
    cr_assert_eq(r->stopped, 1);
    rig_end(r);
}
