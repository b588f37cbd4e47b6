/* SPDX-License-Identifier: MIT */
/* The transition table: every cell, by hand. */
#include "engine.h"

/* TO(state): taken, and the state after it. NO(status): refused. */
#define TO(name) {NPJ_STATUS_SUCCESS, NPJ_STATE_##name}
#define NO(name) {NPJ_STATUS_##name, NPJ_STATE_COUNT}

#define NO_HANDLE NO(INVALID_HANDLE)
#define NO_STATE  NO(INVALID_PIPE_STATE)
#define NO_CLOSED NO(PIPE_CLOSING)
#define NO_BROKEN NO(PIPE_BROKEN)
#define NO_WRITE  NO(NOT_FOUND)

/*
 * A row has exactly one cell for each event; the macro that takes it apart has exactly as many parameters, and the
 * assertions below count rows and states. So the table is total, or does not compile.
 */
/* clang-format off */
#define TABLE(ROW)                                                                                                               \
/*  state           CONNECT         WRITE           CLOSE               CANCEL          ABORT               CLIENT_GONE         PROVIDER_GONE       EXPIRE              ADDED          OPENED          WRITTEN        DONE                FAILED              FINISH       */ \
ROW(ADDING,         TO(ADDING),     TO(ADDING),     TO(ADDING),         TO(ADDING),     TO(ABORTING),       TO(ABORTING),       TO(ABORTING),       TO(ABORTING),       TO(ADDING),    NO_HANDLE,      NO_HANDLE,     NO_HANDLE,          TO(ABORTING),       TO(ADDED))          \
ROW(ADDED,          TO(ADDED),      NO_STATE,       NO_STATE,           NO_WRITE,       TO(ABORTING),       TO(ABORTING),       TO(ABORTING),       TO(ABORTING),       NO_HANDLE,     NO_HANDLE,      NO_HANDLE,     NO_HANDLE,          NO_HANDLE,          TO(CONNECTING))     \
ROW(CONNECTING,     NO_STATE,       TO(CONNECTING), TO(CONNECTING),     TO(CONNECTING), TO(ABORTING),       TO(ABORTING),       TO(ABORTING),       TO(ABORTING),       NO_HANDLE,     TO(CONNECTING), NO_HANDLE,     NO_HANDLE,          TO(ABORTING),       TO(OPEN))           \
ROW(OPEN,           NO_STATE,       TO(OPEN),       TO(OPEN),           TO(OPEN),       TO(ABORTING),       TO(ABORTING),       TO(ABORTING),       TO(ABORTING),       NO_HANDLE,     NO_HANDLE,      TO(OPEN),      NO_HANDLE,          TO(ABORTING),       TO(CLOSING))        \
ROW(CLOSING,        NO_STATE,       NO_CLOSED,      NO_CLOSED,          TO(CLOSING),    TO(ABORTING),       TO(CLOSING),        TO(ABORTING),       TO(ABORTING),       NO_HANDLE,     NO_HANDLE,      TO(CLOSING),   NO_HANDLE,          TO(ABORTING),       TO(CLEANUP))        \
ROW(CLEANUP,        NO_STATE,       NO_CLOSED,      NO_CLOSED,          NO_WRITE,       TO(CLEANUP_FAILED), TO(CLEANUP),        TO(CLEANUP_FAILED), TO(CLEANUP_FAILED), NO_HANDLE,     NO_HANDLE,      NO_HANDLE,     TO(CLEANUP),        TO(CLEANUP_FAILED), TO(SCHEDULING))     \
ROW(SCHEDULING,     NO_STATE,       NO_CLOSED,      NO_CLOSED,          NO_WRITE,       TO(ABORTING),       TO(SCHEDULING),     TO(ABORTING),       TO(ABORTING),       NO_HANDLE,     NO_HANDLE,      NO_HANDLE,     TO(SCHEDULING),     TO(ABORTING),       TO(GONE))           \
ROW(ABORTING,       NO_STATE,       NO_BROKEN,      TO(ABORTING),       NO_WRITE,       TO(ABORTING),       TO(ABORTING),       TO(ABORTING),       TO(ABORTING),       TO(ABORTING),  TO(ABORTING),   TO(ABORTING),  TO(ABORTING),       TO(ABORTING),       TO(CLEANUP_FAILED)) \
ROW(CLEANUP_FAILED, NO_STATE,       NO_BROKEN,      TO(CLEANUP_FAILED), NO_WRITE,       TO(CLEANUP_FAILED), TO(CLEANUP_FAILED), TO(CLEANUP_FAILED), TO(CLEANUP_FAILED), NO_HANDLE,     NO_HANDLE,      NO_HANDLE,     TO(CLEANUP_FAILED), TO(CLEANUP_FAILED), TO(ABANDONING))     \
ROW(ABANDONING,     NO_STATE,       NO_BROKEN,      TO(ABANDONING),     NO_WRITE,       TO(ABANDONING),     TO(ABANDONING),     TO(ABANDONING),     TO(ABANDONING),     NO_HANDLE,     NO_HANDLE,      NO_HANDLE,     TO(ABANDONING),     TO(ABANDONING),     TO(BROKEN))         \
ROW(BROKEN,         NO_STATE,       NO_BROKEN,      TO(BROKEN),         NO_WRITE,       TO(BROKEN),         TO(BROKEN),         TO(BROKEN),         TO(BROKEN),         NO_HANDLE,     NO_HANDLE,      NO_HANDLE,     NO_HANDLE,          NO_HANDLE,          TO(GONE))           \
ROW(GONE,           NO_HANDLE,      NO_HANDLE,      NO_HANDLE,          NO_WRITE,       NO_HANDLE,          TO(GONE),           TO(GONE),           TO(GONE),           NO_HANDLE,     NO_HANDLE,      NO_HANDLE,     NO_HANDLE,          NO_HANDLE,          TO(GONE))
/* clang-format on */

