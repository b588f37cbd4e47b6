/* SPDX-License-Identifier: MIT */
/* Laws 10 and 11: what goes is reclaimed whole, and costs the others nothing. */
#include "support.h"

/* ------------------------------------------------------------------------------------------------ law 10: reclaim */

static struct job job_adding_untaken(struct host *h)
{
    return job_accept_for(h, CLIENT, PROVIDER, COOKIE);
}

/* Aborted, lent bytes in flight, no reply taken. */
static struct job job_aborting(struct host *h)
{
    struct job job = job_open(h);
    job_lend(h, &job, TAG_WRITE, "abc");
    job.op = take_write(h, "abc").op;
    job_write(h, &job, TAG_WRITE + 1, "def");
    expect(h, SUCCESS, npj_abort(h->srv, job.id, NPJ_STATUS_PRINT_CANCELLED));
    return job;
}

static struct job job_gone(struct host *h)
{
    struct job job = job_scheduling(h);
    expect(h, SUCCESS, npj_done(h->srv, job.op, NPJ_STATUS_SUCCESS));
    return job;
}

static struct job job_pipelined(struct host *h)
{
    struct job job = job_adding(h);
    expect(h, PENDING, npj_connect(h->srv, job.id, TAG_CONNECT));
    job_write(h, &job, TAG_WRITE, "abc");
    job_write(h, &job, TAG_WRITE + 1, "def");
    expect(h, SUCCESS, npj_cancel(h->srv, job.req));
    expect(h, PENDING, npj_close(h->srv, job.id, TAG_CLOSE));
    return job;
}

static struct job (*const stages[])(struct host *) = {
    job_adding_untaken, job_adding,     job_pipelined,      job_added,      job_connecting, job_open,     job_closing,
    job_cleanup,        job_scheduling, job_cleanup_failed, job_abandoning, job_broken,     job_aborting, job_gone,
};
enum { STAGES = sizeof stages / sizeof *stages };

TestEachBelow(int *stage, law10, an_engine_is_freed_at_any_time, STAGES)
{
    struct host *h = host_start(NULL);
    stages[*stage](h);
    host_free(h); /* asserts that the allocator has everything back */
}

/* The jobs of a client or provider end by themselves once their operations return, and nothing is left of them. */
static void run_down(struct host *h)
{
    size_t completed = 0;
    for (bool more = true; more;) {
        more = false;
        for (npj_action action; npj_next(h->srv, &action); more = true) {
            cr_assert_neq(action.kind, NPJ_IDLE);
            if (action.kind <= NPJ_ABANDON_JOB)
                h->operations[h->operation_count++] = (struct operation){action.op, action.kind};
        }
        for (; completed < h->operation_count; completed++, more = true)
            complete(h, h->operations[completed].kind, h->operations[completed].op, NPJ_STATUS_CANCELLED);
        cr_assert_null(npj_check(h->srv), "%s", npj_check(h->srv));
    }
}

TestEachBelow(int *stage, law10, a_client_that_goes_is_reclaimed_whole, STAGES)
{
    struct host *h = host_start(NULL);
    const uint64_t bytes = h->pool.bytes;
    struct job job = stages[*stage](h);
    expect(h, SUCCESS, npj_client_gone(h->srv, CLIENT, NPJ_STATUS_NETWORK_NAME_DELETED));
    run_down(h);
    expect_state(h, job.id, NPJ_STATE_GONE);
    cr_assert_eq(h->pool.bytes, bytes);
    host_end(h);
}

TestEachBelow(int *stage, law10, a_provider_that_goes_is_reclaimed_whole, STAGES)
{
    struct host *h = host_start(NULL);
    const uint64_t bytes = h->pool.bytes;
    struct job job = stages[*stage](h);
    const size_t in_hand = h->operation_count;
    expect(h, SUCCESS, npj_provider_gone(h->srv, PROVIDER));
    run_down(h);
    for (size_t i = in_hand; i < h->operation_count; i++)
        cr_assert_eq(h->operations[i].kind, NPJ_CLOSE_PIPE, "an operation for a provider that is gone");
    expect_packets(h, 0);
    npj_job_info info;
    if (npj_job_query(h->srv, job.id, &info) == NPJ_STATUS_SUCCESS) {
        cr_assert_eq(info.state, NPJ_STATE_BROKEN); /* a slot, until its client lets go */
        expect(h, SUCCESS, npj_client_gone(h->srv, CLIENT, NPJ_STATUS_NETWORK_NAME_DELETED));
    }
    run_down(h);
    cr_assert_eq(h->pool.bytes, bytes);
    host_end(h);
}

