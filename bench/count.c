/* SPDX-License-Identifier: MIT */
/*
 * The engine and nothing else, for a counter of instructions (valgrind's callgrind): what a write or an event costs is
 * the difference of two runs, divided by how many more the one has than the other.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crowd.h"
#include "cycle.h"

static const char usage[] =
    "usage: count lend|copy LENGTH PENDING ROUNDS\n"
    "       count events JOBS ROUNDS\n"
    "The first has PENDING writes of LENGTH bytes accepted, carried out and answered, ROUNDS times. The second makes "
    "four\n"
    "events on each of JOBS jobs, ROUNDS times. Under valgrind --tool=callgrind, the difference of two runs tells the\n"
    "instructions of a write, or of an event; those of the loop that stands for the host are among them.\n";

static int wrong(void)
{
    (void)fputs(usage, stderr);
    return 2;
}

static int count(const bench_side *side, const void *what, uint64_t rounds)
{
    void *self = side->begin(what);
    side->run(self, rounds);
    side->end(self);
    return 0;
}

/* 0 for what is no number from 1 to @most. */
static uint32_t number(const char *text, uint32_t most)
{
    char *end;
    unsigned long value = strtoul(text, &end, 10);
    return *end == '\0' && value <= most ? (uint32_t)value : 0;
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "--help") == 0) {
        (void)fputs(usage, stdout);
        return 0;
    }
    if (argc == 4 && strcmp(argv[1], "events") == 0) {
        uint32_t jobs = number(argv[2], NPJ_MAX_JOBS), rounds = number(argv[3], UINT32_MAX);
        return jobs > 0 && rounds > 0 ? count(&events_npjob, &jobs, rounds) : wrong();
    }
    bool lent = argc == 5 && strcmp(argv[1], "lend") == 0;
    if (argc != 5 || (!lent && strcmp(argv[1], "copy") != 0))
        return wrong();
    cycle_work work = {"count", number(argv[2], 1 << 20), number(argv[3], 4096), lent};
    uint32_t rounds = number(argv[4], UINT32_MAX);
    return work.length > 0 && work.pending > 0 && rounds > 0 ? count(&cycle_npjob, &work, rounds) : wrong();
}
