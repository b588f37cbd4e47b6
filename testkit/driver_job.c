/* SPDX-License-Identifier: MIT */
/*
 * The life of a job as the laws have it: what is answered when, what a failure does, and when a job has ended. The
 * server is not asked; what it says is held against this.
 */
#include <string.h>

#include "driver_state.h"

struct a_job *npjt_job_of_handle(struct npjt_driver *d, npj_job handle)
{
    struct a_job *newest = NULL;
    for (uint8_t i = 0; i < d->jobs; i++)
        if (d->job[d->order[i]].handle == handle)
            newest = &d->job[d->order[i]];
    return newest;
}

struct a_job *npjt_job_by_handle(struct npjt_driver *d, npj_job handle)
{
    struct a_job *job = npjt_job_of_handle(d, handle);
    return job && !job->gone ? job : NULL;
}

struct a_job *npjt_job_by_cookie(struct npjt_driver *d, uint64_t cookie)
{
    for (uint8_t i = 0; i < d->jobs; i++)
        if (d->job[d->order[i]].cookie == cookie)
            return &d->job[d->order[i]];
    return NULL;
}

struct a_job *npjt_job_by_op(struct npjt_driver *d, npj_op op)
{
    for (uint8_t i = 0; i < d->ops_live; i++)
        if (d->job[d->ops[i]].op == op)
            return &d->job[d->ops[i]];
    return NULL;
}

struct a_write *npjt_write_by_request(struct npjt_driver *d, npj_req request)
{
    for (uint8_t i = 0; request != 0 && i < d->jobs; i++) {
        struct a_write *write = npjt_first_write(d, &d->job[d->order[i]]);
        for (; write; write = npjt_next_write(d, write))
            if (write->request == request)
                return write;
    }
    return NULL;
}

bool npjt_has_ended(const uint64_t *kept, uint32_t count, uint64_t handle)
{
    for (uint32_t i = 0; i < ENDED_KEPT && i < count; i++)
        if (kept[i] == handle)
            return true;
    return false;
}

struct a_job *npjt_job_begin(struct npjt_driver *d)
{
    for (unsigned i = 0; i < JOBS; i++) {
        struct a_job *job = &d->job[i];
        if (job->used)
            continue;
        memset(job, 0, offsetof(struct a_job, iov_count));
        job->used = true;
        job->serial = ++d->next_serial;
        job->first_write = job->last_write = NONE;
        job->connect_start = job->drain_start = NPJ_NEVER;
        d->order[d->jobs++] = (uint8_t)i;
        if (d->jobs > d->most_jobs) {
            d->most_jobs = d->jobs;
            memset(d->base_set, 0, sizeof d->base_set);
        }
        return job;
    }
    return NULL;
}

struct a_write *npjt_write_begin(struct npjt_driver *d, struct a_job *job)
{
    uint8_t index = d->free_write;
    if (index == NONE)
        return NULL;
    struct a_write *write = &d->write[index];
    d->free_write = write->next;
    uint8_t *bytes = write->bytes;
    size_t capacity = write->capacity;
    memset(write, 0, sizeof *write);
    write->bytes = bytes;
    write->capacity = capacity;
    write->job = (uint8_t)(job - d->job);
    write->next = NONE;
    if (job->last_write == NONE)
        job->first_write = index;
    else
        d->write[job->last_write].next = index;
    job->last_write = index;
    job->packets++;
    d->packets++;
    return write;
}

/** Whether everything of a job that is gone has been taken: no operation is in flight, and nothing waits. */
static bool nothing_left(const struct a_job *job)
{
    bool left = job->first_write != NONE || job->resume_owed;
    for (unsigned kind = 0; kind < 4; kind++)
        left |= job->phase[kind] == ANSWERED;
    return !left;
}

static void remove_index(uint8_t *list, uint8_t *count, uint8_t index)
{
    for (uint8_t i = 0; i < *count; i++) {
        if (list[i] == index) {
            memmove(list + i, list + i + 1, (size_t)(*count - i - 1));
            --*count;
            return;
        }
    }
}

void npjt_release_packets(struct npjt_driver *d, struct a_job *job)
{
    uint8_t before = NONE, index = job->first_write;
    while (index != NONE) {
        struct a_write *write = &d->write[index];
        uint8_t next = write->next;
        if (!write->replied || write->in_op || write->held) {
            before = index;
        } else {
            if (before == NONE)
                job->first_write = next;
            else
                d->write[before].next = next;
            if (job->last_write == index)
                job->last_write = before;
            job->packets--;
            job->bytes -= write->length;
            d->packets--;
            write->next = d->free_write;
            d->free_write = index;
        }
        index = next;
    }
}

void npjt_answer(struct a_job *job, npj_request_kind kind, npj_status status)
{
    if (job->phase[kind] == WAITING) {
        job->phase[kind] = ANSWERED;
        job->answer[kind] = status;
    }
}

void npjt_answer_write(struct npjt_driver *d, struct a_write *write, npj_status status, npj_status or_else)
{
    if (write->answered)
        return;
    write->answered = true;
    write->turn = d->result->calls;
    write->status = status;
    write->or_else = or_else;
}

static bool can_be_cancelled(npj_action_kind kind)
{
    return kind == NPJ_ADD_JOB || kind == NPJ_OPEN || kind == NPJ_WRITE || kind == NPJ_SCHEDULE_JOB;
}

