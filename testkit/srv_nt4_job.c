/* SPDX-License-Identifier: MIT */
/*
 * The life of a job and of its packets in srv_nt4. Written for plainness: lists are walked, nothing is recycled. The
 * fault is one function, npjt_nt4_packet_over().
 */
#include "srv_nt4_internal.h"

/* ------------------------------------------------------------------------------------------------ the host's part */

void *npjt_nt4_take_memory(struct nt4 *srv, size_t bytes)
{
    srv->inside = true;
    void *block = srv->config.mem.alloc(srv->config.mem.user, bytes);
    srv->inside = false;
    return block;
}

void npjt_nt4_give_memory(struct nt4 *srv, void *block, size_t bytes)
{
    srv->inside = true;
    srv->config.mem.release(srv->config.mem.user, block, bytes);
    srv->inside = false;
}

static void trace(struct nt4 *srv, npj_trace_kind kind, const struct job *job, npj_event event, npj_state to,
                  npj_status status)
{
    if (srv->config.trace) {
        const npj_trace line = {.kind = kind,
                                .event = event,
                                .from = job ? job->state : NPJ_STATE_COUNT,
                                .to = to,
                                .status = status,
                                .job = job ? job->handle : 0,
                                .cookie = job ? job->cookie : 0};
        srv->inside = true;
        srv->config.trace(srv->config.trace_user, &line);
        srv->inside = false;
    }
}

/* Event 2019, said once. */
npj_status npjt_nt4_no_pool(struct nt4 *srv, const struct job *job)
{
    if (!srv->no_pool[job != NULL]) {
        srv->no_pool[job != NULL] = true;
        trace(srv, NPJ_TRACE_NO_POOL, job, job ? NPJ_EVENT_WRITE : NPJ_EVENT_COUNT, job ? job->state : NPJ_STATE_COUNT,
              NPJ_STATUS_INSUFF_SERVER_RESOURCES);
    }
    return NPJ_STATUS_INSUFF_SERVER_RESOURCES;
}

npj_status npjt_nt4_refuse(struct nt4 *srv, const struct job *job, npj_event event, npj_status status)
{
    trace(srv, NPJ_TRACE_EVENT, job, event, job->state, status);
    return status;
}

void npjt_nt4_stay(struct nt4 *srv, const struct job *job, npj_event event)
{
    trace(srv, NPJ_TRACE_EVENT, job, event, job->state, NPJ_STATUS_SUCCESS);
}

/* An event that is taken: the table says where the job goes. */
void npjt_nt4_move(struct nt4 *srv, struct job *job, npj_event event)
{
    const npj_state to = npj_table_cell(job->state, event).next;
    trace(srv, NPJ_TRACE_EVENT, job, event, to, NPJ_STATUS_SUCCESS);
    job->state = to;
}

/* --------------------------------------------------------------------------------------------------------- packets */

size_t npjt_nt4_packet_size(const struct packet *packet)
{
    return sizeof *packet + (packet->lent ? 0 : packet->length);
}

/* A packet has been answered, and no operation uses it. This is where NT 4.0 should have completed the IRP, and given
 * its memory back to the pool. It lost sight of it instead. */
void npjt_nt4_packet_over(struct nt4 *srv, struct job *job, struct packet *packet)
{
    struct packet **at = &job->writes;
    while (*at != packet)
        at = &(*at)->next;
    *at = packet->next;
    packet->next = srv->forgotten;
    srv->forgotten = packet;
}

void npjt_nt4_packet_due(struct job *job, struct packet *packet)
{
    struct packet **at = &job->answers;
    while (*at)
        at = &(*at)->next_answer;
    packet->next_answer = NULL;
    *at = packet;
}

void npjt_nt4_packet_answer(struct job *job, struct packet *packet, npj_status status)
{
    packet->answered = true;
    packet->status = status;
    npjt_nt4_packet_due(job, packet);
}

