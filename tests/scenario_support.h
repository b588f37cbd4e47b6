/* SPDX-License-Identifier: MIT */
/**
 * @file
 * The host of support.h under the counting allocator of the test kit, which keeps nothing for reuse: one block for the
 * engine, one for each job, one for each live packet.
 */
#ifndef NPJOB_TESTS_SCENARIO_SUPPORT_H
#define NPJOB_TESTS_SCENARIO_SUPPORT_H

#include "npjob-testkit/counting.h"
#include "support.h"

/** The allocator of the one host of a test. */
extern npjt_counting scenario_pool;

/** Called from inside every allocation, release and trace, once it is set: the place from which to re-enter. */
extern void (*scenario_inside)(struct host *h);

/** A host with an engine of @p limits (limits_with() for NULL). */
struct host *scenario_start(const npj_config *limits);

/** The common end of every scenario: nothing to take, no job, no packet, every request answered, nothing in the
 * allocator but the engine, and no abuse of it. Then the engine goes as well. */
#define scenario_end(h) scenario_end_at(h, HERE)
void scenario_end_at(struct host *h, struct place at);

/** Asserts the numbers of jobs and packets, by the engine's count and by the allocator's, and that no guard is broken.
 */
#define expect_live(h, jobs, packets) expect_live_at(h, jobs, packets, HERE)
void expect_live_at(struct host *h, uint64_t jobs, uint64_t packets, struct place at);

/** The allocator's. */
npjt_counting_stats pool_stats(void);

#endif
