/* SPDX-License-Identifier: MIT */
/**
 * @file
 * For the tests of npj_check(): an invariant is broken by one change to a sound engine, and named, and holds again when
 * the change is undone. What an invariant just allows is not named.
 */
#ifndef NPJOB_TESTS_CHECK_SUPPORT_H
#define NPJOB_TESTS_CHECK_SUPPORT_H

#include "inside.h"

static inline void well_at(const struct host *h, struct place at)
{
    const char *named = npj_check(h->srv);
    cr_assert_null(named, "%s:%d: npj_check: %s", at.file, at.line, named);
}

static inline void names_at(const struct host *h, const char *want, struct place at)
{
    const char *named = npj_check(h->srv);
    cr_assert(named != NULL && strcmp(named, want) == 0, "%s:%d: npj_check: %s, expected: %s", at.file, at.line,
              named != NULL ? named : "all is well", want);
}

#define well(h)        well_at(h, HERE)
#define names(h, want) names_at(h, want, HERE)

/** Asserts that @p want is named while @p field holds @p wrong, and nothing before and after. */
#define broken(h, field, wrong, want)                                                                                  \
    do {                                                                                                               \
        well(h);                                                                                                       \
        with(field, wrong, names(h, want));                                                                            \
        well(h);                                                                                                       \
    } while (0)

/** Asserts that nothing is named while @p field holds @p value. */
#define allowed(h, field, value) with(field, value, well(h))

#endif
