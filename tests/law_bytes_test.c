/* SPDX-License-Identifier: MIT */
/* Law 7: the order of bytes and messages. */
#include "support.h"

static void written(struct host *h, npj_op op, uint64_t transferred)
{
    expect(h, SUCCESS, npj_written(h->srv, op, NPJ_STATUS_SUCCESS, transferred));
}

static void write_nothing(struct host *h, const struct job *job, uint64_t tag)
{
    expect(h, PENDING, npj_write(h->srv, job->id, tag, NULL, 0, NPJ_COPY, NULL));
}

Test(law7, a_short_write_goes_on_at_the_first_byte_not_taken)
{
    struct host *h = host_start(NULL);
    struct job job = job_open(h);
    job_write(h, &job, TAG_WRITE, "abcdef");
    written(h, take_write(h, "abcdef").op, 1);
    written(h, take_write(h, "bcdef").op, 4);
    written(h, take_write(h, "f").op, 1);
    expect_reply(h, TAG_WRITE, SUCCESS, 6);
    expect_nothing(h);
    host_end(h);
}

Test(law7, queued_writes_go_out_together_up_to_max_batch)
{
    struct host *h = host_start(limits_with(.max_batch = 3));
    struct job job = job_open(h);
    for (unsigned i = 0; i < 5; i++)
        job_write(h, &job, TAG_WRITE + i, "ab");
    npj_action action = take_write(h, "ababab");
    cr_assert_eq(action.iov_count, 3);
    written(h, action.op, 6);
    for (unsigned i = 0; i < 3; i++)
        expect_reply(h, TAG_WRITE + i, SUCCESS, 2);
    action = take_write(h, "abab");
    cr_assert_eq(action.iov_count, 2);
    written(h, action.op, 4);
    expect_reply(h, TAG_WRITE + 3, SUCCESS, 2);
    expect_reply(h, TAG_WRITE + 4, SUCCESS, 2);
    expect_nothing(h);
    host_end(h);
}

Test(law7, a_short_batch_ends_inside_a_packet)
{
    struct host *h = host_start(NULL);
    struct job job = job_open(h);
    job_write(h, &job, TAG_WRITE, "abc");
    job_write(h, &job, TAG_WRITE + 1, "def");
    job_write(h, &job, TAG_WRITE + 2, "ghi");
    written(h, take_write(h, "abcdefghi").op, 4);
    expect_reply(h, TAG_WRITE, SUCCESS, 3);
    written(h, take_write(h, "efghi").op, 2); /* ends with a packet */
    expect_reply(h, TAG_WRITE + 1, SUCCESS, 3);
    take_whole(h, TAG_WRITE + 2, "ghi");
    expect_nothing(h);
    host_end(h);
}

Test(law7, what_is_accepted_during_a_write_follows_it)
{
    struct host *h = host_start(NULL);
    struct job job = job_writing(h);
    job_write(h, &job, TAG_WRITE + 1, "def");
    written(h, job.op, 2);
    written(h, take_write(h, "cdef").op, 4);
    expect_reply(h, TAG_WRITE, SUCCESS, 3);
    expect_reply(h, TAG_WRITE + 1, SUCCESS, 3);
    host_end(h);
}

Test(law7, writes_wait_for_add_and_connect_in_their_order)
{
    struct host *h = host_start(NULL);
    struct job job = job_adding(h);
    expect(h, PENDING, npj_connect(h->srv, job.id, TAG_CONNECT));
    job_write(h, &job, TAG_WRITE, "abc");
    expect_nothing(h);
    expect_added(h, job.op);
    const npj_op op = take(h, NPJ_OPEN).op;
    job_write(h, &job, TAG_WRITE + 1, "def");
    expect_nothing(h);
    expect_opened(h, op);
    take_write(h, "abcdef");
    host_end(h);
}

