/* SPDX-License-Identifier: MIT */
/* The counting allocator: allocation, release, faults, and the life of an instance. */
#include <string.h>

#include "counting_internal.h"

#define DEFAULT_QUARANTINE_BLOCKS 256
#define DEFAULT_QUARANTINE_BYTES  ((size_t)256 * 1024)

static void gauge_up(npj_gauge *gauge, uint64_t by)
{
    gauge->live += by;
    gauge->total += by;
    if (gauge->peak < gauge->live)
        gauge->peak = gauge->live;
}

static void close_block(const npjt_counting *counting, const npjt_block *block)
{
    if (!counting->options.no_poison)
        npjt_guard_close(block);
}

static void call_hook(npjt_counting *counting, npjt_moment moment, size_t bytes)
{
    if (counting->options.hook != NULL && !counting->in_hook) {
        counting->in_hook = true;
        counting->options.hook(counting->options.user, moment, bytes);
        counting->in_hook = false;
    }
}

/* ---------------------------------------------------------------------------------------------------------- faults */

void npjt_counting_fault(npjt_counting *counting, npjt_fault_mode mode, uint64_t n)
{
    counting->fault = mode;
    counting->fault_n = n == 0 ? 1 : n;
    counting->fault_from = counting->stats.allocations;
    counting->fail_next = 0;
}

void npjt_counting_fail_next(npjt_counting *counting)
{
    counting->fail_next++;
}

/* Whether the allocation that has just been counted is to fail. */
static bool fault_due(npjt_counting *counting)
{
    uint64_t n = counting->stats.allocations - counting->fault_from;
    bool due = false;
    switch (counting->fault) {
    case NPJT_FAULT_ONCE:
        due = n == counting->fault_n;
        break;
    case NPJT_FAULT_FROM:
        due = n >= counting->fault_n;
        break;
    case NPJT_FAULT_EVERY:
        due = n % counting->fault_n == 0;
        break;
    case NPJT_FAULT_NONE:
    case NPJT_FAULT_COUNT:
        break;
    }
    if (counting->fail_next > 0) {
        counting->fail_next--;
        due = true;
    }
    return due;
}

/* -------------------------------------------------------------------------------------------------------- checking */

static uint64_t check_guards(npjt_counting *counting, const npjt_block *block, npjt_abuse under, npjt_abuse over)
{
    ptrdiff_t offset;
    uint64_t found = 0;
    if (!npjt_guard_before_intact(block, &offset)) {
        npjt_counting_found(counting, under, block, NULL, offset);
        found++;
    }
    if (!npjt_guard_behind_intact(block, &offset)) {
        npjt_counting_found(counting, over, block, NULL, offset);
        found++;
    }
    return found;
}

static uint64_t check_live(npjt_counting *counting, const npjt_block *block)
{
    return check_guards(counting, block, NPJT_ABUSE_UNDERRUN, NPJT_ABUSE_OVERRUN);
}

static uint64_t check_released(npjt_counting *counting, const npjt_block *block)
{
    ptrdiff_t offset;
    uint64_t found = check_guards(counting, block, NPJT_ABUSE_WRITE_AFTER_RELEASE, NPJT_ABUSE_WRITE_AFTER_RELEASE);
    if (!npjt_guard_grave_intact(block, &offset)) {
        npjt_counting_found(counting, NPJT_ABUSE_WRITE_AFTER_RELEASE, block, NULL, offset);
        found++;
    }
    return found;
}

uint64_t npjt_counting_check(npjt_counting *counting)
{
    uint64_t found = 0;
    for (uint32_t record = counting->live_head; record != 0; record = counting->blocks[record].next) {
        npjt_guard_open(&counting->blocks[record]);
        found += check_live(counting, &counting->blocks[record]);
        close_block(counting, &counting->blocks[record]);
    }
    for (uint32_t record = counting->quarantine_head; record != 0; record = counting->blocks[record].next) {
        npjt_guard_open(&counting->blocks[record]);
        found += check_released(counting, &counting->blocks[record]);
        close_block(counting, &counting->blocks[record]);
    }
    return found;
}

uint64_t npjt_counting_leaks(npjt_counting *counting)
{
    uint64_t found = 0;
    for (uint32_t record = counting->live_head; record != 0; record = counting->blocks[record].next) {
        npjt_block *block = &counting->blocks[record];
        if (!block->leaked) {
            block->leaked = true;
            npjt_counting_found(counting, NPJT_ABUSE_LEAK, block, NULL, 0);
            found++;
        }
    }
    return found;
}

/* ------------------------------------------------------------------------------------------ allocation and release */

static void *counted_alloc(void *user, size_t bytes)
{
    npjt_counting *counting = user;
    call_hook(counting, NPJT_MOMENT_ALLOC, bytes);
    counting->stats.allocations++;
    if (bytes == 0) {
        npjt_counting_found(counting, NPJT_ABUSE_BAD_CALL, NULL, NULL, (ptrdiff_t)NPJT_MOMENT_ALLOC);
        return NULL;
    }
    if (fault_due(counting)) {
        counting->stats.injected++;
        return NULL;
    }
    size_t limit = counting->options.limit_bytes;
    bool room = npjt_guard_fits(bytes) && (limit == 0 || bytes <= limit - counting->stats.bytes.live);
    unsigned char *start = room && npjt_index_reserve(counting) ? npjt_guard_new(bytes) : NULL;
    if (start == NULL) {
        counting->stats.exhausted++;
        return NULL;
    }
    gauge_up(&counting->stats.blocks, 1);
    gauge_up(&counting->stats.bytes, bytes);
    uint32_t record = npjt_index_add(counting, start);
    npjt_block *block = &counting->blocks[record];
    block->bytes = bytes;
    block->number = counting->stats.blocks.total;
    block->allocation = counting->stats.allocations;
    block->born = npjt_counting_clock(counting);
    npjt_list_append(counting, &counting->live_head, &counting->live_tail, record);
    close_block(counting, block);
    return start;
}

