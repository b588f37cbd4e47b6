/* SPDX-License-Identifier: MIT */
/*
 * Event orders that have leaked, hung or crashed real servers, part one: handles, callbacks and want of memory. The
 * number of a test is its row in the list of scenarios.
 */
#include <stdlib.h>

#include "scenario_support.h"

static unsigned char payload[65536];

static void fill_payload(void)
{
    for (size_t i = 0; i < sizeof payload; i++)
        payload[i] = (unsigned char)(i * 31 + (i >> 8));
}

/* One write that the pipe takes in two parts, with a stall before each. */
static void stalled_write(struct host *h, npj_job job, uint64_t tag, uint32_t length, unsigned flags, uint64_t *now)
{
    uint32_t first = length / 3;
    expect(h, PENDING, npj_write(h->srv, job, tag, payload, length, flags, NULL));
    expect_live(h, 1, 1);
    npj_op op = take_write_at(h, payload, length, HERE).op;
    expect(h, SUCCESS, npj_advance(h->srv, *now += STALL_TIMEOUT - 1));
    expect_nothing(h);
    if (first > 0) {
        expect(h, SUCCESS, npj_written(h->srv, op, NPJ_STATUS_SUCCESS, first));
        op = take_write_at(h, payload + first, length - first, HERE).op;
        expect(h, SUCCESS, npj_advance(h->srv, *now += STALL_TIMEOUT - 1));
        expect_nothing(h);
    }
    expect(h, SUCCESS, npj_written(h->srv, op, NPJ_STATUS_SUCCESS, length - first));
    cr_assert_not(expect_reply(h, tag, SUCCESS, length).held);
    expect_live(h, 1, 0);
}

Test(scenario, row_01_packets_are_gone_after_every_completion)
{
    static const uint32_t chunks[] = {1, 512, 4096, 65536};
    enum { WRITES = 24 };
    fill_payload();
    struct host *h = scenario_start(NULL);
    uint64_t now = 5;
    uint64_t bytes = 0;
    for (unsigned flags = NPJ_COPY; flags <= NPJ_LEND; flags++) {
        for (size_t i = 0; i < sizeof chunks / sizeof *chunks; i++) {
            expect(h, SUCCESS, npj_advance(h->srv, now));
            struct job job = job_open(h);
            for (uint64_t write = 0; write < WRITES; write++, bytes += chunks[i])
                stalled_write(h, job.id, TAG_WRITE + write, chunks[i], flags, &now);
            close_and_schedule(h, job.id);
            expect_live(h, 0, 0);
        }
    }
    cr_assert_eq(stats_of(h).packets.peak, 1);
    cr_assert_eq(stats_of(h).packets.total, 2 * 4 * WRITES);
    cr_assert_eq(stats_of(h).bytes_taken, bytes);
    scenario_end(h);
}

/* ----------------------------------------------------------------------------------------- from inside a callback */

static struct {
    uint64_t calls;
    npj_job job;
    npj_req req;
    npj_op op;
} inside;

/* Every call there is, on the engine that is busy. */
static void call_everything(struct host *h)
{
    if (h->srv == NULL)
        return;
    npj_srv *srv = h->srv;
    npj_action action;
    npj_job job = 0;
    npj_req req = 0;
    const npj_status said[] = {
        npj_add_job(srv, 1, 2, 3, 4, &job),
        npj_connect(srv, inside.job, 4),
        npj_write(srv, inside.job, 4, "x", 1, NPJ_COPY, &req),
        npj_close(srv, inside.job, 4),
        npj_cancel(srv, inside.req),
        npj_abort(srv, inside.job, NPJ_STATUS_PRINT_CANCELLED),
        npj_client_gone(srv, CLIENT, NPJ_STATUS_NETWORK_NAME_DELETED),
        npj_provider_gone(srv, PROVIDER),
        npj_shutdown(srv, NPJ_ABORT),
        npj_advance(srv, 1000000),
        npj_trim(srv),
        npj_job_added(srv, inside.op, NPJ_STATUS_SUCCESS, &path_of_pipe, JOB_ID),
        npj_opened(srv, inside.op, NPJ_STATUS_SUCCESS, NPJ_BYTE_MODE),
        npj_written(srv, inside.op, NPJ_STATUS_SUCCESS, 1),
        npj_done(srv, inside.op, NPJ_STATUS_SUCCESS),
    };
    for (size_t i = 0; i < sizeof said / sizeof *said; i++)
        cr_assert_eq(said[i], NPJ_STATUS_INVALID_DEVICE_STATE, "call %zu: %s", i, npj_status_name(said[i]));
    cr_assert_not(npj_next(srv, &action));
    npj_srv_free(&srv);
    cr_assert_eq(srv, h->srv, "an engine cannot be freed from inside itself");
    cr_assert_eq(job, 0);
    cr_assert_eq(req, 0);
    inside.calls++;
}

