/* SPDX-License-Identifier: MIT */
/* The names of the statuses. */
#include "npjob/status.h"

#define CASE(name)                                                                                                     \
    case NPJ_STATUS_##name:                                                                                            \
        return "STATUS_" #name;

const char *npj_status_name(npj_status status)
{
    switch (status) {
        NPJ_STATUS_LIST(CASE)
    default:
        return "STATUS_(unknown)";
    }
}
