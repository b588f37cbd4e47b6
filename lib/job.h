/* SPDX-License-Identifier: MIT */
/*
 * The part of job.c that every write runs through, compiled into where it is asked: what the table says, the move, and
 * what the job has to say.
 */
#ifndef NPJOB_LIB_JOB_H
#define NPJOB_LIB_JOB_H

#include "engine.h"

/* ------------------------------------------------------------------------------------------- events and the table */

/* The job whose handle this is, or NULL. */
static inline struct npji_job *npji_job_of(const struct npj_srv *srv, npj_job handle)
{
    struct npji_job *job = npji_job_at(srv, handle);
    return job != NULL && job->handle == handle ? job : NULL;
}

/* What the table says to an event that came by a job's handle: @out is the job, or NULL if there is none. */
static inline npj_status npji_verdict(const struct npj_srv *srv, npj_job handle, npj_event event, struct npji_job **out)
{
    *out = npji_job_of(srv, handle);
    return *out != NULL ? npji_cell(*out, event).status : NPJ_STATUS_INVALID_HANDLE;
}

/* The event is taken, as the table's @cell says: the only writer of a job's state. */
static inline void npji_move_to(struct npj_srv *srv, struct npji_job *job, npj_event event, npj_cell cell)
{
    npj_state from = (npj_state)job->state;
    job->state = (uint8_t)cell.next;
    if (srv->config.trace != NULL)
        npji_trace_event(srv, job, event, from, NPJ_STATUS_SUCCESS);
}

static inline void npji_move(struct npj_srv *srv, struct npji_job *job, npj_event event)
{
    npji_move_to(srv, job, event, npji_cell(job, event));
}

/* -------------------------------------------------------------------------------------------- what a job has to say */

/* Whether the job's state calls for an operation, and for which. */
static inline bool npji_op_of(const struct npji_job *job, npj_action_kind *kind)
{
    static const struct {
        bool due;
        npj_action_kind kind;
    } ops[NPJ_STATE_COUNT] = {
        [NPJ_STATE_ADDING] = {true, NPJ_ADD_JOB},
        [NPJ_STATE_CONNECTING] = {true, NPJ_OPEN},
        [NPJ_STATE_OPEN] = {true, NPJ_WRITE},
        [NPJ_STATE_CLOSING] = {true, NPJ_WRITE},
        [NPJ_STATE_CLEANUP] = {true, NPJ_CLOSE_PIPE},
        [NPJ_STATE_SCHEDULING] = {true, NPJ_SCHEDULE_JOB},
        [NPJ_STATE_CLEANUP_FAILED] = {true, NPJ_CLOSE_PIPE},
        [NPJ_STATE_ABANDONING] = {true, NPJ_ABANDON_JOB},
    };
    *kind = ops[job->state].kind;
    return ops[job->state].due;
}

/* Whether one is called for that has not been taken. */
static inline bool npji_op_due(const struct npji_job *job, npj_action_kind *kind)
{
    return npji_op_of(job, kind) && !job->op && (*kind != NPJ_WRITE || npji_packets_waiting(&job->writes));
}

/* Whether the host has still to be told of a cancel. */
static inline bool npji_cancel_due(const struct npji_job *job)
{
    return (job->facts & (NPJI_CANCEL_ASKED | NPJI_CANCEL_TAKEN)) == NPJI_CANCEL_ASKED;
}

/* Whether a RESUME that is owed can be told. */
static inline bool npji_resume_due(const struct npj_srv *srv, const struct npji_job *job)
{
    return (job->facts & NPJI_RESUME_OWED) && npji_can_resume(srv, job);
}

static inline bool npji_has_action(const struct npj_srv *srv, const struct npji_job *job)
{
    npj_action_kind kind;
    return npji_packets_due(&job->writes) || (job->facts & NPJI_ANSWERED_ANY) || npji_cancel_due(job) ||
           npji_op_due(job, &kind) || npji_resume_due(srv, job);
}

/* ------------------------------------------------------------------------------------------------ conclusions */

/* Whether the work of the job's state is finished, or there is none. */
static inline bool npji_finished(const struct npj_srv *srv, const struct npji_job *job)
{
    uint32_t facts = job->facts;
    switch ((npj_state)job->state) {
    case NPJ_STATE_ADDING:
        return facts & NPJI_HAS_JOB;
    case NPJ_STATE_ADDED:
        return facts & NPJI_CONNECT_ACCEPTED;
    case NPJ_STATE_CONNECTING:
        return facts & NPJI_HAS_PIPE;
    case NPJ_STATE_OPEN:
        return facts & NPJI_CLOSE_ACCEPTED;
    case NPJ_STATE_CLOSING:
        return !npji_packets_waiting(&job->writes);
    case NPJ_STATE_CLEANUP:
    case NPJ_STATE_CLEANUP_FAILED:
        return !(facts & NPJI_HAS_PIPE);
    case NPJ_STATE_SCHEDULING:
        return !(facts & NPJI_HAS_JOB);
    case NPJ_STATE_ABORTING:
        return !job->op;
    case NPJ_STATE_ABANDONING:
        return !job->op && (!(facts & NPJI_HAS_JOB) || (facts & NPJI_PROVIDER_GONE));
    case NPJ_STATE_BROKEN:
        return !(facts & NPJI_GOOD(NPJ_REQUEST_CONNECT)) || (facts & (NPJI_CLOSE_ACCEPTED | NPJI_FORGET)) ||
               srv->shutdown == 1 + NPJ_ABORT;
    default: /* GONE */
        return job->packets == 0 && !npji_has_action(srv, job);
    }
}

#endif
