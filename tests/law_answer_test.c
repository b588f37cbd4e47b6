/* SPDX-License-Identifier: MIT */
/* Laws 1 and 2: every accepted request is answered once; a packet is released once, and in time. */
#include "support.h"

#include <stdlib.h>

/* ------------------------------------------------------------------------------------------------ law 1: answers */

Test(law1, each_accepted_request_gets_one_reply)
{
    struct host *h = host_start(NULL);
    struct job job = job_open(h);
    job_write(h, &job, TAG_WRITE, "abc");
    job_write(h, &job, TAG_WRITE + 1, "de");
    expect(h, PENDING, npj_close(h->srv, job.id, TAG_CLOSE));
    const npj_op op = take_write(h, "abcde").op;
    expect(h, SUCCESS, npj_written(h->srv, op, NPJ_STATUS_SUCCESS, 5));
    cr_assert_eq(expect_reply(h, TAG_WRITE, SUCCESS, 3).request, NPJ_REQUEST_WRITE);
    expect_reply(h, TAG_WRITE + 1, SUCCESS, 2);
    finish(h, NPJ_CLOSE_PIPE, SUCCESS);
    finish(h, NPJ_SCHEDULE_JOB, SUCCESS);
    const npj_action reply = expect_reply(h, TAG_CLOSE, SUCCESS, 0);
    cr_assert_eq(reply.request, NPJ_REQUEST_CLOSE);
    cr_assert_eq(reply.job, job.id);
    cr_assert_eq(reply.cookie, COOKIE);
    expect_nothing(h);
    expect_state(h, job.id, NPJ_STATE_GONE);
    host_end(h);
}

Test(law1, a_refused_request_gets_no_reply)
{
    struct host *h = host_start(NULL);
    struct job job = job_added(h);
    refused(h, INVALID_PIPE_STATE, npj_write(h->srv, job.id, TAG_WRITE, "a", 1, NPJ_COPY, NULL));
    refused(h, INVALID_PIPE_STATE, npj_close(h->srv, job.id, TAG_CLOSE));
    expect_nothing(h);
    expect(h, PENDING, npj_connect(h->srv, job.id, TAG_CONNECT));
    refused(h, INVALID_PIPE_STATE, npj_connect(h->srv, job.id, TAG_CONNECT + 100));
    const npj_op op = take(h, NPJ_OPEN).op;
    expect_nothing(h);
    expect_opened(h, op);
    expect_nothing(h);
    host_end(h);
}

Test(law1, a_second_close_is_refused_and_the_first_answered)
{
    struct host *h = host_start(NULL);
    struct job job = job_open(h);
    expect(h, PENDING, npj_close(h->srv, job.id, TAG_CLOSE));
    refused(h, PIPE_CLOSING, npj_close(h->srv, job.id, TAG_CLOSE + 100));
    refused(h, PIPE_CLOSING, npj_write(h->srv, job.id, TAG_WRITE, "a", 1, NPJ_COPY, NULL));
    finish_close(h);
    expect_nothing(h);
    host_end(h);
}

Test(law1, handles_are_untouched_by_a_refusal)
{
    struct host *h = host_start(NULL);
    struct job job = job_added(h);
    npj_req req = 0x1234;
    refused(h, INVALID_PIPE_STATE, npj_write(h->srv, job.id, TAG_WRITE, "a", 1, NPJ_COPY, &req));
    cr_assert_eq(req, 0x1234);
    expect(h, SUCCESS, npj_shutdown(h->srv, NPJ_DRAIN));
    npj_job other = 0x1234;
    refused(h, SERVER_SHUTDOWN_IN_PROGRESS, npj_add_job(h->srv, 1, 2, 3, 4, &other));
    cr_assert_eq(other, 0x1234);
    host_end(h);
}

Test(law1, equal_tags_are_the_hosts_own_affair)
{
    struct host *h = host_start(NULL);
    npj_job job;
    expect(h, PENDING, npj_add_job(h->srv, CLIENT, PROVIDER, COOKIE, 5, &job));
    expect(h, PENDING, npj_connect(h->srv, job, 5));
    expect(h, PENDING, npj_write(h->srv, job, 5, "a", 1, NPJ_COPY, NULL));
    expect(h, PENDING, npj_close(h->srv, job, 5));
    expect(h, SUCCESS, npj_abort(h->srv, job, NPJ_STATUS_PRINT_CANCELLED));
    static const npj_request_kind order[] = {NPJ_REQUEST_ADD, NPJ_REQUEST_CONNECT, NPJ_REQUEST_WRITE,
                                             NPJ_REQUEST_CLOSE};
    for (size_t i = 0; i < 4; i++)
        cr_assert_eq(expect_reply(h, 5, PRINT_CANCELLED, 0).request, order[i]);
    expect_nothing(h);
    host_end(h);
}

