/* SPDX-License-Identifier: MIT */
/* Back-pressure: QUOTA_EXCEEDED owes one RESUME, and when that comes. */
#include "support.h"

/* A job may hold four packets or fifteen bytes; the largest write has ten. */
static struct host *host_of_little(void)
{
    return host_start(limits_with(.max_job_packets = 4, .max_job_bytes = 15, .max_write_bytes = 10));
}

static npj_status write_one(struct host *h, const struct job *job)
{
    return npj_write(h->srv, job->id, 99, "x", 1, NPJ_COPY, NULL);
}

static void take_resume(struct host *h, const struct job *job)
{
    const npj_action action = take(h, NPJ_RESUME);
    cr_assert_eq(action.job, job->id);
    cr_assert_eq(action.cookie, job->cookie);
    expect_nothing(h);
}

Test(resume, comes_when_packets_fit_again)
{
    struct host *h = host_of_little();
    struct job job = job_open_message(h);
    for (unsigned i = 0; i < 4; i++)
        job_write(h, &job, TAG_WRITE + i, "a");
    for (unsigned i = 0; i < 3; i++)
        refused(h, QUOTA_EXCEEDED, write_one(h, &job)); /* owed once, however often refused */
    const npj_op op = take_write(h, "a").op;
    expect_nothing(h);
    expect(h, SUCCESS, npj_written(h->srv, op, 0, 1));
    refused(h, QUOTA_EXCEEDED, write_one(h, &job)); /* answered, and not yet taken: still a live packet */
    expect_reply(h, TAG_WRITE, SUCCESS, 1);
    take(h, NPJ_RESUME);
    take(h, NPJ_WRITE);
    expect_nothing(h);
    expect(h, PENDING, write_one(h, &job));
    host_end(h);
}

Test(resume, comes_when_the_largest_write_fits_again)
{
    struct host *h = host_of_little();
    struct job job = job_open_message(h);
    job_write(h, &job, TAG_WRITE, "0123456");
    job_write(h, &job, TAG_WRITE + 1, "012345");
    refused(h, QUOTA_EXCEEDED, npj_write(h->srv, job.id, 9, "xyz", 3, NPJ_LEND, NULL));
    expect(h, PENDING, npj_write(h->srv, job.id, TAG_WRITE + 2, "xy", 2, NPJ_LEND, NULL)); /* fifteen: the bound */
    take_whole(h, TAG_WRITE, "0123456");    /* eight bytes are left: seven fit, ten do not */
    take_whole(h, TAG_WRITE + 1, "012345"); /* two bytes are left */
    take(h, NPJ_RESUME);
    expect(h, PENDING, npj_write(h->srv, job.id, TAG_WRITE + 3, "0123456789", 10, NPJ_COPY, NULL));
    host_end(h);
}

Test(resume, is_due_at_exactly_the_largest_write)
{
    struct host *h = host_of_little();
    struct job job = job_open_message(h);
    job_write(h, &job, TAG_WRITE, "012345");
    job_write(h, &job, TAG_WRITE + 1, "01234");
    refused(h, QUOTA_EXCEEDED, npj_write(h->srv, job.id, 9, "01234", 5, NPJ_COPY, NULL));
    take_whole(h, TAG_WRITE, "012345"); /* five are left, so that ten fit */
    take(h, NPJ_RESUME);
    host_end(h);
}

Test(resume, is_not_due_one_byte_before_that)
{
    struct host *h = host_of_little();
    struct job job = job_open_message(h);
    job_write(h, &job, TAG_WRITE, "012345");
    job_write(h, &job, TAG_WRITE + 1, "012345");
    refused(h, QUOTA_EXCEEDED, npj_write(h->srv, job.id, 9, "01234", 5, NPJ_COPY, NULL));
    take_whole(h, TAG_WRITE, "012345");
    take(h, NPJ_WRITE);
    expect_nothing(h);
    host_end(h);
}

