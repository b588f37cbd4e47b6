/* SPDX-License-Identifier: MIT */
/* npjp_host_free() at every moment and from every callback; what is refused; what the host lets the engine's user see.
 * rig_end() asserts each time that no byte, descriptor or handle is left. */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

#include "host_support.h"

enum { LENT = 50000, WRITES = 20 };

/* Moments in the life of a job, each of which a host may end in. */
enum moment {
    NOT_ADDED,   /* npjp_job_add() has been called, and the loop has not run */
    ADDING,      /* the provider has ADD_JOB */
    WAITING,     /* the pipe is waited for */
    IDLE,        /* the pipe is open */
    FULL,        /* a WRITE of lent bytes waits */
    CLOSED,      /* close was called, and the loop has not run */
    SCHEDULING,  /* the provider has SCHEDULE_JOB */
    ABANDONING,  /* the provider has ABANDON_JOB */
    ABORTED,     /* abort was called, and the loop has not run */
    GONE_UNTOLD, /* the engine has ended the job, and its client does not know */
    STOPPING,    /* a drain */
    MOMENTS
};

static void bring_to(enum moment moment, struct rig *r, struct seen *s, const char *text)
{
    npjp_job_options options = job_options(s);
    s->provider_waits = moment == ADDING;
    options.wait_for_pipe = moment == WAITING;
    if (moment != WAITING)
        reader_listen(r, STREAM);
    job_start(r, s, options);
    if (moment == NOT_ADDED)
        return;
    settle(r);
    s->provider_waits = moment == SCHEDULING || moment == ABANDONING;
    for (int i = 0; moment == FULL && i < WRITES; i++)
        must_write(s, (uint64_t)(TAG_WRITE + i), text + (size_t)i * LENT, LENT, NPJ_LEND);
    if (moment == CLOSED || moment == SCHEDULING)
        cr_assert_eq(npjp_job_close(s->job, TAG_CLOSE), NPJ_STATUS_PENDING);
    if (moment == ABANDONING || moment == ABORTED)
        cr_assert_eq(npjp_job_abort(s->job, NPJ_STATUS_PRINT_CANCELLED), NPJ_STATUS_SUCCESS);
    if (moment == STOPPING)
        cr_assert_eq(npjp_host_stop(r->host, NPJ_DRAIN), NPJ_STATUS_SUCCESS);
    if (moment == GONE_UNTOLD) { /* broken first: an abort then ends it within the call */
        reader_accept(r);
        reader_close(r);
        must_write(s, TAG_WRITE, "x", 1, NPJ_COPY);
        settle(r);
        cr_assert_eq(npjp_job_abort(s->job, NPJ_STATUS_PRINT_CANCELLED), NPJ_STATUS_SUCCESS);
        cr_assert_eq(npjp_job_close(s->job, TAG_CLOSE), NPJ_STATUS_INVALID_HANDLE);
        return;
    }
    if (moment != CLOSED && moment != ABORTED)
        settle(r);
}

TestEachBelow(const int *moment, host_free, at_any_moment, MOMENTS)
{
    struct rig *r = rig_start(NULL);
    struct seen s = {0};
    char *text = pattern(WRITES * LENT);
    bring_to((enum moment) * moment, r, &s, text);
    const size_t replies = s.reply_count;
    const size_t before = descriptors();
    const bool open = *moment != NOT_ADDED && *moment != ADDING && *moment != WAITING && *moment != SCHEDULING &&
                      *moment != ABANDONING && *moment != GONE_UNTOLD;
    npjp_host_free(&r->host);
    cr_assert_eq(descriptors(), before - (open ? 1 : 0), "the pipe is not closed when npjp_host_free() returns");
    cr_assert_eq(s.let_go, s.begun);
    memset(text, 0, WRITES * LENT); /* the lender's again */
    settle(r);
    cr_assert_eq(s.reply_count, replies, "an answer from a host that was freed");
    cr_assert_eq(s.ended + r->stopped + s.returned_count, 0);
    rig_end(r);
    free(text);
}

/* A reader that has said something can tell a job that was cut off from one that is whole. */
Test(host_free, its_readers_see_no_end)
{
    struct rig *r = rig_start(NULL);
    struct seen s = {0};
    reader_listen(r, STREAM);
    job_start(r, &s, job_options(&s));
    until(r, &s, false, is_connected);
    reader_accept(r);
    cr_assert_eq(write(r->reader, "?", 1), 1);
    npjp_host_free(&r->host);
    cr_assert(reader_read(r, 1) == -1 && errno == ECONNRESET);
    rig_end(r);
}

