/* SPDX-License-Identifier: MIT */
/** @file A command line: taken apart into words once, and filled with a job's values for each run. */
#ifndef NPJOB_POSIX_WORDS_H
#define NPJOB_POSIX_WORDS_H

#include <stddef.h>

#include "npjob-posix/provider.h"

/** The values of a job, by their letters: p, J, u, s, j, r. None is NULL where the command may ask for it. */
typedef struct npjpi_values {
    const char *printer;
    const char *name;
    const char *user;
    const char *client;
    const char *job_id;
    const char *reason;
} npjpi_values;

/** The words, quotes taken away and values still to be put in, one behind the other, each with its terminator. */
typedef struct npjpi_words {
    char *text;
    size_t length; /**< of the text */
    size_t count;  /**< at least 1 */
} npjpi_words;

/**
 * Takes a line apart.
 *
 * @param text  receives the words: strlen(line) + 1 bytes are always enough. The words point to it. NULL: the line is
 *              only checked.
 * @param wrong receives what is wrong with the line, NPJP_WRONG_MAX bytes.
 * @return NPJ_STATUS_SUCCESS; NPJ_STATUS_INVALID_PARAMETER.
 */
npj_status npjpi_words_split(npjpi_words *words, char *text, npjp_command which, const char *line, char *wrong);

/** How many bytes the filled words take, terminators included. Values that are cleaned do not become longer. */
size_t npjpi_words_size(const npjpi_words *words, const npjpi_values *values);

/**
 * Fills the words in.
 *
 * @param room receives the bytes, npjpi_words_size() of them at most.
 * @param argv receives count pointers, and NULL.
 */
void npjpi_words_fill(const npjpi_words *words, const npjpi_values *values, char *room, char **argv);

#endif
