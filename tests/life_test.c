/* SPDX-License-Identifier: MIT */
/* The life of a job: what AddJob may answer, what failure leaves, whom CANCEL goes to, what NO_POOL says. */
#include "support.h"

/* ------------------------------------------------------------------------------------------- what AddJob answers */

Test(life, a_path_that_is_no_pipe_is_the_hosts)
{
    struct host *h = host_start(NULL);
    struct job job = job_adding(h);
    expect(h, PENDING, npj_connect(h->srv, job.id, TAG_CONNECT));
    job_write(h, &job, TAG_WRITE, "abc");
    job_lend(h, &job, TAG_WRITE + 1, "def");
    expect(h, PENDING, npj_close(h->srv, job.id, TAG_CLOSE));
    expect(h, SUCCESS, npj_job_added(h->srv, job.op, 0, &path_of_file, JOB_ID));
    expect_reply(h, TAG_ADD, INVALID_DEVICE_REQUEST, 0);
    expect_reply(h, TAG_CONNECT, INVALID_DEVICE_REQUEST, 0);
    expect_reply(h, TAG_WRITE, INVALID_DEVICE_REQUEST, 0);
    cr_assert_not(expect_reply(h, TAG_WRITE + 1, INVALID_DEVICE_REQUEST, 0).held);
    expect_reply(h, TAG_CLOSE, INVALID_DEVICE_REQUEST, 0);
    expect_nothing(h); /* no ABANDON_JOB: the JobId is the host's */
    expect_state(h, job.id, NPJ_STATE_GONE);
    host_end(h);
}

Test(life, a_path_that_is_no_pipe_comes_too_late)
{
    struct host *h = host_start(NULL);
    struct job job = job_adding(h);
    expect(h, SUCCESS, npj_client_gone(h->srv, CLIENT, NPJ_STATUS_NETWORK_NAME_DELETED));
    take(h, NPJ_CANCEL);
    expect_reply(h, TAG_ADD, NETWORK_NAME_DELETED, 0);
    expect(h, SUCCESS, npj_job_added(h->srv, job.op, 0, &path_of_file, JOB_ID));
    finish(h, NPJ_ABANDON_JOB, NETWORK_NAME_DELETED);
    expect_nothing(h);
    expect_state(h, job.id, NPJ_STATE_GONE);
    host_end(h);
}

/* Answered is answered, whether or not the host has taken the REPLY. */
Test(life, a_path_that_is_no_pipe_comes_after_an_answer_not_taken)
{
    struct host *h = host_start(NULL);
    struct job job = job_adding(h);
    expect(h, SUCCESS, npj_abort(h->srv, job.id, NPJ_STATUS_PRINT_CANCELLED));
    expect(h, SUCCESS, npj_job_added(h->srv, job.op, 0, &path_of_file, JOB_ID));
    expect_reply(h, TAG_ADD, PRINT_CANCELLED, 0);
    finish(h, NPJ_ABANDON_JOB, PRINT_CANCELLED);
    expect_nothing(h);
    host_end(h);
}

Test(life, a_malformed_path_fails_the_job)
{
    struct host *h = host_start(NULL);
    struct job job = job_adding(h);
    expect(h, PENDING, npj_connect(h->srv, job.id, TAG_CONNECT));
    expect(h, SUCCESS, npj_job_added(h->srv, job.op, 0, &path_malformed, JOB_ID));
    expect_reply(h, TAG_ADD, OBJECT_NAME_INVALID, 0);
    expect_reply(h, TAG_CONNECT, OBJECT_NAME_INVALID, 0);
    finish(h, NPJ_ABANDON_JOB, OBJECT_NAME_INVALID);
    expect_nothing(h);
    expect_state(h, job.id, NPJ_STATE_GONE);
    host_end(h);
}

Test(life, a_malformed_path_of_an_aborted_job_changes_nothing)
{
    struct host *h = host_start(NULL);
    struct job job = job_adding(h);
    expect(h, SUCCESS, npj_abort(h->srv, job.id, NPJ_STATUS_PRINT_CANCELLED));
    take(h, NPJ_CANCEL);
    expect_reply(h, TAG_ADD, PRINT_CANCELLED, 0);
    expect(h, SUCCESS, npj_job_added(h->srv, job.op, 0, &path_malformed, JOB_ID));
    finish(h, NPJ_ABANDON_JOB, PRINT_CANCELLED);
    expect_nothing(h);
    host_end(h);
}

