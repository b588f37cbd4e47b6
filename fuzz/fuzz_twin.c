/* SPDX-License-Identifier: MIT */
/* Fuzzes npjob with scripts that are played twice: twin.h says in which ways, and what must then be equal. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "campaign.h"
#include "edges.h"
#include "npjob-testkit/twin.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const npjt_subject *const subject = &npjt_subject_npjob;

static void on_trace(void *user, const npj_trace *trace)
{
    (void)user;
    fuzz_edge(trace);
}

/* The script is shown at its smallest. AFL++ sees nothing but a crash, and so a finding is one. */
static void on_finding(void *user, const npjt_difference *finding)
{
    (void)user;
    uint8_t script[NPJT_TWIN_MAX] = {0};
    size_t size = finding->size < sizeof script ? finding->size : sizeof script;
    npjt_twin *other = npjt_twin_new();
    /* In case that a smaller one ends otherwise. */
    (void)fprintf(stderr, "fuzz_twin: relation %s: %s\n", npjt_relation_name(finding->relation), finding->sentence);
    if (size > 0)
        memcpy(script, finding->script, size);
    if (other && npjt_twin_shrink(other, subject, script, &size))
        npjt_twin_run(other, subject, script, size, NULL, NULL); /* prints, and aborts */
    npjt_difference_print(finding);
    (void)fflush(NULL);
    abort();
}

static npjt_twin *twin;

static void end_twin(void)
{
    npjt_twin_free(twin);
    twin = NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!twin) {
        twin = npjt_twin_new();
        if (!twin || atexit(end_twin) != 0) {
            (void)fputs("fuzz_twin: no memory\n", stderr);
            exit(1);
        }
    }
    const npjt_twin_options options = {.finding = on_finding, .trace = on_trace};
    npjt_twin_result result;
    npjt_twin_run(twin, subject, data, size, &options, &result);

    struct fuzz_campaign *campaign = fuzz_campaign();
    campaign->executions++;
    campaign->events += result.steps;
    campaign->packets_allocated += result.packets;
    campaign->packets_released += result.live_blocks ? 0 : result.packets;
    return 0;
}
