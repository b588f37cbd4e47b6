/* SPDX-License-Identifier: MIT */
/**
 * @file
 * The transition table of a job: every state, every event, every cell. A job's state changes in no other way.
 *
 * A state is left in two ways only: its own work is finished (NPJ_EVENT_FINISH), or the job fails. Requests and
 * completions otherwise leave the state where it is and record facts, from which the engine judges whether the state is
 * finished.
 */
#ifndef NPJOB_TABLE_H
#define NPJOB_TABLE_H

#include "npjob/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/** The states of a job. Beside each: the operation that it issues, and when it is finished. */
#define NPJ_STATE_LIST(X)                                                                                              \
    X(ADDING)         /* ADD_JOB: until the provider has the job */                                                    \
    X(ADDED)          /* none: until a connect has been accepted */                                                    \
    X(CONNECTING)     /* OPEN: until the pipe is open */                                                               \
    X(OPEN)           /* WRITE: until a close has been accepted */                                                     \
    X(CLOSING)        /* WRITE: until every accepted write is answered */                                              \
    X(CLEANUP)        /* CLOSE_PIPE: until the pipe is closed */                                                       \
    X(SCHEDULING)     /* SCHEDULE_JOB: until the provider has taken the job */                                         \
    X(ABORTING)       /* failed; none: until the operation in flight has returned */                                   \
    X(CLEANUP_FAILED) /* failed; CLOSE_PIPE if the pipe is open: until it is not */                                    \
    X(ABANDONING)     /* failed; ABANDON_JOB if the provider has the job: until it has not */                          \
    X(BROKEN)         /* failed; none: until close, abort, client_gone or shutdown by abort */                         \
    X(GONE)           /* ended; none: until the host has taken what is left to tell it. No handle reaches it */

typedef enum npj_state {
#define NPJ_X(name) NPJ_STATE_##name,
    NPJ_STATE_LIST(NPJ_X)
#undef NPJ_X
        NPJ_STATE_COUNT
} npj_state;

/** The events of a job. */
#define NPJ_EVENT_LIST(X)                                                                                              \
    X(CONNECT)       /* npj_connect() */                                                                               \
    X(WRITE)         /* npj_write() */                                                                                 \
    X(CLOSE)         /* npj_close() */                                                                                 \
    X(CANCEL)        /* npj_cancel() of a write */                                                                     \
    X(ABORT)         /* npj_abort() */                                                                                 \
    X(CLIENT_GONE)   /* npj_client_gone() */                                                                           \
    X(PROVIDER_GONE) /* npj_provider_gone() */                                                                         \
    X(EXPIRE)        /* a deadline of the job passed, or shutdown by abort */                                          \
    X(ADDED)         /* npj_job_added() with a pipe */                                                                 \
    X(OPENED)        /* npj_opened() with success */                                                                   \
    X(WRITTEN)       /* npj_written(), which has failed neither the operation nor the job */                           \
    X(DONE)          /* npj_done() with success */                                                                     \
    X(FAILED)        /* a completion fails the operation, or the job; or a cancelled write its close */                \
    X(FINISH)        /* the state's own work is finished (engine) */

typedef enum npj_event {
#define NPJ_X(name) NPJ_EVENT_##name,
    NPJ_EVENT_LIST(NPJ_X)
#undef NPJ_X
        NPJ_EVENT_COUNT
} npj_event;

/**
 * One cell of the table. @c status is NPJ_STATUS_SUCCESS where the event is taken, else the error that refuses it. A
 * cell that takes an event may still be refused by what the job has already seen: a second connect
 * (INVALID_PIPE_STATE), a write or close without an accepted connect (INVALID_PIPE_STATE; but the close of a failed job
 * is taken) or after an accepted close (PIPE_CLOSING), a stale operation (INVALID_HANDLE), a write that is not pending
 * (NOT_FOUND). client_gone leaves a job alone whose close was accepted. The table knows neither arguments nor limits: a
 * write or an abort whose arguments are bad is INVALID_PARAMETER, but where the cell says INVALID_HANDLE; and a limit,
 * or the allocator, may refuse a write that is taken here, as npj_write() says.
 */
typedef struct npj_cell {
    npj_status status;
    npj_state next; /**< the state after the event; the same state where it is refused */
} npj_cell;

/** The cell of @p state and @p event. Either out of range: {NPJ_STATUS_INVALID_PARAMETER, state}. */
npj_cell npj_table_cell(npj_state state, npj_event event);

/** The name of a state or event, "CONNECTING", "PROVIDER_GONE"; "(unknown)" when out of range. Static, never NULL. */
const char *npj_state_name(npj_state state);
const char *npj_event_name(npj_event event);

#ifdef __cplusplus
}
#endif

#endif
