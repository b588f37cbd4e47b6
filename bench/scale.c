/* SPDX-License-Identifier: MIT */
/* What many open jobs cost. */
#include <stdio.h>

#include "crowd.h"

static const char about[] =
    "An engine with many open jobs.\v"
    "Works: events-JOBS, one call on another random job each, beside random touches of 64 bytes in memory of the same "
    "extent; tick, a step of time in which nothing expires, with every job's deadline armed; gone-client and "
    "gone-provider, with all that follows, of a client (provider) that has 100 of all jobs and one that has a "
    "hundredth part. "
    "Prints `WORK SIDE ns VALUE` lines: nanoseconds an event, a tick, a job; one sample a line.";

static void compare_events(const bench_options *options, uint32_t jobs)
{
    static const bench_side *const sides[] = {&events_npjob, &events_touch, &events_apart};
    char name[32];
    (void)snprintf(name, sizeof name, "events-%u", jobs);
    const bench_work work = {name, (uint64_t)4 * jobs, &jobs};
    bench_compare(options, &work, sides, sizeof sides / sizeof *sides);
}

int main(int argc, char **argv)
{
    static const bench_side *const ticks[] = {&tick_many, &tick_few};
    bench_options options;
    bench_options_parse(argc, argv, about, &options);
    bench_must(options.most <= NPJ_MAX_JOBS, "an engine does not hold so many jobs");
    for (uint32_t jobs = 1000; jobs <= options.most; jobs *= 10)
        compare_events(&options, jobs);
    uint32_t most = (uint32_t)options.most;
    const bench_work tick = {"tick", 1, &most};
    bench_compare(&options, &tick, ticks, sizeof ticks / sizeof *ticks);
    bench_gone(&options);
    return bench_status();
}
