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

/** A server of which one member of an action, of a job or of the statistics is not as the model says. */
struct model_member {
    const char *says; /**< what the finding must say */
    const char *tape; /**< an order of events in which it shows, as text */
    npjt_subject subject;
};

/** The one of this index, which is the one that counts until another is asked for. @return false beyond the last. */
bool model_member(size_t index, struct model_member *out);

#endif
