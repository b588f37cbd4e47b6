/* SPDX-License-Identifier: MIT */
/* The host of a twin: it takes actions, holds operations, owns the pipes and the bytes that it lends. */
#include <stdlib.h>
#include <string.h>

#include "twin_state.h"

/* What an operation comes to that goes wrong by the job's plan. */
#define PIPE_FAILS NPJ_STATUS_PIPE_DISCONNECTED

static void mix(uint64_t *hash, uint64_t value)
{
    *hash = (*hash ^ value) * UINT64_C(0x9E3779B97F4A7C15);
    *hash ^= *hash >> 29;
}

void npjt_twin_saw(struct twin_run *run, const struct twin_entry *entry)
{
    if (run->recording)
        run->entries[run->entry_count++] = *entry;
}

/* --------------------------------------------------------------------------------------------------------- the pipe */

/* The bytes of an operation, from the first of its pieces, as they are now. */
static void mix_bytes(uint64_t *hash, const struct twin_op *op, uint64_t count)
{
    for (uint32_t i = 0; i < op->iov_count && count > 0; i++) {
        const uint8_t *bytes = op->iov[i].base;
        for (size_t k = 0; k < op->iov[i].length && count > 0; k++, count--)
            mix(hash, bytes[k]);
    }
}

/* The pipe takes the first @count bytes, for which it has room. What a message is, shows in message mode only. */
static void pipe_takes(struct twin_job *job, uint64_t count)
{
    mix_bytes(&job->pipe.hash, &job->op, count);
    job->pipe.bytes += count;
    job->room -= count;
    if (job->message) {
        job->pipe.messages++;
        mix(&job->pipe.hash, UINT64_C(256) + count);
    }
}

/* ---------------------------------------------------------------------------------------------------- lent payloads */

static void fill(uint8_t *bytes, uint16_t tag, uint32_t length)
{
    for (uint32_t i = 0; i < length; i++)
        bytes[i] = (uint8_t)(tag * 131U + i * 7U + (i >> 8) * 13U);
}

/* They are used otherwise, and show wherever they are still taken for what they were. */
static void take_back(struct twin_run *run, uint64_t tag)
{
    if (tag >= TWIN_TAGS || !run->is_lent[tag])
        return;
    /* A twin may play in another order; the tag is the step's number in the first. */
    memset(run->lent[tag], 0xDD, npjt_twin_length(&run->twin->script.steps[tag - 1]));
    run->is_lent[tag] = false;
    run->lent_count--;
}

void npjt_twin_free_lent(struct twin_run *run)
{
    for (unsigned tag = 1; tag < TWIN_TAGS; tag++)
        free(run->lent[tag]);
}

/* Copied bytes are gone when the call is back; lent ones stand in a block of their own to the end of the run. */
npj_status npjt_twin_write(struct twin_run *run, struct twin_job *job, const struct twin_step *step)
{
    uint8_t scratch[TWIN_MAX_WRITE];
    uint32_t length = npjt_twin_length(step);
    bool lends = !run->subject->copies_only && (run->side.payload ? run->side.payload == NPJ_LEND : step->lent);
    uint8_t *bytes = lends ? malloc(length > 0 ? length : 1) : scratch;
    if (!bytes)
        abort();
    fill(bytes, step->tag, length);
    npj_req request = 0;
    npj_status status =
        run->subject->write(run->srv, job->handle, step->tag, bytes, length, lends ? NPJ_LEND : NPJ_COPY, &request);
    if (status == NPJ_STATUS_PENDING) {
        run->requests[step->tag] = request;
        job->writes[job->write_count++] = step->tag;
        run->twin->result.packets++;
    }
    if (!lends) {
        memset(scratch, 0xEE, sizeof scratch);
    } else if (status == NPJ_STATUS_PENDING) {
        run->lent[step->tag] = bytes;
        run->is_lent[step->tag] = true;
        run->lent_count++;
    } else {
        free(bytes);
    }
    return status;
}

/* --------------------------------------------------------------------------------------------------------- outcomes */

static const npj_path good_path = {"\\\\.\\pipe\\printer", 16, NPJ_PATH_UTF8};
static const npj_path drive_path = {"C:\\spool\\1.spl", 14, NPJ_PATH_UTF8};
static const npj_path bad_path = {"\\\\.\\pipe\\", 9, NPJ_PATH_UTF8};

