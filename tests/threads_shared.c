/* SPDX-License-Identifier: MIT */
/*
 * One engine in a host of four threads. The lock covers the engine and all that the host knows; what is outside of it
 * is what a pipe does: reading the bytes of a WRITE in flight, while other threads write, cancel and abort.
 */
#include <inttypes.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "npjob-testkit/counting.h"
#include "npjob/npjob.h"
#include "threads.h"

enum { CLIENTS = 2, JOBS = 8, PACKETS = 32, BATCH = 16, TURNS = 6, LONGEST = 512, MEANT = 0x5A, TAKEN_BACK = 0xEE };

/** An accepted request, from PENDING until the host is done with it; its address is the tag. */
struct request {
    struct request *prev, *next;
    bool replied;
    unsigned char *lent; /* or NULL */
    size_t length;
};

struct operation {
    npj_action action;
    npj_iov iov[BATCH]; /* the engine's own array is gone with the next npj_next() */
};

struct host {
    bool locking;
    pthread_mutex_t lock;
    pthread_cond_t changed; /* the engine was called */
    npj_srv *srv;
    npjt_counting pool;
    npj_job job[JOBS]; /* the last ones made, by clients; stale ones stay */
    npj_req write[PACKETS];
    unsigned jobs, writes;
    struct operation op[JOBS]; /* taken and not yet executed: one for each job at most */
    unsigned ops;
    struct request requests; /* head of a ring */
    uint64_t accepted, replies, operations, cancels, bytes;
    uint64_t now;
    unsigned turns; /* calls that the clients may make before others have done something, or they would have the lock
                       for themselves */
    bool idle;
    unsigned bad;
};

struct client {
    struct host *host;
    uint64_t key;
    unsigned calls;
    uint32_t random;
};

static void enter(struct host *h)
{
    if (h->locking)
        pthread_mutex_lock(&h->lock);
}

static void leave(struct host *h)
{
    if (h->locking) {
        pthread_cond_broadcast(&h->changed);
        pthread_mutex_unlock(&h->lock);
    }
}

static void wait_for_change(struct host *h)
{
    if (h->locking)
        pthread_cond_wait(&h->changed, &h->lock);
    else
        sched_yield();
}

static void give_turns(struct host *h)
{
    h->turns = TURNS;
    if (h->locking)
        pthread_cond_broadcast(&h->changed);
}

static void wrong(struct host *h, const char *sentence)
{
    (void)fprintf(stderr, "threads: %s\n", sentence);
    h->bad++;
}

/* --------------------------------------------------------------------------------------------------------- requests */

static struct request *request_new(size_t lent)
{
    struct request *request = calloc(1, sizeof *request);
    if (!request || (lent > 0 && !(request->lent = malloc(lent))))
        abort();
    request->length = lent;
    if (lent > 0)
        memset(request->lent, MEANT, lent);
    return request;
}

static uint64_t tag_of(const struct request *request)
{
    return (uint64_t)(uintptr_t)request;
}

static struct request *request_of(uint64_t tag)
{
    return (struct request *)(uintptr_t)tag;
}

static void request_free(struct request *request)
{
    if (request->lent)
        memset(request->lent, TAKEN_BACK, request->length);
    free(request->lent);
    free(request);
}

static void request_link(struct host *h, struct request *request)
{
    request->prev = &h->requests;
    request->next = h->requests.next;
    h->requests.next->prev = request;
    h->requests.next = request;
    h->accepted++;
}

static void request_end(struct request *request)
{
    request->prev->next = request->next;
    request->next->prev = request->prev;
    request_free(request);
}

/* ---------------------------------------------------------------------------------------------------------- clients */

static uint32_t roll(struct client *c, uint32_t sides)
{
    c->random ^= c->random << 13;
    c->random ^= c->random >> 17;
    c->random ^= c->random << 5;
    return c->random % sides;
}

static npj_job any_job(struct client *c)
{
    const struct host *h = c->host;
    return h->jobs == 0 ? 0 : h->job[roll(c, h->jobs < JOBS ? h->jobs : JOBS)];
}

/** Keeps the request if it was accepted. */
static void asked(struct host *h, struct request *request, npj_status status)
{
    if (status == NPJ_STATUS_PENDING)
        request_link(h, request);
    else
        request_free(request);
}

static void call_add(struct client *c)
{
    struct host *h = c->host;
    struct request *add = request_new(0), *connect = request_new(0);
    npj_job job = 0;
    npj_status status = npj_add_job(h->srv, c->key, 1 + roll(c, 2), 1, tag_of(add), &job);
    asked(h, add, status);
    if (status == NPJ_STATUS_PENDING)
        h->job[h->jobs++ % JOBS] = job;
    asked(h, connect, npj_connect(h->srv, job, tag_of(connect)));
}

