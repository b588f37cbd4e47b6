/* SPDX-License-Identifier: MIT */
/** @file What a server holds when a job has ended and the server has not. */
#ifndef NPJ_LEFTOVER_H
#define NPJ_LEFTOVER_H

#include <stdbool.h>
#include <stdint.h>

#include "npjob-testkit/subject.h"

/** What one job left behind. */
typedef struct leftover {
    uint64_t writes;   /**< accepted */
    uint64_t bytes;    /**< taken by the pipe, and equal to those of the file */
    uint64_t packets;  /**< still live, by the allocator's blocks */
    uint64_t pool;     /**< bytes of the allocator: more than it held before the job */
    uint64_t torn;     /**< findings of the allocator, after the server was freed: 0 */
    bool event_2019;   /**< the pool was empty before the job was done */
    npj_status status; /**< of the job: SUCCESS, or its first failure; of the server where it could not be had */
} leftover;

/**
 * Sends @p size bytes through @p subject as one job, in copied writes of @p chunk bytes, to a pipe that takes all and
 * compares it with what was sent.
 *
 * @param pool the server's max_pool_bytes. Nothing is kept for reuse, so that what is left is what was lost.
 */
leftover leftover_of_job(const npjt_subject *subject, const uint8_t *bytes, uint64_t size, uint32_t chunk,
                         uint64_t pool);

#endif
