/* SPDX-License-Identifier: MIT */
/* What tests/afl_direct_test.py has AFL++ run: "a..." aborts, "h..." hangs, and all else is done at once. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > 0 && data[0] == 'a')
        abort();
    while (size > 0 && data[0] == 'h')
        (void)pause();
    return 0;
}
