/* SPDX-License-Identifier: MIT */
/* The counting allocator: what it counts is right, each kind of abuse is noticed, and a clean run is not. */
#include <signal.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif

#include "counting_support.h"
#include "under_asan.h"

#if defined(__has_feature)
#if __has_feature(memory_sanitizer)
#define UNDER_MSAN 1
#endif
#endif
#ifdef UNDER_ASAN
#include <sanitizer/asan_interface.h>
#endif

TestSuite(counting, .init = set_up, .fini = tear_down);

/* ---------------------------------------------------------------------------------------------------------- counts */

Test(counting, clean_run_finds_nothing)
{
    unsigned char *blocks[300];
    for (size_t round = 0; round < 3; round++) {
        for (size_t i = 0; i < 300; i++) {
            blocks[i] = take(i + 1);
            cr_assert_not_null(blocks[i]);
            cr_assert_eq((uintptr_t)blocks[i] % _Alignof(max_align_t), 0);
            memset(blocks[i], (int)round, i + 1);
        }
        for (size_t i = 0; i < 300; i++)
            give(blocks[i * 7 % 300], i * 7 % 300 + 1);
        cr_assert_eq(npjt_counting_check(&pool), 0);
        cr_assert_eq(npjt_counting_leaks(&pool), 0);
    }
    cr_assert_eq(stats().findings, 0);
    cr_assert_eq(seen_count, 0);
    cr_assert_eq(npjt_counting_finish(&pool), 0);
}

/* Zero would hide that nobody has set it. (MemorySanitizer takes it for unset, as it is.) */
#ifndef UNDER_MSAN
Test(counting, a_fresh_block_is_filled_and_not_with_zeros)
{
    unsigned char *first = take(100), *second = take(100);
    for (size_t i = 0; i < 100; i++) {
        cr_assert_neq(first[i], 0);
        cr_assert_eq(first[i], second[i]);
    }
    give(first, 100);
    give(second, 100);
}
#endif

Test(counting, counts_blocks_and_bytes)
{
    unsigned char *a = take(10), *b = take(100);
    give(a, 10);
    unsigned char *c = take(1000);
    npjt_counting_stats now = stats();
    cr_assert_eq(now.blocks.live, 2);
    cr_assert_eq(now.blocks.peak, 2);
    cr_assert_eq(now.blocks.total, 3);
    cr_assert_eq(now.bytes.live, 1100);
    cr_assert_eq(now.bytes.peak, 1100);
    cr_assert_eq(now.bytes.total, 1110);
    cr_assert_eq(now.allocations, 3);
    cr_assert_eq(now.releases, 1);
    cr_assert_eq(now.injected, 0);
    cr_assert_eq(now.exhausted, 0);
    give(b, 100);
    give(c, 1000);
    give(take(1), 1);
    cr_assert_eq(stats().bytes.live, 0);
    cr_assert_eq(stats().bytes.peak, 1100);
    cr_assert_eq(stats().blocks.peak, 2);
}

Test(counting, many_blocks_in_any_order)
{
    enum { COUNT = 20000 };
    static unsigned char *blocks[COUNT];
    static size_t sizes[COUNT];
    uint32_t random = 1;
    for (size_t step = 0; step < 200000; step++) {
        random = random * 1664525u + 1013904223u;
        size_t i = (random >> 8) % COUNT;
        if (blocks[i] == NULL) {
            sizes[i] = (random >> 4) % 200 + 1;
            blocks[i] = take(sizes[i]);
            cr_assert_not_null(blocks[i]);
            memset(blocks[i], 0xDD, sizes[i]);
        } else {
            give(blocks[i], sizes[i]);
            blocks[i] = NULL;
        }
    }
    uint64_t live = 0;
    for (size_t i = 0; i < COUNT; i++)
        live += blocks[i] != NULL;
    cr_assert_eq(stats().blocks.live, live);
    for (size_t i = 0; i < COUNT; i++)
        if (blocks[i] != NULL)
            give(blocks[i], sizes[i]);
    cr_assert_eq(npjt_counting_finish(&pool), 0);
}

