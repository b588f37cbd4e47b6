/* SPDX-License-Identifier: MIT */
/* The laws that a host could break: what is lent stays where it is, nothing allocates on the way out, no job costs the
 * others anything, the loop keeps its turn. */
#include <stdlib.h>
#include <unistd.h>

#include "host_support.h"

enum { LENT = 40000, WRITES = 50 };

static npj_stats stats_of(const struct rig *r)
{
    npj_stats stats;
    npj_stats_get(npjp_host_srv(r->host), &stats);
    return stats;
}

static uint64_t live_bytes(const struct rig *r)
{
    return npjt_counting_stats_of(&r->pool)->bytes.live;
}

/* The lender changes the bytes after the write was accepted: the reader sees the change, so nobody has copied them. And
 * memory grows by the headers of packets only. */
Test(law, lent_bytes_are_not_copied)
{
    struct rig *r = rig_start(NULL);
    struct seen s = {0};
    char *text = calloc(WRITES, LENT);
    reader_listen(r, STREAM);
    job_start(r, &s, job_options(&s));
    until(r, &s, false, is_connected);
    const uint64_t before = live_bytes(r);
    for (int i = 0; i < WRITES; i++)
        must_write(&s, (uint64_t)(TAG_WRITE + i), text + (size_t)i * LENT, LENT, NPJ_LEND);
    char *other = pattern((size_t)WRITES * LENT);
    memcpy(text, other, (size_t)WRITES * LENT);
    npj_stats stats = stats_of(r);
    cr_assert_eq(stats.pool_bytes.live, (uint64_t)WRITES * stats.packet_bytes);
    cr_assert_leq(live_bytes(r) - before, (uint64_t)WRITES * stats.packet_bytes);
    cr_assert_eq(npjp_job_close(s.job, TAG_CLOSE), NPJ_STATUS_PENDING);
    until(r, &s, true, has_ended);
    until(r, &s, false, is_at_end);
    cr_assert_eq(memcmp(r->got, other, (size_t)WRITES * LENT), 0, "they were copied");
    cr_assert_eq(r->got_length, (size_t)WRITES * LENT);
    rig_end(r);
    free(other);
    free(text);
}

/* The bytes are the lender's again with the reply: on_reply() scribbles over them at once, and nobody minds. */
static char *lent;
static void scribble(struct seen *s)
{
    const npj_action *reply = &s->replies[s->reply_count - 1];
    if (reply->request != NPJ_REQUEST_WRITE)
        return;
    cr_assert_not(reply->held, "what waits for the pipe is stopped before it is answered");
    memset(lent + (reply->tag - TAG_WRITE) * LENT, 0, LENT);
}

Test(law, lent_bytes_come_back_with_the_reply)
{
    for (int aborted = 0; aborted < 2; aborted++) {
        struct rig *r = rig_start(NULL);
        struct seen s = {.on_reply = scribble};
        lent = pattern((size_t)WRITES * LENT);
        char *whole = pattern((size_t)WRITES * LENT);
        reader_listen(r, STREAM);
        job_start(r, &s, job_options(&s));
        for (int i = 0; i < WRITES; i++)
            must_write(&s, (uint64_t)(TAG_WRITE + i), lent + (size_t)i * LENT, LENT, NPJ_LEND);
        settle(r);
        if (aborted)
            cr_assert_eq(npjp_job_abort(s.job, NPJ_STATUS_PRINT_CANCELLED), NPJ_STATUS_SUCCESS);
        else
            cr_assert_eq(npjp_job_close(s.job, TAG_CLOSE), NPJ_STATUS_PENDING);
        until(r, &s, true, has_ended);
        until(r, &s, false, is_at_end);
        cr_assert_eq(s.reply_count, WRITES + (aborted ? 2 : 3), "a write has no answer");
        cr_assert_eq(s.returned_count, 0);
        cr_assert_eq(memcmp(r->got, whole, r->got_length), 0, "the pipe has seen what the lender did later");
        cr_assert_eq(r->got_length == (size_t)WRITES * LENT, !aborted);
        rig_end(r);
        free(whole);
        free(lent);
    }
}

