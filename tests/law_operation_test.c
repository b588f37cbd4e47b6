/* SPDX-License-Identifier: MIT */
/* Law 3: one operation in flight, each completed by exactly one call; wrong handles change nothing, wrong claims are
 * consumed. */
#include "support.h"

/* Presents @p op to every completion but that of @p kind, and asserts that each refuses it. */
static void expect_other_kinds_refuse(struct host *h, npj_action_kind kind, npj_op op)
{
    if (kind != NPJ_ADD_JOB)
        refused(h, INVALID_HANDLE, npj_job_added(h->srv, op, NPJ_STATUS_SUCCESS, &path_of_pipe, 1));
    if (kind != NPJ_OPEN)
        refused(h, INVALID_HANDLE, npj_opened(h->srv, op, NPJ_STATUS_SUCCESS, NPJ_BYTE_MODE));
    if (kind != NPJ_WRITE)
        refused(h, INVALID_HANDLE, npj_written(h->srv, op, NPJ_STATUS_SUCCESS, 0));
    if (kind == NPJ_ADD_JOB || kind == NPJ_OPEN || kind == NPJ_WRITE)
        refused(h, INVALID_HANDLE, npj_done(h->srv, op, NPJ_STATUS_SUCCESS));
}

static void expect_all_refuse(struct host *h, npj_op op)
{
    expect_other_kinds_refuse(h, NPJ_WRITE, op);
    refused(h, INVALID_HANDLE, npj_written(h->srv, op, NPJ_STATUS_SUCCESS, 0));
    refused(h, INVALID_HANDLE, npj_done(h->srv, op, NPJ_STATUS_SUCCESS));
}

Test(law3, duplicates_and_other_kinds_are_refused_all_through_a_life)
{
    struct host *h = host_start(NULL);
    struct job job = job_adding(h);
    expect_other_kinds_refuse(h, NPJ_ADD_JOB, job.op);
    expect(h, SUCCESS, npj_job_added(h->srv, job.op, NPJ_STATUS_SUCCESS, &path_of_pipe, JOB_ID));
    expect_all_refuse(h, job.op);
    expect_reply(h, TAG_ADD, SUCCESS, 0);
    expect(h, PENDING, npj_connect(h->srv, job.id, TAG_CONNECT));
    npj_op op = take(h, NPJ_OPEN).op;
    expect_other_kinds_refuse(h, NPJ_OPEN, op);
    expect(h, SUCCESS, npj_opened(h->srv, op, NPJ_STATUS_SUCCESS, NPJ_BYTE_MODE));
    expect_all_refuse(h, op);
    expect_reply(h, TAG_CONNECT, SUCCESS, 0);
    job_write(h, &job, TAG_WRITE, "abc");
    op = take_write(h, "abc").op;
    expect_other_kinds_refuse(h, NPJ_WRITE, op);
    expect(h, SUCCESS, npj_written(h->srv, op, NPJ_STATUS_SUCCESS, 3));
    expect_all_refuse(h, op);
    expect_reply(h, TAG_WRITE, SUCCESS, 3);
    expect(h, PENDING, npj_close(h->srv, job.id, TAG_CLOSE));
    op = take(h, NPJ_CLOSE_PIPE).op;
    expect_other_kinds_refuse(h, NPJ_CLOSE_PIPE, op);
    expect(h, SUCCESS, npj_done(h->srv, op, NPJ_STATUS_SUCCESS));
    expect_all_refuse(h, op);
    op = take(h, NPJ_SCHEDULE_JOB).op;
    expect_other_kinds_refuse(h, NPJ_SCHEDULE_JOB, op);
    expect(h, SUCCESS, npj_done(h->srv, op, NPJ_STATUS_SUCCESS));
    expect_all_refuse(h, op);
    expect_reply(h, TAG_CLOSE, SUCCESS, 0);
    expect_all_refuse(h, op);
    host_end(h);
}

Test(law3, abandon_is_completed_once)
{
    struct host *h = host_start(NULL);
    struct job job = job_abandoning(h);
    expect_other_kinds_refuse(h, NPJ_ABANDON_JOB, job.op);
    expect(h, SUCCESS, npj_done(h->srv, job.op, NPJ_STATUS_SUCCESS));
    expect_all_refuse(h, job.op);
    host_end(h);
}

