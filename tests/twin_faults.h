/* SPDX-License-Identifier: MIT */
/* npjob with faults that show in the difference between two plays of a script only. */
#ifndef NPJOB_TESTS_TWIN_FAULTS_H
#define NPJOB_TESTS_TWIN_FAULTS_H

#include "npjob-testkit/twin.h"

struct twin_fault {
    const char *name;
    npjt_relation relation; /* the one that finds it */
    const char *sentence;   /* a part of what it says */
    const uint8_t *script;
    size_t size;
    npjt_subject subject;
};

/* The faults; @p count receives how many. */
const struct twin_fault *twin_faults(size_t *count);

/* npjob, but each write leaves a block behind until the engine is freed by the allocator's owner. */
const npjt_subject *twin_leaky(void);

/* A script in which two jobs come to their end; @p size receives its length. */
const uint8_t *twin_plain_script(size_t *size);

#endif
