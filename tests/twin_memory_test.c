/* SPDX-License-Identifier: MIT */
/* What becomes of the twins when memory is out: they allocate here by an allocator that can fail. */
#include <criterion/criterion.h>
#include <signal.h>
#include <stdlib.h>

#include "npjob-testkit/twin.h"

void *twin_fault_calloc(size_t count, size_t bytes);
void *twin_fault_malloc(size_t bytes);

static bool out_of_memory;

void *twin_fault_calloc(size_t count, size_t bytes)
{
    return out_of_memory ? NULL : calloc(count, bytes);
}

void *twin_fault_malloc(size_t bytes)
{
    return out_of_memory ? NULL : malloc(bytes);
}

Test(twin_memory, there_is_none_for_twins)
{
    out_of_memory = true;
    cr_expect_null(npjt_twin_new());
}

/* Without a byte of its own a write is lent all the same. */
static const uint8_t empty_write[] = {NPJT_RELATION_LENT, 0xE0, 0, NPJT_TWIN_ADD, 0, 0, NPJT_TWIN_WRITE, 0, 0};

Test(twin_memory, there_is_none_to_lend, .signal = SIGABRT)
{
    npjt_twin *twin = npjt_twin_new();
    cr_assert_not_null(twin);
    out_of_memory = true;
    (void)npjt_twin_run(twin, &npjt_subject_npjob, empty_write, sizeof empty_write, NULL, NULL);
}
