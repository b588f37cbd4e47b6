/* SPDX-License-Identifier: MIT */
#ifndef NPJOB_FUZZ_RATE_H
#define NPJOB_FUZZ_RATE_H

#include <stddef.h>
#include <stdint.h>

/** The target that is measured: that of fuzz_tape.c under another name, or one that does nothing. */
int fuzz_rated(const uint8_t *data, size_t size);

/** How long to count, as the environment has it: 0 for not at all. */
double fuzz_rate_seconds(void);

#endif
