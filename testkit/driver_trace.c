/* SPDX-License-Identifier: MIT */
/*
 * The trace: each line by itself, and those of a call against what the call came to. A server that tells nothing is not
 * asked for anything; one that tells of jobs is held to what npjob.h says of npj_trace.
 */
#include "driver_state.h"

#define A_NEW_JOB (1U << NPJ_EVENT_COUNT)

static void wrong_step(struct npjt_driver *d, const npj_trace *trace, const char *why)
{
    npjt_violate(d, NPJT_LAW_OPERATIONS, "the trace has %s in %s, then %s: %s", npj_event_name(trace->event),
                 npj_state_name(trace->from), npj_state_name(trace->to), why);
}

/* --------------------------------------------------------------------------------------------------- lines of a job */

/** The job of a line. NULL: one that is just being made, and has no handle yet. */
static struct a_job *job_of(struct npjt_driver *d, const npj_trace *trace)
{
    struct a_job *job = npjt_job_by_cookie(d, trace->cookie);
    if (job ? trace->job != job->handle : d->told.events != A_NEW_JOB)
        wrong_step(d, trace, job ? "its job has another handle" : "its job has ended or never was");
    return job;
}

/** The host is rid of a job's cookie when its end has been told. */
static void check_end(struct npjt_driver *d, const npj_trace *trace, struct a_job *job)
{
    if (trace->from != NPJ_STATE_GONE || trace->event != NPJ_EVENT_FINISH)
        return;
    if (job->end_told)
        npjt_violate(d, NPJT_LAW_RECLAIM, "the trace tells of a job's end for a second time");
    job->end_told = true;
}

/** A server that traces moves its jobs by the table. But no job whose close was accepted is failed by its client's
 * going. */
static void check_step(struct npjt_driver *d, const npj_trace *trace, struct a_job *job)
{
    const npj_cell cell = npj_table_cell(trace->from, trace->event);
    bool taken = trace->status == NPJ_STATUS_SUCCESS, stays = trace->to == trace->from;
    bool spared = stays && trace->event == NPJ_EVENT_CLIENT_GONE;
    if (taken && cell.status != NPJ_STATUS_SUCCESS)
        wrong_step(d, trace, "the table refuses it");
    else if (taken ? trace->to != cell.next && !spared : !stays)
        wrong_step(d, trace, "it leads to another state");
    if (!job)
        return;
    if (job->traced && job->state != trace->from)
        wrong_step(d, trace, "the job was in another state");
    check_end(d, trace, job);
    job->traced = true;
    job->state = trace->to;
    job->expired |= trace->event == NPJ_EVENT_EXPIRE;
}

/* -------------------------------------------------------------------------------------------------- lines of a call */

void npjt_watch(struct npjt_driver *d, uint32_t events, const struct a_job *job)
{
    d->told = (struct told){.events = events, .job = job, .due = job != NULL};
}

void npjt_watch_many(struct npjt_driver *d, npj_event event, bool (*is)(const struct a_job *job, uint64_t key),
                     uint64_t key)
{
    npjt_watch(d, 1U << event, NULL);
    for (uint8_t i = 0; i < d->jobs; i++) {
        struct a_job *job = &d->job[d->order[i]];
        job->awaits_line = !job->gone && (!is || is(job, key));
    }
}

/** Keeps what a line says of the call that is being made. */
static void note(struct npjt_driver *d, const npj_trace *trace, struct a_job *job)
{
    struct told *told = &d->told;
    if (!(told->events >> trace->event & 1))
        return;
    if (job)
        job->awaits_line = false;
    if (told->job && told->job != job)
        wrong_step(d, trace, "the call was of another job");
    if (trace->status == NPJ_STATUS_SUCCESS) {
        told->taken++;
    } else {
        told->refused++;
        told->status = trace->status;
    }
}

/** A completion with a bad claim is consumed, and told as the failure that it is. */
static bool is_refused(const struct told *told, npj_status status)
{
    return told->events & NPJT_COMPLETIONS ? status == NPJ_STATUS_INVALID_HANDLE : npj_status_is_error(status);
}

