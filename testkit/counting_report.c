/* SPDX-License-Identifier: MIT */
/* What the counting allocator says: findings, and the report of what was counted and what is live. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>

#include "counting_internal.h"

#define LIVE_BLOCKS_NAMED 100

const char *npjt_abuse_name(npjt_abuse kind)
{
    static const char *const names[NPJT_ABUSE_COUNT] = {
        "BAD_CALL", "SIZE_MISMATCH", "DOUBLE_RELEASE",      "FOREIGN_BLOCK",
        "UNDERRUN", "OVERRUN",       "WRITE_AFTER_RELEASE", "LEAK",
    };
    return (unsigned)kind < NPJT_ABUSE_COUNT ? names[kind] : "(unknown)";
}

uint64_t npjt_counting_clock(const npjt_counting *counting)
{
    return counting->stats.allocations + counting->stats.releases;
}

/* -------------------------------------------------------------------------------------------------------- findings */

static void describe(npjt_finding *finding)
{
    char block[96];
    snprintf(block, sizeof block, "block %" PRIu64 " (%zu bytes, allocation %" PRIu64 ", age %" PRIu64 ")",
             finding->block, finding->bytes, finding->allocation, finding->age);
    const char *name = npjt_abuse_name(finding->kind);
    char *text = finding->text;
    size_t capacity = sizeof finding->text;
    switch (finding->kind) {
    case NPJT_ABUSE_SIZE_MISMATCH:
        snprintf(text, capacity, "%s: %s released as %zu bytes", name, block, finding->claimed);
        break;
    case NPJT_ABUSE_DOUBLE_RELEASE:
        snprintf(text, capacity, "%s: %s released again", name, block);
        break;
    case NPJT_ABUSE_FOREIGN_BLOCK:
        snprintf(text, capacity, "%s: %p, released as %zu bytes, is no block of this allocator", name, finding->address,
                 finding->claimed);
        break;
    case NPJT_ABUSE_UNDERRUN:
    case NPJT_ABUSE_OVERRUN:
        snprintf(text, capacity, "%s: %s written to at offset %td", name, block, finding->offset);
        break;
    case NPJT_ABUSE_WRITE_AFTER_RELEASE:
        snprintf(text, capacity, "%s: %s, released, written to at offset %td", name, block, finding->offset);
        break;
    case NPJT_ABUSE_LEAK:
        snprintf(text, capacity, "%s: %s still live", name, block);
        break;
    case NPJT_ABUSE_BAD_CALL:
    case NPJT_ABUSE_COUNT:
        break;
    }
}

void npjt_counting_found(npjt_counting *counting, npjt_abuse kind, const npjt_block *block, const void *address,
                         ptrdiff_t detail)
{
    npjt_finding finding = {.kind = kind, .address = address};
    if (block != NULL) {
        finding.block = block->number;
        finding.allocation = block->allocation;
        finding.age = npjt_counting_clock(counting) - block->born;
        finding.bytes = block->bytes;
        finding.address = block->start;
    }
    if (kind == NPJT_ABUSE_SIZE_MISMATCH || kind == NPJT_ABUSE_FOREIGN_BLOCK)
        finding.claimed = (size_t)detail;
    else if (kind != NPJT_ABUSE_BAD_CALL)
        finding.offset = detail;
    if (kind == NPJT_ABUSE_BAD_CALL) {
        snprintf(finding.text, sizeof finding.text, "%s: %s", npjt_abuse_name(kind),
                 detail == NPJT_MOMENT_ALLOC ? "allocation of 0 bytes" : "release of NULL");
    } else {
        describe(&finding);
    }
    if (counting->stats.findings < NPJT_FINDINGS_KEPT)
        counting->kept[counting->stats.findings] = finding;
    counting->stats.findings++;
    counting->stats.found[kind]++;
    if (counting->options.on_finding != NULL)
        counting->options.on_finding(counting->options.user, &finding);
    if (counting->options.abort_on_finding) {
        fprintf(stderr, "counting allocator: %s\n", finding.text);
        abort();
    }
}

const npjt_finding *npjt_counting_finding(const npjt_counting *counting, size_t index)
{
    return index < NPJT_FINDINGS_KEPT && index < counting->stats.findings ? &counting->kept[index] : NULL;
}

/* ---------------------------------------------------------------------------------------------------------- report */

/* Where a report goes: to a file, or as much of it as fits into a buffer. */
typedef struct sink {
    FILE *file;
    char *buffer;
    size_t capacity;
    size_t length;
} sink;

__attribute__((format(printf, 2, 3))) static void put(sink *to, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    if (to->file != NULL) {
        vfprintf(to->file, format, arguments);
    } else {
        size_t used = to->length < to->capacity ? to->length : to->capacity;
        int length = vsnprintf(to->buffer == NULL ? NULL : to->buffer + used, to->capacity - used, format, arguments);
        to->length += length > 0 ? (size_t)length : 0;
    }
    va_end(arguments);
}

static void put_counts(sink *to, const npjt_counting_stats *stats)
{
    put(to, "blocks: %" PRIu64 " live, %" PRIu64 " at most, %" PRIu64 " in all\n", stats->blocks.live,
        stats->blocks.peak, stats->blocks.total);
    put(to, "bytes: %" PRIu64 " live, %" PRIu64 " at most, %" PRIu64 " in all\n", stats->bytes.live, stats->bytes.peak,
        stats->bytes.total);
    put(to,
        "calls: %" PRIu64 " allocations (%" PRIu64 " failed by request, %" PRIu64 " for want of memory), %" PRIu64
        " releases\n",
        stats->allocations, stats->injected, stats->exhausted, stats->releases);
}

static void put_report(sink *to, const npjt_counting *counting)
{
    put_counts(to, &counting->stats);
    put(to, "findings: %" PRIu64 "\n", counting->stats.findings);
    for (size_t i = 0; npjt_counting_finding(counting, i) != NULL; i++)
        put(to, "  %s\n", npjt_counting_finding(counting, i)->text);
    if (counting->stats.findings > NPJT_FINDINGS_KEPT)
        put(to, "  and %" PRIu64 " more\n", counting->stats.findings - NPJT_FINDINGS_KEPT);
    uint64_t named = 0;
    for (uint32_t record = counting->live_head; record != 0 && named < LIVE_BLOCKS_NAMED; named++) {
        const npjt_block *block = &counting->blocks[record];
        put(to, "live: block %" PRIu64 ", %zu bytes, allocation %" PRIu64 ", age %" PRIu64 "\n", block->number,
            block->bytes, block->allocation, npjt_counting_clock(counting) - block->born);
        record = block->next;
    }
    if (counting->stats.blocks.live > named)
        put(to, "live: and %" PRIu64 " more\n", counting->stats.blocks.live - named);
}

void npjt_counting_report(const npjt_counting *counting, FILE *out)
{
    sink to = {.file = out};
    put_report(&to, counting);
}

size_t npjt_counting_report_text(const npjt_counting *counting, char *buffer, size_t capacity)
{
    sink to = {.buffer = buffer, .capacity = capacity};
    put_report(&to, counting);
    return to.length;
}
