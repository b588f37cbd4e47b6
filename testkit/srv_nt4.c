/* SPDX-License-Identifier: MIT */
/* srv_nt4 as it is called: requests, reclaim and time. srv_nt4_op.c has what the host does for it. */
#include "srv_nt4_internal.h"

#include <string.h>

#define DEFAULT(field, value)                                                                                          \
    if (!srv->config.field) {                                                                                          \
        srv->config.field = (value);                                                                                   \
    }

static npj_status srv_new(const npj_config *config, void **out)
{
    if (!config || !out || config->size != sizeof *config || !config->mem.alloc || !config->mem.release)
        return NPJ_STATUS_INVALID_PARAMETER;
    struct nt4 *srv = config->mem.alloc(config->mem.user, sizeof *srv);
    if (!srv)
        return NPJ_STATUS_INSUFFICIENT_RESOURCES;
    memset(srv, 0, sizeof *srv);
    srv->config = *config;
    DEFAULT(max_jobs, 1024)
    DEFAULT(max_packets, 65536)
    DEFAULT(max_job_packets, 256)
    DEFAULT(max_write_bytes, 8 << 20)
    DEFAULT(max_job_bytes, config->max_write_bytes > 16 << 20 ? config->max_write_bytes : 16 << 20)
    DEFAULT(max_pool_bytes, 256 << 20)
    DEFAULT(add_timeout, 30000)
    DEFAULT(connect_timeout, 30000)
    DEFAULT(stall_timeout, 60000)
    DEFAULT(drain_timeout, 300000)
    *out = srv;
    return NPJ_STATUS_SUCCESS;
}

static void free_packets(struct nt4 *srv, struct packet *packet)
{
    while (packet) {
        struct packet *next = packet->next;
        npjt_nt4_give_memory(srv, packet, npjt_nt4_packet_size(packet));
        packet = next;
    }
}

static void srv_free(void **instance)
{
    struct nt4 *srv = instance ? *instance : NULL;
    if (!srv || srv->inside)
        return;
    for (struct job *job = srv->jobs; job;) {
        struct job *next = job->next;
        free_packets(srv, job->writes);
        npjt_nt4_give_memory(srv, job, sizeof *job);
        job = next;
    }
    free_packets(srv, srv->forgotten);
    const npj_mem mem = srv->config.mem;
    srv->inside = true;
    mem.release(mem.user, srv, sizeof *srv);
    *instance = NULL;
}

/* ----------------------------------------------------------------------------------------------------------requests */

static npj_status add_job(void *instance, uint64_t client, uint64_t provider, uint64_t cookie, uint64_t tag,
                          npj_job *out)
{
    struct nt4 *srv = instance;
    ENTER(srv);
    if (!out)
        return NPJ_STATUS_INVALID_PARAMETER;
    if (srv->stopping)
        return NPJ_STATUS_SERVER_SHUTDOWN_IN_PROGRESS;
    if (srv->job_count >= srv->config.max_jobs)
        return npjt_nt4_no_pool(srv, NULL);
    struct job *job = npjt_nt4_take_memory(srv, sizeof *job);
    if (!job)
        return NPJ_STATUS_INSUFFICIENT_RESOURCES;
    memset(job, 0, sizeof *job);
    job->handle = ++srv->handles;
    job->client = client;
    job->provider = provider;
    job->cookie = cookie;
    job->requests[NPJ_REQUEST_ADD] = (struct request){.tag = tag, .accepted = true};
    job->step_from = srv->now;
    struct job **at = &srv->jobs;
    while (*at)
        at = &(*at)->next;
    *at = job;
    srv->job_count++;
    srv->no_pool[0] = false;
    *out = job->handle;
    npjt_nt4_settle(srv, job);
    return NPJ_STATUS_PENDING;
}

/* Finds a job by its handle, and asks the table. */
static npj_status find_job(struct nt4 *srv, npj_job handle, npj_event event, struct job **out)
{
    struct job *job = srv->jobs;
    while (job && job->handle != handle)
        job = job->next;
    if (!job)
        return NPJ_STATUS_INVALID_HANDLE;
    *out = job;
    return npj_table_cell(job->state, event).status;
}

