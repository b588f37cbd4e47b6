/* SPDX-License-Identifier: MIT */
/** @file The tapes by which scripts/bench measures executions: of 64 records each, made by the mutator from nothing. */
#ifndef NPJOB_FUZZ_RATE_TAPES_H
#define NPJOB_FUZZ_RATE_TAPES_H

#include "npjob-testkit/tape.h"

enum { RATE_TAPES = 1024, RATE_TAPE_BYTES = NPJT_HEADER_BYTES + 64 * NPJT_RECORD_BYTES };

/** The @p number-th tape, always the same, of RATE_TAPE_BYTES. Beyond RATE_TAPES they come again. */
const uint8_t *rate_tape(uint64_t number);

#endif
