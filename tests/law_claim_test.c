/* SPDX-License-Identifier: MIT */
/* Law 3, bad claims: a completion that cannot be true is consumed all the same, and counts as a failed operation. */
#include "support.h"

#define WARNING     UINT32_C(0x80000005) /* STATUS_BUFFER_OVERFLOW: severity 2 is neither success nor error */
#define INFORMATION UINT32_C(0x40000000) /* STATUS_OBJECT_NAME_EXISTS: severity 1 is a success */

/* Asserts that @p claim is consumed: INVALID_PARAMETER, and INVALID_HANDLE the second time. */
#define consumed(h, claim)                                                                                             \
    do {                                                                                                               \
        expect(h, INVALID_PARAMETER, claim);                                                                           \
        refused(h, INVALID_HANDLE, claim);                                                                             \
    } while (0)

/* The bad claims of ADD_JOB, by number. */
static npj_status claim_of_add(struct host *h, npj_op op, int claim)
{
    const npj_path null_bytes = {NULL, 4, NPJ_PATH_UTF8};
    const npj_path encoding = {"a", 1, (npj_path_encoding)7};
    switch (claim) {
    case 0:
        return npj_job_added(h->srv, op, NPJ_STATUS_PENDING, &path_of_pipe, JOB_ID);
    case 1:
        return npj_job_added(h->srv, op, WARNING, &path_of_pipe, JOB_ID);
    case 2:
        return npj_job_added(h->srv, op, NPJ_STATUS_SUCCESS, NULL, JOB_ID);
    case 3:
        return npj_job_added(h->srv, op, NPJ_STATUS_SUCCESS, &null_bytes, JOB_ID);
    default:
        return npj_job_added(h->srv, op, NPJ_STATUS_SUCCESS, &encoding, JOB_ID);
    }
}

TestEach(int *claim, law3_claim, add, 0, 1, 2, 3, 4)
{
    struct host *h = host_start(NULL);
    struct job job = job_adding(h);
    expect(h, PENDING, npj_connect(h->srv, job.id, TAG_CONNECT));
    consumed(h, claim_of_add(h, job.op, *claim));
    expect_reply(h, TAG_ADD, INVALID_PARAMETER, 0);
    expect_reply(h, TAG_CONNECT, INVALID_PARAMETER, 0);
    expect_nothing(h); /* a failed AddJob leaves nothing to abandon */
    expect_state(h, job.id, NPJ_STATE_GONE);
    host_end(h);
}

Test(law3_claim, a_failed_add_needs_no_path)
{
    struct host *h = host_start(NULL);
    struct job job = job_adding(h);
    expect(h, SUCCESS, npj_job_added(h->srv, job.op, NPJ_STATUS_ACCESS_DENIED, NULL, 0));
    expect_reply(h, TAG_ADD, ACCESS_DENIED, 0);
    expect_nothing(h);
    host_end(h);
}

/* As of a host that has filled nothing in: neither the bytes nor the encoding are looked at. */
Test(law3_claim, a_path_beside_an_error_is_not_read)
{
    const npj_path *nowhere = (const npj_path *)(uintptr_t)8;
    struct host *h = host_start(NULL);
    struct job job = job_adding(h);
    expect(h, SUCCESS, npj_job_added(h->srv, job.op, NPJ_STATUS_ACCESS_DENIED, nowhere, 0));
    expect_reply(h, TAG_ADD, ACCESS_DENIED, 0);
    host_end(h);
}

TestEach(int *claim, law3_claim, open, 0, 1, 2, 3)
{
    static const struct {
        npj_status status;
        int mode;
    } claims[] = {{NPJ_STATUS_PENDING, 0}, {WARNING, 0}, {NPJ_STATUS_SUCCESS, 2}, {NPJ_STATUS_SUCCESS, -1}};
    struct host *h = host_start(NULL);
    struct job job = job_connecting(h);
    job_write(h, &job, TAG_WRITE, "abc");
    consumed(h, npj_opened(h->srv, job.op, claims[*claim].status, (npj_pipe_mode)claims[*claim].mode));
    expect_reply(h, TAG_CONNECT, INVALID_PARAMETER, 0);
    expect_reply(h, TAG_WRITE, INVALID_PARAMETER, 0);
    finish(h, NPJ_ABANDON_JOB, INVALID_PARAMETER); /* and no CLOSE_PIPE: the pipe is taken as not open */
    expect_nothing(h);
    expect_state(h, job.id, NPJ_STATE_GONE);
    host_end(h);
}

