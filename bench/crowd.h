/* SPDX-License-Identifier: MIT */
/**
 * @file
 * An engine with a great many open jobs, and works on them. No work may profit from the order in which jobs were made:
 * wherever one is chosen, it is by a shuffled order.
 */
#ifndef NPJOB_BENCH_CROWD_H
#define NPJOB_BENCH_CROWD_H

#include "npjob/npjob.h"
#include "side.h"

typedef struct bench_crowd {
    npj_srv *srv;
    npj_job *jobs; /**< in a shuffled order */
    uint32_t count;
} bench_crowd;

/** Whose a job is, the @p number-th of a shuffled order. */
typedef struct bench_keys {
    uint64_t client;
    uint64_t provider;
} bench_keys;

/** Opens @p count jobs. @p keys tells whose they are; NULL: sixteen to a client, a thousand to a provider. */
bench_crowd *bench_crowd_new(uint32_t count, bench_keys (*keys)(const void *user, uint32_t number), const void *user);
void bench_crowd_free(bench_crowd *crowd);

/** The numbers below @p count in an order that is always the same, and no order. The caller's, of free(). */
uint32_t *bench_shuffled(uint32_t count);

/** Events, each on another random job. What it is given is the number of jobs, a uint32_t. */
extern const bench_side events_npjob;
extern const bench_side events_touch; /**< a line of memory of the same extent; where the next is stands in the line */
extern const bench_side events_apart; /**< likewise, but told by a list, so that the processor overlaps touches */

/** The time goes on, and nothing expires. What they are given is the larger number of jobs, a uint32_t. */
extern const bench_side tick_many;
extern const bench_side tick_few; /**< a thousand jobs */

/** Clients and providers that go. Prints samples: nanoseconds a job, of some and of many jobs. */
void bench_gone(const bench_options *options);

#endif
