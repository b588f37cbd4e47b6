/* SPDX-License-Identifier: MIT */
/* What became of operations: each completion is checked against the operation in flight, and consumed. */
#include "job.h"
#include "packet.h"

/*
 * The job whose operation in flight @op is, if it is of the kind asked for and the table takes @event, which its
 * completion is by its status. Otherwise NULL, and the completion is refused.
 */
static struct npji_job *in_flight(struct npj_srv *srv, npj_op op, bool (*is_kind)(unsigned), npj_event event)
{
    struct npji_job *job = op != 0 ? npji_job_at(srv, op) : NULL;
    if (job == NULL)
        return NULL;
    if (npji_cell(job, event).status != NPJ_STATUS_SUCCESS || job->op != op || !is_kind(job->op_kind)) {
        npji_refuse(srv, job, event, NPJ_STATUS_INVALID_HANDLE);
        return NULL;
    }
    return job;
}

/* Ends the operation: tells the job what it came to, an error @failure or SUCCESS, and draws the conclusions. */
static void conclude(struct npj_srv *srv, struct npji_job *job, npj_event event, npj_status failure)
{
    job->op = 0;
    job->facts &= ~(uint32_t)(NPJI_CANCEL_ASKED | NPJI_CANCEL_TAKEN);
    if (failure != NPJ_STATUS_SUCCESS)
        npji_fail(srv, job, NPJ_EVENT_FAILED, failure);
    else
        npji_move(srv, job, event);
    npji_settle(srv, job);
}

/* A completion is a success, whose claim must be good, or an error. */
static bool is_bad_claim(npj_status status, bool claim_is_good)
{
    if (npj_status_is_error(status))
        return false;
    return status >> 30 > 1 || status == NPJ_STATUS_PENDING || !claim_is_good;
}

/* The failure that a completion stands for, or SUCCESS. */
static npj_status failure_of(npj_status status, bool claim_is_good)
{
    if (is_bad_claim(status, claim_is_good))
        return NPJ_STATUS_INVALID_PARAMETER;
    return npj_status_is_error(status) ? status : NPJ_STATUS_SUCCESS;
}

static npj_event event_of(npj_event good, npj_status failure)
{
    return failure == NPJ_STATUS_SUCCESS ? good : NPJ_EVENT_FAILED;
}

/* -------------------------------------------------------------------------------------------------------- ADD_JOB */

static bool is_add_job(unsigned kind)
{
    return kind == NPJ_ADD_JOB;
}

npj_status npj_job_added(npj_srv *srv, npj_op op, npj_status status, const npj_path *path, uint32_t job_id)
{
    NPJI_ENTER(srv);
    bool good = npj_status_is_error(status) ||
                (path != NULL && path->bytes != NULL && (unsigned)path->encoding <= NPJ_PATH_OPAQUE);
    npj_status failure = failure_of(status, good);
    bool added = failure == NPJ_STATUS_SUCCESS;
    if (added)
        failure = npj_path_parse(path, srv->config.path_profile, NULL);

    struct npji_job *job = in_flight(srv, op, is_add_job, event_of(NPJ_EVENT_ADDED, failure));
    if (job == NULL)
        return NPJ_STATUS_INVALID_HANDLE;
    if (added) {
        /* What is no pipe belongs to the host, unless nobody waits for it any more. */
        if (failure != NPJ_STATUS_INVALID_DEVICE_REQUEST || npji_failed(job))
            job->facts |= NPJI_HAS_JOB;
        job->job_id = job_id;
    }
    conclude(srv, job, NPJ_EVENT_ADDED, failure);
    return is_bad_claim(status, good) ? NPJ_STATUS_INVALID_PARAMETER : NPJ_STATUS_SUCCESS;
}

/* ----------------------------------------------------------------------------------------------------------- OPEN */

static bool is_open(unsigned kind)
{
    return kind == NPJ_OPEN;
}

npj_status npj_opened(npj_srv *srv, npj_op op, npj_status status, npj_pipe_mode mode)
{
    NPJI_ENTER(srv);
    bool good = mode == NPJ_BYTE_MODE || mode == NPJ_MESSAGE_MODE;
    npj_status failure = failure_of(status, good);
    struct npji_job *job = in_flight(srv, op, is_open, event_of(NPJ_EVENT_OPENED, failure));
    if (job == NULL)
        return NPJ_STATUS_INVALID_HANDLE;
    if (failure == NPJ_STATUS_SUCCESS) {
        job->facts |= NPJI_HAS_PIPE;
        job->mode = (uint8_t)mode;
    }
    conclude(srv, job, NPJ_EVENT_OPENED, failure);
    return is_bad_claim(status, good) ? NPJ_STATUS_INVALID_PARAMETER : NPJ_STATUS_SUCCESS;
}

/* ---------------------------------------------------------------------------------------------------------- WRITE */

static bool is_write(unsigned kind)
{
    return kind == NPJ_WRITE;
}

/* In a live job the WRITE's are the first that wait, and what waits behind them is not walked; in a failed one, whose
 * last completion this is, they may be anywhere. */
static NPJI_RARE uint64_t count_given(const struct npji_job *job)
{
    const bool failed = npji_failed(job);
    struct npji_packet *const *at = failed ? &job->writes.head : job->writes.waiting;
    struct npji_packet *const *const end = failed ? job->writes.end : job->op_end;
    uint64_t given = 0;
    for (; at != end; at = &(*at)->next)
        given += npji_packet_held(job, *at) ? (*at)->length - (*at)->taken : 0;
    return given;
}

/* The bytes that the WRITE in flight was given. */
static uint64_t bytes_given(const struct npji_job *job)
{
    return job->op_bytes < NPJI_HUGE ? job->op_bytes : count_given(job);
}

