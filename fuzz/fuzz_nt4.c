/* SPDX-License-Identifier: MIT */
/*
 * Fuzzes srv_nt4, the server of KB Q226513, with tapes. It must find the leak, and it has to find it while the server
 * runs: of all laws only that of packets is checked, and not the allocator's count at the end, which teardown mends.
 */
#include "npjob-testkit/srv_nt4.h"
#include "tape_target.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_play(&npjt_subject_srv_nt4, (npjt_options){.laws_off = ~(UINT32_C(1) << NPJT_LAW_PACKETS)}, data, size);
    return 0;
}
