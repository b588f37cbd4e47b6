/* SPDX-License-Identifier: MIT */
/* What clients ask: add, connect, write, close, cancel. */
#include "job.h"
#include "packet.h"

/* Event 2019: said once, until a call of that kind succeeds again. */
static void trace_no_pool(struct npj_srv *srv, const struct npji_job *job, npj_event event, bool *said)
{
    if (*said)
        return;
    *said = true;
    npji_trace(srv, &(npj_trace){.kind = NPJ_TRACE_NO_POOL,
                                 .event = event,
                                 .from = job != NULL ? (npj_state)job->state : NPJ_STATE_COUNT,
                                 .to = job != NULL ? (npj_state)job->state : NPJ_STATE_COUNT,
                                 .status = NPJ_STATUS_INSUFF_SERVER_RESOURCES,
                                 .job = job != NULL ? job->handle : 0,
                                 .cookie = job != NULL ? job->cookie : 0});
}

static npj_status may_add(struct npj_srv *srv, const npj_job *out)
{
    if (out == NULL)
        return NPJ_STATUS_INVALID_PARAMETER;
    if (srv->shutdown)
        return NPJ_STATUS_SERVER_SHUTDOWN_IN_PROGRESS;
    if (srv->stats.jobs.live >= srv->config.max_jobs) {
        trace_no_pool(srv, NULL, NPJ_EVENT_COUNT, &srv->no_pool_jobs);
        return NPJ_STATUS_INSUFF_SERVER_RESOURCES;
    }
    return NPJ_STATUS_SUCCESS;
}

npj_status npj_add_job(npj_srv *srv, uint64_t client, uint64_t provider, uint64_t cookie, uint64_t tag, npj_job *out)
{
    NPJI_ENTER(srv);
    npj_status status = may_add(srv, out);
    struct npji_job *job = NULL;
    if (status == NPJ_STATUS_SUCCESS) {
        job = npji_alloc(srv, sizeof *job);
        if (job == NULL)
            status = NPJ_STATUS_INSUFFICIENT_RESOURCES;
    }
    if (status != NPJ_STATUS_SUCCESS) {
        srv->stats.refused++;
        return status;
    }
    memset(job, 0, sizeof *job);
    job->state = NPJ_STATE_ADDING;
    job->cookie = cookie;
    job->timer = NPJI_NO_TIMER;
    npji_packets_init(&job->writes);
    job->keys[NPJI_CLIENT] = client;
    job->keys[NPJI_PROVIDER] = provider;
    npji_link_init(&job->ready);
    npji_link_init(&job->deadline.link);
    npji_link_init(&job->drain.link);
    npji_slot_take(srv, job);
    npji_index_add(srv, job, NPJI_CLIENT);
    npji_index_add(srv, job, NPJI_PROVIDER);
    npji_gauge_add(&srv->stats.jobs, 1);
    srv->no_pool_jobs = false;
    npji_accept(srv, job, NPJ_REQUEST_ADD, tag);
    *out = job->handle;
    npji_settle(srv, job);
    return NPJ_STATUS_PENDING;
}

npj_status npj_connect(npj_srv *srv, npj_job handle, uint64_t tag)
{
    NPJI_ENTER(srv);
    struct npji_job *job;
    npj_status status = npji_verdict(srv, handle, NPJ_EVENT_CONNECT, &job);
    if (status == NPJ_STATUS_SUCCESS && (job->facts & NPJI_CONNECT_ACCEPTED))
        status = NPJ_STATUS_INVALID_PIPE_STATE;
    if (status != NPJ_STATUS_SUCCESS)
        return npji_refuse(srv, job, NPJ_EVENT_CONNECT, status);
    job->facts |= NPJI_CONNECT_ACCEPTED;
    npji_accept(srv, job, NPJ_REQUEST_CONNECT, tag);
    npji_move(srv, job, NPJ_EVENT_CONNECT);
    npji_settle(srv, job);
    return NPJ_STATUS_PENDING;
}

/* What the facts say to a write or close that the table takes. */
static npj_status connected_and_not_closed(const struct npji_job *job)
{
    if (!(job->facts & NPJI_CONNECT_ACCEPTED) && !npji_failed(job))
        return NPJ_STATUS_INVALID_PIPE_STATE;
    if (job->facts & NPJI_CLOSE_ACCEPTED)
        return NPJ_STATUS_PIPE_CLOSING;
    return NPJ_STATUS_SUCCESS;
}

static bool write_is_valid(const struct npj_srv *srv, const void *bytes, uint32_t length, unsigned flags)
{
    return (bytes != NULL || length == 0) && length <= srv->config.max_write_bytes &&
           (flags == NPJ_COPY || flags == NPJ_LEND);
}