Test(law3, a_completion_of_a_recycled_packet_is_stale)
{
    struct host *h = host_start(limits_with(.max_idle_bytes = 1 << 16)); /* the packet is used again */
    struct job job = job_writing(h);
    const struct job old = job;
    expect(h, SUCCESS, npj_written(h->srv, old.op, NPJ_STATUS_SUCCESS, 3));
    expect_reply(h, TAG_WRITE, SUCCESS, 3);
    job_write(h, &job, TAG_WRITE + 1, "def");
    const npj_op op = take_write(h, "def").op;
    cr_assert_neq(op, old.op);
    cr_assert_neq(job.req, old.req);
    refused(h, INVALID_HANDLE, npj_written(h->srv, old.op, NPJ_STATUS_SUCCESS, 3));
    refused(h, INVALID_HANDLE, npj_written(h->srv, old.op, NPJ_STATUS_PIPE_BROKEN, 0));
    refused(h, NOT_FOUND, npj_cancel(h->srv, old.req));
    expect(h, SUCCESS, npj_written(h->srv, op, NPJ_STATUS_SUCCESS, 3));
    expect_reply(h, TAG_WRITE + 1, SUCCESS, 3);
    host_end(h);
}

Test(law3, handles_of_a_job_that_is_gone_do_not_reach_its_slots_next_tenant)
{
    struct host *h = host_start(limits_with(.max_jobs = 1));
    struct job old = job_ended(h);
    struct job job = job_cleanup(h);
    cr_assert_neq(job.id, old.id);
    expect_all_refuse(h, old.op);
    expect_all_refuse(h, old.add_op);
    refused(h, INVALID_HANDLE, npj_abort(h->srv, old.id, NPJ_STATUS_PRINT_CANCELLED));
    refused(h, INVALID_HANDLE, npj_connect(h->srv, old.id, 1));
    refused(h, INVALID_HANDLE, npj_write(h->srv, old.id, 1, "a", 1, NPJ_COPY, NULL));
    refused(h, INVALID_HANDLE, npj_close(h->srv, old.id, 1));
    refused(h, NOT_FOUND, npj_cancel(h->srv, old.req));
    expect_state(h, job.id, NPJ_STATE_CLEANUP);
    host_end(h);
}

Test(law3, the_operation_of_one_job_completes_that_job_alone)
{
    struct host *h = host_start(NULL);
    struct job a = job_open_for(h, 1, 2, 3, NPJ_BYTE_MODE);
    struct job b = job_open_for(h, 1, 2, 4, NPJ_BYTE_MODE);
    job_write(h, &a, TAG_WRITE, "aaa");
    a.op = take_write(h, "aaa").op;
    job_write(h, &b, TAG_WRITE + 1, "bbb");
    b.op = take_write(h, "bbb").op;
    refused(h, INVALID_HANDLE, npj_written(h->srv, a.add_op, NPJ_STATUS_SUCCESS, 3));
    expect(h, SUCCESS, npj_written(h->srv, b.op, NPJ_STATUS_SUCCESS, 3));
    cr_assert_eq(expect_reply(h, TAG_WRITE + 1, SUCCESS, 3).job, b.id);
    expect_nothing(h);
    refused(h, INVALID_HANDLE, npj_written(h->srv, b.op, NPJ_STATUS_SUCCESS, 3));
    expect(h, SUCCESS, npj_written(h->srv, a.op, NPJ_STATUS_SUCCESS, 3));
    cr_assert_eq(expect_reply(h, TAG_WRITE, SUCCESS, 3).job, a.id);
    host_end(h);
}

/* Every handle that differs from a real one in one bit, and the likes of 0. */
TestEachBelow(int *bit, law3, forged_handles_are_refused, 64)
{
    struct host *h = host_start(NULL);
    struct job job = job_writing(h);
    const uint64_t flip = UINT64_C(1) << *bit;
    expect_all_refuse(h, job.op ^ flip);
    refused(h, INVALID_HANDLE, npj_connect(h->srv, job.id ^ flip, 1));
    refused(h, INVALID_HANDLE, npj_write(h->srv, job.id ^ flip, 1, "a", 1, NPJ_COPY, NULL));
    refused(h, INVALID_HANDLE, npj_close(h->srv, job.id ^ flip, 1));
    refused(h, INVALID_HANDLE, npj_abort(h->srv, job.id ^ flip, NPJ_STATUS_PRINT_CANCELLED));
    npj_job_info info;
    refused(h, INVALID_HANDLE, npj_job_query(h->srv, job.id ^ flip, &info));
    refused(h, NOT_FOUND, npj_cancel(h->srv, job.req ^ flip));
    host_end(h);
}

