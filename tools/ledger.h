/* SPDX-License-Identifier: MIT */
/** @file What a job came to: everything that was taken and given back, in one table. */
#ifndef NPJ_LEDGER_H
#define NPJ_LEDGER_H

#include <stdint.h>
#include <stdio.h>

#include "npjob/npjob.h"

/** The accounts. */
typedef struct job_ledger {
    npj_stats engine;         /**< after the job, before the engine is freed */
    npj_gauge memory;         /**< of the engine's allocator, after the engine was freed */
    npj_gauge lent;           /**< buffers lent to the engine, and come back */
    uint64_t limit_bytes;     /**< of the pool */
    uint64_t writes_accepted; /**< by the engine */
    uint64_t writes_refused;  /**< put off: tried again later */
    uint64_t writes_answered;
    uint64_t pipe_writes; /**< calls of the system that moved bytes */
    double seconds;
    int closed;        /**< whether close was answered */
    npj_status status; /**< of close */
} job_ledger;

/** Prints it. */
void ledger_print(FILE *out, const job_ledger *ledger);

#endif
