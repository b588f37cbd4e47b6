/* SPDX-License-Identifier: MIT */
/* The host that comes with npjob, on its loop. */
#define _GNU_SOURCE
#include <stdlib.h>

#include "npjob-posix/host.h"
#include "reader.h"
#include "socket.h"

struct posix_socket {
    bench_reader *reader;
    uv_loop_t loop;
    npjp_host *host;
    npjp_job *job;
    uint32_t length;
    unsigned char *bytes;
    uint64_t wanted; /* answers, those of the add and the connect too */
    uint64_t answered;
};

static void add_job(void *user, npjp_job *job, npj_op op)
{
    const struct posix_socket *self = user;
    (void)npjp_job_added(job, op, NPJ_STATUS_SUCCESS, bench_reader_path(self->reader), 1);
}

static void schedule_job(void *user, npjp_job *job, npj_op op, uint32_t job_id)
{
    (void)user;
    (void)job_id;
    (void)npjp_job_done(job, op, NPJ_STATUS_SUCCESS);
}

static void abandon_job(void *user, npjp_job *job, npj_op op, uint32_t job_id, npj_status why)
{
    (void)why;
    schedule_job(user, job, op, job_id);
}

static void on_reply(npjp_job *job, void *user, const npj_action *reply)
{
    struct posix_socket *self = user;
    (void)job;
    bench_must(reply->status == NPJ_STATUS_SUCCESS, "the host has failed");
    self->answered++;
}

static const npjp_provider_calls provider = {
    .add_job = add_job, .schedule_job = schedule_job, .abandon_job = abandon_job};
static const npjp_job_calls client = {.reply = on_reply};

static void wait_for_answers(struct posix_socket *self)
{
    while (self->answered < self->wanted)
        (void)uv_run(&self->loop, UV_RUN_ONCE);
}

static void *begin(const void *what)
{
    const socket_work *work = what;
    struct posix_socket *self = bench_alloc_zeroed(1, sizeof *self);
    self->length = work->length;
    self->bytes = bench_bytes(work->length);
    self->reader = bench_reader_new();
    bench_must(uv_loop_init(&self->loop) == 0, "no loop");
    npjp_config config = {.size = sizeof config, .loop = &self->loop};
    bench_must(npjp_host_new(&config, &self->host) == NPJ_STATUS_SUCCESS, "no host");
    npjp_job_options options = {.provider = &provider, .provider_user = self, .calls = &client, .user = self};
    bench_must(npjp_job_add(self->host, &options, 1, &self->job) == NPJ_STATUS_PENDING, "no job");
    bench_must(npjp_job_connect(self->job, 2) == NPJ_STATUS_PENDING, "no pipe");
    self->wanted = 2;
    wait_for_answers(self);
    return self;
}

static void run(void *data, uint64_t rounds)
{
    struct posix_socket *self = data;
    for (; rounds > 0; rounds--) {
        for (uint64_t i = 0; i < SOCKET_PENDING; i++)
            bench_must(npjp_job_write(self->job, i, self->bytes, self->length, NPJ_LEND, NULL) == NPJ_STATUS_PENDING,
                       "no write");
        self->wanted += SOCKET_PENDING;
        wait_for_answers(self);
    }
}

static void end(void *data)
{
    struct posix_socket *self = data;
    uint64_t bytes = (self->wanted - 2) * self->length;
    bench_must(npjp_job_close(self->job, 3) == NPJ_STATUS_PENDING, "no close");
    self->wanted++;
    wait_for_answers(self);
    npjp_host_free(&self->host);
    (void)uv_run(&self->loop, UV_RUN_DEFAULT);
    bench_must(uv_loop_close(&self->loop) == 0, "the loop does not end");
    bench_must(bench_reader_free(self->reader) == bytes, "not every byte has arrived");
    free(self->bytes);
    free(self);
}

const bench_side socket_posix = {"npjob-posix", begin, run, end};