/* After npjp_job_add() and the writes, nothing needs memory: not OPEN, not the end, not the failure. */
Test(law, nothing_allocates_on_the_way_out)
{
    for (int aborted = 0; aborted < 2; aborted++) {
        struct rig *r = rig_start(NULL);
        struct seen s = {0};
        char *text = pattern(WRITES * LENT);
        reader_listen(r, STREAM);
        job_start(r, &s, job_options(&s));
        for (int i = 0; i < WRITES; i++)
            must_write(&s, (uint64_t)(TAG_WRITE + i), text + (size_t)i * LENT, LENT, NPJ_COPY);
        npjt_counting_fault(&r->pool, NPJT_FAULT_FROM, 1);
        settle(r);
        if (aborted)
            cr_assert_eq(npjp_client_gone(r->host, CLIENT, NPJ_STATUS_NETWORK_NAME_DELETED), NPJ_STATUS_SUCCESS);
        else
            cr_assert_eq(npjp_job_close(s.job, TAG_CLOSE), NPJ_STATUS_PENDING);
        until(r, &s, true, has_ended);
        cr_assert_eq(s.scheduled, aborted ? 0 : 1);
        cr_assert_eq(s.abandoned, aborted ? 1 : 0);
        cr_assert_eq(npjt_counting_stats_of(&r->pool)->injected, 0, "somebody has asked for memory");
        rig_end(r);
        free(text);
    }
}

/* Every allocation of a new host, and of a job, fails in its turn. */
Test(law, want_of_memory_leaves_nothing)
{
    struct rig *r = rig_start(NULL);
    struct seen s = {.rig = r};
    npjp_config config = rig_limits();
    npjp_host *other = NULL;
    config.loop = &r->loop;
    config.engine.mem = npjt_counting_mem(&r->pool);
    const uint64_t before = live_bytes(r);
    npj_status status = NPJ_STATUS_INSUFFICIENT_RESOURCES;
    for (uint64_t n = 1; status == NPJ_STATUS_INSUFFICIENT_RESOURCES; n++) {
        npjt_counting_fault(&r->pool, NPJT_FAULT_ONCE, n);
        cr_assert_eq(live_bytes(r), before);
        cr_assert_null(other);
        status = npjp_host_new(&config, &other);
    }
    cr_assert_eq(status, NPJ_STATUS_SUCCESS);
    npjp_host_free(&other);
    uv_run(&r->loop, UV_RUN_DEFAULT);
    cr_assert_eq(live_bytes(r), before);

    const npjp_job_options options = job_options(&s);
    unsigned tries = 0;
    do {
        npjt_counting_fault(&r->pool, NPJT_FAULT_ONCE, ++tries);
        cr_assert_eq(live_bytes(r), before);
        status = npjp_job_add(r->host, &options, TAG_ADD, &s.job);
    } while (status == NPJ_STATUS_INSUFFICIENT_RESOURCES);
    cr_assert_eq(status, NPJ_STATUS_PENDING);
    cr_assert_eq(tries, 3, "one block of the host, one of the engine");
    cr_assert_eq(s.begun, 2);
    cr_assert_eq(s.let_go, 1, "begin() and end() are not balanced");
    rig_end(r);
}

/* QUOTA_EXCEEDED at the job's limit, one RESUME when there is room again. */
Test(law, back_pressure_reaches_the_client)
{
    npjp_config limits = rig_limits();
    limits.engine.max_job_bytes = 65536;
    struct rig *r = rig_start(&limits);
    struct seen s = {0};
    char *text = pattern(65536);
    unsigned refused = 0;
    reader_listen(r, STREAM);
    job_start(r, &s, job_options(&s));
    for (uint64_t tag = TAG_WRITE; tag < TAG_WRITE + 100; tag++) {
        settle(r);
        npj_status status = npjp_job_write(s.job, tag, text, 65536, NPJ_LEND, NULL);
        refused += status == NPJ_STATUS_QUOTA_EXCEEDED;
        if (status != NPJ_STATUS_PENDING)
            break;
    }
    cr_assert_eq(refused, 1);
    settle(r);
    cr_assert_eq(s.resumes, 0, "there is no room yet");
    for (int i = 0; s.resumes == 0 && i < 1000; i++) {
        if (r->reader < 0)
            reader_accept(r);
        (void)reader_read(r, 65536);
        uv_run(&r->loop, UV_RUN_NOWAIT);
    }
    cr_assert_eq(s.resumes, 1);
    must_write(&s, 500, text, 65536, NPJ_LEND);
    settle(r);
    cr_assert_eq(s.resumes, 1);
    rig_end(r);
    free(text);
}