/* The write that was refused would not have fitted, a smaller one does: that settles nothing. */
Test(resume, is_owed_still_after_a_smaller_write)
{
    struct host *h = host_of_little();
    struct job job = job_open(h);
    job_write(h, &job, TAG_WRITE, "0123456789");
    refused(h, QUOTA_EXCEEDED, npj_write(h->srv, job.id, 9, "012345", 6, NPJ_COPY, NULL));
    job_write(h, &job, TAG_WRITE + 1, "0");
    expect(h, SUCCESS, npj_written(h->srv, take_write(h, "01234567890").op, 0, 11));
    expect_reply(h, TAG_WRITE, SUCCESS, 10);
    expect_reply(h, TAG_WRITE + 1, SUCCESS, 1);
    take_resume(h, &job);
    host_end(h);
}

Test(resume, is_owed_anew_after_the_next_refusal)
{
    struct host *h = host_of_little();
    struct job job = job_open_message(h);
    for (unsigned round = 0; round < 3; round++) {
        job_write(h, &job, TAG_WRITE, "0123456789");
        refused(h, QUOTA_EXCEEDED, npj_write(h->srv, job.id, 9, "012345", 6, NPJ_COPY, NULL));
        take_whole(h, TAG_WRITE, "0123456789");
        take_resume(h, &job);
    }
    host_end(h);
}

Test(resume, comes_after_a_cancel_that_makes_room)
{
    struct host *h = host_of_little();
    struct job job = job_open(h);
    job_write(h, &job, TAG_WRITE, "0123456789");
    refused(h, QUOTA_EXCEEDED, npj_write(h->srv, job.id, 9, "012345", 6, NPJ_COPY, NULL));
    expect(h, SUCCESS, npj_cancel(h->srv, job.req));
    expect_reply(h, TAG_WRITE, CANCELLED, 0);
    take_resume(h, &job);
    host_end(h);
}

/* It is told of the job's own limits: another may have filled the engine before it is taken. */
Test(resume, comes_whatever_the_cap)
{
    struct host *h = host_start(limits_with(.max_job_packets = 1, .max_packets = 1));
    struct job job = job_open(h), other = job_open(h);
    job_write(h, &job, TAG_WRITE, "a");
    refused(h, QUOTA_EXCEEDED, write_one(h, &job));
    expect(h, SUCCESS, npj_cancel(h->srv, job.req));
    expect_reply(h, TAG_WRITE, CANCELLED, 0);
    job_write(h, &other, TAG_WRITE + 1, "b");
    cr_assert_eq(take(h, NPJ_RESUME).job, job.id);
    take_write(h, "b");
    host_end(h);
}

Test(resume, waits_again_when_a_write_takes_the_room_before_it_is_told)
{
    struct host *h = host_of_little();
    struct job job = job_open(h);
    job_write(h, &job, TAG_WRITE, "01234");
    job.op = take_write(h, "01234").op;
    job_write(h, &job, TAG_WRITE + 1, "567");
    refused(h, QUOTA_EXCEEDED, npj_write(h->srv, job.id, 9, "01234567", 8, NPJ_COPY, NULL));
    expect(h, SUCCESS, npj_cancel(h->srv, job.req));
    expect_reply(h, TAG_WRITE + 1, CANCELLED, 0);
    job_write(h, &job, TAG_WRITE + 2, "8");
    expect_nothing(h);
    expect_written(h, job.op, TAG_WRITE, 5);
    cr_assert_eq(take(h, NPJ_RESUME).job, job.id);
    take_write(h, "8");
    host_end(h);
}

Test(resume, comes_when_a_close_is_accepted)
{
    struct host *h = host_of_little();
    struct job job = job_open(h);
    job_write(h, &job, TAG_WRITE, "0123456789");
    take_write(h, "0123456789");
    refused(h, QUOTA_EXCEEDED, npj_write(h->srv, job.id, 9, "012345", 6, NPJ_COPY, NULL));
    expect_nothing(h);
    expect(h, PENDING, npj_close(h->srv, job.id, TAG_CLOSE));
    take_resume(h, &job);
    host_end(h);
}

