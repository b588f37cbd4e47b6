/* SPDX-License-Identifier: MIT */
/* Event orders that have leaked, hung or crashed real servers, part three: ends by force, of a job, a client, a
 * provider, an engine. */
#include "scenario_support.h"

#include <stdlib.h>

/* ----------------------------------------------------------------------------- the end meets a completion, a cancel */

Test(scenario_reclaim, row_02_cancel_then_disconnect_then_completion)
{
    struct host *h = scenario_start(NULL);
    struct job job = job_open(h);
    npj_req req = job_write(h, &job, TAG_WRITE, "abc");
    npj_op op = take_write(h, "abc").op;
    expect(h, SUCCESS, npj_cancel(h->srv, req));
    expect(h, SUCCESS, npj_cancel(h->srv, req));
    take_cancel(h, op);
    expect_nothing(h);
    expect(h, SUCCESS, npj_client_gone(h->srv, CLIENT, NPJ_STATUS_NETWORK_NAME_DELETED));
    expect_reply(h, TAG_WRITE, NETWORK_NAME_DELETED, 0);
    expect_nothing(h);
    expect_live(h, 1, 1);
    refused(h, NOT_FOUND, npj_cancel(h->srv, req));
    expect(h, SUCCESS, npj_written(h->srv, op, NPJ_STATUS_SUCCESS, 3));
    expect_live(h, 1, 0);
    close_and_abandon(h, NETWORK_NAME_DELETED);
    scenario_end(h);
}

Test(scenario_reclaim, row_02_completion_before_the_cancel_is_told)
{
    struct host *h = scenario_start(NULL);
    struct job job = job_open(h);
    npj_req req = job_write(h, &job, TAG_WRITE, "abc");
    npj_op op = take_write(h, "abc").op;
    expect(h, SUCCESS, npj_cancel(h->srv, req));
    expect(h, SUCCESS, npj_written(h->srv, op, NPJ_STATUS_SUCCESS, 3));
    refused(h, NOT_FOUND, npj_cancel(h->srv, req));
    expect(h, SUCCESS, npj_client_gone(h->srv, CLIENT, NPJ_STATUS_NETWORK_NAME_DELETED));
    expect_reply(h, TAG_WRITE, SUCCESS, 3);
    expect_live(h, 1, 0);
    close_and_abandon(h, NETWORK_NAME_DELETED);
    scenario_end(h);
}

Test(scenario_reclaim, row_02_cancel_meets_a_partial_completion)
{
    struct host *h = scenario_start(NULL);
    struct job job = job_open(h);
    npj_req req = job_write(h, &job, TAG_WRITE, "abc");
    job_write(h, &job, TAG_WRITE + 1, "def");
    npj_op op = take_write(h, "abcdef").op;
    expect(h, SUCCESS, npj_cancel(h->srv, req));
    take_cancel(h, op);
    expect(h, SUCCESS, npj_written(h->srv, op, NPJ_STATUS_CANCELLED, 2));
    expect_reply(h, TAG_WRITE, SUCCESS, 2);
    op = take_write(h, "def").op;
    expect_written(h, op, TAG_WRITE + 1, 3);
    expect_live(h, 1, 0);
    expect(h, PENDING, npj_close(h->srv, job.id, TAG_CLOSE));
    expect_reply(h, TAG_CLOSE, CANCELLED, 0);
    close_and_abandon(h, CANCELLED);
    scenario_end(h);
}

Test(scenario_reclaim, row_06_late_completion_after_the_disconnect)
{
    struct host *h = scenario_start(NULL);
    struct job job = job_open(h);
    static char lent[] = "abc";
    job_write(h, &job, TAG_WRITE, "ABC");
    job_lend(h, &job, TAG_WRITE + 1, lent);
    npj_action write = take_write(h, "ABCabc");
    expect(h, SUCCESS, npj_client_gone(h->srv, CLIENT, NPJ_STATUS_USER_SESSION_DELETED));
    take_cancel(h, write.op);
    cr_assert_not(expect_reply(h, TAG_WRITE, USER_SESSION_DELETED, 0).held, "copied bytes are nobody's to hold");
    cr_assert(expect_reply(h, TAG_WRITE + 1, USER_SESSION_DELETED, 0).held);
    expect_nothing(h);
    expect_live(h, 1, 2);
    expect(h, SUCCESS, npj_written(h->srv, write.op, NPJ_STATUS_SUCCESS, 6));
    expect_live(h, 1, 1);
    cr_assert_eq(take(h, NPJ_RETURN).tag, TAG_WRITE + 1);
    expect_live(h, 1, 0);
    close_and_abandon(h, USER_SESSION_DELETED);
    expect_live(h, 0, 0);
    refused(h, INVALID_HANDLE, npj_written(h->srv, write.op, NPJ_STATUS_SUCCESS, 6));
    scenario_end(h);
}