/* Spreads @transferred of @given bytes over the writes of the operation, and answers those that are covered in full. */
static void cover(struct npji_job *job, uint64_t transferred, uint64_t given, bool success)
{
    bool messages = job->mode == NPJ_MESSAGE_MODE;
    struct npji_packet **at = job->writes.waiting;
    if (transferred == given && !messages) { /* the commonest end, for which no packet is looked at */
        at = job->op_end;
        transferred = 0;
    }
    for (struct npji_packet *packet; (packet = *at) != NULL; at = &packet->next) {
        uint32_t wanted = packet->length - packet->taken;
        if (transferred < wanted) {
            packet->taken += (uint32_t)transferred;
            job->facts |= transferred > 0 && !messages ? NPJI_PROGRESS : 0;
            break;
        }
        /* An empty message is as good as its operation; in byte mode it was only waiting for its turn. */
        if (wanted == 0 && messages && (!(packet->flags & NPJI_PACKET_IN_OP) || !success))
            break;
        transferred -= wanted;
    }
    if (at != job->writes.waiting) {
        job->facts |= NPJI_PROGRESS;
        job->writes.waiting = at;
    }
}

/* Writes of the operation that were not covered: the cancelled are answered, the others wait for the next WRITE. */
static void requeue(struct npji_job *job)
{
    struct npji_packet **at = job->writes.waiting;
    for (struct npji_packet *packet; (packet = *at) != NULL && (packet->flags & NPJI_PACKET_IN_OP);) {
        packet->flags &= (uint8_t)~NPJI_PACKET_IN_OP;
        at = packet->flags & NPJI_PACKET_CANCELLED ? npji_packet_answer_cancelled(job, at) : &packet->next;
    }
}

/* What a good claim about the WRITE of a live job comes to: SUCCESS if the job goes on, or its failure. */
static npj_status outcome_of(const struct npji_job *job, npj_status status, uint64_t transferred, uint64_t given)
{
    bool cancelled = job->facts & NPJI_CANCEL_TAKEN;
    if (npj_status_is_error(status))
        return cancelled && status == NPJ_STATUS_CANCELLED ? NPJ_STATUS_SUCCESS : status;
    if (given > 0 && transferred == 0)
        return cancelled ? NPJ_STATUS_SUCCESS : NPJ_STATUS_PIPE_BROKEN;
    if (job->mode == NPJ_MESSAGE_MODE && transferred < given)
        return NPJ_STATUS_PIPE_BROKEN;
    return NPJ_STATUS_SUCCESS;
}

/* The job failed while the WRITE was in flight: packets that are already answered give up their memory, or are
 * returned. */
static void give_up_held(struct npj_srv *srv, struct npji_job *job)
{
    struct npji_packets *list = &job->writes;
    while (npji_packets_waiting(list)) {
        struct npji_packet *packet = *list->waiting;
        if (packet->flags & NPJI_PACKET_LENT)
            list->waiting = &packet->next;
        else
            npji_packet_release(srv, job, npji_packets_take(list, list->waiting));
    }
}

npj_status npj_written(npj_srv *srv, npj_op op, npj_status status, uint64_t transferred)
{
    NPJI_ENTER(srv);
    struct npji_job *job = in_flight(srv, op, is_write, event_of(NPJ_EVENT_WRITTEN, failure_of(status, true)));
    if (job == NULL)
        return NPJ_STATUS_INVALID_HANDLE;
    const uint64_t given = bytes_given(job);
    bool good = transferred <= given && !is_bad_claim(status, true);
    npj_status failure = good ? outcome_of(job, status, transferred, given) : NPJ_STATUS_INVALID_PARAMETER;
    if (good)
        srv->stats.bytes_taken += transferred;
    if (npji_failed(job)) {
        give_up_held(srv, job);
    } else {
        if (good)
            cover(job, transferred, given, !npj_status_is_error(status));
        if (failure == NPJ_STATUS_SUCCESS)
            requeue(job);
    }
    conclude(srv, job, NPJ_EVENT_WRITTEN, failure);
    return good ? NPJ_STATUS_SUCCESS : NPJ_STATUS_INVALID_PARAMETER;
}

/* ------------------------------------------------------------------------- CLOSE_PIPE, SCHEDULE_JOB, ABANDON_JOB */

static bool is_last(unsigned kind)
{
    return kind == NPJ_CLOSE_PIPE || kind == NPJ_SCHEDULE_JOB || kind == NPJ_ABANDON_JOB;
}

npj_status npj_done(npj_srv *srv, npj_op op, npj_status status)
{
    NPJI_ENTER(srv);
    npj_status failure = failure_of(status, true);
    struct npji_job *job = in_flight(srv, op, is_last, event_of(NPJ_EVENT_DONE, failure));
    if (job == NULL)
        return NPJ_STATUS_INVALID_HANDLE;
    /* A pipe and an abandoned job are finished with whatever the status; a job is the provider's own once it is
     * scheduled, unless its close has been answered with a failure by then. */
    if (job->op_kind == NPJ_CLOSE_PIPE)
        job->facts &= ~(uint32_t)NPJI_HAS_PIPE;
    else if (job->op_kind == NPJ_ABANDON_JOB || (failure == NPJ_STATUS_SUCCESS && !npji_failed(job)))
        job->facts &= ~(uint32_t)NPJI_HAS_JOB;
    conclude(srv, job, NPJ_EVENT_DONE, failure);
    return is_bad_claim(status, true) ? NPJ_STATUS_INVALID_PARAMETER : NPJ_STATUS_SUCCESS;
}
