/* SPDX-License-Identifier: MIT */
/* The twins of a test, and what they came to last. */
#ifndef NPJOB_TESTS_TWIN_SUPPORT_H
#define NPJOB_TESTS_TWIN_SUPPORT_H

#include "twin_faults.h"

extern npjt_twin *twin;
extern npjt_twin_result result;
extern char sentence[512];
extern const uint8_t *plain;
extern size_t plain_size;

void set_up(void);
void tear_down(void);

/* Plays a script by a relation. @return whether nothing was found; if something was, @c sentence says what. */
bool play(const npjt_subject *subject, const uint8_t *script, size_t size, npjt_relation relation);

#endif
