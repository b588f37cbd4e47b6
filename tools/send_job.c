/* SPDX-License-Identifier: MIT */
/*
 * One file sent as one print job.
 *
 * The client's part asks for a job, a connection and writes without waiting for the answers: the engine queues them.
 * It reads the file only as fast as the engine takes writes: QUOTA_EXCEEDED stops it, RESUME sets it going again. The
 * provider's part answers AddJob with the path of the pipe. What lies between the two is the host (npjob-posix).
 */
#define _GNU_SOURCE
#include "send_job.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "ledger.h"
#include "npjob-posix/host.h"
#include "pool.h"
#include "send_source.h"
#include "tool.h"
#include "trace.h"

enum { CLIENT = 1, PROVIDER = 1, JOB_ID = 1, SIGNALS = 3, PROGRESS_MS = 200 };
enum { TAG_ADD = 1, TAG_CONNECT, TAG_CLOSE };

typedef struct sender {
    const send_options *options;
    file_source source;
    npj_gauge pool; /* of the engine's memory */
    uv_loop_t uv;
    npjp_host *host;
    npjp_job *job;      /* NULL: it has ended */
    uv_poll_t readable; /* of a file that makes its reader wait */
    uv_timer_t progress;
    uv_signal_t signals[SIGNALS];
    uint64_t started; /* ns */

    bool connected;
    bool ended;      /* close or abort has been asked for: no more writes */
    bool starved;    /* a write was refused for want of memory or buffers: again after the next answer */
    int read_errno;  /* of the file */
    int interrupted; /* a signal */
    npj_status failure;
    char trouble[NPJP_TROUBLE_MAX]; /* of the job */
    job_ledger ledger;
} sender;

/* ---------------------------------------------------------------------------------------------- the client's part */

static void end_job(sender *send)
{
    if (send->ended)
        return;
    send->ended = true;
    (void)npjp_job_close(send->job, TAG_CLOSE); /* refused only if the job has gone already */
    (void)npjp_host_stop(send->host, NPJ_DRAIN);
}

static void abort_job(sender *send, npj_status reason)
{
    send->ended = true;
    (void)npjp_job_abort(send->job, reason);
    (void)npjp_host_stop(send->host, NPJ_DRAIN);
}

/* Offers the chunk that is ready. Returns whether the next one may follow. */
static bool write_chunk(sender *send)
{
    bool lend = send->options->lend;
    uint32_t length = (uint32_t)send->source.filled;
    npj_status status = npjp_job_write(send->job, send->source.current, source_bytes(&send->source), length,
                                       lend ? NPJ_LEND : NPJ_COPY, NULL);
    switch (status) {
    case NPJ_STATUS_PENDING:
        send->ledger.writes_accepted++;
        source_sent(&send->source, lend);
        return true;
    case NPJ_STATUS_QUOTA_EXCEEDED: /* RESUME follows */
        send->ledger.writes_refused++;
        return false;
    case NPJ_STATUS_INSUFF_SERVER_RESOURCES:
    case NPJ_STATUS_INSUFFICIENT_RESOURCES:
        send->ledger.writes_refused++;
        send->starved = true;
        if (send->ledger.writes_accepted == send->ledger.writes_answered) /* nothing that could make room */
            abort_job(send, status);
        return false;
    default: /* the job has failed; the reason comes in its replies, the one of close at the latest */
        end_job(send);
        return false;
    }
}

static void on_readable(uv_poll_t *handle, int status, int events);

/* Sends as much of the file as the engine takes. */
static void pump(sender *send)
{
    while (!send->ended) {
        switch (source_fill(&send->source)) {
        case SOURCE_CHUNK:
            if (!write_chunk(send))
                return;
            break;
        case SOURCE_END:
            end_job(send);
            return;
        case SOURCE_WAIT:
            send->starved = send->source.current == UINT32_MAX; /* a buffer will come back */
            if (!send->starved)
                uv_poll_start(&send->readable, UV_READABLE, on_readable);
            return;
        case SOURCE_FAILED:
            send->read_errno = errno;
            abort_job(send, NPJ_STATUS_PRINT_CANCELLED);
            return;
        }
    }
}