static npj_status complete_added(struct twin_run *run, struct twin_job *job, npj_op op, uint8_t how)
{
    uint32_t job_id = (uint32_t)(job - run->jobs);
    unsigned outcome = job->a & 7;
    const npj_path *path = outcome == 6 ? &drive_path : outcome == 7 ? &bad_path : &good_path;
    npj_status status = outcome == 5 ? NPJ_STATUS_ACCESS_DENIED : NPJ_STATUS_SUCCESS;
    if (how == 5 || how == 6)
        status = how == 5 ? NPJ_STATUS_OBJECT_NAME_NOT_FOUND : NPJ_STATUS_CANCELLED;
    return run->subject->job_added(run->srv, op, status, how == 7 ? NULL : path, job_id);
}

static npj_status complete_opened(struct twin_run *run, struct twin_job *job, npj_op op, uint8_t how)
{
    npj_status status = (job->a >> 4 & 3) == 3 ? NPJ_STATUS_PIPE_NOT_AVAILABLE : NPJ_STATUS_SUCCESS;
    if (how == 5 || how == 6)
        status = how == 5 ? NPJ_STATUS_PIPE_BUSY : NPJ_STATUS_CANCELLED;
    if (how == 7)
        status = NPJ_STATUS_PENDING;
    job->message = job->a >> 3 & 1;
    return run->subject->opened(run->srv, op, status, job->message ? NPJ_MESSAGE_MODE : NPJ_BYTE_MODE);
}

/* A pipe that is about to break takes what it has room for; a message, whole or not at all. */
static npj_status complete_written(struct twin_run *run, struct twin_job *job, npj_op op, uint8_t how, uint64_t amount)
{
    uint64_t count = job->op.count;
    uint64_t taken = count <= job->room ? count : job->message ? 0 : job->room;
    npj_status status = count <= job->room ? NPJ_STATUS_SUCCESS : PIPE_FAILS;
    if (how >= 4 && amount < taken) {
        taken = amount;
        status = NPJ_STATUS_SUCCESS;
    }
    if (how == 5 || how == 6)
        status = how == 5 ? NPJ_STATUS_PIPE_BUSY : NPJ_STATUS_CANCELLED;
    if (how == 7)
        return run->subject->written(run->srv, op, status, count + 1);
    if (taken > 0 || status == NPJ_STATUS_SUCCESS)
        pipe_takes(job, taken);
    return run->subject->written(run->srv, op, status, taken);
}

static npj_status complete_done(struct twin_run *run, struct twin_job *job, npj_op op, uint8_t how)
{
    unsigned fails = job->a >> 6;
    bool failed = (fails == 2 && job->op.kind == NPJ_CLOSE_PIPE) || (fails == 3 && job->op.kind != NPJ_CLOSE_PIPE);
    npj_status status = failed ? NPJ_STATUS_PIPE_BUSY : NPJ_STATUS_SUCCESS;
    if (how == 5 || how == 6)
        status = how == 5 ? NPJ_STATUS_ACCESS_DENIED : NPJ_STATUS_CANCELLED;
    return run->subject->done(run->srv, op, how == 7 ? NPJ_STATUS_PENDING : status);
}

/*
 * Completes the operation of a job. @how: below 4 as the job's plan has it; 4 the same, but the pipe takes @amount
 * bytes at most; 5 an error; 6 CANCELLED; 7 a bad claim.
 */
npj_status npjt_twin_complete(struct twin_run *run, struct twin_job *job, uint8_t how, uint64_t amount)
{
    npj_op op = job->op.op;
    npj_status status;
    job->last_op = op;
    job->op.op = 0;
    if (job->op.kind == NPJ_ADD_JOB)
        status = complete_added(run, job, op, how);
    else if (job->op.kind == NPJ_OPEN)
        status = complete_opened(run, job, op, how);
    else if (job->op.kind == NPJ_WRITE)
        status = complete_written(run, job, op, how, amount);
    else
        status = complete_done(run, job, op, how);
    return status;
}

/*
 * The last job of a lane that has an operation in the host's hands; not the last taken, as sides may differ in that. An
 * earlier job of the lane may have one on one side only, where the other has refused it a write for now: it must not
 * come before the last, whose requests have other answers once its ADD_JOB is completed.
 */
struct twin_job *npjt_twin_busy(struct twin_run *run, uint8_t lane)
{
    for (uint32_t i = run->job_count; i-- > 0;)
        if (run->jobs[i].lane == lane && run->jobs[i].op.op != 0)
            return &run->jobs[i];
    return NULL;
}

