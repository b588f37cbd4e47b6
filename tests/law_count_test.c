/* SPDX-License-Identifier: MIT */
/* Law 8: true counts, above all those of cancelled and of failed writes. */
#include "support.h"

/* A byte pipe with "ab", "cd" and "ef" in one WRITE in flight. */
static struct job job_of_three(struct host *h, npj_req reqs[3])
{
    static const char *const texts[] = {"ab", "cd", "ef"};
    struct job job = job_open(h);
    for (unsigned i = 0; i < 3; i++)
        reqs[i] = job_write(h, &job, TAG_WRITE + i, texts[i]);
    job.op = take_write(h, "abcdef").op;
    return job;
}

static void expect_broken_end(struct host *h)
{
    close_and_abandon(h, ACCESS_DENIED);
    expect_nothing(h);
}

/* An error after k of the six bytes: what is covered is SUCCESS, the status falls on the first that is not. */
TestEach(int *taken, law8, bytes_count_whatever_the_status, 0, 1, 2, 3, 4, 5, 6)
{
    struct host *h = host_start(NULL);
    npj_req reqs[3];
    struct job job = job_of_three(h, reqs);
    uint64_t left = (uint64_t)*taken;
    expect(h, SUCCESS, npj_written(h->srv, job.op, NPJ_STATUS_ACCESS_DENIED, left));
    for (unsigned i = 0; i < 3; i++) {
        const uint64_t part = left < 2 ? left : 2;
        if (part == 2)
            expect_reply(h, TAG_WRITE + i, SUCCESS, part);
        else
            expect_reply(h, TAG_WRITE + i, ACCESS_DENIED, part);
        left -= part;
    }
    const npj_stats stats = stats_of(h);
    cr_assert_eq(stats.bytes_taken, (uint64_t)*taken);
    cr_assert_eq(stats.bytes_accepted, 6);
    expect_broken_end(h);
    host_end(h);
}

Test(law8, a_failed_message_counts_its_part)
{
    struct host *h = host_start(NULL);
    struct job job = job_open_message(h);
    job_write(h, &job, TAG_WRITE, "abc");
    job_write(h, &job, TAG_WRITE + 1, "de");
    expect(h, SUCCESS, npj_written(h->srv, take_write(h, "abc").op, NPJ_STATUS_ACCESS_DENIED, 2));
    expect_reply(h, TAG_WRITE, ACCESS_DENIED, 2);
    expect_reply(h, TAG_WRITE + 1, ACCESS_DENIED, 0);
    expect_broken_end(h);
    host_end(h);
}

Test(law8, a_whole_message_with_an_error_is_covered)
{
    struct host *h = host_start(NULL);
    struct job job = job_open_message(h);
    job_write(h, &job, TAG_WRITE, "abc");
    expect(h, SUCCESS, npj_written(h->srv, take_write(h, "abc").op, NPJ_STATUS_ACCESS_DENIED, 3));
    expect_reply(h, TAG_WRITE, SUCCESS, 3);
    expect_broken_end(h);
    host_end(h);
}

/* ------------------------------------------------------------------------------------------------ cancelled writes */

Test(law8, a_queued_write_is_cancelled_at_once_and_the_pipe_never_sees_it)
{
    struct host *h = host_start(NULL);
    struct job job = job_writing(h);
    const npj_req queued = job_write(h, &job, TAG_WRITE + 1, "def");
    job_write(h, &job, TAG_WRITE + 2, "ghi");
    expect(h, SUCCESS, npj_cancel(h->srv, queued));
    expect_reply(h, TAG_WRITE + 1, CANCELLED, 0);
    expect_nothing(h);
    refused(h, NOT_FOUND, npj_cancel(h->srv, queued));
    expect_written(h, job.op, TAG_WRITE, 3);
    take_write(h, "ghi");
    host_end(h);
}

Test(law8, a_write_whose_operation_is_not_taken_is_cancelled_at_once)
{
    struct host *h = host_start(NULL);
    struct job job = job_open(h);
    const npj_req first = job_write(h, &job, TAG_WRITE, "abc");
    job_write(h, &job, TAG_WRITE + 1, "def");
    expect(h, SUCCESS, npj_cancel(h->srv, first));
    expect_reply(h, TAG_WRITE, CANCELLED, 0);
    take_write(h, "def");
    host_end(h);
}

Test(law8, a_write_is_cancelled_between_two_operations_with_what_was_taken)
{
    struct host *h = host_start(NULL);
    struct job job = job_open(h);
    const npj_req req = job_write(h, &job, TAG_WRITE, "abcdef");
    job_write(h, &job, TAG_WRITE + 1, "gh");
    expect(h, SUCCESS, npj_written(h->srv, take_write(h, "abcdefgh").op, NPJ_STATUS_SUCCESS, 2));
    expect(h, SUCCESS, npj_cancel(h->srv, req));
    expect_reply(h, TAG_WRITE, SUCCESS, 2);
    take_write(h, "gh");
    host_end(h);
}

