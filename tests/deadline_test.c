/* SPDX-License-Identifier: MIT */
/* The four deadlines, the clock, and what arms and re-arms them. */
#include "support.h"

enum { NOW = 1000000 };

static void advance(struct host *h, uint64_t now)
{
    expect(h, SUCCESS, npj_advance(h->srv, now));
}

#define expect_deadline(h, when)                                                                                       \
    cr_assert_eq(npj_deadline((h)->srv), (uint64_t)(when), "the deadline is %llu, expected %llu",                      \
                 (unsigned long long)npj_deadline((h)->srv), (unsigned long long)(when))

static struct host *host_at(uint64_t now)
{
    struct host *h = host_start(NULL);
    advance(h, now);
    return h;
}

static struct job job_writing_six(struct host *h)
{
    struct job job = job_open(h);
    job_write(h, &job, TAG_WRITE, "abcdef");
    job.op = take_write(h, "abcdef").op;
    return job;
}

/* ------------------------------------------------------------------------------------------------------ the clock */

Test(deadline, the_first_advance_only_sets_the_clock)
{
    struct host *h = host_start(NULL);
    expect_deadline(h, NPJ_NEVER);
    struct job job = job_adding(h);
    expect_deadline(h, ADD_TIMEOUT); /* the clock stands at 0 */
    advance(h, NOW);
    expect_state(h, job.id, NPJ_STATE_ADDING);
    expect_deadline(h, NOW + ADD_TIMEOUT); /* what was armed before counts from there */
    advance(h, NOW + ADD_TIMEOUT - 1);
    expect_state(h, job.id, NPJ_STATE_ADDING);
    advance(h, NOW + ADD_TIMEOUT);
    expect_state(h, job.id, NPJ_STATE_ABORTING);
    host_end(h);
}

Test(deadline, the_first_advance_sets_every_deadline_that_was_armed)
{
    struct host *h = host_start(NULL);
    struct job writing = job_writing_six(h);
    struct job adding = job_accept_for(h, 1, 2, 3);
    expect(h, PENDING, npj_connect(h->srv, adding.id, TAG_CONNECT));
    expect(h, PENDING, npj_close(h->srv, adding.id, TAG_CLOSE));
    advance(h, NOW);
    expect_deadline(h, NOW + ADD_TIMEOUT);
    expect(h, SUCCESS, npj_abort(h->srv, adding.id, NPJ_STATUS_PRINT_CANCELLED));
    expect_deadline(h, NOW + STALL_TIMEOUT);
    expect_state(h, writing.id, NPJ_STATE_OPEN);
    host_end(h);
}

Test(deadline, the_first_advance_may_be_to_zero)
{
    struct host *h = host_start(NULL);
    job_adding(h);
    advance(h, 0);
    expect_deadline(h, ADD_TIMEOUT);
    advance(h, ADD_TIMEOUT - 1); /* the second one: it does not set the clock again */
    expect_deadline(h, ADD_TIMEOUT);
    host_end(h);
}

Test(deadline, a_smaller_now_is_ignored)
{
    struct host *h = host_at(NOW - 600);
    advance(h, NOW);
    advance(h, NOW - 500);
    struct job job = job_adding(h);
    expect_deadline(h, NOW + ADD_TIMEOUT);
    advance(h, 5);
    expect_deadline(h, NOW + ADD_TIMEOUT);
    advance(h, NOW + ADD_TIMEOUT - 1);
    expect_state(h, job.id, NPJ_STATE_ADDING);
    host_end(h);
}

Test(deadline, sums_saturate)
{
    struct host *h = host_at(NPJ_NEVER - ADD_TIMEOUT);
    struct job job = job_adding(h);
    expect_deadline(h, NPJ_NEVER); /* which never comes */
    advance(h, NPJ_NEVER);
    expect_state(h, job.id, NPJ_STATE_ADDING);
    host_end(h);
    h = host_at(NPJ_NEVER - ADD_TIMEOUT - 1);
    job = job_adding(h);
    expect_deadline(h, NPJ_NEVER - 1);
    advance(h, NPJ_NEVER - 1);
    expect_state(h, job.id, NPJ_STATE_ABORTING);
    host_end(h);
}