void npjt_fail(struct npjt_driver *d, struct a_job *job, npj_status status)
{
    if (job->failed || job->gone)
        return;
    job->failed = job->failure_learnt = true;
    job->failure = status;
    for (unsigned kind = 0; kind < 4; kind++)
        npjt_answer(job, (npj_request_kind)kind, status);
    for (struct a_write *write = npjt_first_write(d, job); write; write = npjt_next_write(d, write))
        npjt_answer_write(d, write, status, status);
    if (job->op != 0 && can_be_cancelled(job->op_kind))
        job->cancel_owed = !job->cancel_taken;
}

/** The server has said for which of two reasons the job failed: all that this has answered is answered with it. */
void npjt_learn_failure(struct npjt_driver *d, struct a_job *job, npj_status status)
{
    for (unsigned kind = 0; kind < 4; kind++)
        if (job->answer[kind] == job->failure)
            job->answer[kind] = status;
    for (struct a_write *write = npjt_first_write(d, job); write; write = npjt_next_write(d, write))
        if (write->status == job->failure)
            write->status = write->or_else = status;
    job->failure = status;
    job->failure_learnt = true;
}

bool npjt_has_unanswered_write(struct npjt_driver *d, const struct a_job *job)
{
    for (const struct a_write *write = npjt_first_write(d, job); write; write = npjt_next_write(d, write))
        if (!write->answered)
            return true;
    return false;
}

bool npjt_resume_due(const struct npjt_driver *d, const struct a_job *job)
{
    bool fits_again =
        job->packets < d->limits.max_job_packets && job->bytes + d->limits.max_write_bytes <= d->limits.max_job_bytes;
    return fits_again || job->failed || job->phase[NPJ_REQUEST_CLOSE] != NOT_ASKED;
}

/** Byte mode: writes of no bytes are answered in their turn, and never put in flight. */
static void answer_empty_writes(struct npjt_driver *d, struct a_job *job)
{
    for (struct a_write *write = npjt_first_write(d, job); write; write = npjt_next_write(d, write)) {
        if (write->answered)
            continue;
        if (write->length > 0)
            return;
        npjt_answer_write(d, write, NPJ_STATUS_SUCCESS, NPJ_STATUS_SUCCESS);
    }
}

/** A failed job has ended when host and provider are rid of it, unless it must stay to tell its client so. */
static bool failed_job_is_gone(const struct a_job *job)
{
    bool provider_waits = job->has_job && !job->provider_gone && !job->finished_with_provider;
    bool stays_broken = job->connect_good && job->phase[NPJ_REQUEST_CLOSE] == NOT_ASKED && !job->forget;
    return job->op == 0 && !job->pipe_open && !provider_waits && !stays_broken;
}

/** The stall deadline runs while the pipe is open and a write waits. */
static void watch_stall(struct npjt_driver *d, struct a_job *job)
{
    if (!job->stalling)
        job->stall_start = d->now;
    job->stalling = job->pipe_open && npjt_has_unanswered_write(d, job);
}

void npjt_settle(struct npjt_driver *d, struct a_job *job)
{
    if (job->added && job->phase[NPJ_REQUEST_CONNECT] == WAITING && job->connect_start == NPJ_NEVER)
        job->connect_start = d->now;
    if (job->pipe_open && !job->message_mode)
        answer_empty_writes(d, job);
    if (job->pipe_open && job->truncated && job->phase[NPJ_REQUEST_CLOSE] == WAITING &&
        !npjt_has_unanswered_write(d, job))
        npjt_fail(d, job, NPJ_STATUS_CANCELLED);
    watch_stall(d, job);
    if (!job->gone && (job->failed ? failed_job_is_gone(job) : job->scheduled)) {
        job->gone = true;
        d->ended_job[d->jobs_ended++ % ENDED_KEPT] = job->handle;
    }
    if (job->gone && nothing_left(job)) {
        if (job->traced && !job->end_told) {
            npjt_check_gone(d, job); /* a server that does not tell of the end may not know of it */
            npjt_violate(d, NPJT_LAW_RECLAIM, "a job has ended, and the trace does not tell");
        }
        job->used = false;
        remove_index(d->order, &d->jobs, (uint8_t)(job - d->job));
    } else if (job->end_told) {
        npjt_violate(d, NPJT_LAW_RECLAIM, "the trace tells of a job's end before its last action");
    }
}

void npjt_op_begin(struct npjt_driver *d, struct a_job *job, const npj_action *action)
{
    job->op = action->op;
    job->op_kind = action->kind;
    job->cancel_owed = job->cancel_taken = false;
    d->ops[d->ops_live++] = (uint8_t)(job - d->job);
}

void npjt_op_end(struct npjt_driver *d, struct a_job *job)
{
    d->ended_op[d->ops_ended % ENDED_KEPT] = job->op;
    d->ended_op_kind[d->ops_ended++ % ENDED_KEPT] = job->op_kind;
    job->op = 0;
    job->cancel_owed = false;
    remove_index(d->ops, &d->ops_live, (uint8_t)(job - d->job));
    for (struct a_write *write = npjt_first_write(d, job); write; write = npjt_next_write(d, write))
        write->in_op = false;
}
