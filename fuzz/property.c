/* SPDX-License-Identifier: MIT */
#include "property.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "campaign.h"

void fuzz_violated(const char *property)
{
    fprintf(stderr, "fuzz: violated: %s\n", property);
    abort();
}

void *fuzz_obtain(size_t bytes)
{
    void *block = malloc(bytes == 0 ? 1 : bytes);
    if (block == NULL) {
        fprintf(stderr, "fuzz: out of memory\n");
        exit(1);
    }
    return block;
}

fuzz_pieces fuzz_one_piece(void)
{
    return (fuzz_pieces){.fixed = SIZE_MAX};
}

fuzz_pieces fuzz_bytewise(void)
{
    return (fuzz_pieces){.fixed = 1};
}

/* FNV-1a; xorshift goes on from there, and needs a start that is not zero. */
fuzz_pieces fuzz_many_pieces(const uint8_t *data, size_t size)
{
    uint32_t hash = UINT32_C(2166136261);
    for (size_t i = 0; i < size; i++)
        hash = (hash ^ data[i]) * UINT32_C(16777619);
    return (fuzz_pieces){.random = hash | 1};
}

size_t fuzz_next_size(fuzz_pieces *pieces, size_t left)
{
    size_t piece = pieces->fixed;
    if (piece == 0) {
        pieces->random ^= pieces->random << 13;
        pieces->random ^= pieces->random >> 17;
        pieces->random ^= pieces->random << 5;
        piece = 1 + (pieces->random >> 8) % (pieces->random % 4 == 0 ? 256 : 16);
    }
    return piece < left ? piece : left;
}

uint8_t *fuzz_next_piece(fuzz_pieces *pieces, const uint8_t *bytes, size_t left)
{
    size_t length = fuzz_next_size(pieces, left);
    if (pieces->piece == NULL || length != pieces->length) {
        free(pieces->piece);
        pieces->piece = fuzz_obtain(length);
        pieces->length = length;
    }
    return memcpy(pieces->piece, bytes, length);
}

void fuzz_end_pieces(fuzz_pieces *pieces)
{
    free(pieces->piece);
    pieces->piece = NULL;
}
