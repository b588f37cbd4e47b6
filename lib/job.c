/* SPDX-License-Identifier: MIT */
/*
 * The life of a job: the one place that moves its state, the answers to its requests, its failure and its end.
 */
#include "job.h"
#include "deadline.h"
#include "packet.h"

/* ------------------------------------------------------------------------------------------- events and the table */

/* A line of the trace, if anybody reads it. */
void npji_trace_event(struct npj_srv *srv, const struct npji_job *job, npj_event event, npj_state from,
                      npj_status status)
{
    npji_trace(srv, &(npj_trace){.kind = NPJ_TRACE_EVENT,
                                 .event = event,
                                 .from = from,
                                 .to = (npj_state)job->state,
                                 .status = status,
                                 .job = job->handle,
                                 .cookie = job->cookie});
}

/* The event is refused; nothing has changed. @job may be NULL. */
npj_status npji_refuse(struct npj_srv *srv, const struct npji_job *job, npj_event event, npj_status status)
{
    if (event <= NPJ_EVENT_CLOSE)
        srv->stats.refused++;
    if (job != NULL)
        npji_trace_event(srv, job, event, (npj_state)job->state, status);
    return status;
}

/* ------------------------------------------------------------------------------- requests that are part of the job */

void npji_accept(struct npj_srv *srv, struct npji_job *job, npj_request_kind request, uint64_t tag)
{
    job->facts |= NPJI_WAITING(request);
    *npji_tag(job, request) = tag;
    npji_gauge_add(&srv->stats.reserved_packets, 1);
}

/* Answers @request with SUCCESS or the job's first failure. Nothing if it waits for no answer. */
void npji_answer(struct npji_job *job, npj_request_kind request, bool good)
{
    if (!(job->facts & NPJI_WAITING(request)))
        return;
    job->facts &= ~NPJI_WAITING(request);
    job->facts |= NPJI_ANSWERED(request);
    if (good)
        job->facts |= NPJI_GOOD(request);
}

/* ------------------------------------------------------------------------------------------------------- failure */

/* Asks, once, that the operation in flight be cancelled, if it is of a kind that can be. (ABANDON_JOB cannot either,
 * but comes when there is nothing left to ask for.) */
void npji_ask_cancel(struct npji_job *job)
{
    if (job->op && job->op_kind != NPJ_CLOSE_PIPE)
        job->facts |= NPJI_CANCEL_ASKED;
}

/*
 * Fails a job by @event, which moves it to a failed state. All that waits is answered at once; an operation not yet
 * taken is thereby withdrawn, as the state no longer calls for it. In a job that has failed before, the first failure
 * stays.
 */
void npji_fail(struct npj_srv *srv, struct npji_job *job, npj_event event, npj_status reason)
{
    npji_move(srv, job, event);
    if (job->failure != NPJ_STATUS_SUCCESS || job->state == NPJ_STATE_GONE)
        return;
    job->failure = reason;
    npji_answer(job, NPJ_REQUEST_ADD, false);
    npji_answer(job, NPJ_REQUEST_CONNECT, false);
    while (npji_packets_waiting(&job->writes))
        npji_packet_answer(job, job->writes.waiting, reason);
    npji_answer(job, NPJ_REQUEST_CLOSE, false);
    npji_ask_cancel(job);
}

/* -------------------------------------------------------------------------------------------- what a job has to say */

static bool takes_writes(const struct npji_job *job)
{
    return npji_cell(job, NPJ_EVENT_WRITE).status == NPJ_STATUS_SUCCESS && !(job->facts & NPJI_CLOSE_ACCEPTED);
}

/* Whether the largest write fits, or none ever will. */
bool npji_can_resume(const struct npj_srv *srv, const struct npji_job *job)
{
    const npj_config *config = &srv->config;
    return !takes_writes(job) ||
           (job->packets < config->max_job_packets && job->bytes <= config->max_job_bytes - config->max_write_bytes);
}

/* ------------------------------------------------------------------------------------------------ conclusions */

/* Byte mode: writes of no bytes that have come to the head are answered; they are never in flight. */
static void answer_empty_writes(struct npji_job *job)
{
    if (job->state != NPJ_STATE_OPEN && job->state != NPJ_STATE_CLOSING)
        return;
    while (npji_packets_waiting(&job->writes) && npji_packet_is_nothing(job, *job->writes.waiting))
        npji_packet_answer(job, job->writes.waiting, NPJ_STATUS_SUCCESS);
}

/* Leaves the state that is finished, and those behind it that are. Says whether the job is still there. */
static NPJI_RARE bool leave_finished(struct npj_srv *srv, struct npji_job *job)
{
    do {
        switch ((npj_state)job->state) {
        case NPJ_STATE_ADDING:
            npji_answer(job, NPJ_REQUEST_ADD, true);
            break;
        case NPJ_STATE_CONNECTING:
            npji_answer(job, NPJ_REQUEST_CONNECT, true);
            break;
        case NPJ_STATE_CLOSING:
            /* Nothing is in flight, so that ABORTING is finished as well. */
            if (job->facts & NPJI_TRUNCATED)
                npji_fail(srv, job, NPJ_EVENT_FAILED, NPJ_STATUS_CANCELLED);
            break;
        case NPJ_STATE_SCHEDULING:
            npji_answer(job, NPJ_REQUEST_CLOSE, true);
            break;
        case NPJ_STATE_GONE:
            npji_move(srv, job, NPJ_EVENT_FINISH);
            npji_job_release(srv, job);
            return false;
        default:
            break;
        }
        npji_move(srv, job, NPJ_EVENT_FINISH);
        answer_empty_writes(job);
    } while (npji_finished(srv, job));
    return true;
}

/* Draws the conclusions from what has changed. The last thing that a call does with a job: it may end here. */
void npji_settle(struct npj_srv *srv, struct npji_job *job)
{
    answer_empty_writes(job);
    if (npji_finished(srv, job) && !leave_finished(srv, job))
        return;
    npji_deadlines_settle(srv, job);
    bool more = npji_has_action(srv, job);
    if (npji_linked(&job->ready) == more)
        return;
    if (more)
        npji_link_last(&srv->ready, &job->ready);
    else
        npji_unlink(&job->ready);
}

/* Takes the job out of everything. Its packets are gone by then, unless the engine itself ends. */
void npji_job_release(struct npj_srv *srv, struct npji_job *job)
{
    while (job->writes.head != NULL)
        npji_packet_release(srv, job, npji_packets_take(&job->writes, &job->writes.head));
    npji_unlink(&job->ready);
    npji_deadlines_stop(job);
    npji_index_remove(srv, job, NPJI_CLIENT);
    npji_index_remove(srv, job, NPJI_PROVIDER);
    npji_slot_give(srv, job);
    srv->stats.jobs.live--;
    npji_release(srv, job, sizeof *job);
}
