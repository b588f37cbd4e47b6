/* SPDX-License-Identifier: MIT */
/* Event orders that have leaked, hung or crashed real servers, part four: many jobs end at once. */
#include "scenario_support.h"

/* -------------------------------------------------------------------------------------------------- a client's jobs */

Test(scenario_mass, row_07_every_job_ends_under_the_walk)
{
    struct host *h = scenario_start(NULL);
    struct job others[3];
    for (int i = 0; i < 3; i++) {
        job_broken(h);
        job_broken(h);
        others[i] = job_open_for(h, CLIENT + 100, PROVIDER + 100, COOKIE, NPJ_BYTE_MODE);
    }
    expect_live(h, 9, 0);
    expect(h, SUCCESS, npj_client_gone(h->srv, CLIENT, NPJ_STATUS_NETWORK_NAME_DELETED));
    expect_nothing(h);
    expect_live(h, 3, 0);
    for (int i = 0; i < 3; i++)
        close_and_schedule(h, others[i].id);
    scenario_end(h);
}

Test(scenario_mass, row_07_some_jobs_end_under_the_walk)
{
    /* Which of the four are BROKEN, and end at once; the others are open, and must be closed first. */
    for (unsigned broken = 0; broken < 16; broken++) {
        struct host *h = scenario_start(NULL);
        uint64_t open = 0;
        for (unsigned i = 0; i < 4; i++) {
            if (broken & 1u << i) {
                job_broken(h);
            } else {
                job_open(h);
                open++;
            }
        }
        expect(h, SUCCESS, npj_client_gone(h->srv, CLIENT, NPJ_STATUS_NETWORK_NAME_DELETED));
        expect_live(h, open, 0);
        npj_op closes[4];
        for (uint64_t i = 0; i < open; i++)
            closes[i] = take(h, NPJ_CLOSE_PIPE).op;
        expect_nothing(h);
        for (uint64_t i = 0; i < open; i++) {
            expect(h, SUCCESS, npj_done(h->srv, closes[i], NPJ_STATUS_SUCCESS));
            finish(h, NPJ_ABANDON_JOB, NETWORK_NAME_DELETED);
            expect_live(h, open - i - 1, 0);
        }
        scenario_end(h);
    }
}

Test(scenario_mass, row_07_many_requests_of_one_job_end_at_once)
{
    struct host *h = scenario_start(NULL);
    struct job job = job_open(h);
    for (uint64_t i = 0; i < 20; i++)
        job_write_at(h, &job, TAG_WRITE + i, "abc", i % 2 ? NPJ_COPY : NPJ_LEND, HERE);
    npj_op op = take_write(h, "abcabcabcabcabcabcabcabc").op; /* eight of them: max_batch */
    expect(h, SUCCESS, npj_abort(h->srv, job.id, NPJ_STATUS_PRINT_CANCELLED));
    take_cancel(h, op);
    for (uint64_t i = 0; i < 20; i++) {
        npj_action reply = expect_reply(h, TAG_WRITE + i, PRINT_CANCELLED, 0);
        cr_assert_eq(reply.held, i < 8 && i % 2 == 0);
        expect_live(h, 1, i < 8 ? 20 : 27 - i);
    }
    expect(h, SUCCESS, npj_written(h->srv, op, NPJ_STATUS_CANCELLED, 5));
    for (uint64_t i = 0; i < 8; i += 2)
        cr_assert_eq(take(h, NPJ_RETURN).tag, TAG_WRITE + i);
    expect_live(h, 1, 0);
    close_and_abandon(h, PRINT_CANCELLED);
    scenario_end(h);
}

/* ----------------------------------------------------------------------------------------------------- the shutdown */