Test(law3_claim, a_failed_open_needs_no_mode)
{
    struct host *h = host_start(NULL);
    struct job job = job_connecting(h);
    expect(h, SUCCESS, npj_opened(h->srv, job.op, NPJ_STATUS_PIPE_BUSY, (npj_pipe_mode)9));
    expect_reply(h, TAG_CONNECT, PIPE_BUSY, 0);
    finish(h, NPJ_ABANDON_JOB, PIPE_BUSY);
    expect_nothing(h);
    host_end(h);
}

TestEach(int *claim, law3_claim, write, 0, 1, 2, 3, 4)
{
    static const struct {
        npj_status status;
        uint64_t transferred;
    } claims[] = {{NPJ_STATUS_PENDING, 3},
                  {WARNING, 3},
                  {NPJ_STATUS_SUCCESS, 6},
                  {NPJ_STATUS_PIPE_BROKEN, 6},
                  {NPJ_STATUS_SUCCESS, UINT64_MAX}};
    struct host *h = host_start(NULL);
    struct job job = job_open(h);
    job_write(h, &job, TAG_WRITE, "abc");
    job_write(h, &job, TAG_WRITE + 1, "de");
    job.op = take_write(h, "abcde").op;
    job_write(h, &job, TAG_WRITE + 2, "not in flight, and so not in the claim");
    consumed(h, npj_written(h->srv, job.op, claims[*claim].status, claims[*claim].transferred));
    for (unsigned i = 0; i < 3; i++)
        expect_reply(h, TAG_WRITE + i, INVALID_PARAMETER, 0);
    const npj_stats stats = stats_of(h);
    cr_assert_eq(stats.bytes_taken, 0);
    close_and_abandon(h, INVALID_PARAMETER);
    expect_state(h, job.id, NPJ_STATE_BROKEN);
    host_end(h);
}

Test(law3_claim, a_bad_claim_of_an_aborted_write_is_consumed)
{
    struct host *h = host_start(NULL);
    struct job job = job_closing(h);
    expect(h, SUCCESS, npj_abort(h->srv, job.id, NPJ_STATUS_PRINT_CANCELLED));
    consumed(h, npj_written(h->srv, job.op, NPJ_STATUS_SUCCESS, 4));
    expect_reply(h, TAG_WRITE, PRINT_CANCELLED, 0);
    expect_reply(h, TAG_CLOSE, PRINT_CANCELLED, 0);
    close_and_abandon(h, PRINT_CANCELLED);
    expect_nothing(h);
    host_end(h);
}

TestEach(int *claim, law3_claim, done, 0, 1)
{
    const npj_status status = *claim ? WARNING : NPJ_STATUS_PENDING;
    struct host *h = host_start(NULL);
    struct job job = job_cleanup(h);
    consumed(h, npj_done(h->srv, job.op, status));
    expect_reply(h, TAG_CLOSE, INVALID_PARAMETER, 0);
    finish(h, NPJ_ABANDON_JOB, INVALID_PARAMETER);
    expect_nothing(h);
    expect_state(h, job.id, NPJ_STATE_GONE);

    job = job_scheduling(h);
    consumed(h, npj_done(h->srv, job.op, status));
    expect_reply(h, TAG_CLOSE, INVALID_PARAMETER, 0);
    const npj_op abandon = take(h, NPJ_ABANDON_JOB).op;
    consumed(h, npj_done(h->srv, abandon, status));
    expect_nothing(h);
    expect_state(h, job.id, NPJ_STATE_GONE);

    job = job_cleanup_failed(h);
    consumed(h, npj_done(h->srv, job.op, status));
    finish(h, NPJ_ABANDON_JOB, PIPE_BROKEN); /* the first failure stays */
    expect_state(h, job.id, NPJ_STATE_BROKEN);
    host_end(h);
}

