/* SPDX-License-Identifier: MIT */
/* The reference model: how operations end. */
#include "model_state.h"

/* What a completion may say: a success that is not PENDING, or an error. */
static bool is_claimable(npj_status status)
{
    return npj_status_is_error(status) || (status >> 30 < 2 && status != NPJ_STATUS_PENDING);
}

static void end_operation(model_job *job)
{
    job->op = 0;
    job->cancel_due = false;
    job->cancel_told = false;
}

static npj_status completed(npjt_model *model, model_job *job, bool good)
{
    npjt_model_settle(model, job);
    npjt_model_finish(model);
    return good ? NPJ_STATUS_SUCCESS : NPJ_STATUS_INVALID_PARAMETER;
}

npj_status npjt_model_job_added(npjt_model *model, npj_op op, npj_status status, bool good, npj_status path,
                                uint32_t job_id)
{
    model_job *job = npjt_model_find_op(model, op, NPJ_ADD_JOB);
    bool waits, claim;
    if (job == NULL)
        return NPJ_STATUS_INVALID_HANDLE;
    claim = is_claimable(status) && (npj_status_is_error(status) || good);
    if (!claim)
        status = NPJ_STATUS_INVALID_PARAMETER;
    end_operation(job);
    waits = job->ask[NPJ_REQUEST_ADD] == MODEL_WAITING;
    if (npj_status_is_error(status)) {
        npjt_model_fail(model, job, status);
        return completed(model, job, claim);
    }
    job->job_id = job_id;
    job->provider_has = !(path == NPJ_STATUS_INVALID_DEVICE_REQUEST && waits);
    if (path == NPJ_STATUS_SUCCESS)
        npjt_model_answer(job, NPJ_REQUEST_ADD, NPJ_STATUS_SUCCESS);
    else
        npjt_model_fail(model, job, path);
    return completed(model, job, true);
}

npj_status npjt_model_opened(npjt_model *model, npj_op op, npj_status status, npj_pipe_mode mode)
{
    model_job *job = npjt_model_find_op(model, op, NPJ_OPEN);
    bool claim;
    if (job == NULL)
        return NPJ_STATUS_INVALID_HANDLE;
    claim =
        npj_status_is_error(status) || (is_claimable(status) && (mode == NPJ_BYTE_MODE || mode == NPJ_MESSAGE_MODE));
    if (!claim)
        status = NPJ_STATUS_INVALID_PARAMETER;
    end_operation(job);
    if (npj_status_is_error(status)) {
        npjt_model_fail(model, job, status);
        return completed(model, job, claim);
    }
    job->pipe_open = true;
    job->messages = mode == NPJ_MESSAGE_MODE;
    if (!npjt_model_failed(job)) {
        npjt_model_answer(job, NPJ_REQUEST_CONNECT, NPJ_STATUS_SUCCESS);
        job->connected = true;
    }
    return completed(model, job, true);
}

/* ------------------------------------------------------------------------------------------------------- WRITE */

static uint64_t bytes_in_flight(const npjt_model *model, const model_job *job)
{
    const model_packet *packets = npjt_model_packets(model);
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < model->packet_count; i++)
        if (packets[i].job == job->handle && packets[i].in_flight)
            bytes += packets[i].length - packets[i].taken;
    return bytes;
}

/* A failed job has answered its writes before: their memory comes back now, and lent bytes are to be returned. */
static void give_back(npjt_model *model, const model_job *job)
{
    model_packet *packets = npjt_model_packets(model);
    for (uint32_t i = 0; i < model->packet_count;) {
        model_packet *packet = &packets[i];
        bool over = false;
        if (packet->job == job->handle && packet->in_flight) {
            packet->in_flight = false;
            over = packet->told && !packet->lend;
            if (packet->told && packet->lend)
                packet->say = MODEL_NEW;
        }
        if (over)
            npjt_model_release(model, packet);
        else
            i++;
    }
}

/* Deals the bytes out, and answers the writes that are done: those taken in full, and, if the job goes on, those that
 * were cancelled. @p empty_too: an empty message has been taken. */
