/* SPDX-License-Identifier: MIT */
/* The reference model: what a job does by itself, and how it fails. */
#include "model_state.h"

#include <string.h>

bool npjt_model_failed(const model_job *job)
{
    return job->failure != NPJ_STATUS_SUCCESS;
}

void npjt_model_answer(model_job *job, npj_request_kind kind, npj_status status)
{
    if (job->ask[kind] == MODEL_WAITING) {
        job->ask[kind] = MODEL_ANSWERED;
        job->answer[kind] = status;
    }
}

void npjt_model_answer_write(model_packet *packet, npj_status status)
{
    packet->answered = true;
    packet->answer = status;
    packet->say = MODEL_NEW;
}

/* The first write of a job that has no answer, or NULL. */
static model_packet *unanswered(const npjt_model *model, const model_job *job)
{
    model_packet *packets = npjt_model_packets(model);
    for (uint32_t i = 0; i < model->packet_count; i++)
        if (packets[i].job == job->handle && !packets[i].answered)
            return &packets[i];
    return NULL;
}

void npjt_model_answer_empty(npjt_model *model, const model_job *job)
{
    model_packet *packet;
    if (job->op != 0 || job->messages)
        return;
    while ((packet = unanswered(model, job)) != NULL && packet->length == 0)
        npjt_model_answer_write(packet, NPJ_STATUS_SUCCESS);
}

static bool can_be_cancelled(uint8_t kind)
{
    return kind == NPJ_ADD_JOB || kind == NPJ_OPEN || kind == NPJ_WRITE || kind == NPJ_SCHEDULE_JOB;
}

void npjt_model_fail(npjt_model *model, model_job *job, npj_status status)
{
    model_packet *packet;
    if (npjt_model_failed(job))
        return;
    job->failure = status;
    job->state = job->state == NPJ_STATE_CLEANUP ? NPJ_STATE_CLEANUP_FAILED : NPJ_STATE_ABORTING;
    npjt_model_answer(job, NPJ_REQUEST_ADD, status);
    npjt_model_answer(job, NPJ_REQUEST_CONNECT, status);
    while ((packet = unanswered(model, job)) != NULL)
        npjt_model_answer_write(packet, status);
    npjt_model_answer(job, NPJ_REQUEST_CLOSE, status);
    if (job->op != 0 && can_be_cancelled(job->op_kind) && !job->cancel_told)
        job->cancel_due = true;
}

void npjt_model_dismiss(npjt_model *model, model_job *job, npj_status status)
{
    job->dismissed = true;
    npjt_model_fail(model, job, status);
    npjt_model_settle(model, job);
}

/* npjob goes by its slots; a server with other handles, by those. */
static uint64_t slot_of(const model_job *job)
{
    return job->handle >> 2 & 0x3fffff;
}

void npjt_model_abort_all(npjt_model *model)
{
    model_job *jobs = npjt_model_jobs(model);
    model->aborted = true;
    for (;;) {
        model_job *next = NULL;
        for (uint32_t i = 0; i < model->job_count; i++)
            if (jobs[i].state != NPJ_STATE_GONE && !jobs[i].dismissed &&
                (next == NULL || slot_of(&jobs[i]) < slot_of(next)))
                next = &jobs[i];
        if (next == NULL)
            return;
        npjt_model_dismiss(model, next, NPJ_STATUS_SERVER_SHUTDOWN_IN_PROGRESS);
    }
}

/* ----------------------------------------------------------------------------------------------------- progress */

/* A close is waiting, and nothing is left to write. */
static void drained(npjt_model *model, model_job *job)
{
    if (job->cut)
        npjt_model_fail(model, job, NPJ_STATUS_CANCELLED);
    else
        job->state = NPJ_STATE_CLEANUP;
}

/* Whether a failed job waits for its client to close it. */
static bool rests(const model_job *job)
{
    return job->connected && job->ask[NPJ_REQUEST_CLOSE] == MODEL_UNASKED && !job->dismissed;
}

static void step_whole(npjt_model *model, model_job *job)
{
    switch ((npj_state)job->state) {
    case NPJ_STATE_ADDING:
        if (job->provider_has)
            job->state = NPJ_STATE_ADDED;
        break;
    case NPJ_STATE_ADDED:
        if (job->ask[NPJ_REQUEST_CONNECT] != MODEL_UNASKED) {
            job->state = NPJ_STATE_CONNECTING;
            npjt_model_arm(model, job, MODEL_BY_CONNECT);
        }
        break;
    case NPJ_STATE_CONNECTING:
        if (job->pipe_open)
            job->state = NPJ_STATE_OPEN;
        break;
    case NPJ_STATE_OPEN:
        npjt_model_answer_empty(model, job);
        if (job->ask[NPJ_REQUEST_CLOSE] != MODEL_UNASKED)
            job->state = NPJ_STATE_CLOSING;
        break;
    case NPJ_STATE_CLOSING:
        npjt_model_answer_empty(model, job);
        if (unanswered(model, job) == NULL)
            drained(model, job);
        break;
    case NPJ_STATE_CLEANUP:
        if (!job->pipe_open)
            job->state = NPJ_STATE_SCHEDULING;
        break;
    case NPJ_STATE_SCHEDULING:
        if (job->scheduled) {
            npjt_model_answer(job, NPJ_REQUEST_CLOSE, NPJ_STATUS_SUCCESS);
            job->state = NPJ_STATE_GONE;
        }
        break;
    default:
        break;
    }
}