#define CELLS(state, connect, write, close, cancel, abort, client_gone, provider_gone, expire, added, opened, written, \
              done, failed, finish)                                                                                    \
    [NPJ_STATE_##state] = {                                                                                            \
        [NPJ_EVENT_CONNECT] = connect,                                                                                 \
        [NPJ_EVENT_WRITE] = write,                                                                                     \
        [NPJ_EVENT_CLOSE] = close,                                                                                     \
        [NPJ_EVENT_CANCEL] = cancel,                                                                                   \
        [NPJ_EVENT_ABORT] = abort,                                                                                     \
        [NPJ_EVENT_CLIENT_GONE] = client_gone,                                                                         \
        [NPJ_EVENT_PROVIDER_GONE] = provider_gone,                                                                     \
        [NPJ_EVENT_EXPIRE] = expire,                                                                                   \
        [NPJ_EVENT_ADDED] = added,                                                                                     \
        [NPJ_EVENT_OPENED] = opened,                                                                                   \
        [NPJ_EVENT_WRITTEN] = written,                                                                                 \
        [NPJ_EVENT_DONE] = done,                                                                                       \
        [NPJ_EVENT_FAILED] = failed,                                                                                   \
        [NPJ_EVENT_FINISH] = finish,                                                                                   \
    },

static const npj_cell table[NPJ_STATE_COUNT][NPJ_EVENT_COUNT] = {TABLE(CELLS)};

/* As many rows as states, and their bits add up to all states: each state has one row. */
#define ONE(state, ...) +1
#define BIT(state, ...) +(1 << NPJ_STATE_##state)
_Static_assert(0 TABLE(ONE) == NPJ_STATE_COUNT, "a row for each state");
_Static_assert(0 TABLE(BIT) == (1 << NPJ_STATE_COUNT) - 1, "each state has its row");
_Static_assert(NPJ_EVENT_COUNT == 14, "a row has a cell for each event");

npj_cell npji_cell(const struct npji_job *job, npj_event event)
{
    return table[job->state][event];
}

npj_cell npj_table_cell(npj_state state, npj_event event)
{
    if ((unsigned)state >= NPJ_STATE_COUNT || (unsigned)event >= NPJ_EVENT_COUNT)
        return (npj_cell){NPJ_STATUS_INVALID_PARAMETER, state};
    npj_cell cell = table[state][event];
    if (cell.status != NPJ_STATUS_SUCCESS)
        cell.next = state;
    return cell;
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
