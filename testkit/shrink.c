/* SPDX-License-Identifier: MIT */
/* Shrinking a tape: whole spans first, then records one by one and in twos, then what they and the header say. */
#include "npjob-testkit/shrink.h"

#include <stdlib.h>
#include <string.h>

#include "npjob-testkit/driver.h"

/** A tape in work, taken apart. */
struct shrinking {
    npjt_driver *driver;
    const npjt_subject *subject;
    npjt_options options;
    int law;
    npjt_header header;
    npjt_record *records;
    uint32_t count;
    npjt_record *trial; /* as many as records */
    uint8_t *bytes;     /* NPJT_TAPE_MAX */
};

static void ignore(void *user, const npjt_violation *finding)
{
    (void)user;
    (void)finding;
}

static size_t put(uint8_t *bytes, const npjt_header *header, const npjt_record *records, uint32_t count)
{
    npjt_tape_put_header(bytes, header);
    for (uint32_t i = 0; i < count; i++)
        npjt_tape_put_record(bytes + NPJT_HEADER_BYTES + (size_t)i * NPJT_RECORD_BYTES, &records[i]);
    return NPJT_HEADER_BYTES + (size_t)count * NPJT_RECORD_BYTES;
}

/** The law that a tape breaks, or -1. @p events receives how many records that takes. */
static int law_of(struct shrinking *s, const npjt_record *records, uint32_t count, uint32_t *events)
{
    npjt_result result;
    size_t size = put(s->bytes, &s->header, records, count);
    if (npjt_driver_run(s->driver, s->subject, s->bytes, size, &s->options, &result))
        return -1;
    *events = result.events < count ? result.events : count;
    return result.finding;
}

static bool still_breaks(struct shrinking *s, const npjt_record *records, uint32_t count)
{
    uint32_t events;
    return law_of(s, records, count, &events) == s->law;
}

/** Leaves out spans of @p length records wherever the law is broken without them. Says whether any was. */
static bool leave_out(struct shrinking *s, uint32_t length)
{
    bool shorter = false;
    for (uint32_t at = s->count; at-- > 0;) {
        if (at + length > s->count)
            continue;
        uint32_t behind = s->count - at - length;
        memcpy(s->trial, s->records, at * sizeof *s->trial);
        memcpy(s->trial + at, s->records + at + length, behind * sizeof *s->trial);
        if (!still_breaks(s, s->trial, at + behind))
            continue;
        s->count = at + behind;
        memcpy(s->records, s->trial, s->count * sizeof *s->records);
        shorter = true;
    }
    return shorter;
}

/** Sets a byte to its first meaning if the law is broken all the same. */
static void simplify(struct shrinking *s, uint8_t *byte)
{
    uint8_t was = *byte;
    *byte = 0;
    if (was != 0 && !still_breaks(s, s->records, s->count))
        *byte = was;
}

/** The header likewise. */
static void simplify_header(struct shrinking *s)
{
    for (unsigned field = 0; field < NPJT_HEADER_FIELDS; field++)
        simplify(s, &s->header.field[field]);
    uint16_t was = s->header.fault_at;
    s->header.fault_at = 0;
    if (was != 0 && !still_breaks(s, s->records, s->count))
        s->header.fault_at = was;
}

/** Two are left out where neither can be alone: an allocation that fails, and the call that it fails. */
static void leave_out_few(struct shrinking *s)
{
    while (leave_out(s, 1) || leave_out(s, 2))
        continue;
}

static void shrink(struct shrinking *s)
{
    for (uint32_t length = s->count / 2; length > 2; length /= 2)
        (void)leave_out(s, length);
    leave_out_few(s);
    for (uint32_t i = 0; i < s->count; i++)
        for (unsigned operand = 0; operand < NPJT_OPERANDS; operand++)
            simplify(s, &s->records[i].operand[operand]);
    simplify_header(s);
    leave_out_few(s);
}

static void take_apart(struct shrinking *s, const uint8_t *tape, size_t size)
{
    npjt_reader reader;
    npjt_tape_begin(&reader, tape, size, &s->header);
    while (npjt_tape_next(&reader, &s->records[s->count]))
        s->count++;
}

int npjt_shrink(const npjt_subject *subject, const npjt_options *options, const uint8_t *tape, size_t size,
                uint8_t *out, size_t *out_size)
{
    struct shrinking s = {.driver = npjt_driver_new(), .subject = subject, .law = -1};
    if (options != NULL)
        s.options = (npjt_options){.laws_off = options->laws_off,
                                   .model = options->model,
                                   .fault_override = options->fault_override,
                                   .fault = options->fault,
                                   .fault_at = options->fault_at};
    s.options.finding = ignore;
    s.records = calloc(NPJT_MAX_RECORDS + 1, sizeof *s.records);
    s.trial = calloc(NPJT_MAX_RECORDS + 1, sizeof *s.trial);
    s.bytes = malloc(NPJT_TAPE_MAX);
    if (s.driver != NULL && s.records != NULL && s.trial != NULL && s.bytes != NULL) {
        take_apart(&s, tape, size);
        s.law = law_of(&s, s.records, s.count, &s.count);
        if (s.law >= 0) {
            shrink(&s);
            *out_size = put(out, &s.header, s.records, s.count);
        }
    }
    npjt_driver_free(s.driver);
    free(s.records);
    free(s.trial);
    free(s.bytes);
    return s.law;
}