/* In flight, and the pipe stops after k of 3 bytes. */
TestEach(int *number, law8, a_write_in_flight_is_cancelled_with_what_was_taken, 0, 1, 2, 3, 4, 5, 6, 7)
{
    const uint64_t taken = (uint64_t)*number % 4;
    const npj_status status = *number < 4 ? NPJ_STATUS_CANCELLED : NPJ_STATUS_SUCCESS;
    struct host *h = host_start(NULL);
    struct job job = job_writing(h);
    expect(h, SUCCESS, npj_cancel(h->srv, job.req));
    expect(h, SUCCESS, npj_cancel(h->srv, job.req)); /* a second time too */
    const npj_action cancel = take(h, NPJ_CANCEL);
    cr_assert_eq(cancel.op, job.op);
    expect_nothing(h);
    expect(h, SUCCESS, npj_cancel(h->srv, job.req));
    expect_nothing(h); /* once for an operation */
    expect(h, SUCCESS, npj_written(h->srv, job.op, status, taken));
    if (taken)
        expect_reply(h, TAG_WRITE, SUCCESS, taken);
    else
        expect_reply(h, TAG_WRITE, CANCELLED, 0);
    expect_nothing(h);
    expect_state(h, job.id, NPJ_STATE_OPEN);
    refused(h, NOT_FOUND, npj_cancel(h->srv, job.req));
    host_end(h);
}

/* The second of three is cancelled; the pipe stops after k of 6 bytes. */
TestEach(int *number, law8, the_others_of_a_cancelled_operation_go_on, 0, 1, 2, 3, 4, 5, 6)
{
    static const char *const rest[] = {"abef", "bef", "ef", "ef", "ef", "f", ""};
    const uint64_t taken = (uint64_t)*number;
    struct host *h = host_start(NULL);
    npj_req reqs[3];
    struct job job = job_of_three(h, reqs);
    expect(h, SUCCESS, npj_cancel(h->srv, reqs[1]));
    take(h, NPJ_CANCEL);
    expect(h, SUCCESS, npj_written(h->srv, job.op, NPJ_STATUS_CANCELLED, taken));
    if (taken >= 2)
        expect_reply(h, TAG_WRITE, SUCCESS, 2);
    if (taken > 2)
        expect_reply(h, TAG_WRITE + 1, SUCCESS, taken > 4 ? 2 : taken - 2);
    else
        expect_reply(h, TAG_WRITE + 1, CANCELLED, 0);
    if (taken < 6)
        expect(h, SUCCESS, npj_written(h->srv, take_write(h, rest[taken]).op, NPJ_STATUS_SUCCESS, strlen(rest[taken])));
    if (taken < 2)
        expect_reply(h, TAG_WRITE, SUCCESS, 2);
    expect_reply(h, TAG_WRITE + 2, SUCCESS, 2);
    expect_nothing(h);
    expect_state(h, job.id, NPJ_STATE_OPEN);
    host_end(h);
}

Test(law8, several_of_one_operation_are_cancelled_with_one_cancel)
{
    struct host *h = host_start(NULL);
    npj_req reqs[3];
    struct job job = job_of_three(h, reqs);
    expect(h, SUCCESS, npj_cancel(h->srv, reqs[2]));
    expect(h, SUCCESS, npj_cancel(h->srv, reqs[0]));
    take(h, NPJ_CANCEL);
    expect_nothing(h);
    expect(h, SUCCESS, npj_written(h->srv, job.op, NPJ_STATUS_CANCELLED, 1));
    expect_reply(h, TAG_WRITE, SUCCESS, 1);
    expect_reply(h, TAG_WRITE + 2, CANCELLED, 0);
    take_whole(h, TAG_WRITE + 1, "cd");
    expect_nothing(h);
    host_end(h);
}

Test(law8, cancelled_unasked_is_an_ordinary_failure)
{
    struct host *h = host_start(NULL);
    npj_req reqs[3];
    struct job job = job_of_three(h, reqs);
    expect(h, SUCCESS, npj_written(h->srv, job.op, NPJ_STATUS_CANCELLED, 3));
    expect_reply(h, TAG_WRITE, SUCCESS, 2);
    expect_reply(h, TAG_WRITE + 1, CANCELLED, 1);
    expect_reply(h, TAG_WRITE + 2, CANCELLED, 0);
    close_and_abandon(h, CANCELLED);
    expect_state(h, job.id, NPJ_STATE_BROKEN);
    host_end(h);
}