static npj_status connect_job(void *instance, npj_job handle, uint64_t tag)
{
    struct nt4 *srv = instance;
    ENTER(srv);
    struct job *job = NULL;
    npj_status status = find_job(srv, handle, NPJ_EVENT_CONNECT, &job);
    if (!status && job->requests[NPJ_REQUEST_CONNECT].accepted)
        status = NPJ_STATUS_INVALID_PIPE_STATE;
    if (status)
        return job ? npjt_nt4_refuse(srv, job, NPJ_EVENT_CONNECT, status) : status;
    job->requests[NPJ_REQUEST_CONNECT] = (struct request){.tag = tag, .accepted = true};
    npjt_nt4_move(srv, job, NPJ_EVENT_CONNECT);
    npjt_nt4_settle(srv, job);
    return NPJ_STATUS_PENDING;
}

/* A write or a close of a job that lives wants an accepted connect and no accepted close. */
static npj_status guard(const struct job *job, npj_status cell)
{
    if (!cell && job->requests[NPJ_REQUEST_CLOSE].accepted)
        return NPJ_STATUS_PIPE_CLOSING;
    if (!cell && !job->failure && !job->requests[NPJ_REQUEST_CONNECT].accepted)
        return NPJ_STATUS_INVALID_PIPE_STATE;
    return cell;
}

static npj_status write_limits(struct nt4 *srv, struct job *job, uint32_t length, size_t bytes)
{
    if (!npjt_nt4_packet_fits(srv, job, length)) {
        job->resume_owed = true;
        return NPJ_STATUS_QUOTA_EXCEEDED;
    }
    if (srv->packets >= srv->config.max_packets || srv->pool_bytes + bytes > srv->config.max_pool_bytes)
        return npjt_nt4_no_pool(srv, job);
    return NPJ_STATUS_SUCCESS;
}

static npj_status write_job(void *instance, npj_job handle, uint64_t tag, const void *bytes, uint32_t length,
                            unsigned flags, npj_req *out)
{
    struct nt4 *srv = instance;
    ENTER(srv);
    struct job *job = NULL;
    const npj_status cell = find_job(srv, handle, NPJ_EVENT_WRITE, &job);
    if (!job || job->state == NPJ_STATE_GONE)
        return job ? npjt_nt4_refuse(srv, job, NPJ_EVENT_WRITE, cell) : cell;
    npj_status status = guard(job, cell);
    if ((!bytes && length) || length > srv->config.max_write_bytes || (flags != NPJ_COPY && flags != NPJ_LEND))
        status = NPJ_STATUS_INVALID_PARAMETER;
    const struct packet shape = {.length = length, .lent = flags == NPJ_LEND};
    const size_t size = npjt_nt4_packet_size(&shape);
    status = status ? status : write_limits(srv, job, length, size);
    struct packet *packet = status ? NULL : npjt_nt4_take_memory(srv, size);
    if (!packet)
        return npjt_nt4_refuse(srv, job, NPJ_EVENT_WRITE, status ? status : NPJ_STATUS_INSUFFICIENT_RESOURCES);
    *packet = shape;
    packet->handle = ++srv->handles;
    packet->tag = tag;
    packet->bytes = bytes;
    if (!packet->lent && length)
        packet->bytes = memcpy(packet + 1, bytes, length);
    if (!npjt_nt4_packet_first(job))
        job->stall_from = srv->now;
    struct packet **at = &job->writes;
    while (*at)
        at = &(*at)->next;
    *at = packet;
    srv->packets++;
    srv->pool_bytes += size;
    srv->no_pool[1] = false;
    if (out)
        *out = packet->handle;
    npjt_nt4_move(srv, job, NPJ_EVENT_WRITE);
    npjt_nt4_settle(srv, job);
    return NPJ_STATUS_PENDING;
}

