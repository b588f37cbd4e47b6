/* SPDX-License-Identifier: MIT */
/** @file Faulty servers for the reference model: npjob with one fault put before it. */
#ifndef NPJOB_TESTS_MODEL_FAULTS_H
#define NPJOB_TESTS_MODEL_FAULTS_H

#include "npjob-testkit/driver.h"

struct model_fault {
    const char *name;
    int law;              /**< the law that finds it without the model; -1: none does */
    const char *tape;     /**< an order of events in which it shows, as text */
    npjt_subject subject; /**< the faulty server */
};

/** All of them. */
const struct model_fault *model_faults(size_t *count);

/** Before each run: what a fault remembers is forgotten. */
void model_fault_reset(void);

#endif
