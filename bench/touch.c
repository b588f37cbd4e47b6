/* SPDX-License-Identifier: MIT */
/*
 * The measure of an event: memory of the extent that as many jobs have, of which one line of 64 bytes after the other
 * is read and written, in shuffled order. A round is four touches for each job, as it has four events.
 */
#include <stdlib.h>

#include "crowd.h"

enum { JOB_BYTES = 256, LINE_BYTES = 64, TOUCHES = 4 };

struct line {
    uint32_t next;
    uint32_t touched;
    unsigned char rest[JOB_BYTES - 2 * sizeof(uint32_t)];
};

struct touch {
    struct line *lines;
    uint32_t *order;
    uint32_t count;
    uint32_t at;
    uint64_t wanted;
};

static void *begin(const void *what)
{
    const uint32_t *jobs = what;
    struct touch *self = bench_alloc_zeroed(1, sizeof *self);
    self->count = *jobs;
    self->order = bench_shuffled(*jobs);
    self->lines = aligned_alloc(LINE_BYTES, (size_t)*jobs * sizeof *self->lines);
    bench_must(self->lines != NULL, "no memory");
    for (uint32_t i = 0; i < *jobs; i++)
        self->lines[self->order[i]] = (struct line){.next = self->order[(i + 1) % *jobs]};
    return self;
}

static void run_chained(void *data, uint64_t rounds)
{
    struct touch *self = data;
    uint32_t at = self->at;
    self->wanted += rounds * TOUCHES;
    for (uint64_t i = 0; i < rounds * TOUCHES * self->count; i++) {
        struct line *line = &self->lines[at];
        line->touched++;
        at = line->next;
    }
    self->at = at;
}

static void run_apart(void *data, uint64_t rounds)
{
    struct touch *self = data;
    self->wanted += rounds * TOUCHES;
    for (uint64_t i = 0; i < rounds * TOUCHES; i++)
        for (uint32_t n = 0; n < self->count; n++)
            self->lines[self->order[n]].touched++;
}

static void end(void *data)
{
    struct touch *self = data;
    for (uint32_t i = 0; i < self->count; i++)
        bench_must(self->lines[i].touched == (uint32_t)self->wanted, "a line was not touched");
    free(self->lines);
    free(self->order);
    free(self);
}

const bench_side events_touch = {"touch", begin, run_chained, end};
const bench_side events_apart = {"touch-apart", begin, run_apart, end};