static void on_readable(uv_poll_t *handle, int status, int events)
{
    (void)status;
    (void)events;
    sender *send = handle->data;
    uv_poll_stop(handle);
    pump(send);
}

static void on_reply(npjp_job *job, void *user, const npj_action *reply)
{
    (void)job;
    sender *send = user;
    switch (reply->request) {
    case NPJ_REQUEST_ADD:
        break;
    case NPJ_REQUEST_CONNECT:
        send->connected = reply->status == NPJ_STATUS_SUCCESS;
        break;
    case NPJ_REQUEST_WRITE:
        send->ledger.writes_answered++;
        if (send->options->lend && !reply->held)
            source_return(&send->source, (uint32_t)reply->tag);
        break;
    case NPJ_REQUEST_CLOSE:
        send->ledger.closed = 1;
        send->ledger.status = reply->status;
        break;
    }
    if (npj_status_is_error(reply->status)) {
        if (send->failure == NPJ_STATUS_SUCCESS)
            send->failure = reply->status;
        end_job(send);
    } else if (send->starved) {
        send->starved = false;
        pump(send);
    }
}

static void on_returned(npjp_job *job, void *user, uint64_t tag)
{
    (void)job;
    sender *send = user;
    source_return(&send->source, (uint32_t)tag);
    pump(send);
}

static void on_resume(npjp_job *job, void *user)
{
    (void)job;
    pump(user);
}

static void on_ended(npjp_job *job, void *user)
{
    sender *send = user;
    npjp_job_report report;
    npjp_job_report_get(job, &report);
    send->ledger.pipe_writes = report.pipe_writes;
    memcpy(send->trouble, report.trouble, strlen(report.trouble) + 1);
    send->job = NULL;
}

static const npjp_job_calls client = {
    .reply = on_reply,
    .returned = on_returned,
    .resume = on_resume,
    .ended = on_ended,
};

/* ---------------------------------------------------------------------------------------------- the provider's part */

static void on_add_job(void *user, npjp_job *job, npj_op op)
{
    const sender *send = user;
    (void)npjp_job_added(job, op, NPJ_STATUS_SUCCESS, send->options->pipe, JOB_ID);
}

/* A pipe has no spool file to be handed on: its reader has the job already. */
static void on_schedule_job(void *user, npjp_job *job, npj_op op, uint32_t job_id)
{
    (void)user;
    (void)job_id;
    (void)npjp_job_done(job, op, NPJ_STATUS_SUCCESS);
}

static void on_abandon_job(void *user, npjp_job *job, npj_op op, uint32_t job_id, npj_status why)
{
    (void)user;
    (void)job_id;
    (void)why;
    (void)npjp_job_done(job, op, NPJ_STATUS_SUCCESS);
}

static const npjp_provider_calls provider = {
    .add_job = on_add_job,
    .schedule_job = on_schedule_job,
    .abandon_job = on_abandon_job,
};

/* ---------------------------------------------------------------------------------------------- signals, progress */

static void on_signal(uv_signal_t *handle, int number)
{
    sender *send = handle->data;
    send->interrupted = number;
    abort_job(send, NPJ_STATUS_PRINT_CANCELLED);
}

static double seconds_since(uint64_t started)
{
    return (double)(uv_hrtime() - started) / 1e9;
}

static void on_progress(uv_timer_t *timer)
{
    sender *send = timer->data;
    npj_stats stats;
    npj_stats_get(npjp_host_srv(send->host), &stats);
    double taken = (double)stats.bytes_taken;
    char now[32];
    char all[32];
    char rate[32];
    tool_format_bytes(now, taken);
    tool_format_bytes(rate, (double)(uint64_t)(taken / seconds_since(send->started)));
    if (send->source.size > 0)
        fprintf(stderr, "\r\033[K%s of %s  %.0f%%  %s/s", now, tool_format_bytes(all, (double)send->source.size),
                taken * 100 / (double)send->source.size, rate);
    else
        fprintf(stderr, "\r\033[K%s  %s/s", now, rate);
}

