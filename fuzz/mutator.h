/* SPDX-License-Identifier: MIT */
/*
 * Mutates tapes in units of records. What bytes mean is asked of the tape's tables, so that the mutator knows every
 * opcode and operand that there is.
 *
 * What it is good at are deep states. It inserts "swarms": spans made of a few patterns only, each of them once or many
 * times in a row, plain or with an operand that counts. A span of writes and cancels alone, or of anything but
 * completions, goes where a uniform choice of events never does. It inserts "lives": a job's steps in their order, so
 * that each kind of operation is met by answers of its own. And it often starts anew, with other limits, so that
 * neither depends on what happened to be found before. scripts/depth measures it.
 */
#ifndef NPJOB_FUZZ_MUTATOR_H
#define NPJOB_FUZZ_MUTATOR_H

#include <stddef.h>
#include <stdint.h>

/**
 * Changes a tape in place.
 *
 * @param data     @p size bytes, with room for @p capacity.
 * @param capacity no less than NPJT_HEADER_BYTES + NPJT_RECORD_BYTES; otherwise nothing happens.
 * @param seed     equal seeds make equal changes.
 * @return the new size: a header and whole records, at most @p capacity.
 */
size_t fuzz_mutate(uint8_t *data, size_t size, size_t capacity, uint64_t seed);

/**
 * Splices two tapes: the header of one, and spans of records of both in turn.
 *
 * @param out receives the result, at most @p capacity bytes; apart from both tapes.
 * @return its size; 0 if @p capacity is too small for anything.
 */
size_t fuzz_cross_over(const uint8_t *first, size_t first_size, const uint8_t *second, size_t second_size, uint8_t *out,
                       size_t capacity, uint64_t seed);

#endif