Test(scenario, row_03_calls_from_inside_a_callback_do_nothing)
{
    struct host *h = scenario_start(NULL);
    struct job first = job_open(h);
    inside.job = first.id;
    inside.req = job_write(h, &first, TAG_WRITE, "abc");
    inside.op = take_write(h, "abc").op;
    scenario_inside = call_everything;

    uint64_t before = inside.calls;
    job_write(h, &first, TAG_WRITE + 1, "def");
    cr_assert_geq(inside.calls, before + 2, "from the allocation and from the trace");
    npjt_counting_fail_next(&scenario_pool);
    refused(h, INSUFFICIENT_RESOURCES, npj_write(h->srv, first.id, 9, "x", 1, NPJ_COPY, NULL));
    expect_live(h, 1, 2);
    expect(h, SUCCESS, npj_cancel(h->srv, first.req));
    expect_reply(h, TAG_WRITE + 1, CANCELLED, 0);
    before = inside.calls;
    expect(h, SUCCESS, npj_written(h->srv, inside.op, NPJ_STATUS_SUCCESS, 3));
    cr_assert_gt(inside.calls, before);
    before = inside.calls;
    expect_reply(h, TAG_WRITE, SUCCESS, 3);
    cr_assert_gt(inside.calls, before, "the packet is released, and the allocator called");
    expect_live(h, 1, 0);
    expect(h, PENDING, npj_close(h->srv, first.id, TAG_CLOSE));
    expect_reply(h, TAG_CLOSE, CANCELLED, 0);
    close_and_abandon(h, CANCELLED);
    expect_live(h, 0, 0);

    struct job second = job_open(h);
    close_and_schedule(h, second.id);
    scenario_end(h);
}

Test(scenario, row_03_the_end_of_an_engine_is_not_entered)
{
    struct host *h = scenario_start(NULL);
    struct job job = job_open(h);
    job_write(h, &job, TAG_WRITE, "abc");
    job_write(h, &job, TAG_WRITE + 1, "def");
    take_write(h, "abcdef");
    inside.job = job.id;
    scenario_inside = call_everything;
    npj_srv *srv = h->srv; /* the host keeps its pointer, so as to call back to the very last */
    npj_srv_free(&srv);
    cr_assert_null(srv);
    cr_assert_eq(inside.calls, 4, "two packets, a job and the engine were released");
    scenario_inside = NULL;
    cr_assert_eq(pool_stats().blocks.live, 0);
    cr_assert_eq(npjt_counting_finish(&scenario_pool), 0);
    free(h);
}

/* --------------------------------------------------------------------------------------- stale and wrong handles */

static void recycle_and_complete_late(uint64_t max_idle_bytes)
{
    struct host *h = scenario_start(limits_with(.max_idle_bytes = max_idle_bytes));
    struct job job = job_open(h);
    npj_req old_req = job_write(h, &job, TAG_WRITE, "abc");
    npj_op old_op = take_write(h, "abc").op;
    expect_written(h, old_op, TAG_WRITE, 3);
    refused(h, INVALID_HANDLE, npj_written(h->srv, old_op, NPJ_STATUS_SUCCESS, 3));

    npj_req req = job_write(h, &job, TAG_WRITE + 1, "xyz");
    cr_assert_neq(req, old_req);
    refused(h, INVALID_HANDLE, npj_written(h->srv, old_op, NPJ_STATUS_SUCCESS, 3));
    npj_op op = take_write(h, "xyz").op;
    cr_assert_neq(op, old_op);
    refused(h, INVALID_HANDLE, npj_written(h->srv, old_op, NPJ_STATUS_SUCCESS, 3));
    refused(h, INVALID_HANDLE, npj_written(h->srv, old_op, NPJ_STATUS_PIPE_BROKEN, 0));
    refused(h, NOT_FOUND, npj_cancel(h->srv, old_req));
    expect_nothing(h);
    expect_packets(h, 1);
    expect_written(h, op, TAG_WRITE + 1, 3);
    expect_packets(h, 0);
    cr_assert_eq(pool_stats().blocks.total, max_idle_bytes == 1 ? 4 : 3, "recycled or not");
    close_and_schedule(h, job.id);
    scenario_end(h);
}

