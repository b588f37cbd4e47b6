/* SPDX-License-Identifier: MIT */
/**
 * @file
 * Makes a tape that breaks a law small enough to be read.
 */
#ifndef NPJOB_TESTKIT_SHRINK_H
#define NPJOB_TESTKIT_SHRINK_H

#include <stddef.h>
#include <stdint.h>

#include "npjob-testkit/driver.h"
#include "npjob-testkit/subject.h"
#include "npjob-testkit/tape.h"

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Takes away records, and sets operands and the header to their first meaning, fault_at to 0, for as long as the same
 * law is broken. No single record of the result can be left out, and no two that follow each other. A tape of N records
 * is played some N log2(N) times, and 2 N times more for each round in which one or two could still be left out.
 *
 * @param subject the server that breaks the law. It must survive that: a crash ends the program. It is not freed after
 *                a finding, see npjt_options.finding.
 * @param options of these laws_off, model and the fault are heeded, as in the run that found it. With the model a tape
 *                may come to differ in another way than at first. NULL: all laws, no model.
 * @param tape    borrowed for the call.
 * @param out     receives the tape; NPJT_TAPE_MAX bytes are always enough. May be @p tape.
 * @param out_size receives its length, at most @p size rounded up to a header.
 * @return the law that it breaks; -1 if @p tape breaks none, or memory is out: then nothing is written.
 */
int npjt_shrink(const npjt_subject *subject, const npjt_options *options, const uint8_t *tape, size_t size,
                uint8_t *out, size_t *out_size);

#ifdef __cplusplus
}
#endif

#endif