Test(law8, asked_means_that_the_cancel_was_taken)
{
    struct host *h = host_start(NULL);
    struct job job = job_writing(h);
    expect(h, SUCCESS, npj_cancel(h->srv, job.req));
    expect(h, SUCCESS, npj_written(h->srv, job.op, NPJ_STATUS_SUCCESS, 0)); /* before CANCEL is taken */
    expect_state(h, job.id, NPJ_STATE_CLEANUP_FAILED);
    take(h, NPJ_REPLY);
    finish(h, NPJ_CLOSE_PIPE, PIPE_BROKEN);
    host_end(h);
}

Test(law8, asked_means_that_the_cancel_was_taken_of_a_message_too)
{
    static const npj_status statuses[] = {NPJ_STATUS_SUCCESS, NPJ_STATUS_CANCELLED};
    for (int i = 0; i < 2; i++) {
        struct host *h = host_start(NULL);
        struct job job = job_open_message(h);
        job_write(h, &job, TAG_WRITE, "abc");
        job.op = take_write(h, "abc").op;
        expect(h, SUCCESS, npj_cancel(h->srv, job.req));
        expect(h, SUCCESS, npj_written(h->srv, job.op, statuses[i], 0)); /* before CANCEL is taken */
        expect_state(h, job.id, NPJ_STATE_CLEANUP_FAILED);
        take(h, NPJ_REPLY);
        take(h, NPJ_CLOSE_PIPE);
        host_end(h);
    }
}

Test(law8, a_short_success_before_the_cancel_was_taken_counts)
{
    struct host *h = host_start(NULL);
    struct job job = job_open(h);
    const npj_req first = job_write(h, &job, TAG_WRITE, "abc");
    job_write(h, &job, TAG_WRITE + 1, "de");
    job.op = take_write(h, "abcde").op;
    expect(h, SUCCESS, npj_cancel(h->srv, first));
    expect(h, SUCCESS, npj_written(h->srv, job.op, NPJ_STATUS_SUCCESS, 1)); /* before CANCEL is taken */
    expect_reply(h, TAG_WRITE, SUCCESS, 1);                                 /* and no CANCEL after its completion */
    take_write(h, "de");
    host_end(h);
}

Test(law8, an_error_of_a_cancelled_operation_is_still_an_error)
{
    struct host *h = host_start(NULL);
    npj_req reqs[3];
    struct job job = job_of_three(h, reqs);
    expect(h, SUCCESS, npj_cancel(h->srv, reqs[2]));
    take(h, NPJ_CANCEL);
    expect(h, SUCCESS, npj_written(h->srv, job.op, NPJ_STATUS_ACCESS_DENIED, 2));
    expect_reply(h, TAG_WRITE, SUCCESS, 2);
    expect_reply(h, TAG_WRITE + 1, ACCESS_DENIED, 0);
    take(h, NPJ_REPLY);
    expect_broken_end(h);
    host_end(h);
}

/* Of "abc" the pipe takes k bytes, and the next message is its own. */
TestEach(int *taken, law8, a_cancelled_message_counts_what_was_taken, 0, 2)
{
    struct host *h = host_start(NULL);
    struct job job = job_open_message(h);
    job_write(h, &job, TAG_WRITE, "abc");
    job.op = take_write(h, "abc").op;
    const npj_req first = job.req;
    job_write(h, &job, TAG_WRITE + 1, "de");
    expect(h, SUCCESS, npj_cancel(h->srv, first));
    take(h, NPJ_CANCEL);
    const npj_status status = *taken ? NPJ_STATUS_CANCELLED : NPJ_STATUS_SUCCESS;
    expect(h, SUCCESS, npj_written(h->srv, job.op, status, (uint64_t)*taken));
    expect_reply_at(h, TAG_WRITE, *taken ? NPJ_STATUS_SUCCESS : NPJ_STATUS_CANCELLED, (uint64_t)*taken, HERE);
    take_write(h, "de");
    host_end(h);
}

Test(law8, an_empty_message_that_went_out_before_the_cancel_is_a_success)
{
    struct host *h = host_start(NULL);
    struct job job = job_open_message(h);
    job_write(h, &job, TAG_WRITE, "");
    job.op = take_write(h, "").op;
    expect(h, SUCCESS, npj_cancel(h->srv, job.req));
    take(h, NPJ_CANCEL);
    expect_written(h, job.op, TAG_WRITE, 0);
    expect_state(h, job.id, NPJ_STATE_OPEN);
    host_end(h);
}

