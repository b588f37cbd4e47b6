/* SPDX-License-Identifier: MIT */
/* npjob with faults that show only when an allocation fails, or look like one that has. */
#ifndef NPJOB_TESTS_OOM_FAULTS_H
#define NPJOB_TESTS_OOM_FAULTS_H

#include "npjob-testkit/driver.h"

struct oom_fault {
    const char *name;
    int law; /* that must be found broken */
    npjt_subject subject;
};

/* The faults; @p count receives how many. */
const struct oom_fault *oom_faults(size_t *count);

#endif