Test(scenario_reclaim, row_09_forced_close_with_requests_pending)
{
    struct host *h = scenario_start(NULL);
    struct job job = job_open(h);
    job_write(h, &job, TAG_WRITE, "abc");
    npj_op op = take_write(h, "abc").op;
    job_write(h, &job, TAG_WRITE + 1, "def");
    expect(h, PENDING, npj_close(h->srv, job.id, TAG_CLOSE));
    refused(h, INVALID_PARAMETER, npj_abort(h->srv, job.id, NPJ_STATUS_SUCCESS));
    expect(h, SUCCESS, npj_abort(h->srv, job.id, NPJ_STATUS_PRINT_CANCELLED));
    expect(h, SUCCESS, npj_abort(h->srv, job.id, NPJ_STATUS_ACCESS_DENIED));
    take_cancel(h, op);
    expect_reply(h, TAG_WRITE, PRINT_CANCELLED, 0);
    expect_reply(h, TAG_WRITE + 1, PRINT_CANCELLED, 0);
    expect_live(h, 1, 1);
    expect_reply(h, TAG_CLOSE, PRINT_CANCELLED, 0);
    expect_nothing(h);
    expect(h, SUCCESS, npj_written(h->srv, op, NPJ_STATUS_CANCELLED, 1));
    expect_live(h, 1, 0);
    close_and_abandon(h, PRINT_CANCELLED);
    expect_state(h, job.id, NPJ_STATE_GONE);
    refused(h, INVALID_HANDLE, npj_abort(h->srv, job.id, NPJ_STATUS_PRINT_CANCELLED));
    scenario_end(h);
}

Test(scenario_reclaim, row_12_connect_fails_after_the_job_was_added)
{
    struct host *h = scenario_start(NULL);
    struct job job = job_connecting(h);
    job_write(h, &job, TAG_WRITE, "abc");
    expect(h, SUCCESS, npj_opened(h->srv, job.op, NPJ_STATUS_OBJECT_NAME_NOT_FOUND, NPJ_BYTE_MODE));
    expect_reply(h, TAG_CONNECT, OBJECT_NAME_NOT_FOUND, 0);
    expect_reply(h, TAG_WRITE, OBJECT_NAME_NOT_FOUND, 0);
    expect_live(h, 1, 0);
    finish(h, NPJ_ABANDON_JOB, OBJECT_NAME_NOT_FOUND);
    expect_state(h, job.id, NPJ_STATE_GONE);
    scenario_end(h);
}

Test(scenario_reclaim, row_12_the_reply_of_connect_cannot_be_sent)
{
    struct host *h = scenario_start(NULL);
    struct job job = job_open(h);
    expect(h, SUCCESS, npj_client_gone(h->srv, CLIENT, NPJ_STATUS_NETWORK_NAME_DELETED));
    close_and_abandon(h, NETWORK_NAME_DELETED);
    expect_state(h, job.id, NPJ_STATE_GONE);

    job = job_connecting(h);
    expect(h, SUCCESS, npj_opened(h->srv, job.op, NPJ_STATUS_SUCCESS, NPJ_BYTE_MODE));
    expect(h, SUCCESS, npj_client_gone(h->srv, CLIENT, NPJ_STATUS_NETWORK_NAME_DELETED));
    expect_reply(h, TAG_CONNECT, SUCCESS, 0);
    close_and_abandon(h, NETWORK_NAME_DELETED);
    expect_state(h, job.id, NPJ_STATE_GONE);
    scenario_end(h);
}

Test(scenario_reclaim, row_13_connect_in_flight_while_the_session_goes)
{
    static const npj_status ends[] = {NPJ_STATUS_SUCCESS, NPJ_STATUS_CANCELLED, NPJ_STATUS_PIPE_BUSY};
    struct host *h = scenario_start(NULL);
    for (size_t i = 0; i < 3; i++) {
        struct job job = job_connecting(h);
        job_write(h, &job, TAG_WRITE, "abc");
        expect(h, SUCCESS, npj_client_gone(h->srv, CLIENT, NPJ_STATUS_USER_SESSION_DELETED));
        take_cancel(h, job.op);
        expect_reply(h, TAG_CONNECT, USER_SESSION_DELETED, 0);
        expect_reply(h, TAG_WRITE, USER_SESSION_DELETED, 0);
        expect_nothing(h);
        expect_live(h, 1, 0);
        expect(h, SUCCESS, npj_opened(h->srv, job.op, ends[i], NPJ_BYTE_MODE));
        if (ends[i] == NPJ_STATUS_SUCCESS)
            finish(h, NPJ_CLOSE_PIPE, USER_SESSION_DELETED);
        finish(h, NPJ_ABANDON_JOB, USER_SESSION_DELETED);
        expect_live(h, 0, 0);
        refused(h, INVALID_HANDLE, npj_opened(h->srv, job.op, ends[i], NPJ_BYTE_MODE));
    }
    scenario_end(h);
}

