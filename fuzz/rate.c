/* SPDX-License-Identifier: MIT */
/*
 * A target that counts its executions: in the environment, NPJOB_RATE_SECONDS, above 0, is how long to count. After as
 * long again to warm up, and that, it prints `rate: N`, executions a second of the processor, and ends the program.
 * Without it, a target like any other: AFL++ counts by itself.
 */
#define _POSIX_C_SOURCE 200809L
#include "rate.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { AT_ONCE = 256 }; /* executions between two looks at the clock, once it counts */

static struct {
    bool asked;     /* the environment has been */
    double seconds; /* 0: not to be counted */
    double began;   /* to count; before it, warming up */
    uint64_t executions;
} rate;

/* Of the processor, so that a busy machine is no slow one. */
static double now(void)
{
    struct timespec time;
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

double fuzz_rate_seconds(void)
{
    const char *text = getenv("NPJOB_RATE_SECONDS");
    double seconds = text != NULL ? strtod(text, NULL) : 0;
    return seconds > 0 ? seconds : 0;
}

static void look(void)
{
    double time = now();
    if (!rate.asked) {
        rate.asked = true;
        rate.seconds = fuzz_rate_seconds();
        rate.began = time + rate.seconds;
    } else if (rate.seconds > 0 && time < rate.began) {
        rate.executions = 0;
    } else if (rate.seconds > 0 && time >= rate.began + rate.seconds) {
        printf("rate: %.0f\n", (double)rate.executions / (time - rate.began));
        (void)fflush(stdout);
        _exit(0); /* an engine takes exit() for a finding */
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (rate.executions++ % AT_ONCE == 0)
        look();
    return fuzz_rated(data, size);
}
