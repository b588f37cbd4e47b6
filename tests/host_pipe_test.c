/* SPDX-License-Identifier: MIT */
/* Whole jobs through real pipes of every kind: bytes, order, counts, and readers that are slow, stop or die. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "host_support.h"

enum { CHUNK = 50000, CHUNKS = 60, BIG = CHUNK * CHUNKS };

/* Writes @text in CHUNKS writes, all at once, and closes. */
static void write_all(struct seen *s, const char *text, unsigned flags)
{
    for (int i = 0; i < CHUNKS; i++)
        must_write(s, (uint64_t)(TAG_WRITE + i), text + (size_t)i * CHUNK, CHUNK, flags);
    cr_assert_eq(npjp_job_close(s->job, TAG_CLOSE), NPJ_STATUS_PENDING);
}

static void expect_all_taken(const struct seen *s)
{
    for (int i = 0; i < CHUNKS; i++) {
        expect_reply(s, NPJ_REQUEST_WRITE, (uint64_t)(TAG_WRITE + i), NPJ_STATUS_SUCCESS);
        cr_assert_eq(reply_to(s, NPJ_REQUEST_WRITE, (uint64_t)(TAG_WRITE + i))->count, CHUNK);
    }
    expect_reply(s, NPJ_REQUEST_CLOSE, TAG_CLOSE, NPJ_STATUS_SUCCESS);
    cr_assert_eq(s->report.bytes, BIG);
    cr_assert_eq(s->reply_count, CHUNKS + 3);
}

/* The kinds of pipe, with bytes copied and lent. */
#define EVERY_KIND_AND_WAY(suite, name) TestEachBelow(const int *way, suite, name, 2 * KINDS)
#define KIND_OF(way)                    ((enum kind)(*(way) % KINDS))
#define FLAGS_OF(way)                   (*(way) < KINDS ? NPJ_COPY : NPJ_LEND)

EVERY_KIND_AND_WAY(pipe, a_job_arrives_byte_for_byte)
{
    struct rig *r = rig_start(NULL);
    struct seen s = {0};
    char *text = pattern(BIG);
    reader_listen(r, KIND_OF(way));
    job_start(r, &s, job_options(&s));
    write_all(&s, text, FLAGS_OF(way));
    until(r, &s, true, has_ended);
    until(r, &s, false, is_at_end);
    cr_assert_eq(r->got_length, BIG);
    cr_assert_eq(memcmp(r->got, text, BIG), 0, "other bytes arrived");
    expect_all_taken(&s);
    cr_assert_eq(s.scheduled, 1);
    cr_assert_eq(s.abandoned, 0);
    cr_assert(s.report.added && s.report.opened && s.report.scheduled && !s.report.abandoned);
    cr_assert_eq(s.report.job_id, JOB_ID);
    cr_assert_str_eq(s.trouble, "");
    if (r->kind == SEQPACKET)
        cr_assert_eq(r->messages, CHUNKS, "one write is one message");
    rig_end(r);
    free(text);
}

/* The system's buffer is far smaller than a batch: every write of the system is short, and the pipe is often full. */
EVERY_KIND_AND_WAY(pipe, a_slow_reader_makes_short_writes_and_gets_all)
{
    npjp_config limits = rig_limits();
    limits.engine.max_batch = 16;
    struct rig *r = rig_start(&limits);
    struct seen s = {0};
    char *text = pattern(BIG);
    reader_listen(r, KIND_OF(way));
    job_start(r, &s, job_options(&s));
    settle(r);
    if (r->kind != FIFO)
        reader_accept(r);
    write_all(&s, text, FLAGS_OF(way));
    settle(r);
    npj_stats stats;
    npj_stats_get(npjp_host_srv(r->host), &stats);
    cr_assert_lt(stats.bytes_taken, BIG, "the pipe takes all: this test is none");
    while (s.ended == 0) {
        (void)reader_read(r, r->kind == SEQPACKET ? CHUNK : 7777);
        uv_run(&r->loop, UV_RUN_NOWAIT);
    }
    until(r, &s, false, is_at_end);
    cr_assert_eq(r->got_length, BIG);
    cr_assert_eq(memcmp(r->got, text, BIG), 0, "other bytes arrived");
    expect_all_taken(&s);
    if (r->kind != SEQPACKET)
        cr_assert_gt(s.report.pipe_writes, BIG / (16 * CHUNK), "no write was short");
    rig_end(r);
    free(text);
}

/* Small pieces are put together before the system gets them, within bounds: batches on both sides of each, and a reader
 * that makes the writes of the system short. */
