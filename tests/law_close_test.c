/* SPDX-License-Identifier: MIT */
/* Law 12: a close is honest, and a truncated job is never scheduled. */
#include "support.h"

/* Until the job has ended, whatever is owed to the pipe and to its provider. */
static void expect_never_scheduled(struct host *h)
{
    for (npj_action action; npj_next(h->srv, &action);) {
        cr_assert_neq(action.kind, NPJ_SCHEDULE_JOB, "a truncated job was scheduled");
        if (action.kind <= NPJ_ABANDON_JOB)
            cr_assert_eq(complete(h, action.kind, action.op, NPJ_STATUS_SUCCESS), NPJ_STATUS_SUCCESS);
    }
    cr_assert_eq(stats_of(h).jobs.live, 0, "the job has not ended");
}

Test(law12, a_whole_job_is_scheduled)
{
    struct host *h = host_start(NULL);
    struct job job = job_scheduling(h);
    expect_nothing(h); /* the close is not answered before ScheduleJob has succeeded */
    expect(h, SUCCESS, npj_done(h->srv, job.op, NPJ_STATUS_SUCCESS));
    expect_reply(h, TAG_CLOSE, SUCCESS, 0);
    expect_nothing(h);
    host_end(h);
}

Test(law12, an_empty_job_is_a_whole_job)
{
    struct host *h = host_start(NULL);
    struct job job = job_open(h);
    close_and_schedule(h, job.id);
    host_end(h);
}

Test(law12, a_write_that_fails_while_closing_is_what_close_says)
{
    struct host *h = host_start(NULL);
    struct job job = job_closing(h);
    expect(h, SUCCESS, npj_written(h->srv, job.op, NPJ_STATUS_PIPE_BROKEN, 2));
    expect_reply(h, TAG_WRITE, PIPE_BROKEN, 2);
    expect_reply(h, TAG_CLOSE, PIPE_BROKEN, 0);
    close_and_abandon(h, PIPE_BROKEN);
    expect_nothing(h);
    expect_state(h, job.id, NPJ_STATE_GONE);
    host_end(h);
}

Test(law12, a_pipe_that_does_not_close_fails_the_close)
{
    struct host *h = host_start(NULL);
    struct job job = job_cleanup(h);
    expect(h, SUCCESS, npj_done(h->srv, job.op, NPJ_STATUS_ACCESS_DENIED));
    expect_reply(h, TAG_CLOSE, ACCESS_DENIED, 0);
    finish(h, NPJ_ABANDON_JOB, ACCESS_DENIED); /* the pipe is finished with: no second CLOSE_PIPE */
    expect_nothing(h);
    expect_state(h, job.id, NPJ_STATE_GONE);
    host_end(h);
}

Test(law12, a_schedule_that_fails_fails_the_close)
{
    struct host *h = host_start(NULL);
    struct job job = job_scheduling(h);
    expect(h, SUCCESS, npj_done(h->srv, job.op, NPJ_STATUS_ACCESS_DENIED));
    expect_reply(h, TAG_CLOSE, ACCESS_DENIED, 0);
    finish(h, NPJ_ABANDON_JOB, ACCESS_DENIED);
    expect_nothing(h);
    host_end(h);
}

Test(law12, a_schedule_that_succeeds_too_late_is_abandoned)
{
    struct host *h = host_start(NULL);
    struct job job = job_scheduling(h);
    expect(h, SUCCESS, npj_abort(h->srv, job.id, NPJ_STATUS_PRINT_CANCELLED));
    take(h, NPJ_CANCEL);
    expect_reply(h, TAG_CLOSE, PRINT_CANCELLED, 0);
    expect_nothing(h);
    expect(h, SUCCESS, npj_done(h->srv, job.op, NPJ_STATUS_SUCCESS));
    finish(h, NPJ_ABANDON_JOB, PRINT_CANCELLED);
    expect_nothing(h);
    expect_state(h, job.id, NPJ_STATE_GONE);
    host_end(h);
}

Test(law12, an_expired_schedule_is_abandoned)
{
    struct host *h = host_start(NULL);
    expect(h, SUCCESS, npj_advance(h->srv, 1));
    struct job job = job_scheduling(h);
    expect(h, SUCCESS, npj_advance(h->srv, 1 + DRAIN_TIMEOUT));
    take(h, NPJ_CANCEL);
    expect_reply(h, TAG_CLOSE, IO_TIMEOUT, 0);
    expect(h, SUCCESS, npj_done(h->srv, job.op, NPJ_STATUS_SUCCESS));
    finish(h, NPJ_ABANDON_JOB, IO_TIMEOUT);
    expect_nothing(h);
    host_end(h);
}

