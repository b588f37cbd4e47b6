/* SPDX-License-Identifier: MIT */
/**
 * @file
 * Tapes in files, for the programs of this tree. What cannot be read, or is no tape, ends the program with a line on
 * the standard error and exit status 2.
 */
#ifndef NPJOB_TESTKIT_TAPE_FILES_H
#define NPJOB_TESTKIT_TAPE_FILES_H

#include <stddef.h>
#include <stdint.h>

#include "npjob-testkit/tape.h"

struct tape_file {
    char name[64]; /* without ".tape" */
    size_t size;
    uint8_t bytes[NPJT_TAPE_MAX];
};

/** Reads a tape as bytes; what lies beyond NPJT_TAPE_MAX says nothing. @return its size. */
size_t tape_of_bytes(const char *path, uint8_t tape[NPJT_TAPE_MAX]);

/** Reads one in its text form. @return its size. */
size_t tape_of_text(const char *path, uint8_t tape[NPJT_TAPE_MAX]);

/**
 * Reads every tape of a folder, NAME.tape as text and NAME as bytes, in the order of their names.
 * @param count receives how many there are.
 * @return an array; the caller frees it.
 */
struct tape_file *tape_files(const char *folder, size_t *count);

#endif