static const struct batch {
    uint32_t writes, length;
} batches[] = {{40, 1}, {64, 64}, {64, 384}, {64, 385}, {128, 256}, {129, 256}};
enum { BATCHES = sizeof batches / sizeof *batches };

TestEachBelow(const int *number, pipe, small_writes_arrive_byte_for_byte, BATCHES)
{
    const struct batch *batch = &batches[*number];
    enum { WRITES = 2000 };
    const uint32_t length = batch->length;
    static const enum kind kinds[] = {STREAM, FIFO};
    for (int i = 0; i < 2; i++) {
        npjp_config limits = rig_limits();
        limits.engine.max_job_packets = WRITES;
        limits.engine.max_batch = batch->writes;
        struct rig *r = rig_start(&limits);
        struct seen s = {0};
        char *text = pattern((size_t)WRITES * length);
        reader_listen(r, kinds[i]);
        job_start(r, &s, job_options(&s));
        settle(r);
        if (r->kind != FIFO)
            reader_accept(r);
        for (uint32_t write = 0; write < WRITES; write++)
            must_write(&s, TAG_WRITE + write, text + (size_t)write * length, length, NPJ_LEND);
        cr_assert_eq(npjp_job_close(s.job, TAG_CLOSE), NPJ_STATUS_PENDING);
        while (s.ended == 0) {
            (void)reader_read(r, 7777);
            uv_run(&r->loop, UV_RUN_NOWAIT);
        }
        until(r, &s, false, is_at_end);
        cr_assert_eq(r->got_length, (size_t)WRITES * length);
        cr_assert_eq(memcmp(r->got, text, r->got_length), 0, "other bytes arrived");
        cr_assert_eq(s.reply_count, WRITES + 3);
        cr_assert_geq(s.report.pipe_writes, WRITES / batch->writes);
        rig_end(r);
        free(text);
    }
}

/* Two jobs wait for two full pipes at once, and each gets its own bytes. */
Test(pipe, two_full_pipes_do_not_mix)
{
    struct rig *r = rig_start(NULL);
    static struct seen jobs[2];
    int readers[2];
    char *text = pattern(2 * BIG);
    char *got[2] = {malloc(BIG), malloc(BIG)};
    size_t lengths[2] = {0, 0};
    reader_listen(r, STREAM);
    for (int i = 0; i < 2; i++) {
        job_start(r, &jobs[i], job_options(&jobs[i]));
        settle(r);
        reader_accept(r);
        readers[i] = r->reader;
        r->reader = -1;
    }
    write_all(&jobs[0], text, NPJ_LEND);
    write_all(&jobs[1], text + BIG, NPJ_LEND);
    while (jobs[0].ended + jobs[1].ended < 2 || lengths[0] + lengths[1] < 2 * (size_t)BIG) {
        uv_run(&r->loop, UV_RUN_NOWAIT);
        for (int i = 0; i < 2; i++) {
            ssize_t count = read(readers[i], got[i] + lengths[i], BIG - lengths[i]);
            lengths[i] += count > 0 ? (size_t)count : 0;
        }
    }
    for (int i = 0; i < 2; i++) {
        expect_all_taken(&jobs[i]);
        cr_assert_eq(memcmp(got[i], text + (size_t)i * BIG, BIG), 0, "job %d has other bytes", i);
        close(readers[i]);
        free(got[i]);
    }
    rig_end(r);
    free(text);
}

/* What is queued goes out in one call, as far as a batch holds: small pieces put together, large ones as they are. */
TestEach(const int *length, pipe, a_batch_is_one_call_of_the_system, 10, 1000)
{
    struct rig *r = rig_start(NULL);
    struct seen s = {0};
    const uint32_t bytes = (uint32_t)*length;
    char *text = pattern(bytes);
    reader_listen(r, STREAM);
    job_start(r, &s, job_options(&s));
    for (int i = 0; i < 64; i++)
        must_write(&s, (uint64_t)(TAG_WRITE + i), text, bytes, NPJ_COPY);
    cr_assert_eq(npjp_job_close(s.job, TAG_CLOSE), NPJ_STATUS_PENDING);
    until(r, &s, true, has_ended);
    cr_assert_eq(s.report.pipe_writes, 1);
    cr_assert_eq(s.report.bytes, UINT64_C(64) * bytes);
    rig_end(r);
    free(text);
}