Test(scenario_reclaim, row_13_a_job_whose_close_was_accepted_ends_by_itself)
{
    struct host *h = scenario_start(NULL);
    struct job job = job_connecting(h);
    job_write(h, &job, TAG_WRITE, "abc");
    expect(h, PENDING, npj_close(h->srv, job.id, TAG_CLOSE));
    expect(h, SUCCESS, npj_client_gone(h->srv, CLIENT, NPJ_STATUS_USER_SESSION_DELETED));
    expect_nothing(h);
    expect_opened(h, job.op);
    take_whole(h, TAG_WRITE, "abc");
    finish_close(h);
    scenario_end(h);
}

Test(scenario_reclaim, row_14_completion_in_the_step_of_the_deadline)
{
    struct host *h = scenario_start(NULL);
    expect(h, SUCCESS, npj_advance(h->srv, 0));
    struct job job = job_open(h);
    job_write(h, &job, TAG_WRITE, "abc");
    npj_op op = take_write(h, "abc").op;
    expect(h, SUCCESS, npj_written(h->srv, op, NPJ_STATUS_SUCCESS, 3));
    expect(h, SUCCESS, npj_advance(h->srv, STALL_TIMEOUT));
    expect_reply(h, TAG_WRITE, SUCCESS, 3);
    expect_state(h, job.id, NPJ_STATE_OPEN);

    job_write(h, &job, TAG_WRITE + 1, "def");
    op = take_write(h, "def").op;
    expect(h, SUCCESS, npj_advance(h->srv, 2 * STALL_TIMEOUT));
    expect(h, SUCCESS, npj_written(h->srv, op, NPJ_STATUS_SUCCESS, 3));
    expect_reply(h, TAG_WRITE + 1, IO_TIMEOUT, 0);
    expect_live(h, 1, 0);
    close_and_abandon(h, IO_TIMEOUT);
    expect(h, PENDING, npj_close(h->srv, job.id, TAG_CLOSE));
    expect_reply(h, TAG_CLOSE, IO_TIMEOUT, 0);
    scenario_end(h);
}

Test(scenario_reclaim, row_14_add_and_connect_in_the_step_of_the_deadline)
{
    struct host *h = scenario_start(NULL);
    expect(h, SUCCESS, npj_advance(h->srv, 0));
    struct job job = job_adding(h);
    cr_assert_eq(npj_deadline(h->srv), ADD_TIMEOUT);
    expect(h, SUCCESS, npj_advance(h->srv, ADD_TIMEOUT));
    expect(h, SUCCESS, npj_job_added(h->srv, job.op, NPJ_STATUS_SUCCESS, &path_of_pipe, JOB_ID));
    expect_reply(h, TAG_ADD, IO_TIMEOUT, 0);
    finish(h, NPJ_ABANDON_JOB, IO_TIMEOUT);
    expect_live(h, 0, 0);

    job = job_connecting(h);
    cr_assert_eq(npj_deadline(h->srv), ADD_TIMEOUT + CONNECT_TIMEOUT);
    expect(h, SUCCESS, npj_advance(h->srv, ADD_TIMEOUT + CONNECT_TIMEOUT));
    expect(h, SUCCESS, npj_opened(h->srv, job.op, NPJ_STATUS_SUCCESS, NPJ_BYTE_MODE));
    expect_reply(h, TAG_CONNECT, IO_TIMEOUT, 0);
    close_and_abandon(h, IO_TIMEOUT);
    scenario_end(h);
}

