/* SPDX-License-Identifier: MIT */
/* malloc, counted. */
#include "pool.h"

#include <stdlib.h>

static void *pool_alloc(void *user, size_t bytes)
{
    npj_gauge *pool = user;
    void *block = malloc(bytes);
    if (block != NULL) {
        pool->total += bytes;
        pool->live += bytes;
        if (pool->live > pool->peak)
            pool->peak = pool->live;
    }
    return block;
}

static void pool_release(void *user, void *block, size_t bytes)
{
    npj_gauge *pool = user;
    pool->live -= bytes;
    free(block);
}

npj_mem pool_mem(npj_gauge *pool)
{
    return (npj_mem){.alloc = pool_alloc, .release = pool_release, .user = pool};
}
