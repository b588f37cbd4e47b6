/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "side.h"

#include <argp.h>
#include <limits.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MOST_SIDES = 8, PAUSE_NS = 1000000, LARGEST_ON_HEAP = 32 << 20, TRIM_THRESHOLD = 128 << 10 };

static bool printed;

static const struct argp_option option_table[] = {
    {"repeat", 'r', "N", 0, "samples of each side (11)", 0},
    {"milliseconds", 'm', "N", 0, "that one sample takes, about (20)", 0},
    {"work", 'w', "NAME", 0, "only works whose name is this, or begins with this and a dash", 0},
    {"only", 'o', "SIDE", 0, "only this side", 0},
    {"most", 'n', "N", 0, "at most so many jobs, where a work is done with several numbers of them (1000000)", 0},
    {0},
};

static double number_of(struct argp_state *state, const char *text, double least)
{
    char *end;
    double number = strtod(text, &end);
    if (*text == '\0' || *end != '\0' || !(number >= least && number <= 1e9))
        argp_error(state, "\"%s\" is no number that is of use here", text);
    return number;
}

static error_t take_option(int key, char *text, struct argp_state *state)
{
    bench_options *options = state->input;
    switch (key) {
    case 'r':
        options->repeat = (unsigned)number_of(state, text, 1);
        return 0;
    case 'm':
        options->milliseconds = number_of(state, text, 0.001);
        return 0;
    case 'w':
        options->work = text;
        return 0;
    case 'o':
        options->side = text;
        return 0;
    case 'n':
        options->most = (uint64_t)number_of(state, text, 1);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

/*
 * Of a side that frees all at the end of a round, brk() and the faults of fresh pages would be what is measured. A
 * server has something lie above what it frees.
 */
void bench_keep_freed(bool keep)
{
    bench_must(mallopt(M_TRIM_THRESHOLD, keep ? INT_MAX : TRIM_THRESHOLD) == 1, "the C library does as it likes");
}

void bench_options_parse(int argc, char **argv, const char *about, bench_options *out)
{
    bench_keep_freed(true);
    bench_must(mallopt(M_MMAP_THRESHOLD, LARGEST_ON_HEAP) == 1, "the C library does as it likes");
    *out = (bench_options){.repeat = 11, .milliseconds = 20, .work = "", .most = 1000000};
    argp_err_exit_status = 2;
    argp_parse(&(struct argp){option_table, take_option, NULL, about, NULL, NULL, NULL}, argc, argv, 0, NULL, out);
}

bool bench_wanted(const bench_options *options, const char *work)
{
    size_t length = strlen(options->work);
    return length == 0 || (strncmp(work, options->work, length) == 0 && (work[length] == '\0' || work[length] == '-'));
}

static bool is_side_wanted(const bench_options *options, const char *side)
{
    return options->side == NULL || strcmp(side, options->side) == 0;
}

uint64_t bench_now(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

_Noreturn void bench_fail(const char *what)
{
    (void)fprintf(stderr, "%s: %s\n", program_invocation_short_name, what);
    exit(1);
}

void *bench_alloc(size_t bytes)
{
    void *block = malloc(bytes);
    bench_must(block != NULL, "no memory");
    return block;
}

void *bench_alloc_zeroed(size_t count, size_t bytes)
{
    void *block = calloc(count, bytes);
    bench_must(block != NULL, "no memory");
    return block;
}

void *bench_bytes(size_t length)
{
    unsigned char *bytes = bench_alloc(length);
    memset(bytes, 'n', length);
    return bytes;
}

void bench_print(const bench_options *options, const char *work, const char *side, const char *unit, double value)
{
    if (!is_side_wanted(options, side))
        return;
    printf("%s %s %s %.9g\n", work, side, unit, value);
    (void)fflush(stdout);
    printed = true;
}

int bench_status(void)
{
    bench_must(fflush(stdout) == 0 && !ferror(stdout), "the samples cannot be printed");
    if (printed)
        return 0;
    (void)fprintf(stderr, "%s: there is no such work or side\n", program_invocation_short_name);
    return 2;
}

/* A side that takes part: its state, and the rounds of one sample. */
struct part {
    const bench_side *side;
    void *self;
    uint64_t rounds;
};

/* Threads of the side before it, as the reader of a socket, fall asleep first. */
static uint64_t time_rounds(const struct part *part, uint64_t rounds)
{
    (void)nanosleep(&(struct timespec){.tv_nsec = PAUSE_NS}, NULL);
    uint64_t began = bench_now();
    part->side->run(part->self, rounds);
    return bench_now() - began;
}

/* As many rounds as fill a sample; on the way there, caches and allocators warm up. */
static uint64_t rounds_for(const struct part *part, double nanoseconds)
{
    uint64_t rounds = 1;
    for (;;) {
        double took = (double)time_rounds(part, rounds) + 1;
        if (took >= nanoseconds / 2) {
            double fitting = (double)rounds * nanoseconds / took;
            return fitting > 1 ? (uint64_t)fitting : 1;
        }
        rounds *= 2;
    }
}

void bench_compare(const bench_options *options, const bench_work *work, const bench_side *const *sides, size_t count)
{
    struct part parts[MOST_SIDES];
    size_t taking = 0;
    if (!bench_wanted(options, work->name))
        return;
    bench_must(count <= MOST_SIDES, "too many sides");
    for (size_t i = 0; i < count; i++) {
        if (!is_side_wanted(options, sides[i]->name))
            continue;
        struct part *part = &parts[taking++];
        part->side = sides[i];
        part->self = part->side->begin(work->what);
        part->rounds = rounds_for(part, options->milliseconds * 1e6);
    }
    for (unsigned sample = 0; sample < options->repeat; sample++) {
        for (size_t i = 0; i < taking; i++) {
            const struct part *part = &parts[i];
            double took = (double)time_rounds(part, part->rounds);
            bench_print(options, work->name, part->side->name, "ns", took / (double)part->rounds / (double)work->items);
        }
    }
    for (size_t i = 0; i < taking; i++)
        parts[i].side->end(parts[i].self);
}