static void on_stopped(npjp_host *host, void *user)
{
    (void)host;
    sender *send = user;
    if (!send->source.regular)
        uv_close((uv_handle_t *)&send->readable, NULL);
    uv_close((uv_handle_t *)&send->progress, NULL);
    for (int i = 0; i < SIGNALS; i++)
        uv_close((uv_handle_t *)&send->signals[i], NULL);
}

static void on_trace(void *user, const npj_trace *trace)
{
    (void)user;
    trace_print(stderr, 1, trace);
}

/* ---------------------------------------------------------------------------------------------- setting up */

static npj_status start_host(sender *send)
{
    const send_options *options = send->options;
    const uint64_t idle = 1 << 20;
    npjp_config config = {
        .size = sizeof config,
        .loop = &send->uv,
        .engine.mem = pool_mem(&send->pool),
        .engine.max_jobs = 1,
        .engine.max_packets = options->packets,
        .engine.max_job_packets = options->packets,
        .engine.max_write_bytes = options->chunk,
        .engine.max_batch = options->batch,
        .engine.max_job_bytes = (uint64_t)options->packets * options->chunk,
        .engine.max_pool_bytes = options->limit,
        .engine.max_idle_bytes = options->limit < idle ? options->limit : idle,
        .engine.connect_timeout = options->connect_timeout,
        .engine.stall_timeout = options->stall_timeout,
        .engine.drain_timeout = options->drain_timeout,
        .engine.trace = options->trace ? on_trace : NULL,
        .stopped = on_stopped,
        .user = send,
    };
    return npjp_host_new(&config, &send->host);
}

/* libuv has a descriptor it watches never block, which whoever shares our standard input would not expect. */
static int watch(sender *send)
{
    int fd = send->source.fd, flags = fcntl(fd, F_GETFL);
    int error = uv_poll_init(&send->uv, &send->readable, fd);
    if (flags >= 0)
        (void)fcntl(fd, F_SETFL, flags);
    return error;
}

/* A hangup that is ignored, as nohup has it, stays so. */
static bool is_wanted(int signal)
{
    struct sigaction action;
    return signal != SIGHUP || sigaction(signal, NULL, &action) != 0 || action.sa_handler != SIG_IGN;
}

static int start_handles(sender *send)
{
    static const int numbers[SIGNALS] = {SIGINT, SIGTERM, SIGHUP};
    int error = uv_timer_init(&send->uv, &send->progress);
    if (error != 0)
        return error;
    for (int i = 0; i < SIGNALS; i++) {
        if ((error = uv_signal_init(&send->uv, &send->signals[i])) != 0)
            return error;
        send->signals[i].data = send;
        if (is_wanted(numbers[i])) /* the next one has its usual effect, also while the loop does something else */
            uv_signal_start_oneshot(&send->signals[i], on_signal, numbers[i]);
    }
    send->readable.data = send;
    send->progress.data = send;
    if (send->source.regular)
        return 0;
    error = watch(send);
    send->source.regular = error == UV_EPERM; /* a device like /dev/null has nothing to wait for */
    return error == UV_EPERM ? 0 : error;
}

static void run(sender *send)
{
    bool shown = !send->options->quiet && isatty(STDERR_FILENO);
    if (shown)
        uv_timer_start(&send->progress, on_progress, PROGRESS_MS, PROGRESS_MS);
    send->started = uv_hrtime();

    const npjp_job_options options = {
        .client = CLIENT,
        .provider_key = PROVIDER,
        .provider = &provider,
        .provider_user = send,
        .calls = &client,
        .user = send,
        .mode = send->options->message ? NPJ_MESSAGE_MODE : NPJ_BYTE_MODE,
        .wait_for_pipe = send->options->wait,
    };
    npj_status status = npjp_job_add(send->host, &options, TAG_ADD, &send->job);
    if (npj_status_is_error(status)) {
        send->failure = status;
        (void)npjp_host_stop(send->host, NPJ_DRAIN);
    } else {
        (void)npjp_job_connect(send->job, TAG_CONNECT);
        pump(send);
    }
    (void)uv_run(&send->uv, UV_RUN_DEFAULT);

    send->ledger.seconds = seconds_since(send->started);
    if (shown)
        fputs("\r\033[K", stderr);
}

