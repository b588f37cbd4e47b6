/* SPDX-License-Identifier: MIT */
/**
 * @file
 * The memory that print jobs are read into, before a pipe takes it.
 *
 * All buffers have one size. Each job may always have one: that is set aside for it, so that no job ever waits for
 * another's memory. The rest is shared, first come, first served.
 */
#ifndef NPJOBD_POOL_H
#define NPJOBD_POOL_H

#include <stddef.h>
#include <stdint.h>

/** The bytes of one buffer: the most that one read takes from a client, and the longest write that the engine sees. */
enum { POOL_BUFFER_BYTES = 65536 };

/** One buffer. Whoever took it owns it until pool_give(). */
typedef struct pool_buffer {
    struct pool_buffer *next; /**< free for its owner's lists */
    uint32_t length;          /**< of what is in it */
    unsigned char bytes[POOL_BUFFER_BYTES];
} pool_buffer;

/** The daemon has one. All zeros is an empty pool, to which pool_limit() gives its limit. */
typedef struct pool {
    size_t limit;       /**< buffers that the shared part may have out; more may be out after it has been lowered */
    size_t shared;      /**< buffers of the shared part that are out */
    size_t live;        /**< buffers that are out */
    size_t peak;        /**< the most that ever were */
    pool_buffer *idle;  /**< kept for the next pool_take(): no more than are out, or 16 */
    size_t idle_length; /**< of that list */
} pool;

/** Sets the limit from the configuration, also anew: @p bytes in all, of which each of @p jobs has one buffer set
 * aside. */
void pool_limit(pool *self, uint64_t bytes, uint32_t jobs);

/**
 * Takes a buffer.
 *
 * @param already how many of them the job has: with 0 it gets the one that is set aside for it.
 * @return a buffer, or NULL: the shared part is used up, or the system has no memory.
 */
pool_buffer *pool_take(pool *self, size_t already);

/**
 * Gives a buffer back. @param left how many the job still has: the last one given back is the one set aside.
 */
void pool_give(pool *self, pool_buffer *buffer, size_t left);

/** Frees what was kept. All buffers have been given back. */
void pool_end(pool *self);

#endif
