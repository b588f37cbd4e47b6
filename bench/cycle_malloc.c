/* SPDX-License-Identifier: MIT */
/* The least that a copied write can cost: with the C library's allocator, and with blocks that are there, where
 * malloc() would put them. */
#include <stdlib.h>
#include <string.h>

#include "cycle.h"

/* gcc's analyzer loses sight of blocks that stand in an array. */
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wanalyzer-malloc-leak"
#endif

struct malloc_cycle {
    uint32_t length;
    uint32_t pending;
    unsigned char *bytes;
    void **blocks;
};

static void *begin(const void *what)
{
    const cycle_work *work = what;
    struct malloc_cycle *self = bench_alloc(sizeof *self);
    *self = (struct malloc_cycle){.length = work->length, .pending = work->pending};
    self->bytes = bench_bytes(work->length);
    self->blocks = bench_alloc_zeroed(work->pending, sizeof *self->blocks);
    return self;
}

static void *begin_with_blocks(const void *what)
{
    struct malloc_cycle *self = begin(what);
    for (uint32_t i = 0; i < self->pending; i++)
        self->blocks[i] = bench_bytes(self->length);
    return self;
}

static void copy_into(void *block, const struct malloc_cycle *self)
{
    memcpy(block, self->bytes, self->length);
    /* The copy is for somebody: the compiler must not leave it out. */
    __asm__ volatile("" : : "r"(block) : "memory");
}

static void free_blocks(struct malloc_cycle *self)
{
    for (uint32_t i = 0; i < self->pending; i++)
        free(self->blocks[i]);
}

static void run(void *data, uint64_t rounds)
{
    struct malloc_cycle *self = data;
    for (; rounds > 0; rounds--) {
        for (uint32_t i = 0; i < self->pending; i++) {
            void *block = malloc(self->length);
            bench_must(block != NULL, "no memory");
            copy_into(block, self);
            self->blocks[i] = block;
        }
        free_blocks(self);
    }
}

static void run_copies_alone(void *data, uint64_t rounds)
{
    struct malloc_cycle *self = data;
    for (; rounds > 0; rounds--)
        for (uint32_t i = 0; i < self->pending; i++)
            copy_into(self->blocks[i], self);
}

static void end(void *data)
{
    struct malloc_cycle *self = data;
    free(self->blocks);
    free(self->bytes);
    free(self);
}

static void end_with_blocks(void *data)
{
    free_blocks(data);
    end(data);
}

/* As the C library is: when all of a round is free, it gives it back to the system if it is much. */
static void run_as_it_is(void *data, uint64_t rounds)
{
    bench_keep_freed(false);
    run(data, rounds);
    bench_keep_freed(true);
}

const bench_side cycle_malloc = {"malloc", begin, run_as_it_is, end};
const bench_side cycle_malloc_kept = {"malloc-kept", begin, run, end};
const bench_side cycle_memcpy = {"memcpy", begin_with_blocks, run_copies_alone, end_with_blocks};
