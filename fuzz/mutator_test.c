/* SPDX-License-Identifier: MIT */
/* The mutator: whatever it is given, a tape in its reduced form comes out, the same for the same seed. */
#include "mutator.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "npjob-testkit/tape.h"

enum { CAPACITY = 1040, ROUNDS = 20000 };

/* The tables bring every byte below its number of meanings: a reduced tape is what it is read as. */
static bool reduced(const uint8_t *tape, size_t size)
{
    uint8_t again[NPJT_RECORD_BYTES];
    npjt_reader reader;
    npjt_header header;
    npjt_record record;
    npjt_tape_begin(&reader, tape, size, &header);
    for (unsigned i = 0; i < NPJT_HEADER_FIELDS; i++)
        if (tape[i] != header.field[i])
            return false;
    for (size_t at = NPJT_HEADER_BYTES; npjt_tape_next(&reader, &record); at += NPJT_RECORD_BYTES) {
        npjt_tape_put_record(again, &record);
        if (memcmp(again, tape + at, sizeof again) != 0)
            return false;
    }
    return size >= NPJT_HEADER_BYTES && (size - NPJT_HEADER_BYTES) % NPJT_RECORD_BYTES == 0;
}

/* Any bytes of any length, as other mutations leave them. */
static size_t scramble(uint8_t *tape, size_t capacity, uint64_t seed)
{
    for (size_t i = 0; i < capacity; i++) {
        seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407U;
        tape[i] = (uint8_t)(seed >> 56);
    }
    return (size_t)(seed >> 33) % (capacity + 1);
}

static bool any_bytes_become_a_reduced_tape(void)
{
    static const size_t capacities[] = {20, 21, 23, 24, 100, CAPACITY};
    uint8_t tape[CAPACITY + 1];
    for (uint64_t seed = 0; seed < ROUNDS; seed++) {
        const size_t capacity = capacities[seed % (sizeof capacities / sizeof *capacities)];
        const size_t size = scramble(tape, capacity, seed);
        tape[capacity] = 0xA5;
        const size_t out = fuzz_mutate(tape, size, capacity, seed);
        if (out > capacity || tape[capacity] != 0xA5 || !reduced(tape, out))
            return false;
    }
    return true;
}

static bool too_little_room_is_left_alone(void)
{
    uint8_t tape[19] = {9, 9};
    return fuzz_mutate(tape, 2, sizeof tape, 1) == 2 && tape[0] == 9 && tape[1] == 9 && tape[2] == 0;
}

static bool same_seed_same_tape(void)
{
    uint8_t one[CAPACITY], other[CAPACITY];
    size_t same_size = 0;
    for (uint64_t seed = 0; seed < ROUNDS; seed++) {
        const size_t size = scramble(one, CAPACITY, seed);
        memcpy(other, one, sizeof one);
        const size_t one_size = fuzz_mutate(one, size, CAPACITY, seed);
        if (fuzz_mutate(other, size, CAPACITY, seed) != one_size || memcmp(one, other, one_size) != 0)
            return false;
        same_size += fuzz_mutate(other, one_size, CAPACITY, seed + 1) == one_size && memcmp(one, other, one_size) == 0;
    }
    return same_size < ROUNDS / 10; /* and it does change something */
}

/* Every meaning of every field and operand, from an empty tape and in a few thousand steps. */
static bool every_meaning_appears(void)
{
    static bool seen[NPJT_OPCODE_COUNT][NPJT_OPERANDS][256];
    uint8_t tape[CAPACITY];
    size_t size = 0;
    for (uint64_t seed = 0; seed < ROUNDS; seed++) {
        size = fuzz_mutate(tape, size, CAPACITY, seed);
        for (size_t at = NPJT_HEADER_BYTES; at < size; at += NPJT_RECORD_BYTES)
            for (unsigned i = 0; i < NPJT_OPERANDS; i++)
                seen[tape[at]][i][tape[at + 1 + i]] = true;
    }
    for (unsigned opcode = 0; opcode < NPJT_OPCODE_COUNT; opcode++) {
        for (unsigned i = 0; i < NPJT_OPERANDS; i++) {
            const uint32_t meanings = npjt_operand_count(npjt_opcode_operand((npjt_opcode)opcode, i));
            for (uint32_t meaning = 0; meaning < meanings; meaning++)
                if (!seen[opcode][i][meaning])
                    return false;
        }
    }
    return true;
}

static bool every_limit_appears(void)
{
    static bool seen[NPJT_HEADER_BYTES][256];
    uint8_t tape[CAPACITY];
    uint32_t distinct = 0, expected = 0;
    size_t size = 0;
    for (uint64_t seed = 0; seed < ROUNDS; seed++) {
        size = fuzz_mutate(tape, size, CAPACITY, seed);
        for (unsigned i = 0; i < NPJT_HEADER_FIELDS; i++) {
            distinct += !seen[i][tape[i]];
            seen[i][tape[i]] = true;
        }
    }
#define X(field, word, operand) expected += npjt_operand_count(NPJT_##operand);
    NPJT_HEADER_LIST(X)
#undef X
    return distinct == expected;
}

/* Of any bytes it has the form, and of reduced tapes it is one. */
static bool a_splice_is_a_tape(void)
{
    uint8_t one[CAPACITY], other[CAPACITY], out[CAPACITY + 1];
    for (uint64_t seed = 0; seed < ROUNDS; seed++) {
        size_t one_size = scramble(one, CAPACITY, seed), other_size = scramble(other, CAPACITY, ~seed);
        const bool tapes = seed % 2 != 0;
        if (tapes) {
            one_size = fuzz_mutate(one, one_size, CAPACITY, seed);
            other_size = fuzz_mutate(other, other_size, CAPACITY, ~seed);
        }
        const size_t capacity = 20 + (size_t)seed % (CAPACITY - 19);
        out[capacity] = 0xA5;
        const size_t size = fuzz_cross_over(one, one_size, other, other_size, out, capacity, seed);
        if (size > capacity || size < NPJT_HEADER_BYTES || (size - NPJT_HEADER_BYTES) % NPJT_RECORD_BYTES != 0 ||
            out[capacity] != 0xA5 || (tapes && !reduced(out, size))) {
            return false;
        }
    }
    return true;
}

int main(void)
{
    static const struct {
        const char *name;
        bool (*passes)(void);
    } tests[] = {
        {"any bytes become a reduced tape", any_bytes_become_a_reduced_tape},
        {"too little room is left alone", too_little_room_is_left_alone},
        {"the same seed makes the same tape", same_seed_same_tape},
        {"every meaning of every operand appears", every_meaning_appears},
        {"every limit appears", every_limit_appears},
        {"a splice is a tape", a_splice_is_a_tape},
    };
    const unsigned count = sizeof tests / sizeof *tests;
    unsigned failed = 0;
    for (unsigned i = 0; i < count; i++) {
        const bool passed = tests[i].passes();
        failed += !passed;
        printf("%sok %u - %s\n", passed ? "" : "not ", i + 1, tests[i].name);
    }
    printf("1..%u\n", count);
    return failed != 0;
}
