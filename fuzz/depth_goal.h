/* SPDX-License-Identifier: MIT */
/*
 * A deep state, to measure how soon a fuzzer gets there: a job has as many packets pending as its limit allows, at
 * least sixteen, and then all but two of these very packets are cancelled while the other two are still pending.
 *
 * It is npjob that is played, looked at through a subject of its own.
 */
#ifndef NPJOB_FUZZ_DEPTH_GOAL_H
#define NPJOB_FUZZ_DEPTH_GOAL_H

#include <stdint.h>

#include "npjob-testkit/subject.h"

/** A job of fewer packets is not deep. */
#define DEPTH_LEAST_PACKETS 16

/**
 * npjob, watched. One instance at a time.
 *
 * @param reached called when the state is reached, once for each time that a job is filled; @p packets is its limit.
 */
const npjt_subject *depth_subject(void (*reached)(uint32_t packets));

#endif