Test(scenario, row_04_old_completion_after_the_packet_was_released)
{
    recycle_and_complete_late(1);
}

Test(scenario, row_04_old_completion_after_the_packet_was_recycled)
{
    recycle_and_complete_late(65536);
}

static void refuse_all_completions(struct host *h, npj_op op, npj_action_kind but)
{
    if (but != NPJ_ADD_JOB) {
        refused(h, INVALID_HANDLE, npj_job_added(h->srv, op, NPJ_STATUS_SUCCESS, &path_of_pipe, 99));
        refused(h, INVALID_HANDLE, npj_job_added(h->srv, op, NPJ_STATUS_ACCESS_DENIED, NULL, 0));
    }
    if (but != NPJ_OPEN) {
        refused(h, INVALID_HANDLE, npj_opened(h->srv, op, NPJ_STATUS_SUCCESS, NPJ_BYTE_MODE));
        refused(h, INVALID_HANDLE, npj_opened(h->srv, op, NPJ_STATUS_ACCESS_DENIED, NPJ_BYTE_MODE));
    }
    if (but != NPJ_WRITE) {
        refused(h, INVALID_HANDLE, npj_written(h->srv, op, NPJ_STATUS_SUCCESS, 1));
        refused(h, INVALID_HANDLE, npj_written(h->srv, op, NPJ_STATUS_PIPE_BROKEN, 0));
    }
    if (but != NPJ_CLOSE_PIPE) {
        refused(h, INVALID_HANDLE, npj_done(h->srv, op, NPJ_STATUS_SUCCESS));
        refused(h, INVALID_HANDLE, npj_done(h->srv, op, NPJ_STATUS_PIPE_BROKEN));
    }
    expect_nothing(h);
}

Test(scenario, row_05_completion_with_a_handle_of_another_kind)
{
    struct host *h = scenario_start(NULL);
    struct job writer = job_open(h);
    npj_req req = job_write(h, &writer, TAG_WRITE, "abc");
    npj_op write = take_write(h, "abc").op;
    struct job other = job_adding(h);
    struct job third = job_connecting(h);
    expect_live(h, 3, 1);
    refuse_all_completions(h, write, NPJ_WRITE);
    refuse_all_completions(h, other.op, NPJ_ADD_JOB);
    refuse_all_completions(h, third.op, NPJ_OPEN);
    const npj_op wrong[] = {0,          UINT64_MAX, writer.id,  other.id,         req,
                            write ^ 4,  write ^ 1,  write ^ 2,  write ^ 3,        write ^ ((uint64_t)1 << 24),
                            write >> 1, write + 8,  write << 8, write | 0xFFFFFC, (uint64_t)1 << 63 | write};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        if (wrong[i] != other.op && wrong[i] != third.op)
            refuse_all_completions(h, wrong[i], NPJ_IDLE);
    refused(h, INVALID_HANDLE, npj_close(h->srv, write, 5));
    refused(h, INVALID_HANDLE, npj_close(h->srv, req, 5));
    refused(h, INVALID_HANDLE, npj_abort(h->srv, write, NPJ_STATUS_PRINT_CANCELLED));
    refused(h, NOT_FOUND, npj_cancel(h->srv, write));
    refused(h, NOT_FOUND, npj_cancel(h->srv, writer.id));

    expect_written(h, write, TAG_WRITE, 3);
    close_and_schedule(h, writer.id);
    expect(h, SUCCESS, npj_job_added(h->srv, other.op, NPJ_STATUS_ACCESS_DENIED, NULL, 0));
    expect_reply(h, TAG_ADD, ACCESS_DENIED, 0);
    expect_opened(h, third.op);
    close_and_schedule(h, third.id);
    scenario_end(h);
}

