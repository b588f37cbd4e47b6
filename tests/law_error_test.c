/* SPDX-License-Identifier: MIT */
/* Laws 4 and 5: no allocation on the way out; all or nothing, and the order of errors. */
#include "support.h"

/* ------------------------------------------------------------------------------------------ law 4: no allocation */

/* From here on every allocation would fail, and is counted. */
static uint64_t starve(struct host *h)
{
    h->pool.fail_all = true;
    return h->pool.allocs;
}

Test(law4, a_whole_job_ends_without_an_allocation)
{
    struct host *h = host_start(NULL);
    struct job job = job_accept_for(h, CLIENT, PROVIDER, COOKIE);
    expect(h, PENDING, npj_connect(h->srv, job.id, TAG_CONNECT));
    job_write(h, &job, TAG_WRITE, "abc");
    job_write(h, &job, TAG_WRITE + 1, "def");
    const uint64_t allocs = starve(h);
    expect(h, SUCCESS, npj_advance(h->srv, 1));
    expect(h, PENDING, npj_close(h->srv, job.id, TAG_CLOSE));
    expect(h, SUCCESS, npj_cancel(h->srv, job.req));
    expect_reply(h, TAG_WRITE + 1, CANCELLED, 0);
    expect_added(h, take(h, NPJ_ADD_JOB).op);
    expect_opened(h, take(h, NPJ_OPEN).op);
    take_whole(h, TAG_WRITE, "abc");
    expect_reply(h, TAG_CLOSE, CANCELLED, 0);
    close_and_abandon(h, CANCELLED);
    expect(h, SUCCESS, npj_trim(h->srv));
    expect(h, SUCCESS, npj_shutdown(h->srv, NPJ_DRAIN));
    take(h, NPJ_IDLE);
    cr_assert_eq(h->pool.allocs, allocs);
    host_free(h);
}

/* By force, or by its pipe. */
TestEachBelow(int *way, law4, failing_allocates_nothing, WAYS + 1)
{
    struct host *h = host_start(NULL);
    expect(h, SUCCESS, npj_advance(h->srv, 1));
    struct job job = job_writing(h);
    job_lend(h, &job, TAG_WRITE + 1, "def");
    const uint64_t allocs = starve(h);
    if (*way < WAYS)
        end_job(h, &job, *way);
    else
        expect(h, SUCCESS, npj_written(h->srv, job.op, NPJ_STATUS_PIPE_BROKEN, 1));
    cr_assert_eq(h->pool.allocs, allocs);
    host_end(h);
}

Test(law4, free_allocates_nothing)
{
    struct host *h = host_start(NULL);
    struct job job = job_closing(h);
    (void)job;
    const uint64_t allocs = starve(h);
    npj_srv_free(&h->srv);
    cr_assert_eq(h->pool.allocs, allocs);
    cr_assert_eq(h->pool.blocks, 0);
    host_free(h);
}

Test(law4, looking_allocates_nothing)
{
    struct host *h = host_start(NULL);
    struct job job = job_closing(h);
    const uint64_t allocs = starve(h);
    npj_stats stats;
    npj_job_info info;
    npj_stats_get(h->srv, &stats);
    expect(h, SUCCESS, npj_job_query(h->srv, job.id, &info));
    cr_assert_neq(npj_digest(h->srv), 0);
    cr_assert_neq(npj_deadline(h->srv), 0);
    cr_assert_eq(h->pool.allocs, allocs);
    host_end(h);
}

/* -------------------------------------------------------------------------------------- law 5: the order of errors */

static npj_status overlong_write(struct host *h, npj_job job)
{
    return npj_write(h->srv, job, 1, "a", h->config.max_write_bytes + 1, NPJ_COPY, NULL);
}

Test(law5, handle_before_parameter)
{
    struct host *h = host_start(NULL);
    struct job job = job_open(h);
    const npj_job bad = job.id ^ 1;
    refused(h, INVALID_HANDLE, npj_write(h->srv, bad, 1, NULL, 1, 0, NULL));
    refused(h, INVALID_HANDLE, overlong_write(h, bad));
    refused(h, INVALID_HANDLE, npj_abort(h->srv, bad, NPJ_STATUS_SUCCESS));
    refused(h, INVALID_HANDLE, npj_job_added(h->srv, job.add_op, NPJ_STATUS_SUCCESS, NULL, 0));
    refused(h, INVALID_HANDLE, npj_opened(h->srv, job.add_op, NPJ_STATUS_SUCCESS, (npj_pipe_mode)5));
    refused(h, INVALID_HANDLE, npj_written(h->srv, job.add_op, NPJ_STATUS_PENDING, UINT64_MAX));
    refused(h, INVALID_HANDLE, npj_done(h->srv, job.add_op, NPJ_STATUS_PENDING));
    refused(h, INVALID_HANDLE, npj_job_query(h->srv, bad, NULL));
    host_end(h);
}

Test(law5, parameter_before_shutdown)
{
    struct host *h = host_start(NULL);
    expect(h, SUCCESS, npj_shutdown(h->srv, NPJ_DRAIN));
    refused(h, INVALID_PARAMETER, npj_add_job(h->srv, 1, 2, 3, 4, NULL));
    host_end(h);
}

