/* SPDX-License-Identifier: MIT */
/* Plain replay: main() for a build without an engine. Ends as rate.c has it. */
#include <stdio.h>

#include "rate.h"
#include "rate_tapes.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int main(void)
{
    if (fuzz_rate_seconds() == 0) {
        (void)fputs("rate: NPJOB_RATE_SECONDS is a number above 0\n", stderr);
        return 2;
    }
    for (uint64_t number = 0;; number++)
        (void)LLVMFuzzerTestOneInput(rate_tape(number), RATE_TAPE_BYTES);
}