Test(law10, gone_meets_the_jobs_of_that_key_and_no_others)
{
    struct host *h = host_start(NULL);
    struct job a = job_open_for(h, 1, 8, 100, NPJ_BYTE_MODE);
    struct job b = job_open_for(h, 2, 8, 101, NPJ_BYTE_MODE);
    struct job c = job_open_for(h, 1, 9, 102, NPJ_BYTE_MODE);
    struct job d = job_open_for(h, 2, 9, 103, NPJ_BYTE_MODE);
    h->trace_count = 0;
    expect(h, SUCCESS, npj_client_gone(h->srv, 1, NPJ_STATUS_NETWORK_NAME_DELETED));
    cr_assert_eq(count_traces(h, NPJ_TRACE_EVENT, NPJ_EVENT_CLIENT_GONE), 2);
    for (size_t i = 0; i < h->trace_count; i++)
        cr_assert(h->traces[i].job == a.id || h->traces[i].job == c.id, "another client's job was met");
    expect_state(h, b.id, NPJ_STATE_OPEN);
    h->trace_count = 0;
    expect(h, SUCCESS, npj_provider_gone(h->srv, 9));
    for (size_t i = 0; i < h->trace_count; i++)
        cr_assert(h->traces[i].job == c.id || h->traces[i].job == d.id, "another provider's job was met");
    expect_state(h, b.id, NPJ_STATE_OPEN);
    host_end(h);
}

Test(law10, an_unknown_key_owns_nothing)
{
    struct host *h = host_start(NULL);
    struct job job = job_open(h);
    const uint64_t digest = npj_digest(h->srv);
    expect(h, SUCCESS, npj_client_gone(h->srv, CLIENT + 100, NPJ_STATUS_NETWORK_NAME_DELETED));
    expect(h, SUCCESS, npj_provider_gone(h->srv, PROVIDER + 100));
    expect(h, SUCCESS, npj_client_gone(h->srv, PROVIDER, NPJ_STATUS_NETWORK_NAME_DELETED)); /* two name spaces */
    expect(h, SUCCESS, npj_provider_gone(h->srv, CLIENT));
    cr_assert_eq(npj_digest(h->srv), digest);
    expect_state(h, job.id, NPJ_STATE_OPEN);
    host_end(h);
}

Test(law10, a_key_may_be_used_again_at_once)
{
    struct host *h = host_start(NULL);
    struct job old = job_adding(h);
    expect(h, SUCCESS, npj_provider_gone(h->srv, PROVIDER));
    expect(h, SUCCESS, npj_client_gone(h->srv, CLIENT, NPJ_STATUS_NETWORK_NAME_DELETED));
    take(h, NPJ_CANCEL);
    expect_reply(h, TAG_ADD, PIPE_DISCONNECTED, 0); /* the first failure stays */
    struct job job = job_open(h);
    expect_state(h, old.id, NPJ_STATE_ABORTING);
    expect(h, SUCCESS, npj_job_added(h->srv, old.op, 0, &path_of_pipe, JOB_ID));
    expect_nothing(h); /* the JobId of the provider that went means nothing: no ABANDON_JOB */
    expect_state(h, old.id, NPJ_STATE_GONE);
    expect_state(h, job.id, NPJ_STATE_OPEN);
    expect(h, SUCCESS, npj_provider_gone(h->srv, PROVIDER));
    expect_state(h, job.id, NPJ_STATE_CLEANUP_FAILED);
    host_end(h);
}

