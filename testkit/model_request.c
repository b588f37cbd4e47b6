/* SPDX-License-Identifier: MIT */
/* The reference model: what clients ask, and who vanishes. */
#include "model_state.h"

#include <string.h>

/* Counts a request, and what became of it. */
static npj_status counted(npjt_model *model, npj_status status)
{
    if (status == NPJ_STATUS_PENDING)
        model->stats.accepted++;
    else
        model->stats.refused++;
    return status;
}

static void ask(npjt_model *model, model_job *job, npj_request_kind kind, uint64_t tag)
{
    job->ask[kind] = MODEL_WAITING;
    job->tag[kind] = tag;
    npjt_model_gauge_add(&model->stats.reserved_packets, 1);
}

static npj_status add_job_refusal(const npjt_model *model, bool has_out, npjt_said said)
{
    if (!has_out)
        return NPJ_STATUS_INVALID_PARAMETER;
    if (model->refusing)
        return NPJ_STATUS_SERVER_SHUTDOWN_IN_PROGRESS;
    if (model->job_count >= model->limits.jobs)
        return NPJ_STATUS_INSUFF_SERVER_RESOURCES;
    return said.no_memory ? NPJ_STATUS_INSUFFICIENT_RESOURCES : NPJ_STATUS_PENDING;
}

npj_status npjt_model_add_job(npjt_model *model, uint64_t client, uint64_t provider, uint64_t cookie, uint64_t tag,
                              bool has_out, npjt_said said)
{
    npj_status status = add_job_refusal(model, has_out, said);
    model_job *job;
    if (status == NPJ_STATUS_PENDING) {
        job = &npjt_model_jobs(model)[model->job_count++];
        memset(job, 0, sizeof *job);
        job->handle = said.handle;
        job->client = client;
        job->provider = provider;
        job->cookie = cookie;
        job->state = NPJ_STATE_ADDING;
        npjt_model_gauge_add(&model->stats.jobs, 1);
        ask(model, job, NPJ_REQUEST_ADD, tag);
        npjt_model_arm(model, job, MODEL_BY_ADD);
        npjt_model_settle(model, job);
    }
    return counted(model, status);
}

npj_status npjt_model_connect(npjt_model *model, npj_job handle, uint64_t tag)
{
    model_job *job = npjt_model_find(model, handle);
    bool early;
    if (job == NULL)
        return counted(model, NPJ_STATUS_INVALID_HANDLE);
    early = job->state == NPJ_STATE_ADDING || job->state == NPJ_STATE_ADDED;
    if (!early || job->ask[NPJ_REQUEST_CONNECT] != MODEL_UNASKED)
        return counted(model, NPJ_STATUS_INVALID_PIPE_STATE);
    ask(model, job, NPJ_REQUEST_CONNECT, tag);
    npjt_model_settle(model, job);
    npjt_model_finish(model);
    return counted(model, NPJ_STATUS_PENDING);
}

static npj_status write_refusal(const npjt_model *model, const model_job *job, const void *bytes, uint32_t length,
                                unsigned flags)
{
    const npj_gauge *pool = &model->stats.pool_bytes;
    if (job == NULL)
        return NPJ_STATUS_INVALID_HANDLE;
    if ((bytes == NULL && length != 0) || length > model->limits.write_bytes)
        return NPJ_STATUS_INVALID_PARAMETER;
    if (flags != NPJ_COPY && flags != NPJ_LEND)
        return NPJ_STATUS_INVALID_PARAMETER;
    if (npjt_model_failed(job))
        return NPJ_STATUS_PIPE_BROKEN;
    if (job->ask[NPJ_REQUEST_CONNECT] == MODEL_UNASKED)
        return NPJ_STATUS_INVALID_PIPE_STATE;
    if (job->ask[NPJ_REQUEST_CLOSE] != MODEL_UNASKED)
        return NPJ_STATUS_PIPE_CLOSING;
    if (!npjt_model_fits(model, job, length))
        return NPJ_STATUS_QUOTA_EXCEEDED;
    if (model->packet_count >= model->limits.packets ||
        pool->live + npjt_model_charge(model, length, flags == NPJ_LEND) > model->limits.pool_bytes)
        return NPJ_STATUS_INSUFF_SERVER_RESOURCES;
    return NPJ_STATUS_PENDING;
}