/* Gives a block in no list back to the system. */
static void give_up(npjt_counting *counting, uint32_t record)
{
    npjt_guard_free(&counting->blocks[record]);
    npjt_index_remove(counting, record);
}

static void evict_oldest(npjt_counting *counting)
{
    uint32_t record = counting->quarantine_head;
    npjt_block *block = &counting->blocks[record];
    npjt_list_remove(counting, &counting->quarantine_head, &counting->quarantine_tail, record);
    counting->quarantined_blocks--;
    counting->quarantined_bytes -= block->bytes;
    npjt_guard_open(block);
    check_released(counting, block);
    give_up(counting, record);
}

static void quarantine(npjt_counting *counting, uint32_t record)
{
    npjt_block *block = &counting->blocks[record];
    const npjt_counting_options *options = &counting->options;
    if (options->quarantine_blocks == 0 || block->bytes > options->quarantine_bytes) {
        give_up(counting, record);
        return;
    }
    npjt_guard_bury(block);
    block->released = true;
    close_block(counting, block);
    npjt_list_append(counting, &counting->quarantine_head, &counting->quarantine_tail, record);
    counting->quarantined_blocks++;
    counting->quarantined_bytes += block->bytes;
    while (counting->quarantined_blocks > options->quarantine_blocks ||
           counting->quarantined_bytes > options->quarantine_bytes) {
        evict_oldest(counting);
    }
}

static void release_live(npjt_counting *counting, uint32_t record)
{
    npjt_block *block = &counting->blocks[record];
    npjt_list_remove(counting, &counting->live_head, &counting->live_tail, record);
    counting->stats.blocks.live--;
    counting->stats.bytes.live -= block->bytes;
    npjt_guard_open(block);
    check_live(counting, block);
    quarantine(counting, record);
}

static void counted_release(void *user, void *start, size_t bytes)
{
    npjt_counting *counting = user;
    call_hook(counting, NPJT_MOMENT_RELEASE, bytes);
    counting->stats.releases++;
    if (start == NULL) {
        npjt_counting_found(counting, NPJT_ABUSE_BAD_CALL, NULL, NULL, (ptrdiff_t)NPJT_MOMENT_RELEASE);
        return;
    }
    uint32_t record = npjt_index_find(counting, start);
    if (record == 0) {
        npjt_counting_found(counting, NPJT_ABUSE_FOREIGN_BLOCK, NULL, start, (ptrdiff_t)bytes);
        return;
    }
    npjt_block *block = &counting->blocks[record];
    if (block->released) {
        npjt_counting_found(counting, NPJT_ABUSE_DOUBLE_RELEASE, block, NULL, 0);
        return;
    }
    if (block->bytes != bytes)
        npjt_counting_found(counting, NPJT_ABUSE_SIZE_MISMATCH, block, NULL, (ptrdiff_t)bytes);
    release_live(counting, record);
}

/* --------------------------------------------------------------------------------------------- life of an instance */

void npjt_counting_init(npjt_counting *counting, const npjt_counting_options *options)
{
    memset(counting, 0, sizeof *counting);
    if (options != NULL)
        counting->options = *options;
    npjt_counting_options *kept = &counting->options;
    if (kept->quarantine_blocks == 0)
        kept->quarantine_blocks = DEFAULT_QUARANTINE_BLOCKS;
    else if (kept->quarantine_blocks == SIZE_MAX)
        kept->quarantine_blocks = 0;
    if (kept->quarantine_bytes == 0)
        kept->quarantine_bytes = DEFAULT_QUARANTINE_BYTES;
}

uint64_t npjt_counting_reset(npjt_counting *counting)
{
    npjt_counting_check(counting);
    npjt_counting_leaks(counting);
    uint64_t findings = counting->stats.findings;
    uint32_t *heads[] = {&counting->live_head, &counting->quarantine_head};
    uint32_t *tails[] = {&counting->live_tail, &counting->quarantine_tail};
    for (int list = 0; list < 2; list++) {
        while (*heads[list] != 0) {
            uint32_t record = *heads[list];
            npjt_list_remove(counting, heads[list], tails[list], record);
            give_up(counting, record);
        }
    }
    counting->quarantined_blocks = 0;
    counting->quarantined_bytes = 0;
    memset(&counting->stats, 0, sizeof counting->stats);
    npjt_counting_fault(counting, NPJT_FAULT_NONE, 1);
    return findings;
}

uint64_t npjt_counting_finish(npjt_counting *counting)
{
    uint64_t findings = npjt_counting_reset(counting);
    npjt_index_free(counting);
    return findings;
}

npj_mem npjt_counting_mem(npjt_counting *counting)
{
    return (npj_mem){.alloc = counted_alloc, .release = counted_release, .user = counting};
}

const npjt_counting_stats *npjt_counting_stats_of(const npjt_counting *counting)
{
    return &counting->stats;
}
