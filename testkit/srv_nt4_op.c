/* SPDX-License-Identifier: MIT */
/* The operations of srv_nt4: handed out by npjt_nt4_next(), and completed. */
#include "srv_nt4_internal.h"

static void take_op(struct nt4 *srv, struct job *job, npj_action *out)
{
    out->op = job->op = ++srv->handles;
    job->op_kind = out->kind;
    job->cancel_taken = false;
    job->op_packet = out->kind == NPJ_WRITE ? npjt_nt4_packet_first(job) : NULL;
    if (job->op_packet) {
        const struct packet *packet = job->op_packet;
        srv->iov.base = packet->bytes ? packet->bytes + packet->taken : NULL;
        srv->iov.length = packet->length - packet->taken;
        out->iov = &srv->iov;
        out->iov_count = 1;
        out->count = srv->iov.length;
    } else if (out->kind == NPJ_SCHEDULE_JOB || out->kind == NPJ_ABANDON_JOB) {
        out->job_id = job->job_id;
    }
    if (out->kind == NPJ_CLOSE_PIPE || out->kind == NPJ_ABANDON_JOB)
        out->status = job->failure;
}

static void take_reply(struct job *job, npj_request_kind kind, npj_action *out)
{
    job->requests[kind].replied = true;
    out->kind = NPJ_REPLY;
    out->request = kind;
    out->tag = job->requests[kind].tag;
    out->status = job->requests[kind].status;
}

static void take_answer(struct nt4 *srv, struct job *job, npj_action *out)
{
    struct packet *packet = job->answers;
    job->answers = packet->next_answer;
    const bool in_use = job->op && job->op_kind == NPJ_WRITE && job->op_packet == packet;
    out->kind = packet->replied ? NPJ_RETURN : NPJ_REPLY;
    out->tag = packet->tag;
    if (!packet->replied) {
        out->request = NPJ_REQUEST_WRITE;
        out->status = packet->status;
        out->count = packet->taken;
        out->held = packet->lent && in_use;
    }
    packet->replied = true;
    if (!in_use)
        npjt_nt4_packet_over(srv, job, packet);
}

static bool take(struct nt4 *srv, struct job *job, npj_action *out)
{
    *out = (npj_action){.job = job->handle, .cookie = job->cookie};
    if (job->cancel_due) {
        job->cancel_due = false;
        job->cancel_taken = true;
        out->kind = NPJ_CANCEL;
        out->op = job->op;
    } else if (npjt_nt4_reply_due(job, NPJ_REQUEST_ADD)) {
        take_reply(job, NPJ_REQUEST_ADD, out);
    } else if (npjt_nt4_reply_due(job, NPJ_REQUEST_CONNECT)) {
        take_reply(job, NPJ_REQUEST_CONNECT, out);
    } else if (job->answers) {
        take_answer(srv, job, out);
    } else if (npjt_nt4_reply_due(job, NPJ_REQUEST_CLOSE)) {
        take_reply(job, NPJ_REQUEST_CLOSE, out);
    } else if (npjt_nt4_resume_due(srv, job)) {
        job->resume_owed = false;
        out->kind = NPJ_RESUME;
    } else if (npjt_nt4_op_due(job, &out->kind)) {
        take_op(srv, job, out);
    } else {
        return false;
    }
    return true;
}

bool npjt_nt4_next(void *instance, npj_action *out)
{
    struct nt4 *srv = instance;
    if (!srv || !out || srv->inside)
        return false;
    while (srv->due) {
        struct job *job = srv->due;
        srv->due = job->next_due;
        job->due = false;
        npj_action action;
        const bool taken = take(srv, job, &action);
        npjt_nt4_settle(srv, job);
        if (taken) {
            *out = action;
            return true;
        }
    }
    if (srv->idle_owed && !srv->jobs) {
        srv->idle_owed = false;
        *out = (npj_action){.kind = NPJ_IDLE};
        return true;
    }
    return false;
}

/* Takes an operation back from the host. NULL: it is not in flight, or not of one of these kinds. */
static struct job *op_back(struct nt4 *srv, npj_op op, unsigned kinds)
{
    struct job *job = srv->jobs;
    while (job && (op == 0 || job->op != op))
        job = job->next;
    if (!job || !(1u << job->op_kind & kinds))
        return NULL;
    job->op = 0;
    job->cancel_due = false;
    return job;
}

/* What a completion says: a status that claims too much is INVALID_PARAMETER. */
static npj_status claim(npj_status status, bool good)
{
    const bool known = status >> 30 <= 1 || npj_status_is_error(status);
    const bool success = known && !npj_status_is_error(status);
    return status == NPJ_STATUS_PENDING || !known || (success && !good) ? NPJ_STATUS_INVALID_PARAMETER : status;
}