Test(law5, the_handle_of_an_ended_job_before_parameter)
{
    struct host *h = host_start(NULL);
    struct job job = job_scheduling(h);
    expect(h, SUCCESS, npj_done(h->srv, job.op, NPJ_STATUS_SUCCESS)); /* it waits for its last REPLY to be taken */
    refused(h, INVALID_HANDLE, npj_write(h->srv, job.id, 1, "a", 1, 0, NULL));
    refused(h, INVALID_HANDLE, npj_write(h->srv, job.id, 1, NULL, 1, NPJ_COPY, NULL));
    refused(h, INVALID_HANDLE, overlong_write(h, job.id));
    refused(h, INVALID_HANDLE, npj_abort(h->srv, job.id, NPJ_STATUS_PENDING));
    host_end(h);
}

Test(law5, parameter_before_state)
{
    struct host *h = host_start(NULL);
    struct job job = job_broken(h);
    refused(h, INVALID_PARAMETER, npj_write(h->srv, job.id, 1, "a", 1, 0, NULL));
    refused(h, INVALID_PARAMETER, npj_write(h->srv, job.id, 1, NULL, 1, NPJ_COPY, NULL));
    refused(h, INVALID_PARAMETER, overlong_write(h, job.id));
    refused(h, INVALID_PARAMETER, npj_abort(h->srv, job.id, NPJ_STATUS_PENDING));
    refused(h, PIPE_BROKEN, npj_write(h->srv, job.id, 1, "a", 1, NPJ_COPY, NULL));
    host_end(h);
}

Test(law5, shutdown_before_the_engines_cap)
{
    struct host *h = host_start(limits_with(.max_jobs = 1));
    struct job job = job_added(h);
    npj_job other;
    refused(h, INSUFF_SERVER_RESOURCES, npj_add_job(h->srv, 1, 2, 3, 4, &other));
    expect(h, SUCCESS, npj_shutdown(h->srv, NPJ_DRAIN));
    refused(h, SERVER_SHUTDOWN_IN_PROGRESS, npj_add_job(h->srv, 1, 2, 3, 4, &other));
    expect_state(h, job.id, NPJ_STATE_ADDED);
    host_end(h);
}

Test(law5, state_before_the_jobs_limit)
{
    struct host *h = host_start(limits_with(.max_job_packets = 1));
    struct job job = job_writing(h);
    expect(h, PENDING, npj_close(h->srv, job.id, TAG_CLOSE));
    refused(h, PIPE_CLOSING, npj_write(h->srv, job.id, 1, "a", 1, NPJ_COPY, NULL));
    expect_written(h, job.op, TAG_WRITE, 3);
    take(h, NPJ_CLOSE_PIPE); /* and no RESUME: none is owed */
    host_end(h);
}

Test(law5, the_jobs_limit_before_the_engines_cap)
{
    struct host *h = host_start(limits_with(.max_job_packets = 1, .max_packets = 1));
    struct job job = job_open(h);
    struct job other = job_open_for(h, 1, 2, 3, NPJ_BYTE_MODE);
    job_write(h, &job, TAG_WRITE, "abc");
    refused(h, QUOTA_EXCEEDED, npj_write(h->srv, job.id, 1, "a", 1, NPJ_COPY, NULL));
    refused(h, INSUFF_SERVER_RESOURCES, npj_write(h->srv, other.id, 1, "a", 1, NPJ_COPY, NULL));
    host_end(h);
}

Test(law5, the_jobs_limit_before_the_allocator)
{
    struct host *h = host_start(limits_with(.max_job_packets = 1));
    struct job job = job_open(h);
    job_write(h, &job, TAG_WRITE, "abc");
    const uint64_t allocs = starve(h);
    refused(h, QUOTA_EXCEEDED, npj_write(h->srv, job.id, 1, "a", 1, NPJ_COPY, NULL));
    cr_assert_eq(h->pool.allocs, allocs);
    host_end(h);
}

Test(law5, the_engines_cap_before_the_allocator)
{
    struct host *h = host_start(limits_with(.max_jobs = 1, .max_packets = 1));
    struct job job = job_open(h);
    npj_job other;
    job_write(h, &job, TAG_WRITE, "abc");
    const uint64_t allocs = starve(h);
    refused(h, INSUFF_SERVER_RESOURCES, npj_add_job(h->srv, 1, 2, 3, 4, &other));
    refused(h, INSUFF_SERVER_RESOURCES, npj_write(h->srv, job.id, 1, "a", 1, NPJ_COPY, NULL));
    cr_assert_eq(h->pool.allocs, allocs);
    host_end(h);
}

Test(law5, the_allocator_last)
{
    struct host *h = host_start(NULL);
    struct job job = job_open(h);
    npj_job other;
    h->pool.fail_all = true;
    refused(h, INSUFFICIENT_RESOURCES, npj_add_job(h->srv, 1, 2, 3, 4, &other));
    refused(h, INSUFFICIENT_RESOURCES, npj_write(h->srv, job.id, 1, "a", 1, NPJ_COPY, NULL));
    refused(h, INSUFFICIENT_RESOURCES, npj_write(h->srv, job.id, 1, "a", 1, NPJ_LEND, NULL));
    expect_nothing(h); /* no RESUME either */
    host_end(h);
}