Test(law10, a_client_gone_after_close_is_answered_normally)
{
    struct host *h = host_start(NULL);
    struct job job = job_closing(h);
    expect(h, SUCCESS, npj_client_gone(h->srv, CLIENT, NPJ_STATUS_NETWORK_NAME_DELETED));
    expect_nothing(h); /* no CANCEL */
    expect_written(h, job.op, TAG_WRITE, 3);
    finish_close(h);
    host_end(h);
}

Test(law10, a_client_gone_after_an_early_close_is_answered_normally)
{
    struct host *h = host_start(NULL);
    struct job job = job_adding(h);
    expect(h, PENDING, npj_connect(h->srv, job.id, TAG_CONNECT));
    expect(h, PENDING, npj_close(h->srv, job.id, TAG_CLOSE));
    expect(h, SUCCESS, npj_client_gone(h->srv, CLIENT, NPJ_STATUS_NETWORK_NAME_DELETED));
    expect_nothing(h);
    expect_added(h, job.op);
    expect_opened(h, take(h, NPJ_OPEN).op);
    finish_close(h);
    host_end(h);
}

Test(law10, a_provider_gone_withdraws_what_was_not_taken)
{
    struct host *h = host_start(NULL);
    struct job job = job_accept_for(h, CLIENT, PROVIDER, COOKIE); /* ADD_JOB */
    expect(h, SUCCESS, npj_provider_gone(h->srv, PROVIDER));
    expect_reply(h, TAG_ADD, PIPE_DISCONNECTED, 0);
    expect_nothing(h);
    expect_state(h, job.id, NPJ_STATE_GONE);
    job = job_cleanup(h); /* SCHEDULE_JOB */
    expect(h, SUCCESS, npj_done(h->srv, job.op, NPJ_STATUS_SUCCESS));
    expect_state(h, job.id, NPJ_STATE_SCHEDULING);
    expect(h, SUCCESS, npj_provider_gone(h->srv, PROVIDER));
    expect_reply(h, TAG_CLOSE, PIPE_DISCONNECTED, 0);
    expect_nothing(h);
    expect_state(h, job.id, NPJ_STATE_GONE);
    job = job_added(h); /* ABANDON_JOB */
    expect(h, SUCCESS, npj_abort(h->srv, job.id, NPJ_STATUS_PRINT_CANCELLED));
    expect_state(h, job.id, NPJ_STATE_ABANDONING);
    expect(h, SUCCESS, npj_provider_gone(h->srv, PROVIDER));
    expect_nothing(h);
    expect_state(h, job.id, NPJ_STATE_GONE);
    host_end(h);
}

Test(law10, a_provider_gone_leaves_a_broken_job_nothing_to_say)
{
    struct host *h = host_start(NULL);
    struct job job = job_cleanup_failed(h);
    expect(h, SUCCESS, npj_done(h->srv, job.op, NPJ_STATUS_SUCCESS)); /* ABANDON_JOB is due */
    expect_state(h, job.id, NPJ_STATE_ABANDONING);
    expect(h, SUCCESS, npj_provider_gone(h->srv, PROVIDER));
    expect_nothing(h);
    expect_state(h, job.id, NPJ_STATE_BROKEN);
    struct job other = job_open(h);
    expect_state(h, other.id, NPJ_STATE_OPEN);
    host_end(h);
}

Test(law10, a_provider_gone_leaves_the_pipe_to_be_closed)
{
    struct host *h = host_start(NULL);
    struct job job = job_open(h);
    expect(h, SUCCESS, npj_provider_gone(h->srv, PROVIDER));
    finish(h, NPJ_CLOSE_PIPE, PIPE_DISCONNECTED);
    expect_nothing(h);
    expect_state(h, job.id, NPJ_STATE_BROKEN);
    expect(h, PENDING, npj_close(h->srv, job.id, TAG_CLOSE));
    expect_reply(h, TAG_CLOSE, PIPE_DISCONNECTED, 0);
    expect_state(h, job.id, NPJ_STATE_GONE);
    host_end(h);
}

