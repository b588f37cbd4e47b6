/* SPDX-License-Identifier: MIT */
/* Looking in: the counters, the query of a job, and what the digest covers. */
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

Test(stats, null_pointers)
{
    struct host *h = host_start(NULL);
    npj_stats stats;
    memset(&stats, 0xFF, sizeof stats);
    npj_stats_get(NULL, &stats);
    cr_assert(stats.jobs.total == 0 && stats.memory_bytes == 0 && stats.packet_bytes == 0);
    npj_stats_get(h->srv, NULL);
    npj_stats_get(NULL, NULL);
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

/* ---------------------------------------------------------------------------------------------------- the digest */

Test(digest, is_that_of_a_new_engine_when_all_is_over)
{
    struct host *h = host_start(NULL);
    const uint64_t fresh = npj_digest(h->srv);
    cr_assert_neq(fresh, 0);
    for (unsigned i = 0; i < 3; i++) {
        struct job job = job_scheduling(h);
        cr_assert_neq(npj_digest(h->srv), fresh);
        expect(h, SUCCESS, npj_done(h->srv, job.op, 0));
        expect_reply(h, TAG_CLOSE, SUCCESS, 0);
        cr_assert_eq(npj_digest(h->srv), fresh);
    }
    host_end(h);
}

Test(digest, does_not_cover_generations_and_addresses)
{
    struct host *h = host_start(NULL);
    struct host *g = host_start(NULL);
    struct job used = job_scheduling(g); /* so that generations and memory differ */
    expect(g, SUCCESS, npj_done(g->srv, used.op, 0));
    expect_reply(g, TAG_CLOSE, SUCCESS, 0);
    struct job a = job_closing(h);
    struct job b = job_closing(g);
    cr_assert_neq(a.id, b.id);
    cr_assert_eq(npj_digest(h->srv), npj_digest(g->srv));
    expect(h, SUCCESS, npj_cancel(h->srv, a.req));
    cr_assert_neq(npj_digest(h->srv), npj_digest(g->srv));
    expect(g, SUCCESS, npj_cancel(g->srv, b.req));
    cr_assert_eq(npj_digest(h->srv), npj_digest(g->srv));
    host_end(h);
    host_end(g);
}

/* Every step of a life shows: the digest is an oracle for "nothing has changed". */
Test(digest, covers_every_step_of_a_life)
{
    struct host *h = host_start(NULL);
    uint64_t seen[32];
    unsigned count = 0;
#define STEP(call)                                                                                                     \
    do {                                                                                                               \
        call;                                                                                                          \
        seen[count++] = npj_digest(h->srv);                                                                            \
    } while (0)
    struct job job = {.id = 0};
    npj_op op = 0;
    STEP((void)0);
    STEP(expect(h, SUCCESS, npj_advance(h->srv, 5)));
    STEP(job = job_accept_for(h, CLIENT, PROVIDER, COOKIE));
    STEP(op = take(h, NPJ_ADD_JOB).op);
    STEP(expect(h, PENDING, npj_connect(h->srv, job.id, TAG_CONNECT)));
    STEP(job_write(h, &job, TAG_WRITE, "abc"));
    STEP(job_write(h, &job, TAG_WRITE + 1, "def"));
    STEP(expect(h, SUCCESS, npj_job_added(h->srv, op, 0, &path_of_pipe, JOB_ID)));
    STEP(expect_reply(h, TAG_ADD, SUCCESS, 0));
    STEP(op = take(h, NPJ_OPEN).op);
    STEP(expect(h, SUCCESS, npj_opened(h->srv, op, 0, NPJ_BYTE_MODE)));
    STEP(expect_reply(h, TAG_CONNECT, SUCCESS, 0));
    STEP(op = take_write(h, "abcdef").op);
    STEP(expect(h, SUCCESS, npj_cancel(h->srv, job.req)));
    STEP(take(h, NPJ_CANCEL));
    STEP(expect(h, SUCCESS, npj_written(h->srv, op, NPJ_STATUS_CANCELLED, 2)));
    STEP(expect_reply(h, TAG_WRITE + 1, CANCELLED, 0));
    STEP(op = take_write(h, "c").op);
    STEP(expect(h, SUCCESS, npj_advance(h->srv, 6)));
    STEP(expect(h, PENDING, npj_close(h->srv, job.id, TAG_CLOSE)));
    STEP(expect(h, SUCCESS, npj_shutdown(h->srv, NPJ_DRAIN)));
    STEP(expect(h, SUCCESS, npj_abort(h->srv, job.id, NPJ_STATUS_PRINT_CANCELLED)));
#undef STEP
    for (unsigned i = 0; i < count; i++)
        for (unsigned k = i + 1; k < count; k++)
            cr_assert_neq(seen[i], seen[k], "steps %u and %u have one digest", i, k);
    host_end(h);
}