Test(deadline, never_switches_each_off)
{
    struct host *h = host_start(limits_with(.add_timeout = NPJ_NEVER, .connect_timeout = NPJ_NEVER,
                                            .stall_timeout = NPJ_NEVER, .drain_timeout = NPJ_NEVER));
    advance(h, NOW);
    advance(h, NOW + 5); /* the engine's clock moves from its origin */
    struct job job = job_adding(h);
    expect_deadline(h, NPJ_NEVER);
    expect(h, PENDING, npj_connect(h->srv, job.id, TAG_CONNECT));
    job_write(h, &job, TAG_WRITE, "abc");
    expect(h, PENDING, npj_close(h->srv, job.id, TAG_CLOSE));
    expect_added(h, job.op);
    job.op = take(h, NPJ_OPEN).op;
    expect_deadline(h, NPJ_NEVER);
    expect_opened(h, job.op);
    take_write(h, "abc");
    expect(h, SUCCESS, npj_shutdown(h->srv, NPJ_DRAIN));
    expect_deadline(h, NPJ_NEVER);
    advance(h, NOW + 6);
    expect_state(h, job.id, NPJ_STATE_CLOSING);
    advance(h, NPJ_NEVER);
    expect_state(h, job.id, NPJ_STATE_CLOSING);
    host_end(h);
}

/* ------------------------------------------------------------------------------------------------- add and connect */

Test(deadline, add_counts_from_the_request_not_from_the_operation)
{
    struct host *h = host_at(NOW);
    struct job job = job_accept_for(h, CLIENT, PROVIDER, COOKIE);
    advance(h, NOW + 10);
    const npj_op op = take(h, NPJ_ADD_JOB).op;
    expect_deadline(h, NOW + ADD_TIMEOUT);
    advance(h, NOW + ADD_TIMEOUT);
    take_cancel(h, op);
    expect_reply(h, TAG_ADD, IO_TIMEOUT, 0);
    expect_deadline(h, NPJ_NEVER);
    expect_state(h, job.id, NPJ_STATE_ABORTING);
    host_end(h);
}

Test(deadline, add_ends_when_it_has_returned)
{
    struct host *h = host_at(NOW);
    job_added(h);
    expect_deadline(h, NPJ_NEVER); /* nothing pending */
    host_end(h);
}

Test(deadline, an_untaken_add_expires_too)
{
    struct host *h = host_at(NOW);
    struct job job = job_accept_for(h, CLIENT, PROVIDER, COOKIE);
    advance(h, NOW + ADD_TIMEOUT);
    expect_reply(h, TAG_ADD, IO_TIMEOUT, 0);
    expect_nothing(h);
    expect_state(h, job.id, NPJ_STATE_GONE);
    host_end(h);
}

Test(deadline, connect_counts_from_connecting)
{
    struct host *h = host_at(NOW);
    struct job job = job_adding(h);
    expect(h, PENDING, npj_connect(h->srv, job.id, TAG_CONNECT));
    expect_deadline(h, NOW + ADD_TIMEOUT);
    advance(h, NOW + 7);
    expect(h, SUCCESS, npj_job_added(h->srv, job.op, 0, &path_of_pipe, JOB_ID));
    expect_deadline(h, NOW + 7 + CONNECT_TIMEOUT);
    advance(h, NOW + 6 + CONNECT_TIMEOUT);
    expect_state(h, job.id, NPJ_STATE_CONNECTING);
    expect_reply(h, TAG_ADD, SUCCESS, 0);
    take(h, NPJ_OPEN);
    advance(h, NOW + 7 + CONNECT_TIMEOUT);
    take(h, NPJ_CANCEL);
    expect_reply(h, TAG_CONNECT, IO_TIMEOUT, 0);
    host_end(h);
}

Test(deadline, connect_ends_when_the_pipe_is_open)
{
    struct host *h = host_at(NOW);
    job_open(h);
    expect_deadline(h, NPJ_NEVER); /* an idle open job is the host's to reap */
    host_end(h);
}

/* --------------------------------------------------------------------------------------------------------- stall */

Test(deadline, stall_is_armed_by_the_first_write_and_not_by_the_next)
{
    struct host *h = host_at(NOW);
    struct job job = job_open(h);
    advance(h, NOW + 5);
    job_write(h, &job, TAG_WRITE, "abc");
    expect_deadline(h, NOW + 5 + STALL_TIMEOUT);
    advance(h, NOW + 9);
    job_write(h, &job, TAG_WRITE + 1, "abc");
    expect_deadline(h, NOW + 5 + STALL_TIMEOUT);
    take(h, NPJ_WRITE);
    expect_deadline(h, NOW + 5 + STALL_TIMEOUT);
    advance(h, NOW + 5 + STALL_TIMEOUT);
    take(h, NPJ_CANCEL);
    expect_reply(h, TAG_WRITE, IO_TIMEOUT, 0);
    expect_reply(h, TAG_WRITE + 1, IO_TIMEOUT, 0);
    host_end(h);
}