static npj_status close_job(void *instance, npj_job handle, uint64_t tag)
{
    struct nt4 *srv = instance;
    ENTER(srv);
    struct job *job = NULL;
    npj_status status = find_job(srv, handle, NPJ_EVENT_CLOSE, &job);
    if (!job)
        return status;
    status = guard(job, status);
    if (status)
        return npjt_nt4_refuse(srv, job, NPJ_EVENT_CLOSE, status);
    job->requests[NPJ_REQUEST_CLOSE] = (struct request){.tag = tag, .accepted = true};
    if (job->failure) {
        job->requests[NPJ_REQUEST_CLOSE].answered = true;
        job->requests[NPJ_REQUEST_CLOSE].status = job->failure;
    }
    job->close_from = srv->now;
    npjt_nt4_move(srv, job, NPJ_EVENT_CLOSE);
    npjt_nt4_settle(srv, job);
    return NPJ_STATUS_PENDING;
}

static npj_status cancel_write(void *instance, npj_req handle)
{
    struct nt4 *srv = instance;
    ENTER(srv);
    for (struct job *job = srv->jobs; job; job = job->next) {
        for (struct packet *packet = job->writes; packet; packet = packet->next) {
            if (packet->handle != handle)
                continue;
            if (packet->answered)
                return npjt_nt4_refuse(srv, job, NPJ_EVENT_CANCEL, NPJ_STATUS_NOT_FOUND);
            if (job->op && job->op_packet == packet) {
                packet->cancelled = true;
                job->cancel_due = !job->cancel_taken;
            } else {
                npjt_nt4_packet_cancelled(job, packet);
            }
            npjt_nt4_move(srv, job, NPJ_EVENT_CANCEL);
            npjt_nt4_settle(srv, job);
            return NPJ_STATUS_SUCCESS;
        }
    }
    return NPJ_STATUS_NOT_FOUND;
}

/* ---------------------------------------------------------------------------------------------------------- reclaim */

static npj_status abort_job(void *instance, npj_job handle, npj_status reason)
{
    struct nt4 *srv = instance;
    ENTER(srv);
    struct job *job = NULL;
    npj_status status = find_job(srv, handle, NPJ_EVENT_ABORT, &job);
    if (!status && !npj_status_is_error(reason))
        status = NPJ_STATUS_INVALID_PARAMETER;
    if (status)
        return job ? npjt_nt4_refuse(srv, job, NPJ_EVENT_ABORT, status) : status;
    job->ended = true;
    npjt_nt4_fail(srv, job, NPJ_EVENT_ABORT, reason);
    npjt_nt4_settle(srv, job);
    return NPJ_STATUS_SUCCESS;
}

static npj_status client_gone(void *instance, uint64_t client, npj_status reason)
{
    struct nt4 *srv = instance;
    ENTER(srv);
    if (!npj_status_is_error(reason))
        return NPJ_STATUS_INVALID_PARAMETER;
    for (struct job *job = srv->jobs, *next; job; job = next) {
        next = job->next;
        if (job->client != client || job->state == NPJ_STATE_GONE)
            continue;
        if (job->requests[NPJ_REQUEST_CLOSE].accepted) {
            npjt_nt4_stay(srv, job, NPJ_EVENT_CLIENT_GONE);
        } else {
            job->ended = true;
            npjt_nt4_fail(srv, job, NPJ_EVENT_CLIENT_GONE, reason);
            npjt_nt4_settle(srv, job);
        }
    }
    return NPJ_STATUS_SUCCESS;
}

static npj_status provider_gone(void *instance, uint64_t provider)
{
    struct nt4 *srv = instance;
    ENTER(srv);
    for (struct job *job = srv->jobs, *next; job; job = next) {
        next = job->next;
        if (job->provider == provider && !job->provider_gone && job->state != NPJ_STATE_GONE) {
            job->provider_gone = true;
            npjt_nt4_fail(srv, job, NPJ_EVENT_PROVIDER_GONE, NPJ_STATUS_PIPE_DISCONNECTED);
            npjt_nt4_settle(srv, job);
        }
    }
    return NPJ_STATUS_SUCCESS;
}

static void abort_all(struct nt4 *srv)
{
    srv->aborting = true;
    for (struct job *job = srv->jobs, *next; job; job = next) {
        next = job->next;
        if (job->state != NPJ_STATE_GONE) {
            job->ended = true;
            npjt_nt4_fail(srv, job, NPJ_EVENT_EXPIRE, NPJ_STATUS_SERVER_SHUTDOWN_IN_PROGRESS);
            npjt_nt4_settle(srv, job);
        }
    }
}

