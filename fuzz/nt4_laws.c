/* SPDX-License-Identifier: MIT */
/*
 * Replays tapes against srv_nt4 with every law: what it breaks has to be the law of packets, while it runs, and with
 * that law off, none. So what finds srv_nt4 is the leak and nothing else. At least one of the tapes has to find it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "npjob-testkit/driver.h"
#include "npjob-testkit/srv_nt4.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static unsigned leaks_found;

static void on_leak(void *user, const npjt_violation *finding)
{
    (void)user;
    if (finding->law != NPJT_LAW_PACKETS || strcmp(finding->phase, "free") == 0) {
        npjt_violation_print(finding);
        abort();
    }
    leaks_found++;
}

static void at_end(void)
{
    if (leaks_found == 0) {
        (void)fputs("nt4_laws: no tape has found the leak of srv_nt4\n", stderr);
        _Exit(1);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static bool armed;
    if (!armed) {
        armed = true;
        if (atexit(at_end) != 0)
            abort();
    }
    const npjt_options all = {.finding = on_leak};
    const npjt_options others = {.laws_off = UINT32_C(1) << NPJT_LAW_PACKETS};
    npjt_run(&npjt_subject_srv_nt4, data, size, &all, NULL);
    npjt_run(&npjt_subject_srv_nt4, data, size, &others, NULL);
    return 0;
}
