/* SPDX-License-Identifier: MIT */
/*
 * Tapes to be run for their time. They take the place of mutation, so that what is measured is a target at tapes of one
 * length, and an empty target is given the very same. To be built without coverage.
 */
#include "rate_tapes.h"

#include <string.h>

#include "mutator.h"

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed);

static uint8_t tapes[RATE_TAPES][RATE_TAPE_BYTES];
static bool made;

/* Mutated until it is as long as it may be. */
static void make_tape(uint8_t *tape, uint64_t *seed)
{
    size_t size = 0;
    while (size < RATE_TAPE_BYTES)
        size = fuzz_mutate(tape, size, RATE_TAPE_BYTES, ++*seed);
}

const uint8_t *rate_tape(uint64_t number)
{
    uint64_t seed = 0;
    for (int i = 0; i < RATE_TAPES && !made; i++)
        make_tape(tapes[i], &seed);
    made = true;
    return tapes[number % RATE_TAPES];
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed)
{
    static uint64_t number;
    (void)seed;
    if (max_size < RATE_TAPE_BYTES)
        return size;
    memcpy(data, rate_tape(number++), RATE_TAPE_BYTES);
    return RATE_TAPE_BYTES;
}