Test(scenario_mass, row_22_drain_with_work_in_progress)
{
    struct host *h = scenario_start(NULL);
    npj_job none = 0;
    struct job job = job_added(h);
    expect(h, SUCCESS, npj_shutdown(h->srv, NPJ_DRAIN));
    refused(h, SERVER_SHUTDOWN_IN_PROGRESS, npj_add_job(h->srv, CLIENT, PROVIDER, 1, 1, &none));
    expect_nothing(h);
    expect(h, PENDING, npj_connect(h->srv, job.id, TAG_CONNECT));
    expect_opened(h, take(h, NPJ_OPEN).op);
    npj_req req = job_write(h, &job, TAG_WRITE, "abc");
    npj_op op = take_write(h, "abc").op;
    expect_written(h, op, TAG_WRITE, 3);
    close_and_schedule(h, job.id);
    take(h, NPJ_IDLE);
    expect_nothing(h);

    refused(h, INVALID_HANDLE, npj_connect(h->srv, job.id, 1));
    refused(h, INVALID_HANDLE, npj_write(h->srv, job.id, 1, "abc", 3, NPJ_COPY, NULL));
    refused(h, INVALID_HANDLE, npj_close(h->srv, job.id, 1));
    refused(h, INVALID_HANDLE, npj_abort(h->srv, job.id, NPJ_STATUS_PRINT_CANCELLED));
    refused(h, NOT_FOUND, npj_cancel(h->srv, req));
    refused(h, INVALID_HANDLE, npj_written(h->srv, op, NPJ_STATUS_SUCCESS, 3));
    refused(h, SERVER_SHUTDOWN_IN_PROGRESS, npj_add_job(h->srv, CLIENT, PROVIDER, 1, 1, &none));
    expect(h, SUCCESS, npj_client_gone(h->srv, CLIENT, NPJ_STATUS_NETWORK_NAME_DELETED));
    expect(h, SUCCESS, npj_provider_gone(h->srv, PROVIDER));
    expect(h, SUCCESS, npj_shutdown(h->srv, NPJ_ABORT));
    expect(h, SUCCESS, npj_advance(h->srv, 1));
    expect(h, SUCCESS, npj_advance(h->srv, UINT64_MAX - 1));
    scenario_end(h);
}

Test(scenario_mass, row_22_drain_is_raised_to_abort)
{
    for (int by_deadline = 0; by_deadline < 2; by_deadline++) {
        struct host *h = scenario_start(limits_with(.stall_timeout = NPJ_NEVER));
        expect(h, SUCCESS, npj_advance(h->srv, 10));
        struct job broken = job_broken(h);
        struct job writer = job_open(h);
        struct job added = job_added(h);
        job_write(h, &writer, TAG_WRITE, "abc");
        npj_op op = take_write(h, "abc").op;
        expect(h, SUCCESS, npj_shutdown(h->srv, NPJ_DRAIN));
        cr_assert_eq(npj_deadline(h->srv), 10 + DRAIN_TIMEOUT);
        expect(h, SUCCESS, npj_advance(h->srv, 9 + DRAIN_TIMEOUT));
        expect(h, SUCCESS, npj_shutdown(h->srv, NPJ_DRAIN));
        cr_assert_eq(npj_deadline(h->srv), 10 + DRAIN_TIMEOUT, "a second drain changes nothing");
        expect_nothing(h);
        expect_live(h, 3, 1);
        if (by_deadline)
            expect(h, SUCCESS, npj_advance(h->srv, 10 + DRAIN_TIMEOUT));
        else
            expect(h, SUCCESS, npj_shutdown(h->srv, NPJ_ABORT));
        /* The two that are left take turns; the reply of the write comes when the job's turn comes again. */
        npj_action first = take(h, NPJ_CANCEL);
        cr_assert_eq(first.op, op);
        npj_op abandon = take(h, NPJ_ABANDON_JOB).op;
        expect_reply(h, TAG_WRITE, SERVER_SHUTDOWN_IN_PROGRESS, 0);
        expect_state(h, writer.id, NPJ_STATE_ABORTING);
        expect_state(h, added.id, NPJ_STATE_ABANDONING);
        expect_state(h, broken.id, NPJ_STATE_GONE);
        expect_nothing(h);
        expect(h, SUCCESS, npj_done(h->srv, abandon, NPJ_STATUS_SUCCESS));
        expect_live(h, 1, 1);
        expect(h, SUCCESS, npj_shutdown(h->srv, NPJ_ABORT));
        expect(h, SUCCESS, npj_shutdown(h->srv, NPJ_DRAIN));
        expect_nothing(h);
        expect(h, SUCCESS, npj_written(h->srv, op, NPJ_STATUS_SUCCESS, 3));
        expect_live(h, 1, 0);
        close_and_abandon(h, SERVER_SHUTDOWN_IN_PROGRESS);
        take(h, NPJ_IDLE);
        refused(h, INVALID_HANDLE, npj_written(h->srv, op, NPJ_STATUS_SUCCESS, 3));
        scenario_end(h);
    }
}

/* ------------------------------------------------------------------------------------------------ a provider's jobs */

enum { PROVIDERS_JOBS = 10 };

/* A job of PROVIDER in each state, ADD_JOB not taken last. Their operations in flight stay with the host. */
static void one_in_each_state(struct host *h, struct job *jobs)
{
    struct job (*const makers[PROVIDERS_JOBS - 1])(struct host *) = {
        job_adding,  job_added,      job_connecting,     job_open,       job_closing,
        job_cleanup, job_scheduling, job_cleanup_failed, job_abandoning,
    };
    for (int i = 0; i < PROVIDERS_JOBS - 1; i++)
        jobs[i] = makers[i](h);
    jobs[PROVIDERS_JOBS - 1] = job_accept_for(h, CLIENT, PROVIDER, COOKIE);
}