Test(scenario, row_15_duplicate_completion_with_a_payload)
{
    struct host *h = scenario_start(NULL);
    struct job job = job_added(h);
    npj_job_info info;
    for (int i = 0; i < 2; i++) {
        refused(h, INVALID_HANDLE, npj_job_added(h->srv, job.add_op, NPJ_STATUS_SUCCESS, &path_of_file, 666));
        refused(h, INVALID_HANDLE, npj_job_added(h->srv, job.add_op, NPJ_STATUS_ACCESS_DENIED, NULL, 0));
    }
    expect(h, SUCCESS, npj_job_query(h->srv, job.id, &info));
    cr_assert_eq(info.job_id, JOB_ID);
    expect(h, PENDING, npj_connect(h->srv, job.id, TAG_CONNECT));
    npj_op open = take(h, NPJ_OPEN).op;
    expect(h, SUCCESS, npj_opened(h->srv, open, NPJ_STATUS_SUCCESS, NPJ_BYTE_MODE));
    refused(h, INVALID_HANDLE, npj_opened(h->srv, open, NPJ_STATUS_SUCCESS, NPJ_MESSAGE_MODE));
    expect_reply(h, TAG_CONNECT, SUCCESS, 0);
    job_write(h, &job, TAG_WRITE, "abcdef");
    npj_op write = take_write(h, "abcdef").op;
    expect(h, SUCCESS, npj_written(h->srv, write, NPJ_STATUS_SUCCESS, 2));
    refused(h, INVALID_HANDLE, npj_written(h->srv, write, NPJ_STATUS_SUCCESS, 4));
    write = take_write(h, "cdef").op;
    expect(h, SUCCESS, npj_written(h->srv, write, NPJ_STATUS_SUCCESS, 4));
    refused(h, INVALID_HANDLE, npj_written(h->srv, write, NPJ_STATUS_SUCCESS, 4));
    cr_assert_eq(stats_of(h).bytes_taken, 6);
    expect_reply(h, TAG_WRITE, SUCCESS, 6);
    expect_live(h, 1, 0);
    close_and_schedule(h, job.id);
    refused(h, INVALID_HANDLE, npj_written(h->srv, write, NPJ_STATUS_SUCCESS, 4));
    scenario_end(h);
}

Test(scenario, row_24_cancel_of_what_is_unknown_finished_or_never_accepted)
{
    struct host *h = scenario_start(NULL);
    refused(h, NOT_FOUND, npj_cancel(h->srv, 0));
    refused(h, NOT_FOUND, npj_cancel(h->srv, UINT64_MAX));
    struct job job = job_open(h);
    npj_req req = job_write(h, &job, TAG_WRITE, "abc");
    npj_req never = 0;
    refused(h, INVALID_PARAMETER, npj_write(h->srv, job.id, 9, NULL, 3, NPJ_COPY, &never));
    cr_assert_eq(never, 0);
    refused(h, NOT_FOUND, npj_cancel(h->srv, req + 4));
    refused(h, NOT_FOUND, npj_cancel(h->srv, req ^ ((uint64_t)1 << 24)));
    npj_op op = take_write(h, "abc").op;
    expect(h, SUCCESS, npj_written(h->srv, op, NPJ_STATUS_SUCCESS, 3));
    refused(h, NOT_FOUND, npj_cancel(h->srv, req));
    expect_reply(h, TAG_WRITE, SUCCESS, 3);
    refused(h, NOT_FOUND, npj_cancel(h->srv, req));
    expect_nothing(h);
    expect_live(h, 1, 0);
    close_and_schedule(h, job.id);
    refused(h, NOT_FOUND, npj_cancel(h->srv, req));
    scenario_end(h);
}

/* ------------------------------------------------------------------------------------------------ inline completion */