Test(law10, a_failed_job_is_not_scheduled_or_abandoned_with_a_provider_that_went_meanwhile)
{
    struct host *h = host_start(NULL);
    struct job job = job_cleanup_failed(h);
    expect(h, SUCCESS, npj_provider_gone(h->srv, PROVIDER));
    expect(h, SUCCESS, npj_done(h->srv, job.op, NPJ_STATUS_SUCCESS));
    expect_nothing(h);
    expect_state(h, job.id, NPJ_STATE_BROKEN);
    host_end(h);
}

/* ------------------------------------------------------------------------------------------------ law 11: isolation */

Test(law11, a_job_at_its_limit_costs_the_others_nothing)
{
    struct host *h = host_start(limits_with(.max_jobs = 2, .max_job_packets = 4, .max_packets = 8));
    struct job a = job_open_for(h, 1, 2, 3, NPJ_BYTE_MODE);
    struct job b = job_open_for(h, 1, 2, 4, NPJ_BYTE_MODE);
    for (unsigned i = 0; i < 4; i++)
        job_write(h, &a, TAG_WRITE + i, "a");
    take_write(h, "aaaa"); /* and its pipe stalls */
    refused(h, QUOTA_EXCEEDED, npj_write(h->srv, a.id, 99, "a", 1, NPJ_COPY, NULL));
    for (unsigned round = 0; round < 10; round++) {
        for (unsigned i = 0; i < 4; i++)
            job_write(h, &b, TAG_WRITE + i, "b");
        expect(h, SUCCESS, npj_written(h->srv, take_write(h, "bbbb").op, 0, 4));
        for (unsigned i = 0; i < 4; i++)
            expect_reply(h, TAG_WRITE + i, SUCCESS, 1);
    }
    host_end(h);
}

/* What a job's own limits let it take of the pool, as npj_config has it: many small writes, or large ones with the most
 * waste. */
Test(law11, a_job_at_its_limit_leaves_the_others_their_share_of_the_pool)
{
    static const char bytes[16384];
    static const uint32_t lengths[] = {1, 65, 1025, 2048, 2049, 4097, 8193, 16384};
    npj_config limits = *limits_with(.max_jobs = 2, .max_job_packets = 8, .max_packets = 16,
                                     .max_job_bytes = sizeof bytes, .max_write_bytes = sizeof bytes);
    struct host *h = host_start(&limits);
    const npj_stats stats = stats_of(h);
    limits.max_pool_bytes = UINT64_C(2) * (UINT64_C(8) * (stats.packet_bytes + 64) + sizeof bytes / 4 * 5);
    host_end(h);
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        h = host_start(&limits);
        const struct job jobs[] = {job_open_for(h, 1, 2, 3, NPJ_BYTE_MODE), job_open_for(h, 1, 2, 4, NPJ_BYTE_MODE)};
        for (int j = 0; j < 2; j++) {
            npj_status status;
            do
                status = npj_write(h->srv, jobs[j].id, TAG_WRITE, bytes, lengths[i], NPJ_COPY, NULL);
            while (status == NPJ_STATUS_PENDING);
            cr_assert_eq(status, NPJ_STATUS_QUOTA_EXCEEDED, "writes of %u, job %d: %s", lengths[i], j,
                         npj_status_name(status));
        }
        host_free(h);
    }
}

Test(law11, a_dead_pipe_and_a_dead_client_leave_the_others_alone)
{
    struct host *h = host_start(NULL);
    struct job broken = job_broken(h);
    struct job a = job_open_for(h, 1, PROVIDER, 3, NPJ_BYTE_MODE);
    struct job b = job_open_for(h, 2, PROVIDER, 4, NPJ_BYTE_MODE);
    job_write(h, &a, TAG_WRITE, "a");
    a.op = take_write(h, "a").op;
    expect(h, SUCCESS, npj_client_gone(h->srv, 1, NPJ_STATUS_NETWORK_NAME_DELETED));
    take(h, NPJ_CANCEL);
    expect_reply(h, TAG_WRITE, NETWORK_NAME_DELETED, 0);
    job_write(h, &b, TAG_WRITE, "b"); /* while the dead client's write is still out */
    take_whole(h, TAG_WRITE, "b");
    close_and_schedule(h, b.id);
    expect_state(h, broken.id, NPJ_STATE_BROKEN);
    expect_state(h, a.id, NPJ_STATE_ABORTING);
    host_end(h);
}

