/* SPDX-License-Identifier: MIT */
/* One counting allocator for each test of it, and the findings that it has passed on. */
#ifndef NPJOB_TESTS_COUNTING_SUPPORT_H
#define NPJOB_TESTS_COUNTING_SUPPORT_H

#include <criterion/criterion.h>
#include <string.h>

#include "npjob-testkit/counting.h"

static npjt_counting pool;
static npj_mem mem;
static npjt_finding seen[8];
static size_t seen_count;

static inline void see(void *user, const npjt_finding *finding)
{
    cr_assert_eq(user, &pool);
    if (seen_count < 8)
        seen[seen_count] = *finding;
    seen_count++;
}

/* Bad writes must become findings, not be stopped by AddressSanitizer: no poison, but where a test is about it. */
static inline void set_up(void)
{
    seen_count = 0;
    npjt_counting_init(&pool, &(npjt_counting_options){.no_poison = true, .on_finding = see, .user = &pool});
    mem = npjt_counting_mem(&pool);
}

static inline void tear_down(void)
{
    npjt_counting_finish(&pool);
}

static inline unsigned char *take(size_t bytes)
{
    return mem.alloc(mem.user, bytes);
}

static inline void give(void *block, size_t bytes)
{
    mem.release(mem.user, block, bytes);
}

static inline npjt_counting_stats stats(void)
{
    return *npjt_counting_stats_of(&pool);
}

/* The one finding that there is so far. */
static inline npjt_finding the_finding(npjt_abuse kind)
{
    cr_assert_eq(stats().findings, 1, "%llu findings", (unsigned long long)stats().findings);
    cr_assert_eq(stats().found[kind], 1, "none of kind %s", npjt_abuse_name(kind));
    cr_assert_eq(seen_count, 1);
    cr_assert_eq(seen[0].kind, kind);
    cr_assert_not_null(npjt_counting_finding(&pool, 0));
    cr_assert_null(npjt_counting_finding(&pool, 1));
    cr_assert_str_eq(npjt_counting_finding(&pool, 0)->text, seen[0].text);
    /* What does not apply is zero. */
    if (kind != NPJT_ABUSE_SIZE_MISMATCH && kind != NPJT_ABUSE_FOREIGN_BLOCK)
        cr_assert_eq(seen[0].claimed, 0);
    if (kind != NPJT_ABUSE_UNDERRUN && kind != NPJT_ABUSE_OVERRUN && kind != NPJT_ABUSE_WRITE_AFTER_RELEASE)
        cr_assert_eq(seen[0].offset, 0);
    return seen[0];
}

#endif
