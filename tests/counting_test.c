/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>

#include "npjob-testkit/counting.h"

Test(counting, names_of_abuse)
{
    cr_assert_str_eq(npjt_abuse_name(NPJT_ABUSE_LEAK), "LEAK");
    cr_assert_str_eq(npjt_abuse_name(NPJT_ABUSE_COUNT), "(unknown)");
}
