/* SPDX-License-Identifier: MIT */
/* The engine alone, beside what others keep of a pending write. */
#include "cycle.h"

static const char about[] =
    "The engine alone: a round accepts so many writes, carries all of them out, and takes the replies.\v"
    "Works: cycle-copy-LENGTH with 64 writes pending; cycle-lend, likewise, whose sides are the lengths; "
    "cycle-lend-one with one pending. Other sides: npjob, tevent (tevent_req and talloc_memdup), malloc (malloc, "
    "memcpy, free), malloc-kept (the same, and nothing is given back to the system), memcpy (nothing but it). Prints "
    "`WORK SIDE ns VALUE` lines: nanoseconds a write, one "
    "sample a line.";

static const cycle_work copied[] = {
    {"cycle-copy-512", 512, 64, false},
    {"cycle-copy-4096", 4096, 64, false},
};

static const cycle_work one = {"cycle-lend-one", 64, 1, true};
static const cycle_work small = {"cycle-lend", 64, 64, true};
static const cycle_work large = {"cycle-lend", 1048576, 64, true};

static void compare(const bench_options *options, const cycle_work *work, const bench_side *const *sides, size_t count)
{
    const bench_work what = {work->name, work->pending, work};
    bench_compare(options, &what, sides, count);
}

static void *begin_large(const void *what)
{
    (void)what;
    return cycle_npjob.begin(&large);
}

int main(int argc, char **argv)
{
    const bench_side *const all[] = {&cycle_npjob, &cycle_tevent, &cycle_malloc, &cycle_malloc_kept, &cycle_memcpy};
    const bench_side of_64 = {"64", cycle_npjob.begin, cycle_npjob.run, cycle_npjob.end};
    const bench_side of_mib = {"1048576", begin_large, cycle_npjob.run, cycle_npjob.end};
    const bench_side *const lengths[] = {&of_64, &of_mib};
    bench_options options;
    bench_options_parse(argc, argv, about, &options);
    for (size_t i = 0; i < sizeof copied / sizeof *copied; i++)
        compare(&options, &copied[i], all, sizeof all / sizeof *all);
    compare(&options, &small, lengths, 2);
    compare(&options, &one, all, 1);
    return bench_status();
}
