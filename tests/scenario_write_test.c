/* SPDX-License-Identifier: MIT */
/* Event orders that have leaked, hung or crashed real servers, part two: what becomes of the bytes. */
#include "scenario_support.h"

Test(scenario_write, row_10_close_while_the_write_is_stalled)
{
    struct host *h = scenario_start(NULL);
    expect(h, SUCCESS, npj_advance(h->srv, 100));
    struct job job = job_open(h);
    cr_assert_eq(npj_deadline(h->srv), NPJ_NEVER, "nothing is pending");
    job_write(h, &job, TAG_WRITE, "abc");
    npj_op op = take_write(h, "abc").op;
    expect(h, SUCCESS, npj_advance(h->srv, 200));
    expect(h, PENDING, npj_close(h->srv, job.id, TAG_CLOSE));
    cr_assert_eq(npj_deadline(h->srv), 100 + STALL_TIMEOUT);
    expect(h, SUCCESS, npj_advance(h->srv, 100 + STALL_TIMEOUT - 1));
    expect_nothing(h);
    expect(h, SUCCESS, npj_advance(h->srv, 100 + STALL_TIMEOUT));
    take_cancel(h, op);
    expect_reply(h, TAG_WRITE, IO_TIMEOUT, 0);
    expect_reply(h, TAG_CLOSE, IO_TIMEOUT, 0);
    expect_nothing(h);
    expect_live(h, 1, 1);
    cr_assert_eq(npj_deadline(h->srv), NPJ_NEVER, "all is answered");
    expect(h, SUCCESS, npj_written(h->srv, op, NPJ_STATUS_CANCELLED, 0));
    expect_live(h, 1, 0);
    close_and_abandon(h, IO_TIMEOUT);
    scenario_end(h);
}

Test(scenario_write, row_10_a_peer_that_reads_a_byte_now_and_then)
{
    struct host *h = scenario_start(NULL);
    expect(h, SUCCESS, npj_advance(h->srv, 0));
    struct job job = job_open(h);
    static char bytes[60];
    expect(h, PENDING, npj_write(h->srv, job.id, TAG_WRITE, bytes, sizeof bytes, NPJ_LEND, NULL));
    expect(h, PENDING, npj_close(h->srv, job.id, TAG_CLOSE));
    npj_op op = take_write_at(h, bytes, sizeof bytes, HERE).op;
    uint64_t now = 0;
    uint64_t taken = 0;
    while (now + STALL_TIMEOUT - 1 < DRAIN_TIMEOUT) {
        expect(h, SUCCESS, npj_advance(h->srv, now += STALL_TIMEOUT - 1));
        expect(h, SUCCESS, npj_written(h->srv, op, NPJ_STATUS_SUCCESS, 1));
        op = take_write_at(h, bytes, sizeof bytes - (size_t)++taken, HERE).op;
    }
    cr_assert_eq(npj_deadline(h->srv), DRAIN_TIMEOUT);
    expect(h, SUCCESS, npj_advance(h->srv, DRAIN_TIMEOUT));
    take_cancel(h, op);
    cr_assert(expect_reply(h, TAG_WRITE, IO_TIMEOUT, taken).held);
    expect_reply(h, TAG_CLOSE, IO_TIMEOUT, 0);
    expect_nothing(h);
    expect(h, SUCCESS, npj_written(h->srv, op, NPJ_STATUS_CANCELLED, 0));
    cr_assert_eq(take(h, NPJ_RETURN).tag, TAG_WRITE);
    expect_live(h, 1, 0);
    close_and_abandon(h, IO_TIMEOUT);
    scenario_end(h);
}

Test(scenario_write, row_19_schedule_twice_or_before_close)
{
    struct host *h = scenario_start(NULL);
    struct job job = job_open(h);
    refused(h, INVALID_HANDLE, npj_done(h->srv, job.add_op, NPJ_STATUS_SUCCESS));
    job_write(h, &job, TAG_WRITE, "abc");
    expect(h, PENDING, npj_close(h->srv, job.id, TAG_CLOSE));
    npj_op op = take_write(h, "abc").op;
    expect_nothing(h);
    expect_written(h, op, TAG_WRITE, 3);
    npj_op close = take(h, NPJ_CLOSE_PIPE).op;
    expect_nothing(h);
    expect(h, SUCCESS, npj_done(h->srv, close, NPJ_STATUS_SUCCESS));
    refused(h, INVALID_HANDLE, npj_done(h->srv, close, NPJ_STATUS_SUCCESS));
    npj_action schedule = take(h, NPJ_SCHEDULE_JOB);
    cr_assert_eq(schedule.job_id, JOB_ID);
    refused(h, INVALID_HANDLE, npj_done(h->srv, close, NPJ_STATUS_SUCCESS));
    expect(h, SUCCESS, npj_done(h->srv, schedule.op, NPJ_STATUS_SUCCESS));
    refused(h, INVALID_HANDLE, npj_done(h->srv, schedule.op, NPJ_STATUS_SUCCESS));
    expect_reply(h, TAG_CLOSE, SUCCESS, 0);
    refused(h, INVALID_HANDLE, npj_done(h->srv, schedule.op, NPJ_STATUS_SUCCESS));
    scenario_end(h);
}