Test(law12, a_close_pipe_that_returns_after_an_abort_does_not_schedule)
{
    struct host *h = host_start(NULL);
    struct job job = job_cleanup(h);
    expect(h, SUCCESS, npj_abort(h->srv, job.id, NPJ_STATUS_PRINT_CANCELLED));
    expect_reply(h, TAG_CLOSE, PRINT_CANCELLED, 0);
    expect_nothing(h); /* CLOSE_PIPE is never cancelled */
    expect(h, SUCCESS, npj_done(h->srv, job.op, NPJ_STATUS_SUCCESS));
    finish(h, NPJ_ABANDON_JOB, PRINT_CANCELLED);
    expect_nothing(h);
    host_end(h);
}

Test(law12, a_cancelled_write_fails_the_close)
{
    struct host *h = host_start(NULL);
    struct job job = job_closing(h);
    expect(h, SUCCESS, npj_cancel(h->srv, job.req));
    take(h, NPJ_CANCEL);
    expect(h, SUCCESS, npj_written(h->srv, job.op, NPJ_STATUS_CANCELLED, 2));
    expect_reply(h, TAG_WRITE, SUCCESS, 2);
    expect_reply(h, TAG_CLOSE, CANCELLED, 0);
    close_and_abandon(h, CANCELLED);
    expect_nothing(h);
    expect_state(h, job.id, NPJ_STATE_GONE);
    host_end(h);
}

Test(law12, a_write_cancelled_long_before_fails_the_close)
{
    struct host *h = host_start(NULL);
    struct job job = job_open(h);
    job_write(h, &job, TAG_WRITE, "abc");
    expect(h, SUCCESS, npj_cancel(h->srv, job.req));
    expect_reply(h, TAG_WRITE, CANCELLED, 0);
    npj_job_info info;
    expect(h, SUCCESS, npj_job_query(h->srv, job.id, &info));
    cr_assert_eq(info.failure, NPJ_STATUS_SUCCESS, "a cancel by itself is no failure");
    job_write(h, &job, TAG_WRITE + 1, "def");
    take_whole(h, TAG_WRITE + 1, "def");
    expect(h, PENDING, npj_close(h->srv, job.id, TAG_CLOSE));
    expect_reply(h, TAG_CLOSE, CANCELLED, 0);
    close_and_abandon(h, CANCELLED);
    expect_nothing(h);
    host_end(h);
}

Test(law12, a_cancel_that_came_too_late_does_no_harm)
{
    struct host *h = host_start(NULL);
    struct job job = job_closing(h);
    expect(h, SUCCESS, npj_cancel(h->srv, job.req));
    take(h, NPJ_CANCEL);
    expect(h, SUCCESS, npj_written(h->srv, job.op, NPJ_STATUS_CANCELLED, 3)); /* all of it was taken */
    expect_reply(h, TAG_WRITE, SUCCESS, 3);
    finish_close(h);
    host_end(h);
}

Test(law12, a_later_failure_says_more_than_a_cancel)
{
    struct host *h = host_start(NULL);
    struct job job = job_closing(h);
    expect(h, SUCCESS, npj_cancel(h->srv, job.req));
    take(h, NPJ_CANCEL);
    expect(h, SUCCESS, npj_written(h->srv, job.op, NPJ_STATUS_PIPE_DISCONNECTED, 1));
    take(h, NPJ_REPLY);
    expect_reply(h, TAG_CLOSE, PIPE_DISCONNECTED, 0);
    close_and_abandon(h, PIPE_DISCONNECTED);
    host_end(h);
}

Test(law12, a_cancelled_empty_write_was_not_taken)
{
    struct host *h = host_start(NULL);
    struct job job = job_connecting(h);
    job_write(h, &job, TAG_WRITE, "");
    expect(h, SUCCESS, npj_cancel(h->srv, job.req));
    expect_reply(h, TAG_WRITE, CANCELLED, 0);
    expect(h, PENDING, npj_close(h->srv, job.id, TAG_CLOSE));
    expect(h, SUCCESS, npj_opened(h->srv, job.op, 0, NPJ_MESSAGE_MODE));
    expect_reply(h, TAG_CONNECT, SUCCESS, 0);
    expect_reply(h, TAG_CLOSE, CANCELLED, 0);
    expect_never_scheduled(h);
    host_end(h);
}

Test(law12, a_client_that_goes_without_close_leaves_nothing_to_schedule)
{
    struct host *h = host_start(NULL);
    struct job job = job_open(h);
    job_write(h, &job, TAG_WRITE, "abc");
    take_whole(h, TAG_WRITE, "abc");
    expect(h, SUCCESS, npj_client_gone(h->srv, CLIENT, NPJ_STATUS_NETWORK_NAME_DELETED));
    close_and_abandon(h, NETWORK_NAME_DELETED);
    expect_never_scheduled(h);
    expect_state(h, job.id, NPJ_STATE_GONE);
    host_end(h);
}

