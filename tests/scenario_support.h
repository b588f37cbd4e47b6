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

/** A host with an engine of @p limits (host_limits() for NULL). */
struct host *scenario_start(const npj_config *limits);

/** The common end of every scenario: nothing to take, no job, no packet, every request answered, nothing in the
 * allocator but the engine, and no abuse of it. Then the engine goes as well. */
#define scenario_end(h) scenario_end_at(h, HERE)
void scenario_end_at(struct host *h, struct place at);

/** Asserts the numbers of jobs and packets, by the engine's count and by the allocator's, and that no guard is broken.
 */
#define expect_live(h, jobs, packets) expect_live_at(h, jobs, packets, HERE)
void expect_live_at(struct host *h, uint64_t jobs, uint64_t packets, struct place at);

/** Takes the CANCEL of @p op. */
#define take_cancel(h, op) take_cancel_at(h, op, HERE)
void take_cancel_at(struct host *h, npj_op op, struct place at);

/** Takes an operation of @p kind, asserts the job's status that it carries, and completes it with success. */
#define finish(h, kind, status) finish_at(h, kind, NPJ_STATUS_##status, NPJ_STATUS_SUCCESS, HERE)
void finish_at(struct host *h, npj_action_kind kind, npj_status carried, npj_status completed, struct place at);

/** Closes a job that has nothing pending, and sees it scheduled. */
#define close_and_schedule(h, job) close_and_schedule_at(h, job, HERE)
void close_and_schedule_at(struct host *h, npj_job job, struct place at);

/** Takes CLOSE_PIPE and ABANDON_JOB of a failed job, both with its status. */
#define close_and_abandon(h, status)                                                                                   \
    do {                                                                                                               \
        finish(h, NPJ_CLOSE_PIPE, status);                                                                             \
        finish(h, NPJ_ABANDON_JOB, status);                                                                            \
    } while (0)

/** The allocator's. */
npjt_counting_stats pool_stats(void);

#endif
