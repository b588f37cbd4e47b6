/* SPDX-License-Identifier: MIT */
/* Pipes that are full: when they are written to again, and that it is not too often. */
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "host_support.h"

enum { CHUNK = 50000, BIG = 3000000 };

/* Writes until the pipe is full, and a WRITE waits; returns how many writes. @buffer: what the pipe has taken. */
static int overfill(struct rig *r, struct seen *s, const char *text, uint64_t *buffer)
{
    npj_stats stats;
    int writes = 0;
    do {
        must_write(s, (uint64_t)(TAG_WRITE + writes), text + (size_t)writes * CHUNK, CHUNK, NPJ_LEND);
        writes++;
        settle(r);
        npj_stats_get(npjp_host_srv(r->host), &stats);
    } while (stats.bytes_taken == (uint64_t)writes * CHUNK);
    *buffer = stats.bytes_taken;
    return writes;
}

/* A socket that is full is said to be writable when three quarters of it have been read. Here that takes longer than
 * the stall deadline, in which it takes some of the bytes all the same. */
TestEachBelow(const int *kind, full, a_reader_that_is_slow_but_reads_does_not_stand_still, KINDS)
{
    enum { STALL_MS = 2000, WHOLE_BUFFER_MS = 4000 };
    npjp_config limits = rig_limits();
    limits.engine.stall_timeout = STALL_MS;
    struct rig *r = rig_start(&limits);
    struct seen s = {0};
    char *text = pattern(BIG);
    uint64_t buffer;
    connect_to(r, &s, (enum kind) * kind);
    const int writes = overfill(r, &s, text, &buffer);
    cr_assert_eq(npjp_job_close(s.job, TAG_CLOSE), NPJ_STATUS_PENDING);
    const uint64_t began = uv_hrtime();
    while (s.ended == 0) {
        const uint64_t milliseconds = (uv_hrtime() - began) / 1000000;
        while (r->got_length < buffer * milliseconds / WHOLE_BUFFER_MS && reader_read(r, CHUNK) > 0)
            continue;
        usleep(1000);
        uv_run(&r->loop, UV_RUN_NOWAIT);
    }
    expect_reply(&s, NPJ_REQUEST_CLOSE, TAG_CLOSE, NPJ_STATUS_SUCCESS);
    until(r, &s, false, is_at_end);
    cr_assert_eq(r->got_length, (size_t)writes * CHUNK);
    cr_assert_eq(memcmp(r->got, text, r->got_length), 0, "other bytes arrived");
    rig_end(r);
    free(text);
}

/* Nothing happens to the socket of which the system would tell. */
Test(full, a_reader_that_shuts_a_full_socket_down_is_noticed)
{
    struct rig *r = rig_start(NULL);
    struct seen s = {0};
    char *text = pattern(BIG);
    uint64_t buffer;
    connect_to(r, &s, STREAM);
    (void)overfill(r, &s, text, &buffer);
    cr_assert_eq(npjp_job_close(s.job, TAG_CLOSE), NPJ_STATUS_PENDING);
    cr_assert_eq(shutdown(r->reader, SHUT_RD), 0);
    until(r, &s, false, has_ended);
    expect_reply(&s, NPJ_REQUEST_CLOSE, TAG_CLOSE, NPJ_STATUS_PIPE_BROKEN);
    rig_end(r);
    free(text);
}

/* Longer than it takes until a full socket is tried again. */
static void wait_for_a_try(struct rig *r)
{
    for (int i = 0; i < 70; i++) {
        settle(r);
        usleep(10000);
    }
}

TestEachBelow(const int *kind, full, a_write_that_was_cancelled_is_not_tried_again, KINDS)
{
    struct rig *r = rig_start(NULL);
    struct seen s = {0};
    char *text = pattern(BIG);
    uint64_t buffer;
    connect_to(r, &s, (enum kind) * kind);
    (void)overfill(r, &s, text, &buffer);
    s.provider_waits = true;
    cr_assert_eq(npjp_job_abort(s.job, NPJ_STATUS_PRINT_CANCELLED), NPJ_STATUS_SUCCESS);
    wait_for_a_try(r);
    cr_assert_eq(s.abandoned, 1);
    cr_assert_eq(npjp_job_done(s.job, s.op, NPJ_STATUS_SUCCESS), NPJ_STATUS_SUCCESS);
    until(r, &s, false, has_ended);
    cr_assert_str_eq(s.trouble, "");
    rig_end(r);
    free(text);
}

TestEachBelow(const int *kind, full, a_write_that_has_waited_is_made_once, KINDS)
{
    struct rig *r = rig_start(NULL);
    struct seen s = {0};
    char *text = pattern(BIG);
    uint64_t buffer;
    connect_to(r, &s, (enum kind) * kind);
    const size_t length = (size_t)overfill(r, &s, text, &buffer) * CHUNK;
    while (r->got_length < length) {
        (void)reader_read(r, CHUNK);
        uv_run(&r->loop, UV_RUN_NOWAIT);
    }
    wait_for_a_try(r);
    cr_assert_eq(npjp_job_close(s.job, TAG_CLOSE), NPJ_STATUS_PENDING);
    until(r, &s, false, is_at_end);
    cr_assert_eq(r->got_length, length);
    cr_assert_eq(memcmp(r->got, text, length), 0, "other bytes arrived");
    rig_end(r);
    free(text);
}

/* The socket is not said to be writable, and no regular try falls within the stall deadline. */
Test(full, a_socket_is_tried_before_its_reader_is_given_up)
{
    enum { STALL_MS = 400, READS_EVERY_MS = 150 };
    npjp_config limits = rig_limits();
    limits.engine.stall_timeout = STALL_MS;
    struct rig *r = rig_start(&limits);
    struct seen s = {0};
    char *text = pattern(BIG);
    uint64_t buffer;
    connect_to(r, &s, STREAM);
    (void)overfill(r, &s, text, &buffer);
    cr_assert_eq(npjp_job_close(s.job, TAG_CLOSE), NPJ_STATUS_PENDING);
    for (uint64_t next = uv_hrtime(); s.ended == 0; usleep(1000)) {
        for (; uv_hrtime() >= next; next += READS_EVERY_MS * UINT64_C(1000000))
            (void)reader_read(r, CHUNK);
        uv_run(&r->loop, UV_RUN_NOWAIT);
    }
    expect_reply(&s, NPJ_REQUEST_CLOSE, TAG_CLOSE, NPJ_STATUS_SUCCESS);
    rig_end(r);
    free(text);
}