Test(resume, comes_when_a_close_is_accepted_before_the_pipe_is_open)
{
    struct host *h = host_of_little();
    struct job job = job_connecting(h);
    job_write(h, &job, TAG_WRITE, "0123456789");
    refused(h, QUOTA_EXCEEDED, npj_write(h->srv, job.id, 9, "012345", 6, NPJ_COPY, NULL));
    expect(h, PENDING, npj_close(h->srv, job.id, TAG_CLOSE));
    take_resume(h, &job);
    host_end(h);
}

Test(resume, comes_when_the_job_fails_after_its_replies)
{
    struct host *h = host_of_little();
    struct job job = job_open(h);
    job_write(h, &job, TAG_WRITE, "0123456789");
    take_write(h, "0123456789");
    refused(h, QUOTA_EXCEEDED, npj_write(h->srv, job.id, 9, "012345", 6, NPJ_COPY, NULL));
    expect(h, SUCCESS, npj_client_gone(h->srv, CLIENT, NPJ_STATUS_NETWORK_NAME_DELETED));
    take(h, NPJ_CANCEL);
    expect_reply(h, TAG_WRITE, NETWORK_NAME_DELETED, 0);
    take_resume(h, &job); /* though its packet is still live */
    expect_packets(h, 1);
    host_end(h);
}

Test(resume, comes_even_to_a_job_that_is_gone)
{
    struct host *h = host_of_little();
    struct job job = job_accept_for(h, CLIENT, PROVIDER, COOKIE);
    expect(h, PENDING, npj_connect(h->srv, job.id, TAG_CONNECT));
    job_write(h, &job, TAG_WRITE, "0123456789");
    refused(h, QUOTA_EXCEEDED, npj_write(h->srv, job.id, 9, "012345", 6, NPJ_COPY, NULL));
    expect(h, SUCCESS, npj_abort(h->srv, job.id, NPJ_STATUS_PRINT_CANCELLED));
    expect_reply(h, TAG_ADD, PRINT_CANCELLED, 0);
    expect_reply(h, TAG_CONNECT, PRINT_CANCELLED, 0);
    expect_reply(h, TAG_WRITE, PRINT_CANCELLED, 0);
    take_resume(h, &job);
    expect_state(h, job.id, NPJ_STATE_GONE);
    host_end(h);
}

Test(resume, is_not_owed_for_want_of_memory_or_the_engines_caps)
{
    struct host *h = host_start(limits_with(.max_packets = 1));
    struct job job = job_open(h);
    h->pool.fail_all = true;
    refused(h, INSUFFICIENT_RESOURCES, write_one(h, &job));
    h->pool.fail_all = false;
    job_write(h, &job, TAG_WRITE, "abc");
    refused(h, INSUFF_SERVER_RESOURCES, write_one(h, &job));
    take_whole(h, TAG_WRITE, "abc");
    expect_nothing(h);
    host_end(h);
}

Test(resume, goes_to_the_job_that_was_refused)
{
    struct host *h = host_of_little();
    struct job a = job_open_for(h, 1, 2, 3, NPJ_BYTE_MODE);
    struct job b = job_open_for(h, 1, 2, 4, NPJ_BYTE_MODE);
    job_write(h, &a, TAG_WRITE, "0123456789");
    a.op = take(h, NPJ_WRITE).op;
    job_write(h, &b, TAG_WRITE, "0123456789");
    b.op = take(h, NPJ_WRITE).op;
    refused(h, QUOTA_EXCEEDED, npj_write(h->srv, a.id, 9, "012345", 6, NPJ_COPY, NULL));
    expect_written(h, b.op, TAG_WRITE, 10);
    expect_nothing(h);
    expect_written(h, a.op, TAG_WRITE, 10);
    take_resume(h, &a);
    host_end(h);
}