static void deal_out(npjt_model *model, model_job *job, uint64_t bytes, bool empty_too, bool goes_on)
{
    model_packet *packets = npjt_model_packets(model);
    for (uint32_t i = 0; i < model->packet_count; i++) {
        model_packet *packet = &packets[i];
        uint32_t left = packet->length - packet->taken;
        if (packet->job != job->handle || !packet->in_flight)
            continue;
        packet->in_flight = false;
        packet->taken += bytes < left ? (uint32_t)bytes : left;
        bytes -= bytes < left ? bytes : left;
        if (packet->taken == packet->length && (packet->length != 0 || empty_too)) {
            npjt_model_answer_write(packet, NPJ_STATUS_SUCCESS);
        } else if (packet->cancelled && goes_on) {
            npjt_model_answer_write(packet, packet->taken != 0 ? NPJ_STATUS_SUCCESS : NPJ_STATUS_CANCELLED);
            job->cut = true;
        }
    }
}

/* What a completion of a WRITE that makes no bad claim does to its job: SUCCESS, or why it fails. */
static npj_status outcome(const model_job *job, npj_status status, uint64_t given, uint64_t transferred)
{
    if (status == NPJ_STATUS_CANCELLED && job->cancel_told)
        return NPJ_STATUS_SUCCESS;
    if (npj_status_is_error(status))
        return status;
    if (given != 0 && transferred == 0 && !job->cancel_told)
        return NPJ_STATUS_PIPE_BROKEN;
    if (job->messages && transferred != 0 && transferred < given)
        return NPJ_STATUS_PIPE_BROKEN;
    return NPJ_STATUS_SUCCESS;
}

/* Of messages only whole ones count: an empty one is whole if it was taken, one with bytes if all of them were, though
 * the operation was asked to stop. */
static bool is_progress(const model_job *job, npj_status status, uint64_t given, uint64_t transferred)
{
    if (job->messages && given == 0)
        return !npj_status_is_error(status);
    return transferred != 0 && (!job->messages || transferred == given);
}

npj_status npjt_model_written(npjt_model *model, npj_op op, npj_status status, uint64_t transferred)
{
    model_job *job = npjt_model_find_op(model, op, NPJ_WRITE);
    uint64_t given;
    npj_status failure;
    bool claim;
    if (job == NULL)
        return NPJ_STATUS_INVALID_HANDLE;
    given = bytes_in_flight(model, job);
    claim = is_claimable(status) && transferred <= given;
    if (!claim) {
        status = NPJ_STATUS_INVALID_PARAMETER;
        transferred = 0;
    }
    model->stats.bytes_taken += transferred;
    failure = outcome(job, status, given, transferred);
    end_operation(job);
    if (npjt_model_failed(job)) {
        give_back(model, job);
        return completed(model, job, claim);
    }
    deal_out(model, job, transferred, !npj_status_is_error(status), failure == NPJ_STATUS_SUCCESS);
    npjt_model_answer_empty(model, job);
    if (failure != NPJ_STATUS_SUCCESS)
        npjt_model_fail(model, job, failure);
    else if (is_progress(job, status, given, transferred))
        npjt_model_arm(model, job, MODEL_BY_STALL);
    return completed(model, job, claim);
}

/* -------------------------------------------------------------------------------------------------------- done */

npj_status npjt_model_done(npjt_model *model, npj_op op, npj_status status)
{
    model_job *job = NULL;
    npj_action_kind kinds[] = {NPJ_CLOSE_PIPE, NPJ_SCHEDULE_JOB, NPJ_ABANDON_JOB};
    npj_action_kind kind = NPJ_IDLE;
    bool claim = is_claimable(status);
    for (int i = 0; i < 3 && job == NULL; i++) {
        kind = kinds[i];
        job = npjt_model_find_op(model, op, kind);
    }
    if (job == NULL)
        return NPJ_STATUS_INVALID_HANDLE;
    if (!claim)
        status = NPJ_STATUS_INVALID_PARAMETER;
    end_operation(job);
    if (kind == NPJ_CLOSE_PIPE)
        job->pipe_open = false;
    else if (kind == NPJ_ABANDON_JOB)
        job->provider_has = false;
    else
        job->scheduled = !npj_status_is_error(status);
    if (npj_status_is_error(status))
        npjt_model_fail(model, job, status);
    return completed(model, job, claim);
}
