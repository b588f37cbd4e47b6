/* SPDX-License-Identifier: MIT */
/* What no copied write can do without: its bytes, copied into a block that is there, where malloc()
 * would put it. */
#include <stdlib.h>
#include <string.h>

#include "cycle.h"

struct memcpy_cycle {
    uint32_t length;
    uint32_t pending;
    unsigned char *bytes;
    void **blocks;
};

static void *begin(const void *what)
{
    const cycle_work *work = what;
    struct memcpy_cycle *self = bench_alloc(sizeof *self);
    *self = (struct memcpy_cycle){.length = work->length, .pending = work->pending};
    self->bytes = bench_bytes(work->length);
    self->blocks = bench_alloc_zeroed(work->pending, sizeof *self->blocks);
    for (uint32_t i = 0; i < work->pending; i++)
        self->blocks[i] = bench_bytes(work->length);
    return self;
}

static void run(void *data, uint64_t rounds)
{
    struct memcpy_cycle *self = data;
    for (; rounds > 0; rounds--) {
        for (uint32_t i = 0; i < self->pending; i++) {
            void *copy = memcpy(self->blocks[i], self->bytes, self->length);
            /* The copy is for somebody: the compiler must not leave it out. */
            __asm__ volatile("" : : "r"(copy) : "memory");
        }
    }
}

static void end(void *data)
{
    struct memcpy_cycle *self = data;
    for (uint32_t i = 0; i < self->pending; i++)
        free(self->blocks[i]);
    free(self->blocks);
    free(self->bytes);
    free(self);
}

const bench_side cycle_memcpy = {"memcpy", begin, run, end};
