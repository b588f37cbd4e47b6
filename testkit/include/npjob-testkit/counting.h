/* SPDX-License-Identifier: MIT */
/**
 * @file
 * A counting allocator: an npj_mem that knows every block it has given out.
 *
 * It counts blocks and bytes, live and at their peak; notices a release of the wrong size, a second release, a block
 * that is not its own, bytes written outside a block, and bytes written to a block that has been released; fails
 * allocations on demand; and names what has leaked. Nothing of that ends the program unless it is asked to: each abuse
 * is recorded as a finding, counted by kind, and passed to a callback.
 *
 *     npjt_counting pool;
 *     npjt_counting_init(&pool, NULL);
 *     config.mem = npjt_counting_mem(&pool);
 *     ... run the engine, free it ...
 *     npjt_counting_report(&pool, stderr);
 *     return npjt_counting_finish(&pool) == 0 ? 0 : 1;
 *
 * Every operation on a block is O(1) apart from filling and checking its bytes. Built with AddressSanitizer, guards and
 * released blocks are poisoned as well, so that a bad read is caught where it happens; with MemorySanitizer, fresh
 * blocks count as uninitialised.
 *
 * An instance serves one engine: calls on it must not overlap, and it must not move in memory between init and finish.
 */
#ifndef NPJOB_TESTKIT_COUNTING_H
#define NPJOB_TESTKIT_COUNTING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "npjob/npjob.h"