Test(scenario_reclaim, row_14_schedule_in_the_step_of_the_deadline)
{
    struct host *h = scenario_start(NULL);
    expect(h, SUCCESS, npj_advance(h->srv, 0));
    for (int late = 0; late < 2; late++) {
        struct job job = job_scheduling(h);
        const uint64_t deadline = npj_deadline(h->srv);
        cr_assert_eq(deadline, late ? 2 * (uint64_t)DRAIN_TIMEOUT : DRAIN_TIMEOUT);
        if (late) {
            expect(h, SUCCESS, npj_advance(h->srv, deadline));
            expect(h, SUCCESS, npj_done(h->srv, job.op, NPJ_STATUS_SUCCESS));
            expect_reply(h, TAG_CLOSE, IO_TIMEOUT, 0);
            finish(h, NPJ_ABANDON_JOB, IO_TIMEOUT); /* scheduled too late: the client has been told otherwise */
        } else {
            expect(h, SUCCESS, npj_done(h->srv, job.op, NPJ_STATUS_SUCCESS));
            expect(h, SUCCESS, npj_advance(h->srv, deadline));
            expect_reply(h, TAG_CLOSE, SUCCESS, 0);
        }
        expect_live(h, 0, 0);
    }
    scenario_end(h);
}

/* ---------------------------------------------------------------------------------------------------- one job fails */

Test(scenario_reclaim, row_08_the_completion_of_one_write_ends_the_next)
{
    struct host *h = scenario_start(limits_with(.max_batch = 1));
    struct job job = job_open(h);
    job_write(h, &job, TAG_WRITE, "abc");
    job_write(h, &job, TAG_WRITE + 1, "def");
    job_lend(h, &job, TAG_WRITE + 2, "ghi");
    npj_op op = take_write(h, "abc").op;
    expect(h, PENDING, npj_close(h->srv, job.id, TAG_CLOSE));
    expect(h, SUCCESS, npj_written(h->srv, op, NPJ_STATUS_PIPE_DISCONNECTED, 1));
    expect_reply(h, TAG_WRITE, PIPE_DISCONNECTED, 1);
    expect_reply(h, TAG_WRITE + 1, PIPE_DISCONNECTED, 0);
    cr_assert_not(expect_reply(h, TAG_WRITE + 2, PIPE_DISCONNECTED, 0).held, "it was never in flight");
    expect_live(h, 1, 0);
    expect_reply(h, TAG_CLOSE, PIPE_DISCONNECTED, 0);
    close_and_abandon(h, PIPE_DISCONNECTED);
    scenario_end(h);
}

Test(scenario_reclaim, row_20_the_client_closes_a_job_that_has_failed)
{
    for (int when = 0; when < 3; when++) {
        struct host *h = scenario_start(NULL);
        struct job job = when == 0 ? job_cleanup_failed(h) : when == 1 ? job_abandoning(h) : job_broken(h);
        expect(h, PENDING, npj_close(h->srv, job.id, TAG_CLOSE));
        if (when < 2)
            refused(h, PIPE_CLOSING, npj_close(h->srv, job.id, 99));
        expect_reply(h, TAG_CLOSE, PIPE_BROKEN, 0);
        if (when < 2) {
            expect_nothing(h);
            expect_live(h, 1, 0);
            expect(h, SUCCESS, npj_done(h->srv, job.op, NPJ_STATUS_SUCCESS));
        }
        if (when == 0)
            finish(h, NPJ_ABANDON_JOB, PIPE_BROKEN);
        expect_state(h, job.id, NPJ_STATE_GONE);
        refused(h, INVALID_HANDLE, npj_close(h->srv, job.id, 99));
        cr_assert_eq(pool_stats().releases, 2, "one packet, one job");
        scenario_end(h);
    }
}

Test(scenario_reclaim, row_21_the_close_of_the_pipe_fails)
{
    struct host *h = scenario_start(NULL);
    struct job job = job_cleanup(h);
    expect_live(h, 1, 0);
    expect(h, SUCCESS, npj_done(h->srv, job.op, NPJ_STATUS_PIPE_DISCONNECTED));
    expect_reply(h, TAG_CLOSE, PIPE_DISCONNECTED, 0);
    finish_at(h, NPJ_ABANDON_JOB, NPJ_STATUS_PIPE_DISCONNECTED, NPJ_STATUS_ACCESS_DENIED, HERE);
    expect_live(h, 0, 0);

    job = job_cleanup_failed(h);
    expect(h, SUCCESS, npj_done(h->srv, job.op, NPJ_STATUS_ACCESS_DENIED));
    finish_at(h, NPJ_ABANDON_JOB, NPJ_STATUS_PIPE_BROKEN, NPJ_STATUS_ACCESS_DENIED, HERE);
    expect_state(h, job.id, NPJ_STATE_BROKEN);
    expect(h, SUCCESS, npj_client_gone(h->srv, CLIENT, NPJ_STATUS_NETWORK_NAME_DELETED));
    expect_live(h, 0, 0);
    scenario_end(h);
}

