/* SPDX-License-Identifier: MIT */
/* To be built without coverage: what the mutator does is no behaviour of the target. */
#include "mutator.h"

#include <string.h>

#include "npjob-testkit/tape.h"

enum { HEADER = NPJT_HEADER_BYTES, RECORD = NPJT_RECORD_BYTES, SPAN_MAX = 64 };

/* A tape that is being changed. */
struct tape {
    uint8_t *header;
    uint8_t *records;
    size_t count;
    size_t room;
    uint64_t random;
};

/* ----------------------------------------------------------------------------------------------------------- chance */

static uint64_t draw(struct tape *tape)
{
    /* splitmix64, by Sebastiano Vigna, in the public domain */
    uint64_t z = tape->random += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static size_t below(struct tape *tape, size_t bound)
{
    return bound ? (size_t)(draw(tape) % bound) : 0;
}

/* Short spans mostly, and now and then a long one. */
static size_t span_length(struct tape *tape, size_t most)
{
    const size_t bound = (size_t)1 << (1 + below(tape, 6)); /* 2 to 64 */
    const size_t length = 1 + below(tape, bound < SPAN_MAX ? bound : SPAN_MAX);
    return length < most ? length : most;
}

/* ---------------------------------------------------------------------------------------------------------- records */

/* The first meanings are the usual ones; half of the operands stay there. */
static uint8_t operand(struct tape *tape, uint8_t opcode, unsigned index)
{
    const uint32_t meanings = npjt_operand_count(npjt_opcode_operand((npjt_opcode)opcode, index));
    return meanings < 2 || draw(tape) & 1 ? 0 : (uint8_t)below(tape, meanings);
}

static void make_record(struct tape *tape, uint8_t *record, uint8_t opcode)
{
    record[0] = opcode;
    for (unsigned i = 0; i < NPJT_OPERANDS; i++) {
        record[1 + i] = operand(tape, opcode, i);
    }
}

/* Makes room for @length records at @at, as far as there is any. Returns how many. */
static size_t open_gap(struct tape *tape, size_t at, size_t length)
{
    length = length < tape->room - tape->count ? length : tape->room - tape->count;
    memmove(tape->records + (at + length) * RECORD, tape->records + at * RECORD, (tape->count - at) * RECORD);
    tape->count += length;
    return length;
}

/* -------------------------------------------------------------------------------------------------------- mutations */

/* Draws the kinds of a span: few or many of them, and never none. */
static size_t draw_kinds(struct tape *tape, uint8_t kinds[NPJT_OPCODE_COUNT])
{
    const unsigned one_in = 2 + (unsigned)below(tape, 6);
    size_t count = 0;
    for (unsigned opcode = 0; opcode < NPJT_OPCODE_COUNT; opcode++) {
        if (below(tape, one_in) == 0) {
            kinds[count++] = (uint8_t)opcode;
        }
    }
    if (count == 0) {
        kinds[count++] = (uint8_t)below(tape, NPJT_OPCODE_COUNT);
    }
    return count;
}

static void insert_swarm(struct tape *tape)
{
    uint8_t kinds[NPJT_OPCODE_COUNT];
    const size_t kind_count = draw_kinds(tape, kinds);
    const size_t at = draw(tape) & 1 ? tape->count : below(tape, tape->count + 1);
    const size_t length = open_gap(tape, at, span_length(tape, SPAN_MAX));
    for (size_t i = 0; i < length; i++) {
        make_record(tape, tape->records + (at + i) * RECORD, kinds[below(tape, kind_count)]);
    }
}

static void insert_run(struct tape *tape)
{
    const size_t at = below(tape, tape->count + 1);
    const size_t length = open_gap(tape, at, span_length(tape, SPAN_MAX));
    for (size_t i = 0; i < length; i++) {
        uint8_t *record = tape->records + (at + i) * RECORD;
        if (i == 0) {
            make_record(tape, record, (uint8_t)below(tape, NPJT_OPCODE_COUNT));
        } else {
            memcpy(record, record - RECORD, RECORD);
        }
    }
}

static void delete_span(struct tape *tape)
{
    const size_t at = below(tape, tape->count);
    const size_t length = span_length(tape, tape->count - at);
    memmove(tape->records + at * RECORD, tape->records + (at + length) * RECORD, (tape->count - at - length) * RECORD);
    tape->count -= length;
}

static void duplicate_span(struct tape *tape)
{
    uint8_t span[SPAN_MAX * RECORD];
    const size_t from = below(tape, tape->count);
    const size_t wanted = span_length(tape, tape->count - from);
    memcpy(span, tape->records + from * RECORD, wanted * RECORD);
    const size_t at = below(tape, tape->count + 1);
    const size_t length = open_gap(tape, at, wanted);
    memcpy(tape->records + at * RECORD, span, length * RECORD);
}

/* Exchanges two spans of one length, which do not overlap. */
static void swap_spans(struct tape *tape)
{
    uint8_t span[SPAN_MAX * RECORD];
    const size_t length = span_length(tape, tape->count / 2);
    const size_t first = below(tape, tape->count - 2 * length + 1);
    const size_t second = first + length + below(tape, tape->count - first - 2 * length + 1);
    uint8_t *const a = tape->records + first * RECORD, *const b = tape->records + second * RECORD;
    memcpy(span, a, length * RECORD);
    memcpy(a, b, length * RECORD);
    memcpy(b, span, length * RECORD);
}

static void tweak_record(struct tape *tape)
{
    uint8_t *record = tape->records + below(tape, tape->count) * RECORD;
    const size_t index = below(tape, 1 + NPJT_OPERANDS);
    if (index == 0) {
        make_record(tape, record, (uint8_t)below(tape, NPJT_OPCODE_COUNT));
    } else {
        const unsigned opcode = record[0] % NPJT_OPCODE_COUNT;
        record[index] =
            (uint8_t)below(tape, npjt_operand_count(npjt_opcode_operand((npjt_opcode)opcode, (uint32_t)index - 1)));
    }
}

static void tweak_header(struct tape *tape)
{
    tape->header[below(tape, HEADER)] = draw(tape) & 1 ? 0 : (uint8_t)below(tape, 64);
}

static void mutate_once(struct tape *tape)
{
    const size_t choice = below(tape, 100);
    if (choice < 40 || tape->count == 0) {
        insert_swarm(tape);
    } else if (choice < 50) {
        insert_run(tape);
    } else if (choice < 65) {
        delete_span(tape);
    } else if (choice < 75) {
        duplicate_span(tape);
    } else if (choice < 80 && tape->count >= 2) {
        swap_spans(tape);
    } else if (choice < 95) {
        tweak_record(tape);
    } else {
        tweak_header(tape);
    }
}

size_t fuzz_mutate(uint8_t *data, size_t size, size_t capacity, uint64_t seed)
{
    if (capacity < HEADER + RECORD) {
        return size;
    }
    size = size < capacity ? size : capacity;
    if (size < HEADER) {
        memset(data + size, 0, HEADER - size);
        size = HEADER;
    }
    const size_t room = (capacity - HEADER) / RECORD;
    struct tape tape = {.header = data,
                        .records = data + HEADER,
                        .count = (size - HEADER) / RECORD,
                        .room = room < NPJT_MAX_RECORDS ? room : NPJT_MAX_RECORDS,
                        .random = seed};
    tape.count = tape.count < tape.room ? tape.count : tape.room;
    do {
        mutate_once(&tape);
    } while (below(&tape, 3) == 0);
    return HEADER + tape.count * RECORD;
}

size_t fuzz_cross_over(const uint8_t *first, size_t first_size, const uint8_t *second, size_t second_size, uint8_t *out,
                       size_t capacity, uint64_t seed)
{
    if (capacity < HEADER + RECORD) {
        return 0;
    }
    struct tape tape = {.random = seed};
    const uint8_t *const sources[2] = {first, second};
    const size_t sizes[2] = {first_size, second_size};
    memset(out, 0, HEADER);
    if (sizes[0]) {
        memcpy(out, first, first_size < HEADER ? first_size : HEADER);
    }
    size_t at[2] = {0, 0}, size = HEADER;
    for (unsigned turn = 0; turn < 8; turn++) {
        const unsigned source = turn & 1;
        const size_t records = sizes[source] < HEADER ? 0 : (sizes[source] - HEADER) / RECORD;
        const size_t room = (capacity - size) / RECORD;
        size_t length = below(&tape, records - at[source] + 1);
        length = length < room ? length : room;
        if (length) {
            memcpy(out + size, sources[source] + HEADER + at[source] * RECORD, length * RECORD);
        }
        size += length * RECORD;
        at[source] += length;
    }
    return size;
}