/*
 * The pipe takes @budget bytes, in however many WRITEs; anything else is completed. A pipe without room breaks when it
 * is offered a byte, and not later, so that it breaks at the same moment for both sides.
 */
void npjt_twin_flow(struct twin_run *run, uint8_t lane, uint64_t budget)
{
    struct twin_job *job = npjt_twin_busy(run, lane);
    while (job != NULL && job->op.op != 0) {
        bool is_write = job->op.kind == NPJ_WRITE;
        uint64_t amount = job->message ? UINT64_MAX : budget;
        if (is_write && job->room > 0 && amount == 0)
            return;
        uint64_t before = job->pipe.bytes;
        (void)npjt_twin_complete(run, job, 4, amount);
        npjt_twin_drain(run);
        budget -= job->pipe.bytes - before;
        if (!is_write || job->message)
            return;
    }
}

/* ---------------------------------------------------------------------------------------------------------- actions */

static void take_iovecs(struct twin_run *run, struct twin_op *op, const npj_action *action)
{
    uint32_t count = action->iov_count < TWIN_IOVS ? action->iov_count : TWIN_IOVS;
    for (uint32_t i = 0; i < count; i++) {
        if (!action->iov || (!action->iov[i].base && action->iov[i].length > 0)) {
            npjt_twin_differ(run->twin, "a WRITE has an iovec without an address");
            return;
        }
        op->iov[op->iov_count++] = action->iov[i];
    }
}

static void take_op(struct twin_run *run, struct twin_job *job, const npj_action *action, struct twin_entry *entry)
{
    struct twin_op *op = &job->op;
    *op = (struct twin_op){.op = action->op, .kind = action->kind, .count = action->count};
    if (action->kind == NPJ_WRITE)
        take_iovecs(run, op, action);
    mix_bytes(&entry->bytes, op, op->count);
}

static void take_reply(struct twin_run *run, const npj_action *action)
{
    if (action->tag < TWIN_TAGS)
        run->replied[action->tag] = true;
    if (!action->held)
        take_back(run, action->tag);
}

static void act(struct twin_run *run, struct twin_job *job, const npj_action *action, struct twin_entry *entry)
{
    switch (action->kind) {
    case NPJ_REPLY:
        take_reply(run, action);
        break;
    case NPJ_RETURN:
        take_back(run, action->tag);
        break;
    case NPJ_RESUME:
        job->resumed = true;
        job->resumes++;
        break;
    case NPJ_CANCEL:
    case NPJ_IDLE:
        break;
    default:
        take_op(run, job, action, entry);
    }
}

/* What the host does with it at once, as the side has it. */
static void react(struct twin_run *run, struct twin_job *job, const npj_action *action)
{
    if (job->op.op == 0)
        return;
    if (run->side.eager)
        (void)npjt_twin_complete(run, job, 0, 0);
    else if (run->side.portions && action->kind == NPJ_CANCEL && job->op.kind == NPJ_WRITE)
        (void)npjt_twin_complete(run, job, 6, 0);
}

bool npjt_twin_take(struct twin_run *run)
{
    npj_action action;
    if (run->twin->found || !run->subject->next(run->srv, &action))
        return false;
    run->twin->result.actions++;
    if (++run->actions > TWIN_ACTIONS) {
        npjt_twin_differ(run->twin, "there is no end of actions");
        return false;
    }
    struct twin_job nobody = {0};
    bool is_somebody = action.kind != NPJ_IDLE && action.cookie < run->job_count;
    struct twin_job *job = is_somebody ? &run->jobs[action.cookie] : &nobody;
    struct twin_entry entry = {.what = TWIN_ACTION,
                               .kind = (uint8_t)action.kind,
                               .job = is_somebody ? (uint8_t)action.cookie : TWIN_NOBODY,
                               .client = is_somebody ? npjt_twin_client(job->lane) : TWIN_NOBODY,
                               .request = (uint8_t)action.request,
                               .held = action.held,
                               .tag = action.tag,
                               .status = action.status,
                               .job_id = action.job_id,
                               .count = action.count};
    act(run, job, &action, &entry);
    npjt_twin_saw(run, &entry);
    react(run, job, &action);
    return true;
}

void npjt_twin_drain(struct twin_run *run)
{
    while (npjt_twin_take(run))
        continue;
}
