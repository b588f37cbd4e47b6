/* SPDX-License-Identifier: MIT */
/* The reference model: looking in. */
#include "model_state.h"

void npjt_model_stats(const npjt_model *model, npj_stats *out)
{
    *out = model->stats;
}

npj_status npjt_model_query(const npjt_model *model, npj_job handle, bool has_out, npj_job_info *out)
{
    const model_job *job = npjt_model_find(model, handle);
    if (job == NULL)
        return NPJ_STATUS_INVALID_HANDLE;
    if (!has_out)
        return NPJ_STATUS_INVALID_PARAMETER;
    *out = (npj_job_info){
        .state = (npj_state)job->state,
        .failure = job->failure,
        .client = job->client,
        .provider = job->provider,
        .cookie = job->cookie,
        .job_id = job->job_id,
    };
    out->bytes = npjt_model_held(model, job, &out->packets);
    return NPJ_STATUS_SUCCESS;
}

/* ------------------------------------------------------------------------------------------------ for a search */

/* The job of a handle, ended or not, or NULL. */
static const model_job *any(const npjt_model *model, npj_job handle)
{
    const model_job *jobs = npjt_model_jobs(model);
    for (uint32_t i = 0; i < model->job_count; i++)
        if (jobs[i].handle == handle)
            return &jobs[i];
    return NULL;
}

npj_job npjt_model_job(const npjt_model *model, uint32_t index)
{
    return index < model->job_count ? npjt_model_jobs(model)[index].handle : 0;
}

npj_req npjt_model_request(const npjt_model *model, npj_job job, uint32_t index)
{
    const model_packet *packets = npjt_model_packets(model);
    for (uint32_t i = 0; i < model->packet_count; i++)
        if (packets[i].job == job && index-- == 0)
            return packets[i].handle;
    return 0;
}

npj_op npjt_model_op(const npjt_model *model, npj_job handle, npj_action_kind *kind, uint64_t *bytes)
{
    const model_job *job = any(model, handle);
    const model_packet *packets = npjt_model_packets(model);
    if (job == NULL || job->op == 0)
        return 0;
    *kind = (npj_action_kind)job->op_kind;
    *bytes = 0;
    for (uint32_t i = 0; i < model->packet_count; i++)
        if (packets[i].job == handle && packets[i].in_flight)
            *bytes += packets[i].length - packets[i].taken;
    return job->op;
}

/* ----------------------------------------------------------------------------------------------------- digests */

static uint64_t mix(uint64_t digest, uint64_t value)
{
    digest = (digest ^ value) * UINT64_C(0x9e3779b97f4a7c15);
    return digest ^ digest >> 29;
}

static uint64_t mix_deadlines(uint64_t digest, const npjt_model *model, const model_job *job)
{
    for (int kind = 0; kind < MODEL_DEADLINES; kind++)
        digest = mix(digest, job->at[kind] == NPJ_NEVER ? NPJ_NEVER : job->at[kind] - model->clock);
    return digest;
}

/* How many things of its job are said before this one. */
static uint32_t said_before(const npjt_model *model, const model_packet *packet)
{
    const model_packet *packets = npjt_model_packets(model);
    uint32_t before = 0;
    for (uint32_t i = 0; i < model->packet_count; i++)
        before += packets[i].job == packet->job && packets[i].say != 0 && packets[i].say < packet->say;
    return before;
}

static uint64_t mix_write(uint64_t digest, const npjt_model *model, const model_packet *packet)
{
    unsigned flags = (unsigned)packet->lend | (unsigned)packet->cancelled << 1 | (unsigned)packet->in_flight << 2 |
                     (unsigned)packet->answered << 3 | (unsigned)packet->told << 4 | (unsigned)(packet->say != 0) << 5;

    digest = mix(digest, flags | (uint64_t)packet->length << 8);
    digest = mix(digest, packet->taken);
    if (packet->say != 0) {
        digest = mix(digest, packet->answer);
        digest = mix(digest, said_before(model, packet));
    }
    return digest;
}

uint64_t npjt_model_job_digest(const npjt_model *model, npj_job handle)
{
    const model_job *job = any(model, handle);
    const model_packet *packets = npjt_model_packets(model);
    uint64_t digest = 1;
    uint64_t facts;
    if (job == NULL)
        return 0;
    facts = job->state | (uint64_t)job->cancel_due << 8 | (uint64_t)job->cancel_told << 9 |
            (uint64_t)job->provider_has << 10 | (uint64_t)job->provider_gone << 11 | (uint64_t)job->pipe_open << 12 |
            (uint64_t)job->messages << 13 | (uint64_t)job->connected << 14 | (uint64_t)job->cut << 15 |
            (uint64_t)job->dismissed << 16 | (uint64_t)job->resume_owed << 17 | (uint64_t)(job->op != 0) << 18 |
            (uint64_t)(job->op != 0 ? job->op_kind : 0) << 20;
    digest = mix(mix(mix(digest, facts), job->client), job->provider);
    digest = mix(digest, job->failure);
    for (int kind = NPJ_REQUEST_ADD; kind <= NPJ_REQUEST_CLOSE; kind++) {
        digest = mix(digest, job->ask[kind]);
        if (job->ask[kind] == MODEL_ANSWERED)
            digest = mix(digest, job->answer[kind]);
    }
    digest = mix_deadlines(digest, model, job);
    for (uint32_t i = 0; i < model->packet_count; i++)
        if (packets[i].job == handle)
            digest = mix_write(digest, model, &packets[i]);
    return digest;
}

uint64_t npjt_model_digest(const npjt_model *model)
{
    uint64_t facts = model->refusing | (uint64_t)model->aborted << 1 | (uint64_t)model->idle_told << 2 |
                     (uint64_t)model->clock_set << 3;
    uint64_t digest = mix(2, facts);
    if (model->refusing && !model->aborted && model->drained != NPJ_NEVER)
        digest = mix(digest, model->drained > model->clock ? model->drained - model->clock : 0);
    return digest;
}
