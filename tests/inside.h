/* SPDX-License-Identifier: MIT */
/**
 * @file
 * For the tests that look into an engine, and change one thing in it: what npj_check() and npj_digest() make of that.
 */
#ifndef NPJOB_TESTS_INSIDE_H
#define NPJOB_TESTS_INSIDE_H

#include "engine.h"
#include "packet.h"
#include "support.h"

/** Runs a statement while @p field holds @p value. */
#define with(field, value, statement)                                                                                  \
    do {                                                                                                               \
        const __typeof__(field) kept_ = (field);                                                                       \
        (field) = (value);                                                                                             \
        statement;                                                                                                     \
        (field) = kept_;                                                                                               \
    } while (0)

/** A job as the engine has it. */
static inline struct npji_job *inside(const struct host *h, const struct job *job)
{
    struct npji_job *found = npji_job_at(h->srv, job->id);
    cr_assert_not_null(found);
    return found;
}

#endif
