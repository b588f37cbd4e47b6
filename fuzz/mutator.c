/* SPDX-License-Identifier: MIT */
/* To be built without coverage: what the mutator does is no behaviour of the target. */
#include "mutator.h"

#include <stdbool.h>
#include <string.h>

#include "npjob-testkit/tape.h"

enum {
    HEADER = NPJT_HEADER_BYTES,
    RECORD = NPJT_RECORD_BYTES,
    SPAN_BITS = 6,
    SPAN_MAX = 1 << SPAN_BITS,
    PATTERNS_MAX = 16
};

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

/* From 1 to 2^@bits, and as likely of one order of magnitude as of another. */
static size_t any_length(struct tape *tape, unsigned bits)
{
    return 1 + below(tape, (size_t)1 << below(tape, bits + 1));
}

static size_t span_length(struct tape *tape, size_t most)
{
    const size_t length = any_length(tape, SPAN_BITS);
    return length < most ? length : most;
}

/* ---------------------------------------------------------------------------------------------------------- records */

static uint32_t meanings_of(uint8_t opcode, unsigned index)
{
    return npjt_operand_count(npjt_opcode_operand((npjt_opcode)opcode, index));
}

/* How often an operand is not the first of its meanings, which is the usual one: in so many of eight cases. */
static unsigned draw_oddness(struct tape *tape)
{
    static const uint8_t oddness[] = {0, 1, 2, 4, 4, 8};
    return oddness[below(tape, sizeof oddness)];
}

static void make_record(struct tape *tape, uint8_t *record, uint8_t opcode, unsigned oddness)
{
    /* Half of the records are odd in one operand alone: what is odd in two is often refused for the first of them. */
    const size_t alone = below(tape, (size_t)2 * NPJT_OPERANDS);
    record[0] = opcode;
    for (unsigned i = 0; i < NPJT_OPERANDS; i++) {
        const bool odd = (alone == i || alone >= NPJT_OPERANDS) && below(tape, 8) < oddness;
        record[1 + i] = odd ? (uint8_t)below(tape, meanings_of(opcode, i)) : 0;
    }
}

/* Which kinds of events a span is made of: in so many of eight cases those of one side of a job's life, else any. */
struct taste {
    unsigned usual;
    unsigned side; /* 0: its beginning and its end; else its writes */
};

static uint8_t draw_opcode(struct tape *tape, struct taste taste)
{
    static const uint8_t life[] = {NPJT_ADD_EVENT,    NPJT_CONNECT_EVENT, NPJT_NEXT_EVENT, NPJT_ADDED_EVENT,
                                   NPJT_OPENED_EVENT, NPJT_CLOSE_EVENT,   NPJT_DONE_EVENT};
    static const uint8_t writes[] = {NPJT_WRITE_EVENT, NPJT_WRITES_EVENT, NPJT_NEXT_EVENT, NPJT_COMPLETE_EVENT,
                                     NPJT_CANCEL_EVENT};
    if (below(tape, 8) < taste.usual)
        return taste.side ? writes[below(tape, sizeof writes)] : life[below(tape, sizeof life)];
    const uint8_t opcode = (uint8_t)below(tape, NPJT_OPCODE_COUNT);
    /* What comes after a free is not played: it is drawn seldom. */
    return opcode == NPJT_FREE_EVENT && below(tape, 8) ? (uint8_t)NPJT_OPEN_EVENT : opcode;
}

static struct taste draw_taste(struct tape *tape)
{
    const unsigned usual = 2 + 2 * (unsigned)below(tape, 4);
    return (struct taste){.usual = usual, .side = (unsigned)below(tape, 6)};
}

/* Makes room for @length records at @at, as far as there is any. Returns how many. */
static size_t open_gap(struct tape *tape, size_t at, size_t length)
{
    length = length < tape->room - tape->count ? length : tape->room - tape->count;
    memmove(tape->records + (at + length) * RECORD, tape->records + at * RECORD, (tape->count - at) * RECORD);
    tape->count += length;
    return length;
}

/* Where to insert: at the end, within, or within and what follows is dropped. */
static size_t draw_place(struct tape *tape)
{
    const uint64_t choice = below(tape, 4);
    const size_t at = choice < 2 ? tape->count : below(tape, tape->count + 1);
    if (choice == 3)
        tape->count = at;
    return at;
}

/* -------------------------------------------------------------------------------------------------------- mutations */

/* Draws the patterns of a span, few or many of them: records of the tape, and new ones. Returns how many. */
static size_t draw_patterns(struct tape *tape, uint8_t patterns[PATTERNS_MAX][RECORD])
{
    const size_t count = 1 + below(tape, (size_t)2 << below(tape, 4)); /* to 2, 4, 8 or 16 */
    const unsigned oddness = draw_oddness(tape);
    const struct taste taste = draw_taste(tape);
    for (size_t i = 0; i < count; i++)
        if (tape->count && below(tape, 8) == 0)
            memcpy(patterns[i], tape->records + below(tape, tape->count) * RECORD, RECORD);
        else
            make_record(tape, patterns[i], draw_opcode(tape, taste), oddness);
    return count;
}