Test(scenario_write, row_19_no_schedule_after_a_failed_write)
{
    struct host *h = scenario_start(NULL);
    struct job job = job_open(h);
    job_write(h, &job, TAG_WRITE, "abc");
    expect(h, PENDING, npj_close(h->srv, job.id, TAG_CLOSE));
    npj_op op = take_write(h, "abc").op;
    expect(h, SUCCESS, npj_written(h->srv, op, NPJ_STATUS_PIPE_BROKEN, 2));
    expect_reply(h, TAG_WRITE, PIPE_BROKEN, 2);
    expect_reply(h, TAG_CLOSE, PIPE_BROKEN, 0);
    close_and_abandon(h, PIPE_BROKEN);
    scenario_end(h);
}

Test(scenario_write, row_19_no_schedule_of_a_job_never_added)
{
    struct host *h = scenario_start(NULL);
    struct job job = job_adding(h);
    expect(h, PENDING, npj_connect(h->srv, job.id, TAG_CONNECT));
    job_write(h, &job, TAG_WRITE, "abc");
    expect(h, PENDING, npj_close(h->srv, job.id, TAG_CLOSE));
    refused(h, INVALID_HANDLE, npj_done(h->srv, job.op, NPJ_STATUS_SUCCESS));
    expect(h, SUCCESS, npj_job_added(h->srv, job.op, NPJ_STATUS_ACCESS_DENIED, NULL, 0));
    expect_reply(h, TAG_ADD, ACCESS_DENIED, 0);
    expect_reply(h, TAG_CONNECT, ACCESS_DENIED, 0);
    expect_reply(h, TAG_WRITE, ACCESS_DENIED, 0);
    expect_reply(h, TAG_CLOSE, ACCESS_DENIED, 0);
    scenario_end(h);
}

Test(scenario_write, row_19_a_failed_schedule_is_abandoned)
{
    struct host *h = scenario_start(NULL);
    struct job job = job_scheduling(h);
    expect(h, SUCCESS, npj_done(h->srv, job.op, NPJ_STATUS_ACCESS_DENIED));
    expect_reply(h, TAG_CLOSE, ACCESS_DENIED, 0);
    finish(h, NPJ_ABANDON_JOB, ACCESS_DENIED);
    scenario_end(h);
}

Test(scenario_write, row_23_the_peer_takes_a_part_then_breaks)
{
    struct host *h = scenario_start(NULL);
    struct job job = job_open(h);
    job_write(h, &job, TAG_WRITE, "abc");
    job_write(h, &job, TAG_WRITE + 1, "defgh");
    job_write(h, &job, TAG_WRITE + 2, "ij");
    npj_op op = take_write(h, "abcdefghij").op;
    expect(h, SUCCESS, npj_written(h->srv, op, NPJ_STATUS_SUCCESS, 4));
    expect_reply(h, TAG_WRITE, SUCCESS, 3);
    expect_live(h, 1, 2);
    op = take_write(h, "efghij").op;
    expect(h, SUCCESS, npj_written(h->srv, op, NPJ_STATUS_SUCCESS, 1));
    op = take_write(h, "fghij").op;
    expect(h, SUCCESS, npj_written(h->srv, op, NPJ_STATUS_PIPE_BROKEN, 2));
    cr_assert_eq(stats_of(h).bytes_taken, 7);
    expect_reply(h, TAG_WRITE + 1, PIPE_BROKEN, 4);
    expect_reply(h, TAG_WRITE + 2, PIPE_BROKEN, 0);
    expect_live(h, 1, 0);
    expect(h, PENDING, npj_close(h->srv, job.id, TAG_CLOSE));
    expect_reply(h, TAG_CLOSE, PIPE_BROKEN, 0);
    close_and_abandon(h, PIPE_BROKEN);
    scenario_end(h);
}