/* A host that completes every operation before it takes the next action, and asks on from the replies. */
static void live_inline(struct host *h, bool opens)
{
    npj_job job = 0;
    npj_action action;
    unsigned replies = 0;
    expect(h, PENDING, npj_add_job(h->srv, CLIENT, PROVIDER, COOKIE, TAG_ADD, &job));
    expect(h, PENDING, npj_connect(h->srv, job, TAG_CONNECT));
    while (npj_next(h->srv, &action)) {
        if (action.kind == NPJ_OPEN && !opens) {
            expect(h, SUCCESS, npj_opened(h->srv, action.op, NPJ_STATUS_PIPE_NOT_AVAILABLE, NPJ_BYTE_MODE));
        } else if (action.kind == NPJ_WRITE) {
            expect(h, SUCCESS, npj_written(h->srv, action.op, NPJ_STATUS_SUCCESS, action.count));
        } else if (action.kind <= NPJ_ABANDON_JOB) {
            expect(h, SUCCESS, complete(h, action.kind, action.op, NPJ_STATUS_SUCCESS));
            cr_assert_eq(complete(h, action.kind, action.op, NPJ_STATUS_SUCCESS), NPJ_STATUS_INVALID_HANDLE);
        } else {
            cr_assert_eq(action.kind, NPJ_REPLY);
            replies++;
            bool fails = !opens && action.request == NPJ_REQUEST_CONNECT;
            cr_assert_eq(action.status, fails ? NPJ_STATUS_PIPE_NOT_AVAILABLE : NPJ_STATUS_SUCCESS);
            if (action.request == NPJ_REQUEST_CONNECT && opens) {
                expect(h, PENDING, npj_write(h->srv, job, TAG_WRITE, "abc", 3, NPJ_COPY, NULL));
                expect(h, PENDING, npj_close(h->srv, job, TAG_CLOSE));
            }
        }
    }
    cr_assert_eq(replies, opens ? 4 : 2);
}

Test(scenario, row_11_open_completes_inline_ten_thousand_times)
{
    struct host *h = scenario_start(NULL);
    for (int i = 0; i < 10000; i++) {
        live_inline(h, i % 3 != 0);
        cr_assert_eq(stats_of(h).jobs.live, 0);
        cr_assert_eq(pool_stats().blocks.live, 1);
    }
    cr_assert_eq(stats_of(h).jobs.total, 10000);
    cr_assert_eq(stats_of(h).jobs.peak, 1);
    cr_assert_eq(pool_stats().blocks.peak, 3, "engine, job, packet");
    scenario_end(h);
}

/* -------------------------------------------------------------------------------------------------- want of memory */

Test(scenario, row_16_request_registered_then_the_next_allocation_fails)
{
    struct host *h = scenario_start(NULL);
    struct job job = job_open(h);
    npj_req req = job_write(h, &job, TAG_WRITE, "abc");
    npj_req none = 0;
    npjt_counting_fail_next(&scenario_pool);
    refused(h, INSUFFICIENT_RESOURCES, npj_write(h->srv, job.id, 11, "def", 3, NPJ_COPY, &none));
    npjt_counting_fail_next(&scenario_pool);
    refused(h, INSUFFICIENT_RESOURCES, npj_write(h->srv, job.id, 11, "def", 3, NPJ_LEND, &none));
    cr_assert_eq(none, 0);
    cr_assert_eq(pool_stats().injected, 2);
    expect_live(h, 1, 1);

    npjt_counting_fault(&scenario_pool, NPJT_FAULT_FROM, 1);
    expect(h, SUCCESS, npj_cancel(h->srv, req));
    expect_reply(h, TAG_WRITE, CANCELLED, 0);
    expect_nothing(h);
    expect_live(h, 1, 0);
    expect(h, PENDING, npj_close(h->srv, job.id, TAG_CLOSE));
    expect_reply(h, TAG_CLOSE, CANCELLED, 0);
    close_and_abandon(h, CANCELLED);
    cr_assert_eq(pool_stats().injected, 2, "nothing on the way out allocates");
    scenario_end(h);
}

