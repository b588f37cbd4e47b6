/* SPDX-License-Identifier: MIT */
/* Tapes as text, and what the driver says of them. */
#ifndef NPJOB_TESTS_TAPE_SUPPORT_H
#define NPJOB_TESTS_TAPE_SUPPORT_H

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "npjob-testkit/driver.h"

/* Of the last finding; empty if there was none. */
static char sentence[512];

static inline void found(void *user, const npjt_violation *finding)
{
    (void)user;
    (void)snprintf(sentence, sizeof sentence, "%s", finding->sentence);
}

/* Writes the tape of this text into @tape, which has NPJT_TAPE_MAX bytes. Returns its size. */
static inline size_t tape_of(const char *text, uint8_t *tape)
{
    size_t size = 0;
    npjt_text_error error;
    cr_assert(npjt_tape_parse(text, strlen(text), tape, NPJT_TAPE_MAX, &size, &error), "%u:%u: %s in\n%s",
              (unsigned)error.line, (unsigned)error.column, error.message, text);
    return size;
}

/* Plays it; a finding is noted, unless the options say otherwise. */
static inline npjt_result play_text(const npjt_subject *subject, const char *text, npjt_options options)
{
    static uint8_t tape[NPJT_TAPE_MAX];
    npjt_result result;
    if (options.finding == NULL)
        options.finding = found;
    sentence[0] = '\0';
    const bool good = npjt_run(subject, tape, tape_of(text, tape), &options, &result);
    cr_assert_eq(good, result.finding < 0);
    return result;
}

#endif