/* A pipe that takes nothing, one that breaks and one whose provider never answers cost a fourth job nothing. */
Test(law, one_bad_job_costs_the_others_nothing)
{
    struct rig *r = rig_start(NULL);
    static struct seen stuck;
    static struct seen broken;
    static struct seen waiting = {.provider_waits = true};
    static struct seen good;
    char *text = pattern(10 * LENT);
    reader_listen(r, STREAM);
    job_start(r, &stuck, job_options(&stuck));
    until(r, &stuck, false, is_connected);
    reader_accept(r);
    int unread = r->reader;
    r->reader = -1;
    job_start(r, &broken, job_options(&broken));
    until(r, &broken, false, is_connected);
    reader_accept(r);
    reader_close(r);
    for (int i = 0; i < 10; i++) {
        must_write(&stuck, (uint64_t)(TAG_WRITE + i), text + (size_t)i * LENT, LENT, NPJ_LEND);
        must_write(&broken, (uint64_t)(TAG_WRITE + i), text + (size_t)i * LENT, LENT, NPJ_LEND);
    }
    job_start(r, &waiting, job_options(&waiting));
    job_start(r, &good, job_options(&good));
    must_write(&good, TAG_WRITE, text, LENT, NPJ_LEND);
    cr_assert_eq(npjp_job_close(good.job, TAG_CLOSE), NPJ_STATUS_PENDING);
    until(r, &good, true, has_ended);
    expect_reply(&good, NPJ_REQUEST_CLOSE, TAG_CLOSE, NPJ_STATUS_SUCCESS);
    expect_reply(&broken, NPJ_REQUEST_WRITE, TAG_WRITE, NPJ_STATUS_PIPE_BROKEN);
    cr_assert_eq(stuck.ended + waiting.ended, 0);
    close(unread);
    rig_end(r);
    free(text);
}

/* ------------------------------------------------------------------------------------------------ the loop */

/* A client that asks for more with every answer, and always gets it at once. */
static void ask_again(struct seen *s)
{
    if (s->reply_count < REPLIES)
        (void)npjp_job_write(s->job, 1000 + s->reply_count, "", 0, NPJ_COPY, NULL);
}

static void stop_loop(uv_timer_t *timer)
{
    uv_stop(timer->loop);
}

Test(law, a_busy_job_leaves_the_loop_its_turn)
{
    struct rig *r = rig_start(NULL);
    static struct seen s = {.on_reply = ask_again};
    uv_timer_t timer;
    reader_listen(r, STREAM);
    job_start(r, &s, job_options(&s));
    uv_timer_init(&r->loop, &timer);
    uv_timer_start(&timer, stop_loop, 0, 0);
    uv_run(&r->loop, UV_RUN_DEFAULT);
    cr_assert_lt(s.reply_count, REPLIES / 2, "the turn lasts as long as the client has wishes");
    uv_close((uv_handle_t *)&timer, NULL);
    rig_end(r);
}

/* Every function may be called from every callback, as none of them calls one. */
Test(law, no_call_calls_back)
{
    struct rig *r = rig_start(NULL);
    struct seen s = {0};
    reader_listen(r, STREAM);
    job_start(r, &s, job_options(&s));
    cr_assert_eq(s.added, 0);
    until(r, &s, false, is_connected);
    const size_t replies = s.reply_count;
    must_write(&s, TAG_WRITE, "x", 1, NPJ_COPY);
    cr_assert_eq(npjp_job_close(s.job, TAG_CLOSE), NPJ_STATUS_PENDING);
    cr_assert_eq(npjp_job_abort(s.job, NPJ_STATUS_PRINT_CANCELLED), NPJ_STATUS_SUCCESS);
    cr_assert_eq(npjp_client_gone(r->host, CLIENT, NPJ_STATUS_NETWORK_NAME_DELETED), NPJ_STATUS_SUCCESS);
    cr_assert_eq(npjp_provider_gone(r->host, PROVIDER), NPJ_STATUS_SUCCESS);
    cr_assert_eq(npjp_host_stop(r->host, NPJ_ABORT), NPJ_STATUS_SUCCESS);
    cr_assert_eq(s.reply_count, replies);
    cr_assert_eq(s.ended + s.let_go + r->stopped, 0);
    settle(r);
    cr_assert_eq(s.ended, 1);
    cr_assert_eq(r->stopped, 1);
    rig_end(r);
}

static bool all_are_answered(struct seen *s)
{
    return s->reply_count == WRITES + 2;
}