Test(law1, members_that_an_action_does_not_name_are_zero)
{
    struct host *h = host_start(NULL);
    struct job job = job_accept_for(h, CLIENT, PROVIDER, COOKIE);
    npj_action action;
    memset(&action, 0xFF, sizeof action);
    cr_assert(npj_next(h->srv, &action));
    cr_assert_eq(action.kind, NPJ_ADD_JOB);
    cr_assert(action.tag == 0 && action.status == 0 && action.job_id == 0 && action.count == 0 && !action.iov &&
              action.iov_count == 0 && !action.held && action.job == job.id);
    const npj_op op = action.op;
    expect(h, SUCCESS, npj_job_added(h->srv, op, NPJ_STATUS_SUCCESS, &path_of_pipe, JOB_ID));
    memset(&action, 0xFF, sizeof action);
    cr_assert(npj_next(h->srv, &action));
    cr_assert_eq(action.kind, NPJ_REPLY);
    cr_assert(action.op == 0 && action.status == 0 && action.job_id == 0 && action.count == 0 && !action.iov &&
              action.iov_count == 0 && !action.held);
    host_end(h);
}

/* ------------------------------------------------------------------------------------------------ law 2: packets */

Test(law2, a_packet_lives_until_its_reply_is_taken)
{
    struct host *h = host_start(NULL);
    struct job job = job_open(h);
    const uint64_t blocks = h->pool.blocks;
    expect_packets(h, 0);
    job_write(h, &job, TAG_WRITE, "abc");
    expect_packets(h, 1);
    cr_assert_eq(h->pool.blocks, blocks + 1);
    const npj_op op = take_write(h, "abc").op;
    expect(h, SUCCESS, npj_written(h->srv, op, NPJ_STATUS_SUCCESS, 3));
    expect_packets(h, 1);
    expect_reply(h, TAG_WRITE, SUCCESS, 3);
    expect_packets(h, 0);
    cr_assert_eq(h->pool.blocks, blocks);
    host_end(h);
}

Test(law2, a_packet_in_flight_outlives_its_reply)
{
    struct host *h = host_start(NULL);
    struct job job = job_open(h);
    const uint64_t blocks = h->pool.blocks;
    job_write(h, &job, TAG_WRITE, "abc");
    const npj_op op = take_write(h, "abc").op;
    expect(h, SUCCESS, npj_abort(h->srv, job.id, NPJ_STATUS_PRINT_CANCELLED));
    take(h, NPJ_CANCEL);
    expect_reply(h, TAG_WRITE, PRINT_CANCELLED, 0);
    expect_nothing(h);
    expect_packets(h, 1);
    cr_assert_eq(h->pool.blocks, blocks + 1);
    expect(h, SUCCESS, npj_written(h->srv, op, NPJ_STATUS_CANCELLED, 0));
    expect_packets(h, 0);
    cr_assert_eq(h->pool.blocks, blocks);
    host_end(h);
}

Test(law2, a_packet_answered_early_and_returned_waits_for_its_reply)
{
    struct host *h = host_start(NULL);
    struct job job = job_writing(h);
    expect(h, SUCCESS, npj_abort(h->srv, job.id, NPJ_STATUS_PRINT_CANCELLED));
    expect(h, SUCCESS, npj_written(h->srv, job.op, NPJ_STATUS_SUCCESS, 3));
    expect_packets(h, 1);
    expect_reply(h, TAG_WRITE, PRINT_CANCELLED, 0);
    expect_packets(h, 0);
    host_end(h);
}

/* KB Q226513: what a job of many writes leaves behind, at every chunk size. */
TestEach(int *chunk, law2, nothing_grows_with_the_bytes, 1, 512, 4096, 65536)
{
    struct host *h = host_start(NULL);
    struct job job = job_open(h);
    const uint64_t blocks = h->pool.blocks;
    void *bytes = calloc(1, (size_t)*chunk);
    for (unsigned i = 0; i < 500; i++) {
        expect(h, PENDING, npj_write(h->srv, job.id, TAG_WRITE + i, bytes, (uint32_t)*chunk, NPJ_COPY, NULL));
        const npj_op op = take(h, NPJ_WRITE).op;
        expect(h, SUCCESS, npj_written(h->srv, op, NPJ_STATUS_SUCCESS, (uint64_t)*chunk));
        expect_reply(h, TAG_WRITE + i, SUCCESS, (uint64_t)*chunk);
        expect_packets(h, 0);
        cr_assert_eq(h->pool.blocks, blocks);
    }
    free(bytes);
    const npj_stats stats = stats_of(h);
    cr_assert_eq(stats.packets.total, 500);
    cr_assert_eq(stats.packets.peak, 1);
    cr_assert_eq(stats.pool_bytes.live, 0);
    cr_assert_eq(stats.bytes_taken, 500 * (uint64_t)*chunk);
    host_end(h);
}

