/* SPDX-License-Identifier: MIT */
/*
 * What a fuzz target has done so far, told to whoever runs the campaign.
 *
 * With NPJOB_CAMPAIGN_STATS=PREFIX in the environment each process keeps its counters in a file of its own, PREFIX.PID,
 * mapped into memory: counting costs an addition, and what was counted is there even if the process is killed, which is
 * how AFL++ ends its targets. Without it the counters live in memory alone.
 */
#ifndef NPJOB_FUZZ_CAMPAIGN_H
#define NPJOB_FUZZ_CAMPAIGN_H

#include <stdint.h>

/** The counters, in the order in which they stand in the file: native 64-bit integers. scripts/fuzz adds them up. */
struct fuzz_campaign {
    uint64_t executions;
    uint64_t events;            /**< records of tapes, each followed by a check of all laws */
    uint64_t packets_allocated; /**< packets of writes, accepted by the implementation under test */
    uint64_t packets_released;
};

/** The counters of this process. Never NULL. Opens the file at the first call; if that cannot be done, says so once on
 * the standard error and counts in memory. */
struct fuzz_campaign *fuzz_campaign(void);

#endif
