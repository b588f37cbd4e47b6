/* SPDX-License-Identifier: MIT */
/* How the writer of a socket closes it: what its reader sees of the end, whatever either has left unread. */
#include <errno.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host_support.h"

/* All was taken by the system, and thrown away by it: the job did not arrive, and is not scheduled. */
static void reader_goes_with_bytes_unread(enum kind kind)
{
    struct rig *r = rig_start(NULL);
    struct seen s = {0};
    reader_listen(r, kind);
    job_start(r, &s, job_options(&s));
    must_write(&s, TAG_WRITE, "all of a job", 12, NPJ_COPY);
    settle(r);
    expect_reply(&s, NPJ_REQUEST_WRITE, TAG_WRITE, NPJ_STATUS_SUCCESS);
    reader_accept(r);
    reader_close(r);
    cr_assert_eq(npjp_job_close(s.job, TAG_CLOSE), NPJ_STATUS_PENDING);
    until(r, &s, false, has_ended);
    expect_reply(&s, NPJ_REQUEST_CLOSE, TAG_CLOSE, NPJ_STATUS_PIPE_BROKEN);
    cr_assert_eq(s.scheduled, 0);
    cr_assert_eq(s.abandoned, 1);
    cr_assert_str_eq(s.trouble, "the reader went before it had read all: Connection reset by peer");
    rig_end(r);
}

Test(close, a_stream_reader_that_leaves_bytes_unread_has_no_job)
{
    reader_goes_with_bytes_unread(STREAM);
}

Test(close, a_seqpacket_reader_that_leaves_bytes_unread_has_no_job)
{
    reader_goes_with_bytes_unread(SEQPACKET);
}

/* What a reader sends is read by nobody: neither its last bytes are lost by it nor the end, unless the job fails. */
static void reader_says_something(enum kind kind, bool whole)
{
    enum { MESSAGES = 3, LENGTH = 6 };
    struct rig *r = rig_start(NULL);
    struct seen s = {0};
    connect_to(r, &s, kind);
    cr_assert_eq(send(r->reader, "", 0, 0), 0); /* an empty message, or nothing */
    for (int i = 0; i < 100; i++)
        cr_assert_eq(write(r->reader, "something", 9), 9);
    for (int i = 0; i < MESSAGES; i++)
        must_write(&s, (uint64_t)(TAG_WRITE + i), "a part", LENGTH, NPJ_COPY);
    settle(r);
    if (whole)
        cr_assert_eq(npjp_job_close(s.job, TAG_CLOSE), NPJ_STATUS_PENDING);
    else
        cr_assert_eq(npjp_job_abort(s.job, NPJ_STATUS_PRINT_CANCELLED), NPJ_STATUS_SUCCESS);
    until(r, &s, false, has_ended);
    cr_assert_eq(s.scheduled, whole ? 1 : 0);
    ssize_t count;
    do {
        count = reader_read(r, 100);
    } while (count > 0);
    if (whole) {
        cr_assert_eq(count, 0, "read: %s", strerror(errno));
        cr_assert_eq(r->got_length, MESSAGES * LENGTH);
    } else {
        cr_assert(count == -1 && errno == ECONNRESET);
    }
    rig_end(r);
}

Test(close, a_stream_reader_that_says_something_gets_all)
{
    reader_says_something(STREAM, true);
    reader_says_something(STREAM, false);
}

Test(close, a_seqpacket_reader_that_says_something_gets_all)
{
    reader_says_something(SEQPACKET, true);
    reader_says_something(SEQPACKET, false);
}

/* As many messages as a buffer holds that anybody may ask for. */
Test(close, a_seqpacket_reader_that_says_a_lot_gets_all)
{
    struct rig *r = rig_start(NULL);
    struct seen s = {0};
    const int room = 1 << 20;
    connect_to(r, &s, SEQPACKET);
    cr_assert_eq(setsockopt(r->reader, SOL_SOCKET, SO_SNDBUF, &room, sizeof room), 0);
    while (write(r->reader, "x", 1) == 1)
        continue;
    must_write(&s, TAG_WRITE, "a part", 6, NPJ_COPY);
    cr_assert_eq(npjp_job_close(s.job, TAG_CLOSE), NPJ_STATUS_PENDING);
    until(r, &s, false, has_ended);
    cr_assert_eq(reader_read(r, 100), 6, "read: %s", strerror(errno));
    cr_assert_eq(reader_read(r, 100), 0, "read: %s", strerror(errno));
    rig_end(r);
}

/* A child that does not call exec() holds copies of all descriptors. */
Test(close, a_socket_has_its_end_whoever_holds_it)
{
    struct rig *r = rig_start(NULL);
    struct seen s = {0};
    connect_to(r, &s, STREAM);
    const pid_t child = fork();
    cr_assert_geq(child, 0);
    if (child == 0) {
        pause();
        _exit(0);
    }
    cr_assert_eq(npjp_job_close(s.job, TAG_CLOSE), NPJ_STATUS_PENDING);
    until(r, &s, false, has_ended);
    const ssize_t count = reader_read(r, 100);
    cr_assert_eq(kill(child, SIGKILL), 0);
    cr_assert_eq(waitpid(child, NULL, 0), child);
    cr_assert_eq(count, 0, "the reader waits on");
    rig_end(r);
}
