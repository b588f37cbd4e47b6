/* SPDX-License-Identifier: MIT */
/** @file npj explore: what a search says, on the way and at its end. */
#ifndef NPJ_EXPLORE_H
#define NPJ_EXPLORE_H

#include <stdbool.h>
#include <stdint.h>

#include "npjob-testkit/explore.h"

/** Room for the path of a seed, and for its name alone. */
enum { EXPLORE_PATH = 4096, EXPLORE_NAME = 160 };

/** A seed that was written. */
typedef struct explore_seed {
    npj_state from, to;
    npj_event event;
    npj_status status;
    size_t size; /**< of its tape */
} explore_seed;

/** How a search is told. */
typedef struct explore_telling {
    bool json;         /**< the end as one JSON object a line */
    const char *seeds; /**< folder for a tape for each (state, event, outcome), or NULL. Names have room behind it. */
    /* What follows is the teller's own. */
    const npjt_scope *scope;
    double began, shown;
    explore_seed written[512];
    size_t written_count;
    bool trouble; /**< a file could not be written */
} explore_telling;

/** Begins to tell of @p scope. */
void explore_tell_begin(explore_telling *telling, const npjt_scope *scope);

/** @name For npjt_explore_options, with the telling as user @{ */
bool explore_tell_progress(void *user, const npjt_explored *so_far);
void explore_tell_finding(void *user, const char *sentence, const uint8_t *tape, size_t size);
void explore_tell_seed(void *user, const npj_trace *outcome, const uint8_t *tape, size_t size);
/** @} */

/** Prints the last line of a search. */
void explore_tell_end(explore_telling *telling, npjt_explore_end end, const npjt_explored *result);

#endif