/** Whether a job has had no line of a call of many. Then none waits for it any more. */
static bool one_has_no_line(struct npjt_driver *d)
{
    bool one = false;
    for (uint8_t i = 0; i < d->jobs; i++) {
        one |= d->job[d->order[i]].awaits_line;
        d->job[d->order[i]].awaits_line = false;
    }
    return one;
}

void npjt_check_told(struct npjt_driver *d, const char *call, npj_status status)
{
    const struct told told = d->told;
    bool missing = told.job ? told.taken + told.refused < told.due : one_has_no_line(d);
    npjt_watch(d, 0, NULL);
    if (is_refused(&told, status) ? told.taken > 0 : told.refused > 0)
        npjt_violate(d, NPJT_LAW_ALL_OR_NOTHING, "%s returned %s, and is traced as %s", call, npj_status_name(status),
                     told.taken > 0 ? "taken" : "refused");
    else if (told.refused > 0 && told.status != status)
        npjt_violate(d, NPJT_LAW_ALL_OR_NOTHING, "%s returned %s, and is traced with %s", call, npj_status_name(status),
                     npj_status_name(told.status));
    if (d->tells_calls && missing)
        npjt_violate(d, NPJT_LAW_OPERATIONS, "%s was %s, and is not traced as others were", call,
                     is_refused(&told, status) ? "refused" : "taken");
    /* A completion may end in a failure of the job, which has a line of its own. */
    if (told.job && !(told.events & NPJT_COMPLETIONS) && told.taken + told.refused > told.due)
        npjt_violate(d, NPJT_LAW_OPERATIONS, "%s is traced %u times", call, (unsigned)(told.taken + told.refused));
    d->tells_calls |= told.job && told.taken > 0;
}

/* ----------------------------------------------------------------------------------------------------- Event 2019 */

/** What the cap has refused: a write of this job, or a new one. */
static void check_no_pool(struct npjt_driver *d, const npj_trace *trace)
{
    const struct told *told = &d->told;
    const struct a_job *job = told->job;
    bool good = trace->status == NPJ_STATUS_INSUFF_SERVER_RESOURCES && trace->from == trace->to;
    if (told->events == A_NEW_JOB)
        good &= trace->event == NPJ_EVENT_COUNT && trace->from == NPJ_STATE_COUNT && trace->job == 0;
    else if (told->events == 1U << NPJ_EVENT_WRITE && job)
        good &= trace->event == NPJ_EVENT_WRITE && trace->job == job->handle && trace->cookie == job->cookie &&
                (unsigned)trace->from < NPJ_STATE_COUNT && (!job->traced || trace->from == job->state);
    else
        good = false;
    if (!good)
        npjt_violate(d, NPJT_LAW_BOUNDS, "Event 2019 is traced as what it is not: %s of job %llx in %s",
                     npj_event_name(trace->event), (unsigned long long)trace->job, npj_state_name(trace->from));
    d->no_pool_traced++;
}

void npjt_traced(void *user, const npj_trace *trace)
{
    struct npjt_driver *d = user;
    d->tracing = true;
    if (d->freeing)
        npjt_violate(d, NPJT_LAW_OPERATIONS, "free tells of a job");
    npjt_mix_trace(d, trace);
    if (d->options->trace)
        d->options->trace(d->options->user, trace);
    if (trace->kind == NPJ_TRACE_NO_POOL) {
        check_no_pool(d, trace);
    } else if (trace->kind != NPJ_TRACE_EVENT || (unsigned)trace->from >= NPJ_STATE_COUNT ||
               (unsigned)trace->to >= NPJ_STATE_COUNT || (unsigned)trace->event >= NPJ_EVENT_COUNT) {
        npjt_violate(d, NPJT_LAW_OPERATIONS, "the trace has a line of no kind, state or event: %u, %u to %u, %u",
                     (unsigned)trace->kind, (unsigned)trace->from, (unsigned)trace->to, (unsigned)trace->event);
    } else {
        struct a_job *job = job_of(d, trace);
        d->result->cells[trace->from][trace->event] |= trace->status == NPJ_STATUS_SUCCESS ? 1 : 2;
        check_step(d, trace, job);
        note(d, trace, job);
    }
    npjt_reenter(d, CALLBACK_TRACE);
}
