/* SPDX-License-Identifier: MIT */
/** @file What the programs of the benchmark share: options, the clock, and samples of several sides in turns. */
#ifndef NPJOB_BENCH_SIDE_H
#define NPJOB_BENCH_SIDE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** One of those that are compared in a work. */
typedef struct bench_side {
    const char *name;
    /** Makes ready, untimed. @p what is what bench_compare() was given. Never NULL. */
    void *(*begin)(const void *what);
    /** Does @p rounds rounds of the work. This is what is timed. */
    void (*run)(void *self, uint64_t rounds);
    /** Checks that all of the work has been done, and clears up, untimed. */
    void (*end)(void *self);
} bench_side;

/** What the command line says. */
typedef struct bench_options {
    unsigned repeat;     /**< samples of each side of each work */
    double milliseconds; /**< that one sample takes, about */
    const char *work;    /**< this work, or those whose name begins so and goes on with a dash; "" is all */
    const char *side;    /**< this side only, or NULL */
    uint64_t most;       /**< jobs, for the program that takes a number of them */
} bench_options;

/** Reads the command line; ends the program for --help and for what is wrong. @p about is the text of --help. From then
 * on the C library keeps what is freed: see bench_keep_freed(). */
void bench_options_parse(int argc, char **argv, const char *about, bench_options *out);

/** Whether the options ask for @p work. */
bool bench_wanted(const bench_options *options, const char *work);

/** The exit status: 0; 1 if the samples could not be printed; 2 if there is no such work or side, and nothing was. Says
 * so in a line. */
int bench_status(void);

/** A work: its name, the items (writes, events) of one round, and what is handed to the sides. */
typedef struct bench_work {
    const char *name;
    uint64_t items;
    const void *what;
} bench_work;

/**
 * Measures and prints `WORK SIDE ns VALUE` lines, nanoseconds an item. The sides take turns sample by sample, so that
 * what else the machine does falls on all alike.
 */
void bench_compare(const bench_options *options, const bench_work *work, const bench_side *const *sides, size_t count);

/** Prints one sample, if the options ask for that side. */
void bench_print(const bench_options *options, const char *work, const char *side, const char *unit, double value);

/** Nanoseconds, from any origin. */
uint64_t bench_now(void);

/** Ends the program with @p what. */
_Noreturn void bench_fail(const char *what);

/** Ends the program if @p good is false: a figure of work that was not done is worth nothing. Costs a side next to
 * nothing. */
static inline void bench_must(bool good, const char *what)
{
    if (!good)
        bench_fail(what);
}

/** Whether the C library keeps what is freed at the top of its heap, or gives it back to the system beyond 128 KiB,
 * which is its default. */
void bench_keep_freed(bool keep);

/** malloc() and calloc() that never say no. */
void *bench_alloc(size_t bytes);
void *bench_alloc_zeroed(size_t count, size_t bytes);

/** What is written: @p length bytes, each of them set, since the system maps one page for all that nobody has set. The
 * caller's, of free(). */
void *bench_bytes(size_t length);

#endif
