/* SPDX-License-Identifier: MIT */
/**
 * @file
 * Makes a tape that breaks a law small enough to be read.
 */
#ifndef NPJOB_TESTKIT_SHRINK_H
#define NPJOB_TESTKIT_SHRINK_H

#include <stddef.h>
#include <stdint.h>

#include "npjob-testkit/subject.h"
#include "npjob-testkit/tape.h"

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Takes away records, and sets operands and the header to their first meaning, for as long as the same law is broken.
 * No single record of the result can be left out. Plays the tape some thousand times.
 *
 * @param subject the server that breaks the law. It must survive that: a crash ends the program.
 * @param tape    borrowed for the call.
 * @param out     receives the tape; NPJT_TAPE_MAX bytes are always enough. May be @p tape.
 * @param out_size receives its length, at most @p size rounded up to a header.
 * @return the law that it breaks; -1 if @p tape breaks none, or memory is out: then nothing is written.
 */
int npjt_shrink(const npjt_subject *subject, const uint8_t *tape, size_t size, uint8_t *out, size_t *out_size);

/**
 * The same with the reference model beside the server (npjt_options.model), for a tape on which they differ. They may
 * come to differ in another way than at first.
 */
int npjt_shrink_difference(const npjt_subject *subject, const uint8_t *tape, size_t size, uint8_t *out,
                           size_t *out_size);

#ifdef __cplusplus
}
#endif

#endif
