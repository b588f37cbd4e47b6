/* SPDX-License-Identifier: MIT */
/** @file Faulty servers: npjob with one fault put before it. */
#ifndef NPJOB_TESTS_DRIVER_FAULTS_H
#define NPJOB_TESTS_DRIVER_FAULTS_H

#include "npjob-testkit/driver.h"

struct fault {
    const char *name;
    unsigned law;         /**< the law that it breaks */
    const char *tape;     /**< an order of events in which it shows, as text */
    npjt_subject subject; /**< the faulty server */
    const char *says;     /**< what the finding must say, where the words matter; or NULL */
};

/** All of them. */
const struct fault *driver_faults(size_t *count);

/** The one of this name, with nothing remembered. That there is none ends the test. */
const struct fault *driver_fault_of(const char *name);

/** A new server that traces nothing, which is no fault. */
npj_status driver_fault_untraced(const npj_config *config, void **out);

/** Before each run: what a fault remembers is forgotten. */
void driver_fault_reset(void);

#endif