/* In message mode an empty write is a message, of no bytes. */
Test(pipe, messages_are_never_merged_or_split)
{
    static const size_t lengths[] = {1, 0, 4096, 3, 65536, 0, 2};
    enum { COUNT = sizeof lengths / sizeof *lengths };
    struct rig *r = rig_start(NULL);
    struct seen s = {0};
    char *text = pattern(65536);
    reader_listen(r, SEQPACKET);
    job_start(r, &s, job_options(&s));
    for (int i = 0; i < COUNT; i++)
        must_write(&s, (uint64_t)(TAG_WRITE + i), text, (uint32_t)lengths[i], NPJ_LEND);
    settle(r);
    reader_accept(r);
    for (int i = 0; i < COUNT; i++) {
        settle(r);
        cr_assert_eq(reader_read(r, 1 << 20), (ssize_t)lengths[i], "message %d", i);
    }
    cr_assert_eq(reader_read(r, 1), -1);
    cr_assert_eq(s.reply_count, COUNT + 2);
    rig_end(r);
    free(text);
}

/* The socket's buffer is made to hold the longest message, as far as the system lets it. */
Test(pipe, a_message_is_as_long_as_the_buffer_allows)
{
    enum { LONG = 300000, TOO_LONG = 256 << 20 }; /* the system's own buffer is smaller; no system's is so large */
    npjp_config limits = rig_limits();
    limits.engine.max_write_bytes = TOO_LONG;
    limits.engine.max_job_bytes = (uint64_t)2 * TOO_LONG;
    struct rig *r = rig_start(&limits);
    struct seen s = {0};
    char *text = calloc(1, TOO_LONG);
    reader_listen(r, SEQPACKET);
    job_start(r, &s, job_options(&s));
    must_write(&s, TAG_WRITE, text, LONG, NPJ_LEND);
    must_write(&s, TAG_WRITE + 1, text, TOO_LONG, NPJ_LEND);
    settle(r);
    expect_reply(&s, NPJ_REQUEST_WRITE, TAG_WRITE, NPJ_STATUS_SUCCESS);
    expect_reply(&s, NPJ_REQUEST_WRITE, TAG_WRITE + 1, NPJ_STATUS_INVALID_PARAMETER);
    cr_assert_str_eq(npjp_job_trouble(s.job), "write: Message too long");
    reader_accept(r);
    cr_assert_eq(reader_read(r, 1 << 20), LONG);
    rig_end(r);
    free(text);
}

/* Stands before that of the system, for one that allows no larger buffers than this to those who ask; 0: as it is. */
static int buffer_allowed;
int setsockopt(int fd, int level, int name, const void *value, socklen_t length)
{
    if (buffer_allowed > 0 && level == SOL_SOCKET && name == SO_SNDBUF)
        value = &buffer_allowed;
    return (int)syscall(SYS_setsockopt, fd, level, name, value, length);
}

/* A system may give more to those who do not ask: then the buffer stays as large as it was. */
Test(pipe, the_buffer_is_never_made_smaller)
{
    enum { LONG = 40000, LONGEST = 300000 }; /* the one fits the system's own buffer, the other does not */
    npjp_config limits = rig_limits();
    limits.engine.max_write_bytes = LONGEST;
    struct rig *r = rig_start(&limits);
    struct seen s = {0};
    char *text = calloc(1, LONG);
    buffer_allowed = 16384;
    reader_listen(r, SEQPACKET);
    job_start(r, &s, job_options(&s));
    must_write(&s, TAG_WRITE, text, LONG, NPJ_LEND);
    settle(r);
    expect_reply(&s, NPJ_REQUEST_WRITE, TAG_WRITE, NPJ_STATUS_SUCCESS);
    buffer_allowed = 0;
    rig_end(r);
    free(text);
}

/* ------------------------------------------------------------------------------------------------ readers that go */

/* SIGPIPE would end this program: its disposition is the system's own, and it is not held back later either. */
EVERY_KIND_AND_WAY(pipe, a_reader_that_dies_breaks_the_job)
{
    struct rig *r = rig_start(NULL);
    struct seen s = {0};
    char *text = pattern(BIG);
    sigset_t blocked;
    signal(SIGPIPE, SIG_DFL);
    reader_listen(r, KIND_OF(way));
    job_start(r, &s, job_options(&s));
    settle(r);
    if (r->kind != FIFO)
        reader_accept(r);
    write_all(&s, text, FLAGS_OF(way));
    settle(r);
    cr_assert_gt(reader_read(r, 1000), 0);
    reader_close(r);
    until(r, &s, false, has_ended);
    expect_reply(&s, NPJ_REQUEST_CLOSE, TAG_CLOSE, NPJ_STATUS_PIPE_BROKEN);
    cr_assert_eq(s.reply_count, CHUNKS + 3, "a request has no answer");
    cr_assert_eq(s.scheduled, 0);
    cr_assert_eq(s.abandoned, 1);
    cr_assert_eq(s.why, NPJ_STATUS_PIPE_BROKEN);
    cr_assert(strstr(s.trouble, "write: Broken pipe") == s.trouble || strstr(s.trouble, "write: Connection reset"),
              "trouble: %s", s.trouble);
    sigprocmask(SIG_BLOCK, NULL, &blocked);
    cr_assert_not(sigismember(&blocked, SIGPIPE));
    rig_end(r);
    free(text);
}

