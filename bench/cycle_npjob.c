/* SPDX-License-Identifier: MIT */
/* The engine, with a host whose pipe takes everything at once. */
#include <stdlib.h>

#include "cycle.h"
#include "engine.h"

struct npjob_cycle {
    npj_srv *srv;
    npj_job job;
    uint32_t length;
    uint32_t pending;
    unsigned flags;
    uint64_t wanted;
    uint64_t answered;
    unsigned char *bytes;
};

static void *begin(const void *what)
{
    const cycle_work *work = what;
    struct npjob_cycle *self = bench_alloc(sizeof *self);
    *self = (struct npjob_cycle){.length = work->length, .pending = work->pending};
    self->flags = work->lent ? NPJ_LEND : NPJ_COPY;
    self->bytes = bench_bytes(work->length);
    self->srv = bench_engine_new(1);
    self->job = bench_engine_open(self->srv, 1, 1, 1);
    return self;
}

static void serve(struct npjob_cycle *self)
{
    npj_action todo;
    while (npj_next(self->srv, &todo))
        if (todo.kind == NPJ_WRITE)
            (void)npj_written(self->srv, todo.op, NPJ_STATUS_SUCCESS, todo.count);
        else
            self->answered++;
}

static void run(void *data, uint64_t rounds)
{
    struct npjob_cycle *self = data;
    self->wanted += rounds * self->pending;
    for (; rounds > 0; rounds--) {
        for (uint32_t i = 0; i < self->pending; i++)
            (void)npj_write(self->srv, self->job, i, self->bytes, self->length, self->flags, NULL);
        serve(self);
    }
}

static void end(void *data)
{
    struct npjob_cycle *self = data;
    npj_stats stats;
    npj_stats_get(self->srv, &stats);
    bench_must(self->answered == self->wanted, "not every write was answered");
    bench_must(stats.bytes_taken == self->wanted * self->length, "not every byte was taken");
    bench_engine_free(self->srv);
    free(self->bytes);
    free(self);
}

const bench_side cycle_npjob = {"npjob", begin, run, end};
