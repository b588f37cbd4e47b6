/* SPDX-License-Identifier: MIT */
/*
 * Events on random jobs. An event is one call: npj_write() of a lent write, npj_next() that hands out its WRITE,
 * npj_written(), npj_next() that hands out its REPLY. Were the four made one after the other, three would find the job
 * in the cache; so each is made on all jobs, in shuffled order, before the next is made on any. A round is four events
 * for each job.
 */
#include <stdlib.h>

#include "crowd.h"

struct events {
    bench_crowd *crowd;
    npj_op *ops;
    uint64_t answered;
    uint64_t wanted;
};

static void *begin(const void *what)
{
    const uint32_t *jobs = what;
    struct events *self = bench_alloc_zeroed(1, sizeof *self);
    self->crowd = bench_crowd_new(*jobs, NULL, NULL);
    self->ops = bench_alloc_zeroed(*jobs, sizeof *self->ops);
    return self;
}

static void one_round(struct events *self)
{
    static const unsigned char bytes[512];
    const bench_crowd *crowd = self->crowd;
    npj_action todo;
    for (uint32_t i = 0; i < crowd->count; i++)
        (void)npj_write(crowd->srv, crowd->jobs[i], i, bytes, sizeof bytes, NPJ_LEND, NULL);
    for (uint32_t i = 0; i < crowd->count; i++) {
        bench_must(npj_next(crowd->srv, &todo) && todo.kind == NPJ_WRITE, "the engine wants something else");
        self->ops[i] = todo.op;
    }
    for (uint32_t i = 0; i < crowd->count; i++)
        (void)npj_written(crowd->srv, self->ops[i], NPJ_STATUS_SUCCESS, sizeof bytes);
    while (npj_next(crowd->srv, &todo))
        self->answered++;
}

static void run(void *data, uint64_t rounds)
{
    struct events *self = data;
    self->wanted += rounds * self->crowd->count;
    for (; rounds > 0; rounds--)
        one_round(self);
}

static void end(void *data)
{
    struct events *self = data;
    bench_must(self->answered == self->wanted, "not every write was answered");
    bench_crowd_free(self->crowd);
    free(self->ops);
    free(self);
}

const bench_side events_npjob = {"npjob", begin, run, end};
