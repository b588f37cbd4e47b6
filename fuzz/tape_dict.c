/* SPDX-License-Identifier: MIT */
/*
 * Prints the dictionary of fuzz_tape and fuzz_nt4, from the tape's tables: every opcode as a record with its usual
 * operands, and again with each other meaning of its first two operands.
 */
#include <inttypes.h>
#include <stdio.h>

#include "npjob-testkit/tape.h"

static void print_record(const npjt_record *record)
{
    uint8_t bytes[NPJT_RECORD_BYTES];
    char text[NPJT_LINE_MAX];
    npjt_tape_put_record(bytes, record);
    npjt_record_text(text, sizeof text, record);
    printf("# %s\n\"", text);
    for (unsigned i = 0; i < NPJT_RECORD_BYTES; i++)
        printf("\\x%02" PRIx8, bytes[i]);
    printf("\"\n");
}

int main(void)
{
    printf("# The records of a tape, version %d. Generated from the tape's tables.\n", NPJT_TAPE_VERSION);
    for (unsigned opcode = 0; opcode < NPJT_OPCODE_COUNT; opcode++) {
        npjt_record record = {.opcode = (uint8_t)opcode};
        print_record(&record);
        for (unsigned index = 0; index < 2; index++) {
            const uint32_t meanings = npjt_operand_count(npjt_opcode_operand((npjt_opcode)opcode, index));
            for (uint32_t meaning = 1; meaning < meanings; meaning++) {
                record.operand[index] = (uint8_t)meaning;
                print_record(&record);
            }
            record.operand[index] = 0;
        }
    }
    return ferror(stdout) || fflush(stdout) ? 1 : 0;
}