void npjt_nt4_packet_cancelled(struct job *job, struct packet *packet)
{
    job->truncated = true;
    npjt_nt4_packet_answer(job, packet, packet->taken ? NPJ_STATUS_SUCCESS : NPJ_STATUS_CANCELLED);
}

bool npjt_nt4_packet_fits(const struct nt4 *srv, const struct job *job, uint32_t length)
{
    uint64_t bytes = length;
    uint32_t count = 1;
    for (const struct packet *packet = job->writes; packet; packet = packet->next) {
        bytes += packet->length;
        count++;
    }
    return count <= srv->config.max_job_packets && bytes <= srv->config.max_job_bytes;
}

struct packet *npjt_nt4_packet_first(const struct job *job)
{
    struct packet *packet = job->writes;
    while (packet && packet->answered)
        packet = packet->next;
    return packet;
}

/* ------------------------------------------------------------------------------------------------ the life of a job */

static bool is_live(const struct job *job)
{
    return job->state < NPJ_STATE_CLOSING;
}

static void answer(struct job *job, npj_request_kind kind, npj_status status)
{
    struct request *request = &job->requests[kind];
    if (request->accepted && !request->answered) {
        request->answered = true;
        request->status = status;
    }
}

void npjt_nt4_fail(struct nt4 *srv, struct job *job, npj_event event, npj_status reason)
{
    npjt_nt4_move(srv, job, event);
    if (job->failure)
        return;
    job->failure = reason;
    job->cancel_due = job->op && job->op_kind != NPJ_CLOSE_PIPE && !job->cancel_taken;
    answer(job, NPJ_REQUEST_ADD, reason);
    answer(job, NPJ_REQUEST_CONNECT, reason);
    for (struct packet *packet; (packet = npjt_nt4_packet_first(job));)
        npjt_nt4_packet_answer(job, packet, reason);
    answer(job, NPJ_REQUEST_CLOSE, reason);
}

/* Whether the state's own work is done. */
static bool is_finished(const struct job *job)
{
    switch (job->state) {
    case NPJ_STATE_ADDING:
        return job->has_job;
    case NPJ_STATE_ADDED:
        return job->requests[NPJ_REQUEST_CONNECT].accepted;
    case NPJ_STATE_CONNECTING:
        return job->has_pipe;
    case NPJ_STATE_OPEN:
        return job->requests[NPJ_REQUEST_CLOSE].accepted;
    case NPJ_STATE_CLOSING:
        return !npjt_nt4_packet_first(job);
    case NPJ_STATE_CLEANUP:
    case NPJ_STATE_SCHEDULING:
        return job->scheduled;
    case NPJ_STATE_ABORTING:
        return !job->op;
    case NPJ_STATE_CLEANUP_FAILED:
        return !job->op && !job->has_pipe;
    case NPJ_STATE_ABANDONING:
        return !job->op && (!job->has_job || job->provider_gone);
    case NPJ_STATE_BROKEN:
        return job->ended || job->requests[NPJ_REQUEST_CLOSE].accepted ||
               !job->requests[NPJ_REQUEST_CONNECT].answered || job->requests[NPJ_REQUEST_CONNECT].status != 0;
    default:
        return false;
    }
}

static void finish(struct nt4 *srv, struct job *job)
{
    if (job->state == NPJ_STATE_CLOSING && job->truncated) {
        npjt_nt4_fail(srv, job, NPJ_EVENT_FAILED, NPJ_STATUS_CANCELLED);
        return;
    }
    npjt_nt4_move(srv, job, NPJ_EVENT_FINISH);
    job->scheduled = false;
    job->step_from = srv->now;
    if (job->state == NPJ_STATE_ADDED) {
        answer(job, NPJ_REQUEST_ADD, NPJ_STATUS_SUCCESS);
    } else if (job->state == NPJ_STATE_OPEN) {
        answer(job, NPJ_REQUEST_CONNECT, NPJ_STATUS_SUCCESS);
        job->stall_from = srv->now;
    } else if (job->state == NPJ_STATE_GONE) {
        answer(job, NPJ_REQUEST_CLOSE, NPJ_STATUS_SUCCESS);
    }
}

