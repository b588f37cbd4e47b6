/* SPDX-License-Identifier: MIT */
#include "npjob-testkit/counting.h"

const char *npjt_abuse_name(npjt_abuse kind)
{
    static const char *const names[NPJT_ABUSE_COUNT] = {
        "BAD_CALL", "SIZE_MISMATCH", "DOUBLE_RELEASE",      "FOREIGN_BLOCK",
        "UNDERRUN", "OVERRUN",       "WRITE_AFTER_RELEASE", "LEAK",
    };
    return (unsigned)kind < NPJT_ABUSE_COUNT ? names[kind] : "(unknown)";
}
