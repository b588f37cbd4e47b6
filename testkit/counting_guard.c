/* SPDX-License-Identifier: MIT */
/* The memory of a block: guard, bytes, guard. What sanitizers are told about it is told here. */
#include <stdlib.h>
#include <string.h>

#include "counting_internal.h"

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define UNDER_ASAN 1
#endif
#if __has_feature(memory_sanitizer)
#define UNDER_MSAN 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__)
#define UNDER_ASAN 1
#endif
#ifdef UNDER_ASAN
#include <sanitizer/asan_interface.h>
#endif
#ifdef UNDER_MSAN
#include <sanitizer/msan_interface.h>
#endif

/* A multiple of malloc()'s alignment, so that blocks are aligned as its own are. */
#define GUARD_BYTES 32
/* What fresh blocks hold: not zero, so that a missing initialisation shows, and the same in every run. */
#define FRESH_BYTE  0xA5
#define FRESH_BYTES 4096
#define GRAVE_BYTE  0xDD

_Static_assert(GUARD_BYTES % _Alignof(max_align_t) == 0, "a guard keeps malloc's alignment");

static const unsigned char guard[GUARD_BYTES] = {
    0xFD, 0x01, 0xFB, 0x02, 0xF7, 0x04, 0xEF, 0x08, 0xDF, 0x10, 0xBF, 0x20, 0x7F, 0x40, 0xFE, 0x80,
    0x7E, 0x81, 0xBD, 0x42, 0xDB, 0x24, 0xE7, 0x18, 0x66, 0x99, 0x3C, 0xC3, 0x5A, 0xA6, 0x69, 0x96,
};

static unsigned char *before(const npjt_block *block)
{
    return block->start - GUARD_BYTES;
}

static unsigned char *behind(const npjt_block *block)
{
    return block->start + block->bytes;
}

bool npjt_guard_fits(size_t bytes)
{
    return bytes <= PTRDIFF_MAX - 2 * GUARD_BYTES;
}

unsigned char *npjt_guard_new(size_t bytes)
{
    unsigned char *memory = malloc(GUARD_BYTES + bytes + GUARD_BYTES);
    if (memory == NULL)
        return NULL;
    memcpy(memory, guard, GUARD_BYTES);
    memset(memory + GUARD_BYTES, FRESH_BYTE, bytes < FRESH_BYTES ? bytes : FRESH_BYTES);
    memcpy(memory + GUARD_BYTES + bytes, guard, GUARD_BYTES);
#ifdef UNDER_MSAN
    __msan_allocated_memory(memory + GUARD_BYTES, bytes);
#endif
    return memory + GUARD_BYTES;
}

void npjt_guard_close(const npjt_block *block)
{
#ifdef UNDER_ASAN
    if (block->released) {
        __asan_poison_memory_region(before(block), GUARD_BYTES + block->bytes + GUARD_BYTES);
    } else {
        __asan_poison_memory_region(before(block), GUARD_BYTES);
        __asan_poison_memory_region(behind(block), GUARD_BYTES);
    }
#else
    (void)block;
#endif
}

void npjt_guard_open(const npjt_block *block)
{
#ifdef UNDER_ASAN
    if (block->released) {
        __asan_unpoison_memory_region(before(block), GUARD_BYTES + block->bytes + GUARD_BYTES);
    } else {
        __asan_unpoison_memory_region(before(block), GUARD_BYTES);
        __asan_unpoison_memory_region(behind(block), GUARD_BYTES);
    }
#else
    (void)block;
#endif
}

void npjt_guard_bury(const npjt_block *block)
{
    memset(block->start, GRAVE_BYTE, block->bytes);
}

void npjt_guard_free(const npjt_block *block)
{
    free(before(block));
}

static bool guard_intact(const npjt_block *block, unsigned char *at, ptrdiff_t *offset)
{
    if (memcmp(at, guard, GUARD_BYTES) == 0)
        return true;
    size_t i = 0;
    while (at[i] == guard[i])
        i++;
    *offset = at + i - block->start;
    memcpy(at, guard, GUARD_BYTES);
    return false;
}

bool npjt_guard_before_intact(const npjt_block *block, ptrdiff_t *offset)
{
    return guard_intact(block, before(block), offset);
}

bool npjt_guard_behind_intact(const npjt_block *block, ptrdiff_t *offset)
{
    return guard_intact(block, behind(block), offset);
}

bool npjt_guard_grave_intact(const npjt_block *block, ptrdiff_t *offset)
{
    const unsigned char *bytes = block->start;
    /* All equal to the first: each is compared with its neighbour. */
    if (bytes[0] == GRAVE_BYTE && memcmp(bytes, bytes + 1, block->bytes - 1) == 0)
        return true;
    size_t i = 0;
    while (bytes[i] == GRAVE_BYTE)
        i++;
    *offset = (ptrdiff_t)i;
    npjt_guard_bury(block);
    return false;
}