/* Many writes of many lengths through a pipe that takes what it likes: the stream is what was accepted. */
TestEach(int *seed, law7, the_stream_is_the_bytes_in_order, 1, 2, 3, 4, 5, 6)
{
    enum { WRITES = 40, BYTES = WRITES * 20 };
    struct host *h = host_start(NULL);
    struct job job = job_open(h);
    unsigned char bytes[BYTES];
    unsigned char stream[BYTES];
    size_t accepted = 0;
    size_t taken = 0;
    uint32_t random = (uint32_t)*seed;
    for (size_t i = 0; i < BYTES; i++)
        bytes[i] = (unsigned char)((i * 7 + i / 256) & 0xFF);
    for (unsigned i = 0; i < WRITES; i++) {
        random = random * 1664525 + 1013904223;
        const uint32_t length = (random >> 16) % 20;
        const unsigned how = random & 0x8000 ? NPJ_COPY : NPJ_LEND;
        expect(h, PENDING, npj_write(h->srv, job.id, TAG_WRITE + i, bytes + accepted, length, how, NULL));
        accepted += length;
    }
    for (npj_action action; npj_next(h->srv, &action);) {
        if (action.kind != NPJ_WRITE)
            continue;
        random = random * 1664525 + 1013904223;
        const uint64_t some = 1 + (random >> 16) % action.count;
        uint64_t left = some;
        for (uint32_t i = 0; i < action.iov_count; i++) {
            const size_t part = action.iov[i].length < left ? action.iov[i].length : (size_t)left;
            cr_assert_gt(action.iov[i].length, 0, "an empty iovec in byte mode");
            memcpy(stream + taken, action.iov[i].base, part);
            taken += part;
            left -= part;
        }
        written(h, action.op, some);
    }
    cr_assert_eq(taken, accepted);
    cr_assert_eq(memcmp(stream, bytes, accepted), 0);
    expect_packets(h, 0);
    host_end(h);
}

/* Copied bytes are the host's again at once, be they none: nothing points to them. */
Test(law7, an_empty_message_that_was_copied_points_to_nothing)
{
    struct host *h = host_start(NULL);
    struct job job = job_open_message(h);
    static const char bytes[1];
    expect(h, PENDING, npj_write(h->srv, job.id, TAG_WRITE, bytes, 0, NPJ_COPY, NULL));
    const npj_action action = take_write(h, "");
    cr_assert_eq(action.iov_count, 1);
    cr_assert_null(action.iov[0].base);
    written(h, action.op, 0);
    expect_reply(h, TAG_WRITE, SUCCESS, 0);
    host_end(h);
}

Test(law7, empty_writes_in_byte_mode_are_answered_in_their_turn)
{
    struct host *h = host_start(NULL);
    struct job job = job_open(h);
    write_nothing(h, &job, TAG_WRITE);
    expect_reply(h, TAG_WRITE, SUCCESS, 0); /* and no WRITE */
    expect_nothing(h);
    job_write(h, &job, TAG_WRITE + 1, "ab");
    write_nothing(h, &job, TAG_WRITE + 2);
    write_nothing(h, &job, TAG_WRITE + 3);
    job_write(h, &job, TAG_WRITE + 4, "cd");
    write_nothing(h, &job, TAG_WRITE + 5);
    const npj_op op = take_write(h, "ab").op;
    expect_nothing(h);
    written(h, op, 2);
    expect_reply(h, TAG_WRITE + 1, SUCCESS, 2);
    expect_reply(h, TAG_WRITE + 2, SUCCESS, 0);
    expect_reply(h, TAG_WRITE + 3, SUCCESS, 0);
    take_whole(h, TAG_WRITE + 4, "cd");
    expect_reply(h, TAG_WRITE + 5, SUCCESS, 0);
    expect_nothing(h);
    host_end(h);
}

Test(law7, an_empty_write_waits_behind_bytes_not_yet_taken)
{
    struct host *h = host_start(NULL);
    struct job job = job_open(h);
    job_write(h, &job, TAG_WRITE, "abc");
    write_nothing(h, &job, TAG_WRITE + 1);
    job_write(h, &job, TAG_WRITE + 2, "d");
    written(h, take_write(h, "abc").op, 2);
    written(h, take_write(h, "c").op, 1);
    expect_reply(h, TAG_WRITE, SUCCESS, 3);
    expect_reply(h, TAG_WRITE + 1, SUCCESS, 0);
    take_whole(h, TAG_WRITE + 2, "d");
    host_end(h);
}

Test(law7, an_empty_write_is_answered_behind_a_cancelled_neighbour)
{
    struct host *h = host_start(NULL);
    struct job job = job_open(h);
    npj_req before = job_write(h, &job, TAG_WRITE, "a");
    npj_req second = job_write(h, &job, TAG_WRITE + 1, "b");
    (void)job_write(h, &job, TAG_WRITE + 2, "");
    npj_req behind = job_write(h, &job, TAG_WRITE + 3, "c");
    job.op = take_write(h, "ab").op;
    expect(h, SUCCESS, npj_cancel(h->srv, second));
    expect(h, SUCCESS, npj_cancel(h->srv, before));
    (void)take(h, NPJ_CANCEL);
    expect(h, SUCCESS, npj_cancel(h->srv, behind));
    expect_reply(h, TAG_WRITE + 3, CANCELLED, 0);
    expect(h, SUCCESS, npj_written(h->srv, job.op, NPJ_STATUS_CANCELLED, 0));
    expect_reply(h, TAG_WRITE, CANCELLED, 0);
    expect_reply(h, TAG_WRITE + 1, CANCELLED, 0);
    expect_reply(h, TAG_WRITE + 2, SUCCESS, 0);
    host_end(h);
}