Test(scenario_write, row_23_an_error_on_the_last_byte_of_a_write)
{
    struct host *h = scenario_start(NULL);
    struct job job = job_open(h);
    job_write(h, &job, TAG_WRITE, "abc");
    job_write(h, &job, TAG_WRITE + 1, "def");
    npj_op op = take_write(h, "abcdef").op;
    expect(h, SUCCESS, npj_written(h->srv, op, NPJ_STATUS_PIPE_BROKEN, 3));
    expect_reply(h, TAG_WRITE, SUCCESS, 3);
    expect_reply(h, TAG_WRITE + 1, PIPE_BROKEN, 0);
    close_and_abandon(h, PIPE_BROKEN);
    expect_state(h, job.id, NPJ_STATE_BROKEN);
    expect(h, PENDING, npj_close(h->srv, job.id, TAG_CLOSE));
    expect_reply(h, TAG_CLOSE, PIPE_BROKEN, 0);
    scenario_end(h);
}

Test(scenario_write, row_25_a_client_writes_on_to_a_broken_pipe)
{
    struct host *h = scenario_start(NULL);
    struct job job = job_broken(h);
    const uint64_t allocations = pool_stats().allocations;
    npj_req req = 0;
    for (int i = 0; i < 1000; i++) {
        refused(h, PIPE_BROKEN, npj_write(h->srv, job.id, 9, "abc", (uint32_t)i % 4, NPJ_COPY, &req));
        refused(h, PIPE_BROKEN, npj_write(h->srv, job.id, 9, "abc", 3, NPJ_LEND, &req));
    }
    cr_assert_eq(req, 0);
    cr_assert_eq(pool_stats().allocations, allocations);
    expect_nothing(h);
    expect_live(h, 1, 0);
    expect(h, PENDING, npj_close(h->srv, job.id, TAG_CLOSE));
    expect_reply(h, TAG_CLOSE, PIPE_BROKEN, 0);
    refused(h, INVALID_HANDLE, npj_write(h->srv, job.id, 9, "abc", 3, NPJ_COPY, &req));
    scenario_end(h);
}

Test(scenario_write, row_26_empty_write_to_a_byte_pipe)
{
    struct host *h = scenario_start(NULL);
    struct job job = job_open(h);
    job_write(h, &job, TAG_WRITE, "");
    expect_reply(h, TAG_WRITE, SUCCESS, 0);
    expect_nothing(h);
    expect_live(h, 1, 0);
    job_write(h, &job, TAG_WRITE + 1, "abc");
    job_write(h, &job, TAG_WRITE + 2, "");
    expect(h, PENDING, npj_write(h->srv, job.id, TAG_WRITE + 3, NULL, 0, NPJ_LEND, NULL));
    job_write(h, &job, TAG_WRITE + 4, "def");
    job_write(h, &job, TAG_WRITE + 5, "");
    npj_action write = take_write(h, "abc");
    cr_assert_eq(write.iov_count, 1, "an empty write is never in flight");
    expect_nothing(h);
    expect(h, SUCCESS, npj_written(h->srv, write.op, NPJ_STATUS_SUCCESS, 2));
    npj_op op = take_write(h, "c").op;
    expect(h, SUCCESS, npj_written(h->srv, op, NPJ_STATUS_SUCCESS, 1));
    for (uint64_t tag = TAG_WRITE + 1; tag <= TAG_WRITE + 3; tag++)
        expect_reply(h, tag, SUCCESS, tag == TAG_WRITE + 1 ? 3 : 0);
    op = take_write(h, "def").op;
    expect_written(h, op, TAG_WRITE + 4, 3);
    expect_reply(h, TAG_WRITE + 5, SUCCESS, 0);
    expect_live(h, 1, 0);
    close_and_schedule(h, job.id);
    scenario_end(h);
}

Test(scenario_write, row_26_empty_write_to_a_message_pipe)
{
    struct host *h = scenario_start(NULL);
    struct job job = job_open_message(h);
    job_write(h, &job, TAG_WRITE, "abc");
    job_write(h, &job, TAG_WRITE + 1, "");
    job_write(h, &job, TAG_WRITE + 2, "");
    static const char *const messages[] = {"abc", "", ""};
    for (uint64_t i = 0; i < 3; i++) {
        npj_action write = take_write(h, messages[i]);
        cr_assert_eq(write.iov_count, 1, "one message, one WRITE");
        expect_nothing(h);
        expect(h, SUCCESS, npj_written(h->srv, write.op, NPJ_STATUS_SUCCESS, write.count));
        expect_reply(h, TAG_WRITE + i, SUCCESS, strlen(messages[i]));
        expect_live(h, 1, 2 - i);
    }
    job_write(h, &job, TAG_WRITE, "");
    npj_op op = take_write(h, "").op;
    expect(h, SUCCESS, npj_written(h->srv, op, NPJ_STATUS_PIPE_BROKEN, 0));
    expect_reply(h, TAG_WRITE, PIPE_BROKEN, 0);
    expect(h, PENDING, npj_close(h->srv, job.id, TAG_CLOSE));
    expect_reply(h, TAG_CLOSE, PIPE_BROKEN, 0);
    close_and_abandon(h, PIPE_BROKEN);
    scenario_end(h);
}