/* ---------------------------------------------------------------------------------------------- the end */

static void complain_of_failure(const sender *send)
{
    char status[64];
    tool_format_status(status, send->failure);
    if (send->failure == NPJ_STATUS_IO_TIMEOUT)
        tool_complain("send", "%s: %s (%s)", send->options->pipe,
                      send->connected ? "the pipe did not take the job in time" : "the pipe did not open in time",
                      status);
    else if (send->trouble[0] != '\0')
        tool_complain("send", "%s: %s (%s)", send->options->pipe, send->trouble, status);
    else
        tool_complain("send", "%s: the job failed (%s)", send->options->pipe, status);
}

/* Then a signal came too late: whoever is told of an aborted job sends it again. */
static bool is_done(const sender *send)
{
    return send->ledger.closed != 0 && send->ledger.status == NPJ_STATUS_SUCCESS;
}

static int verdict(const sender *send)
{
    if (send->interrupted != 0 && !is_done(send)) {
        tool_complain("send", "%s: interrupted, the job was aborted", send->options->pipe);
        return 128 + send->interrupted;
    }
    if (send->read_errno != 0) {
        tool_complain("send", "%s: %s", send->options->file, strerror(send->read_errno));
        return TOOL_TROUBLE;
    }
    if (send->failure != NPJ_STATUS_SUCCESS) {
        complain_of_failure(send);
        return TOOL_FAILED;
    }
    return TOOL_DONE;
}

/* libuv aborts a program in which it finds no descriptors for its signals: the second and the third that it takes. */
static int start_loop(sender *send)
{
    int copies[3], count = 0;
    while (count < 3 && (copies[count] = fcntl(send->source.fd, F_DUPFD_CLOEXEC, 0)) >= 0)
        count++;
    for (int i = 0; i < count; i++)
        (void)close(copies[i]);
    return count == 3 ? uv_loop_init(&send->uv) : UV_EMFILE;
}

static int send_with(sender *send)
{
    char text[64];
    int error = start_loop(send);
    npj_status status = error == 0 ? start_host(send) : NPJ_STATUS_SUCCESS;
    if (status != NPJ_STATUS_SUCCESS) {
        tool_complain("send", "no engine: %s", tool_format_status(text, status));
        return TOOL_TROUBLE;
    }
    if (error == 0)
        error = start_handles(send);
    if (error != 0) {
        tool_complain("send", "%s", uv_strerror(error));
        return TOOL_TROUBLE;
    }
    run(send);

    send->ledger.lent = send->source.lent;
    send->ledger.limit_bytes = send->options->limit;
    npj_stats_get(npjp_host_srv(send->host), &send->ledger.engine);
    npjp_host_free(&send->host);
    (void)uv_run(&send->uv, UV_RUN_DEFAULT); /* what libuv still looks at is released */
    send->ledger.memory = send->pool;
    if (!send->options->quiet)
        ledger_print(stdout, &send->ledger);
    (void)uv_loop_close(&send->uv);
    return verdict(send);
}

int send_job(const send_options *options)
{
    sender send = {.options = options};
    int code = TOOL_TROUBLE;
    if (source_open(&send.source, options->file, options->chunk, options->lend ? options->packets + 1 : 1))
        code = send_with(&send);
    else if (errno == ENOMEM)
        tool_complain("send", "--limit: no memory for so many buffers");
    else
        tool_complain("send", "%s: %s", options->file, strerror(errno));
    source_close(&send.source);
    return code;
}
