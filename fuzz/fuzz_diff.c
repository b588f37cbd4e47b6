/* SPDX-License-Identifier: MIT */
/* Fuzzes npjob with tapes as fuzz_tape does, with the reference model beside it. */
#include "tape_target.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_play_with_model(&npjt_subject_npjob, data, size);
    return 0;
}
