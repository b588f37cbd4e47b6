/* SPDX-License-Identifier: MIT */
/*
 * The mutator as a plug-in of AFL++ (AFL_CUSTOM_MUTATOR_LIBRARY). It takes part in the havoc stage, with three of ten
 * of the stacked mutations, and leaves the other stages as they are: that found more than a stage of its own.
 */
#include "mutator.h"

#include <stdlib.h>
#include <string.h>

void *afl_custom_init(void *afl, unsigned int seed);
void afl_custom_deinit(void *state);
size_t afl_custom_havoc_mutation(void *state, uint8_t *data, size_t size, uint8_t **out, size_t max_size);
uint8_t afl_custom_havoc_mutation_probability(void *state);

struct plugin {
    uint64_t seed;
    uint8_t *buffer;
    size_t capacity;
};

void *afl_custom_init(void *afl, unsigned int seed)
{
    (void)afl;
    struct plugin *plugin = calloc(1, sizeof *plugin);
    if (plugin)
        plugin->seed = (uint64_t)seed << 32;
    return plugin;
}

void afl_custom_deinit(void *state)
{
    struct plugin *plugin = state;
    free(plugin->buffer);
    free(plugin);
}

size_t afl_custom_havoc_mutation(void *state, uint8_t *data, size_t size, uint8_t **out, size_t max_size)
{
    struct plugin *plugin = state;
    if (plugin->capacity < max_size) {
        uint8_t *buffer = realloc(plugin->buffer, max_size);
        if (!buffer) {
            *out = data;
            return size;
        }
        plugin->buffer = buffer;
        plugin->capacity = max_size;
    }
    size = size < max_size ? size : max_size;
    memcpy(plugin->buffer, data, size);
    *out = plugin->buffer;
    return fuzz_mutate(plugin->buffer, size, max_size, ++plugin->seed);
}

uint8_t afl_custom_havoc_mutation_probability(void *state)
{
    (void)state;
    return 30;
}