/* When a pipe that was full has taken all, it is not waited for any more, and sees nothing twice. */
Test(law, a_pipe_that_was_full_is_left_alone)
{
    struct rig *r = rig_start(NULL);
    struct seen s = {0};
    char *text = pattern((size_t)WRITES * LENT);
    reader_listen(r, STREAM);
    job_start(r, &s, job_options(&s));
    for (int i = 0; i < WRITES; i++)
        must_write(&s, (uint64_t)(TAG_WRITE + i), text + (size_t)i * LENT, LENT, NPJ_LEND);
    settle(r);
    cr_assert_not(all_are_answered(&s), "the pipe takes all: this test is none");
    until(r, &s, true, all_are_answered);
    settle(r);
    cr_assert_eq(uv_loop_alive(&r->loop), 0, "the pipe is still waited for");
    while (reader_read(r, LENT) > 0) {
    }
    cr_assert_eq(r->got_length, (size_t)WRITES * LENT);
    rig_end(r);
    free(text);
}

/* A loop with nothing to wait for ends: an idle job and an idle host do not hold it. */
Test(law, an_idle_host_does_not_hold_the_loop)
{
    npjp_config limits = rig_limits();
    limits.engine.add_timeout = limits.engine.connect_timeout = limits.engine.stall_timeout = 3600000;
    struct rig *r = rig_start(&limits); /* nor do deadlines that no longer count */
    struct seen s = {0};
    uv_run(&r->loop, UV_RUN_DEFAULT);
    reader_listen(r, STREAM);
    s.provider_waits = true;
    job_start(r, &s, job_options(&s));
    settle(r);
    cr_assert_eq(uv_loop_alive(&r->loop), 1, "the provider has a deadline");
    cr_assert_eq(npjp_job_added(s.job, s.op, NPJ_STATUS_SUCCESS, r->path, JOB_ID), NPJ_STATUS_SUCCESS);
    until(r, &s, false, is_connected);
    settle(r);
    expect_reply(&s, NPJ_REQUEST_CONNECT, TAG_CONNECT, NPJ_STATUS_SUCCESS);
    cr_assert_eq(uv_loop_alive(&r->loop), 0);
    rig_end(r);
}

/* The loop's clock stands still while a callback works; a deadline counts from the call all the same. */
Test(law, a_deadline_counts_from_the_call)
{
    npjp_config limits = rig_limits();
    limits.engine.add_timeout = 200;
    struct rig *r = rig_start(&limits);
    struct seen s = {.provider_waits = true};
    cr_assert_eq(npjp_client_gone(r->host, CLIENT, NPJ_STATUS_CANCELLED), NPJ_STATUS_SUCCESS);
    settle(r); /* the engine's clock runs from here on */
    usleep(300000);
    const uint64_t begun = uv_hrtime();
    job_start(r, &s, job_options(&s));
    until(r, &s, false, is_connected);
    cr_assert_geq((uv_hrtime() - begun) / 1000000, 199); /* the engine is told whole milliseconds */
    expect_reply(&s, NPJ_REQUEST_ADD, TAG_ADD, NPJ_STATUS_IO_TIMEOUT);
    cr_assert_eq(s.cancels, 1);
    cr_assert_eq(npjp_job_added(s.job, s.op, NPJ_STATUS_CANCELLED, NULL, 0), NPJ_STATUS_SUCCESS);
    until(r, &s, false, has_ended);
    cr_assert_eq(s.abandoned, 0);
    rig_end(r);
}

/* Nothing happens until then, and the loop has nothing to do. */
Test(law, the_loop_sleeps_until_a_deadline)
{
    enum { TURNS = 50 };
    npjp_config limits = rig_limits();
    limits.engine.add_timeout = 300;
    struct rig *r = rig_start(&limits);
    struct seen s = {.provider_waits = true};
    job_start(r, &s, job_options(&s));
    for (int i = 0; i < TURNS && reply_to(&s, NPJ_REQUEST_ADD, TAG_ADD) == NULL; i++)
        uv_run(&r->loop, UV_RUN_ONCE);
    expect_reply(&s, NPJ_REQUEST_ADD, TAG_ADD, NPJ_STATUS_IO_TIMEOUT);
    cr_assert_eq(npjp_job_added(s.job, s.op, NPJ_STATUS_CANCELLED, NULL, 0), NPJ_STATUS_SUCCESS);
    until(r, &s, false, has_ended);
    rig_end(r);
}