Test(deadline, stall_is_armed_anew_by_bytes_taken)
{
    struct host *h = host_at(NOW);
    struct job job = job_writing_six(h);
    for (unsigned i = 1; i <= 5; i++) {
        advance(h, NOW + i * (STALL_TIMEOUT - 1)); /* one byte in each period is progress */
        expect(h, SUCCESS, npj_written(h->srv, job.op, 0, 1));
        expect_deadline(h, NOW + i * (STALL_TIMEOUT - 1) + STALL_TIMEOUT);
        job.op = take(h, NPJ_WRITE).op;
    }
    expect(h, SUCCESS, npj_written(h->srv, job.op, 0, 1));
    expect_deadline(h, NPJ_NEVER); /* no write is held any more */
    host_end(h);
}

Test(deadline, stall_is_armed_by_writes_that_waited_for_the_pipe)
{
    struct host *h = host_at(NOW);
    struct job job = job_connecting(h);
    job_write(h, &job, TAG_WRITE, "abc");
    expect_deadline(h, NOW + CONNECT_TIMEOUT);
    advance(h, NOW + 100);
    expect(h, SUCCESS, npj_opened(h->srv, job.op, 0, NPJ_BYTE_MODE));
    expect_deadline(h, NOW + 100 + STALL_TIMEOUT);
    host_end(h);
}

/* Of two messages the first is cancelled 50 after it was written, when the pipe had taken @taken of its three bytes. */
static struct host *host_of_cancelled_message(uint64_t taken)
{
    struct host *h = host_at(NOW);
    struct job job = job_open_message(h);
    job_write(h, &job, TAG_WRITE, "abc");
    const npj_req first = job.req;
    job.op = take_write(h, "abc").op;
    job_write(h, &job, TAG_WRITE + 1, "def");
    advance(h, NOW + 50);
    expect(h, SUCCESS, npj_cancel(h->srv, first));
    take(h, NPJ_CANCEL);
    expect(h, SUCCESS, npj_written(h->srv, job.op, NPJ_STATUS_CANCELLED, taken));
    return h;
}

Test(deadline, stall_is_not_armed_anew_by_cancelled_writes)
{
    struct host *h = host_of_cancelled_message(0);
    expect_deadline(h, NOW + STALL_TIMEOUT);
    host_end(h);
}

/* Only whole messages are progress in message mode. */
Test(deadline, stall_is_not_armed_anew_by_a_part_of_a_message)
{
    struct host *h = host_of_cancelled_message(2);
    expect_deadline(h, NOW + STALL_TIMEOUT);
    host_end(h);
}

/* The cancel came too late for the pipe, which had taken all of it. */
Test(deadline, stall_is_armed_anew_by_a_whole_message_though_it_is_cancelled)
{
    struct host *h = host_of_cancelled_message(3);
    expect_deadline(h, NOW + 50 + STALL_TIMEOUT);
    host_end(h);
}

Test(deadline, stall_is_armed_anew_by_a_whole_message_though_it_is_empty)
{
    struct host *h = host_at(NOW);
    struct job job = job_open_message(h);
    job_write(h, &job, TAG_WRITE, "");
    job_write(h, &job, TAG_WRITE + 1, "def");
    advance(h, NOW + 50);
    expect(h, SUCCESS, npj_written(h->srv, take_write(h, "").op, 0, 0));
    expect_deadline(h, NOW + 50 + STALL_TIMEOUT);
    host_end(h);
}

Test(deadline, stall_ends_when_the_last_write_is_cancelled)
{
    struct host *h = host_at(NOW);
    struct job job = job_open(h);
    job_write(h, &job, TAG_WRITE, "abc");
    expect(h, SUCCESS, npj_cancel(h->srv, job.req));
    expect_deadline(h, NPJ_NEVER);
    advance(h, NOW + 10);
    job_write(h, &job, TAG_WRITE + 1, "abc");
    expect_deadline(h, NOW + 10 + STALL_TIMEOUT);
    host_end(h);
}