Test(law3, one_kind_of_handle_is_not_another)
{
    struct host *h = host_start(NULL);
    struct job job = job_writing(h);
    const uint64_t wrong[] = {0, 1, UINT64_MAX, job.id, job.req, job.op};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        if (wrong[i] != job.op)
            expect_all_refuse(h, wrong[i]);
        if (wrong[i] != job.id) {
            refused(h, INVALID_HANDLE, npj_close(h->srv, wrong[i], 1));
            refused(h, INVALID_HANDLE, npj_abort(h->srv, wrong[i], NPJ_STATUS_PRINT_CANCELLED));
        }
        if (wrong[i] != job.req)
            refused(h, NOT_FOUND, npj_cancel(h->srv, wrong[i]));
    }
    host_end(h);
}

Test(law3, one_operation_at_a_time)
{
    struct host *h = host_start(NULL);
    struct job job = job_open_message(h);
    for (unsigned i = 0; i < 4; i++)
        job_write(h, &job, TAG_WRITE + i, "abc");
    for (unsigned i = 0; i < 4; i++) {
        const npj_op op = take_write(h, "abc").op;
        expect_nothing(h);
        expect(h, SUCCESS, npj_written(h->srv, op, NPJ_STATUS_SUCCESS, 3));
        expect_reply(h, TAG_WRITE + i, SUCCESS, 3);
    }
    host_end(h);
}

Test(law3, an_operation_holds_its_jobs_slot_until_it_returns)
{
    struct host *h = host_start(limits_with(.max_jobs = 1));
    struct job job = job_adding(h);
    npj_job other;
    expect(h, SUCCESS, npj_provider_gone(h->srv, PROVIDER));
    take(h, NPJ_CANCEL);
    expect_reply(h, TAG_ADD, PIPE_DISCONNECTED, 0);
    expect_nothing(h);
    refused(h, INSUFF_SERVER_RESOURCES, npj_add_job(h->srv, 1, 2, 3, 4, &other));
    expect(h, SUCCESS, npj_job_added(h->srv, job.op, NPJ_STATUS_CANCELLED, NULL, 0));
    expect_nothing(h);
    expect(h, PENDING, npj_add_job(h->srv, 1, 2, 3, 4, &other));
    host_end(h);
}

/* The job in the slot that it names hears of it once, as of what it is: whether an operation of its own is in flight,
 * or none. */
Test(law3, a_stale_completion_is_told_to_the_job_in_its_slot)
{
    struct host *h = host_start(NULL);
    struct job job = job_writing(h);
    const npj_op stale = job.op;
    expect_written(h, stale, TAG_WRITE, 3);
    for (unsigned in_flight = 0; in_flight < 2; in_flight++) {
        h->trace_count = 0;
        refused(h, INVALID_HANDLE, npj_written(h->srv, stale, NPJ_STATUS_SUCCESS, 3));
        cr_assert_eq(h->trace_count, 1);
        cr_assert_eq(h->traces[0].event, NPJ_EVENT_WRITTEN);
        cr_assert_eq(h->traces[0].status, NPJ_STATUS_INVALID_HANDLE);
        cr_assert_eq(h->traces[0].job, job.id);
        refused(h, INVALID_HANDLE, npj_written(h->srv, stale, NPJ_STATUS_PIPE_BROKEN, 0));
        cr_assert_eq(h->trace_count, 2);
        cr_assert_eq(h->traces[1].event, NPJ_EVENT_FAILED);
        if (in_flight == 0) {
            job_write(h, &job, TAG_WRITE + 1, "abc");
            (void)take_write(h, "abc");
        }
    }
    host_end(h);
}

Test(law3, an_operation_that_was_not_taken_is_withdrawn_without_trace)
{
    struct host *h = host_start(NULL);
    struct job job = job_accept_for(h, CLIENT, PROVIDER, COOKIE);
    expect(h, SUCCESS, npj_abort(h->srv, job.id, NPJ_STATUS_PRINT_CANCELLED));
    expect_reply(h, TAG_ADD, PRINT_CANCELLED, 0);
    expect_nothing(h); /* no ADD_JOB, no CANCEL of it, no ABANDON_JOB */
    expect_state(h, job.id, NPJ_STATE_GONE);
    job = job_open(h);
    job_write(h, &job, TAG_WRITE, "abc");
    expect(h, SUCCESS, npj_abort(h->srv, job.id, NPJ_STATUS_PRINT_CANCELLED));
    expect_reply(h, TAG_WRITE, PRINT_CANCELLED, 0);
    close_and_abandon(h, PRINT_CANCELLED);
    expect_nothing(h);
    expect_state(h, job.id, NPJ_STATE_GONE);
    host_end(h);
}
