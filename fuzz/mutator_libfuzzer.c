/* SPDX-License-Identifier: MIT */
/* The mutator, as libFuzzer calls it. To be built without coverage. */
#include "mutator.h"

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed);
size_t LLVMFuzzerCustomCrossOver(const uint8_t *first, size_t first_size, const uint8_t *second, size_t second_size,
                                 uint8_t *out, size_t max_size, unsigned int seed);

/* libFuzzer's own mutations. Other engines that call custom mutators may not have them. */
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size) __attribute__((weak));

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed)
{
    /* One in eight by bytes: that is where the dictionary and the compared values come in, and where tapes that are no
     * whole records come from. */
    if (LLVMFuzzerMutate && seed % 8 == 0)
        return LLVMFuzzerMutate(data, size, max_size);
    return fuzz_mutate(data, size, max_size, seed);
}

size_t LLVMFuzzerCustomCrossOver(const uint8_t *first, size_t first_size, const uint8_t *second, size_t second_size,
                                 uint8_t *out, size_t max_size, unsigned int seed)
{
    return fuzz_cross_over(first, first_size, second, second_size, out, max_size, seed);
}