/* --------------------------------------------------------------------------------------------------------- drain */

Test(deadline, drain_counts_from_the_close_to_its_answer)
{
    struct host *h = host_at(NOW);
    struct job job = job_adding(h);
    expect(h, PENDING, npj_connect(h->srv, job.id, TAG_CONNECT));
    advance(h, NOW + 3);
    expect(h, PENDING, npj_close(h->srv, job.id, TAG_CLOSE));
    expect_deadline(h, NOW + ADD_TIMEOUT); /* the earlier of the two */
    expect_added(h, job.op);
    advance(h, NOW + 4);
    expect_opened(h, take(h, NPJ_OPEN).op);
    expect_deadline(h, NOW + 3 + DRAIN_TIMEOUT);
    expect(h, SUCCESS, npj_done(h->srv, take(h, NPJ_CLOSE_PIPE).op, 0));
    expect_deadline(h, NOW + 3 + DRAIN_TIMEOUT);
    const npj_op op = take(h, NPJ_SCHEDULE_JOB).op;
    expect(h, SUCCESS, npj_done(h->srv, op, 0));
    expect_deadline(h, NPJ_NEVER); /* answered, though not taken */
    host_end(h);
}

/* A byte now and then keeps the stall away, and not the drain. */
Test(deadline, drain_ends_a_close_whose_pipe_dawdles)
{
    struct host *h = host_start(limits_with(.drain_timeout = 3 * STALL_TIMEOUT));
    advance(h, NOW);
    struct job job = job_writing_six(h);
    expect(h, PENDING, npj_close(h->srv, job.id, TAG_CLOSE));
    for (unsigned i = 1; i <= 3; i++) {
        expect_deadline(h, NOW + (i - 1) * (STALL_TIMEOUT - 1) + STALL_TIMEOUT);
        advance(h, NOW + i * (STALL_TIMEOUT - 1));
        expect(h, SUCCESS, npj_written(h->srv, job.op, 0, 1));
        job.op = take(h, NPJ_WRITE).op;
    }
    expect_deadline(h, NOW + 3 * STALL_TIMEOUT);
    advance(h, NOW + 3 * STALL_TIMEOUT);
    take(h, NPJ_CANCEL);
    expect_reply(h, TAG_WRITE, IO_TIMEOUT, 3);
    expect_reply(h, TAG_CLOSE, IO_TIMEOUT, 0);
    host_end(h);
}

Test(deadline, drain_ends_a_pipe_that_does_not_close)
{
    struct host *h = host_at(NOW);
    struct job job = job_cleanup(h);
    expect_deadline(h, NOW + DRAIN_TIMEOUT);
    advance(h, NOW + DRAIN_TIMEOUT);
    expect_reply(h, TAG_CLOSE, IO_TIMEOUT, 0);
    expect_nothing(h);
    expect_state(h, job.id, NPJ_STATE_CLEANUP_FAILED);
    expect_deadline(h, NPJ_NEVER);
    expect(h, SUCCESS, npj_done(h->srv, job.op, 0));
    finish(h, NPJ_ABANDON_JOB, IO_TIMEOUT);
    host_end(h);
}

/* ----------------------------------------------------------------------------------------------------- many jobs */

Test(deadline, the_earliest_of_many_jobs_comes_first)
{
    struct host *h = host_at(NOW);
    npj_job jobs[10];
    for (unsigned i = 0; i < 10; i++) {
        advance(h, NOW + i);
        jobs[i] = job_accept_for(h, 1, 2, i).id;
    }
    for (unsigned i = 0; i < 10; i++) {
        expect_deadline(h, NOW + i + ADD_TIMEOUT);
        if (i % 2) {
            advance(h, NOW + i + ADD_TIMEOUT);
            expect_state(h, jobs[i], NPJ_STATE_GONE);
        } else {
            expect(h, SUCCESS, npj_abort(h->srv, jobs[i], NPJ_STATUS_PRINT_CANCELLED));
        }
    }
    expect_deadline(h, NPJ_NEVER);
    host_end(h);
}