Test(law12, the_first_failure_stays)
{
    struct host *h = host_start(NULL);
    struct job job = job_cleanup_failed(h);
    expect(h, SUCCESS, npj_abort(h->srv, job.id, NPJ_STATUS_PRINT_CANCELLED));
    expect(h, SUCCESS, npj_provider_gone(h->srv, PROVIDER));
    npj_job_info info;
    expect(h, SUCCESS, npj_job_query(h->srv, job.id, &info));
    cr_assert_eq(info.failure, NPJ_STATUS_PIPE_BROKEN);
    expect(h, PENDING, npj_close(h->srv, job.id, TAG_CLOSE));
    expect_reply(h, TAG_CLOSE, PIPE_BROKEN, 0);
    host_end(h);
}

/* Where an operation can fail a job whose close has been accepted. */

static struct job job_adding_and_closing(struct host *h)
{
    struct job job = job_adding(h);
    expect(h, PENDING, npj_connect(h->srv, job.id, TAG_CONNECT));
    expect(h, PENDING, npj_close(h->srv, job.id, TAG_CLOSE));
    return job;
}

static struct job job_connecting_and_closing(struct host *h)
{
    struct job job = job_connecting(h);
    expect(h, PENDING, npj_close(h->srv, job.id, TAG_CLOSE));
    return job;
}

static const struct {
    struct job (*begin)(struct host *h);
    npj_action_kind kind;
    uint64_t taken; /* of a write of three bytes */
} failing[] = {{job_adding_and_closing, NPJ_ADD_JOB, 0},
               {job_connecting_and_closing, NPJ_OPEN, 0},
               {job_closing, NPJ_WRITE, 0},
               {job_closing, NPJ_WRITE, 3},
               {job_cleanup, NPJ_CLOSE_PIPE, 0},
               {job_scheduling, NPJ_SCHEDULE_JOB, 0}};

/* Every answer that is left is @p status, and what is left to do is to end the job. */
static void expect_all_failed(struct host *h, unsigned way, npj_status status)
{
    bool closed = false, abandoned = false;
    for (npj_action action; npj_next(h->srv, &action);) {
        const bool whole = action.kind == NPJ_REPLY && action.request == NPJ_REQUEST_WRITE && failing[way].taken == 3;
        cr_assert_eq(action.status, whole ? NPJ_STATUS_SUCCESS : status, "way %u: %s for %s", way,
                     npj_status_name(action.status), npj_status_name(status));
        closed |= action.kind == NPJ_REPLY && action.request == NPJ_REQUEST_CLOSE;
        abandoned |= action.kind == NPJ_ABANDON_JOB;
        if (action.kind != NPJ_REPLY)
            expect(h, SUCCESS, npj_done(h->srv, action.op, NPJ_STATUS_SUCCESS));
    }
    cr_assert(closed, "way %u: %s", way, npj_status_name(status));
    cr_assert_eq(abandoned, failing[way].kind != NPJ_ADD_JOB, "way %u: %s", way, npj_status_name(status));
}

/* None of the errors means anything to the engine: those that it says itself, and two that are in nobody's list. */
#define VALUE(name) NPJ_STATUS_##name,
static const npj_status statuses[] = {NPJ_STATUS_LIST(VALUE) 0xE0001234, UINT32_MAX};
#undef VALUE
enum { STATUSES = sizeof statuses / sizeof *statuses };

Test(law12, statuses_of_the_host_pass_unchanged)
{
    for (unsigned i = 0; i < STATUSES; i++) {
        for (unsigned way = 0; way < sizeof failing / sizeof *failing && npj_status_is_error(statuses[i]); way++) {
            struct host *h = host_start(NULL);
            struct job job = failing[way].begin(h);
            if (failing[way].kind == NPJ_WRITE)
                expect(h, SUCCESS, npj_written(h->srv, job.op, statuses[i], failing[way].taken));
            else
                expect(h, SUCCESS, complete(h, failing[way].kind, job.op, statuses[i]));
            expect_all_failed(h, way, statuses[i]);
            expect_state(h, job.id, NPJ_STATE_GONE);
            host_end(h);
        }
    }
}

Test(law12, reasons_of_the_host_pass_unchanged)
{
    for (unsigned i = 0; i < STATUSES; i++) {
        for (unsigned gone = 0; gone < 2 && npj_status_is_error(statuses[i]); gone++) {
            struct host *h = host_start(NULL);
            struct job job = job_open(h);
            const npj_status status =
                gone ? npj_client_gone(h->srv, CLIENT, statuses[i]) : npj_abort(h->srv, job.id, statuses[i]);
            cr_assert_eq(status, NPJ_STATUS_SUCCESS);
            for (npj_action action; npj_next(h->srv, &action);) {
                cr_assert_eq(action.status, statuses[i]);
                expect(h, SUCCESS, npj_done(h->srv, action.op, NPJ_STATUS_SUCCESS));
            }
            expect_state(h, job.id, NPJ_STATE_GONE);
            host_end(h);
        }
    }
}