#ifdef __cplusplus
extern "C" {
#endif

/** What can be wrong with the use of an allocator. */
typedef enum npjt_abuse {
    NPJT_ABUSE_BAD_CALL,            /**< an allocation of 0 bytes, or a release of NULL */
    NPJT_ABUSE_SIZE_MISMATCH,       /**< released with a size other than that of its allocation */
    NPJT_ABUSE_DOUBLE_RELEASE,      /**< released again while still in quarantine */
    NPJT_ABUSE_FOREIGN_BLOCK,       /**< released, but not given out by this instance, or forgotten since */
    NPJT_ABUSE_UNDERRUN,            /**< the guard before the block was written to */
    NPJT_ABUSE_OVERRUN,             /**< the guard behind the block was written to */
    NPJT_ABUSE_WRITE_AFTER_RELEASE, /**< written to while in quarantine */
    NPJT_ABUSE_LEAK,                /**< still live when all should have been released */
    NPJT_ABUSE_COUNT
} npjt_abuse;

/** The name of a kind, "DOUBLE_RELEASE"; "(unknown)" when out of range. Static, never NULL. */
const char *npjt_abuse_name(npjt_abuse kind);

/** The longest text of a finding, its terminator included. */
#define NPJT_FINDING_TEXT 160

/** One abuse. Members that do not apply are zero. */
typedef struct npjt_finding {
    npjt_abuse kind;
    uint64_t block;      /**< the number of the block: the first one given out since init or reset is 1 */
    uint64_t allocation; /**< the number of the allocation that gave it out, refused ones counted as well: what
                              npjt_counting_fault() must be given to fail it */
    uint64_t age;        /**< calls of the allocator since then */
    size_t bytes;        /**< the size of the block, as allocated */
    size_t claimed;      /**< SIZE_MISMATCH, FOREIGN_BLOCK: the size that the release named */
    ptrdiff_t offset;    /**< UNDERRUN, OVERRUN, WRITE_AFTER_RELEASE: the first byte found changed, counted from the
                              block's start */
    const void *address; /**< of the block; not to be followed */
    char text[NPJT_FINDING_TEXT]; /**< all of it in one line, without a newline */
} npjt_finding;

/** What the hook is called for. */
typedef enum npjt_moment { NPJT_MOMENT_ALLOC, NPJT_MOMENT_RELEASE } npjt_moment;

/** Settings. Zero is the default everywhere; a zeroed struct and NULL mean the same. */
typedef struct npjt_counting_options {
    bool abort_on_finding; /**< print a finding to stderr and abort(). For fuzzers that see nothing else (AFL++) */
    bool no_poison;        /**< built with AddressSanitizer: do not poison, so that bad writes become findings */
    /** How many released blocks are held back to be watched, and how many bytes in them at most. A block that is larger
     * is checked and given back at once. Default 256 and 256 KiB; SIZE_MAX in quarantine_blocks: none. */
    size_t quarantine_blocks;
    size_t quarantine_bytes;
    /** More live bytes than these are refused, as if memory had run out. Default: no limit. */
    size_t limit_bytes;
    /** Called for every finding, before abort_on_finding is heeded. @p finding is valid during the call only. It may
     * not call this instance but for npjt_counting_stats_of(). */
    void (*on_finding)(void *user, const npjt_finding *finding);
    /** Called at the start of every allocation and release, before anything has changed: the place from which to try to
     * re-enter the engine. Not called from within itself. Faults set by it hold for the allocation it is called for. */
    void (*hook)(void *user, npjt_moment moment, size_t bytes);
    void *user; /**< for both */
} npjt_counting_options;

/** What has been counted since init or reset. */
typedef struct npjt_counting_stats {
    npj_gauge blocks; /**< total: blocks ever given out */
    npj_gauge bytes;
    uint64_t allocations; /**< calls of alloc, refused ones included */
    uint64_t releases;    /**< calls of release, bad ones included */
    uint64_t injected;    /**< allocations refused because a fault was asked for */
    uint64_t exhausted;   /**< allocations refused because memory or limit_bytes had run out */
    uint64_t findings;
    uint64_t found[NPJT_ABUSE_COUNT]; /**< findings of each kind */
} npjt_counting_stats;

/** Which allocations fail. */
typedef enum npjt_fault_mode {
    NPJT_FAULT_NONE,  /**< none */
    NPJT_FAULT_ONCE,  /**< the n-th */
    NPJT_FAULT_FROM,  /**< the n-th and all after it */
    NPJT_FAULT_EVERY, /**< the n-th, the 2n-th, the 3n-th, ... */
    NPJT_FAULT_COUNT
} npjt_fault_mode;

/** How many findings are kept to be looked at; later ones are only counted and passed on. */
#define NPJT_FINDINGS_KEPT 16

struct npjt_block;

/** An instance. The members are private; use the functions. */
typedef struct npjt_counting {
    npjt_counting_options options;
    npjt_counting_stats stats;
    struct npjt_block *blocks; /* records of live and quarantined blocks, by number; 0 is the end of every list */
    uint32_t *table;           /* hash of the address -> record; 0 is empty */
    uint32_t blocks_capacity, table_bits, used;
    uint32_t free_head, live_head, live_tail, quarantine_head, quarantine_tail;
    size_t quarantined_blocks, quarantined_bytes;
    npjt_fault_mode fault;
    uint64_t fault_n, fault_from;
    uint32_t fail_next;
    bool in_hook;
    npjt_finding kept[NPJT_FINDINGS_KEPT];
} npjt_counting;

/**
 * Makes an instance ready. It allocates its own records as it goes; npjt_counting_finish() frees them.
 *
 * @param counting filled; its address is what the engine keeps.
 * @param options  copied; NULL for the defaults.
 */
void npjt_counting_init(npjt_counting *counting, const npjt_counting_options *options);

/**
 * Ends one run and makes ready for the next: looks as npjt_counting_check() and npjt_counting_leaks() do, gives all
 * blocks back to the system, and sets counters, findings and faults to zero. Costs time in proportion to the blocks
 * still live or in quarantine; the records are kept.
 *
 * @return the findings of the run, leaks included. They are forgotten: whoever wants to read them does before, or in
 * on_finding().
 */
uint64_t npjt_counting_reset(npjt_counting *counting);

/** As npjt_counting_reset(), and frees the records as well. Only npjt_counting_init() is legal after it. */
uint64_t npjt_counting_finish(npjt_counting *counting);

/** The allocator of this instance, for npj_config.mem. */
npj_mem npjt_counting_mem(npjt_counting *counting);

/** The counters, which go on counting; valid for as long as @p counting is. */
const npjt_counting_stats *npjt_counting_stats_of(const npjt_counting *counting);

/**
 * Says which allocations fail from now on; replaces what was set before, and npjt_counting_fail_next() as well.
 *
 * @param n counted from here: 1 is the next allocation. 0 is taken as 1.
 */
void npjt_counting_fault(npjt_counting *counting, npjt_fault_mode mode, uint64_t n);

/** Has the next allocation fail, beside what npjt_counting_fault() has set. Called k times: the next k. */
void npjt_counting_fail_next(npjt_counting *counting);

/**
 * Looks at the guards of every live block and at the bytes of every one in quarantine. Costs time in proportion to
 * them. What is found damaged is reported once, and mended.
 *
 * @return how many findings it made.
 */
uint64_t npjt_counting_check(npjt_counting *counting);

/**
 * Says that nothing should be live: every live block is a finding, once (the block stays live).
 * @return how many findings it made.
 */
uint64_t npjt_counting_leaks(npjt_counting *counting);

/** The @p index-th finding since init or reset, or NULL if there are not so many or it was not kept. */
const npjt_finding *npjt_counting_finding(const npjt_counting *counting, size_t index);

/**
 * Writes what was counted, the findings that were kept, and a line for each live block, oldest first: its number, its
 * size, its allocation and its age. The first 100 live blocks; then how many more there are.
 */
void npjt_counting_report(const npjt_counting *counting, FILE *out);

/**
 * The same into a buffer, cut off where it is full, always terminated.
 * @return the length of the whole text, as snprintf() does. @p buffer may be NULL if @p capacity is 0.
 */
size_t npjt_counting_report_text(const npjt_counting *counting, char *buffer, size_t capacity);

#ifdef __cplusplus
}
#endif

#endif
