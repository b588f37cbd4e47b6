/* SPDX-License-Identifier: MIT */
/**
 * @file
 * The engine alone: writes are accepted until so many are pending, then all of them are carried out and answered. That
 * is one round. No byte leaves the process.
 */
#ifndef NPJOB_BENCH_CYCLE_H
#define NPJOB_BENCH_CYCLE_H

#include "side.h"

typedef struct cycle_work {
    const char *name;
    uint32_t length;  /**< of a write */
    uint32_t pending; /**< writes of a round */
    bool lent;        /**< or else copied, by every side */
} cycle_work;

extern const bench_side cycle_npjob;  /**< the engine, and the loop of its host */
extern const bench_side cycle_tevent; /**< a tevent_req for each write, with its bytes by talloc_memdup() */
extern const bench_side cycle_malloc; /**< malloc(), memcpy(), free(): a copy by means of the C library, as it is */
extern const bench_side cycle_malloc_kept; /**< the same, but that the library keeps what is freed */
extern const bench_side cycle_memcpy;      /**< memcpy() alone: what a copy costs at the least */

#endif