Test(life, the_profile_decides_what_is_malformed)
{
    const npj_path slash = {"\\\\.\\pipe\\a/b", 12, NPJ_PATH_UTF8};
    for (int permissive = 0; permissive < 2; permissive++) {
        struct host *h = host_start(limits_with(.path_profile = permissive ? NPJ_PATH_PERMISSIVE : NPJ_PATH_STRICT));
        struct job job = job_adding(h);
        expect(h, SUCCESS, npj_job_added(h->srv, job.op, 0, &slash, JOB_ID));
        if (permissive)
            expect_reply(h, TAG_ADD, SUCCESS, 0);
        else
            expect_reply(h, TAG_ADD, OBJECT_NAME_INVALID, 0);
        host_end(h);
    }
}

Test(life, an_opaque_name_is_taken_unread)
{
    struct host *h = host_start(NULL);
    struct job job = job_adding(h);
    const npj_path path = {"/run/spool/./..\\x\x01", 18, NPJ_PATH_OPAQUE};
    expect(h, SUCCESS, npj_job_added(h->srv, job.op, 0, &path, JOB_ID));
    expect_reply(h, TAG_ADD, SUCCESS, 0);
    host_end(h);
}

Test(life, an_abandoned_add_is_not_lost)
{
    struct host *h = host_start(NULL);
    struct job job = job_adding(h);
    expect(h, SUCCESS, npj_client_gone(h->srv, CLIENT, NPJ_STATUS_USER_SESSION_DELETED));
    take(h, NPJ_CANCEL);
    expect_reply(h, TAG_ADD, USER_SESSION_DELETED, 0);
    expect(h, SUCCESS, npj_job_added(h->srv, job.op, 0, &path_of_pipe, JOB_ID));
    finish(h, NPJ_ABANDON_JOB, USER_SESSION_DELETED); /* with the JobId that came back */
    expect_nothing(h);
    expect_state(h, job.id, NPJ_STATE_GONE);
    host_end(h);
}

/* ------------------------------------------------------------------------------------------------------- BROKEN */

Test(life, a_broken_job_holds_nothing_but_its_slot)
{
    struct host *h = host_start(NULL);
    expect(h, SUCCESS, npj_advance(h->srv, 1));
    struct job job = job_broken(h);
    const npj_stats stats = stats_of(h);
    cr_assert_eq(stats.jobs.live, 1);
    cr_assert_eq(stats.packets.live, 0);
    cr_assert_eq(stats.reserved_packets.live, 0);
    cr_assert_eq(npj_deadline(h->srv), NPJ_NEVER);
    for (unsigned i = 0; i < 100; i++) {
        refused(h, PIPE_BROKEN, npj_write(h->srv, job.id, 9, "a", 1, NPJ_COPY, NULL));
        refused(h, PIPE_BROKEN, npj_write(h->srv, job.id, 9, NULL, 0, NPJ_COPY, NULL));
    }
    refused(h, INVALID_PIPE_STATE, npj_connect(h->srv, job.id, 9));
    expect_nothing(h);
    expect(h, PENDING, npj_close(h->srv, job.id, TAG_CLOSE));
    refused(h, INVALID_HANDLE, npj_close(h->srv, job.id, TAG_CLOSE));
    expect_reply(h, TAG_CLOSE, PIPE_BROKEN, 0);
    cr_assert_eq(stats_of(h).jobs.live, 0);
    host_end(h);
}

/* Which failed jobs end in BROKEN, and which are simply gone. */
Test(life, an_aborted_job_does_not_stay_broken)
{
    struct host *h = host_start(NULL);
    struct job job = job_open(h);
    expect(h, SUCCESS, npj_abort(h->srv, job.id, NPJ_STATUS_PRINT_CANCELLED));
    close_and_abandon(h, PRINT_CANCELLED);
    expect_state(h, job.id, NPJ_STATE_GONE);
    host_end(h);
}

Test(life, an_abort_or_client_gone_after_the_failure_does_not_leave_a_broken_job)
{
    for (int gone = 0; gone < 2; gone++) {
        struct host *h = host_start(NULL);
        struct job job = job_abandoning(h);
        if (gone)
            expect(h, SUCCESS, npj_client_gone(h->srv, CLIENT, NPJ_STATUS_NETWORK_NAME_DELETED));
        else
            expect(h, SUCCESS, npj_abort(h->srv, job.id, NPJ_STATUS_PRINT_CANCELLED));
        expect(h, SUCCESS, npj_done(h->srv, job.op, NPJ_STATUS_SUCCESS));
        expect_nothing(h);
        expect_state(h, job.id, NPJ_STATE_GONE);
        host_end(h);
    }
}

