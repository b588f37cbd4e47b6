/* SPDX-License-Identifier: MIT */
/* Ticks: npj_advance() and npj_deadline(), while every job has a WRITE in flight whose deadline is armed. */
#include <stdlib.h>

#include "crowd.h"

enum { FEW = 1000 };

struct tick {
    bench_crowd *crowd;
    uint64_t now;
    uint64_t seen;
};

static void *begin(uint32_t jobs)
{
    static const unsigned char bytes[512];
    npj_action todo;
    struct tick *self = bench_alloc_zeroed(1, sizeof *self);
    self->crowd = bench_crowd_new(jobs, NULL, NULL);
    self->now = 1;
    for (uint32_t i = 0; i < jobs; i++)
        (void)npj_write(self->crowd->srv, self->crowd->jobs[i], i, bytes, sizeof bytes, NPJ_LEND, NULL);
    for (uint32_t i = 0; i < jobs; i++)
        bench_must(npj_next(self->crowd->srv, &todo) && todo.kind == NPJ_WRITE, "the engine wants something else");
    bench_must(npj_deadline(self->crowd->srv) != NPJ_NEVER, "no deadline is armed");
    return self;
}

static void *begin_many(const void *what)
{
    return begin(*(const uint32_t *)what);
}

static void *begin_few(const void *what)
{
    (void)what;
    return begin(FEW);
}

static void run(void *data, uint64_t rounds)
{
    struct tick *self = data;
    for (; rounds > 0; rounds--) {
        (void)npj_advance(self->crowd->srv, ++self->now);
        self->seen += npj_deadline(self->crowd->srv) != NPJ_NEVER;
    }
}

static void end(void *data)
{
    struct tick *self = data;
    npj_action todo;
    bench_must(self->seen == self->now - 1 && !npj_next(self->crowd->srv, &todo), "something has expired");
    bench_crowd_free(self->crowd);
    free(self);
}

const bench_side tick_many = {"of-many", begin_many, run, end};
const bench_side tick_few = {"of-1000", begin_few, run, end};
