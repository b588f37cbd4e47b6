/* SPDX-License-Identifier: MIT */
/** @file The table as the contract has it, written by hand, and the way of a real job into each of its cells. */
#ifndef NPJOB_TESTS_TABLE_EXPECT_H
#define NPJOB_TESTS_TABLE_EXPECT_H

#include "support.h"

/** What is expected of one cell. */
struct expectation {
    npj_status status; /**< SUCCESS where the event is taken */
    npj_state next;    /**< of the cell */
    npj_state settled; /**< where the job of bring_to() stands after the call, once the engine has finished what is
                          finished */
};

/** The expectation of one cell. */
struct expectation expectation_of(npj_state state, npj_event event);

/** Brings a job of COOKIE into @p state, such that @p event can meet it there and no guard of the job stands before the
 * cell. */
struct job bring_to(struct host *h, npj_state state, npj_event event);

/** Presents @p event to a job of bring_to(). NPJ_EVENT_FINISH: what makes the state finished. Returns what the call
 * returned. */
npj_status present(struct host *h, struct job *job, npj_state state, npj_event event);

/** What a call returns whose event is taken: PENDING for a request, else SUCCESS. */
npj_status answer_of(npj_state state, npj_event event);

/** Whether the event reaches the job at all: a stale or forged handle names none, and GONE has no handles. */
bool meets_the_job(npj_state state, npj_event event);

#endif