/* Has an operand of a record take its next meaning; if it has but one, the operand before it. */
static void count_on(uint8_t *record, unsigned operand)
{
    while (operand > 0 && meanings_of(record[0], operand) == 1)
        operand--;
    record[1 + operand] = (uint8_t)((record[1 + operand] + 1U) % meanings_of(record[0], operand));
}

/*
 * Fills records with one pattern, or two in turn, once or many times. While it is repeated an operand may count: every
 * write of a job, every length, every status. Returns how many records were filled, at most @length.
 */
static size_t fill_burst(struct tape *tape, uint8_t patterns[PATTERNS_MAX][RECORD], size_t pattern_count,
                         uint8_t *records, size_t length)
{
    const size_t unit = below(tape, 4) ? 1 : 2;
    const size_t times = below(tape, 3) ? 2 + below(tape, (size_t)8 << below(tape, 4)) : 1;
    const unsigned counting = (unsigned)below(tape, NPJT_OPERANDS + 1); /* which operand, or none */
    const size_t burst = unit * times < length ? unit * times : length;
    for (size_t i = 0; i < burst; i++) {
        uint8_t *record = records + i * RECORD;
        if (i < unit) {
            memcpy(record, patterns[below(tape, pattern_count)], RECORD);
            continue;
        }
        memcpy(record, record - unit * RECORD, RECORD);
        if (counting < NPJT_OPERANDS)
            count_on(record, counting);
    }
    return burst;
}

static void insert_swarm(struct tape *tape, size_t at, size_t wanted)
{
    uint8_t patterns[PATTERNS_MAX][RECORD];
    const size_t pattern_count = draw_patterns(tape, patterns);
    const size_t length = open_gap(tape, at, wanted);
    for (size_t done = 0; done < length;)
        done += fill_burst(tape, patterns, pattern_count, tape->records + (at + done) * RECORD, length - done);
}

/*
 * A job, or a WRITE of two that is cancelled and returns late, from its beginning, one step after the other, and seldom
 * to its end. What a step can come to is met in its turn, which in a swarm hardly happens.
 */
static void insert_life(struct tape *tape, size_t at)
{
    enum { STEPS = 14 };
    static const uint8_t lives[2][STEPS] = {
        {NPJT_ADD_EVENT, NPJT_NEXT_EVENT, NPJT_ADDED_EVENT, NPJT_CONNECT_EVENT, NPJT_NEXT_EVENT, NPJT_OPENED_EVENT,
         NPJT_WRITES_EVENT, NPJT_NEXT_EVENT, NPJT_WRITTEN_EVENT, NPJT_CLOSE_EVENT, NPJT_NEXT_EVENT, NPJT_DONE_EVENT,
         NPJT_NEXT_EVENT, NPJT_DONE_EVENT},
        {NPJT_ADVANCE_EVENT, NPJT_OPEN_EVENT, NPJT_WRITE_EVENT, NPJT_WRITE_EVENT, NPJT_NEXT_EVENT, NPJT_CANCEL_EVENT,
         NPJT_NEXT_EVENT, NPJT_ADVANCE_EVENT, NPJT_WRITTEN_EVENT, NPJT_NEXT_EVENT, NPJT_WRITTEN_EVENT, NPJT_CLOSE_EVENT,
         NPJT_NEXT_EVENT, NPJT_DONE_EVENT},
    };
    const uint8_t *steps = lives[below(tape, 2)];
    const unsigned oddness = (unsigned)below(tape, 4);
    const size_t length = open_gap(tape, at, 3 + below(tape, STEPS - 2));
    for (size_t i = 0; i < length; i++)
        make_record(tape, tape->records + (at + i) * RECORD, steps[i], oddness);
}

static void delete_records(struct tape *tape, size_t length)
{
    const size_t at = below(tape, tape->count - length + 1);
    memmove(tape->records + at * RECORD, tape->records + (at + length) * RECORD, (tape->count - at - length) * RECORD);
    tape->count -= length;
}

/* Copies a span to another place, once or many times in a row. */
static void repeat_span(struct tape *tape)
{
    uint8_t span[SPAN_MAX * RECORD];
    const size_t from = below(tape, tape->count);
    const size_t wanted = span_length(tape, tape->count - from);
    memcpy(span, tape->records + from * RECORD, wanted * RECORD);
    const size_t at = below(tape, tape->count + 1);
    const size_t times = wanted <= SPAN_MAX / 4 ? 1 + below(tape, (size_t)1 << below(tape, 5)) : 1;
    const size_t length = open_gap(tape, at, wanted * times);
    for (size_t done = 0; done < length; done += wanted) {
        const size_t left = length - done;
        memcpy(tape->records + (at + done) * RECORD, span, (left < wanted ? left : wanted) * RECORD);
    }
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
    if (index == 0)
        make_record(tape, record, draw_opcode(tape, draw_taste(tape)), draw_oddness(tape));
    else
        record[index] = (uint8_t)below(tape, meanings_of(record[0], (unsigned)index - 1));
}

