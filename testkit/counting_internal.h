/* SPDX-License-Identifier: MIT */
/* What the parts of the counting allocator share. */
#ifndef NPJOB_TESTKIT_COUNTING_INTERNAL_H
#define NPJOB_TESTKIT_COUNTING_INTERNAL_H

#include "npjob-testkit/counting.h"

/* A record of one block. Records lie apart from the blocks, where an overrun does not reach them. */
typedef struct npjt_block {
    unsigned char *start; /* NULL: the record is free */
    size_t bytes;
    uint64_t number;
    uint64_t allocation;
    uint64_t born; /* on the clock of calls */
    uint32_t next, previous;
    bool released; /* in quarantine */
    bool leaked;   /* has been reported as a leak */
} npjt_block;

/* counting_index.c: records, found by the address of their block. */

/* Makes room for one more record. False if there is no memory for it. */
bool npjt_index_reserve(npjt_counting *counting);
/* Takes a record for a block at @p start. Room must have been reserved. */
uint32_t npjt_index_add(npjt_counting *counting, unsigned char *start);
/* The record of the block at @p start, or 0. */
uint32_t npjt_index_find(const npjt_counting *counting, const void *start);
/* Forgets a record. It must be in no list. */
void npjt_index_remove(npjt_counting *counting, uint32_t record);
void npjt_index_free(npjt_counting *counting);

void npjt_list_append(npjt_counting *counting, uint32_t *head, uint32_t *tail, uint32_t record);
void npjt_list_remove(npjt_counting *counting, uint32_t *head, uint32_t *tail, uint32_t record);

/* counting_guard.c: the memory of a block, with a guard on either side. */

/* A new block of @p bytes, or NULL. */
unsigned char *npjt_guard_new(size_t bytes);
/* Whether @p bytes and the guards can be asked of malloc() at all. */
bool npjt_guard_fits(size_t bytes);
void npjt_guard_free(const npjt_block *block);
/* Lets sanitizers know what may be touched: a live block, or nothing of it. */
void npjt_guard_close(const npjt_block *block);
void npjt_guard_open(const npjt_block *block);
/* Fills the bytes of a released block, so that writes to it show. The block must be open, as for all below. */
void npjt_guard_bury(const npjt_block *block);
/* Whether the guard before, the guard behind, the bytes of a released block are as they were made. If not, @p offset
 * receives the first that is not, and they are mended. */
bool npjt_guard_before_intact(const npjt_block *block, ptrdiff_t *offset);
bool npjt_guard_behind_intact(const npjt_block *block, ptrdiff_t *offset);
bool npjt_guard_grave_intact(const npjt_block *block, ptrdiff_t *offset);

/* counting_report.c */

/* Calls of the allocator since init or reset. */
uint64_t npjt_counting_clock(const npjt_counting *counting);
/* Records a finding about @p block (NULL: about none), and passes it on. The address is that of the block or else @p
 * address; @p detail is what its kind needs: a size that was claimed, or an offset. */
void npjt_counting_found(npjt_counting *counting, npjt_abuse kind, const npjt_block *block, const void *address,
                         ptrdiff_t detail);

#endif