Test(life, an_expired_open_job_stays_broken)
{
    struct host *h = host_start(NULL);
    expect(h, SUCCESS, npj_advance(h->srv, 1));
    struct job job = job_writing(h);
    expect(h, SUCCESS, npj_advance(h->srv, 1 + STALL_TIMEOUT));
    take(h, NPJ_CANCEL);
    expect_reply(h, TAG_WRITE, IO_TIMEOUT, 0);
    expect(h, SUCCESS, npj_written(h->srv, job.op, NPJ_STATUS_CANCELLED, 0));
    close_and_abandon(h, IO_TIMEOUT);
    expect_state(h, job.id, NPJ_STATE_BROKEN);
    host_end(h);
}

Test(life, a_job_whose_connect_failed_is_gone)
{
    struct host *h = host_start(NULL);
    struct job job = job_connecting(h);
    expect(h, SUCCESS, npj_opened(h->srv, job.op, NPJ_STATUS_OBJECT_NAME_NOT_FOUND, NPJ_BYTE_MODE));
    expect_reply(h, TAG_CONNECT, OBJECT_NAME_NOT_FOUND, 0);
    finish(h, NPJ_ABANDON_JOB, OBJECT_NAME_NOT_FOUND);
    expect_nothing(h);
    expect_state(h, job.id, NPJ_STATE_GONE);
    host_end(h);
}

Test(life, a_pipe_that_opens_after_the_failure_is_closed)
{
    struct host *h = host_start(NULL);
    expect(h, SUCCESS, npj_advance(h->srv, 1));
    struct job job = job_connecting(h);
    expect(h, SUCCESS, npj_advance(h->srv, 1 + CONNECT_TIMEOUT));
    take(h, NPJ_CANCEL);
    expect_reply(h, TAG_CONNECT, IO_TIMEOUT, 0);
    expect(h, SUCCESS, npj_opened(h->srv, job.op, 0, NPJ_BYTE_MODE));
    close_and_abandon(h, IO_TIMEOUT);
    expect_nothing(h);
    expect_state(h, job.id, NPJ_STATE_GONE); /* its connect was not answered SUCCESS */
    host_end(h);
}

/* ------------------------------------------------------------------------------------------------------- CANCEL */

Test(life, cancel_goes_to_four_kinds_of_operation)
{
    struct job (*const stages[])(struct host *) = {job_adding, job_connecting, job_writing, job_scheduling};
    for (size_t i = 0; i < 4; i++) {
        struct host *h = host_start(NULL);
        struct job job = stages[i](h);
        expect(h, SUCCESS, npj_abort(h->srv, job.id, NPJ_STATUS_PRINT_CANCELLED));
        const npj_action cancel = take(h, NPJ_CANCEL);
        cr_assert_eq(cancel.op, job.op);
        cr_assert_eq(cancel.job, job.id);
        expect(h, SUCCESS, npj_abort(h->srv, job.id, NPJ_STATUS_PRINT_CANCELLED));
        expect(h, SUCCESS, npj_client_gone(h->srv, CLIENT, NPJ_STATUS_NETWORK_NAME_DELETED));
        expect(h, SUCCESS, npj_provider_gone(h->srv, PROVIDER));
        expect(h, SUCCESS, npj_shutdown(h->srv, NPJ_ABORT));
        for (npj_action action; npj_next(h->srv, &action);)
            cr_assert_eq(action.kind, NPJ_REPLY, "a second CANCEL, or something to start");
        host_end(h);
    }
}

Test(life, closing_and_abandoning_are_never_cancelled)
{
    struct job (*const stages[])(struct host *) = {job_cleanup, job_cleanup_failed, job_abandoning};
    for (size_t i = 0; i < 3; i++) {
        struct host *h = host_start(NULL);
        struct job job = stages[i](h);
        expect(h, SUCCESS, npj_abort(h->srv, job.id, NPJ_STATUS_PRINT_CANCELLED));
        expect(h, SUCCESS, npj_provider_gone(h->srv, PROVIDER));
        for (npj_action action; npj_next(h->srv, &action);)
            cr_assert_eq(action.kind, NPJ_REPLY);
        expect(h, SUCCESS, npj_done(h->srv, job.op, NPJ_STATUS_SUCCESS));
        host_end(h);
    }
}

Test(life, a_cancel_and_an_abort_are_one_cancel)
{
    struct host *h = host_start(NULL);
    struct job job = job_writing(h);
    expect(h, SUCCESS, npj_cancel(h->srv, job.req));
    take(h, NPJ_CANCEL);
    expect(h, SUCCESS, npj_abort(h->srv, job.id, NPJ_STATUS_PRINT_CANCELLED));
    expect_reply(h, TAG_WRITE, PRINT_CANCELLED, 0);
    expect_nothing(h);
    host_end(h);
}

