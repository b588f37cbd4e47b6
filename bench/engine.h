/* SPDX-License-Identifier: MIT */
/** @file An engine as the benchmark's hosts need it: on malloc(), with jobs that are open. */
#ifndef NPJOB_BENCH_ENGINE_H
#define NPJOB_BENCH_ENGINE_H

#include "npjob/npjob.h"

/** Creates an engine for @p jobs jobs. Limits that the works would meet are out of their way, and so is the deadline of
 * a stall, which is armed but far; all else is as it is by default. */
npj_srv *bench_engine_new(uint32_t jobs);

/** Adds a job, and opens its pipe, in byte mode. @p number is its cookie. Nothing is left to be said of it. */
npj_job bench_engine_open(npj_srv *srv, uint64_t client, uint64_t provider, uint64_t number);

/** Ends an engine; it has to be well. */
void bench_engine_free(npj_srv *srv);

#endif