/* Ends a completion. @event if @outcome is a success, else the job fails with it. */
static npj_status completed(struct nt4 *srv, struct job *job, npj_event event, npj_status outcome, bool bad_claim)
{
    if (npj_status_is_error(outcome))
        npjt_nt4_fail(srv, job, NPJ_EVENT_FAILED, outcome);
    else
        npjt_nt4_move(srv, job, event);
    npjt_nt4_settle(srv, job);
    return bad_claim ? NPJ_STATUS_INVALID_PARAMETER : NPJ_STATUS_SUCCESS;
}

npj_status npjt_nt4_job_added(void *instance, npj_op op, npj_status status, const npj_path *path, uint32_t job_id)
{
    struct nt4 *srv = instance;
    ENTER(srv);
    struct job *job = op_back(srv, op, 1u << NPJ_ADD_JOB);
    if (!job)
        return NPJ_STATUS_INVALID_HANDLE;
    npj_status outcome = claim(status, path && path->bytes && (unsigned)path->encoding <= NPJ_PATH_OPAQUE);
    const bool bad_claim = outcome != status;
    if (!npj_status_is_error(outcome)) {
        outcome = npj_path_parse(path, srv->config.path_profile, NULL);
        const bool spooled = outcome == NPJ_STATUS_INVALID_DEVICE_REQUEST && !job->requests[NPJ_REQUEST_ADD].answered;
        job->has_job = !spooled;
        job->job_id = job_id;
    }
    return completed(srv, job, NPJ_EVENT_ADDED, outcome, bad_claim);
}

npj_status npjt_nt4_opened(void *instance, npj_op op, npj_status status, npj_pipe_mode mode)
{
    struct nt4 *srv = instance;
    ENTER(srv);
    struct job *job = op_back(srv, op, 1u << NPJ_OPEN);
    if (!job)
        return NPJ_STATUS_INVALID_HANDLE;
    const npj_status outcome = claim(status, (unsigned)mode <= NPJ_MESSAGE_MODE);
    job->has_pipe = !npj_status_is_error(outcome);
    job->mode = mode;
    return completed(srv, job, NPJ_EVENT_OPENED, outcome, outcome != status);
}

/* A write has come back from the pipe, in a job that lives. Says with what the job fails, if it does. */
static npj_status account(struct nt4 *srv, struct job *job, struct packet *packet, npj_status status, uint32_t taken)
{
    const bool nothing = taken == 0 && packet->length > 0;
    const bool cancelled =
        job->cancel_taken && (status == NPJ_STATUS_CANCELLED || (!npj_status_is_error(status) && nothing));
    packet->taken += taken;
    const bool whole = packet->taken == packet->length && (packet->length || !npj_status_is_error(status));
    if (whole || (taken && job->mode == NPJ_BYTE_MODE))
        job->stall_from = srv->now;
    if (whole)
        npjt_nt4_packet_answer(job, packet, NPJ_STATUS_SUCCESS);
    else if (!cancelled && !npj_status_is_error(status) && (nothing || job->mode == NPJ_MESSAGE_MODE))
        return NPJ_STATUS_PIPE_BROKEN;
    else if (packet->cancelled && (cancelled || !npj_status_is_error(status)))
        npjt_nt4_packet_cancelled(job, packet);
    return npj_status_is_error(status) && !cancelled ? status : NPJ_STATUS_SUCCESS;
}

npj_status npjt_nt4_written(void *instance, npj_op op, npj_status status, uint64_t transferred)
{
    struct nt4 *srv = instance;
    ENTER(srv);
    struct job *job = op_back(srv, op, 1u << NPJ_WRITE);
    if (!job)
        return NPJ_STATUS_INVALID_HANDLE;
    struct packet *packet = job->op_packet;
    const bool fits = transferred <= packet->length - packet->taken;
    npj_status outcome = fits ? claim(status, true) : NPJ_STATUS_INVALID_PARAMETER;
    const bool bad_claim = outcome != status || !fits;
    if (!packet->answered && !bad_claim) {
        outcome = account(srv, job, packet, status, (uint32_t)transferred);
    } else if (packet->answered && packet->replied) {
        if (packet->lent)
            npjt_nt4_packet_due(job, packet);
        else
            npjt_nt4_packet_over(srv, job, packet);
    }
    return completed(srv, job, NPJ_EVENT_WRITTEN, outcome, bad_claim);
}

npj_status npjt_nt4_done(void *instance, npj_op op, npj_status status)
{
    struct nt4 *srv = instance;
    ENTER(srv);
    struct job *job = op_back(srv, op, 1u << NPJ_CLOSE_PIPE | 1u << NPJ_SCHEDULE_JOB | 1u << NPJ_ABANDON_JOB);
    if (!job)
        return NPJ_STATUS_INVALID_HANDLE;
    const npj_status outcome = claim(status, true);
    job->has_pipe &= job->op_kind != NPJ_CLOSE_PIPE;
    job->has_job &= job->op_kind != NPJ_ABANDON_JOB;
    job->scheduled = !npj_status_is_error(outcome);
    return completed(srv, job, NPJ_EVENT_DONE, outcome, outcome != status);
}
