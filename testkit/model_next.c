/* SPDX-License-Identifier: MIT */
/* The reference model: what the host must do next. */
#include "model_state.h"

#include <string.h>

static npj_action_kind operation_of(const model_job *job)
{
    switch ((npj_state)job->state) {
    case NPJ_STATE_ADDING:
        return NPJ_ADD_JOB;
    case NPJ_STATE_CONNECTING:
        return NPJ_OPEN;
    case NPJ_STATE_OPEN:
    case NPJ_STATE_CLOSING:
        return NPJ_WRITE;
    case NPJ_STATE_SCHEDULING:
        return NPJ_SCHEDULE_JOB;
    case NPJ_STATE_ABANDONING:
        return NPJ_ABANDON_JOB;
    default:
        return NPJ_CLOSE_PIPE;
    }
}

/* Puts the unanswered writes in flight: one message, or what a batch takes, up to an empty write to a byte pipe. */
static void gather(npjt_model *model, const model_job *job, npj_action *out)
{
    model_packet *packets = npjt_model_packets(model);
    npj_iov *iov = npjt_model_iovs(model);
    uint32_t most = job->messages ? 1 : model->limits.batch;
    out->iov = iov;
    for (uint32_t i = 0; i < model->packet_count && out->iov_count < most; i++) {
        model_packet *packet = &packets[i];
        size_t length = packet->length - packet->taken;
        if (packet->job != job->handle || packet->answered)
            continue;
        if (packet->length == 0 && !job->messages)
            break;
        packet->in_flight = true;
        iov[out->iov_count++] = (npj_iov){
            .base = packet->lent != NULL ? (const char *)packet->lent + packet->taken : NULL,
            .length = length,
        };
        out->count += length;
    }
}

static void start(npjt_model *model, model_job *job, const npj_action *seen, npj_action *out)
{
    out->kind = operation_of(job);
    out->op = seen != NULL ? seen->op : 0;
    job->op = out->op;
    job->op_kind = (uint8_t)out->kind;
    model->stats.operations++;
    if (out->kind == NPJ_WRITE)
        gather(model, job, out);
    out->status = job->failure; /* a job that has failed has but a CLOSE_PIPE and an ABANDON_JOB left */
    if (out->kind == NPJ_SCHEDULE_JOB || out->kind == NPJ_ABANDON_JOB)
        out->job_id = job->job_id;
}

static void reply(npjt_model *model, model_job *job, npj_request_kind request, npj_action *out)
{
    out->kind = NPJ_REPLY;
    out->request = request;
    out->tag = job->tag[request];
    out->status = job->answer[request];
    job->ask[request] = MODEL_TOLD;
    model->stats.reserved_packets.live--;
    model->stats.replies++;
}

static void say_of_write(npjt_model *model, model_packet *packet, npj_action *out)
{
    out->tag = packet->tag;
    packet->say = 0;
    if (packet->told) {
        out->kind = NPJ_RETURN;
        npjt_model_release(model, packet);
        return;
    }
    out->kind = NPJ_REPLY;
    out->request = NPJ_REQUEST_WRITE;
    out->status = packet->answer;
    out->count = packet->taken;
    out->held = packet->lend && packet->in_flight;
    packet->told = true;
    model->stats.replies++;
    if (!packet->in_flight)
        npjt_model_release(model, packet);
}

static void take(npjt_model *model, model_job *job, const npj_action *seen, npj_action *out)
{
    npj_request_kind request;
    model_packet *packet;
    out->job = job->handle;
    out->cookie = job->cookie;
    switch (npjt_model_word(model, job, &request, &packet)) {
    case MODEL_CANCEL:
        out->kind = NPJ_CANCEL;
        out->op = job->op;
        job->cancel_due = false;
        job->cancel_told = true;
        break;
    case MODEL_REPLY:
        reply(model, job, request, out);
        break;
    case MODEL_WRITE:
        say_of_write(model, packet, out);
        break;
    case MODEL_RESUME:
        out->kind = NPJ_RESUME;
        job->resume_owed = false;
        break;
    case MODEL_OPERATION:
        start(model, job, seen, out);
        break;
    case MODEL_SILENT:
        break;
    }
    job->turn = 0;
    npjt_model_settle(model, job);
    npjt_model_finish(model);
}

/* The job whose turn it is, or NULL; turns are distinct. */
static model_job *first_in_line(const npjt_model *model)
{
    model_job *jobs = npjt_model_jobs(model);
    model_job *first = NULL;
    for (uint32_t i = 0; i < model->job_count; i++)
        if (jobs[i].turn > 0 && (first == NULL || jobs[i].turn < first->turn))
            first = &jobs[i];
    return first;
}

bool npjt_model_next(npjt_model *model, const npj_action *seen, npj_action *out)
{
    model_job *job = first_in_line(model);
    memset(out, 0, sizeof *out);
    if (job != NULL) {
        take(model, job, seen, out);
        return true;
    }
    if (!model->refusing || model->job_count != 0 || model->idle_told)
        return false;
    out->kind = NPJ_IDLE;
    model->idle_told = true;
    return true;
}
