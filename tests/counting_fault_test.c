/* SPDX-License-Identifier: MIT */
/* The counting allocator: each fault mode fails what it says, the hook is called, the report is as described. */
#include "counting_support.h"

TestSuite(counting_fault, .init = set_up, .fini = tear_down);

/* ---------------------------------------------------------------------------------------------------------- faults */

/* Which of the next @p count allocations fail, as a bit each. */
static unsigned failures(int count)
{
    unsigned failed = 0;
    for (int i = 0; i < count; i++) {
        unsigned char *block = take(16);
        if (block == NULL)
            failed |= 1u << i;
        else
            give(block, 16);
    }
    return failed;
}

Test(counting_fault, fault_once)
{
    npjt_counting_fault(&pool, NPJT_FAULT_ONCE, 3);
    cr_assert_eq(failures(10), 0x004);
    cr_assert_eq(stats().injected, 1);
    cr_assert_eq(stats().allocations, 10);
    cr_assert_eq(stats().blocks.total, 9);
    npjt_counting_fault(&pool, NPJT_FAULT_ONCE, 1);
    cr_assert_eq(failures(10), 0x001, "n counts from the call that set it");
    cr_assert_eq(stats().findings, 0);
}

Test(counting_fault, fault_from)
{
    npjt_counting_fault(&pool, NPJT_FAULT_FROM, 4);
    cr_assert_eq(failures(10), 0x3F8);
    cr_assert_eq(stats().injected, 7);
    npjt_counting_fault(&pool, NPJT_FAULT_NONE, 0);
    cr_assert_eq(failures(10), 0);
}

Test(counting_fault, fault_every)
{
    npjt_counting_fault(&pool, NPJT_FAULT_EVERY, 3);
    cr_assert_eq(failures(10), 0x124);
    cr_assert_eq(stats().injected, 3);
    npjt_counting_fault(&pool, NPJT_FAULT_EVERY, 1);
    cr_assert_eq(failures(4), 0xF);
    npjt_counting_fault(&pool, NPJT_FAULT_EVERY, 0);
    cr_assert_eq(failures(4), 0xF, "0 is taken as 1");
}

Test(counting_fault, fault_next)
{
    npjt_counting_fail_next(&pool);
    cr_assert_eq(failures(3), 0x1);
    npjt_counting_fault(&pool, NPJT_FAULT_ONCE, 3);
    npjt_counting_fail_next(&pool);
    cr_assert_eq(failures(5), 0x5, "beside the other fault");
    npjt_counting_fail_next(&pool);
    npjt_counting_fail_next(&pool);
    cr_assert_eq(failures(5), 0x3, "the next two");
    npjt_counting_fail_next(&pool);
    npjt_counting_fault(&pool, NPJT_FAULT_NONE, 0);
    cr_assert_eq(failures(3), 0);
    cr_assert_eq(stats().injected, 5);
}

Test(counting_fault, finding_names_the_allocation_to_fail)
{
    npjt_counting_fault(&pool, NPJT_FAULT_ONCE, 2);
    cr_assert_eq(failures(3), 0x2);
    take(77);
    npjt_counting_leaks(&pool);
    npjt_finding finding = the_finding(NPJT_ABUSE_LEAK);
    cr_assert_eq(finding.block, 3);
    cr_assert_eq(finding.allocation, 4);
}

Test(counting_fault, reset_ends_faults)
{
    npjt_counting_fault(&pool, NPJT_FAULT_FROM, 1);
    npjt_counting_fail_next(&pool);
    cr_assert_eq(npjt_counting_reset(&pool), 0);
    cr_assert_eq(failures(5), 0);
    cr_assert_eq(stats().allocations, 5);
}

/* ------------------------------------------------------------------------------------------------- hook and report */

static struct {
    int allocs, releases;
    size_t bytes;
    bool call_back, fail;
} hooked;

static void hook(void *user, npjt_moment moment, size_t bytes)
{
    cr_assert_eq(user, &hooked);
    hooked.bytes = bytes;
    *(moment == NPJT_MOMENT_ALLOC ? &hooked.allocs : &hooked.releases) += 1;
    if (hooked.call_back)
        give(take(5), 5);
    if (hooked.fail)
        npjt_counting_fail_next(&pool);
}

