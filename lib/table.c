/* SPDX-License-Identifier: MIT */
/* The transition table: every cell, by hand. */
#include "engine.h"

/*
 * What a cell can say. Each takes the state of its row.
 *
 *     STAY      taken: facts are recorded, the state stays
 *     FAIL      taken: the job has failed, and an operation may have to return first
 *     CLEAN     taken: the job has failed, and its CLOSE_PIPE is under way or comes next
 *     the rest  refused, with the status of that name
 *
 * The last cell of a row is the state that follows when the work of this one is finished.
 */
#define STAY(state)   {NPJ_STATUS_SUCCESS, NPJ_STATE_##state}
#define FAIL(state)   {NPJ_STATUS_SUCCESS, NPJ_STATE_ABORTING}
#define CLEAN(state)  {NPJ_STATUS_SUCCESS, NPJ_STATE_CLEANUP_FAILED}
#define HANDLE(state) {NPJ_STATUS_INVALID_HANDLE, NPJ_STATE_##state}
#define STATE(state)  {NPJ_STATUS_INVALID_PIPE_STATE, NPJ_STATE_##state}
#define CLOSED(state) {NPJ_STATUS_PIPE_CLOSING, NPJ_STATE_##state}
#define BROKEN(state) {NPJ_STATUS_PIPE_BROKEN, NPJ_STATE_##state}
#define ABSENT(state) {NPJ_STATUS_NOT_FOUND, NPJ_STATE_##state}

/*
 * The macro that takes a row apart has exactly as many parameters as there are events, and the assertions below count
 * rows and states. So the table is total, or does not compile.
 */
/* clang-format off */
#define TABLE(ROW) \
/*                  connect write   close   cancel  abort   client provider expire added   opened  written done    failed  finished */     \
ROW(ADDING,         STAY,   STAY,   STAY,   STAY,   FAIL,   FAIL,  FAIL,    FAIL,  STAY,   HANDLE, HANDLE, HANDLE, FAIL,   ADDED)          \
ROW(ADDED,          STAY,   STATE,  STATE,  ABSENT, FAIL,   FAIL,  FAIL,    FAIL,  HANDLE, HANDLE, HANDLE, HANDLE, HANDLE, CONNECTING)     \
ROW(CONNECTING,     STATE,  STAY,   STAY,   STAY,   FAIL,   FAIL,  FAIL,    FAIL,  HANDLE, STAY,   HANDLE, HANDLE, FAIL,   OPEN)           \
ROW(OPEN,           STATE,  STAY,   STAY,   STAY,   FAIL,   FAIL,  FAIL,    FAIL,  HANDLE, HANDLE, STAY,   HANDLE, FAIL,   CLOSING)        \
ROW(CLOSING,        STATE,  CLOSED, CLOSED, STAY,   FAIL,   STAY,  FAIL,    FAIL,  HANDLE, HANDLE, STAY,   HANDLE, FAIL,   CLEANUP)        \
ROW(CLEANUP,        STATE,  CLOSED, CLOSED, ABSENT, CLEAN,  STAY,  CLEAN,   CLEAN, HANDLE, HANDLE, HANDLE, STAY,   CLEAN,  SCHEDULING)     \
ROW(SCHEDULING,     STATE,  CLOSED, CLOSED, ABSENT, FAIL,   STAY,  FAIL,    FAIL,  HANDLE, HANDLE, HANDLE, STAY,   FAIL,   GONE)           \
ROW(ABORTING,       STATE,  BROKEN, STAY,   ABSENT, STAY,   STAY,  STAY,    STAY,  STAY,   STAY,   STAY,   STAY,   STAY,   CLEANUP_FAILED) \
ROW(CLEANUP_FAILED, STATE,  BROKEN, STAY,   ABSENT, STAY,   STAY,  STAY,    STAY,  HANDLE, HANDLE, HANDLE, STAY,   STAY,   ABANDONING)     \
ROW(ABANDONING,     STATE,  BROKEN, STAY,   ABSENT, STAY,   STAY,  STAY,    STAY,  HANDLE, HANDLE, HANDLE, STAY,   STAY,   BROKEN)         \
ROW(BROKEN,         STATE,  BROKEN, STAY,   ABSENT, STAY,   STAY,  STAY,    STAY,  HANDLE, HANDLE, HANDLE, HANDLE, HANDLE, GONE)           \
ROW(GONE,           HANDLE, HANDLE, HANDLE, ABSENT, HANDLE, STAY,  STAY,    STAY,  HANDLE, HANDLE, HANDLE, HANDLE, HANDLE, GONE)
/* clang-format on */

#define CELLS(state, connect, write, close, cancel, abort, client_gone, provider_gone, expire, added, opened, written, \
              done, failed, finish)                                                                                    \
    [NPJ_STATE_##state] = {                                                                                            \
        [NPJ_EVENT_CONNECT] = connect(state),                                                                          \
        [NPJ_EVENT_WRITE] = write(state),                                                                              \
        [NPJ_EVENT_CLOSE] = close(state),                                                                              \
        [NPJ_EVENT_CANCEL] = cancel(state),                                                                            \
        [NPJ_EVENT_ABORT] = abort(state),                                                                              \
        [NPJ_EVENT_CLIENT_GONE] = client_gone(state),                                                                  \
        [NPJ_EVENT_PROVIDER_GONE] = provider_gone(state),                                                              \
        [NPJ_EVENT_EXPIRE] = expire(state),                                                                            \
        [NPJ_EVENT_ADDED] = added(state),                                                                              \
        [NPJ_EVENT_OPENED] = opened(state),                                                                            \
        [NPJ_EVENT_WRITTEN] = written(state),                                                                          \
        [NPJ_EVENT_DONE] = done(state),                                                                                \
        [NPJ_EVENT_FAILED] = failed(state),                                                                            \
        [NPJ_EVENT_FINISH] = {NPJ_STATUS_SUCCESS, NPJ_STATE_##finish},                                                 \
    },

const npj_cell npji_table[NPJ_STATE_COUNT][NPJI_ROW] = {TABLE(CELLS)};

/* As many rows as states, and their bits add up to all states: each state has one row. They are strung
 * together, so that no brackets may stand around them. NOLINTBEGIN(bugprone-macro-parentheses) */
#define ONE(state, ...) +1
#define BIT(state, ...) +(1 << NPJ_STATE_##state)
/* NOLINTEND(bugprone-macro-parentheses) */
_Static_assert(0 TABLE(ONE) == NPJ_STATE_COUNT, "a row for each state");
_Static_assert(0 TABLE(BIT) == (1 << NPJ_STATE_COUNT) - 1, "each state has its row");
_Static_assert(NPJ_EVENT_COUNT == 14, "a row has a cell for each event");

npj_cell npj_table_cell(npj_state state, npj_event event)
{
    if ((unsigned)state >= NPJ_STATE_COUNT || (unsigned)event >= NPJ_EVENT_COUNT)
        return (npj_cell){NPJ_STATUS_INVALID_PARAMETER, state};
    return npji_table[state][event];
}

const char *npj_state_name(npj_state state)
{
    static const char *const names[] = {
#define NPJ_X(name) #name,
        NPJ_STATE_LIST(NPJ_X)
#undef NPJ_X
    };
    return (unsigned)state < NPJ_STATE_COUNT ? names[state] : "(unknown)";
}

const char *npj_event_name(npj_event event)
{
    static const char *const names[] = {
#define NPJ_X(name) #name,
        NPJ_EVENT_LIST(NPJ_X)
#undef NPJ_X
    };
    return (unsigned)event < NPJ_EVENT_COUNT ? names[event] : "(unknown)";
}
