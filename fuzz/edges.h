/* SPDX-License-Identifier: MIT */
/*
 * What happened to a job, as control flow: each (state, event, outcome) is a branch of its own, so that a fuzzer that
 * follows edges follows the transition table too.
 */
#ifndef NPJOB_FUZZ_EDGES_H
#define NPJOB_FUZZ_EDGES_H

#include "npjob/npjob.h"

/** Takes the branch that belongs to @p trace: a cell of the table, and whether it was taken or by which class of status
 * it was refused. Does nothing else. */
void fuzz_edge(const npj_trace *trace);

#endif
