/* SPDX-License-Identifier: MIT */
/* What the targets that play tapes share. */
#ifndef NPJOB_FUZZ_TAPE_TARGET_H
#define NPJOB_FUZZ_TAPE_TARGET_H

#include "npjob-testkit/driver.h"

/**
 * Plays one tape against @p subject under the counting allocator, shows what happened to the fuzzer as edges, and
 * counts it for the campaign. A finding is printed, with the tape as text, and aborts.
 *
 * @param options finding and trace are set here.
 */
void fuzz_play(const npjt_subject *subject, npjt_options options, const uint8_t *tape, size_t size);

#endif