Test(deadline, one_advance_expires_all_that_is_overdue_and_no_more)
{
    struct host *h = host_at(NOW);
    struct job a = job_accept_for(h, 1, 2, 3);
    struct job b = job_accept_for(h, 1, 2, 4);
    advance(h, NOW + 100);
    struct job c = job_accept_for(h, 1, 2, 5);
    advance(h, NOW + ADD_TIMEOUT + 50);
    expect_state(h, a.id, NPJ_STATE_GONE);
    expect_state(h, b.id, NPJ_STATE_GONE);
    expect_state(h, c.id, NPJ_STATE_ADDING);
    host_end(h);
}

Test(deadline, a_completion_before_the_advance_of_its_deadline_counts)
{
    struct host *h = host_at(NOW);
    struct job job = job_writing_six(h);
    expect(h, SUCCESS, npj_written(h->srv, job.op, 0, 6));
    advance(h, NOW + STALL_TIMEOUT);
    expect_reply(h, TAG_WRITE, SUCCESS, 6);
    expect_nothing(h);
    expect_state(h, job.id, NPJ_STATE_OPEN);
    host_end(h);
}

Test(deadline, a_completion_after_the_advance_of_its_deadline_comes_too_late)
{
    struct host *h = host_at(NOW);
    struct job job = job_writing_six(h);
    advance(h, NOW + STALL_TIMEOUT);
    expect(h, SUCCESS, npj_written(h->srv, job.op, 0, 6));
    expect_reply(h, TAG_WRITE, IO_TIMEOUT, 0);
    take(h, NPJ_CLOSE_PIPE);
    host_end(h);
}

Test(deadline, stall_ends_an_operation_that_does_not_heed_its_cancel)
{
    struct host *h = host_at(NOW);
    struct job job = job_writing_six(h);
    expect(h, SUCCESS, npj_cancel(h->srv, job.req));
    take(h, NPJ_CANCEL);
    expect_deadline(h, NOW + STALL_TIMEOUT);
    advance(h, NOW + STALL_TIMEOUT);
    expect_reply(h, TAG_WRITE, IO_TIMEOUT, 0);
    expect_nothing(h); /* no second CANCEL */
    expect(h, SUCCESS, npj_written(h->srv, job.op, NPJ_STATUS_CANCELLED, 0));
    take(h, NPJ_CLOSE_PIPE);
    host_end(h);
}

Test(deadline, stall_is_armed_anew_by_the_bytes_of_a_cancelled_write)
{
    struct host *h = host_at(NOW);
    struct job job = job_writing_six(h);
    const npj_req first = job.req;
    job_write(h, &job, TAG_WRITE + 1, "def");
    advance(h, NOW + 50);
    expect(h, SUCCESS, npj_cancel(h->srv, first));
    take(h, NPJ_CANCEL);
    expect(h, SUCCESS, npj_written(h->srv, job.op, NPJ_STATUS_CANCELLED, 1));
    expect_deadline(h, NOW + 50 + STALL_TIMEOUT);
    host_end(h);
}

Test(deadline, stall_is_not_armed_anew_by_a_close)
{
    struct host *h = host_at(NOW);
    struct job job = job_writing_six(h);
    advance(h, NOW + 50);
    expect(h, PENDING, npj_close(h->srv, job.id, TAG_CLOSE));
    expect_deadline(h, NOW + STALL_TIMEOUT);
    host_end(h);
}

Test(deadline, stall_is_not_armed_by_an_empty_write_that_is_answered_at_once)
{
    struct host *h = host_at(NOW);
    struct job job = job_open(h);
    job_write(h, &job, TAG_WRITE, "");
    expect_deadline(h, NPJ_NEVER);
    expect_reply(h, TAG_WRITE, SUCCESS, 0);
    host_end(h);
}

Test(deadline, stall_is_armed_anew_by_a_whole_message)
{
    struct host *h = host_at(NOW);
    struct job job = job_open_message(h);
    job_write(h, &job, TAG_WRITE, "abc");
    job_write(h, &job, TAG_WRITE + 1, "def");
    advance(h, NOW + 50);
    expect(h, SUCCESS, npj_written(h->srv, take_write(h, "abc").op, 0, 3));
    expect_deadline(h, NOW + 50 + STALL_TIMEOUT);
    host_end(h);
}

Test(deadline, drain_ends_with_an_abort)
{
    struct host *h = host_at(NOW);
    struct job job = job_closing(h);
    expect(h, SUCCESS, npj_abort(h->srv, job.id, NPJ_STATUS_PRINT_CANCELLED));
    expect_deadline(h, NPJ_NEVER); /* everything is answered; the operation may take its time */
    host_end(h);
}
