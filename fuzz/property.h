/* SPDX-License-Identifier: MIT */
/* What the fuzz targets that check properties share. */
#ifndef NPJOB_FUZZ_PROPERTY_H
#define NPJOB_FUZZ_PROPERTY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Ends the program with a finding, which is counted and named. */
_Noreturn void fuzz_violated(const char *property);

/** Does so unless @p holds. */
static inline void fuzz_require(bool holds, const char *property)
{
    if (!holds)
        fuzz_violated(property);
}

/** Memory of @p bytes, of which 0 are allowed. Ends the program if there is none; free() gives it back. */
void *fuzz_obtain(size_t bytes);

/** A way to take an input apart: the same for the same input. */
typedef struct fuzz_pieces {
    uint32_t random;
    size_t fixed; /* the size of every piece; 0: of many sizes */
    uint8_t *piece;
    size_t length; /* of the piece */
} fuzz_pieces;

/** All in one piece; all of them one byte long; or of many sizes, mostly small, which the input decides. */
fuzz_pieces fuzz_one_piece(void);
fuzz_pieces fuzz_bytewise(void);
fuzz_pieces fuzz_many_pieces(const uint8_t *data, size_t size);

/** The size of the next piece, where @p left bytes are left; 0 only if @p left is. */
size_t fuzz_next_size(fuzz_pieces *pieces, size_t left);

/** The next piece of the @p left bytes at @p bytes, of which there is one at least: a copy, of pieces->length bytes, in
 * a block of just that size, so that a checker of memory sees a read past its end. It is good until the next call. */
uint8_t *fuzz_next_piece(fuzz_pieces *pieces, const uint8_t *bytes, size_t left);

/** Gives back the last piece. */
void fuzz_end_pieces(fuzz_pieces *pieces);

#endif