Test(law2, memory_kept_for_reuse_does_not_grow_either)
{
    struct host *h = host_start(limits_with(.max_idle_bytes = 4096));
    struct job job = job_open(h);
    uint64_t after_the_first = 0;
    for (unsigned i = 0; i < 1000; i++) {
        job_write(h, &job, TAG_WRITE, "some bytes");
        take_whole(h, TAG_WRITE, "some bytes");
        cr_assert_leq(stats_of(h).idle_bytes, 4096);
        cr_assert_eq(stats_of(h).memory_bytes, h->pool.bytes);
        if (i == 0)
            after_the_first = h->pool.bytes;
        cr_assert_eq(h->pool.bytes, after_the_first);
    }
    host_end(h);
}

Test(law2, steady_state_does_not_allocate)
{
    struct host *h = host_start(limits_with(.max_idle_bytes = 1 << 16));
    struct job job = job_open(h);
    uint64_t allocs = 0;
    for (unsigned i = 0; i < 100; i++) {
        job_write(h, &job, TAG_WRITE, "the same size");
        take_whole(h, TAG_WRITE, "the same size");
        if (i == 0)
            allocs = h->pool.allocs;
    }
    cr_assert_eq(h->pool.allocs, allocs);
    host_end(h);
}

Test(law2, reserved_packets_count_until_their_reply_and_against_no_limit)
{
    struct host *h = host_start(limits_with(.max_packets = 1, .max_job_packets = 1));
    struct job job = job_accept_for(h, CLIENT, PROVIDER, COOKIE);
    expect(h, PENDING, npj_connect(h->srv, job.id, TAG_CONNECT));
    job_write(h, &job, TAG_WRITE, "abc");
    expect(h, PENDING, npj_close(h->srv, job.id, TAG_CLOSE));
    cr_assert_eq(stats_of(h).reserved_packets.live, 3);
    expect_packets(h, 1);
    expect(h, SUCCESS, npj_abort(h->srv, job.id, NPJ_STATUS_PRINT_CANCELLED));
    cr_assert_eq(stats_of(h).reserved_packets.live, 3);
    expect_reply(h, TAG_ADD, PRINT_CANCELLED, 0);
    cr_assert_eq(stats_of(h).reserved_packets.live, 2);
    expect_reply(h, TAG_CONNECT, PRINT_CANCELLED, 0);
    expect_reply(h, TAG_WRITE, PRINT_CANCELLED, 0);
    expect_reply(h, TAG_CLOSE, PRINT_CANCELLED, 0);
    cr_assert_eq(stats_of(h).reserved_packets.live, 0);
    cr_assert_eq(stats_of(h).reserved_packets.total, 3);
    host_end(h);
}

Test(law2, jobs_and_packets_are_small)
{
    struct host *h = host_start(NULL);
    const npj_stats before = stats_of(h);
    struct job job = job_open(h);
    const npj_stats after = stats_of(h);
    cr_assert_leq(after.job_bytes, 256);
    cr_assert_leq(after.packet_bytes, 64);
    cr_assert_leq(after.memory_bytes - before.memory_bytes, 256);
    job_lend(h, &job, TAG_WRITE, "lent bytes cost a header and no more, however many they are");
    cr_assert_leq(stats_of(h).pool_bytes.live, 64);
    host_end(h);
}

Test(law2, an_ended_job_gives_its_memory_back)
{
    struct host *h = host_start(NULL);
    const uint64_t bytes = h->pool.bytes;
    for (unsigned i = 0; i < 50; i++) {
        struct job job = job_scheduling(h);
        expect(h, SUCCESS, npj_done(h->srv, job.op, NPJ_STATUS_SUCCESS));
        expect_reply(h, TAG_CLOSE, SUCCESS, 0);
        cr_assert_eq(h->pool.bytes, bytes, "after job %u", i);
    }
    host_end(h);
}