static void call_write(struct client *c)
{
    struct host *h = c->host;
    bool lend = roll(c, 2) == 0;
    uint32_t length = 1 + roll(c, LONGEST);
    unsigned char bytes[LONGEST];
    memset(bytes, MEANT, sizeof bytes);
    struct request *request = request_new(lend ? length : 0);
    npj_req handle = 0;
    npj_status status = npj_write(h->srv, any_job(c), tag_of(request), lend ? request->lent : bytes, length,
                                  lend ? NPJ_LEND : NPJ_COPY, &handle);
    memset(bytes, TAKEN_BACK, sizeof bytes);
    if (status == NPJ_STATUS_PENDING)
        h->write[h->writes++ % PACKETS] = handle;
    asked(h, request, status);
}

static void call_something(struct client *c)
{
    struct host *h = c->host;
    uint32_t what = roll(c, 100);
    if (what < 10) {
        call_add(c);
    } else if (what < 70) {
        call_write(c);
    } else if (what < 80) {
        npj_cancel(h->srv, h->write[roll(c, PACKETS)]);
    } else if (what < 86) {
        struct request *request = request_new(0);
        asked(h, request, npj_close(h->srv, any_job(c), tag_of(request)));
    } else if (what < 88) {
        npj_abort(h->srv, any_job(c), NPJ_STATUS_PRINT_CANCELLED);
    } else if (what == 88) {
        npj_client_gone(h->srv, c->key, NPJ_STATUS_NETWORK_NAME_DELETED);
    } else if (what == 89) {
        npj_provider_gone(h->srv, 1 + roll(c, 2));
    } else if (what < 95) {
        npj_advance(h->srv, h->now += roll(c, 40));
    } else {
        npj_job_info info;
        npj_job_query(h->srv, any_job(c), &info);
    }
}

static void *run_client(void *user)
{
    struct client *c = user;
    for (unsigned left = c->calls; left > 0; left--) {
        enter(c->host);
        while (c->host->turns == 0)
            wait_for_change(c->host);
        c->host->turns--;
        call_something(c);
        leave(c->host);
    }
    return NULL;
}

/* ----------------------------------------------------------------------------------------------- taking the actions */

static void taken(struct host *h, const npj_action *action)
{
    struct request *request = request_of(action->tag);
    switch (action->kind) {
    case NPJ_REPLY:
        h->replies++;
        if (request->replied)
            wrong(h, "a second REPLY");
        request->replied = true;
        if (!action->held)
            request_end(request);
        break;
    case NPJ_RETURN:
        request_end(request);
        break;
    case NPJ_CANCEL:
        h->cancels++;
        break;
    case NPJ_RESUME:
        break;
    case NPJ_IDLE:
        h->idle = true;
        break;
    default: {
        if (h->ops == JOBS) {
            wrong(h, "more operations than jobs");
            return;
        }
        struct operation *op = &h->op[h->ops++];
        op->action = *action;
        if (action->kind == NPJ_WRITE)
            memcpy(op->iov, action->iov, action->iov_count * sizeof *op->iov);
        h->operations++;
        break;
    }
    }
}

static void *take_actions(void *user)
{
    struct host *h = user;
    npj_action action;
    enter(h);
    while (!h->idle) {
        if (npj_next(h->srv, &action)) {
            taken(h, &action);
            leave(h);
            enter(h);
        } else {
            if (h->ops == 0)
                give_turns(h);
            wait_for_change(h);
        }
    }
    leave(h);
    return NULL;
}

/* ----------------------------------------------------------------------------------------- executing the operations */

/** What a pipe does: reads the bytes, for as long as it likes. @return how many. */
static uint64_t read_bytes(const struct operation *op, bool *meant)
{
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < op->action.iov_count; i++) {
        const unsigned char *byte = op->iov[i].base;
        for (size_t k = 0; k < op->iov[i].length; k++)
            *meant = *meant && byte[k] == MEANT;
        bytes += op->iov[i].length;
    }
    return bytes;
}

