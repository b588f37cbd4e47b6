/* SPDX-License-Identifier: MIT */
/** @file Tests that are made once with each of some numbers. */
#ifndef NPJOB_TESTS_PARAMETERS_H
#define NPJOB_TESTS_PARAMETERS_H

#include <criterion/parameterized.h>

/** Criterion does not say that such a test is used, as it does of others: -flto would throw it away, and nobody know.
 */
#define PARAMETERS_KEEP(suite, name)                                                                                   \
    extern struct criterion_test *CR_IDENTIFIER_(suite, name, ptr);                                                    \
    __attribute__((used)) static struct criterion_test **const CR_IDENTIFIER_(suite, name, kept) =                     \
        &CR_IDENTIFIER_(suite, name, ptr);

/** A test that is made once with each of these numbers: TestEach(int *number, suite, name, 1, 2, 3) { ... } */
#define TestEach(number, suite, name, ...)                                                                             \
    PARAMETERS_KEEP(suite, name)                                                                                       \
    ParameterizedTestParameters(suite, name)                                                                           \
    {                                                                                                                  \
        static int numbers_[] = {__VA_ARGS__};                                                                         \
        return cr_make_param_array(int, numbers_, sizeof numbers_ / sizeof *numbers_);                                 \
    }                                                                                                                  \
    ParameterizedTest(number, suite, name)

/** The same with each number below @p count, a constant. */
#define TestEachBelow(number, suite, name, count)                                                                      \
    PARAMETERS_KEEP(suite, name)                                                                                       \
    ParameterizedTestParameters(suite, name)                                                                           \
    {                                                                                                                  \
        static int numbers_[(count)];                                                                                  \
        for (int i_ = 0; i_ < (count); i_++)                                                                           \
            numbers_[i_] = i_;                                                                                         \
        return cr_make_param_array(int, numbers_, (count));                                                            \
    }                                                                                                                  \
    ParameterizedTest(number, suite, name)

#endif
