/* SPDX-License-Identifier: MIT */
/* Fuzzes npjob with tapes, under the counting allocator and all laws. */
#include "tape_target.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_play(&npjt_subject_npjob, (npjt_options){0}, data, size);
    return 0;
}