Test(law5, every_bad_parameter_changes_nothing)
{
    struct host *h = host_start(NULL);
    struct job job = job_open(h);
    refused(h, INVALID_PARAMETER, npj_add_job(h->srv, 1, 2, 3, 4, NULL));
    static const unsigned flags[] = {0, NPJ_COPY | NPJ_LEND, 4, NPJ_COPY | 4, UINT32_MAX};
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++)
        refused(h, INVALID_PARAMETER, npj_write(h->srv, job.id, 1, "a", 1, flags[i], NULL));
    refused(h, INVALID_PARAMETER, npj_write(h->srv, job.id, 1, NULL, 1, NPJ_LEND, NULL));
    refused(h, INVALID_PARAMETER, npj_write(h->srv, job.id, 1, "a", UINT32_MAX, NPJ_LEND, NULL));
    static const npj_status no_errors[] = {NPJ_STATUS_SUCCESS, NPJ_STATUS_PENDING, 0x80000005, 0x40000000};
    for (size_t i = 0; i < sizeof no_errors / sizeof *no_errors; i++) {
        refused(h, INVALID_PARAMETER, npj_abort(h->srv, job.id, no_errors[i]));
        refused(h, INVALID_PARAMETER, npj_client_gone(h->srv, CLIENT, no_errors[i]));
    }
    refused(h, INVALID_PARAMETER, npj_shutdown(h->srv, (npj_shutdown_how)2));
    refused(h, INVALID_PARAMETER, npj_shutdown(h->srv, (npj_shutdown_how)-1));
    refused(h, INVALID_PARAMETER, npj_job_query(h->srv, job.id, NULL));
    npj_stats_get(h->srv, NULL);
    host_end(h);
}

Test(law5, no_engine_is_an_invalid_parameter)
{
    npj_job job;
    npj_job_info info;
    npj_action action;
    npj_stats stats;
    memset(&stats, 0xFF, sizeof stats);
    cr_assert_eq(npj_add_job(NULL, 1, 2, 3, 4, &job), NPJ_STATUS_INVALID_PARAMETER);
    cr_assert_eq(npj_connect(NULL, 1, 2), NPJ_STATUS_INVALID_PARAMETER);
    cr_assert_eq(npj_write(NULL, 1, 2, "a", 1, NPJ_COPY, NULL), NPJ_STATUS_INVALID_PARAMETER);
    cr_assert_eq(npj_close(NULL, 1, 2), NPJ_STATUS_INVALID_PARAMETER);
    cr_assert_eq(npj_cancel(NULL, 1), NPJ_STATUS_INVALID_PARAMETER);
    cr_assert_eq(npj_job_added(NULL, 1, 0, &path_of_pipe, 2), NPJ_STATUS_INVALID_PARAMETER);
    cr_assert_eq(npj_opened(NULL, 1, 0, NPJ_BYTE_MODE), NPJ_STATUS_INVALID_PARAMETER);
    cr_assert_eq(npj_written(NULL, 1, 0, 0), NPJ_STATUS_INVALID_PARAMETER);
    cr_assert_eq(npj_done(NULL, 1, 0), NPJ_STATUS_INVALID_PARAMETER);
    cr_assert_eq(npj_abort(NULL, 1, NPJ_STATUS_PRINT_CANCELLED), NPJ_STATUS_INVALID_PARAMETER);
    cr_assert_eq(npj_client_gone(NULL, 1, NPJ_STATUS_PRINT_CANCELLED), NPJ_STATUS_INVALID_PARAMETER);
    cr_assert_eq(npj_provider_gone(NULL, 1), NPJ_STATUS_INVALID_PARAMETER);
    cr_assert_eq(npj_shutdown(NULL, NPJ_DRAIN), NPJ_STATUS_INVALID_PARAMETER);
    cr_assert_eq(npj_advance(NULL, 1), NPJ_STATUS_INVALID_PARAMETER);
    cr_assert_eq(npj_trim(NULL), NPJ_STATUS_INVALID_PARAMETER);
    cr_assert_eq(npj_job_query(NULL, 1, &info), NPJ_STATUS_INVALID_PARAMETER);
    cr_assert_eq(npj_deadline(NULL), NPJ_NEVER);
    cr_assert_eq(npj_digest(NULL), 0);
    cr_assert_not(npj_next(NULL, &action));
    npj_stats_get(NULL, &stats);
    cr_assert(stats.jobs.total == 0 && stats.memory_bytes == 0 && stats.packet_bytes == 0);
    npj_stats_get(NULL, NULL);
    npj_srv_free(NULL);
    npj_srv *none = NULL;
    npj_srv_free(&none);
    struct host *h = host_start(NULL);
    cr_assert_not(npj_next(h->srv, NULL));
    host_end(h);
}
