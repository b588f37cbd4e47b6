/* SPDX-License-Identifier: MIT */
/* malloc, counted. */
#include "pool.h"

#include <stdlib.h>

static void *pool_alloc(void *user, size_t bytes)
{
    counted_pool *pool = user;
    void *block = malloc(bytes);
    if (block != NULL) {
        pool->bytes.total += bytes;
        pool->bytes.live += bytes;
        if (pool->bytes.live > pool->bytes.peak)
            pool->bytes.peak = pool->bytes.live;
    }
    return block;
}

static void pool_release(void *user, void *block, size_t bytes)
{
    counted_pool *pool = user;
    pool->bytes.live -= bytes;
    free(block);
}

npj_mem pool_mem(counted_pool *pool)
{
    return (npj_mem){.alloc = pool_alloc, .release = pool_release, .user = pool};
}
