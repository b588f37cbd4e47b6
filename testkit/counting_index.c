/* SPDX-License-Identifier: MIT */
/* The records of blocks: an array that grows, lists through it, and a hash of addresses (open addressing, linear
 * probing, at most half full). */
#include <stdlib.h>
#include <string.h>

#include "counting_internal.h"

#define FIRST_CAPACITY 128
#define FIRST_BITS     8

static size_t slot_of(const npjt_counting *counting, const void *start)
{
    /* Fibonacci hashing; the low four bits of a block's address are always zero. */
    return (size_t)(((uint64_t)(uintptr_t)start >> 4) * UINT64_C(0x9E3779B97F4A7C15) >> (64 - counting->table_bits));
}

static size_t table_mask(const npjt_counting *counting)
{
    return ((size_t)1 << counting->table_bits) - 1;
}

static void table_insert(npjt_counting *counting, uint32_t record)
{
    size_t slot = slot_of(counting, counting->blocks[record].start);
    while (counting->table[slot] != 0)
        slot = (slot + 1) & table_mask(counting);
    counting->table[slot] = record;
}

static bool grow_table(npjt_counting *counting)
{
    uint32_t bits = counting->table == NULL ? FIRST_BITS : counting->table_bits + 1;
    uint32_t *table = calloc((size_t)1 << bits, sizeof *table);
    if (table == NULL)
        return false;
    free(counting->table);
    counting->table = table;
    counting->table_bits = bits;
    for (uint32_t record = 1; record < counting->blocks_capacity; record++)
        if (counting->blocks[record].start != NULL)
            table_insert(counting, record);
    return true;
}

static bool grow_blocks(npjt_counting *counting)
{
    uint32_t old = counting->blocks_capacity;
    if (old > UINT32_MAX / 2)
        return false;
    uint32_t capacity = old == 0 ? FIRST_CAPACITY : old * 2;
    npjt_block *blocks = realloc(counting->blocks, capacity * sizeof *blocks);
    if (blocks == NULL)
        return false;
    memset(blocks + old, 0, (capacity - old) * sizeof *blocks);
    counting->blocks = blocks;
    counting->blocks_capacity = capacity;
    /* Record 0 is nobody's: it is the end of lists and the empty slot. */
    for (uint32_t record = capacity - 1; record > 0 && record >= old; record--) {
        blocks[record].next = counting->free_head;
        counting->free_head = record;
    }
    return true;
}

bool npjt_index_reserve(npjt_counting *counting)
{
    if (counting->free_head == 0 && !grow_blocks(counting))
        return false;
    return (counting->table != NULL && counting->used < table_mask(counting) / 2) || grow_table(counting);
}

uint32_t npjt_index_add(npjt_counting *counting, unsigned char *start)
{
    uint32_t record = counting->free_head;
    npjt_block *block = &counting->blocks[record];
    counting->free_head = block->next;
    *block = (npjt_block){.start = start};
    table_insert(counting, record);
    counting->used++;
    return record;
}

static bool find_slot(const npjt_counting *counting, const void *start, size_t *found)
{
    if (counting->table == NULL)
        return false;
    for (size_t slot = slot_of(counting, start); counting->table[slot] != 0; slot = (slot + 1) & table_mask(counting)) {
        if (counting->blocks[counting->table[slot]].start == start) {
            *found = slot;
            return true;
        }
    }
    return false;
}

uint32_t npjt_index_find(const npjt_counting *counting, const void *start)
{
    size_t slot;
    return find_slot(counting, start, &slot) ? counting->table[slot] : 0;
}

void npjt_index_remove(npjt_counting *counting, uint32_t record)
{
    size_t mask = table_mask(counting);
    size_t hole;
    if (!find_slot(counting, counting->blocks[record].start, &hole))
        return;
    /* Whatever follows and may lie in the hole moves there, so that no search stops short of it. */
    for (size_t slot = (hole + 1) & mask; counting->table[slot] != 0; slot = (slot + 1) & mask) {
        size_t home = slot_of(counting, counting->blocks[counting->table[slot]].start);
        if (((slot - home) & mask) >= ((slot - hole) & mask)) {
            counting->table[hole] = counting->table[slot];
            hole = slot;
        }
    }
    counting->table[hole] = 0;
    counting->used--;
    counting->blocks[record] = (npjt_block){.next = counting->free_head};
    counting->free_head = record;
}

void npjt_index_free(npjt_counting *counting)
{
    free(counting->blocks);
    free(counting->table);
    counting->blocks = NULL;
    counting->table = NULL;
    counting->blocks_capacity = 0;
    counting->table_bits = 0;
    counting->used = 0;
    counting->free_head = 0;
}

void npjt_list_append(npjt_counting *counting, uint32_t *head, uint32_t *tail, uint32_t record)
{
    counting->blocks[record].next = 0;
    counting->blocks[record].previous = *tail;
    if (*tail != 0)
        counting->blocks[*tail].next = record;
    else
        *head = record;
    *tail = record;
}

void npjt_list_remove(npjt_counting *counting, uint32_t *head, uint32_t *tail, uint32_t record)
{
    npjt_block *block = &counting->blocks[record];
    if (block->previous != 0)
        counting->blocks[block->previous].next = block->next;
    else
        *head = block->next;
    if (block->next != 0)
        counting->blocks[block->next].previous = block->previous;
    else
        *tail = block->previous;
}