Test(counting, records_are_used_again)
{
    for (int i = 0; i < 10000; i++)
        give(take(8), 8);
    cr_expect_leq(pool.blocks_capacity, 512);
    cr_expect_leq(pool.table_bits, 10);
    cr_assert_eq(npjt_counting_finish(&pool), 0);
}

Test(counting, a_gigabyte_is_no_burden)
{
#ifdef __GLIBC__
    mallopt(M_PERTURB, 0); /* meson has glibc fill each block, which would make this gigabyte resident */
#endif
    size_t bytes = (size_t)1 << 30;
    unsigned char *block = take(bytes);
    cr_assert_not_null(block);
    block[0] = 1;
    block[bytes - 1] = 1;
    give(block, bytes);
    cr_assert_eq(stats().bytes.peak, bytes);
    cr_assert_eq(npjt_counting_finish(&pool), 0);
}

Test(counting, an_impossible_size_is_refused)
{
    cr_assert_null(take(SIZE_MAX));
    cr_assert_null(take(SIZE_MAX - 40));
#if defined(UNDER_ASAN) || defined(UNDER_MSAN) /* which end the program where malloc() is asked for so much */
    cr_assert_eq(stats().exhausted, 2);
#else
    cr_assert_null(take(PTRDIFF_MAX / 2));
    cr_assert_eq(stats().exhausted, 3);
#endif
    cr_assert_eq(stats().injected, 0);
    cr_assert_eq(stats().findings, 0);
}

Test(counting, the_limit_is_exact)
{
    npjt_counting_finish(&pool);
    npjt_counting_init(&pool, &(npjt_counting_options){.limit_bytes = 100});
    unsigned char *a = take(60);
    cr_assert_null(take(41));
    unsigned char *b = take(40);
    cr_assert_not_null(b);
    cr_assert_null(take(1));
    cr_assert_eq(stats().exhausted, 2);
    give(a, 60);
    give(b, 40);
    cr_assert_eq(npjt_counting_reset(&pool), 0);
}

/* ----------------------------------------------------------------------------------------------------------- abuse */

Test(counting, size_mismatch)
{
    give(take(8), 8);
    unsigned char *block = take(64);
    give(block, 63);
    npjt_finding finding = the_finding(NPJT_ABUSE_SIZE_MISMATCH);
    cr_assert_eq(finding.block, 2);
    cr_assert_eq(finding.allocation, 2);
    cr_assert_eq(finding.bytes, 64);
    cr_assert_eq(finding.claimed, 63);
    cr_assert_eq(finding.age, 1);
    cr_assert_eq(finding.address, block);
    cr_assert_str_eq(finding.text, "SIZE_MISMATCH: block 2 (64 bytes, allocation 2, age 1) released as 63 bytes");
    cr_assert_eq(stats().blocks.live, 0);
    cr_assert_eq(stats().bytes.live, 0);
}

Test(counting, double_release)
{
    unsigned char *block = take(64);
    give(block, 64);
    give(block, 64);
    npjt_finding finding = the_finding(NPJT_ABUSE_DOUBLE_RELEASE);
    cr_assert_eq(finding.block, 1);
    cr_assert_str_eq(finding.text, "DOUBLE_RELEASE: block 1 (64 bytes, allocation 1, age 2) released again");
    cr_assert_eq(stats().blocks.live, 0);
}

/* As many blocks come and go, one after the other. */
static void give_others(int blocks, size_t bytes)
{
    for (int i = 0; i < blocks; i++)
        give(take(bytes), bytes);
}

Test(counting, double_release_of_a_block_forgotten)
{
    unsigned char *block = take(64);
    give(block, 64);
    give_others(256, 128);
    give(block, 64);
    cr_assert_eq(the_finding(NPJT_ABUSE_FOREIGN_BLOCK).claimed, 64);
}

