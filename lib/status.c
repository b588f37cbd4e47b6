/* SPDX-License-Identifier: MIT */
/* The names of the statuses. */
#include "npjob/status.h"

const char *npj_status_name(npj_status status)
{
    switch (status) {
#define NPJ_X(name)                                                                                                    \
    case NPJ_STATUS_##name:                                                                                            \
        return "STATUS_" #name;
        NPJ_STATUS_LIST(NPJ_X)
#undef NPJ_X
    default:
        return "STATUS_(unknown)";
    }
}