static void step_failed(model_job *job)
{
    if (job->op != 0)
        return;
    if (job->state == NPJ_STATE_ABORTING)
        job->state = NPJ_STATE_CLEANUP_FAILED;
    else if (job->state == NPJ_STATE_CLEANUP_FAILED && !job->pipe_open)
        job->state = NPJ_STATE_ABANDONING;
    else if (job->state == NPJ_STATE_ABANDONING && (!job->provider_has || job->provider_gone))
        job->state = NPJ_STATE_BROKEN;
    else if (job->state == NPJ_STATE_BROKEN && !rests(job))
        job->state = NPJ_STATE_GONE;
}

/* Disarms what no longer waits for anything, and arms the stall of a job that has begun to hold a write. */
static void set_deadlines(npjt_model *model, model_job *job)
{
    bool carries = (job->state == NPJ_STATE_OPEN || job->state == NPJ_STATE_CLOSING);
    if (job->ask[NPJ_REQUEST_ADD] != MODEL_WAITING)
        job->at[MODEL_BY_ADD] = NPJ_NEVER;
    if (job->ask[NPJ_REQUEST_CONNECT] != MODEL_WAITING)
        job->at[MODEL_BY_CONNECT] = NPJ_NEVER;
    if (job->ask[NPJ_REQUEST_CLOSE] != MODEL_WAITING)
        job->at[MODEL_BY_DRAIN] = NPJ_NEVER;
    if (!carries || unanswered(model, job) == NULL)
        job->at[MODEL_BY_STALL] = NPJ_NEVER;
    else if (job->at[MODEL_BY_STALL] == NPJ_NEVER)
        npjt_model_arm(model, job, MODEL_BY_STALL);
}

/* ----------------------------------------------------------------------------------------------------- its turn */

static bool operation_waits(const npjt_model *model, const model_job *job)
{
    if (job->op != 0)
        return false;
    switch ((npj_state)job->state) {
    case NPJ_STATE_ADDING:
    case NPJ_STATE_CONNECTING:
    case NPJ_STATE_CLEANUP:
    case NPJ_STATE_SCHEDULING:
    case NPJ_STATE_CLEANUP_FAILED:
    case NPJ_STATE_ABANDONING:
        return true;
    case NPJ_STATE_OPEN:
    case NPJ_STATE_CLOSING:
        return unanswered(model, job) != NULL;
    default:
        return false;
    }
}

static model_packet *first_said(const npjt_model *model, const model_job *job)
{
    model_packet *packets = npjt_model_packets(model);
    model_packet *first = NULL;
    for (uint32_t i = 0; i < model->packet_count; i++)
        if (packets[i].job == job->handle && packets[i].say != 0 && (first == NULL || packets[i].say < first->say))
            first = &packets[i];
    return first;
}

static bool resume_is_due(const npjt_model *model, const model_job *job)
{
    bool no_more = npjt_model_failed(job) || job->ask[NPJ_REQUEST_CLOSE] != MODEL_UNASKED;
    return job->resume_owed && (no_more || npjt_model_fits(model, job, model->limits.write_bytes));
}

model_word npjt_model_word(const npjt_model *model, const model_job *job, npj_request_kind *request,
                           model_packet **packet)
{
    if (job->cancel_due)
        return MODEL_CANCEL;
    *request = NPJ_REQUEST_ADD;
    if (job->ask[NPJ_REQUEST_ADD] == MODEL_ANSWERED)
        return MODEL_REPLY;
    *request = NPJ_REQUEST_CONNECT;
    if (job->ask[NPJ_REQUEST_CONNECT] == MODEL_ANSWERED)
        return MODEL_REPLY;
    *packet = first_said(model, job);
    if (*packet != NULL)
        return MODEL_WRITE;
    *request = NPJ_REQUEST_CLOSE;
    if (job->ask[NPJ_REQUEST_CLOSE] == MODEL_ANSWERED)
        return MODEL_REPLY;
    if (resume_is_due(model, job))
        return MODEL_RESUME;
    return operation_waits(model, job) ? MODEL_OPERATION : MODEL_SILENT;
}

static void stand_in_line(npjt_model *model, model_job *job)
{
    const model_job *jobs = npjt_model_jobs(model);
    npj_request_kind request;
    model_packet *packet;
    uint32_t last = 0;
    if (npjt_model_word(model, job, &request, &packet) == MODEL_SILENT) {
        job->turn = 0;
        return;
    }
    for (uint32_t i = 0; i < model->job_count; i++)
        if (jobs[i].turn > last)
            last = jobs[i].turn;
    if (job->turn == 0)
        job->turn = last + 1;
}

void npjt_model_settle(npjt_model *model, model_job *job)
{
    uint8_t before;
    do {
        before = job->state;
        if (npjt_model_failed(job))
            step_failed(job);
        else
            step_whole(model, job);
    } while (job->state != before);
    set_deadlines(model, job);
    stand_in_line(model, job);
}

/* ------------------------------------------------------------------------------------------ the end of a call */

static void number_answers(npjt_model *model)
{
    model_packet *packets = npjt_model_packets(model);
    for (uint32_t i = 0; i < model->packet_count; i++) {
        uint32_t last = 0;
        if (packets[i].say != MODEL_NEW)
            continue;
        for (uint32_t k = 0; k < model->packet_count; k++)
            if (packets[k].job == packets[i].job && packets[k].say != MODEL_NEW && packets[k].say > last)
                last = packets[k].say;
        packets[i].say = last + 1;
    }
}

void npjt_model_finish(npjt_model *model)
{
    model_job *jobs = npjt_model_jobs(model);
    number_answers(model);
    for (uint32_t i = 0; i < model->job_count;) {
        if (jobs[i].state == NPJ_STATE_GONE && jobs[i].turn == 0) {
            memmove(&jobs[i], &jobs[i + 1], (model->job_count - i - 1) * sizeof *jobs);
            model->job_count--;
            model->stats.jobs.live--;
        } else {
            i++;
        }
    }
}
