/* SPDX-License-Identifier: MIT */
/* The tapes of rate_tapes.c as a plug-in of AFL++, in place of all mutation (AFL_CUSTOM_MUTATOR_ONLY). */
#include "rate_tapes.h"

#include <string.h>

void *afl_custom_init(void *afl, unsigned int seed);
void afl_custom_deinit(void *state);
size_t afl_custom_fuzz(void *state, uint8_t *data, size_t size, uint8_t **out, uint8_t *other, size_t other_size,
                       size_t max_size);

static struct {
    uint64_t number;
    uint8_t tape[RATE_TAPE_BYTES];
} plugin;

void *afl_custom_init(void *afl, unsigned int seed)
{
    (void)afl;
    (void)seed;
    return &plugin;
}

void afl_custom_deinit(void *state)
{
    (void)state;
}

size_t afl_custom_fuzz(void *state, uint8_t *data, size_t size, uint8_t **out, uint8_t *other, size_t other_size,
                       size_t max_size)
{
    (void)state;
    (void)data;
    (void)other;
    (void)other_size;
    memcpy(plugin.tape, rate_tape(plugin.number++), sizeof plugin.tape);
    *out = plugin.tape;
    return max_size < sizeof plugin.tape ? size : sizeof plugin.tape;
}
