/* SPDX-License-Identifier: MIT */
/*
 * The engine's cycle and nothing else, for a counter of instructions (valgrind's callgrind): what a write costs is the
 * difference of two runs, divided by that of their writes.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cycle.h"

static const char usage[] =
    "usage: count lend|copy LENGTH PENDING WRITES\n"
    "Has WRITES writes of LENGTH bytes accepted, carried out and answered, PENDING at a time.\n"
    "Under valgrind --tool=callgrind, the difference of two runs tells the instructions of a write.\n";

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "--help") == 0) {
        (void)fputs(usage, stdout);
        return 0;
    }
    bool lent = argc == 5 && strcmp(argv[1], "lend") == 0;
    if (argc != 5 || (!lent && strcmp(argv[1], "copy") != 0)) {
        (void)fputs(usage, stderr);
        return 2;
    }
    cycle_work work = {"count", (uint32_t)strtoul(argv[2], NULL, 10), (uint32_t)strtoul(argv[3], NULL, 10), lent};
    uint64_t writes = strtoull(argv[4], NULL, 10);
    if (work.length == 0 || work.pending == 0 || work.pending > 64 || writes % work.pending != 0) {
        (void)fputs(usage, stderr);
        return 2;
    }
    void *self = cycle_npjob.begin(&work);
    cycle_npjob.run(self, writes / work.pending);
    cycle_npjob.end(self);
    return 0;
}