/* A whole life in which what is refused for want of memory is asked again. Returns how often that was. */
static uint64_t persistent_life(struct host *h, unsigned flags)
{
    npj_job job = 0;
    npj_status status;
    uint64_t refusals = 0;
    while ((status = npj_add_job(h->srv, CLIENT, PROVIDER, COOKIE, TAG_ADD, &job)) != NPJ_STATUS_PENDING) {
        cr_assert_eq(status, NPJ_STATUS_INSUFFICIENT_RESOURCES);
        refusals++;
        cr_assert_eq(job, 0);
        expect_live(h, 0, 0);
    }
    expect_added(h, take(h, NPJ_ADD_JOB).op);
    expect(h, PENDING, npj_connect(h->srv, job, TAG_CONNECT));
    expect_opened(h, take(h, NPJ_OPEN).op);
    for (uint64_t i = 0; i < 3; i++) {
        while ((status = npj_write(h->srv, job, TAG_WRITE + i, "abc", 3, flags, NULL)) != NPJ_STATUS_PENDING) {
            cr_assert_eq(status, NPJ_STATUS_INSUFFICIENT_RESOURCES);
            refusals++;
            expect_live(h, 1, i);
        }
    }
    expect(h, SUCCESS, npj_written(h->srv, take_write(h, "abcabcabc").op, NPJ_STATUS_SUCCESS, 9));
    for (uint64_t i = 0; i < 3; i++) {
        expect_reply(h, TAG_WRITE + i, SUCCESS, 3);
        expect_live(h, 1, 2 - i);
    }
    close_and_schedule(h, job);
    expect_live(h, 0, 0);
    return refusals;
}

Test(scenario, row_17_every_allocation_of_a_life_fails_once)
{
    struct host *h = scenario_start(NULL);
    for (unsigned flags = NPJ_COPY; flags <= NPJ_LEND; flags++) {
        for (uint64_t n = 1; n <= 5; n++) {
            uint64_t before = pool_stats().injected;
            npjt_counting_fault(&scenario_pool, NPJT_FAULT_ONCE, n);
            uint64_t refusals = persistent_life(h, flags);
            cr_assert_eq(refusals, pool_stats().injected - before, "reported if and only if injected");
            cr_assert_eq(refusals, n <= 4 ? 1 : 0, "one allocation for the job, one for each write");
        }
        npjt_counting_fault(&scenario_pool, NPJT_FAULT_EVERY, 2);
        cr_assert_eq(persistent_life(h, flags), 3);
        npjt_counting_fault(&scenario_pool, NPJT_FAULT_NONE, 0);
    }
    scenario_end(h);
}

Test(scenario, row_18_a_job_that_cannot_be_added_is_in_no_list)
{
    struct host *h = scenario_start(limits_with(.max_jobs = 2));
    npj_job none = 0;
    struct job job = job_open(h);
    npjt_counting_fail_next(&scenario_pool);
    refused(h, INSUFFICIENT_RESOURCES, npj_add_job(h->srv, CLIENT, PROVIDER, 1, 1, &none));
    npjt_counting_fail_next(&scenario_pool);
    refused(h, INSUFFICIENT_RESOURCES, npj_add_job(h->srv, 500, 600, 1, 1, &none));
    expect_live(h, 1, 0);
    expect(h, SUCCESS, npj_client_gone(h->srv, 500, NPJ_STATUS_NETWORK_NAME_DELETED));
    expect(h, SUCCESS, npj_provider_gone(h->srv, 600));
    expect_nothing(h);

    struct job second = job_open(h);
    refused(h, INSUFF_SERVER_RESOURCES, npj_add_job(h->srv, CLIENT, PROVIDER, 1, 1, &none));
    cr_assert_eq(none, 0);
    expect(h, SUCCESS, npj_client_gone(h->srv, CLIENT, NPJ_STATUS_NETWORK_NAME_DELETED));
    npj_op first_close = take(h, NPJ_CLOSE_PIPE).op;
    npj_op second_close = take(h, NPJ_CLOSE_PIPE).op;
    expect(h, SUCCESS, npj_done(h->srv, second_close, NPJ_STATUS_SUCCESS));
    expect(h, SUCCESS, npj_done(h->srv, first_close, NPJ_STATUS_SUCCESS));
    finish(h, NPJ_ABANDON_JOB, NETWORK_NAME_DELETED);
    finish(h, NPJ_ABANDON_JOB, NETWORK_NAME_DELETED);
    expect_state(h, job.id, NPJ_STATE_GONE);
    expect_state(h, second.id, NPJ_STATE_GONE);
    scenario_end(h);
}
