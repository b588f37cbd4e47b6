/* SPDX-License-Identifier: MIT */
#include "engine.h"

#include <stdlib.h>

#include "side.h"

static void *take(void *user, size_t bytes)
{
    (void)user;
    return malloc(bytes);
}

static void give(void *user, void *block, size_t bytes)
{
    (void)user;
    (void)bytes;
    free(block);
}

npj_srv *bench_engine_new(uint32_t jobs)
{
    npj_srv *srv = NULL;
    npj_config config = {.size = sizeof config, .mem = {.alloc = take, .release = give}, .max_jobs = jobs};
    config.max_job_packets = 4096;
    config.max_job_bytes = UINT64_C(1) << 32;
    config.max_packets = jobs < 65536 ? 65536 : jobs;
    config.max_pool_bytes = UINT64_C(1) << 32;
    config.max_idle_bytes = jobs > 1024 ? UINT64_C(1) << 30 : 0;
    config.stall_timeout = UINT64_C(1) << 60;
    bench_must(npj_srv_new(&config, &srv) == NPJ_STATUS_SUCCESS, "no engine");
    bench_must(npj_advance(srv, 1) == NPJ_STATUS_SUCCESS, "no clock");
    return srv;
}

static npj_op take_op(npj_srv *srv, npj_action_kind kind)
{
    npj_action todo;
    do
        bench_must(npj_next(srv, &todo), "the engine has nothing to say");
    while (todo.kind == NPJ_REPLY);
    bench_must(todo.kind == kind, "the engine wants something else");
    return todo.op;
}

npj_job bench_engine_open(npj_srv *srv, uint64_t client, uint64_t provider, uint64_t number)
{
    static const npj_path path = {"/run/pipe", 9, NPJ_PATH_OPAQUE};
    npj_job job;
    npj_action todo;
    bench_must(npj_add_job(srv, client, provider, number, number, &job) == NPJ_STATUS_PENDING, "no job");
    bench_must(npj_connect(srv, job, number) == NPJ_STATUS_PENDING, "no connect");
    npj_op op = take_op(srv, NPJ_ADD_JOB);
    bench_must(npj_job_added(srv, op, NPJ_STATUS_SUCCESS, &path, (uint32_t)number) == NPJ_STATUS_SUCCESS, "not added");
    op = take_op(srv, NPJ_OPEN);
    bench_must(npj_opened(srv, op, NPJ_STATUS_SUCCESS, NPJ_BYTE_MODE) == NPJ_STATUS_SUCCESS, "not opened");
    while (npj_next(srv, &todo))
        bench_must(todo.kind == NPJ_REPLY, "the engine wants something else");
    return job;
}

void bench_engine_free(npj_srv *srv)
{
    bench_must(npj_check(srv) == NULL, "the engine is not well");
    npj_srv_free(&srv);
}
