/* SPDX-License-Identifier: MIT */
/* Fuzzes npjob with tapes as fuzz_tape does, with the reference model beside it. */
#include "tape_target.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_play(&npjt_subject_npjob, (npjt_options){.model = true}, data, size);
    return 0;
}
