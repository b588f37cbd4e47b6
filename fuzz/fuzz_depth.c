/* SPDX-License-Identifier: MIT */
/* As fuzz_tape, with a deep state to be reached: then it aborts. What scripts/depth measures. */
#include <stdio.h>
#include <stdlib.h>

#include "depth_goal.h"
#include "tape_target.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void on_reached(uint32_t packets)
{
    (void)fprintf(stderr, "depth: reached: %u packets of a job were pending, and all but two of them are cancelled\n",
                  (unsigned)packets);
    abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_play(depth_subject(on_reached), (npjt_options){0}, data, size);
    return 0;
}