Test(counting_fault, hook_is_called_for_each_call)
{
    npjt_counting_finish(&pool);
    npjt_counting_init(&pool, &(npjt_counting_options){.hook = hook, .user = &hooked});
    unsigned char *block = take(40);
    cr_assert_eq(hooked.allocs, 1);
    cr_assert_eq(hooked.releases, 0);
    cr_assert_eq(hooked.bytes, 40);
    give(block, 40);
    cr_assert_eq(hooked.releases, 1);
    hooked.call_back = true;
    give(take(50), 50);
    cr_assert_eq(hooked.allocs, 2, "not from within itself");
    cr_assert_eq(hooked.releases, 2);
    cr_assert_eq(stats().blocks.total, 4);
    hooked.call_back = false;
    hooked.fail = true;
    cr_assert_null(take(1), "a fault set by the hook holds at once");
    hooked.fail = false;
    npjt_counting_fault(&pool, NPJT_FAULT_NONE, 0);
    cr_assert_eq(npjt_counting_reset(&pool), 0);
}

static const char *const expected_report =
    "blocks: 2 live, 2 at most, 3 in all\n"
    "bytes: 140 live, 140 at most, 156 in all\n"
    "calls: 5 allocations (1 failed by request, 0 for want of memory), 2 releases\n"
    "findings: 2\n"
    "  BAD_CALL: release of NULL\n"
    "  BAD_CALL: allocation of 0 bytes\n"
    "live: block 2, 100 bytes, allocation 3, age 3\n"
    "live: block 3, 40 bytes, allocation 4, age 2\n";

static void make_something_to_report(void)
{
    npjt_counting_fault(&pool, NPJT_FAULT_ONCE, 2);
    give(take(16), 16);
    cr_assert_null(take(999));
    take(100);
    take(40);
    give(NULL, 0);
    take(0);
}

Test(counting_fault, report_as_text)
{
    make_something_to_report();
    char text[1024];
    cr_assert_eq(npjt_counting_report_text(&pool, text, sizeof text), strlen(expected_report));
    cr_assert_str_eq(text, expected_report);
}

Test(counting_fault, report_is_cut_off_at_the_capacity)
{
    make_something_to_report();
    char text[1024];
    for (size_t capacity = 1; capacity <= strlen(expected_report) + 1; capacity++) {
        memset(text, '#', sizeof text);
        cr_assert_eq(npjt_counting_report_text(&pool, text, capacity), strlen(expected_report));
        cr_assert_eq(strlen(text), capacity - 1);
        cr_assert_eq(strncmp(text, expected_report, capacity - 1), 0);
        cr_assert_eq(text[capacity], '#', "nothing beyond the capacity");
    }
    cr_assert_eq(npjt_counting_report_text(&pool, NULL, 0), strlen(expected_report));
}

Test(counting_fault, report_to_a_file)
{
    make_something_to_report();
    FILE *file = tmpfile();
    cr_assert_not_null(file);
    npjt_counting_report(&pool, file);
    cr_assert_eq(fseek(file, 0, SEEK_SET), 0);
    char text[1024] = {0};
    cr_assert_eq(fread(text, 1, sizeof text - 1, file), strlen(expected_report));
    cr_assert_str_eq(text, expected_report);
    fclose(file);
}

Test(counting_fault, report_names_a_hundred)
{
    for (int i = 0; i < 103; i++)
        take(8);
    static char text[16384];
    npjt_counting_report_text(&pool, text, sizeof text);
    cr_assert_not_null(strstr(text, "live: block 100, 8 bytes, allocation 100, age 3\n"));
    cr_assert_null(strstr(text, "live: block 101,"));
    cr_assert_not_null(strstr(text, "live: and 3 more\n"));
}

Test(counting_fault, report_counts_findings_beyond_those_kept)
{
    static char text[16384];
    for (int i = 0; i < NPJT_FINDINGS_KEPT; i++)
        give(NULL, 0);
    cr_expect_eq(seen[0].offset, 0, "which a bad call has not");
    npjt_counting_report_text(&pool, text, sizeof text);
    cr_assert_null(strstr(text, "more\n"));
    for (int i = 0; i < 3; i++)
        give(NULL, 0);
    npjt_counting_report_text(&pool, text, sizeof text);
    cr_assert_not_null(strstr(text, "findings: 19\n"));
    cr_assert_not_null(strstr(text, "  and 3 more\n"));
}

Test(counting_fault, findings_in_words)
{
    unsigned char stranger[32], *block = take(64);
    char text[NPJT_FINDING_TEXT];
    give(stranger, sizeof stranger);
    (void)snprintf(text, sizeof text, "FOREIGN_BLOCK: %p, released as 32 bytes, is no block of this allocator",
                   (void *)stranger);
    cr_expect_str_eq(seen[0].text, text);
    give(block, 64);
    block[17] = 0;
    npjt_counting_check(&pool);
    cr_expect_str_eq(seen[1].text, "WRITE_AFTER_RELEASE: block 1 (64 bytes, allocation 1, age 2), released, written to "
                                   "at offset 17");
}
