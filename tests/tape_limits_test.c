/* SPDX-License-Identifier: MIT */
/* The limits that a tape's header asks for: each word of docs/tape.md is the number that it says. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "npjob-testkit/tape.h"

#include "tape_words.h"

/** The limits of a tape that has one field of its header, by its word, and counts to the third allocation. */
static npjt_limits limits_of(npjt_header_field field, const char *word)
{
    npjt_header header = {.fault_at = 3};
    npjt_limits limits;
    while (strcmp(npjt_operand_word(npjt_header_operand(field), header.field[field]), word) != 0)
        header.field[field]++;
    npjt_tape_limits(&header, &limits);
    return limits;
}

static uint64_t timeout_of(npjt_header_field field, const char *word)
{
    npjt_limits limits = limits_of(field, word);
    return field == NPJT_HEADER_ADD_TIMEOUT       ? limits.add_timeout
           : field == NPJT_HEADER_CONNECT_TIMEOUT ? limits.connect_timeout
           : field == NPJT_HEADER_STALL_TIMEOUT   ? limits.stall_timeout
                                                  : limits.drain_timeout;
}

Test(tape_limits, numbers_are_what_their_words_say)
{
    for (unsigned f = 0; f < NPJT_HEADER_FIELDS; f++) {
        npjt_header_field field = (npjt_header_field)f;
        npjt_operand operand = npjt_header_operand(field);
        for (uint32_t i = 0; i < npjt_operand_count(operand); i++) {
            const char *word = npjt_operand_word(operand, i);
            char *end;
            uint64_t number = strtoull(word, &end, 10), says = number;
            if (*end != '\0')
                continue;
            npjt_limits limits = limits_of(field, word);
            switch (field) {
            case NPJT_HEADER_MAX_JOBS:
                says = limits.max_jobs;
                break;
            case NPJT_HEADER_MAX_JOB_PACKETS:
                says = limits.max_job_packets;
                break;
            case NPJT_HEADER_MAX_PACKETS:
                says = limits.max_packets;
                break;
            case NPJT_HEADER_MAX_WRITE:
                says = limits.max_write_bytes;
                break;
            case NPJT_HEADER_MAX_BATCH:
                says = limits.max_batch;
                break;
            case NPJT_HEADER_MAX_POOL:
                says = limits.max_pool_bytes;
                break;
            default:
                says = timeout_of(field, word);
                break;
            }
            cr_expect_eq(says, number, "%s=%s", npjt_header_word(field), word);
        }
    }
}

Test(tape_limits, words_are_what_the_page_says)
{
    /* Of 4 jobs with 8 packets each, and writes of 4096 bytes. */
    static const struct {
        const char *word;
        uint64_t bytes;
    } job_bytes[] = {
        {"enough", 32768}, {"1-write", 4096}, {"1-write+1", 4097}, {"2-writes", 8192}, {"4-writes", 16384}};
    for (size_t i = 0; i < sizeof job_bytes / sizeof *job_bytes; i++)
        cr_expect_eq(limits_of(NPJT_HEADER_MAX_JOB_BYTES, job_bytes[i].word).max_job_bytes, job_bytes[i].bytes);
    cr_expect_eq(limits_of(NPJT_HEADER_MAX_PACKETS, "sum").max_packets, 32);
    cr_expect_eq(limits_of(NPJT_HEADER_MAX_JOB_PACKETS, "32").max_packets, 128, "the most that live");
    cr_expect_eq(limits_of(NPJT_HEADER_MAX_POOL, "default").max_pool_bytes, 0);
    cr_expect_not(limits_of(NPJT_HEADER_PIPE, "byte").message_mode);
    cr_expect(limits_of(NPJT_HEADER_PIPE, "message").message_mode);
    cr_expect_not(limits_of(NPJT_HEADER_REUSE, "off").reuse);
    cr_expect_eq(limits_of(NPJT_HEADER_REUSE, "off").max_idle_bytes, 1);
    cr_expect(limits_of(NPJT_HEADER_REUSE, "on").reuse);
    cr_expect_eq(limits_of(NPJT_HEADER_REUSE, "on").max_idle_bytes, 1 << 20);
    cr_expect(limits_of(NPJT_HEADER_REUSE, "little").reuse);
    cr_expect_eq(limits_of(NPJT_HEADER_REUSE, "little").max_idle_bytes, 256);
    for (unsigned field = NPJT_HEADER_ADD_TIMEOUT; field <= NPJT_HEADER_DRAIN_TIMEOUT; field++)
        cr_expect_eq(timeout_of((npjt_header_field)field, "never"), NPJ_NEVER);
    cr_expect_eq(limits_of(NPJT_HEADER_FAULT, "none").fault, NPJT_FAULT_NONE);
    cr_expect_eq(limits_of(NPJT_HEADER_FAULT, "nth").fault, NPJT_FAULT_ONCE);
    cr_expect_eq(limits_of(NPJT_HEADER_FAULT, "from").fault, NPJT_FAULT_FROM);
    cr_expect_eq(limits_of(NPJT_HEADER_FAULT, "every").fault, NPJT_FAULT_EVERY);
    cr_expect_eq(limits_of(NPJT_HEADER_FAULT, "every").fault_at, 3);

    npjt_header no_place = {.field[NPJT_HEADER_FAULT] = 2};
    npjt_limits limits;
    npjt_tape_limits(&no_place, &limits);
    cr_expect_eq(limits.fault, NPJT_FAULT_NONE, "from nowhere");
}