npj_status npjt_model_write(npjt_model *model, npj_job handle, uint64_t tag, const void *bytes, uint32_t length,
                            unsigned flags, npjt_said said)
{
    model_job *job = npjt_model_find(model, handle);
    npj_status status = write_refusal(model, job, bytes, length, flags);
    if (status == NPJ_STATUS_QUOTA_EXCEEDED)
        job->resume_owed = true;
    if (status == NPJ_STATUS_PENDING && said.no_memory)
        status = NPJ_STATUS_INSUFFICIENT_RESOURCES;
    if (status != NPJ_STATUS_PENDING)
        return counted(model, status);
    npjt_model_packets(model)[model->packet_count++] = (model_packet){
        .handle = said.handle,
        .job = handle,
        .tag = tag,
        .lent = flags == NPJ_LEND ? bytes : NULL,
        .lend = flags == NPJ_LEND,
        .length = length,
    };
    npjt_model_gauge_add(&model->stats.packets, 1);
    npjt_model_gauge_add(&model->stats.pool_bytes, npjt_model_charge(model, length, flags == NPJ_LEND));
    model->stats.bytes_accepted += length;
    npjt_model_settle(model, job);
    npjt_model_finish(model);
    return counted(model, status);
}

npj_status npjt_model_close(npjt_model *model, npj_job handle, uint64_t tag)
{
    model_job *job = npjt_model_find(model, handle);
    if (job == NULL)
        return counted(model, NPJ_STATUS_INVALID_HANDLE);
    if (job->ask[NPJ_REQUEST_CLOSE] != MODEL_UNASKED)
        return counted(model, NPJ_STATUS_PIPE_CLOSING);
    if (!npjt_model_failed(job) && job->ask[NPJ_REQUEST_CONNECT] == MODEL_UNASKED)
        return counted(model, NPJ_STATUS_INVALID_PIPE_STATE);
    ask(model, job, NPJ_REQUEST_CLOSE, tag);
    if (npjt_model_failed(job))
        npjt_model_answer(job, NPJ_REQUEST_CLOSE, job->failure);
    else
        npjt_model_arm(model, job, MODEL_BY_DRAIN);
    npjt_model_settle(model, job);
    npjt_model_finish(model);
    return counted(model, NPJ_STATUS_PENDING);
}

npj_status npjt_model_cancel(npjt_model *model, npj_req request)
{
    model_packet *packets = npjt_model_packets(model);
    model_packet *packet = NULL;
    model_job *job;
    for (uint32_t i = 0; i < model->packet_count; i++)
        if (request != 0 && packets[i].handle == request && !packets[i].answered)
            packet = &packets[i];
    if (packet == NULL)
        return NPJ_STATUS_NOT_FOUND;
    job = npjt_model_find(model, packet->job);
    if (packet->in_flight) {
        packet->cancelled = true;
        job->cancel_due = !job->cancel_told;
    } else {
        npjt_model_answer_write(packet, packet->taken != 0 ? NPJ_STATUS_SUCCESS : NPJ_STATUS_CANCELLED);
        job->cut = true;
    }
    npjt_model_settle(model, job);
    npjt_model_finish(model);
    return NPJ_STATUS_SUCCESS;
}

/* ----------------------------------------------------------------------------------------------------- the end */

npj_status npjt_model_abort(npjt_model *model, npj_job handle, npj_status reason)
{
    model_job *job = npjt_model_find(model, handle);
    if (job == NULL)
        return NPJ_STATUS_INVALID_HANDLE;
    if (!npj_status_is_error(reason))
        return NPJ_STATUS_INVALID_PARAMETER;
    npjt_model_dismiss(model, job, reason);
    npjt_model_finish(model);
    return NPJ_STATUS_SUCCESS;
}

npj_status npjt_model_client_gone(npjt_model *model, uint64_t client, npj_status reason)
{
    model_job *jobs = npjt_model_jobs(model);
    if (!npj_status_is_error(reason))
        return NPJ_STATUS_INVALID_PARAMETER;
    for (uint32_t i = 0; i < model->job_count; i++)
        if (jobs[i].client == client && jobs[i].state != NPJ_STATE_GONE &&
            jobs[i].ask[NPJ_REQUEST_CLOSE] == MODEL_UNASKED)
            npjt_model_dismiss(model, &jobs[i], reason);
    npjt_model_finish(model);
    return NPJ_STATUS_SUCCESS;
}

npj_status npjt_model_provider_gone(npjt_model *model, uint64_t provider)
{
    model_job *jobs = npjt_model_jobs(model);
    for (uint32_t i = 0; i < model->job_count; i++) {
        if (jobs[i].provider == provider && jobs[i].state != NPJ_STATE_GONE) {
            jobs[i].provider_gone = true;
            npjt_model_fail(model, &jobs[i], NPJ_STATUS_PIPE_DISCONNECTED);
            npjt_model_settle(model, &jobs[i]);
        }
    }
    npjt_model_finish(model);
    return NPJ_STATUS_SUCCESS;
}