static void complete(struct host *h, const npj_action *action, uint64_t bytes)
{
    static const char name[] = "\\\\.\\pipe\\spool";
    npj_path path = {name, sizeof name - 1, NPJ_PATH_UTF8};
    npj_status status = NPJ_STATUS_SUCCESS;
    switch (action->kind) {
    case NPJ_ADD_JOB:
        status = npj_job_added(h->srv, action->op, NPJ_STATUS_SUCCESS, &path, 7);
        break;
    case NPJ_OPEN:
        status =
            npj_opened(h->srv, action->op, NPJ_STATUS_SUCCESS, h->operations % 2 ? NPJ_BYTE_MODE : NPJ_MESSAGE_MODE);
        break;
    case NPJ_WRITE:
        h->bytes += bytes;
        status = npj_written(h->srv, action->op, NPJ_STATUS_SUCCESS, bytes);
        break;
    default:
        status = npj_done(h->srv, action->op, NPJ_STATUS_SUCCESS);
        break;
    }
    if (status != NPJ_STATUS_SUCCESS)
        wrong(h, "a completion was refused");
}

static void *execute(void *user)
{
    struct host *h = user;
    enter(h);
    while (!h->idle) {
        if (h->ops == 0) {
            wait_for_change(h);
            continue;
        }
        struct operation op = h->op[--h->ops];
        leave(h);
        bool meant = true;
        uint64_t bytes = read_bytes(&op, &meant);
        enter(h);
        if (!meant)
            wrong(h, "the bytes of a WRITE in flight were not as they were given");
        complete(h, &op.action, bytes);
        give_turns(h);
        leave(h);
        enter(h);
    }
    leave(h);
    return NULL;
}

/* -------------------------------------------------------------------------------------------------------------- all */

static bool begin(struct host *h, bool lock)
{
    npjt_counting_init(&h->pool, NULL);
    npj_config config = {.size = sizeof config, .mem = npjt_counting_mem(&h->pool)};
    config.max_jobs = JOBS;
    config.max_packets = PACKETS;
    config.max_job_packets = PACKETS / 2;
    config.max_write_bytes = LONGEST;
    config.max_job_bytes = (uint64_t)4 * LONGEST;
    config.max_batch = BATCH;
    config.stall_timeout = 2000;
    h->locking = lock;
    h->requests.prev = h->requests.next = &h->requests;
    return pthread_mutex_init(&h->lock, NULL) == 0 && pthread_cond_init(&h->changed, NULL) == 0 &&
           npj_srv_new(&config, &h->srv) == NPJ_STATUS_SUCCESS;
}

static void run_threads(struct host *h, unsigned calls)
{
    struct client client[CLIENTS];
    pthread_t clients[CLIENTS], taker, executor;
    bool good = pthread_create(&taker, NULL, take_actions, h) == 0 && pthread_create(&executor, NULL, execute, h) == 0;
    for (unsigned i = 0; i < CLIENTS && good; i++) {
        client[i] = (struct client){.host = h, .key = 1 + i, .calls = calls, .random = 2463534242U + i};
        good = pthread_create(&clients[i], NULL, run_client, &client[i]) == 0;
    }
    if (!good)
        abort();
    for (unsigned i = 0; i < CLIENTS; i++)
        pthread_join(clients[i], NULL);
    enter(h);
    npj_shutdown(h->srv, NPJ_ABORT);
    leave(h);
    pthread_join(taker, NULL);
    pthread_join(executor, NULL);
}

/** What must be so when all threads have ended. */
static void look_back(struct host *h)
{
    npj_stats stats;
    npj_stats_get(h->srv, &stats);
    if (npj_check(h->srv))
        wrong(h, npj_check(h->srv));
    if (stats.jobs.live + stats.packets.live + stats.reserved_packets.live > 0)
        wrong(h, "something lives when all is over");
    if (h->accepted != h->replies || h->requests.next != &h->requests)
        wrong(h, "a request was not answered once");
    if (h->operations == 0 || h->cancels == 0 || h->bytes == 0 || stats.packets.total == 0)
        wrong(h, "the clients have not come far");
    npj_srv_free(&h->srv);
    if (npjt_counting_finish(&h->pool) != 0)
        wrong(h, "the allocator was abused");
    (void)printf("one engine: threads=%u requests=%" PRIu64 " replies=%" PRIu64 " operations=%" PRIu64
                 " cancels=%" PRIu64 " packets=%" PRIu64 " bytes=%" PRIu64 " live=%" PRIu64 "\n",
                 (unsigned)CLIENTS + 2, h->accepted, h->replies, h->operations, h->cancels, stats.packets.total,
                 h->bytes, stats.packets.live);
}

bool share_one_engine(unsigned calls, bool lock)
{
    struct host h = {0};
    if (!begin(&h, lock))
        abort();
    run_threads(&h, calls);
    look_back(&h);
    pthread_cond_destroy(&h.changed);
    pthread_mutex_destroy(&h.lock);
    return h.bad == 0;
}