Test(counting, foreign_block)
{
    unsigned char stranger[32];
    unsigned char *block = take(64);
    give(stranger, sizeof stranger);
    npjt_finding finding = the_finding(NPJT_ABUSE_FOREIGN_BLOCK);
    cr_assert_eq(finding.block, 0);
    cr_assert_eq(finding.claimed, 32);
    cr_assert_eq(finding.address, stranger);
    cr_assert_eq(stats().blocks.live, 1);
    give(block + 16, 48);
    cr_assert_eq(stats().found[NPJT_ABUSE_FOREIGN_BLOCK], 2, "the inside of a block is no block");
    give(block, 64);
    cr_assert_eq(stats().findings, 2);
}

Test(counting, block_of_another_instance)
{
    npjt_counting other;
    npjt_counting_init(&other, NULL);
    npj_mem theirs = npjt_counting_mem(&other);
    void *block = theirs.alloc(theirs.user, 32);
    give(block, 32);
    the_finding(NPJT_ABUSE_FOREIGN_BLOCK);
    theirs.release(theirs.user, block, 32);
    cr_assert_eq(npjt_counting_finish(&other), 0);
}

Test(counting, overrun_is_found_at_release)
{
    unsigned char *block = take(61);
    block[61] ^= 1;
    give(block, 61);
    npjt_finding finding = the_finding(NPJT_ABUSE_OVERRUN);
    cr_assert_eq(finding.offset, 61);
    cr_assert_eq(finding.bytes, 61);
    cr_assert_str_eq(finding.text, "OVERRUN: block 1 (61 bytes, allocation 1, age 1) written to at offset 61");
}

Test(counting, overrun_is_found_by_check_once)
{
    unsigned char *block = take(64);
    block[64 + 31] ^= 0x80;
    cr_assert_eq(npjt_counting_check(&pool), 1);
    cr_assert_eq(npjt_counting_check(&pool), 0);
    give(block, 64);
    cr_assert_eq(the_finding(NPJT_ABUSE_OVERRUN).offset, 64 + 31);
}

Test(counting, every_guard_byte_is_watched)
{
    for (ptrdiff_t i = 0; i < 32; i++) {
        unsigned char *block = take(24);
        block[24 + i] = (unsigned char)(block[24 + i] + 1);
        block[-1 - i] = (unsigned char)(block[-1 - i] + 1);
        give(block, 24);
        cr_assert_eq(stats().found[NPJT_ABUSE_OVERRUN], (uint64_t)i + 1);
        cr_assert_eq(stats().found[NPJT_ABUSE_UNDERRUN], (uint64_t)i + 1);
    }
}

Test(counting, underrun)
{
    unsigned char *block = take(64);
    block[-1] ^= 1;
    give(block, 64);
    npjt_finding finding = the_finding(NPJT_ABUSE_UNDERRUN);
    cr_assert_eq(finding.offset, -1);
    cr_assert_str_eq(finding.text, "UNDERRUN: block 1 (64 bytes, allocation 1, age 1) written to at offset -1");
}

Test(counting, underrun_is_found_by_check_once)
{
    unsigned char *block = take(64);
    block[-1] ^= 1;
    cr_assert_eq(npjt_counting_check(&pool), 1);
    give(block, 64);
    cr_assert_eq(the_finding(NPJT_ABUSE_UNDERRUN).block, 1);
}

Test(counting, write_after_release_is_found_by_check_once)
{
    unsigned char *block = take(64);
    give(block, 64);
    cr_assert_eq(npjt_counting_check(&pool), 0);
    block[17] = 0;
    cr_assert_eq(npjt_counting_check(&pool), 1);
    cr_assert_eq(npjt_counting_check(&pool), 0);
    npjt_finding finding = the_finding(NPJT_ABUSE_WRITE_AFTER_RELEASE);
    cr_assert_eq(finding.offset, 17);
    cr_assert_eq(finding.block, 1);
}

Test(counting, write_after_release_is_found_on_eviction)
{
    unsigned char *block = take(1);
    give(block, 1);
    block[0] = 7;
    for (int i = 0; i < 255; i++)
        give(take(16), 16);
    cr_assert_eq(stats().findings, 0, "256 blocks fit into quarantine");
    give(take(16), 16);
    cr_assert_eq(the_finding(NPJT_ABUSE_WRITE_AFTER_RELEASE).offset, 0);
}