Test(law11, jobs_take_turns)
{
    struct host *h = host_start(NULL);
    struct job a = job_open_for(h, 1, 2, 100, NPJ_MESSAGE_MODE);
    struct job b = job_open_for(h, 1, 2, 101, NPJ_MESSAGE_MODE);
    for (unsigned i = 0; i < 4; i++)
        job_write(h, &a, TAG_WRITE + i, "a");
    for (unsigned i = 0; i < 4; i++)
        job_write(h, &b, TAG_WRITE + i, "b");
    expect(h, SUCCESS, npj_abort(h->srv, a.id, NPJ_STATUS_PRINT_CANCELLED));
    expect(h, SUCCESS, npj_abort(h->srv, b.id, NPJ_STATUS_PRINT_CANCELLED));
    for (unsigned i = 0; i < 5; i++) { /* four replies and CLOSE_PIPE each, in turn */
        npj_action action;
        cr_assert(npj_next(h->srv, &action));
        cr_assert_eq(action.cookie, 100, "turn %u", i);
        cr_assert(npj_next(h->srv, &action));
        cr_assert_eq(action.cookie, 101, "turn %u", i);
        if (i == 4)
            cr_assert_eq(action.kind, NPJ_CLOSE_PIPE);
    }
    expect_nothing(h);
    host_free(h);
}

Test(law11, two_engines_share_nothing)
{
    struct host *h = host_start(NULL);
    struct host *g = host_start(NULL);
    struct job a = job_open(h);
    struct job b = job_open(g);
    job_write(h, &a, TAG_WRITE, "abc");
    take_write(h, "abc");
    expect_nothing(g);
    expect(g, SUCCESS, npj_shutdown(g->srv, NPJ_ABORT));
    expect_state(h, a.id, NPJ_STATE_OPEN);
    expect_state(g, b.id, NPJ_STATE_CLEANUP_FAILED);
    host_end(g);
    host_end(h);
}

/* ----------------------------------------------------------------------------- walks whose every step removes a job */

enum { CROWD = 12 };

/* CROWD jobs that vanish in the very call that ends them: broken ones, and ones that are added and no more. */
static void crowd(struct host *h, npj_job jobs[CROWD], bool broken)
{
    for (unsigned i = 0; i < CROWD; i++)
        jobs[i] = (broken ? job_broken(h) : job_added(h)).id;
}

static void expect_all_gone(struct host *h, const npj_job jobs[CROWD])
{
    for (unsigned i = 0; i < CROWD; i++)
        expect_state(h, jobs[i], NPJ_STATE_GONE);
    const npj_stats stats = stats_of(h);
    cr_assert_eq(stats.jobs.live, 0);
    cr_assert_eq(h->pool.blocks, 1);
}

Test(law10, all_broken_jobs_of_a_client_vanish_in_one_call)
{
    struct host *h = host_start(NULL);
    npj_job jobs[CROWD];
    crowd(h, jobs, true);
    expect(h, SUCCESS, npj_client_gone(h->srv, CLIENT, NPJ_STATUS_NETWORK_NAME_DELETED));
    expect_all_gone(h, jobs);
    expect_nothing(h);
    host_end(h);
}

Test(law10, all_added_jobs_of_a_provider_vanish_in_one_call)
{
    struct host *h = host_start(NULL);
    npj_job jobs[CROWD];
    crowd(h, jobs, false);
    expect(h, SUCCESS, npj_provider_gone(h->srv, PROVIDER));
    expect_all_gone(h, jobs);
    expect_nothing(h);
    host_end(h);
}

Test(law10, all_broken_jobs_vanish_in_one_shutdown)
{
    struct host *h = host_start(NULL);
    npj_job jobs[CROWD];
    crowd(h, jobs, true);
    expect(h, SUCCESS, npj_shutdown(h->srv, NPJ_ABORT));
    expect_all_gone(h, jobs);
    take(h, NPJ_IDLE);
    host_end(h);
}