/* A write of nothing is never in flight on a stream. */
static void answer_empty(struct job *job)
{
    const bool writing = job->state == NPJ_STATE_OPEN || job->state == NPJ_STATE_CLOSING;
    if (!writing || job->mode == NPJ_MESSAGE_MODE)
        return;
    for (struct packet *packet; (packet = npjt_nt4_packet_first(job)) && packet->length == 0;)
        npjt_nt4_packet_answer(job, packet, NPJ_STATUS_SUCCESS);
}

bool npjt_nt4_resume_due(const struct nt4 *srv, const struct job *job)
{
    if (!job->resume_owed || !is_live(job) || job->requests[NPJ_REQUEST_CLOSE].accepted)
        return job->resume_owed;
    return npjt_nt4_packet_fits(srv, job, srv->config.max_write_bytes);
}

/* The operation that the state has to start, if any. */
bool npjt_nt4_op_due(const struct job *job, npj_action_kind *kind)
{
    *kind = NPJ_IDLE;
    if (job->op)
        return false;
    switch (job->state) {
    case NPJ_STATE_ADDING:
        *kind = NPJ_ADD_JOB;
        break;
    case NPJ_STATE_CONNECTING:
        *kind = NPJ_OPEN;
        break;
    case NPJ_STATE_OPEN:
    case NPJ_STATE_CLOSING:
        *kind = npjt_nt4_packet_first(job) ? NPJ_WRITE : NPJ_IDLE;
        break;
    case NPJ_STATE_CLEANUP:
    case NPJ_STATE_CLEANUP_FAILED:
        *kind = NPJ_CLOSE_PIPE;
        break;
    case NPJ_STATE_SCHEDULING:
        *kind = NPJ_SCHEDULE_JOB;
        break;
    case NPJ_STATE_ABANDONING:
        *kind = NPJ_ABANDON_JOB;
        break;
    default:
        break;
    }
    return *kind != NPJ_IDLE;
}

bool npjt_nt4_reply_due(const struct job *job, npj_request_kind kind)
{
    return job->requests[kind].answered && !job->requests[kind].replied;
}

static bool has_something(const struct nt4 *srv, const struct job *job)
{
    npj_action_kind kind;
    return job->cancel_due || job->answers || npjt_nt4_reply_due(job, NPJ_REQUEST_ADD) ||
           npjt_nt4_reply_due(job, NPJ_REQUEST_CONNECT) || npjt_nt4_reply_due(job, NPJ_REQUEST_CLOSE) ||
           npjt_nt4_resume_due(srv, job) || npjt_nt4_op_due(job, &kind);
}

static void enqueue(struct nt4 *srv, struct job *job)
{
    struct job **at = &srv->due;
    while (*at)
        at = &(*at)->next_due;
    *at = job;
    job->next_due = NULL;
    job->due = true;
}

static void leave(struct nt4 *srv, struct job *job)
{
    struct job **at = &srv->due;
    while (*at && *at != job)
        at = &(*at)->next_due;
    if (*at)
        *at = job->next_due;
    at = &srv->jobs;
    while (*at != job)
        at = &(*at)->next;
    *at = job->next;
    srv->job_count--;
    npjt_nt4_give_memory(srv, job, sizeof *job);
}

/* After every change: the job goes as far as it can, and then gets in line, or leaves. */
void npjt_nt4_settle(struct nt4 *srv, struct job *job)
{
    answer_empty(job);
    while (is_finished(job)) {
        finish(srv, job);
        answer_empty(job);
    }
    if (has_something(srv, job)) {
        if (!job->due)
            enqueue(srv, job);
    } else if (job->state == NPJ_STATE_GONE) {
        npjt_nt4_move(srv, job, NPJ_EVENT_FINISH);
        leave(srv, job);
    }
}
