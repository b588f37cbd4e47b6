/* SPDX-License-Identifier: MIT */
/* What the targets that play tapes share. */
#ifndef NPJOB_FUZZ_TAPE_TARGET_H
#define NPJOB_FUZZ_TAPE_TARGET_H

#include "npjob-testkit/driver.h"

/**
 * Plays one tape against @p subject under the counting allocator, shows what happened to the fuzzer as edges, and
 * counts it for the campaign. A finding is printed, with the tape as text, and aborts.
 *
 * @param laws_off laws that are not checked, as in npjt_options.
 */
void fuzz_play(const npjt_subject *subject, uint32_t laws_off, const uint8_t *tape, size_t size);

/** The same with all laws, and the reference model beside the subject. */
void fuzz_play_with_model(const npjt_subject *subject, const uint8_t *tape, size_t size);

#endif