/* What a limit, or the allocator, has against a write: a RESUME is owed for the job's own, the engine's cap is told. */
static NPJI_RARE npj_status no_room(struct npj_srv *srv, struct npji_job *job, npj_status status)
{
    if (status == NPJ_STATUS_QUOTA_EXCEEDED)
        job->facts |= NPJI_RESUME_OWED;
    else if (status == NPJ_STATUS_INSUFF_SERVER_RESOURCES)
        trace_no_pool(srv, job, NPJ_EVENT_WRITE, &srv->no_pool_writes);
    return npji_refuse(srv, job, NPJ_EVENT_WRITE, status);
}

npj_status npj_write(npj_srv *srv, npj_job handle, uint64_t tag, const void *bytes, uint32_t length, unsigned flags,
                     npj_req *out)
{
    NPJI_ENTER(srv);
    struct npji_job *job = npji_job_of(srv, handle);
    if (job == NULL)
        return npji_refuse(srv, NULL, NPJ_EVENT_WRITE, NPJ_STATUS_INVALID_HANDLE);
    const npj_cell cell = npji_cell(job, NPJ_EVENT_WRITE);
    npj_status status = cell.status;
    if (status != NPJ_STATUS_INVALID_HANDLE && !write_is_valid(srv, bytes, length, flags))
        status = NPJ_STATUS_INVALID_PARAMETER;
    if (status == NPJ_STATUS_SUCCESS)
        status = connected_and_not_closed(job);
    if (status != NPJ_STATUS_SUCCESS)
        return npji_refuse(srv, job, NPJ_EVENT_WRITE, status);
    status = flags == NPJ_LEND ? npji_packet_new(srv, job, tag, bytes, length, true)
                               : npji_packet_new(srv, job, tag, bytes, length, false);
    if (status != NPJ_STATUS_SUCCESS)
        return no_room(srv, job, status);
    srv->no_pool_writes = false;
    srv->stats.bytes_accepted += length;
    if (out != NULL)
        *out = npji_packets_last(&job->writes)->request;
    npji_move_to(srv, job, NPJ_EVENT_WRITE, cell);
    /* A write behind others changes nothing, but that the room of which a RESUME would tell may be gone. */
    if (*job->writes.waiting == npji_packets_last(&job->writes) || (job->facts & NPJI_RESUME_OWED))
        npji_settle(srv, job);
    return NPJ_STATUS_PENDING;
}

npj_status npj_close(npj_srv *srv, npj_job handle, uint64_t tag)
{
    NPJI_ENTER(srv);
    struct npji_job *job;
    npj_status status = npji_verdict(srv, handle, NPJ_EVENT_CLOSE, &job);
    if (status == NPJ_STATUS_SUCCESS)
        status = connected_and_not_closed(job);
    if (status != NPJ_STATUS_SUCCESS)
        return npji_refuse(srv, job, NPJ_EVENT_CLOSE, status);
    job->facts |= NPJI_CLOSE_ACCEPTED;
    npji_accept(srv, job, NPJ_REQUEST_CLOSE, tag);
    npji_move(srv, job, NPJ_EVENT_CLOSE);
    if (npji_failed(job))
        npji_answer(job, NPJ_REQUEST_CLOSE, false);
    npji_settle(srv, job);
    return NPJ_STATUS_PENDING;
}

/* The link to a write that waits, or the end of all. */
static struct npji_packet **find_waiting(struct npji_job *job, npj_req request)
{
    struct npji_packet **at = job->writes.waiting;
    while (*at != NULL && (*at)->request != request)
        at = &(*at)->next;
    return at;
}

npj_status npj_cancel(npj_srv *srv, npj_req request)
{
    NPJI_ENTER(srv);
    struct npji_job *job = request != 0 ? npji_job_at(srv, request) : NULL;
    if (job == NULL)
        return NPJ_STATUS_NOT_FOUND;
    npj_status status = npji_cell(job, NPJ_EVENT_CANCEL).status;
    struct npji_packet **at = status == NPJ_STATUS_SUCCESS ? find_waiting(job, request) : NULL;
    if (at == NULL || *at == NULL)
        return npji_refuse(srv, job, NPJ_EVENT_CANCEL, NPJ_STATUS_NOT_FOUND);
    if (npji_packet_held(job, *at)) {
        (*at)->flags |= NPJI_PACKET_CANCELLED;
        npji_ask_cancel(job);
    } else {
        npji_packet_answer_cancelled(job, at);
    }
    npji_move(srv, job, NPJ_EVENT_CANCEL);
    npji_settle(srv, job);
    return NPJ_STATUS_SUCCESS;
}