Test(scenario_write, row_28_the_host_takes_no_actions)
{
    struct host *h = scenario_start(NULL);
    struct job job = job_open(h);
    npj_req requests[64];
    cr_assert_eq(h->config.max_job_packets, 64);
    for (uint64_t i = 0; i < 64; i++)
        requests[i] = job_write(h, &job, TAG_WRITE + i, "abc");
    const uint64_t allocations = pool_stats().allocations;
    for (int i = 0; i < 1000; i++)
        refused(h, QUOTA_EXCEEDED, npj_write(h->srv, job.id, 9, "abc", 3, NPJ_COPY, NULL));
    for (size_t i = 0; i < 64; i++) {
        expect(h, SUCCESS, npj_cancel(h->srv, requests[i]));
        refused(h, NOT_FOUND, npj_cancel(h->srv, requests[i]));
        refused(h, QUOTA_EXCEEDED, npj_write(h->srv, job.id, 9, "abc", 3, NPJ_COPY, NULL));
    }
    cr_assert_eq(pool_stats().allocations, allocations, "a refused write costs no memory");
    expect_live(h, 1, 64);
    for (uint64_t i = 0; i < 64; i++) {
        expect_reply(h, TAG_WRITE + i, CANCELLED, 0);
        expect_live(h, 1, 63 - i);
    }
    cr_assert_eq(take(h, NPJ_RESUME).job, job.id);
    expect_nothing(h);
    expect(h, PENDING, npj_close(h->srv, job.id, TAG_CLOSE));
    expect_reply(h, TAG_CLOSE, CANCELLED, 0);
    close_and_abandon(h, CANCELLED);
    scenario_end(h);
}

Test(scenario_write, row_29_cancel_before_the_packet_is_in_flight)
{
    struct host *h = scenario_start(NULL);
    struct job job = job_open(h);
    expect(h, SUCCESS, npj_cancel(h->srv, job_write(h, &job, TAG_WRITE, "abc")));
    expect_reply(h, TAG_WRITE, CANCELLED, 0);
    expect_nothing(h);
    expect_live(h, 1, 0);

    npj_req first = job_write(h, &job, TAG_WRITE, "abc");
    job_write(h, &job, TAG_WRITE + 1, "def");
    expect(h, SUCCESS, npj_cancel(h->srv, first));
    expect_reply(h, TAG_WRITE, CANCELLED, 0);
    npj_op op = take_write(h, "def").op;
    expect_written(h, op, TAG_WRITE + 1, 3);
    expect(h, SUCCESS, npj_abort(h->srv, job.id, NPJ_STATUS_PRINT_CANCELLED));
    close_and_abandon(h, PRINT_CANCELLED);
    scenario_end(h);
}

Test(scenario_write, row_29_cancel_before_there_is_a_pipe)
{
    struct host *h = scenario_start(NULL);
    struct job job = job_accept_for(h, CLIENT, PROVIDER, COOKIE);
    expect(h, PENDING, npj_connect(h->srv, job.id, TAG_CONNECT));
    expect(h, SUCCESS, npj_cancel(h->srv, job_write(h, &job, TAG_WRITE, "abc")));
    expect_reply(h, TAG_WRITE, CANCELLED, 0);
    npj_op add = take(h, NPJ_ADD_JOB).op;
    expect(h, SUCCESS, npj_cancel(h->srv, job_write(h, &job, TAG_WRITE + 1, "abc")));
    expect_added(h, add);
    expect_reply(h, TAG_WRITE + 1, CANCELLED, 0);
    npj_op open = take(h, NPJ_OPEN).op;
    expect(h, SUCCESS, npj_cancel(h->srv, job_write(h, &job, TAG_WRITE + 2, "abc")));
    expect_reply(h, TAG_WRITE + 2, CANCELLED, 0);
    expect(h, PENDING, npj_close(h->srv, job.id, TAG_CLOSE));
    expect_nothing(h);
    expect_live(h, 1, 0);
    expect_opened(h, open);
    expect_reply(h, TAG_CLOSE, CANCELLED, 0);
    close_and_abandon(h, CANCELLED);
    scenario_end(h);
}
