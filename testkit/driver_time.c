/* SPDX-License-Identifier: MIT */
/*
 * Deadlines. Times are counted from the first npj_advance(), as the contract has it: what was armed before counts from
 * there.
 */
#include "driver_state.h"

static uint64_t saturated(uint64_t start, uint64_t timeout)
{
    return timeout >= NPJ_NEVER - start ? NPJ_NEVER : start + timeout;
}

/** When a time of ours is on the host's clock. */
static uint64_t on_host_clock(const struct npjt_driver *d, uint64_t time)
{
    return saturated(d->origin, time);
}

/** A sum that saturates on the host's clock never comes. */
static bool has_passed(const struct npjt_driver *d, uint64_t time)
{
    return time <= d->now && on_host_clock(d, time) != NPJ_NEVER;
}

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/** The earliest deadline of a job. What has not started, NPJ_NEVER, never comes. */
static uint64_t job_deadline(const struct npjt_driver *d, const struct a_job *job)
{
    uint64_t deadline = NPJ_NEVER;
    if (job->failed || job->gone)
        return deadline;
    if (!job->added)
        deadline = saturated(job->add_start, d->limits.add_timeout);
    if (job->phase[NPJ_REQUEST_CONNECT] == WAITING)
        deadline = least(deadline, saturated(job->connect_start, d->limits.connect_timeout));
    if (job->stalling)
        deadline = least(deadline, saturated(job->stall_start, d->limits.stall_timeout));
    return least(deadline, saturated(job->drain_start, d->limits.drain_timeout));
}

/** A drain that has nothing left to wait for has no deadline. */
static uint64_t stopping_deadline(const struct npjt_driver *d)
{
    return d->stopping == 1 + NPJ_DRAIN && d->jobs > 0 ? saturated(d->stopping_start, d->limits.drain_timeout)
                                                       : NPJ_NEVER;
}

static void expire_jobs(struct npjt_driver *d, bool stopped)
{
    for (uint8_t i = d->jobs; i-- > 0;) {
        struct a_job *job = &d->job[d->order[i]];
        bool late = has_passed(d, job_deadline(d, job));
        if (job->expired && !late && !stopped)
            npjt_violate(d, NPJT_LAW_BOUNDS, "a job was failed before its deadline");
        if (late) {
            npjt_fail(d, job, NPJ_STATUS_IO_TIMEOUT);
            job->failure_learnt = !stopped;
        }
        if (stopped) {
            npjt_fail(d, job, NPJ_STATUS_SERVER_SHUTDOWN_IN_PROGRESS);
            job->forget = true;
        }
        npjt_settle(d, job);
    }
}

void npjt_advance(struct npjt_driver *d, uint64_t to)
{
    for (uint8_t i = 0; i < d->jobs; i++)
        d->job[d->order[i]].expired = false;
    d->call = "advance";
    d->status = d->subject->advance(d->srv, to);
    d->call = NULL;
    d->result->calls++;
    d->refused_digest = 0;
    npjt_mix(d, d->status);
    if (d->status != NPJ_STATUS_SUCCESS)
        npjt_violate(d, NPJT_LAW_ALL_OR_NOTHING, "advance was refused");
    if (!d->clock_set) {
        d->clock_set = true;
        d->origin = to;
    } else if (to > d->origin + d->now) {
        d->now = to - d->origin;
    }
    uint64_t stop = stopping_deadline(d);
    bool stopped = has_passed(d, stop);
    if (stopped)
        d->stopping = 1 + NPJ_ABORT;
    expire_jobs(d, stopped);
    if (d->stop)
        return;
    uint64_t deadline = d->subject->deadline(d->srv);
    if (deadline != NPJ_NEVER && deadline <= on_host_clock(d, d->now))
        npjt_violate(d, NPJT_LAW_BOUNDS, "after advance a deadline lies in the past");
}

void npjt_check_deadline(struct npjt_driver *d)
{
    if (d->stop)
        return;
    uint64_t earliest = stopping_deadline(d);
    for (uint8_t i = 0; i < d->jobs; i++)
        earliest = least(earliest, job_deadline(d, &d->job[d->order[i]]));
    earliest = on_host_clock(d, earliest);
    uint64_t says = d->subject->deadline(d->srv);
    if (says == earliest || !npjt_is_cause(d, NPJT_LAW_BOUNDS))
        return;
    if (earliest == NPJ_NEVER)
        npjt_violate(d, NPJT_LAW_BOUNDS, "the server's deadline is %llu where none is right", (unsigned long long)says);
    else if (says == NPJ_NEVER)
        npjt_violate(d, NPJT_LAW_BOUNDS, "the server has no deadline where %llu is right",
                     (unsigned long long)earliest);
    else
        npjt_violate(d, NPJT_LAW_BOUNDS, "the server's deadline is %llu where %llu is right", (unsigned long long)says,
                     (unsigned long long)earliest);
}