static uint32_t header_meanings(size_t at)
{
    static const uint8_t operands[NPJT_HEADER_FIELDS] = {
#define X(field, word, operand) NPJT_##operand,
        NPJT_HEADER_LIST(X)
#undef X
    };
    return at < NPJT_HEADER_FIELDS ? npjt_operand_count((npjt_operand)operands[at]) : 1;
}

/* Sets one field, or a few of them. */
static void tweak_header(struct tape *tape)
{
    do {
        const size_t at = below(tape, HEADER - 1);
        if (at < NPJT_HEADER_FIELDS)
            tape->header[at] = (uint8_t)below(tape, header_meanings(at));
        else
            tape->header[at] = (uint8_t)below(tape, (size_t)1 << below(tape, 9)); /* fault_at, to 255 */
    } while (draw(tape) & 1);
}

/* A new tape: other limits, mostly a job that is open or on its way, and swarms. */
static void start_anew(struct tape *tape)
{
    memset(tape->header, 0, HEADER);
    tape->count = 0;
    for (size_t i = any_length(tape, 3); i-- > 0;)
        tweak_header(tape);
    /* How many packets a job may have decides how deep the tape can go: the one field that every other tape draws. */
    if (below(tape, 2))
        tape->header[NPJT_HEADER_MAX_JOB_PACKETS] = (uint8_t)below(tape, header_meanings(NPJT_HEADER_MAX_JOB_PACKETS));
    const size_t first = below(tape, 8);
    if (first < 4) {
        insert_life(tape, 0);
    } else if (first < 7) {
        make_record(tape, tape->records, NPJT_OPEN_EVENT, 0);
        tape->count = 1;
    }
    for (size_t i = 1 + below(tape, 4); i-- > 0;)
        insert_swarm(tape, tape->count, (size_t)8 << below(tape, 5));
}

static void mutate_once(struct tape *tape)
{
    /* Short tapes are played sooner, and say more clearly what matters. */
    const size_t enough = (size_t)8 << below(tape, 6); /* 8 to 256 */
    if (tape->count > enough)
        delete_records(tape, 1 + below(tape, tape->count - enough / 2));
    const size_t choice = below(tape, 100);
    if (choice < 50 || tape->count == 0)
        start_anew(tape);
    else if (choice < 56)
        insert_life(tape, draw_place(tape));
    else if (choice < 68)
        insert_swarm(tape, draw_place(tape), span_length(tape, SPAN_MAX));
    else if (choice < 74)
        delete_records(tape, span_length(tape, tape->count));
    else if (choice < 79)
        repeat_span(tape);
    else if (choice < 81 && tape->count >= 2)
        swap_spans(tape);
    else if (choice < 92)
        tweak_record(tape);
    else
        tweak_header(tape);
}

/* Brings every byte below the number of its meanings, so that equal tapes are equal bytes. */
static void reduce(struct tape *tape)
{
    for (size_t i = 0; i < NPJT_HEADER_FIELDS; i++)
        tape->header[i] = (uint8_t)(tape->header[i] % header_meanings(i));
    for (uint8_t *record = tape->records; record < tape->records + tape->count * RECORD; record += RECORD) {
        record[0] %= NPJT_OPCODE_COUNT;
        for (unsigned i = 0; i < NPJT_OPERANDS; i++)
            record[1 + i] = (uint8_t)(record[1 + i] % meanings_of(record[0], i));
    }
}

size_t fuzz_mutate(uint8_t *data, size_t size, size_t capacity, uint64_t seed)
{
    if (capacity < HEADER + RECORD)
        return size;
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
    reduce(&tape);
    do {
        mutate_once(&tape);
    } while (below(&tape, 3) == 0);
    return HEADER + tape.count * RECORD;
}

size_t fuzz_cross_over(const uint8_t *first, size_t first_size, const uint8_t *second, size_t second_size, uint8_t *out,
                       size_t capacity, uint64_t seed)
{
    if (capacity < HEADER + RECORD)
        return 0;
    struct tape tape = {.random = seed};
    const uint8_t *const sources[2] = {first, second};
    const size_t sizes[2] = {first_size, second_size};
    memset(out, 0, HEADER);
    if (sizes[0])
        memcpy(out, first, first_size < HEADER ? first_size : HEADER);
    size_t at[2] = {0, 0}, size = HEADER;
    for (unsigned turn = 0; turn < 8; turn++) {
        const unsigned source = turn & 1;
        const size_t records = sizes[source] < HEADER ? 0 : (sizes[source] - HEADER) / RECORD;
        const size_t room = (capacity - size) / RECORD;
        size_t length = below(&tape, records - at[source] + 1);
        length = length < room ? length : room;
        if (length)
            memcpy(out + size, sources[source] + HEADER + at[source] * RECORD, length * RECORD);
        size += length * RECORD;
        at[source] += length;
    }
    return size;
}
