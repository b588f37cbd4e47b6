/* SPDX-License-Identifier: MIT */
/* What a server holds when a job has ended and the server has not. */
#include "leftover.h"

#include <string.h>

#include "npjob-testkit/counting.h"

enum { CLIENT = 1, PROVIDER = 1, COOKIE = 1, JOB_ID = 1 };
enum { TAG_ADD = 1, TAG_CONNECT, TAG_CLOSE, TAG_WRITE };

/* One job and its host, in which everything is done at once. */
typedef struct server_run {
    const npjt_subject *subject;
    void *srv;
    npj_job job;
    const uint8_t *bytes;
    uint64_t piped;   /* bytes that have reached the pipe */
    uint64_t waiting; /* writes without an answer */
    npj_status failure;
    leftover result;
} server_run;

static void fail(server_run *run, npj_status status)
{
    if (run->failure == NPJ_STATUS_SUCCESS && npj_status_is_error(status))
        run->failure = status;
}

/* The pipe takes everything, and knows what should come. */
static uint64_t take(server_run *run, const npj_action *action)
{
    uint64_t taken = 0;
    for (uint32_t i = 0; i < action->iov_count; i++) {
        if (memcmp(action->iov[i].base, run->bytes + run->piped + taken, action->iov[i].length) != 0)
            fail(run, NPJ_STATUS_INVALID_PARAMETER);
        taken += action->iov[i].length;
    }
    run->piped += taken;
    return taken;
}

static void on_reply(server_run *run, const npj_action *action)
{
    fail(run, action->status);
    if (action->request == NPJ_REQUEST_WRITE)
        run->waiting--;
}

static void carry_out(server_run *run, const npj_action *action)
{
    static const char name[] = "\\\\.\\pipe\\q226513";
    const npj_path path = {.bytes = name, .length = sizeof name - 1, .encoding = NPJ_PATH_UTF8};
    const npjt_subject *subject = run->subject;
    switch (action->kind) {
    case NPJ_ADD_JOB:
        fail(run, subject->job_added(run->srv, action->op, NPJ_STATUS_SUCCESS, &path, JOB_ID));
        break;
    case NPJ_OPEN:
        fail(run, subject->opened(run->srv, action->op, NPJ_STATUS_SUCCESS, NPJ_BYTE_MODE));
        break;
    case NPJ_WRITE:
        fail(run, subject->written(run->srv, action->op, NPJ_STATUS_SUCCESS, take(run, action)));
        break;
    case NPJ_CLOSE_PIPE:
    case NPJ_SCHEDULE_JOB:
    case NPJ_ABANDON_JOB:
        fail(run, subject->done(run->srv, action->op, NPJ_STATUS_SUCCESS));
        break;
    case NPJ_REPLY:
        on_reply(run, action);
        break;
    default: /* nothing is cancelled or lent here, and a write put off is tried again anyway */
        break;
    }
}

static void host(server_run *run)
{
    npj_action action;
    while (run->subject->next(run->srv, &action))
        carry_out(run, &action);
}

/* Returns whether the write was accepted, now or after the queue had emptied. */
static bool write_one(server_run *run, const uint8_t *bytes, uint32_t length)
{
    for (;;) {
        npj_status status = run->subject->write(run->srv, run->job, TAG_WRITE, bytes, length, NPJ_COPY, NULL);
        if (status == NPJ_STATUS_PENDING) {
            run->result.writes++;
            run->waiting++;
            return true;
        }
        bool queued = run->waiting > 0;
        host(run);
        if (queued && run->waiting == 0)
            continue;
        run->result.event_2019 = status == NPJ_STATUS_INSUFF_SERVER_RESOURCES;
        fail(run, status);
        return false;
    }
}

static void send_all(server_run *run, uint64_t size, uint32_t chunk)
{
    const npjt_subject *subject = run->subject;
    npj_status status = subject->add_job(run->srv, CLIENT, PROVIDER, COOKIE, TAG_ADD, &run->job);
    fail(run, status);
    if (status != NPJ_STATUS_PENDING)
        return;
    fail(run, subject->connect(run->srv, run->job, TAG_CONNECT));
    host(run);
    for (uint64_t sent = 0; sent < size && run->failure == NPJ_STATUS_SUCCESS;) {
        uint32_t length = size - sent < chunk ? (uint32_t)(size - sent) : chunk;
        if (!write_one(run, run->bytes + sent, length)) {
            (void)subject->abort(run->srv, run->job, run->failure); /* a gap is no print job */
            break;
        }
        sent += length;
        host(run); /* copy and print wait for each write */
    }
    (void)subject->close(run->srv, run->job, TAG_CLOSE); /* refused only where the job has ended already */
    host(run);
}

/* By what the allocator has seen, whatever the server believes. */
static void measure(server_run *run, const npjt_counting *pool, const npjt_counting_stats *before)
{
    npjt_counting_stats after = *npjt_counting_stats_of(pool);
    run->result.pool = after.bytes.live - before->bytes.live;
    run->result.packets = (after.blocks.live - before->blocks.live) / run->subject->packet_blocks;
    run->result.bytes = run->piped;
}

leftover leftover_of_job(const npjt_subject *subject, const uint8_t *bytes, uint64_t size, uint32_t chunk,
                         uint64_t pool_bytes)
{
    server_run run = {.subject = subject, .bytes = bytes};
    const npjt_counting_options counting = {.quarantine_blocks = SIZE_MAX};
    npjt_counting pool;
    npjt_counting_init(&pool, &counting);
    const npj_config config = {
        .size = sizeof config,
        .mem = npjt_counting_mem(&pool),
        .max_jobs = 1,
        .max_packets = UINT32_MAX,
        .max_write_bytes = chunk,
        .max_pool_bytes = pool_bytes,
        .max_idle_bytes = 1,
    };
    npj_status status = subject->srv_new(&config, &run.srv);
    fail(&run, status);
    if (status == NPJ_STATUS_SUCCESS) {
        npjt_counting_stats before = *npjt_counting_stats_of(&pool);
        send_all(&run, size, chunk);
        measure(&run, &pool, &before);
        subject->srv_free(&run.srv);
    }
    run.result.status = run.failure;
    run.result.torn = npjt_counting_finish(&pool);
    return run.result;
}