/* The life of a job whose operations all end with @status. */
static void succeed_with(npj_status status)
{
    struct host *h = host_start(NULL);
    struct job job = job_adding(h);
    expect(h, SUCCESS, npj_job_added(h->srv, job.op, status, &path_of_pipe, JOB_ID));
    expect_reply(h, TAG_ADD, SUCCESS, 0);
    expect(h, PENDING, npj_connect(h->srv, job.id, TAG_CONNECT));
    expect(h, SUCCESS, npj_opened(h->srv, take(h, NPJ_OPEN).op, status, NPJ_BYTE_MODE));
    expect_reply(h, TAG_CONNECT, SUCCESS, 0);
    job_write(h, &job, TAG_WRITE, "abc");
    expect(h, SUCCESS, npj_written(h->srv, take_write(h, "abc").op, status, 3));
    expect_reply(h, TAG_WRITE, SUCCESS, 3);
    expect(h, PENDING, npj_close(h->srv, job.id, TAG_CLOSE));
    expect(h, SUCCESS, npj_done(h->srv, take(h, NPJ_CLOSE_PIPE).op, status));
    expect(h, SUCCESS, npj_done(h->srv, take(h, NPJ_SCHEDULE_JOB).op, status));
    expect_reply(h, TAG_CLOSE, SUCCESS, 0);
    host_end(h);
}

Test(law3_claim, informational_statuses_are_successes)
{
    succeed_with(INFORMATION);
}

/* STATUS_WAIT_1, and STATUS_REPARSE, the one behind STATUS_PENDING. */
Test(law3_claim, successes_other_than_zero_are_successes)
{
    succeed_with(UINT32_C(0x00000001));
    succeed_with(UINT32_C(0x00000104));
}

/* The two bits on top tell the severity, and the rest of the status says nothing about it. */
Test(law3_claim, the_severity_alone_decides)
{
    struct host *h = host_start(NULL);
    struct job job = job_added(h);
    expect(h, PENDING, npj_connect(h->srv, job.id, TAG_CONNECT));
    expect(h, SUCCESS, npj_opened(h->srv, take(h, NPJ_OPEN).op, UINT32_C(0x7FFFFFFF), NPJ_BYTE_MODE));
    expect_reply(h, TAG_CONNECT, SUCCESS, 0);
    job_write(h, &job, TAG_WRITE, "abc");
    job.op = take_write(h, "abc").op;
    consumed(h, npj_written(h->srv, job.op, UINT32_C(0x80000004), 3));
    expect_reply(h, TAG_WRITE, INVALID_PARAMETER, 0);
    finish(h, NPJ_CLOSE_PIPE, INVALID_PARAMETER);
    host_end(h);
}

/* What a WRITE was given is what was left of its writes, not their whole length. */
Test(law3_claim, more_than_the_rest_of_a_short_write)
{
    struct host *h = host_start(NULL);
    struct job job = job_open(h);
    job_write(h, &job, TAG_WRITE, "abcdef");
    expect(h, SUCCESS, npj_written(h->srv, take_write(h, "abcdef").op, NPJ_STATUS_SUCCESS, 2));
    job.op = take_write(h, "cdef").op;
    consumed(h, npj_written(h->srv, job.op, NPJ_STATUS_SUCCESS, 5));
    expect_reply(h, TAG_WRITE, INVALID_PARAMETER, 2);
    finish(h, NPJ_CLOSE_PIPE, INVALID_PARAMETER);
    host_end(h);
}

/* A write that is answered, and whose REPLY nobody has taken, is no part of the next operation. */
Test(law3_claim, an_answered_write_is_no_part_of_the_next_operation)
{
    struct host *h = host_start(NULL);
    struct job job = job_open_message(h);
    job_lend(h, &job, TAG_WRITE, "abc");
    job_lend(h, &job, TAG_WRITE + 1, "de");
    job_lend(h, &job, TAG_WRITE + 2, "fghi");
    take_whole(h, TAG_WRITE, "abc");
    expect(h, SUCCESS, npj_written(h->srv, take_write(h, "de").op, NPJ_STATUS_SUCCESS, 2));
    expect(h, SUCCESS, npj_abort(h->srv, job.id, NPJ_STATUS_PRINT_CANCELLED));
    cr_assert_not(expect_reply(h, TAG_WRITE + 1, SUCCESS, 2).held);
    cr_assert_not(expect_reply(h, TAG_WRITE + 2, PRINT_CANCELLED, 0).held);
    expect_packets(h, 0);
    host_end(h);
}