Test(life, no_cancel_after_the_completion)
{
    struct host *h = host_start(NULL);
    struct job job = job_writing(h);
    expect(h, SUCCESS, npj_cancel(h->srv, job.req));
    expect_written(h, job.op, TAG_WRITE, 3);
    expect_nothing(h);
    job_write(h, &job, TAG_WRITE + 1, "abc");
    job.op = take_write(h, "abc").op;
    expect(h, SUCCESS, npj_abort(h->srv, job.id, NPJ_STATUS_PRINT_CANCELLED));
    expect(h, SUCCESS, npj_written(h->srv, job.op, NPJ_STATUS_SUCCESS, 3));
    expect_reply(h, TAG_WRITE + 1, PRINT_CANCELLED, 0);
    take(h, NPJ_CLOSE_PIPE);
    host_end(h);
}

Test(life, each_operation_may_have_a_cancel_of_its_own)
{
    struct host *h = host_start(NULL);
    struct job job = job_writing(h);
    for (unsigned i = 0; i < 3; i++) {
        expect(h, SUCCESS, npj_cancel(h->srv, job.req));
        take_cancel(h, job.op);
        expect(h, SUCCESS, npj_written(h->srv, job.op, NPJ_STATUS_CANCELLED, 0));
        expect_reply(h, TAG_WRITE, CANCELLED, 0);
        job_write(h, &job, TAG_WRITE, "abc");
        job.op = take_write(h, "abc").op;
        expect_nothing(h);
    }
    host_end(h);
}

Test(life, cancel_of_what_is_no_pending_write_is_not_found)
{
    struct host *h = host_start(NULL);
    refused(h, NOT_FOUND, npj_cancel(h->srv, 0));
    refused(h, NOT_FOUND, npj_cancel(h->srv, UINT64_MAX));
    struct job job = job_writing(h);
    expect(h, SUCCESS, npj_written(h->srv, job.op, 0, 3));
    refused(h, NOT_FOUND, npj_cancel(h->srv, job.req)); /* answered, and not yet taken */
    expect_reply(h, TAG_WRITE, SUCCESS, 3);
    refused(h, NOT_FOUND, npj_cancel(h->srv, job.req));
    expect(h, SUCCESS, npj_abort(h->srv, job.id, NPJ_STATUS_PRINT_CANCELLED));
    refused(h, NOT_FOUND, npj_cancel(h->srv, job.req));
    host_end(h);
}

/* ------------------------------------------------------------------------------------------------------ NO_POOL */

Test(life, no_pool_is_said_once_until_a_job_is_accepted_again)
{
    struct host *h = host_start(limits_with(.max_jobs = 1));
    npj_job none;
    for (unsigned round = 1; round <= 2; round++) {
        struct job job = job_added(h);
        for (unsigned i = 0; i < 3; i++)
            refused(h, INSUFF_SERVER_RESOURCES, npj_add_job(h->srv, 1, 2, 88, 4, &none));
        cr_assert_eq(count_traces(h, NPJ_TRACE_NO_POOL, NPJ_EVENT_COUNT), round);
        const npj_trace line = h->traces[h->trace_count - 1];
        cr_assert_eq(line.kind, NPJ_TRACE_NO_POOL);
        cr_assert_eq(line.status, NPJ_STATUS_INSUFF_SERVER_RESOURCES);
        cr_assert(line.job == 0 && line.cookie == 0);
        cr_assert(line.from == NPJ_STATE_COUNT && line.to == NPJ_STATE_COUNT);
        expect(h, SUCCESS, npj_abort(h->srv, job.id, NPJ_STATUS_PRINT_CANCELLED));
        finish(h, NPJ_ABANDON_JOB, PRINT_CANCELLED);
    }
    host_end(h);
}

