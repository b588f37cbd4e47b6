/* SPDX-License-Identifier: MIT */
/*
 * One case for each (state, event, outcome). The assembler statements are empty, but differ in their operand, so that
 * the compiler keeps every case as a basic block. An extra counter for each (libFuzzer's __libfuzzer_extra_counters)
 * would do for one fuzzer only, and is slower.
 *
 * To be built with edge coverage but without comparison tracing: that walks a switch's table of 2,048 values on every
 * call.
 */
#include "edges.h"

#include <assert.h>

/* Every outcome that a cell can have. Whatever else an engine says shares the last. */
#define OUTCOME_LIST(X)                                                                                                \
    X(INVALID_HANDLE)                                                                                                  \
    X(INVALID_PARAMETER)                                                                                               \
    X(INVALID_PIPE_STATE)                                                                                              \
    X(PIPE_CLOSING)                                                                                                    \
    X(PIPE_BROKEN)                                                                                                     \
    X(QUOTA_EXCEEDED) X(INSUFF_SERVER_RESOURCES) X(INSUFFICIENT_RESOURCES) X(NOT_FOUND) X(SERVER_SHUTDOWN_IN_PROGRESS)

enum outcome {
    OUTCOME_TAKEN,
#define X(name) OUTCOME_##name,
    OUTCOME_LIST(X)
#undef X
        OUTCOME_OTHER,
    OUTCOME_COUNT
};

enum { TRIPLES = (int)NPJ_STATE_COUNT * (int)NPJ_EVENT_COUNT * (int)OUTCOME_COUNT, CASES = 2048 };
static_assert((int)TRIPLES <= (int)CASES, "the switch is too short for the table");

static enum outcome outcome_of(npj_status status)
{
    switch (status) {
    case NPJ_STATUS_SUCCESS:
        return OUTCOME_TAKEN;
#define X(name)                                                                                                        \
    case NPJ_STATUS_##name:                                                                                            \
        return OUTCOME_##name;
        OUTCOME_LIST(X)
#undef X
    default:
        return OUTCOME_OTHER;
    }
}

#define CASE(n)                                                                                                        \
    case (n):                                                                                                          \
        __asm__ volatile("" ::"i"(n));                                                                                 \
        break;
#define CASES_8(n)                                                                                                     \
    CASE((n) + 0)                                                                                                      \
    CASE((n) + 1) CASE((n) + 2) CASE((n) + 3) CASE((n) + 4) CASE((n) + 5) CASE((n) + 6) CASE((n) + 7)
#define CASES_64(n)                                                                                                    \
    CASES_8((n) + 0)                                                                                                   \
    CASES_8((n) + 8)                                                                                                   \
    CASES_8((n) + 16) CASES_8((n) + 24) CASES_8((n) + 32) CASES_8((n) + 40) CASES_8((n) + 48) CASES_8((n) + 56)
#define CASES_512(n)                                                                                                   \
    CASES_64((n) + 0)                                                                                                  \
    CASES_64((n) + 64)                                                                                                 \
    CASES_64((n) + 128)                                                                                                \
    CASES_64((n) + 192) CASES_64((n) + 256) CASES_64((n) + 320) CASES_64((n) + 384) CASES_64((n) + 448)

/* Two thousand cases, written by macros. NOLINTNEXTLINE(readability-function-size) */
void fuzz_edge(const npj_trace *trace)
{
    if (trace->kind != NPJ_TRACE_EVENT || (unsigned)trace->from >= NPJ_STATE_COUNT ||
        (unsigned)trace->event >= NPJ_EVENT_COUNT) {
        return; /* what an engine's cap refused shows in its own edges */
    }
    const int cell = (int)trace->from * (int)NPJ_EVENT_COUNT + (int)trace->event;
    switch (cell * (int)OUTCOME_COUNT + (int)outcome_of(trace->status)) {
        CASES_512(0)
        CASES_512(512)
        CASES_512(1024)
        CASES_512(1536)
    default:
        break;
    }
}
