/* SPDX-License-Identifier: MIT */
/* Shutdown: drain, abort, from the one to the other, and IDLE. */
#include "support.h"

static void shut_down(struct host *h, npj_shutdown_how how)
{
    expect(h, SUCCESS, npj_shutdown(h->srv, how));
}

static void expect_no_new_job(struct host *h)
{
    npj_job job = 0;
    refused(h, SERVER_SHUTDOWN_IN_PROGRESS, npj_add_job(h->srv, 1, 2, 3, 4, &job));
    cr_assert_eq(job, 0);
}

static void take_idle(struct host *h)
{
    const npj_action action = take(h, NPJ_IDLE);
    cr_assert(action.job == 0 && action.cookie == 0 && action.op == 0 && action.tag == 0 && action.status == 0);
    expect_nothing(h);
}

TestEach(int *how, shutdown, an_empty_engine_is_idle_once, NPJ_DRAIN, NPJ_ABORT)
{
    struct host *h = host_start(NULL);
    expect_nothing(h);
    shut_down(h, (npj_shutdown_how)*how);
    take_idle(h);
    shut_down(h, NPJ_DRAIN);
    expect_nothing(h);
    shut_down(h, NPJ_ABORT);
    expect_nothing(h);
    expect(h, SUCCESS, npj_advance(h->srv, 1));
    expect(h, SUCCESS, npj_advance(h->srv, 1 + 2 * DRAIN_TIMEOUT));
    expect_nothing(h);
    expect_no_new_job(h);
    host_end(h);
}

Test(shutdown, drain_lets_the_existing_jobs_finish)
{
    struct host *h = host_start(NULL);
    struct job job = job_added(h);
    shut_down(h, NPJ_DRAIN);
    expect_nothing(h);
    expect_no_new_job(h);
    expect(h, PENDING, npj_connect(h->srv, job.id, TAG_CONNECT));
    expect(h, SUCCESS, npj_opened(h->srv, take(h, NPJ_OPEN).op, 0, NPJ_BYTE_MODE));
    expect_reply(h, TAG_CONNECT, SUCCESS, 0);
    job_write(h, &job, TAG_WRITE, "abc");
    take_whole(h, TAG_WRITE, "abc");
    close_and_schedule(h, job.id);
    take_idle(h);
    host_end(h);
}

Test(shutdown, idle_waits_for_the_last_reply)
{
    struct host *h = host_start(NULL);
    struct job job = job_scheduling(h);
    shut_down(h, NPJ_DRAIN);
    expect_nothing(h);
    expect(h, SUCCESS, npj_done(h->srv, job.op, 0));
    expect_reply(h, TAG_CLOSE, SUCCESS, 0);
    take_idle(h);
    host_end(h);
}

Test(shutdown, abort_fails_every_job_and_waits_for_the_hosts_operations)
{
    struct host *h = host_start(NULL);
    struct job job = job_closing(h);
    shut_down(h, NPJ_ABORT);
    expect_no_new_job(h);
    take(h, NPJ_CANCEL);
    expect_reply(h, TAG_WRITE, SERVER_SHUTDOWN_IN_PROGRESS, 0);
    expect_reply(h, TAG_CLOSE, SERVER_SHUTDOWN_IN_PROGRESS, 0);
    expect_nothing(h);
    expect(h, SUCCESS, npj_written(h->srv, job.op, NPJ_STATUS_CANCELLED, 0));
    finish(h, NPJ_CLOSE_PIPE, SERVER_SHUTDOWN_IN_PROGRESS);
    const npj_op op = take(h, NPJ_ABANDON_JOB).op;
    expect_nothing(h);
    expect(h, SUCCESS, npj_done(h->srv, op, 0));
    take_idle(h);
    host_end(h);
}

Test(shutdown, abort_leaves_no_broken_job)
{
    struct host *h = host_start(NULL);
    struct job broken = job_broken(h);
    struct job open = job_open_for(h, 1, 2, 3, NPJ_BYTE_MODE);
    shut_down(h, NPJ_ABORT);
    expect_state(h, broken.id, NPJ_STATE_GONE);
    close_and_abandon(h, SERVER_SHUTDOWN_IN_PROGRESS);
    expect_state(h, open.id, NPJ_STATE_GONE);
    take_idle(h);
    host_end(h);
}

Test(shutdown, a_job_that_breaks_during_drain_stays_until_the_drain_ends)
{
    struct host *h = host_start(NULL);
    expect(h, SUCCESS, npj_advance(h->srv, 1));
    struct job job = job_broken(h);
    shut_down(h, NPJ_DRAIN);
    expect_nothing(h);
    expect_state(h, job.id, NPJ_STATE_BROKEN);
    expect(h, SUCCESS, npj_advance(h->srv, DRAIN_TIMEOUT));
    expect_state(h, job.id, NPJ_STATE_BROKEN);
    expect(h, SUCCESS, npj_advance(h->srv, 1 + DRAIN_TIMEOUT));
    expect_state(h, job.id, NPJ_STATE_GONE);
    take_idle(h);
    host_end(h);
}

