/* SPDX-License-Identifier: MIT */
/*
 * The life of a job: the one place that moves its state, the answers to its requests, its failure and its end.
 */
#include "engine.h"

/* ------------------------------------------------------------------------------------------- events and the table */

static void trace(struct npj_srv *srv, const struct npji_job *job, npj_event event, npj_state from, npj_status status)
{
    if (srv->config.trace == NULL)
        return;
    npji_trace(srv, &(npj_trace){.kind = NPJ_TRACE_EVENT,
                                 .event = event,
                                 .from = from,
                                 .to = (npj_state)job->state,
                                 .status = status,
                                 .job = job->handle,
                                 .cookie = job->cookie});
}

/* What the table says to an event that came by a job's handle: @out is the job, or NULL if there is none. */
npj_status npji_verdict(struct npj_srv *srv, npj_job handle, npj_event event, struct npji_job **out)
{
    struct npji_job *job = npji_job_at(srv, handle);
    if (job != NULL && job->handle != handle)
        job = NULL;
    *out = job;
    return job != NULL ? npji_cell(job, event).status : NPJ_STATUS_INVALID_HANDLE;
}

/* The event is refused; nothing has changed. @job may be NULL. */
npj_status npji_refuse(struct npj_srv *srv, const struct npji_job *job, npj_event event, npj_status status)
{
    if (event <= NPJ_EVENT_CLOSE)
        srv->stats.refused++;
    if (job != NULL)
        trace(srv, job, event, (npj_state)job->state, status);
    return status;
}

/* The event is taken: the only writer of a job's state. */
void npji_move(struct npj_srv *srv, struct npji_job *job, npj_event event)
{
    npj_state from = (npj_state)job->state;
    job->state = (uint8_t)npji_cell(job, event).next;
    trace(srv, job, event, from, NPJ_STATUS_SUCCESS);
}

/* The event is taken, and leaves the job alone. */
void npji_ignore(struct npj_srv *srv, const struct npji_job *job, npj_event event)
{
    trace(srv, job, event, (npj_state)job->state, NPJ_STATUS_SUCCESS);
}

/* ------------------------------------------------------------------------------- requests that are part of the job */

uint64_t *npji_tag(struct npji_job *job, npj_request_kind request)
{
    return &job->tags[request == NPJ_REQUEST_CLOSE ? 2 : request];
}

void npji_accept(struct npj_srv *srv, struct npji_job *job, npj_request_kind request, uint64_t tag)
{
    job->facts |= NPJI_WAITING(request);
    *npji_tag(job, request) = tag;
    npji_gauge_add(&srv->stats.reserved_packets, 1);
    srv->stats.accepted++;
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
    while (job->queue.head != NULL)
        npji_packet_answer(job, job->queue.head, reason);
    npji_answer(job, NPJ_REQUEST_CLOSE, false);
    npji_ask_cancel(job);
}

/* -------------------------------------------------------------------------------------------- what a job has to say */

static bool takes_writes(const struct npji_job *job)
{
    return npji_cell(job, NPJ_EVENT_WRITE).status == NPJ_STATUS_SUCCESS && !(job->facts & NPJI_CLOSE_ACCEPTED);
}

/* Whether a RESUME that is owed can be told: the largest write fits, or none ever will. */
bool npji_resume_due(const struct npj_srv *srv, const struct npji_job *job)
{
    const npj_config *config = &srv->config;
    if (!(job->facts & NPJI_RESUME_OWED))
        return false;
    return !takes_writes(job) ||
           (job->packets < config->max_job_packets && job->bytes <= config->max_job_bytes - config->max_write_bytes);
}

/* Whether the job's state calls for an operation that has not been taken. */
bool npji_op_due(const struct npji_job *job, npj_action_kind *kind)
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
    return !job->op && ops[job->state].due && (*kind != NPJ_WRITE || job->queue.head != NULL);
}

/* Whether the host has still to be told of a cancel. */
bool npji_cancel_due(const struct npji_job *job)
{
    return (job->facts & (NPJI_CANCEL_ASKED | NPJI_CANCEL_TAKEN)) == NPJI_CANCEL_ASKED;
}

bool npji_has_action(const struct npj_srv *srv, const struct npji_job *job)
{
    npj_action_kind kind;
    return (job->facts & NPJI_ANSWERED_ANY) || job->due.head != NULL || npji_cancel_due(job) ||
           npji_op_due(job, &kind) || npji_resume_due(srv, job);
}

/* ------------------------------------------------------------------------------------------------ conclusions */

/* Whether the work of the job's state is finished, or there is none. */
bool npji_finished(const struct npj_srv *srv, const struct npji_job *job)
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
        return job->queue.head == NULL;
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

/* Byte mode: writes of no bytes that have come to the head are answered; they are never in flight. */
static void answer_empty_writes(struct npji_job *job)
{
    if (job->state != NPJ_STATE_OPEN && job->state != NPJ_STATE_CLOSING)
        return;
    while (job->queue.head != NULL && npji_packet_is_nothing(job, job->queue.head))
        npji_packet_answer(job, job->queue.head, NPJ_STATUS_SUCCESS);
}

/* Leaves the states that are finished. Says whether the job is still there. */
static bool leave_finished(struct npj_srv *srv, struct npji_job *job)
{
    for (;;) {
        answer_empty_writes(job);
        if (!npji_finished(srv, job))
            return true;
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
    }
}

/* Draws the conclusions from what has changed. The last thing that a call does with a job: it may end here. */
void npji_settle(struct npj_srv *srv, struct npji_job *job)
{
    if (!leave_finished(srv, job))
        return;
    npji_deadlines_settle(srv, job);
    bool ready = npji_linked(&job->ready);
    if (npji_has_action(srv, job) == ready)
        return;
    if (ready)
        npji_unlink(&job->ready);
    else
        npji_link_last(&srv->ready, &job->ready);
}

static void release_packets(struct npj_srv *srv, struct npji_job *job, struct npji_packets *list)
{
    while (list->head != NULL) {
        struct npji_packet *packet = list->head;
        npji_packet_remove(list, packet);
        npji_packet_release(srv, job, packet);
    }
}

/* Takes the job out of everything. Its packets are gone by then, unless the engine itself ends. */
void npji_job_release(struct npj_srv *srv, struct npji_job *job)
{
    release_packets(srv, job, &job->queue);
    release_packets(srv, job, &job->due);
    npji_unlink(&job->ready);
    npji_deadlines_stop(job);
    npji_index_remove(srv, job, NPJI_CLIENT);
    npji_index_remove(srv, job, NPJI_PROVIDER);
    npji_slot_give(srv, job);
    srv->stats.jobs.live--;
    npji_release(srv, job, sizeof *job);
}
