/* SPDX-License-Identifier: MIT */
/* A host outside the tree, in C11: one job into a pipe made of memory, by the loop that the README shows. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "npjob/npjob.h"

struct host {
    npj_srv *srv;
    npj_job job;
    int step;
    int idle;
    npj_status closed;
    char pipe[64];
    size_t length;
};

static void must(int condition, const char *what)
{
    if (!condition) {
        fprintf(stderr, "consumer: %s\n", what);
        exit(1);
    }
}

static int sleep_until(struct host *host, uint64_t deadline)
{
    must(host->step < 100, "the job does not end");
    must(deadline > 0, "a deadline of 0");
    return !host->idle;
}

static uint64_t time_now(struct host *host)
{
    return (uint64_t)host->step;
}

/* What a client does, one request a turn. */
static void deliver_events(struct host *host)
{
    static const char text[] = "a job, as a client sends it\n";
    switch (host->step++) {
    case 0:
        must(npj_add_job(host->srv, 1, 1, 7, 100, &host->job) == NPJ_STATUS_PENDING, "add");
        break;
    case 1:
        must(npj_connect(host->srv, host->job, 101) == NPJ_STATUS_PENDING, "connect");
        break;
    case 2:
        must(npj_write(host->srv, host->job, 102, text, 6, NPJ_COPY, NULL) == NPJ_STATUS_PENDING, "copied write");
        must(npj_write(host->srv, host->job, 103, text + 6, sizeof(text) - 7, NPJ_LEND, NULL) == NPJ_STATUS_PENDING,
             "lent write");
        break;
    case 3:
        must(npj_close(host->srv, host->job, 104) == NPJ_STATUS_PENDING, "close");
        break;
    case 4:
        must(npj_shutdown(host->srv, NPJ_DRAIN) == NPJ_STATUS_SUCCESS, "shutdown");
        break;
    }
}

static void ask_provider(struct host *host, const npj_action *todo)
{
    static const char name[] = "\\\\.\\pipe\\printer";
    npj_path path;
    path.bytes = name;
    path.length = sizeof(name) - 1;
    path.encoding = NPJ_PATH_UTF8;
    must(npj_job_added(host->srv, todo->op, NPJ_STATUS_SUCCESS, &path, 42) == NPJ_STATUS_SUCCESS, "added");
}

static void open_pipe(struct host *host, const npj_action *todo)
{
    must(npj_opened(host->srv, todo->op, NPJ_STATUS_SUCCESS, NPJ_BYTE_MODE) == NPJ_STATUS_SUCCESS, "opened");
}

static void write_pipe(struct host *host, const npj_action *todo)
{
    uint32_t i;
    for (i = 0; i < todo->iov_count; i++) {
        must(todo->iov[i].length <= sizeof(host->pipe) - host->length, "more bytes than were written");
        memcpy(host->pipe + host->length, todo->iov[i].base, todo->iov[i].length);
        host->length += todo->iov[i].length;
    }
    must(npj_written(host->srv, todo->op, NPJ_STATUS_SUCCESS, todo->count) == NPJ_STATUS_SUCCESS, "written");
}

static void close_pipe(struct host *host, const npj_action *todo)
{
    must(npj_done(host->srv, todo->op, NPJ_STATUS_SUCCESS) == NPJ_STATUS_SUCCESS, "closed");
}

static void schedule_job(struct host *host, const npj_action *todo)
{
    must(todo->job_id == 42, "another job is scheduled");
    must(npj_done(host->srv, todo->op, NPJ_STATUS_SUCCESS) == NPJ_STATUS_SUCCESS, "scheduled");
}

static void abandon_job(struct host *host, const npj_action *todo)
{
    must(npj_done(host->srv, todo->op, NPJ_STATUS_SUCCESS) == NPJ_STATUS_SUCCESS, "abandoned");
    must(0, "a whole job is abandoned");
}

static void stop_operation(struct host *host, npj_op op)
{
    must(host->srv && !op, "a CANCEL that nobody asked for");
}

static void answer_client(struct host *host, const npj_action *todo)
{
    must(todo->status == NPJ_STATUS_SUCCESS, npj_status_name(todo->status));
    if (todo->request == NPJ_REQUEST_CLOSE)
        host->closed = todo->status;
}

static void take_back_bytes(struct host *host, uint64_t tag)
{
    must(host->srv && !tag, "a RETURN without a REPLY that held");
}

static void read_from_client(struct host *host, uint64_t cookie)
{
    must(host->srv && !cookie, "a RESUME that is not owed");
}

static void stop_serving(struct host *host)
{
    host->idle = 1;
}

/* The README's loop, as it stands there. */
#include "loop.c"

static void *take(void *user, size_t bytes)
{
    size_t *live = (size_t *)user;
    *live += bytes;
    return malloc(bytes);
}

static void give(void *user, void *block, size_t bytes)
{
    size_t *live = (size_t *)user;
    *live -= bytes;
    free(block);
}

int main(void)
{
    struct host host;
    npj_config config;
    npj_stats stats;
    size_t live = 0;
    memset(&host, 0, sizeof(host));
    host.closed = NPJ_STATUS_PENDING;
    memset(&config, 0, sizeof(config));
    config.size = sizeof(config);
    config.mem.alloc = take;
    config.mem.release = give;
    config.mem.user = &live;
    must(npj_version() == ((NPJ_VERSION_MAJOR << 16) | (NPJ_VERSION_MINOR << 8) | NPJ_VERSION_PATCH), "version");
    must(npj_srv_new(&config, &host.srv) == NPJ_STATUS_SUCCESS, "no engine");
    serve(&host);
    npj_stats_get(host.srv, &stats);
    npj_srv_free(&host.srv);
    printf("%.*s", (int)host.length, host.pipe);
    printf("closed=%s packets=%" PRIu64 " live=%" PRIu64 " bytes=%" PRIu64 " replies=%" PRIu64 " memory=%zu\n",
           npj_status_name(host.closed), stats.packets.total, stats.packets.live, stats.bytes_taken, stats.replies,
           live);
    return 0;
}