Test(law8, an_early_answer_is_a_lower_bound)
{
    struct host *h = host_start(NULL);
    struct job job = job_open(h);
    job_write(h, &job, TAG_WRITE, "abcdef");
    expect(h, SUCCESS, npj_written(h->srv, take_write(h, "abcdef").op, NPJ_STATUS_SUCCESS, 2));
    job.op = take_write(h, "cdef").op;
    expect(h, SUCCESS, npj_abort(h->srv, job.id, NPJ_STATUS_PRINT_CANCELLED));
    take(h, NPJ_CANCEL);
    expect_reply(h, TAG_WRITE, PRINT_CANCELLED, 2);
    expect(h, SUCCESS, npj_written(h->srv, job.op, NPJ_STATUS_SUCCESS, 3));
    const npj_stats stats = stats_of(h);
    cr_assert_eq(stats.bytes_taken, 5);
    take(h, NPJ_CLOSE_PIPE);
    expect_nothing(h); /* no second answer */
    host_end(h);
}

/* The k of a cancelled write are all the bytes that were ever taken of it. */
Test(law8, a_cancelled_write_counts_what_earlier_operations_took)
{
    struct host *h = host_start(NULL);
    struct job job = job_open(h);
    job_write(h, &job, TAG_WRITE, "abcdef");
    expect(h, SUCCESS, npj_written(h->srv, take_write(h, "abcdef").op, NPJ_STATUS_SUCCESS, 2));
    job.op = take_write(h, "cdef").op;
    expect(h, SUCCESS, npj_cancel(h->srv, job.req));
    take(h, NPJ_CANCEL);
    expect(h, SUCCESS, npj_written(h->srv, job.op, NPJ_STATUS_CANCELLED, 0));
    expect_reply(h, TAG_WRITE, SUCCESS, 2);
    expect_nothing(h);
    host_end(h);
}

Test(law8, success_with_nothing_after_cancel_leaves_the_others_whole)
{
    struct host *h = host_start(NULL);
    npj_req reqs[3];
    struct job job = job_of_three(h, reqs);
    expect(h, SUCCESS, npj_cancel(h->srv, reqs[1]));
    take(h, NPJ_CANCEL);
    expect(h, SUCCESS, npj_written(h->srv, job.op, NPJ_STATUS_SUCCESS, 0));
    expect_reply(h, TAG_WRITE + 1, CANCELLED, 0);
    expect(h, SUCCESS, npj_written(h->srv, take_write(h, "abef").op, NPJ_STATUS_SUCCESS, 4));
    expect_reply(h, TAG_WRITE, SUCCESS, 2);
    expect_reply(h, TAG_WRITE + 2, SUCCESS, 2);
    host_end(h);
}

Test(law8, an_operation_written_again_after_a_cancel_was_not_asked_to_stop)
{
    struct host *h = host_start(NULL);
    npj_req reqs[3];
    struct job job = job_of_three(h, reqs);
    expect(h, SUCCESS, npj_cancel(h->srv, reqs[0]));
    take(h, NPJ_CANCEL);
    expect(h, SUCCESS, npj_written(h->srv, job.op, NPJ_STATUS_CANCELLED, 0));
    expect_reply(h, TAG_WRITE, CANCELLED, 0);
    expect(h, SUCCESS, npj_written(h->srv, take_write(h, "cdef").op, NPJ_STATUS_CANCELLED, 0));
    expect_reply(h, TAG_WRITE + 1, CANCELLED, 0);
    expect_reply(h, TAG_WRITE + 2, CANCELLED, 0);
    expect_state(h, job.id, NPJ_STATE_CLEANUP_FAILED);
    host_end(h);
}

Test(law8, lent_bytes_of_cancelled_writes_are_not_held)
{
    struct host *h = host_start(NULL);
    struct job job = job_open(h);
    job_lend(h, &job, TAG_WRITE, "ab");
    const npj_req in_flight = job.req;
    job.op = take_write(h, "ab").op;
    const npj_req queued = job_lend(h, &job, TAG_WRITE + 1, "cd");
    expect(h, SUCCESS, npj_cancel(h->srv, queued));
    expect(h, SUCCESS, npj_cancel(h->srv, in_flight));
    take(h, NPJ_CANCEL);
    cr_assert_not(expect_reply(h, TAG_WRITE + 1, CANCELLED, 0).held);
    expect_nothing(h); /* the one in flight is answered by its completion, not before */
    expect(h, SUCCESS, npj_written(h->srv, job.op, NPJ_STATUS_CANCELLED, 1));
    cr_assert_not(expect_reply(h, TAG_WRITE, SUCCESS, 1).held);
    expect_nothing(h);
    expect_packets(h, 0);
    host_end(h);
}