/* ------------------------------------------------------------------------------------------------ from callbacks */

static npj_request_kind free_at;

static void free_on_reply(struct seen *s)
{
    if (s->replies[s->reply_count - 1].request == free_at)
        npjp_host_free(&s->rig->host);
}

static void free_host(struct seen *s)
{
    npjp_host_free(&s->rig->host);
}

static bool is_freed(struct seen *s)
{
    return s->rig->host == NULL;
}

/* Two jobs; the first one's callback frees the host, and the second one hears nothing more. */
static void frees(struct seen *first)
{
    struct rig *r = rig_start(NULL);
    static struct seen second;
    memset(&second, 0, sizeof second);
    reader_listen(r, STREAM);
    job_start(r, first, job_options(first));
    must_write(first, TAG_WRITE, "x", 1, NPJ_COPY);
    cr_assert_eq(npjp_job_close(first->job, TAG_CLOSE), NPJ_STATUS_PENDING);
    job_start(r, &second, job_options(&second));
    until(r, first, true, is_freed);
    const size_t replies = first->reply_count + second.reply_count;
    settle(r);
    cr_assert_eq(first->reply_count + second.reply_count, replies);
    cr_assert_eq(first->let_go, 1);
    cr_assert_eq(second.let_go, 1);
    cr_assert_eq(second.ended, 0);
    rig_end(r);
}

TestEach(const int *request, host_free, from_a_reply, NPJ_REQUEST_ADD, NPJ_REQUEST_CONNECT, NPJ_REQUEST_WRITE,
         NPJ_REQUEST_CLOSE)
{
    struct seen s = {.on_reply = free_on_reply};
    free_at = (npj_request_kind)*request;
    frees(&s);
    cr_assert_eq(s.ended, 0);
}

Test(host_free, from_ended)
{
    struct seen s = {.on_ended = free_host};
    frees(&s);
    cr_assert_eq(s.ended, 1);
}

Test(host_free, from_add_job)
{
    struct seen s = {.on_add_job = free_host, .provider_waits = true};
    frees(&s);
    cr_assert_eq(s.added, 1);
    cr_assert_eq(s.reply_count, 0);
}

static void free_when_stopped(npjp_host *host, void *user)
{
    struct rig *r = user;
    cr_assert_eq(host, r->host);
    r->stopped++;
    npjp_host_free(&r->host);
}

static struct rig *stop_and_tell(void (*stopped)(npjp_host *host, void *user))
{
    struct rig *r = rig_start(NULL);
    npjp_config config = rig_limits();
    npjp_host_free(&r->host);
    config.loop = &r->loop;
    config.engine.mem = npjt_counting_mem(&r->pool);
    config.stopped = stopped;
    config.user = r;
    cr_assert_eq(npjp_host_new(&config, &r->host), NPJ_STATUS_SUCCESS);
    cr_assert_eq(npjp_host_stop(r->host, NPJ_DRAIN), NPJ_STATUS_SUCCESS);
    settle(r);
    return r;
}

Test(host_free, when_nobody_waits_for_its_stop)
{
    struct rig *r = stop_and_tell(NULL);
    cr_assert_not_null(r->host);
    rig_end(r);
}

Test(host_free, from_stopped)
{
    struct rig *r = stop_and_tell(free_when_stopped);
    cr_assert_eq(r->stopped, 1);
    cr_assert_null(r->host);
    rig_end(r);
}

/* ------------------------------------------------------------------------------------------------ the trace */

static unsigned traced, traced_ends;
static npjp_host **traced_host;

/* From within the engine nothing can be done, and nothing breaks. */
static void on_trace(void *user, const npj_trace *trace)
{
    cr_assert_eq(user, &traced);
    npjp_host *before = *traced_host;
    traced++;
    traced_ends += trace->kind == NPJ_TRACE_EVENT && trace->event == NPJ_EVENT_FINISH && trace->from == NPJ_STATE_GONE;
    npjp_host_free(traced_host);
    cr_assert_eq(*traced_host, before);
}

Test(host_free, the_trace_of_the_user_is_called)
{
    npjp_config limits = rig_limits();
    limits.engine.trace = on_trace;
    limits.engine.trace_user = &traced;
    struct rig *r = rig_start(&limits);
    struct seen s = {0};
    traced_host = &r->host;
    reader_listen(r, STREAM);
    job_start(r, &s, job_options(&s));
    cr_assert_eq(npjp_job_close(s.job, TAG_CLOSE), NPJ_STATUS_PENDING);
    until(r, &s, true, has_ended);
    cr_assert_gt(traced, 10);
    cr_assert_eq(traced_ends, 1);
    rig_end(r);
}

