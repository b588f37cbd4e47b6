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

/* The steps of a script. */
#define STEP(kind, lane, a, b) (NPJT_TWIN_##kind | (lane) << 4), (a), (b)
#define STARVED(kind, lane, a) (NPJT_TWIN_##kind | (lane) << 4 | 128), (a), 0
#define DO(kind, lane)         STEP(kind, lane, 0, 0)
#define OPEN(lane)             DO(ADD, lane), DO(DRAIN, 0), DO(COMPLETE, lane), DO(CONNECT, lane), DO(DRAIN, 0), DO(COMPLETE, lane)
#define END(lane)                                                                                                      \
    DO(CLOSE, lane), DO(DRAIN, 0), DO(COMPLETE, lane), DO(DRAIN, 0), DO(COMPLETE, lane), DO(DRAIN, 0),                 \
        DO(COMPLETE, lane)

/* The faults; @p count receives how many. */
const struct twin_fault *twin_faults(size_t *count);

/* npjob, but one member of what it says is another once it has been queried. @return whether there is one of this @p
 * index: it is the one that counts until another is asked for. */
bool twin_member(size_t index, npjt_subject *subject);

/* The same of what one of its calls returns, which is then PIPE_BUSY; @p call receives its name. */
bool twin_liar(size_t index, npjt_subject *subject, const char **call);

/* npjob, but the first job that is added has its turn behind the second, once there was a query. */
npjt_subject twin_disorder(void);

/* A script with a query in it, and much to be said behind it, by each call. */
const uint8_t *twin_queried_script(size_t *size);

/* A script in which two jobs come to their end; @p size receives its length. */
const uint8_t *twin_plain_script(size_t *size);

#endif