static npj_status stop(void *instance, npj_shutdown_how how)
{
    struct nt4 *srv = instance;
    ENTER(srv);
    if (how != NPJ_DRAIN && how != NPJ_ABORT)
        return NPJ_STATUS_INVALID_PARAMETER;
    if (!srv->stopping) {
        srv->stopping = srv->idle_owed = true;
        srv->stop_from = srv->now;
    }
    if (how == NPJ_ABORT && !srv->aborting)
        abort_all(srv);
    return NPJ_STATUS_SUCCESS;
}

/* ------------------------------------------------------------------------------------------------------------- time */

static uint64_t after(uint64_t from, uint64_t timeout)
{
    return timeout > NPJ_NEVER - from ? NPJ_NEVER : from + timeout;
}

static uint64_t job_deadline(const struct nt4 *srv, const struct job *job)
{
    uint64_t when = NPJ_NEVER;
    if (job->state == NPJ_STATE_ADDING)
        when = after(job->step_from, srv->config.add_timeout);
    else if (job->state == NPJ_STATE_CONNECTING)
        when = after(job->step_from, srv->config.connect_timeout);
    else if ((job->state == NPJ_STATE_OPEN || job->state == NPJ_STATE_CLOSING) && npjt_nt4_packet_first(job))
        when = after(job->stall_from, srv->config.stall_timeout);
    const struct request *close = &job->requests[NPJ_REQUEST_CLOSE];
    if (close->accepted && !close->answered) {
        const uint64_t drained = after(job->close_from, srv->config.drain_timeout);
        when = drained < when ? drained : when;
    }
    return when;
}

static uint64_t deadline(const void *instance)
{
    const struct nt4 *srv = instance;
    uint64_t when = NPJ_NEVER;
    if (!srv)
        return when;
    for (const struct job *job = srv->jobs; job; job = job->next) {
        const uint64_t mine = job_deadline(srv, job);
        when = mine < when ? mine : when;
    }
    if (srv->jobs && srv->stopping && !srv->aborting) {
        const uint64_t drained = after(srv->stop_from, srv->config.drain_timeout);
        when = drained < when ? drained : when;
    }
    return when;
}

static npj_status advance(void *instance, uint64_t now)
{
    struct nt4 *srv = instance;
    ENTER(srv);
    if (!srv->clock_set) {
        srv->clock_set = true;
        srv->now = srv->stop_from = now;
        for (struct job *job = srv->jobs; job; job = job->next)
            job->step_from = job->stall_from = job->close_from = now;
        return NPJ_STATUS_SUCCESS;
    }
    srv->now = now > srv->now ? now : srv->now;
    for (struct job *job = srv->jobs, *next; job; job = next) {
        next = job->next;
        const uint64_t when = job_deadline(srv, job);
        if (when != NPJ_NEVER && when <= srv->now) {
            npjt_nt4_fail(srv, job, NPJ_EVENT_EXPIRE, NPJ_STATUS_IO_TIMEOUT);
            npjt_nt4_settle(srv, job);
        }
    }
    const uint64_t stopped = after(srv->stop_from, srv->config.drain_timeout);
    if (srv->jobs && srv->stopping && !srv->aborting && stopped != NPJ_NEVER && stopped <= srv->now)
        abort_all(srv);
    return NPJ_STATUS_SUCCESS;
}

const npjt_subject npjt_subject_srv_nt4 = {
    .name = "srv_nt4",
    .engine_blocks = 1,
    .idle_job_blocks = 1,
    .packet_blocks = 1,
    .srv_new = srv_new,
    .srv_free = srv_free,
    .add_job = add_job,
    .connect = connect_job,
    .write = write_job,
    .close = close_job,
    .cancel = cancel_write,
    .job_added = npjt_nt4_job_added,
    .opened = npjt_nt4_opened,
    .written = npjt_nt4_written,
    .done = npjt_nt4_done,
    .abort = abort_job,
    .client_gone = client_gone,
    .provider_gone = provider_gone,
    .shutdown = stop,
    .advance = advance,
    .deadline = deadline,
    .next = npjt_nt4_next,
};