/* ------------------------------------------------------------------------------------------------ what is refused */

Test(host_free, what_is_refused)
{
    struct rig *r = rig_start(NULL);
    struct seen s = {.rig = r};
    npjp_config config = {.size = sizeof config, .loop = &r->loop};
    npjp_host *host = NULL;
    npjp_job *job = NULL;
    npjp_provider_calls half[3] = {provider_calls, provider_calls, provider_calls};
    npjp_job_options options = job_options(&s);
    cr_assert_eq(npjp_host_new(NULL, &host), NPJ_STATUS_INVALID_PARAMETER);
    cr_assert_eq(npjp_host_new(&config, NULL), NPJ_STATUS_INVALID_PARAMETER);
    config.size--;
    cr_assert_eq(npjp_host_new(&config, &host), NPJ_STATUS_INVALID_PARAMETER);
    config.size++;
    config.loop = NULL;
    cr_assert_eq(npjp_host_new(&config, &host), NPJ_STATUS_INVALID_PARAMETER);
    config.loop = &r->loop;
    config.engine.mem.alloc = npjt_counting_mem(&r->pool).alloc;
    cr_assert_eq(npjp_host_new(&config, &host), NPJ_STATUS_INVALID_PARAMETER, "half an allocator");
    config.engine.mem = npjt_counting_mem(&r->pool);
    config.engine.max_batch = 1025;
    cr_assert_eq(npjp_host_new(&config, &host), NPJ_STATUS_INVALID_PARAMETER, "what the engine refuses");
    cr_assert_null(host);

    half[0].add_job = NULL;
    half[1].schedule_job = NULL;
    half[2].abandon_job = NULL;
    for (int i = 0; i < 3; i++) {
        options.provider = &half[i];
        cr_assert_eq(npjp_job_add(r->host, &options, TAG_ADD, &job), NPJ_STATUS_INVALID_PARAMETER);
    }
    options.provider = NULL;
    cr_assert_eq(npjp_job_add(r->host, &options, TAG_ADD, &job), NPJ_STATUS_INVALID_PARAMETER);
    options = job_options(&s);
    options.calls = NULL;
    cr_assert_eq(npjp_job_add(r->host, &options, TAG_ADD, &job), NPJ_STATUS_INVALID_PARAMETER);
    options = job_options(&s);
    options.mode = (npj_pipe_mode)2;
    cr_assert_eq(npjp_job_add(r->host, &options, TAG_ADD, &job), NPJ_STATUS_INVALID_PARAMETER);
    cr_assert_eq(npjp_job_add(r->host, &options, TAG_ADD, NULL), NPJ_STATUS_INVALID_PARAMETER);
    cr_assert_eq(npjp_job_add(r->host, NULL, TAG_ADD, &job), NPJ_STATUS_INVALID_PARAMETER);
    cr_assert_eq(npjp_job_add(NULL, &options, TAG_ADD, &job), NPJ_STATUS_INVALID_PARAMETER);
    cr_assert_null(job);
    cr_assert_eq(s.begun, 0);
    rig_end(r);
}

Test(host_free, limits_of_zero_are_the_engines_own)
{
    enum { LONGEST = 8 << 20, BATCH = 64, STALL_MS = 60000 };
    npjp_config limits = rig_limits();
    limits.engine.max_write_bytes = 0;
    limits.engine.stall_timeout = 0;
    struct rig *r = rig_start(&limits);
    struct seen s = {0};
    char *text = pattern(LONGEST + 1);
    reader_listen(r, STREAM);
    job_start(r, &s, job_options(&s));
    cr_assert_eq(npjp_job_write(s.job, TAG_WRITE, text, LONGEST + 1, NPJ_LEND, NULL), NPJ_STATUS_INVALID_PARAMETER);
    npj_stats stats;
    uint64_t operations = 2; /* ADD_JOB, OPEN */
    for (uint32_t more = 0; more <= 1; more++) {
        for (uint32_t i = 0; i < BATCH + more; i++)
            must_write(&s, TAG_WRITE + more * BATCH + i, text + i, 1, NPJ_LEND);
        until(r, &s, false, is_connected);
        settle(r);
        npj_stats_get(npjp_host_srv(r->host), &stats);
        operations += 1 + more;
        cr_assert_eq(stats.operations, operations, "a whole batch is one WRITE, and one write more another");
    }
    cr_assert_eq(stats.bytes_taken, BATCH + BATCH + 1);
    must_write(&s, TAG_WRITE + 3 * BATCH, text, LONGEST, NPJ_LEND);
    const uint64_t left = npj_deadline(npjp_host_srv(r->host)) - uv_hrtime() / 1000000;
    cr_assert(left <= STALL_MS && left > STALL_MS - PATIENCE_MS, "%ju ms", (uintmax_t)left);
    rig_end(r);
    free(text);
}

