/* SPDX-License-Identifier: MIT */
/* Law 9: every queue has a bound, and whatever ends a job answers all of it at once. */
#include "support.h"

TestEachBelow(int *way, law9, everything_pending_is_answered_at_once, WAYS)
{
    struct host *h = host_start(NULL);
    expect(h, SUCCESS, npj_advance(h->srv, 1));
    struct job job = job_adding(h);
    expect(h, PENDING, npj_connect(h->srv, job.id, TAG_CONNECT));
    job_write(h, &job, TAG_WRITE, "abc");
    job_write(h, &job, TAG_WRITE + 1, "def");
    const npj_status status = end_job(h, &job, *way);
    take_cancel(h, job.op);
    static const uint64_t tags[] = {TAG_ADD, TAG_CONNECT, TAG_WRITE, TAG_WRITE + 1};
    for (size_t i = 0; i < 4; i++)
        expect_reply_at(h, tags[i], status, 0, HERE);
    expect_nothing(h);
    expect_state(h, job.id, NPJ_STATE_ABORTING);
    expect_packets(h, 0); /* nothing of it was in flight */
    host_end(h);
}

TestEachBelow(int *way, law9, lent_bytes_in_flight_are_held_until_they_return, WAYS)
{
    struct host *h = host_start(NULL);
    expect(h, SUCCESS, npj_advance(h->srv, 1));
    struct job job = job_open(h);
    job_lend(h, &job, TAG_WRITE, "abc");
    job_write(h, &job, TAG_WRITE + 1, "de");
    job_lend(h, &job, TAG_WRITE + 2, "fg");
    job.op = take_write(h, "abcdefg").op;
    job_lend(h, &job, TAG_WRITE + 3, "not in flight");
    const npj_status status = end_job(h, &job, *way);
    take(h, NPJ_CANCEL);
    cr_assert(expect_reply_at(h, TAG_WRITE, status, 0, HERE).held);
    cr_assert_not(expect_reply_at(h, TAG_WRITE + 1, status, 0, HERE).held, "copied bytes are never the host's");
    cr_assert(expect_reply_at(h, TAG_WRITE + 2, status, 0, HERE).held);
    cr_assert_not(expect_reply_at(h, TAG_WRITE + 3, status, 0, HERE).held);
    expect_nothing(h);
    expect_packets(h, 3);
    expect(h, SUCCESS, npj_written(h->srv, job.op, NPJ_STATUS_CANCELLED, 4));
    npj_action action = take(h, NPJ_RETURN);
    cr_assert_eq(action.tag, TAG_WRITE);
    cr_assert_eq(action.cookie, COOKIE);
    action = take(h, NPJ_RETURN);
    cr_assert_eq(action.tag, TAG_WRITE + 2);
    expect_packets(h, 0);
    take(h, NPJ_CLOSE_PIPE);
    expect_nothing(h);
    host_end(h);
}

Test(law9, bytes_that_came_back_before_the_reply_was_taken_are_not_held)
{
    struct host *h = host_start(NULL);
    struct job job = job_open(h);
    job_lend(h, &job, TAG_WRITE, "abc");
    job.op = take_write(h, "abc").op;
    expect(h, SUCCESS, npj_abort(h->srv, job.id, NPJ_STATUS_PRINT_CANCELLED));
    expect(h, SUCCESS, npj_written(h->srv, job.op, NPJ_STATUS_CANCELLED, 0));
    cr_assert_not(expect_reply(h, TAG_WRITE, PRINT_CANCELLED, 0).held);
    expect_packets(h, 0);
    take(h, NPJ_CLOSE_PIPE); /* no RETURN */
    host_end(h);
}

Test(law9, copied_bytes_stay_readable_while_the_pipe_may_read_them)
{
    struct host *h = host_start(NULL);
    struct job job = job_open(h);
    job_write(h, &job, TAG_WRITE, "abc");
    const npj_action action = take_write(h, "abc");
    const npj_iov iov = action.iov[0]; /* the array is not ours after the next npj_next(), the bytes are */
    expect(h, SUCCESS, npj_client_gone(h->srv, CLIENT, NPJ_STATUS_NETWORK_NAME_DELETED));
    take(h, NPJ_CANCEL);
    take(h, NPJ_REPLY);
    cr_assert_eq(memcmp(iov.base, "abc", 3), 0);
    expect(h, SUCCESS, npj_written(h->srv, action.op, NPJ_STATUS_SUCCESS, 3));
    host_end(h);
}