/* Takes all there is, asserts that nothing of it is the provider's, and completes the CLOSE_PIPEs. */
static void take_what_is_left(struct host *h, uint64_t *replies, uint64_t *cancels)
{
    npj_action action;
    while (npj_next(h->srv, &action)) {
        switch (action.kind) {
        case NPJ_REPLY:
            cr_assert_eq(action.status, NPJ_STATUS_PIPE_DISCONNECTED);
            ++*replies;
            break;
        case NPJ_CANCEL:
            ++*cancels;
            break;
        case NPJ_CLOSE_PIPE:
            expect(h, SUCCESS, npj_done(h->srv, action.op, NPJ_STATUS_SUCCESS));
            break;
        default:
            cr_assert_fail("an action of kind %d for a provider that has gone", (int)action.kind);
        }
    }
}

Test(scenario_mass, row_32_the_provider_restarts_with_jobs_in_every_state)
{
    struct host *h = scenario_start(NULL);
    struct job jobs[PROVIDERS_JOBS];
    uint64_t replies = 0;
    uint64_t cancels = 0;
    struct job broken = job_broken(h);
    struct job other = job_open_for(h, CLIENT, PROVIDER + 1, COOKIE, NPJ_BYTE_MODE);
    job_write(h, &other, TAG_WRITE, "abc");
    npj_op others_op = take_write(h, "abc").op;
    one_in_each_state(h, jobs);
    expect_live(h, PROVIDERS_JOBS + 2, 2);

    expect(h, SUCCESS, npj_provider_gone(h->srv, PROVIDER));
    take_what_is_left(h, &replies, &cancels);
    cr_assert_eq(replies, 7, "two adds, a connect, a write, three closes");
    cr_assert_eq(cancels, 4, "ADD_JOB, OPEN, WRITE, SCHEDULE_JOB; neither CLOSE_PIPE nor ABANDON_JOB");
    expect_state(h, jobs[1].id, NPJ_STATE_GONE);
    expect_state(h, jobs[9].id, NPJ_STATE_GONE);
    expect_state(h, jobs[3].id, NPJ_STATE_BROKEN);
    expect_state(h, other.id, NPJ_STATE_OPEN);

    expect(h, SUCCESS, npj_job_added(h->srv, jobs[0].op, NPJ_STATUS_SUCCESS, &path_of_pipe, JOB_ID));
    expect(h, SUCCESS, npj_opened(h->srv, jobs[2].op, NPJ_STATUS_SUCCESS, NPJ_BYTE_MODE));
    expect(h, SUCCESS, npj_written(h->srv, jobs[4].op, NPJ_STATUS_CANCELLED, 1));
    for (int i = 5; i <= 8; i++)
        expect(h, SUCCESS, npj_done(h->srv, jobs[i].op, NPJ_STATUS_SUCCESS));
    take_what_is_left(h, &replies, &cancels);
    cr_assert_eq(replies, 7);
    cr_assert_eq(cancels, 4);
    for (int i = 0; i < PROVIDERS_JOBS; i++) {
        bool stays = i == 3 || i == 7 || i == 8; /* open, and failed before it went: until their clients close */
        expect_state(h, jobs[i].id, stays ? NPJ_STATE_BROKEN : NPJ_STATE_GONE);
    }
    expect_live(h, 3 + 2, 1);
    expect(h, PENDING, npj_close(h->srv, jobs[3].id, TAG_CLOSE));
    expect_reply(h, TAG_CLOSE, PIPE_DISCONNECTED, 0);
    expect(h, PENDING, npj_close(h->srv, jobs[7].id, TAG_CLOSE));
    expect_reply(h, TAG_CLOSE, PIPE_BROKEN, 0);
    expect(h, PENDING, npj_close(h->srv, jobs[8].id, TAG_CLOSE));
    expect_reply(h, TAG_CLOSE, PIPE_BROKEN, 0);
    expect(h, PENDING, npj_close(h->srv, broken.id, TAG_CLOSE));
    expect_reply(h, TAG_CLOSE, PIPE_BROKEN, 0);

    struct job after = job_open(h); /* the key may be used again at once */
    close_and_schedule(h, after.id);
    expect_written(h, others_op, TAG_WRITE, 3);
    close_and_schedule(h, other.id);
    scenario_end(h);
}
