/* SPDX-License-Identifier: MIT */
/* The empty target: what an engine takes for itself. */
#include "rate.h"

int fuzz_rated(const uint8_t *data, size_t size)
{
    (void)data;
    (void)size;
    return 0;
}