Test(law7, an_empty_write_before_open_waits_for_it)
{
    struct host *h = host_start(NULL);
    struct job job = job_connecting(h);
    write_nothing(h, &job, TAG_WRITE);
    expect_nothing(h);
    expect_opened(h, job.op);
    expect_reply(h, TAG_WRITE, SUCCESS, 0);
    expect_nothing(h);
    host_end(h);
}

Test(law7, more_empty_writes_than_a_batch)
{
    struct host *h = host_start(limits_with(.max_batch = 2));
    struct job job = job_connecting(h);
    for (unsigned i = 0; i < 9; i++)
        write_nothing(h, &job, TAG_WRITE + i);
    job_write(h, &job, TAG_WRITE + 9, "a");
    expect(h, PENDING, npj_close(h->srv, job.id, TAG_CLOSE));
    expect_opened(h, job.op);
    for (unsigned i = 0; i < 9; i++)
        expect_reply(h, TAG_WRITE + i, SUCCESS, 0);
    take_whole(h, TAG_WRITE + 9, "a");
    finish_close(h);
    host_end(h);
}

Test(law7, one_message_is_one_write)
{
    struct host *h = host_start(NULL);
    struct job job = job_open_message(h);
    job_write(h, &job, TAG_WRITE, "abc");
    job_write(h, &job, TAG_WRITE + 1, "d");
    write_nothing(h, &job, TAG_WRITE + 2);
    job_write(h, &job, TAG_WRITE + 3, "ef");
    static const char *const messages[] = {"abc", "d", "", "ef"};
    for (unsigned i = 0; i < 4; i++) {
        const npj_action action = take_write(h, messages[i]);
        cr_assert_eq(action.iov_count, 1);
        expect_nothing(h);
        written(h, action.op, strlen(messages[i]));
        expect_reply(h, TAG_WRITE + i, SUCCESS, strlen(messages[i]));
    }
    expect_nothing(h);
    host_end(h);
}

TestEach(int *part, law7, a_part_of_a_message_is_a_failed_pipe, 0, 1, 2)
{
    struct host *h = host_start(NULL);
    struct job job = job_open_message(h);
    job_write(h, &job, TAG_WRITE, "abc");
    job_write(h, &job, TAG_WRITE + 1, "de");
    written(h, take_write(h, "abc").op, (uint64_t)*part);
    expect_reply(h, TAG_WRITE, PIPE_BROKEN, (uint64_t)*part);
    expect_reply(h, TAG_WRITE + 1, PIPE_BROKEN, 0);
    close_and_abandon(h, PIPE_BROKEN);
    expect_state(h, job.id, NPJ_STATE_BROKEN);
    host_end(h);
}

Test(law7, no_byte_of_a_write_is_a_failed_pipe)
{
    struct host *h = host_start(NULL);
    struct job job = job_open(h);
    job_write(h, &job, TAG_WRITE, "abc");
    written(h, take_write(h, "abc").op, 0);
    expect_reply(h, TAG_WRITE, PIPE_BROKEN, 0);
    finish(h, NPJ_CLOSE_PIPE, PIPE_BROKEN);
    host_end(h);
}

Test(law7, copied_bytes_are_the_hosts_again_at_once_and_lent_ones_are_not_moved)
{
    struct host *h = host_start(NULL);
    struct job job = job_open(h);
    char copied[] = "copied";
    static const char lent[] = "lent";
    expect(h, PENDING, npj_write(h->srv, job.id, TAG_WRITE, copied, 6, NPJ_COPY, NULL));
    memset(copied, '!', sizeof copied);
    expect(h, PENDING, npj_write(h->srv, job.id, TAG_WRITE + 1, lent, 4, NPJ_LEND, NULL));
    const npj_action action = take_write(h, "copiedlent");
    cr_assert_eq(action.iov_count, 2);
    cr_assert_eq(action.iov[1].base, lent);
    written(h, action.op, 8);
    expect_reply(h, TAG_WRITE, SUCCESS, 6);
    const npj_action rest = take_write(h, "nt");
    cr_assert_eq(rest.iov[0].base, lent + 2);
    written(h, rest.op, 2);
    const npj_action reply = expect_reply(h, TAG_WRITE + 1, SUCCESS, 4);
    cr_assert_not(reply.held);
    expect_nothing(h); /* no RETURN */
    host_end(h);
}
