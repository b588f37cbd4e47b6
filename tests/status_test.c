/* SPDX-License-Identifier: MIT */
/* The statuses against MS-ERREF 2.3.1, written down here by hand. */
#include <criterion/criterion.h>
#include <stddef.h>

#include "npjob/status.h"

typedef struct known_status {
    npj_status status;
    uint32_t value;
    const char *name;
} known_status;

static const known_status known[] = {
    {NPJ_STATUS_SUCCESS, 0x00000000, "STATUS_SUCCESS"},
    {NPJ_STATUS_PENDING, 0x00000103, "STATUS_PENDING"},
    {NPJ_STATUS_INVALID_HANDLE, 0xC0000008, "STATUS_INVALID_HANDLE"},
    {NPJ_STATUS_INVALID_PARAMETER, 0xC000000D, "STATUS_INVALID_PARAMETER"},
    {NPJ_STATUS_INVALID_DEVICE_REQUEST, 0xC0000010, "STATUS_INVALID_DEVICE_REQUEST"},
    {NPJ_STATUS_ACCESS_DENIED, 0xC0000022, "STATUS_ACCESS_DENIED"},
    {NPJ_STATUS_OBJECT_NAME_INVALID, 0xC0000033, "STATUS_OBJECT_NAME_INVALID"},
    {NPJ_STATUS_OBJECT_NAME_NOT_FOUND, 0xC0000034, "STATUS_OBJECT_NAME_NOT_FOUND"},
    {NPJ_STATUS_QUOTA_EXCEEDED, 0xC0000044, "STATUS_QUOTA_EXCEEDED"},
    {NPJ_STATUS_INSUFFICIENT_RESOURCES, 0xC000009A, "STATUS_INSUFFICIENT_RESOURCES"},
    {NPJ_STATUS_PIPE_NOT_AVAILABLE, 0xC00000AC, "STATUS_PIPE_NOT_AVAILABLE"},
    {NPJ_STATUS_INVALID_PIPE_STATE, 0xC00000AD, "STATUS_INVALID_PIPE_STATE"},
    {NPJ_STATUS_PIPE_BUSY, 0xC00000AE, "STATUS_PIPE_BUSY"},
    {NPJ_STATUS_PIPE_DISCONNECTED, 0xC00000B0, "STATUS_PIPE_DISCONNECTED"},
    {NPJ_STATUS_PIPE_CLOSING, 0xC00000B1, "STATUS_PIPE_CLOSING"},
    {NPJ_STATUS_IO_TIMEOUT, 0xC00000B5, "STATUS_IO_TIMEOUT"},
    {NPJ_STATUS_PRINT_CANCELLED, 0xC00000C8, "STATUS_PRINT_CANCELLED"},
    {NPJ_STATUS_NETWORK_NAME_DELETED, 0xC00000C9, "STATUS_NETWORK_NAME_DELETED"},
    {NPJ_STATUS_CANCELLED, 0xC0000120, "STATUS_CANCELLED"},
    {NPJ_STATUS_PIPE_BROKEN, 0xC000014B, "STATUS_PIPE_BROKEN"},
    {NPJ_STATUS_INVALID_DEVICE_STATE, 0xC0000184, "STATUS_INVALID_DEVICE_STATE"},
    {NPJ_STATUS_USER_SESSION_DELETED, 0xC0000203, "STATUS_USER_SESSION_DELETED"},
    {NPJ_STATUS_INSUFF_SERVER_RESOURCES, 0xC0000205, "STATUS_INSUFF_SERVER_RESOURCES"},
    {NPJ_STATUS_NOT_FOUND, 0xC0000225, "STATUS_NOT_FOUND"},
    {NPJ_STATUS_SERVER_SHUTDOWN_IN_PROGRESS, 0xC00002FF, "STATUS_SERVER_SHUTDOWN_IN_PROGRESS"},
};

enum { KNOWN = sizeof known / sizeof known[0] };

Test(status, values_and_names)
{
    for (size_t i = 0; i < KNOWN; i++) {
        cr_expect(known[i].status == known[i].value, "%s is 0x%08X", known[i].name, (unsigned)known[i].status);
        cr_expect_str_eq(npj_status_name(known[i].value), known[i].name);
    }
}

Test(status, the_list_holds_them_all_once)
{
    static const npj_status list[] = {
#define NPJ_X(name) NPJ_STATUS_##name,
        NPJ_STATUS_LIST(NPJ_X)
#undef NPJ_X
    };
    cr_assert(sizeof list / sizeof list[0] == KNOWN);
    for (size_t i = 0; i < KNOWN; i++)
        cr_expect(list[i] == known[i].value, "%s", known[i].name);
}

Test(status, other_values_are_unknown)
{
    static const npj_status others[] = {0x00000001, 0x00000102, 0x00000104, 0x40000000, 0x80000005, 0xC0000001,
                                        0xC00000AB, 0xC0000121, 0x40000103, 0x00000120, 0xC0000000, 0xFFFFFFFF};

    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        cr_expect_str_eq(npj_status_name(others[i]), "STATUS_(unknown)", "0x%08X", (unsigned)others[i]);
}

Test(status, errors_are_those_of_severity_three)
{
    static const struct {
        npj_status status;
        bool error;
    } table[] = {
        {0x00000000, false}, {0x00000103, false}, {0x3FFFFFFF, false}, {0x40000000, false},
        {0x7FFFFFFF, false}, {0x80000000, false}, {0x80000005, false}, {0xBFFFFFFF, false},
        {0xC0000000, true},  {0xC0000120, true},  {0xE0000001, true},  {0xFFFFFFFF, true},
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
        cr_expect(npj_status_is_error(table[i].status) == table[i].error, "0x%08X", (unsigned)table[i].status);
    for (size_t i = 0; i < KNOWN; i++)
        cr_expect(npj_status_is_error(known[i].value) == (i >= 2), "%s", known[i].name);
}