static void work_for_long(struct seen *s)
{
    (void)s;
    usleep(100000);
}

/* It has passed already when the timer is set. */
Test(law, a_deadline_that_passes_within_a_callback_comes)
{
    npjp_config limits = rig_limits();
    limits.engine.add_timeout = 50;
    struct rig *r = rig_start(&limits);
    struct seen s = {.provider_waits = true, .on_add_job = work_for_long};
    job_start(r, &s, job_options(&s));
    until(r, &s, false, is_connected);
    expect_reply(&s, NPJ_REQUEST_ADD, TAG_ADD, NPJ_STATUS_IO_TIMEOUT);
    cr_assert_eq(npjp_job_added(s.job, s.op, NPJ_STATUS_CANCELLED, NULL, 0), NPJ_STATUS_SUCCESS);
    until(r, &s, false, has_ended);
    rig_end(r);
}

/* ------------------------------------------------------------------------------------------------ standing still */

enum { STALL_MS = 1000, STANDS_STILL_US = 1500000 };

/* A job whose pipe is full. */
static struct rig *start_full(struct seen *s, const char *text, enum kind kind)
{
    npjp_config limits = rig_limits();
    limits.engine.stall_timeout = STALL_MS;
    struct rig *r = rig_start(&limits);
    reader_listen(r, kind);
    job_start(r, s, job_options(s));
    for (int i = 0; i < WRITES; i++)
        must_write(s, (uint64_t)(TAG_WRITE + i), text + (size_t)i * LENT, LENT, NPJ_LEND);
    cr_assert_eq(npjp_job_close(s->job, TAG_CLOSE), NPJ_STATUS_PENDING);
    until(r, s, false, is_connected);
    settle(r);
    if (kind != FIFO)
        reader_accept(r);
    return r;
}

/* The reader has read while the loop stood still, for longer than the reader may do nothing; and once more. */
Test(law, a_deadline_that_passed_while_the_loop_stood_still_is_put_off)
{
    struct seen s = {0};
    char *text = pattern((size_t)LENT * WRITES);
    struct rig *r = start_full(&s, text, STREAM);
    for (int i = 0; i < 2; i++) {
        while (reader_read(r, 65536) > 0) {
        }
        usleep(STANDS_STILL_US);
        settle(r);
        cr_assert_eq(s.ended, 0);
    }
    until(r, &s, true, has_ended);
    expect_reply(&s, NPJ_REQUEST_CLOSE, TAG_CLOSE, NPJ_STATUS_SUCCESS);
    rig_end(r);
    free(text);
}

/* A loop that is always late has deadlines all the same. */
Test(law, a_deadline_is_put_off_once)
{
    struct seen s = {0};
    char *text = pattern((size_t)LENT * WRITES);
    struct rig *r = start_full(&s, text, STREAM);
    for (int i = 0; i < 2; i++) {
        cr_assert_eq(s.ended, 0);
        usleep(STANDS_STILL_US);
        settle(r);
    }
    expect_reply(&s, NPJ_REQUEST_CLOSE, TAG_CLOSE, NPJ_STATUS_IO_TIMEOUT);
    rig_end(r);
    free(text);
}

/* Late by less than a loop must be to have stood still, and by so much that the deadline passes between two calls. */
TestEachBelow(const int *kind, law, a_reader_that_has_read_is_not_given_up_before_the_loop_has_looked, KINDS)
{
    static const unsigned late_us[] = {100000, 500000};
    char *text = pattern((size_t)LENT * WRITES);
    for (int i = 0; i < 2; i++) {
        struct seen s = {0};
        struct rig *r = start_full(&s, text, (enum kind) * kind);
        while (reader_read(r, 65536) > 0) {
        }
        usleep(STALL_MS * 1000 + late_us[i]);
        cr_assert_eq(npjp_client_gone(r->host, CLIENT + 1, NPJ_STATUS_CANCELLED), NPJ_STATUS_SUCCESS);
        usleep(late_us[i] / 2);
        cr_assert_eq(npjp_client_gone(r->host, CLIENT + 1, NPJ_STATUS_CANCELLED), NPJ_STATUS_SUCCESS);
        until(r, &s, true, has_ended);
        expect_reply(&s, NPJ_REQUEST_CLOSE, TAG_CLOSE, NPJ_STATUS_SUCCESS);
        rig_end(r);
    }
    free(text);
}
