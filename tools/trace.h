/* SPDX-License-Identifier: MIT */
/** @file One line for each event that meets a job. */
#ifndef NPJ_TRACE_H
#define NPJ_TRACE_H

#include <stdio.h>

#include "npjob/npjob.h"

/** Prints `job 1: OPEN -- CLOSE --> CLOSING SUCCESS`, with @p job as the number. */
void trace_print(FILE *out, uint64_t job, const npj_trace *trace);

#endif
