/* SPDX-License-Identifier: MIT */
/** @file The seeds of the corpus, as text or as the build has assembled them, for the programs that replay them. */
#ifndef NPJOB_TESTS_TAPE_FILES_H
#define NPJOB_TESTS_TAPE_FILES_H

#include <stddef.h>
#include <stdint.h>

#include "npjob-testkit/tape.h"

struct tape_file {
    char name[64]; /* without ".tape" */
    size_t size;
    uint8_t bytes[NPJT_TAPE_MAX];
};

/**
 * Reads every tape of a folder, NAME.tape as text and NAME as bytes, in the order of their names. Ends the program with
 * a line on the standard error if that cannot be done.
 * @param count receives how many there are.
 * @return an array; the caller frees it.
 */
struct tape_file *tape_files(const char *folder, size_t *count);

#endif
