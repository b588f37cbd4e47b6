/* SPDX-License-Identifier: MIT */
#include "tape_target.h"

#include <stdio.h>
#include <stdlib.h>

#include "campaign.h"
#include "edges.h"

static void on_trace(void *user, const npj_trace *trace)
{
    (void)user;
    fuzz_edge(trace);
}

/* AFL++ sees nothing but a crash, and so a finding is one. */
static void on_finding(void *user, const npjt_violation *finding)
{
    (void)user;
    npjt_violation_print(finding);
    (void)fflush(NULL);
    abort();
}

static npjt_driver *driver;

static void end_driver(void)
{
    npjt_driver_free(driver);
    driver = NULL;
}

void fuzz_play(const npjt_subject *subject, npjt_options options, const uint8_t *tape, size_t size)
{
    options.finding = on_finding;
    options.trace = on_trace;
    if (!driver) {
        driver = npjt_driver_new();
        if (!driver || atexit(end_driver) != 0) {
            (void)fputs("fuzz: no memory for the driver\n", stderr);
            exit(1);
        }
    }
    npjt_result result;
    npjt_driver_run(driver, subject, tape, size, &options, &result);

    struct fuzz_campaign *campaign = fuzz_campaign();
    campaign->executions++;
    campaign->events += result.events;
    campaign->packets_allocated += result.packets_allocated;
    /* A tape may free the engine while packets live. They have been released if the allocator has nothing left. */
    campaign->packets_released += result.live_blocks ? result.packets_released : result.packets_allocated;
}