Test(host_free, an_allocator_of_none_is_malloc)
{
    struct rig *r = rig_start(NULL);
    npjp_config config = {.size = sizeof config, .loop = &r->loop};
    npjp_host *host = NULL;
    cr_assert_eq(npjp_host_new(&config, &host), NPJ_STATUS_SUCCESS);
    cr_assert_eq(npj_check(npjp_host_srv(host)), NULL);
    npjp_host_free(&host);
    cr_assert_null(host);
    rig_end(r);
}

Test(host_free, null_is_no_crash)
{
    npjp_job_report report = {.bytes = 1};
    npjp_host_free(NULL);
    cr_assert_null(npjp_host_srv(NULL));
    cr_assert_eq(npjp_host_stop(NULL, NPJ_DRAIN), NPJ_STATUS_INVALID_PARAMETER);
    cr_assert_eq(npjp_client_gone(NULL, 1, NPJ_STATUS_CANCELLED), NPJ_STATUS_INVALID_PARAMETER);
    cr_assert_eq(npjp_provider_gone(NULL, 1), NPJ_STATUS_INVALID_PARAMETER);
    cr_assert_eq(npjp_job_connect(NULL, 1), NPJ_STATUS_INVALID_PARAMETER);
    cr_assert_eq(npjp_job_write(NULL, 1, "", 0, NPJ_COPY, NULL), NPJ_STATUS_INVALID_PARAMETER);
    cr_assert_eq(npjp_job_cancel(NULL, 1), NPJ_STATUS_INVALID_PARAMETER);
    cr_assert_eq(npjp_job_close(NULL, 1), NPJ_STATUS_INVALID_PARAMETER);
    cr_assert_eq(npjp_job_abort(NULL, NPJ_STATUS_CANCELLED), NPJ_STATUS_INVALID_PARAMETER);
    cr_assert_eq(npjp_job_added(NULL, 1, NPJ_STATUS_SUCCESS, "", 1), NPJ_STATUS_INVALID_PARAMETER);
    cr_assert_eq(npjp_job_done(NULL, 1, NPJ_STATUS_SUCCESS), NPJ_STATUS_INVALID_PARAMETER);
    cr_assert_null(npjp_job_asked(NULL));
    cr_assert_null(npjp_job_kept(NULL));
    npjp_job_keep(NULL, &report);
    npjp_job_tell(NULL, "", "");
    npjp_job_report_get(NULL, NULL);
    npjp_job_report_get(NULL, &report);
    cr_assert_eq(report.bytes, 0);
    cr_assert_str_eq(report.path, "");
    cr_assert_str_eq(report.trouble, "");
    cr_assert_str_eq(npjp_job_trouble(NULL), "");
}

/* ------------------------------------------------------------------------------------------------ what may be NULL */

static npj_op unanswered;

static void keep_op(void *user, npjp_job *job, npj_op op)
{
    (void)user;
    (void)job;
    unanswered = op;
}

static void do_nothing(void *user, npjp_job *job, npj_op op, uint32_t job_id)
{
    (void)user;
    (void)job_id;
    cr_assert_eq(npjp_job_done(job, op, NPJ_STATUS_SUCCESS), NPJ_STATUS_SUCCESS);
}

static void delete_nothing(void *user, npjp_job *job, npj_op op, uint32_t job_id, npj_status why)
{
    (void)why;
    do_nothing(user, job, op, job_id);
}

static uint64_t live_jobs(const struct rig *r)
{
    npj_stats stats;
    npj_stats_get(npjp_host_srv(r->host), &stats);
    return stats.jobs.live;
}

/* A client that wants to know nothing, a provider that does no more than it must: for each thing that there is to tell.
 */
