/* SPDX-License-Identifier: MIT */
/* Plain replay: main() for a build without an engine. Ends as rate.c has it. */
#include <stdio.h>
#include <stdlib.h>

#include "rate_tapes.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int main(void)
{
    if (getenv("NPJOB_RATE_SECONDS") == NULL) {
        (void)fputs("rate: NPJOB_RATE_SECONDS is not set\n", stderr);
        return 2;
    }
    for (uint64_t number = 0;; number++)
        (void)LLVMFuzzerTestOneInput(rate_tape(number), RATE_TAPE_BYTES);
}