Test(life, no_pool_is_said_of_writes_and_of_jobs_apart)
{
    struct host *h = host_start(limits_with(.max_jobs = 2, .max_packets = 1));
    npj_job none;
    struct job job = job_open(h);
    struct job other = job_open_for(h, 1, 2, 88, NPJ_BYTE_MODE);
    job_write(h, &job, TAG_WRITE, "abc");
    refused(h, INSUFF_SERVER_RESOURCES, npj_write(h->srv, other.id, 1, "a", 1, NPJ_COPY, NULL));
    const npj_trace line = h->traces[h->trace_count - 2]; /* before that of the refusal */
    cr_assert_eq(line.kind, NPJ_TRACE_NO_POOL);
    cr_assert_eq(line.event, NPJ_EVENT_WRITE);
    cr_assert_eq(line.status, NPJ_STATUS_INSUFF_SERVER_RESOURCES);
    cr_assert(line.job == other.id && line.cookie == 88);
    cr_assert(line.from == NPJ_STATE_OPEN && line.to == NPJ_STATE_OPEN);
    for (unsigned i = 0; i < 3; i++) {
        refused(h, INSUFF_SERVER_RESOURCES, npj_write(h->srv, other.id, 1, "a", 1, NPJ_COPY, NULL));
        refused(h, INSUFF_SERVER_RESOURCES, npj_add_job(h->srv, 1, 2, 3, 4, &none));
    }
    cr_assert_eq(count_traces(h, NPJ_TRACE_NO_POOL, NPJ_EVENT_WRITE), 1);
    cr_assert_eq(count_traces(h, NPJ_TRACE_NO_POOL, NPJ_EVENT_COUNT), 1);
    take_whole(h, TAG_WRITE, "abc");
    refused(h, INSUFF_SERVER_RESOURCES, npj_add_job(h->srv, 1, 2, 3, 4, &none));
    job_write(h, &job, TAG_WRITE, "abc"); /* succeeds: the next refusal of a write is news, one of a job is not */
    refused(h, INSUFF_SERVER_RESOURCES, npj_write(h->srv, other.id, 1, "a", 1, NPJ_COPY, NULL));
    refused(h, INSUFF_SERVER_RESOURCES, npj_add_job(h->srv, 1, 2, 3, 4, &none));
    cr_assert_eq(count_traces(h, NPJ_TRACE_NO_POOL, NPJ_EVENT_WRITE), 2);
    cr_assert_eq(count_traces(h, NPJ_TRACE_NO_POOL, NPJ_EVENT_COUNT), 1);
    host_end(h);
}

Test(life, a_jobs_own_limit_and_the_allocator_are_not_the_pool)
{
    struct host *h = host_start(limits_with(.max_job_packets = 1));
    struct job job = job_open(h);
    h->pool.fail_all = true;
    refused(h, INSUFFICIENT_RESOURCES, npj_write(h->srv, job.id, 1, "a", 1, NPJ_COPY, NULL));
    h->pool.fail_all = false;
    job_write(h, &job, TAG_WRITE, "abc");
    refused(h, QUOTA_EXCEEDED, npj_write(h->srv, job.id, 1, "a", 1, NPJ_COPY, NULL));
    cr_assert_eq(count_traces(h, NPJ_TRACE_NO_POOL, NPJ_EVENT_WRITE), 0);
    host_end(h);
}

Test(life, an_engine_without_a_trace_works_the_same)
{
    struct host *h = host_start(NULL);
    npj_config config = h->config;
    npj_srv_free(&h->srv);
    config.trace = NULL;
    cr_assert_eq(npj_srv_new(&config, &h->srv), NPJ_STATUS_SUCCESS);
    job_ended(h);
    cr_assert_eq(h->trace_count, 0);
    host_end(h);
}

/* -------------------------------------------------------------------------------- requests to a job that has failed */

Test(life, a_failed_job_that_was_never_connected_answers_like_the_others)
{
    struct host *h = host_start(NULL);
    struct job job = job_adding(h);
    expect(h, SUCCESS, npj_provider_gone(h->srv, PROVIDER));
    take(h, NPJ_CANCEL);
    expect_reply(h, TAG_ADD, PIPE_DISCONNECTED, 0);
    refused(h, INVALID_PIPE_STATE, npj_connect(h->srv, job.id, TAG_CONNECT));
    refused(h, PIPE_BROKEN, npj_write(h->srv, job.id, TAG_WRITE, "a", 1, NPJ_COPY, NULL));
    expect(h, PENDING, npj_close(h->srv, job.id, TAG_CLOSE));
    expect_reply(h, TAG_CLOSE, PIPE_DISCONNECTED, 0);
    refused(h, PIPE_CLOSING, npj_close(h->srv, job.id, TAG_CLOSE));
    refused(h, PIPE_BROKEN, npj_write(h->srv, job.id, TAG_WRITE, "a", 1, NPJ_COPY, NULL));
    expect(h, SUCCESS, npj_job_added(h->srv, job.op, NPJ_STATUS_CANCELLED, NULL, 0));
    expect_nothing(h);
    expect_state(h, job.id, NPJ_STATE_GONE);
    host_end(h);
}