Test(law9, a_failed_write_answers_what_is_behind_it)
{
    struct host *h = host_start(NULL);
    struct job job = job_open_message(h);
    job_lend(h, &job, TAG_WRITE, "abc");
    job.op = take_write(h, "abc").op;
    job_lend(h, &job, TAG_WRITE + 1, "de");
    expect(h, PENDING, npj_close(h->srv, job.id, TAG_CLOSE));
    expect(h, SUCCESS, npj_written(h->srv, job.op, NPJ_STATUS_PIPE_DISCONNECTED, 0));
    cr_assert_not(expect_reply(h, TAG_WRITE, PIPE_DISCONNECTED, 0).held);
    cr_assert_not(expect_reply(h, TAG_WRITE + 1, PIPE_DISCONNECTED, 0).held);
    expect_reply(h, TAG_CLOSE, PIPE_DISCONNECTED, 0);
    close_and_abandon(h, PIPE_DISCONNECTED);
    expect_nothing(h);
    host_end(h);
}

/* KB Q283102: a host that never takes its actions cannot make the engine grow. */
Test(law9, a_host_that_takes_nothing_is_bounded)
{
    struct host *h = host_start(limits_with(.max_jobs = 4, .max_job_packets = 8));
    struct job job = job_open(h);
    for (unsigned i = 0; i < 8; i++)
        job_write(h, &job, TAG_WRITE + i, "abc");
    expect(h, SUCCESS, npj_cancel(h->srv, job.req)); /* answered, and not taken: still a live packet */
    for (unsigned i = 0; i < 20; i++)
        refused(h, QUOTA_EXCEEDED, npj_write(h->srv, job.id, 99, "a", 1, NPJ_COPY, NULL));
    expect_packets(h, 8);
    npj_job other;
    for (unsigned i = 1; i < 4; i++)
        expect(h, PENDING, npj_add_job(h->srv, 1, 2, 3, 4, &other));
    expect(h, SUCCESS, npj_abort(h->srv, other, NPJ_STATUS_PRINT_CANCELLED)); /* ended, its REPLY not taken */
    refused(h, INSUFF_SERVER_RESOURCES, npj_add_job(h->srv, 1, 2, 3, 4, &other));
    host_end(h);
}

Test(law9, answered_packets_count_against_the_engines_cap_until_taken)
{
    struct host *h = host_start(limits_with(.max_packets = 2, .max_job_packets = 2));
    struct job job = job_open(h);
    struct job other = job_open_for(h, 1, 2, 3, NPJ_BYTE_MODE);
    job_write(h, &job, TAG_WRITE, "abc");
    job_write(h, &job, TAG_WRITE + 1, "abc");
    expect(h, SUCCESS, npj_cancel(h->srv, job.req));
    refused(h, INSUFF_SERVER_RESOURCES, npj_write(h->srv, other.id, 9, "a", 1, NPJ_COPY, NULL));
    expect_reply(h, TAG_WRITE + 1, CANCELLED, 0);
    expect(h, PENDING, npj_write(h->srv, other.id, 9, "a", 1, NPJ_COPY, NULL));
    host_end(h);
}

/* No state from ABORTING on holds an unanswered request: a close in one of them is answered on the spot. */
Test(law9, a_close_of_a_failed_job_is_answered_on_the_spot)
{
    struct job (*const stages[])(struct host *) = {job_cleanup_failed, job_abandoning, job_broken};
    for (size_t i = 0; i < 3; i++) {
        struct host *h = host_start(NULL);
        struct job job = stages[i](h);
        expect(h, PENDING, npj_close(h->srv, job.id, TAG_CLOSE));
        expect_reply(h, TAG_CLOSE, PIPE_BROKEN, 0);
        expect_nothing(h);
        if (job.op) {
            refused(h, PIPE_CLOSING, npj_close(h->srv, job.id, TAG_CLOSE));
            refused(h, PIPE_BROKEN, npj_write(h->srv, job.id, 99, "a", 1, NPJ_COPY, NULL));
            expect(h, SUCCESS, npj_done(h->srv, job.op, NPJ_STATUS_SUCCESS));
        }
        if (i == 0)
            finish(h, NPJ_ABANDON_JOB, PIPE_BROKEN);
        expect_nothing(h);
        expect_state(h, job.id, NPJ_STATE_GONE);
        host_end(h);
    }
}