/* Nor is a SIGPIPE taken away that somebody else has sent to a thread that holds it back. */
Test(pipe, somebody_elses_sigpipe_stays_pending)
{
    struct rig *r = rig_start(NULL);
    struct seen s = {0};
    sigset_t set;
    sigset_t pending;
    reader_listen(r, FIFO);
    job_start(r, &s, job_options(&s));
    settle(r);
    reader_close(r);
    sigemptyset(&set);
    sigaddset(&set, SIGPIPE);
    sigprocmask(SIG_BLOCK, &set, NULL);
    raise(SIGPIPE);
    must_write(&s, TAG_WRITE, "x", 1, NPJ_COPY);
    settle(r);
    expect_reply(&s, NPJ_REQUEST_WRITE, TAG_WRITE, NPJ_STATUS_PIPE_BROKEN);
    sigpending(&pending);
    cr_assert(sigismember(&pending, SIGPIPE));
    rig_end(r);
}

static struct rig *with_fifo;

static void open_again(uv_poll_t *handle, int status, int events)
{
    (void)status;
    (void)events;
    uv_close((uv_handle_t *)handle, NULL);
    reader_accept(with_fifo);
}

/* In one round of the loop the FIFO is reported to have lost its reader, and then has one again: it is only full. */
Test(pipe, a_fifo_that_changes_its_reader_goes_on)
{
    struct rig *r = rig_start(NULL);
    struct seen s = {0};
    char *text = pattern(BIG);
    uv_poll_t handle;
    int ends[2];
    reader_listen(r, FIFO);
    job_start(r, &s, job_options(&s));
    write_all(&s, text, NPJ_LEND);
    settle(r);
    with_fifo = r;
    cr_assert_eq(pipe(ends), 0);
    uv_poll_init(&r->loop, &handle, ends[0]);
    uv_poll_start(&handle, UV_READABLE, open_again);
    settle(r);
    cr_assert_eq(write(ends[1], "", 1), 1);
    reader_close(r);
    settle(r);
    cr_assert_geq(r->reader, 0);
    until(r, &s, true, has_ended);
    until(r, &s, false, is_at_end);
    expect_all_taken(&s);
    cr_assert_eq(memcmp(r->got, text, BIG), 0);
    close(ends[0]);
    close(ends[1]);
    rig_end(r);
    free(text);
}

/* One that has read all and goes early is none of our business. */
Test(pipe, a_reader_that_has_read_all_may_go_first)
{
    struct rig *r = rig_start(NULL);
    struct seen s = {0};
    reader_listen(r, STREAM);
    job_start(r, &s, job_options(&s));
    must_write(&s, TAG_WRITE, "all of a job", 12, NPJ_COPY);
    settle(r);
    reader_accept(r);
    cr_assert_eq(reader_read(r, 100), 12);
    reader_close(r);
    cr_assert_eq(npjp_job_close(s.job, TAG_CLOSE), NPJ_STATUS_PENDING);
    until(r, &s, false, has_ended);
    expect_reply(&s, NPJ_REQUEST_CLOSE, TAG_CLOSE, NPJ_STATUS_SUCCESS);
    cr_assert_eq(s.scheduled, 1);
    rig_end(r);
}

/* A reader that never reads: the stall deadline ends the job, and nothing of it is left. */
EVERY_KIND_AND_WAY(pipe, a_reader_that_never_reads_is_given_up)
{
    npjp_config limits = rig_limits();
    limits.engine.stall_timeout = 150;
    struct rig *r = rig_start(&limits);
    struct seen s = {0};
    char *text = pattern(BIG);
    reader_listen(r, KIND_OF(way));
    const size_t before = descriptors();
    job_start(r, &s, job_options(&s));
    write_all(&s, text, FLAGS_OF(way));
    until(r, &s, false, has_ended);
    expect_reply(&s, NPJ_REQUEST_CLOSE, TAG_CLOSE, NPJ_STATUS_IO_TIMEOUT);
    cr_assert_eq(s.reply_count, CHUNKS + 3, "a request has no answer");
    cr_assert_eq(s.why, NPJ_STATUS_IO_TIMEOUT);
    for (size_t i = 0; i < s.reply_count; i++)
        cr_assert(!s.replies[i].held, "a WRITE that only waits holds nothing");
    reader_close(r);
    cr_assert_eq(descriptors(), before, "the pipe is still open");
    rig_end(r);
    free(text);
}