Test(counting, write_after_release_is_found_by_reset)
{
    unsigned char *block = take(4096);
    give(block, 4096);
    block[4095] = 0;
    cr_assert_eq(npjt_counting_reset(&pool), 1);
    cr_assert_eq(seen[0].kind, NPJT_ABUSE_WRITE_AFTER_RELEASE);
    cr_assert_eq(seen[0].offset, 4095);
}

Test(counting, quarantine_is_bounded_in_bytes)
{
    unsigned char *first = take(128 * 1024);
    give(first, 128 * 1024);
    first[5] = 0;
    unsigned char *second = take(128 * 1024);
    give(second, 128 * 1024);
    cr_assert_eq(stats().findings, 0, "256 KiB fit");
    give(take(1), 1);
    cr_assert_eq(the_finding(NPJT_ABUSE_WRITE_AFTER_RELEASE).offset, 5);
}

/* Whether a block is still watched after its release and that of @p others like it: its second release tells. */
static bool is_watched(size_t blocks, size_t bytes, int others)
{
    npjt_counting other;
    npjt_counting_init(&other, &(npjt_counting_options){.quarantine_blocks = blocks, .quarantine_bytes = bytes});
    const npj_mem own = npjt_counting_mem(&other);
    void *block = own.alloc(own.user, 64);
    own.release(own.user, block, 64);
    for (int i = 0; i < others; i++)
        own.release(own.user, own.alloc(own.user, 64), 64);
    own.release(own.user, block, 64);
    bool watched = npjt_counting_stats_of(&other)->found[NPJT_ABUSE_DOUBLE_RELEASE] == 1;
    cr_assert_eq(npjt_counting_finish(&other), 1);
    return watched;
}

Test(counting, quarantine_is_as_large_as_asked)
{
    cr_expect(is_watched(0, 0, 255));
    cr_expect_not(is_watched(0, 0, 256));
    cr_expect(is_watched(1, 0, 0));
    cr_expect_not(is_watched(1, 0, 1));
    cr_expect(is_watched(3, 0, 2));
    cr_expect_not(is_watched(3, 0, 3));
    cr_expect(is_watched(0, 128, 1));
    cr_expect_not(is_watched(0, 128, 2));
    cr_expect(is_watched(0, 64, 0));
    cr_expect_not(is_watched(0, 63, 0));
    cr_expect_not(is_watched(SIZE_MAX, 0, 0));
}

Test(counting, quarantine_is_empty_after_a_reset)
{
    give_others(256, 1024);
    cr_assert_eq(npjt_counting_reset(&pool), 0);
    unsigned char *block = take(1024);
    give(block, 1024);
    give_others(255, 1024);
    give(block, 1024);
    cr_assert_eq(the_finding(NPJT_ABUSE_DOUBLE_RELEASE).block, 1);
}

Test(counting, what_no_quarantine_holds_drives_nothing_out)
{
    unsigned char *block = take(64);
    give(block, 64);
    block[3] = 0;
    give(take(256 * 1024 + 1), 256 * 1024 + 1);
    cr_assert_eq(stats().findings, 0, "it is there still");
    cr_assert_eq(npjt_counting_check(&pool), 1);
}

Test(counting, bad_calls)
{
    cr_assert_null(take(0));
    cr_assert_str_eq(the_finding(NPJT_ABUSE_BAD_CALL).text, "BAD_CALL: allocation of 0 bytes");
    give(NULL, 0);
    cr_assert_eq(stats().found[NPJT_ABUSE_BAD_CALL], 2);
    cr_assert_str_eq(seen[1].text, "BAD_CALL: release of NULL");
    cr_assert_str_eq(npjt_counting_finding(&pool, 0)->text, seen[0].text);
    cr_assert_str_eq(npjt_counting_finding(&pool, 1)->text, seen[1].text);
    cr_assert_eq(stats().injected, 0);
}

