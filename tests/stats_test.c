/* SPDX-License-Identifier: MIT */
/* Looking in: the counters, and the query of a job. */
#include "support.h"

Test(stats, count_a_whole_life)
{
    struct host *h = host_start(NULL);
    struct job job = job_scheduling(h);
    npj_stats stats = stats_of(h);
    cr_assert_eq(stats.jobs.live, 1);
    cr_assert_eq(stats.accepted, 4);
    cr_assert_eq(stats.replies, 3);
    cr_assert_eq(stats.operations, 5);
    cr_assert_eq(stats.bytes_accepted, 3);
    cr_assert_eq(stats.bytes_taken, 3);
    cr_assert_eq(stats.reserved_packets.live, 1);
    expect(h, SUCCESS, npj_done(h->srv, job.op, 0));
    expect_reply(h, TAG_CLOSE, SUCCESS, 0);
    stats = stats_of(h);
    cr_assert(stats.jobs.live == 0 && stats.jobs.peak == 1 && stats.jobs.total == 1);
    cr_assert(stats.packets.live == 0 && stats.packets.peak == 1 && stats.packets.total == 1);
    cr_assert(stats.reserved_packets.live == 0 && stats.reserved_packets.total == 3);
    cr_assert_eq(stats.pool_bytes.live, 0);
    cr_assert_gt(stats.pool_bytes.peak, 3);
    cr_assert_eq(stats.refused, 0);
    cr_assert_eq(stats.replies, 4);
    cr_assert_eq(stats.memory_bytes, h->pool.bytes);
    host_end(h);
}

Test(stats, count_what_is_refused)
{
    struct host *h = host_start(NULL);
    struct job job = job_added(h);
    refused(h, INVALID_PIPE_STATE, npj_close(h->srv, job.id, 1));
    refused(h, INVALID_PIPE_STATE, npj_write(h->srv, job.id, 1, "a", 1, NPJ_COPY, NULL));
    expect(h, PENDING, npj_connect(h->srv, job.id, TAG_CONNECT));
    refused(h, INVALID_PIPE_STATE, npj_connect(h->srv, job.id, 1));
    cr_assert_eq(stats_of(h).refused, 3);
    cr_assert_eq(stats_of(h).accepted, 2);
    host_end(h);
}

Test(stats, memory_is_what_the_allocator_gave)
{
    struct host *h = host_start(NULL);
    cr_assert_eq(stats_of(h).memory_bytes, h->pool.bytes);
    struct job job = job_open(h);
    cr_assert_eq(stats_of(h).memory_bytes, h->pool.bytes);
    job_write(h, &job, TAG_WRITE, "some bytes to be copied");
    job_lend(h, &job, TAG_WRITE, "and some to be lent");
    cr_assert_eq(stats_of(h).memory_bytes, h->pool.bytes);
    cr_assert_eq(h->pool.blocks, 4, "one block for the engine, the job and each packet");
    host_end(h);
}

Test(stats, a_query_tells_of_one_job)
{
    struct host *h = host_start(NULL);
    struct job job = job_adding(h);
    npj_job_info info;
    memset(&info, 0xFF, sizeof info);
    expect(h, SUCCESS, npj_job_query(h->srv, job.id, &info));
    cr_assert(info.state == NPJ_STATE_ADDING && info.failure == NPJ_STATUS_SUCCESS && info.client == CLIENT &&
              info.provider == PROVIDER && info.cookie == COOKIE && info.bytes == 0 && info.packets == 0 &&
              info.job_id == 0);
    expect(h, PENDING, npj_connect(h->srv, job.id, TAG_CONNECT));
    job_write(h, &job, TAG_WRITE, "abc");
    job_lend(h, &job, TAG_WRITE, "defg");
    expect(h, SUCCESS, npj_job_added(h->srv, job.op, 0, &path_of_pipe, JOB_ID));
    expect(h, SUCCESS, npj_job_query(h->srv, job.id, &info));
    cr_assert(info.state == NPJ_STATE_CONNECTING && info.bytes == 7 && info.packets == 2 && info.job_id == JOB_ID);
    expect(h, SUCCESS, npj_abort(h->srv, job.id, NPJ_STATUS_PRINT_CANCELLED));
    expect(h, SUCCESS, npj_job_query(h->srv, job.id, &info));
    cr_assert_eq(info.failure, NPJ_STATUS_PRINT_CANCELLED);
    host_end(h);
}
