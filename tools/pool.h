/* SPDX-License-Identifier: MIT */
/** @file The memory that an engine is given: malloc, counted. */
#ifndef NPJ_POOL_H
#define NPJ_POOL_H

#include "npjob/npjob.h"

/** Bytes that an engine holds. Zero it before use. */
typedef struct counted_pool {
    npj_gauge bytes;
} counted_pool;

/** The allocator over @p pool, for npj_config.mem. */
npj_mem pool_mem(counted_pool *pool);

#endif