Test(counting, leak)
{
    give(take(16), 16);
    unsigned char *block = take(48);
    give(take(16), 16);
    cr_assert_eq(npjt_counting_leaks(&pool), 1);
    cr_assert_eq(npjt_counting_leaks(&pool), 0, "a leak is reported once");
    npjt_finding finding = the_finding(NPJT_ABUSE_LEAK);
    cr_assert_eq(finding.block, 2);
    cr_assert_eq(finding.bytes, 48);
    cr_assert_eq(finding.age, 2);
    cr_assert_str_eq(finding.text, "LEAK: block 2 (48 bytes, allocation 2, age 2) still live");
    give(block, 48);
    cr_assert_eq(stats().findings, 1);
}

Test(counting, leak_is_found_by_reset_and_given_back)
{
    take(16);
    take(32);
    cr_assert_eq(npjt_counting_reset(&pool), 2);
    cr_assert_eq(seen_count, 2);
    cr_assert_eq(seen[1].bytes, 32);
    cr_assert_eq(stats().blocks.live, 0);
    cr_assert_eq(stats().findings, 0);
    give(take(16), 16);
    cr_assert_eq(npjt_counting_reset(&pool), 0);
}

Test(counting, findings_beyond_those_kept_are_counted)
{
    for (int i = 0; i < NPJT_FINDINGS_KEPT + 3; i++)
        give(NULL, 0);
    cr_assert_eq(stats().findings, NPJT_FINDINGS_KEPT + 3);
    cr_assert_eq(seen_count, NPJT_FINDINGS_KEPT + 3);
    cr_assert_not_null(npjt_counting_finding(&pool, NPJT_FINDINGS_KEPT - 1));
    cr_assert_null(npjt_counting_finding(&pool, NPJT_FINDINGS_KEPT));
}

Test(counting, abort_on_finding, .signal = SIGABRT)
{
    npjt_counting_finish(&pool);
    npjt_counting_init(&pool, &(npjt_counting_options){.abort_on_finding = true});
    give(NULL, 0);
}

Test(counting, abort_on_leak, .signal = SIGABRT)
{
    npjt_counting_finish(&pool);
    npjt_counting_init(&pool, &(npjt_counting_options){.abort_on_finding = true});
    take(1);
    npjt_counting_finish(&pool);
}

Test(counting, names_of_abuse)
{
    cr_assert_str_eq(npjt_abuse_name(NPJT_ABUSE_BAD_CALL), "BAD_CALL");
    cr_assert_str_eq(npjt_abuse_name(NPJT_ABUSE_UNDERRUN), "UNDERRUN");
    cr_assert_str_eq(npjt_abuse_name(NPJT_ABUSE_LEAK), "LEAK");
    cr_assert_str_eq(npjt_abuse_name(NPJT_ABUSE_COUNT), "(unknown)");
}

#ifdef UNDER_ASAN
Test(counting, asan_sees_guards_and_released_blocks)
{
    npjt_counting_finish(&pool);
    npjt_counting_init(&pool, NULL);
    unsigned char *block = take(61);
    cr_assert_null(__asan_region_is_poisoned(block, 61));
    cr_assert(__asan_address_is_poisoned(block - 1));
    cr_assert(__asan_address_is_poisoned(block - 32));
    cr_assert(__asan_address_is_poisoned(block + 61));
    cr_assert(__asan_address_is_poisoned(block + 61 + 24));
    cr_assert_eq(npjt_counting_check(&pool), 0);
    cr_assert(__asan_address_is_poisoned(block + 61), "a check leaves the guard closed");
    cr_assert_null(__asan_region_is_poisoned(block, 61));
    give(block, 61);
    cr_assert(__asan_address_is_poisoned(block));
    cr_assert(__asan_address_is_poisoned(block + 60));
    cr_assert_eq(npjt_counting_check(&pool), 0);
    cr_assert(__asan_address_is_poisoned(block));
    cr_assert_eq(npjt_counting_reset(&pool), 0);
}
#endif