Test(host_free, nobody_has_to_listen)
{
    static const npjp_provider_calls provider = {keep_op, do_nothing, delete_nothing, NULL, NULL, NULL};
    static const npjp_job_calls deaf = {0};
    npjp_config limits = rig_limits();
    limits.engine.max_job_bytes = LENT;
    limits.engine.max_write_bytes = LENT;
    struct rig *r = rig_start(&limits);
    const npjp_job_options options = {.provider = &provider, .calls = &deaf};
    char *text = pattern(LENT);
    npjp_job *job = NULL;
    reader_listen(r, STREAM);
    for (int aborted = 0; aborted < 2; aborted++) {
        cr_assert_eq(npjp_job_add(r->host, &options, TAG_ADD, &job), NPJ_STATUS_PENDING);
        cr_assert_eq(npjp_job_connect(job, TAG_CONNECT), NPJ_STATUS_PENDING);
        cr_assert_eq(npjp_job_write(job, TAG_WRITE, text, LENT, NPJ_LEND, NULL), NPJ_STATUS_PENDING);
        cr_assert_eq(npjp_job_write(job, TAG_WRITE + 1, text, 1, NPJ_LEND, NULL), NPJ_STATUS_QUOTA_EXCEEDED);
        settle(r);
        if (aborted)
            cr_assert_eq(npjp_job_abort(job, NPJ_STATUS_PRINT_CANCELLED), NPJ_STATUS_SUCCESS);
        else
            cr_assert_eq(npjp_job_close(job, TAG_CLOSE), NPJ_STATUS_PENDING);
        settle(r);
        cr_assert_eq(live_jobs(r), 1);
        cr_assert_eq(npjp_job_added(job, unanswered, NPJ_STATUS_SUCCESS, r->path, JOB_ID), NPJ_STATUS_SUCCESS);
        settle(r);
        cr_assert_eq(live_jobs(r), 0);
    }
    rig_end(r);
    free(text);
}

/* ------------------------------------------------------------------------------------------------ looking in */

Test(host_free, what_was_asked_for_is_a_copy)
{
    struct rig *r = rig_start(NULL);
    struct seen s = {.rig = r, .provider_waits = true};
    npjp_job_options options = job_options(&s);
    char printer[] = "laser";
    options.printer = printer;
    options.user_name = "user";
    cr_assert_eq(npjp_job_add(r->host, &options, TAG_ADD, &s.job), NPJ_STATUS_PENDING);
    memset(printer, 'x', 5);
    settle(r);
    char longest[PATH_MAX] = "/"; /* which is of the job itself, and reaches none of them */
    memset(longest + 1, 'p', sizeof longest - 2);
    cr_assert_eq(npjp_job_added(s.job, s.op, NPJ_STATUS_SUCCESS, longest, JOB_ID), NPJ_STATUS_SUCCESS);
    const npjp_job_options *asked = npjp_job_asked(s.job);
    cr_assert_str_eq(asked->printer, "laser");
    cr_assert_str_eq(asked->name, "");
    cr_assert_str_eq(asked->user_name, "user");
    cr_assert_str_eq(asked->client_name, "");
    cr_assert_eq(asked->client, CLIENT);
    npjp_job_report report;
    npj_job_info info;
    npjp_job_report_get(s.job, &report);
    cr_assert_eq(npj_job_query(npjp_host_srv(r->host), report.handle, &info), NPJ_STATUS_SUCCESS);
    cr_assert_eq(info.client, CLIENT);
    rig_end(r);
}

/* The trouble grows, is one line, and ends where it becomes too long. */
Test(host_free, trouble_is_told_in_order)
{
    struct rig *r = rig_start(NULL);
    struct seen s = {.rig = r, .provider_waits = true};
    const npjp_job_options options = job_options(&s);
    char text[2 * NPJP_TROUBLE_MAX];
    cr_assert_eq(npjp_job_add(r->host, &options, TAG_ADD, &s.job), NPJ_STATUS_PENDING);
    cr_assert_str_eq(npjp_job_trouble(s.job), "");
    npjp_job_tell(s.job, "first", "what\nhappened");
    npjp_job_tell(s.job, "second", "");
    npjp_job_tell(s.job, "nothing", NULL);
    npjp_job_tell(s.job, NULL, "nothing");
    cr_assert_str_eq(npjp_job_trouble(s.job), "first: what_happened; second");
    memset(text, 'y', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    npjp_job_tell(s.job, text, text);
    cr_assert_eq(strlen(npjp_job_trouble(s.job)), NPJP_TROUBLE_MAX - 1);
    npjp_job_tell(s.job, text, text);
    cr_assert_eq(strlen(npjp_job_trouble(s.job)), NPJP_TROUBLE_MAX - 1);
    rig_end(r);
}