Test(shutdown, a_job_that_fails_during_abort_is_gone)
{
    struct host *h = host_start(NULL);
    struct job job = job_cleanup_failed(h);
    shut_down(h, NPJ_ABORT);
    expect(h, SUCCESS, npj_done(h->srv, job.op, 0));
    finish(h, NPJ_ABANDON_JOB, PIPE_BROKEN);
    take_idle(h);
    host_end(h);
}

Test(shutdown, drain_becomes_abort_at_its_deadline)
{
    struct host *h = host_start(NULL);
    expect(h, SUCCESS, npj_advance(h->srv, 1000));
    struct job job = job_open(h);
    cr_assert_eq(npj_deadline(h->srv), NPJ_NEVER);
    shut_down(h, NPJ_DRAIN);
    cr_assert_eq(npj_deadline(h->srv), 1000 + DRAIN_TIMEOUT);
    expect(h, SUCCESS, npj_advance(h->srv, 2000));
    shut_down(h, NPJ_DRAIN); /* raises nothing, and changes nothing */
    cr_assert_eq(npj_deadline(h->srv), 1000 + DRAIN_TIMEOUT);
    expect(h, SUCCESS, npj_advance(h->srv, 999 + DRAIN_TIMEOUT));
    expect_state(h, job.id, NPJ_STATE_OPEN);
    expect(h, SUCCESS, npj_advance(h->srv, 1000 + DRAIN_TIMEOUT));
    close_and_abandon(h, SERVER_SHUTDOWN_IN_PROGRESS);
    take_idle(h);
    cr_assert_eq(npj_deadline(h->srv), NPJ_NEVER);
    host_end(h);
}

Test(shutdown, drain_before_the_first_advance_counts_from_it)
{
    struct host *h = host_start(NULL);
    struct job job = job_open(h);
    shut_down(h, NPJ_DRAIN);
    expect(h, SUCCESS, npj_advance(h->srv, 5000000));
    cr_assert_eq(npj_deadline(h->srv), 5000000 + DRAIN_TIMEOUT);
    expect_state(h, job.id, NPJ_STATE_OPEN);
    host_end(h);
}

Test(shutdown, drain_is_raised_to_abort_and_never_lowered)
{
    struct host *h = host_start(NULL);
    struct job job = job_open(h);
    shut_down(h, NPJ_DRAIN);
    expect_state(h, job.id, NPJ_STATE_OPEN);
    shut_down(h, NPJ_ABORT);
    expect_state(h, job.id, NPJ_STATE_CLEANUP_FAILED);
    const uint64_t digest = npj_digest(h->srv);
    shut_down(h, NPJ_DRAIN);
    shut_down(h, NPJ_ABORT);
    cr_assert_eq(npj_digest(h->srv), digest);
    cr_assert_eq(npj_deadline(h->srv), NPJ_NEVER);
    close_and_abandon(h, SERVER_SHUTDOWN_IN_PROGRESS);
    take_idle(h);
    host_end(h);
}

Test(shutdown, abort_ends_the_jobs_in_the_order_of_their_slots)
{
    struct host *h = host_start(NULL);
    npj_job jobs[6];
    for (unsigned i = 0; i < 6; i++)
        jobs[i] = job_accept_for(h, 1, 2, 100 + i).id;
    expect(h, SUCCESS, npj_abort(h->srv, jobs[2], NPJ_STATUS_PRINT_CANCELLED));
    for (npj_action action; npj_next(h->srv, &action);)
        if (action.kind == NPJ_ADD_JOB)
            h->operations[h->operation_count++] = (struct operation){action.op, action.kind};
    jobs[2] = job_accept_for(h, 1, 2, 200).id; /* the freed slot, unless another one is used first */
    h->trace_count = 0;
    shut_down(h, NPJ_ABORT);
    uint64_t last = 0;
    unsigned seen = 0;
    for (size_t i = 0; i < h->trace_count; i++) {
        if (h->traces[i].event != NPJ_EVENT_EXPIRE)
            continue;
        const uint64_t slot = h->traces[i].job >> 2 & NPJ_MAX_JOBS;
        cr_assert(seen == 0 || slot > last, "slot %llu after slot %llu", (unsigned long long)slot,
                  (unsigned long long)last);
        last = slot;
        seen++;
    }
    cr_assert_eq(seen, 6);
    host_end(h);
}

Test(shutdown, events_after_idle_find_nothing)
{
    struct host *h = host_start(NULL);
    struct job job = job_scheduling(h);
    shut_down(h, NPJ_DRAIN);
    expect(h, SUCCESS, npj_done(h->srv, job.op, 0));
    expect_reply(h, TAG_CLOSE, SUCCESS, 0);
    take_idle(h);
    refused(h, INVALID_HANDLE, npj_done(h->srv, job.op, 0));
    refused(h, INVALID_HANDLE, npj_close(h->srv, job.id, TAG_CLOSE));
    refused(h, NOT_FOUND, npj_cancel(h->srv, job.req));
    expect(h, SUCCESS, npj_client_gone(h->srv, CLIENT, NPJ_STATUS_NETWORK_NAME_DELETED));
    expect(h, SUCCESS, npj_provider_gone(h->srv, PROVIDER));
    expect_nothing(h);
    host_end(h);
}