Test(scenario_reclaim, row_27_the_job_is_dropped_while_its_bytes_are_in_flight)
{
    struct host *h = scenario_start(NULL);
    struct job job = job_open(h);
    char *lent = malloc(3);
    memcpy(lent, "xyz", 3);
    job_write(h, &job, TAG_WRITE, "abc");
    expect(h, PENDING, npj_write(h->srv, job.id, TAG_WRITE + 1, lent, 3, NPJ_LEND, NULL));
    npj_action write = take_write(h, "abcxyz");
    npj_iov iov[2] = {write.iov[0], write.iov[1]};
    expect(h, SUCCESS, npj_abort(h->srv, job.id, NPJ_STATUS_PRINT_CANCELLED));
    take_cancel(h, write.op);
    expect_reply(h, TAG_WRITE, PRINT_CANCELLED, 0);
    cr_assert(expect_reply(h, TAG_WRITE + 1, PRINT_CANCELLED, 0).held);
    expect_nothing(h);
    cr_assert_eq(memcmp(iov[0].base, "abc", 3), 0, "the pipe may still be reading them");
    cr_assert_eq(iov[1].base, lent);
    expect(h, SUCCESS, npj_written(h->srv, write.op, NPJ_STATUS_CANCELLED, 4));
    cr_assert_eq(take(h, NPJ_RETURN).tag, TAG_WRITE + 1);
    free(lent);
    expect_live(h, 1, 0);
    close_and_abandon(h, PRINT_CANCELLED);
    scenario_end(h);
}

Test(scenario_reclaim, row_27_the_engine_is_dropped_while_bytes_are_in_flight)
{
    struct host *h = scenario_start(NULL);
    struct job job = job_open(h);
    job_write(h, &job, TAG_WRITE, "abc");
    job_lend(h, &job, TAG_WRITE + 1, "def");
    take_write(h, "abcdef");
    job_write(h, &job, TAG_WRITE + 2, "ghi");
    expect(h, SUCCESS, npj_abort(h->srv, job.id, NPJ_STATUS_PRINT_CANCELLED));
    expect_live(h, 1, 3);
    npj_srv_free(&h->srv);
    cr_assert_null(h->srv);
    cr_assert_eq(pool_stats().blocks.live, 0);
    cr_assert_eq(npjt_counting_finish(&scenario_pool), 0);
    free(h);
}

Test(scenario_reclaim, row_30_the_client_vanishes_during_add_job)
{
    struct host *h = scenario_start(NULL);
    const npj_path *const paths[] = {&path_of_pipe, &path_of_file, &path_malformed};
    for (size_t i = 0; i < 3; i++) {
        struct job job = job_adding(h);
        expect(h, SUCCESS, npj_client_gone(h->srv, CLIENT, NPJ_STATUS_NETWORK_NAME_DELETED));
        take_cancel(h, job.op);
        expect_reply(h, TAG_ADD, NETWORK_NAME_DELETED, 0);
        expect_nothing(h);
        expect_live(h, 1, 0);
        expect(h, SUCCESS, npj_job_added(h->srv, job.op, NPJ_STATUS_SUCCESS, paths[i], JOB_ID));
        finish(h, NPJ_ABANDON_JOB, NETWORK_NAME_DELETED);
        expect_live(h, 0, 0);
    }
    struct job job = job_adding(h);
    expect(h, SUCCESS, npj_client_gone(h->srv, CLIENT, NPJ_STATUS_NETWORK_NAME_DELETED));
    take_cancel(h, job.op);
    expect_reply(h, TAG_ADD, NETWORK_NAME_DELETED, 0);
    expect(h, SUCCESS, npj_job_added(h->srv, job.op, NPJ_STATUS_CANCELLED, NULL, 0));
    expect_nothing(h);
    expect_live(h, 0, 0);

    (void)job_accept_for(h, CLIENT, PROVIDER, COOKIE);
    expect(h, SUCCESS, npj_client_gone(h->srv, CLIENT, NPJ_STATUS_NETWORK_NAME_DELETED));
    expect_reply(h, TAG_ADD, NETWORK_NAME_DELETED, 0);
    expect_nothing(h); /* an ADD_JOB not yet taken is withdrawn */
    scenario_end(h);
}

Test(scenario_reclaim, row_31_a_partial_job_is_not_scheduled)
{
    struct host *h = scenario_start(NULL);
    struct job job = job_open(h);
    job_write(h, &job, TAG_WRITE, "abc");
    take_whole(h, TAG_WRITE, "abc");
    expect(h, SUCCESS, npj_client_gone(h->srv, CLIENT, NPJ_STATUS_NETWORK_NAME_DELETED));
    close_and_abandon(h, NETWORK_NAME_DELETED);
    expect_state(h, job.id, NPJ_STATE_GONE);
    scenario_end(h);
}
