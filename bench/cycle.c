/* SPDX-License-Identifier: MIT */
/* The engine alone, beside what others keep of a pending write. */
#include "cycle.h"

static const char about[] =
    "The engine alone: a round accepts so many writes, carries all of them out, and takes the replies.\v"
    "Works: cycle-copy-LENGTH and cycle-lend-LENGTH with 64 writes pending, cycle-lend-one with one. "
    "Sides: npjob, tevent (tevent_req and talloc_memdup), malloc (malloc, memcpy, free), memcpy (nothing but it). "
    "Prints `WORK SIDE ns VALUE` lines: nanoseconds a write, one sample a line.";

static const cycle_work copied[] = {
    {"cycle-copy-512", 512, 64, false},
    {"cycle-copy-4096", 4096, 64, false},
};

static const cycle_work lent[] = {
    {"cycle-lend-one", 64, 1, true},     {"cycle-lend-64", 64, 64, true},           {"cycle-lend-512", 512, 64, true},
    {"cycle-lend-4096", 4096, 64, true}, {"cycle-lend-1048576", 1048576, 64, true},
};

static void compare(const bench_options *options, const cycle_work *work, size_t sides)
{
    const bench_side *const all[] = {&cycle_npjob, &cycle_tevent, &cycle_malloc, &cycle_memcpy};
    const bench_work what = {work->name, work->pending, work};
    bench_compare(options, &what, all, sides);
}

int main(int argc, char **argv)
{
    bench_options options;
    bench_options_parse(argc, argv, about, &options);
    for (size_t i = 0; i < sizeof copied / sizeof *copied; i++)
        compare(&options, &copied[i], 4);
    for (size_t i = 0; i < sizeof lent / sizeof *lent; i++)
        compare(&options, &lent[i], 1);
    return 0;
}
